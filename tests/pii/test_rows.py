"""Numbers in words, digit by digit, in any language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii import Detector, PiiPolicy
from outwarden.pii.digit_words import _TONGUES, DIGITS_OF, plainly

DETECTOR = Detector(PiiPolicy())
NUMBER = "4158672093"


def said(tongue: str, number: str, which: int = 0) -> list[str]:
    columns = [column if tongue in ("zh", "x-signs") else column.split("/") for column in _TONGUES[tongue].split()]
    return [columns[int(digit)][which % len(columns[int(digit)])] for digit in number]


def found(text: str) -> list[str]:
    return [text[span.start : span.end] for span in DETECTOR.find([text])[0]]


@pytest.mark.parametrize("tongue", _TONGUES)
def test_ten_digits_in_each_language_are_a_number(tongue: str) -> None:
    """From the first to the last of its words."""
    words = said(tongue, NUMBER)
    text = "you may call " + (" ".join(words)) + " (in the evening)"
    covered = max(found(text), key=len, default="")

    assert len(covered) >= 0.9 * len(" ".join(words))


def test_each_language_has_ten() -> None:
    """Zero to nine."""
    assert [tongue for tongue, words in _TONGUES.items() if len(words.split()) != 10] == []


@pytest.mark.parametrize("tongue", _TONGUES)
def test_each_word_says_its_digit(tongue: str) -> None:
    """In its language, with or without accents."""
    for digit in "0123456789":
        for which in range(4):
            assert DIGITS_OF[plainly(said(tongue, digit, which)[0])][tongue] == int(digit)


@pytest.mark.parametrize("between", [" ", ", ", "-", "_", "...", " / ", "\n", ""])
@pytest.mark.parametrize("tongue", ["en", "de", "fr", "es"])
def test_with_anything_between(tongue: str, between: str) -> None:
    """Or nothing."""
    written = between.join(said(tongue, "4929412833576017"))

    assert written in found(f"card: {written} ok")


@given(st.integers(2, 9), st.text("0123456789", min_size=9, max_size=9))
def test_a_card_in_two_languages_and_digits(first: int, rest: str) -> None:
    """Each digit written in a way of its own."""
    number = "4929412833576017"
    ways = (lambda d: said("en", d)[0], lambda d: said("sv", d)[0], lambda d: d)
    picks = [*map(int, str(first) + rest), *map(int, rest)]
    words = [
        ways[pick % 2 if at < 6 else pick % 3](digit)
        for at, (digit, pick) in enumerate(zip(number, picks, strict=False))
    ]
    text = "kort " + " ".join(words) + " tack"

    assert any(span.entity == "CREDIT_CARD" for span in DETECTOR.find([text])[0])


@pytest.mark.parametrize(
    "text",
    [
        "f0ur 0ne f1ve e1ght s1x s3ven tw0 z3ro n1ne thr33",
        "fuor oen fiev eihgt sxi sevne two zeor nine thre",
        "fower wun fife ait six seven too zero niner tree",
        "for one five ate six seven too oh nine three",
        "FourOneFiveEightSixSevenTwoZeroNineThree",
        "四一五八六七二〇九三",
        "肆壹伍捌陆柒贰零玖叁",
        "よんいちごはちろくななにぜろきゅうさん".replace("ぜろ", "ゼロ"),
        "⚃ ⚀ ⚄ 8 ⚅ 7 ⚁ 0 9 ⚂",
    ],
)
def test_distorted_and_signs(text: str) -> None:
    """Leet, misspelled, as over the radio, run together, numerals of Chinese, kana, dice."""
    assert found(f"tel. {text} bye")


@pytest.mark.parametrize(
    "text",
    [
        "ten nine eight seven six five four three two one zero, go",
        "zero, one, one, two, three, five, eight, thirteen",
        "two three five seven one one one three one seven one nine",
        "one two three four five six seven eight nine",
        "it happened once or twice; one of two or three of us went to see four or five of them",
        "eins zwei drei vier fünf sechs sieben",
        "we need to go to a ten to one on, so to do no one a favour",
        "un deux trois, nous irons au bois, quatre cinq six, cueillir des cerises",
        "一九四九年、一九七八年和二〇〇八年",
        "在一九四九、一九七八两年",
        "I V vi IV I V vi IV",
        "사람이 이사 오다",
        "the one-two-three of it",
        "Hang Seng 22,620.33",
    ],
)
def test_what_counts_or_says_something_else(text: str) -> None:
    """Countdowns, rows that are recited, prose, years, chords."""
    assert found(text) == []
