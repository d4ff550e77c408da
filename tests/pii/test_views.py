"""Values written so that no pattern sees them are found, whole, and nothing is made of harmless text."""

import base64
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii import CustomEntity, Detector, PiiPolicy

Find = Callable[[str], list[tuple[str, str]]]

EMAIL = "jane.doe@quarzbach.com"
CARD = "4929 4128 3357 6017"
CARD_WORDS = "four nine two nine, four one two eight, three three five seven, six oh one seven"
SSN_WORDS = "two eight one dash four four dash zero zero six seven"
IBAN = "DE75 8501 0510 3738 8815 15"


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("entity", "written"),
    [
        ("EMAIL_ADDRESS", "ja\u200bne.doe@quarz\u00adbach.com"),
        ("EMAIL_ADDRESS", "ｊａｎｅ．ｄｏｅ＠ｑｕａｒｚｂａｃｈ．ｃｏｍ"),
        ("EMAIL_ADDRESS", "jane.doe&#64;quarzbach&#46;com"),
        ("EMAIL_ADDRESS", "".join(f"&#x{ord(c):x};" for c in EMAIL)),
        ("EMAIL_ADDRESS", quote(EMAIL, safe="")),
        ("EMAIL_ADDRESS", quote(quote(EMAIL, safe=""))),
        ("EMAIL_ADDRESS", "".join(f"\\u{ord(c):04x}" for c in EMAIL)),
        ("EMAIL_ADDRESS", "jane.doe=40quarzbach.com"),
        ("EMAIL_ADDRESS", "ja<b>ne</b>.doe@quarzbach.com"),
        ("EMAIL_ADDRESS", base64_of(EMAIL)),
        ("EMAIL_ADDRESS", base64_of(f'{{"to": "{EMAIL}", "subject": "hello"}}')),
        ("EMAIL_ADDRESS", base64_of(base64_of(EMAIL))),
        ("EMAIL_ADDRESS", base64_of(quote(EMAIL, safe=""))),
        ("EMAIL_ADDRESS", EMAIL.encode().hex()),
        ("EMAIL_ADDRESS", EMAIL.encode().hex(" ")),
        ("EMAIL_ADDRESS", EMAIL[::-1]),
        ("EMAIL_ADDRESS", "jane dot doe at quarzbach dot com"),
        ("EMAIL_ADDRESS", "jane.doe (at) quarzbach.com"),
        ("CREDIT_CARD", CARD_WORDS),
        ("CREDIT_CARD", "４９２９ ４１２８ ３３５７ ６０１７"),
        ("CREDIT_CARD", "٤٩٢٩ ٤١٢٨ ٣٣٥٧ ٦٠١٧"),
        ("CREDIT_CARD", "4929 - 4128 - 3357 - 6017"),
        ("CREDIT_CARD", "4929/4128/3357/6017"),
        ("CREDIT_CARD", "4929_4128_3357_6017"),
        ("CREDIT_CARD", "4929 4128\n3357 6017"),
        ("CREDIT_CARD", "4 9 2 9 4 1 2 8 3 3 5 7 6 0 1 7"),
        ("CREDIT_CARD", "4929 space 4128 space 3357 space 6017"),
        ("CREDIT_CARD", base64_of("4929412833576017")),
        ("US_SSN", SSN_WORDS),
        ("US_SSN", "281 - 44 - 0067"),
        ("US_SSN", "281-\n44-0067"),
        ("PHONE_NUMBER", "four one five, eight oh six, five five six eight"),
        ("PHONE_NUMBER", "＋４９ １５１ ２３４５６７８９"),
        ("IP_ADDRESS", "151[.]201[.]206[.]84"),
        ("IP_ADDRESS", "151 dot 201 dot 206 dot 84"),
        ("IBAN_CODE", IBAN.replace("8", "８")),
        ("IBAN_CODE", IBAN.replace(" 0510", " 05\u200b10")),
    ],
)
def test_a_value_is_found_whole_however_it_is_written(find: Find, entity: str, written: str) -> None:
    """In a sentence that names it; one span over all of it."""
    label = {"CREDIT_CARD": "card", "US_SSN": "ssn", "PHONE_NUMBER": "phone", "IBAN_CODE": "iban"}.get(entity, "it is")

    assert find(f"Please note: {label} {written} (thanks)") == [(entity, written)]


