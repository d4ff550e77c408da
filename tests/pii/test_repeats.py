"""What stands again in the same surroundings is judged once, and nothing else is taken for it."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii import Detector, PiiPolicy, matching, packed, repeats
from outwarden.pii.credentials import SECRET_MAX
from outwarden.pii.recognizer import LOOK_BACK
from outwarden.pii.repeats import Repeats

everything = Detector(PiiPolicy())


class Seen(NamedTuple):
    """An answer that tells all that a check may look at."""

    start: int
    before: str
    behind: str


def moved(seen: Seen, by: int) -> Seen:
    return seen._replace(start=seen.start + by)


@given(
    st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=3),
    st.integers(1, 30),
    st.text("ab", max_size=9),
)
def test_the_answers_are_those_of_the_check(rows: list[str], times: int, odd: str) -> None:
    """At the edges of the text and of each repetition, and where something else stands between."""
    text = "".join(rows) * times + odd + "".join(rows) * times
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeats, "BACK", 4)
        patch.setattr(repeats, "AHEAD", 6)
        patch.setattr(repeats, "_NEAR", 2)
        patch.setattr(repeats, "_PLACES_MAX", 4)

        def check(start: int, end: int) -> Seen:
            return Seen(start, text[max(0, start - 4) : start], text[end : end + 6])

        known = Repeats(text, check, moved)
        for start in range(len(text)):
            assert known.judge(start, start + 1) == check(start, start + 1)


def test_a_text_that_repeats_itself_is_judged_in_part() -> None:
    """As often as a period and the reach of a check ask for."""
    text, asked = "ab " * 10_000, []
    known = Repeats(text, lambda start, end: asked.append(start), lambda answer, by: answer)

    for start in range(0, len(text), 3):
        known.judge(start, start + 2)

    assert len(asked) < 2 * (repeats.BACK + repeats.AHEAD) / 3


ROWS = [
    "pw ", "pwd=", "a@b.co ", "ssn 078-05-1121 ", "MRN 4711 ", "=34", "%40=3D", "one two ", "tel +49 30 901820 ",
    "1=2E1", "card 4111 1111 1111 1112 ", "dob 1.2.1985\n", "b\u200b@\u200bc.de ", "12 Elm Street, York ", "\\x40",
    "password: Xk7#pq2! ", "IBAN DE89 3704 0044 0532 0130 00\n", "aGVsbG8gYW5uYUBhY21lLmNvbQ== ",
    "name,password\nann,Xk7#pq2!\n", "192.168.7.4 ",
]  # fmt: skip


def test_no_check_looks_farther() -> None:
    """Than what is compared."""
    assert packed.RUN_MAX + LOOK_BACK <= repeats.BACK
    assert SECRET_MAX + LOOK_BACK <= repeats.AHEAD


@pytest.mark.parametrize("row", ROWS)
def test_repeated_rows_are_found_as_each_is(monkeypatch: pytest.MonkeyPatch, row: str) -> None:
    """With and without what is remembered, also around something else."""
    rows = row * (15_000 // len(row))
    text = f"{rows}; by ann@acme.com 1 {rows}"
    found = everything.find([text])
    monkeypatch.setattr(matching, "_OFTEN", len(text))

    assert found == everything.find([text])
