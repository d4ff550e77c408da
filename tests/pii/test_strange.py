"""Values of many words in strange characters, read as a whole."""

import html
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii import Detector, PiiPolicy
from outwarden.pii.matching import Candidate
from outwarden.pii.strange import check_strange

Find = Callable[[str], list[tuple[str, str]]]

DETECTOR = Detector(PiiPolicy())
VALUES = {
    "STREET_ADDRESS": "14 Larkspur Lane, Dayton, OH 45402",
    "CREDIT_CARD": "4929 4128 3357 6017",
    "EMAIL_ADDRESS": "mara.lindt@harbour-works.net",
    "IP_ADDRESS": "2a02:8108:4ec4:e18:e8ac:e010:bd2f:973c",
    "US_SSN": "281-44-0067",
}


def spread(mark: str) -> Callable[[str], str]:
    return lambda value: mark.join(value)


def shifted(capital: int, small: int, digit: int) -> Callable[[str], str]:
    """The letters and digits of another block of Unicode."""

    def write(value: str) -> str:
        firsts = (("A", "Z", capital), ("a", "z", small), ("0", "9", digit))
        for low, high, first in firsts:
            value = "".join(chr(first + ord(c) - ord(low)) if low <= c <= high else c for c in value)
        return value

    return write


WAYS: dict[str, Callable[[str], str]] = {
    "zero width space": spread("\u200b"),
    "word joiner": spread("\u2060"),
    "soft hyphen": spread("\xad"),
    "byte order mark": spread("\ufeff"),
    "Hangul filler": spread("\u3164"),
    "empty braille": spread("\u2800"),
    "tag": spread("\U000e0061"),
    "strike through": spread("\u0336"),
    "overline": spread("\u0305"),
    "keycap": lambda value: "".join(c + "\ufe0f\u20e3" if c.isdigit() else c for c in value),
    "full width": shifted(0xFF21, 0xFF41, 0xFF10),
    "bold": shifted(0x1D400, 0x1D41A, 0x1D7CE),
    "monospace": shifted(0x1D670, 0x1D68A, 0x1D7F6),
    "percent": lambda value: "".join(f"%{ord(c):02X}" for c in value),
    "percent of percent": lambda value: quote("".join(f"%{ord(c):02X}" for c in value)),
    "HTML": lambda value: "".join(f"&#{ord(c)};" for c in value),
    "HTML with zeros": lambda value: "".join(f"&#{ord(c):07d};" for c in value),
    "HTML in HTML": lambda value: html.escape("".join(f"&#x{ord(c):x};" for c in value)),
    "JSON": lambda value: "".join(f"\\u{ord(c):04x}" for c in value),
    "Python": lambda value: "".join(f"\\U{ord(c):08x}" for c in value),
    "escape()": lambda value: "".join(f"%u{ord(c):04x}" for c in value),
    "quoted-printable": lambda value: "".join(f"={ord(c):02X}" for c in value),
}


@pytest.mark.parametrize("entity", VALUES)
@pytest.mark.parametrize("way", WAYS)
def test_a_value_is_found_as_a_whole(way: str, entity: str) -> None:
    """In each way, and over all of its words."""
    written = WAYS[way](VALUES[entity])
    text = f"please note {written} for me"
    found = [span for span in DETECTOR.find([text])[0] if span.entity == entity]

    assert found
    covered = sum(span.end - span.start for span in found)
    assert covered >= 0.9 * len(written) - 8


@given(st.sampled_from(sorted(VALUES)), st.sampled_from(sorted(WAYS)), st.integers(0, 400), st.integers(0, 90))
def test_wherever_it_stands(entity: str, way: str, before: int, between: int) -> None:
    """Behind other stretches, long and short, near and far."""
    written = WAYS[way](VALUES[entity])
    text = "\u200bab" * before + "\nlorem " * between + " " + written + " end"
    start = text.index(written)

    assert any(span.start < start + len(written) and span.end > start for span in DETECTOR.find([text])[0])


@pytest.mark.parametrize(
    "text",
    [
        "Ｎｏｔｅ：　ｔｈｅ　ｓｈｏｐ　ｏｐｅｎｓ　ａｔ　９",
        "caf\u0065\u0301 cre\u0300me bru\u0302le\u0301e 3\u0338 times",
        "\u2764\ufe0f\u200d\U0001f525 we won 3\ufe0f\u20e3 games in 2024",
        "%E4%BD%A0%E5%A5%BD%E4%B8%96%E7%95%8C",
        "\u0661\u0669\u0669\u0664 and \u0662\u0660\u0661\u0660",
        "&lt;div&gt;&lt;b&gt;12 345 678&lt;/b&gt;&lt;/div&gt;",
    ],
)
def test_what_says_nothing_is_left_alone(text: str) -> None:
    """Strange characters alone are nobody's data."""
    assert DETECTOR.find([text]) == [[]]


@pytest.mark.parametrize(
    "written",
    [
        "ada.\x1b[31mruiz\x1b[0m@kes\x1b[1mtrel-freight.com",
        "ada.\\033[31mruiz\\033[0m@kestrel-freight.com",
        "\\x00".join("ada.ruiz@kestrel-freight.com"),
        "\x00".join("ada.ruiz@kestrel-freight.com"),
        "".join(f"{one}\x08{one}" for one in "ada.ruiz@kestrel-freight.com"),
    ],
)
def test_what_a_terminal_or_a_dump_puts_between_is_left_out(find: Find, written: str) -> None:
    """Colours, characters struck over, zero bytes."""
    assert [entity for entity, _ in find(f"> email: {written}")] == ["EMAIL_ADDRESS"]


def test_what_folding_leaves_as_it_is_is_not_searched_again() -> None:
    """Escapes that may be something else (`key=34`) are signs, and a row of them says nothing."""
    asked: list[str] = []

    def look(text: str, start: int = 0) -> list[Candidate]:
        asked.append(text)
        return []

    text = "key" + "=34" * 40
    (behind,) = check_strange(look, text, 3) or []

    assert not asked
    assert (behind.score, behind.end) == (0.0, len(text))
    check_strange(look, text + "&#64;" * 3, 3)
    assert len(asked) == 1
