"""Where one model's text ends and the next one's begins."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from outwarden.wire.continuation.seam import Seam

SPACED = st.text(alphabet="ab \n\t\u2003", max_size=30)


def pieces(text: str, cuts: list[int]) -> list[str]:
    ends = sorted({cut % (len(text) + 1) for cut in cuts} | {0, len(text)})
    return [text[start:end] for start, end in pairwise(ends)]


def through(seam: Seam, texts: list[str]) -> str:
    return "".join([*map(seam.feed, texts), seam.flush()])


@given(text=SPACED, at=st.integers(0, 30), cuts=st.lists(st.integers(0, 60)), echoes=st.booleans())
def test_the_parts_make_the_whole(text: str, at: int, cuts: list[int], echoes: bool) -> None:
    """Cut anywhere, gone on with from there without the white space, in any pieces, with an echo or without."""
    said = text[:at]
    sent = said.rstrip()
    seam = Seam(said[len(sent) :], sent if echoes else "")
    answer = text if echoes else text[len(sent) :]

    assert said + through(seam, pieces(answer, cuts)) == text


@given(tail=st.text(alphabet=" \n", max_size=4), answer=SPACED, cuts=st.lists(st.integers(0, 60)))
def test_however_it_is_cut_it_is_the_same(tail: str, answer: str, cuts: list[int]) -> None:
    """And all that is ever taken away is white space that the reader has."""
    got = through(Seam(tail), pieces(answer, cuts))

    assert got == through(Seam(tail), [answer])
    assert answer.endswith(got)
    assert tail.startswith(answer.removesuffix(got)) if got else tail.startswith(answer)


@given(sent=SPACED.filter(str.strip), answer=SPACED, cuts=st.lists(st.integers(0, 60)))
def test_an_echo_that_does_not_come_costs_nothing(sent: str, answer: str, cuts: list[int]) -> None:
    """What was held as one is passed on."""
    expected = answer.removeprefix(sent)

    assert through(Seam("", sent), pieces(answer, cuts)) == expected


def test_white_space_that_is_missing_is_not_lost() -> None:
    """The reader has it already, whatever the next model thinks."""
    assert through(Seam(" "), ["", "world"]) == "world"
    assert through(Seam("\n\n"), ["\n", "\n", "\nx"]) == "\nx"
