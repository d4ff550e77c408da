"""Judge once what stands again and again in the same surroundings.

A text may say one thing ten thousand times: the rows of a table, a log of one event, what somebody made up to be slow.
Each is a candidate, and a check of one may take a hundred times what finding it does. But no check looks farther than
`BACK` and `AHEAD`, so where all of that is the same, its answer is.
"""

from collections.abc import Callable

BACK = 2048
"""Code points before a candidate. A line of base64 is read from its begin, `packed.RUN_MAX` and `LOOK_BACK` at most."""
AHEAD = 8704
"""Code points behind it. A private key or token is followed the farthest, for `credentials.SECRET_MAX`."""

_NEAR = 32  # code points to either side, by which a place that may be the same is found
_PLACES_MAX = 512  # of other surroundings each; of a longer period nothing is remembered


class Repeats[Answer]:
    """Of one text: a check that answers ``judge(start, end)``, and what it answered before.

    ``moved``: an answer, so many code points farther on.
    """

    __slots__ = ("_judge", "_known", "_moved", "_text")

    def __init__(self, text: str, judge: Callable[[int, int], Answer], moved: Callable[[Answer, int], Answer]) -> None:
        self._text, self._judge, self._moved = text, judge, moved
        self._known: dict[tuple[int, str], tuple[int, Answer]] = {}

    def __repr__(self) -> str:
        return f"<Repeats: {len(self._known)}>"

    def judge(self, start: int, end: int) -> Answer:
        """As the check."""
        near = end - start, self._text[max(0, start - _NEAR) : end + _NEAR]
        known = self._known.get(near)
        if known is not None and self._is_the_same(known[0], start, end):
            return self._moved(known[1], start - known[0])
        answer = self._judge(start, end)
        if len(self._known) >= _PLACES_MAX:
            self._known.clear()
        self._known[near] = start, answer
        return answer

    def _is_the_same(self, other: int, start: int, end: int) -> bool:
        """Whether the surroundings of the place that begins at ``other`` are; at an edge of the text they are not."""
        if other < BACK:
            return False
        text, width = self._text, end - start + AHEAD
        return text[other - BACK : other + width] == text[start - BACK : start + width]
