"""From how likely each label of each word is to spans."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from outwarden.pii.names.network import ENTITIES


class Found(NamedTuple):
    """The words from ``first`` to ``last`` are an ``entity``; ``score``: how sure that is."""

    first: int
    last: int
    entity: str
    score: float


# What may end a name: an initial, "Jr."
_ENDS_WITH_STOP = frozenset({"jr", "sr"})


def spans_of(
    likely: Sequence[NDArray[np.float32]], units: Sequence[Sequence[str]], floors: Mapping[str, float]
) -> Iterator[tuple[int, list[Found]]]:
    """Yield, for each unit that has any, its number and its findings: runs of words likely enough of one entity.

    ``floors``: the entities that are asked for, and how likely a word must be to belong to one. No name has a digit.
    """
    if not units:
        return
    every = np.concatenate(likely)
    sure = every[:, 1::2] + every[:, 2::2]  # begins or goes on: the word belongs to the entity
    best = sure.argmax(axis=1)
    floor = np.array([floors.get(entity, 2.0) for entity in ENTITIES], np.float32)
    hits = np.flatnonzero(sure[np.arange(len(sure)), best] >= floor[best])
    ends = np.cumsum([len(unit) for unit in units])
    numbers, firsts = np.unique(np.searchsorted(ends, hits, side="right"), return_index=True)
    for number, own in zip(numbers.tolist(), np.split(hits, firsts[1:]), strict=False):  # no number: one empty part
        words = units[number]
        start = int(ends[number]) - len(words)
        here = slice(start, start + len(words))
        indices = (own - start).tolist()
        if found := list(_runs(indices, likely[number], sure[here], best[here], words)):
            yield number, found


def _runs(
    indices: Sequence[int],
    likely: NDArray[np.float32],
    sure: NDArray[np.float32],
    best: NDArray[np.int64],
    words: Sequence[str],
) -> Iterator[Found]:
    run: list[int] = []
    for index in indices:
        if any(map(str.isdigit, words[index])):
            continue
        kind = best[index]
        goes_on = run and index == run[-1] + 1 and kind == best[run[-1]]
        if run and not (goes_on and likely[index, 1 + 2 * kind] <= likely[index, 2 + 2 * kind]):
            yield from _span(run, sure, best, words)
            run = []
        run.append(index)
    yield from _span(run, sure, best, words)


def _span(run: list[int], sure: NDArray[np.float32], best: NDArray[np.int64], words: Sequence[str]) -> Iterator[Found]:
    while run and not words[run[0]][0].isalpha():
        run = run[1:]
    while run and not words[run[-1]][0].isalpha() and not _ends_with_stop(run, words):
        run = run[:-1]
    if run:
        kind = best[run[0]]
        score = float(sure[run[0] : run[-1] + 1, kind].mean())
        yield Found(run[0], run[-1], ENTITIES[kind], round(min(score, 1.0), 3))


def _ends_with_stop(run: Sequence[int], words: Sequence[str]) -> bool:
    if len(run) < 2 or words[run[-1]] != ".":
        return False
    before = words[run[-2]]
    return (len(before) == 1 and before.isalpha()) or before.lower() in _ENDS_WITH_STOP