@pytest.mark.parametrize(
    "text",
    [
        "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]",
        "one, two, three, four, five, six, seven, eight",
        "0 1 0 0 1 1 0 1 1 0 0 1\n1 1 0 0 1 0 1 0 0 1 1 1",
        "matrix = [[4929, 4128, 5357], [6017, 12, 98]]",
        "312\n555\n1234\n98\n4455",
        "3f786850e387550fdab836ed7e6dc881de23001b",
        "/usr/lib/python3/dist-packages/setuptools/command",
        "c29tZSBoYXJtbGVzcyB0ZXh0IGluIGJhc2U2NA==",
        "look at github.com and meet @ noon. Me too",
        "at this point it does not matter",
        "https://a.b/search?q=caf%C3%A9%20au%20lait&n=20",
        "&lt;p&gt;Hello&nbsp;world&lt;/p&gt;",
        "Привет, это просто текст на русском языке.",
        "range 2010–2015, pages 12–34",
        "due 2024/01/02 or 12/10/2024",
        "a @ b.T + c @ d.mean",
    ],
)
def test_harmless_text_is_left_alone(find: Find, text: str) -> None:
    """Code, tables, hashes, links, other scripts."""
    assert find(text) == []


def test_what_an_encoding_holds_goes_as_a_whole(find: Find) -> None:
    """Half of a base64 text says nothing to anybody, and the rest of the sentence stays."""
    packed = base64_of("name: x, mail: " + EMAIL + ", and so on")

    assert find(f"data {packed} end") == [("EMAIL_ADDRESS", packed)]


def test_a_long_encoding_is_read_to_its_end(find: Find) -> None:
    """A value is found wherever it stands, also across the longest run that is read at once."""
    for before in range(1380, 1480, 7):
        packed = base64_of("x " * (before // 2) + EMAIL)
        (entity, value), *more = find(packed)
        assert (entity, more) == ("EMAIL_ADDRESS", [])
        assert packed.endswith(value)


def test_entities_of_the_user_are_found_too() -> None:
    """Whatever pattern a rule has, its odd spellings count."""
    custom = CustomEntity("CLAIM", r"CLM-\d{7}")
    detector = Detector(PiiPolicy(entities=frozenset(), custom=(custom,)))
    text = "claim CLM\u200b-12３4567"

    assert [(s.entity, text[s.start : s.end]) for s in detector.find([text])[0]] == [("CLAIM", "CLM\u200b-12３4567")]


@given(st.integers(0, 40), st.integers(1, 12), st.sampled_from(["\u200b", "\u2060", "\u00ad", "\ufeff"]))
def test_a_mark_anywhere_in_a_value_hides_nothing(at: int, step: int, mark: str) -> None:
    """One mark or one at every so many characters."""
    written = "".join(c + mark * (i >= at and (i - at) % step == 0 and i + 1 < len(EMAIL)) for i, c in enumerate(EMAIL))
    text = f"write to {written} now"
    found = Detector(PiiPolicy(entities=frozenset({"EMAIL_ADDRESS"}))).find([text])[0]

    assert [text[s.start : s.end] for s in found] == [written]


@pytest.mark.parametrize(
    "text",
    [
        "on file five four five six four five one zero six zero four five one three nine three, 08/27",
        "fifty-two sixty-two fifty-three thirteen oh two fifty-nine twenty-one oh six 03/29",
    ],
)
def test_a_card_in_words_ends_before_its_month(find: Find, text: str) -> None:
    """Another word before it may be a number elsewhere, and figures may follow."""
    assert [entity for entity, _ in find(text)] == ["CREDIT_CARD"]
