"""Prose is looked at; code fences, diffs, keys and source code are not, at every cut of the text."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.names.prose import Prose
from outwarden.pii.names.words import UNIT_CHARACTERS_MAX

PIECES = [
    "```", "```py\n", "~~~\n", "````\n", "\n", " ", "Ask Jane. ", "x = 1\n", "diff --git a/x b/x\n", "@@ -1 +1 @@\n",
    "+new\n", " old\n", "-----BEGIN KEY-----\n", "-----END KEY-----", "MIIB" * 20 + "\n", "`", "- ", "> ",
    "word " * 30, "done",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


def looked_at(text: str) -> str:
    settled, units = Prose().units(text, more=False)
    assert settled == len(text)
    return "|".join(text[unit.start : unit.end] for unit in units)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Hi Jane.\n```py\nname = 'Jane'\n```\nBye", "Hi Jane.\n|Bye"),
        ("Aa\n  - ```\n  Jane\n  ```\nBb", "Aa\n|Bb"),
        ("Aa\n~~~~\nJane\n```\n~~~\nx\n~~~~\nBb", "Aa\n|Bb"),
        ("Aa\n```\nJane", "Aa\n"),
        ("not ``` a fence. Bb", "not ``` a fence. |Bb"),
        ("Aa\n-----BEGIN RSA PRIVATE KEY-----\nJane\n-----END RSA PRIVATE KEY-----\nBb", "Aa\n|\nBb"),
        ("Aa\ndiff --git a/x b/x\nindex 1..2\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-Jane\n+Joan\n\nBb", "Aa\n|\nBb"),
    ],
)
def test_blocks_are_left_out(text: str, seen: str) -> None:
    """Until the line that ends them; an open one to the end."""
    assert looked_at(text) == seen


@given(texts, st.lists(st.integers(min_value=0, max_value=900), max_size=12))
def test_pieces_fall_into_the_units_of_the_whole(text: str, cuts: list[int]) -> None:
    """Wherever the text is cut."""
    whole = [text[u.start : u.end] for u in Prose().units(text, more=False)[1]]
    prose, found, held = Prose(), [], ""
    bounds = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    for start, end in pairwise(bounds):
        held += text[start:end]
        settled, units = prose.units(held, more=True)
        found += [held[u.start : u.end] for u in units]
        held = held[settled:]
        assert len(held) <= UNIT_CHARACTERS_MAX + 100
    found += [held[u.start : u.end] for u in prose.units(held, more=False)[1]]

    assert found == whole
