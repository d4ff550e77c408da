"""From how likely each label of each word is to spans."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from outwarden.pii.names.network import ENTITIES

Place = tuple[int, int]
# What may end a name: an initial, "Jr."
_ENDS_WITH_STOP = frozenset({"jr", "sr"})


def spans_of(
    likely: NDArray[np.float32], words: Sequence[str], places: Sequence[Place], floors: Mapping[str, float]
) -> Iterator[tuple[int, int, str, float]]:
    """Yield (start, end, entity, score) for each run of words that are likely enough of one entity.

    ``floors``: the entities that are asked for, and how likely a word must be to belong to one. No name has a digit.
    """
    sure = likely[:, 1::2] + likely[:, 2::2]  # begins or goes on: the word belongs to the entity
    best = sure.argmax(axis=1)
    floor = np.array([floors.get(entity, 2.0) for entity in ENTITIES], np.float32)
    run: list[int] = []
    for index in np.flatnonzero(sure[np.arange(len(sure)), best] >= floor[best]).tolist():
        if any(map(str.isdigit, words[index])):
            continue
        kind = best[index]
        goes_on = run and index == run[-1] + 1 and kind == best[run[-1]]
        if run and not (goes_on and likely[index, 1 + 2 * kind] <= likely[index, 2 + 2 * kind]):
            yield from _span(run, sure, best, words, places)
            run = []
        run.append(index)
    yield from _span(run, sure, best, words, places)


def _span(
    run: list[int], sure: NDArray[np.float32], best: NDArray[np.int64], words: Sequence[str], places: Sequence[Place]
) -> Iterator[tuple[int, int, str, float]]:
    while run and not words[run[0]][0].isalpha():
        run = run[1:]
    while run and not words[run[-1]][0].isalpha() and not _ends_with_stop(run, words):
        run = run[:-1]
    if run:
        kind = best[run[0]]
        score = float(sure[run[0] : run[-1] + 1, kind].mean())
        yield places[run[0]][0], places[run[-1]][1], ENTITIES[kind], round(min(score, 1.0), 3)


def _ends_with_stop(run: Sequence[int], words: Sequence[str]) -> bool:
    if len(run) < 2 or words[run[-1]] != ".":
        return False
    before = words[run[-2]]
    return (len(before) == 1 and before.isalpha()) or before.lower() in _ENDS_WITH_STOP
