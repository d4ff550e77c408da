"""Units and words: the same wherever a text is cut, bounded, in linear time."""

import re
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.pii.names.words import UNIT_CHARACTERS_MAX, WORD, unit_ends

PIECES = [
    "Dr. ",
    "Jane ",
    "Doe",
    ". ",
    "! ",
    "?\n",
    "\n",
    "\n\n",
    ",\n",
    "word " * 20,
    "x" * 300,
    " ",
    "J. ",
    "e.g. ",
    '." ',
    "…",
]
texts = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


def units(text: str) -> list[str]:
    ends = [0, *unit_ends(text), len(text)]
    return [text[start:end] for start, end in pairwise(ends)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We met Dr. Osei. He left! Why? ", ["We met Dr. Osei. ", "He left! ", "Why? ", ""]),
        ("By J. K. Adeyemi. Then ", ["By J. K. Adeyemi. ", "Then "]),
        ('"Go." She went', ['"Go." ', "She went"]),
        ("a: 1\nb: 2\n", ["a: 1\n", "b: 2\n", ""]),
        ("Thanks,\n\nMarta Nowak\n", ["Thanks,\n\nMarta Nowak\n", ""]),
        ("Attendees:\nJo, Al\nEnd", ["Attendees:\nJo, Al\n", "End"]),
        (f"{'word ' * 12}Marta\nNowak came.", [f"{'word ' * 12}Marta\nNowak came."]),
    ],
)
def test_units(text: str, expected: list[str]) -> None:
    """Sentences and lines; a title, an initial, a greeting and a line broken by its width do not end one."""
    assert units(text) == expected


@given(texts)
def test_a_unit_is_bounded(text: str) -> None:
    """A reply waits for the end of a unit, so there is always one near."""
    assert all(len(unit) <= UNIT_CHARACTERS_MAX + 3 for unit in units(text))
    assert "".join(units(text)) == text


@given(texts, st.integers(min_value=0, max_value=3000))
def test_what_has_ended_stays_as_it_is(text: str, at: int) -> None:
    """Units of a beginning are units of the whole, and what is left falls into the others."""
    ends = list(unit_ends(text))
    before = list(unit_ends(text[:at]))
    done = before[-1] if before else 0

    assert ends[: len(before)] == before
    assert [done + end for end in unit_ends(text[done:])] == ends[len(before) :]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Siobhan O'Brien's dog", ["Siobhan", "O'Brien", "'s", "dog"]),
        ("Jean-Luc, ok?", ["Jean", "-", "Luc", ",", "ok", "?"]),
        ("mail jane.doe@acme.com now", ["mail", "jane.doe@acme.com", "now"]),
        (
            "see https://acme.com/jane?x=1 or src/jane/doe.py",
            ["see", "https://acme.com/jane?x=1", "or", "src/jane/doe.py"],
        ),
        ("user_name getName gpt4o @jane #tag", ["user_name", "getName", "gpt4o", "@jane", "#tag"]),
        ("李小龍 said", ["李小龍", "said"]),
        ("\ud800x", ["\ud800", "x"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    """Addresses, paths, identifiers and handles are one word each, so nothing in them is a name."""
    assert WORD.findall(text) == words


@pytest.mark.parametrize("piece", ["a", "a.", "a@", "/", "a/", "'", "1", "_", " ", ". ", "\n", "é", "字", "a\\"])
def test_time_grows_with_the_text(piece: str) -> None:
    """No run of characters is looked at over and over."""
    seconds = []
    for size in (50_000, 200_000):
        text = piece * (size // len(piece))
        started = time.process_time()
        for unit in units(text):
            WORD.findall(unit)
        seconds.append(time.process_time() - started)

    assert seconds[1] < 16 * seconds[0] + 0.5


PLAIN = re.compile(
    r"https?://\S+|www\.\S+|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+|[@#]\w{1,64}"
    r"|[\w.~-]{0,64}[/\\][\w.~-]{1,64}[/\\][\w.~/\\-]*"
    r"|[^\W\d_]{1,64}+(?:['\u2019](?!s\b)[^\W\d_]{1,64}+)?+(?![\d_])|['\u2019]s\b|\w{1,64}|[^\w\s]"
)


@settings(max_examples=300)
@given(st.lists(st.sampled_from([*"aZé9_ .,;!)@#/\\~'-\n:", "http://", "www.", "a" * 64, "'s"])).map("".join))
def test_what_is_fast_changes_nothing(text: str) -> None:
    """Words as the plain pattern has them, without the short cut for words that end at a space."""
    assert WORD.findall(text) == PLAIN.findall(text)
