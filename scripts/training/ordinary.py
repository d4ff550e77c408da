"""Learn which words are ordinary (`outwarden.pii.names.gate`): a unit of nothing else need not be read.

A form of a word is ordinary if it is hardly ever part of a person that the network finds in an epoch's texts, and if no
such person consists of ordinary words alone. Of rarer words these texts tell too little: those are probed as well.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from outwarden.pii.names.gate import GATE_SCORE, LETTERS
from outwarden.pii.names.network import Network
from outwarden.pii.names.spans import spans_of
from outwarden.pii.names.words import WORD

FREQUENT, PROBED_BELOW = 4, 12
# A word that is a part of a name as often as this is not ordinary, however often it is none ("Will") …
NAMED_SHARE = 0.05
# … nor one that is as often a part of names without a word that is mostly a name (as "of" is with "Duke" only).
UNCLEAR_SHARE, CLEAR_SHARE = 0.01, 0.2
# Nor is one of the words of a person that consists of ordinary ones alone, if it is in such persons as often as this;
# what is rarer is the network's mistake ("of", "I").
ALONE_SHARE = 0.002
PERSON_FLOORS = {"PERSON": GATE_SCORE}
PROBE_FLOORS = {"PERSON": 0.5}
# Where a word is most likely to be a name. The word stands at _.
PROBES = (
    "my name is _ .",
    "Dear _ ,",
    "_ :",
    "tell _ about it please",
    "_ called me yesterday",
    "mr _ said no",
    "thanks , _",
    "seen by dr _ today",
    "ask _ and _ to come",
    "best regards , _ _",
)
_PROBED_AT_ONCE = 500


def ordinary_words(network: Network, texts: Sequence[Sequence[str]], others: Iterable[str] = ()) -> frozenset[str]:
    """Choose from the words of ``texts`` (units, cut into words) those that are ordinary.

    ``others``: words that are frequent elsewhere, in no list of names; they are only probed, unless texts know them.
    """
    counted: Counter[str] = Counter()
    for words in texts:
        counted.update(LETTERS.findall(" ".join(words)))
    named: Counter[str] = Counter()
    persons = list(_persons(network, texts))
    for parts in persons:
        named.update(parts)
    clear = {word for word, count in counted.items() if count < FREQUENT or named[word] > CLEAR_SHARE * count}
    unclear = Counter(part for parts in persons if clear.isdisjoint(parts) for part in parts)
    ordinary = {
        word
        for word, count in counted.items()
        if count >= FREQUENT and named[word] <= NAMED_SHARE * count and unclear[word] <= UNCLEAR_SHARE * count
    }
    ordinary.update(word for word in others if counted[word] < FREQUENT and not named[word])
    rarer = sorted(word for word in ordinary if counted[word] < PROBED_BELOW)
    ordinary.difference_update(_taken_for_names(network, rarer))
    alone = [parts for parts in persons if ordinary.issuperset(parts)]
    times = Counter(part for parts in alone for part in parts)
    for parts in sorted(alone):
        if ordinary.issuperset(parts):
            _, word = max((named[part] / counted[part], part) for part in parts)
            if times[word] >= ALONE_SHARE * counted[word]:
                ordinary.discard(word)
    return frozenset(ordinary)


def _persons(network: Network, texts: Sequence[Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """The parts of each person found."""
    for number, found in spans_of(network.likelihoods(texts), texts, PERSON_FLOORS):
        for one in found:
            parts = LETTERS.findall(" ".join(texts[number][one.first : one.last + 1]))
            yield tuple(sorted(set(parts)))


def _taken_for_names(network: Network, words: Sequence[str]) -> Iterable[str]:
    frames = [WORD.findall(probe.replace("_", "\0")) for probe in PROBES]
    for start in range(0, len(words), _PROBED_AT_ONCE):
        some = words[start : start + _PROBED_AT_ONCE]
        units = [[word if part == "\0" else part for part in frame] for word in some for frame in frames]
        for number, found in spans_of(network.likelihoods(units), units, PROBE_FLOORS):
            word = some[number // len(frames)]
            if any(word in units[number][one.first : one.last + 1] for one in found):
                yield word
