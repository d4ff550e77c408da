"""Digits in words, read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.regexp import Regexp
from outwarden.pii.spelled import WORDS, Digits, begin_of, is_count, read_digits, read_words

TONGUES = {
    "en": "zero one two three four five six seven eight nine",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "it": "zero uno due tre quattro cinque sei sette otto nove",
    "nl": "nul een twee drie vier vijf zes zeven acht negen",
    "pt": "zero um dois três quatro cinco seis sete oito nove",
    "pl": "zero jeden dwa trzy cztery pięć sześć siedem osiem dziewięć",
    "sv": "noll ett två tre fyra fem sex sju åtta nio",
    "da": "nul en to tre fire fem seks syv otte ni",
    "tr": "sıfır bir iki üç dört beş altı yedi sekiz dokuz",
    "ru": "ноль один два три четыре пять шесть семь восемь девять",
    "uk": "нуль один два три чотири п'ять шість сім вісім дев'ять",
    "cs": "nula jedna dva tři čtyři pět šest sedm osm devět",
    "fi": "nolla yksi kaksi kolme neljä viisi kuusi seitsemän kahdeksan yhdeksän",
    "hi": "शून्य एक दो तीन चार पांच छह सात आठ नौ",
}
WORDS_OF = {tongue: words.split() for tongue, words in TONGUES.items()}


def said_in(text: str) -> Digits:
    """What the view reads in a text."""
    found = Regexp(WORDS).search(text.encode())
    assert found is not None
    return read_words(text, begin_of(text, len(text.encode()[: found[0]].decode())))[0]


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("four nine two nine oh one seven", "4929017"),
        ("double four nine triple two zero", "4492220"),
        ("forty-nine twenty nine forty one", "492941"),
        ("fifteen sixty seven eight", "15678"),
        ("three hundred sixty two, fifty eight", "36258"),
        ("sześćset jeden dwieście siedemdziesiąt cztery", "601274"),
        ("dört yüz on sekiz yirmi yedi", "41827"),
        ("tre quattro sette, ottantadue, sessantacinque", "3478265"),
        ("415 eight six seven 22", "41586722"),
        ("tel: to otte fire en syv syv", "284177"),
    ],
)
def test_numbers_in_words_are_read(said: str, digits: str) -> None:
    """Repeats, tens and hundreds, words among digits, weak words before the first that counts anywhere."""
    assert said_in(said).digits == digits


@pytest.mark.parametrize(("run", "digits"), [("4929<b>41</b>28", "49294128"), ("&#52;&#57;29 4%31", "492941")])
def test_digits_are_read(run: str, digits: str) -> None:
    """Escapes and tags."""
    assert read_digits(run).digits == digits


# With fewer there may be no two beside each other that count by themselves, as a language's own word tells.
@given(st.sampled_from(sorted(WORDS_OF)), st.permutations("0123456789"), st.data())
def test_dictated_digits_are_found_and_read(language: str, order: list[str], data: st.DataObject) -> None:
    """In each language, with any usual sign between them; each digit knows its word."""
    signs = st.sampled_from([" ", ", ", " - ", "... ", " / ", "\n"])
    digits = "".join(order) + data.draw(st.text("0123456789", max_size=9))
    words = [WORDS_OF[language][int(digit)] for digit in digits]
    said = words[0] + "".join(data.draw(signs) + word for word in words[1:])
    number = said_in(said)

    assert number.digits == digits
    assert [said[start:end] for start, end in number.spans] == words


@given(st.text("one two 12 fire to -\n", max_size=200), st.integers(0, 200))
def test_a_row_without_end_is_read_in_parts(text: str, start: int) -> None:
    """The beginning is never behind the place that was asked for, nor far before it; what is read goes on."""
    start = min(start, len(text))
    begin = begin_of(text, start)

    assert max(0, start - 120) <= begin <= start
    assert read_words(text, begin)[1] >= begin


def test_no_word_is_cut() -> None:
    """However far into the text it stands."""
    said = "нуль один два три чотири п'ять шість... сім... вісім... дев'ять... нуль... нуль... п'ять... дев'ять"
    for spaces in range(1, 8):
        assert said_in(said.replace(" ", " " * spaces, 1)).digits == "01234567890059"


def test_signs_tell_groups() -> None:
    """A strong sign wins over a weak one; `solid` has none, but keeps a leading plus."""
    number = said_in("two eight one dash four four - zero zero six seven")

    assert number.signed().grouped().text == "281-44-0067"
    assert number.solid().grouped().text == "281440067"
    assert read_digits("+ 49 151").solid().grouped().text == "+49151"


@pytest.mark.parametrize(
    ("digits", "counts"),
    [
        ("1234567", True),
        ("987654", True),
        ("0000000", True),
        ("123123456", True),
        ("4929412", False),
        ("1234529", False),
    ],
)
def test_counting_is_no_number(digits: str, counts: bool) -> None:
    """One to seven, ten down to one, zeros, one to three again and again."""
    assert is_count(digits) is counts


@given(st.text(alphabet="0123456789 -./+()*|,\t", max_size=30).filter(lambda run: any(map(str.isdigit, run))))
def test_plain_runs_are_read_as_those_with_words(run: str) -> None:
    """A run without words, tags and escapes is read sign by sign; a tag behind it changes nothing of what it says."""
    plain, tagged = read_digits(run), read_digits(run + "<b>")

    assert (plain.digits, list(plain.spans), list(plain.signs)) == (
        tagged.digits,
        list(tagged.spans),
        list(tagged.signs),
    )
