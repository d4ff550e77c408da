"""What a unit says for or against a person in it: words about people, technical text, the form of what may be the name.

The network judges words by their neighbours; this judges its findings by the whole unit. "Iris 4 cm, Daphne 6 cm" and
"Iris told Daphne" have the same names. `scripts/training/calibrate.py` learns the weights.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from outwarden.pii.names.cues import CUES, MASKS, PEOPLE, THINGS, UNITS
from outwarden.pii.names.features import FLAGS, Lexicon, key_of
from outwarden.pii.names.gate import Gate
from outwarden.pii.names.spans import Found

FEATURES = (
    *(
        "logit",
        "logit_one",
        "logit_nothing",
        "one",
        "two",
        "more",
        "caps",
        "caps_short",
        "letter",
        "lower",
        "lower_one",
    ),
    *("first", "last", "listed", "place", "word", "one_unlisted", "titled", "role", "starts", "starts_one", "ends"),
    *("comma_before", "comma_after", "colon_after", "colon_before", "bracket_after", "possessive", "digit_after"),
    *("digit_before", "quoted", "verb_after", "hyphen", "stop_after", "slash"),
    *("ordinary", "commas", "sentence", "others", "length", "short", "technical", "units", "digits"),
    *(f"words_{name}" for name in CUES),
    *("nothing", "nothing_one"),
    *("unlisted", "unlisted_lower", "unlisted_nothing", "unlisted_digits"),
    *("foreign", "foreign_logit", "foreign_one", "foreign_lower", "foreign_unlisted", "foreign_nothing"),
    *("opens", "opens_unlisted", "opens_foreign"),
    *("headed", "headed_nothing", "headed_people", "kind_before", "kind_after", "item", "item_nothing", "item_one"),
    *("items", "items_nothing", "joined", "joined_one", "joined_unlisted"),
)
_TECHNICAL = re.compile(
    r"[a-z]*_\w+|\d+(?:\.\d+)+|v\d.*|[a-z]+\.[a-z]+.*|https?:.*|[\w.~-]*/[\w./~-]+|[a-z]+[A-Z]\w*", re.DOTALL
)
_SHORT_CAPS = 4
_CERTAIN = 1e-3  # as sure as the network can be
_TITLE, _ROLE, _VERB = (1 << list(CUES).index(name) for name in ("titles", "roles", "verbs"))
_PEOPLE_CUES = PEOPLE.bit_count()
_BITS = {flag: 1 << at for at, flag in enumerate(FLAGS)}
_FIRST = _BITS["first_english"] | _BITS["first_elsewhere"] | _BITS["person_first"]
_LAST = _BITS["last_frequent"] | _BITS["last_census"] | _BITS["last_elsewhere"] | _BITS["person_last"]
_NAME = _FIRST | _LAST | _BITS["chinese_japanese"]
_PLACE = _BITS["city"] | _BITS["country"] | _BITS["place"]


class Evidence:
    """Describes findings of one model by numbers. Serves all threads."""

    def __init__(self, lexicon: Lexicon, gate: Gate) -> None:
        self._lexicon = lexicon
        self._gate = gate
        self._lists = lru_cache(maxsize=8192)(self._look_up)

    def _look_up(self, word: str) -> int:
        row = int(self._lexicon.rows([key_of(word)])[0])
        return 0 if row < 0 else int(self._lexicon.flags[row])

    def is_first_name(self, word: str) -> bool:
        """Whether a list of first names has ``word``."""
        return bool(self._lists(word.lower()) & _FIRST)

    def is_last_name(self, word: str) -> bool:
        """Whether a list of last names has ``word``."""
        return bool(self._lists(word.lower()) & _LAST)

    def of(self, words: Sequence[str], found: Sequence[Found]) -> NDArray[np.float64]:
        """A row of FEATURES for each of the persons ``found`` in a unit of ``words``."""
        unit = _Unit(words, self._gate)
        return np.array([self._row(unit, one, len(found)) for one in found])

    def _row(self, unit: "_Unit", found: Found, others: int) -> list[float]:
        said = [word for word in unit.words[found.first : found.last + 1] if word[0].isalpha()]
        lists = [self._lists(word.lower()) for word in said]
        joined = "".join(said)
        one = len(said) == 1
        known = sum(bool(flags & _NAME) for flags in lists) / len(lists)
        likely = min(max(found.score, _CERTAIN), 1 - _CERTAIN)
        logit = float(np.log(likely / (1 - likely)))
        caps, lower = joined.isupper(), joined.islower()
        around = unit.without(found.first, found.last)
        nothing = sum(around.cues[:_PEOPLE_CUES]) == 0
        foreign = unit.foreign(found.first, found.last)
        opens = found.first == 0 or unit.words[found.first - 1] in _STOPS
        row = (
            *(logit, one * logit, nothing * logit, one, len(said) == 2, len(said) > 2, caps),
            *(caps and one and len(joined) <= _SHORT_CAPS, len(joined) == 1, lower, lower and one),
            *(bool(lists[0] & _FIRST), bool(lists[-1] & _LAST), known, any(flags & _PLACE for flags in lists)),
            sum(map(self._gate.knows, said)) / len(said),
            one and not lists[0] & _FIRST,
            *unit.beside(found.first, found.last, one),
            *(
                unit.ordinary,
                unit.commas,
                unit.ends,
                min(others, 6) / 3,
                min(around.length, 40) / 20,
                around.length <= 3,
            ),
            *(_capped(around.technical), _capped(around.units), min(1.5, 4 * around.digits / max(1, around.length))),
            *map(_capped, around.cues),
            *(nothing, nothing and one),
            *(known == 0, known == 0 and lower, known == 0 and nothing, (known == 0) * unit.digit_share),
            *(foreign, foreign * logit, foreign * one, foreign * lower, foreign * (known == 0), foreign * nothing),
            *(opens, opens and known == 0, opens * foreign),
            *unit.listed(found.first, found.last, nothing, one, known == 0),
        )
        return [float(value) for value in row]


class _Counts:
    """How many words of each kind some words hold."""

    __slots__ = ("cues", "digits", "length", "technical", "units")

    def __init__(self, cues: Sequence[int], technical: int, units: int, digits: int, length: int) -> None:
        self.cues = cues
        self.technical = technical
        self.units = units
        self.digits = digits
        self.length = length


class _Unit:
    """The words of a unit, and what kinds they are of."""

    def __init__(self, words: Sequence[str], gate: Gate) -> None:
        self.words = words
        self.lower = [word.lower() for word in words]
        self.masks = [MASKS.get(word, 0) for word in self.lower]
        self.technical = [not _is_plain(word) and _TECHNICAL.fullmatch(word) is not None for word in words]
        self.units = [word in UNITS for word in self.lower]
        self.digits = [not word.isalpha() and any(map(str.isdigit, word)) for word in words]
        length = len(words)
        self.ordinary = sum(word.isalpha() and word.islower() and gate.knows(word) for word in words) / length
        self.strange = [word.isalpha() and word.islower() and len(word) > 2 and not gate.knows(word) for word in words]
        self.plain = [word.isalpha() and word.islower() and len(word) > 2 for word in words]
        self.digit_share = min(1.0, 4 * sum(self.digits) / length)
        self.commas = sum(word in ",;|" for word in words) / length
        self.ends = words[-1] in ".!?"

    def without(self, first: int, last: int) -> _Counts:
        """The kinds of the words before ``first`` and after ``last``."""
        masks = [mask for mask in (*self.masks[:first], *self.masks[last + 1 :]) if mask]
        cues = [sum(mask >> at & 1 for mask in masks) for at in range(len(CUES))]
        technical, units, digits = (
            sum(kind) - sum(kind[first : last + 1]) for kind in (self.technical, self.units, self.digits)
        )
        return _Counts(cues, technical, units, digits, len(self.words) - (last + 1 - first))

    def foreign(self, first: int, last: int) -> float:
        """How many of the words in lower case around are none of English."""
        plain = sum(self.plain) - sum(self.plain[first : last + 1])
        strange = sum(self.strange) - sum(self.strange[first : last + 1])
        return strange / plain if plain > 1 else 0.0

    def listed(self, first: int, last: int, nothing: bool, one: bool, unlisted: bool) -> Sequence[float]:
        """What the list is one of that a finding is in, and whether it is an item of one."""
        words, masks = self.words, self.masks
        before = words[first - 1] if first else ""
        after = words[last + 1] if last + 1 < len(words) else ""
        head = self._head(first)
        item = (first == 0 or before in _ITEM_STARTS) and (not after or after in _ITEM_ENDS)
        items = self._items(first, last)
        joined = (before in _DASHES and first > 1) or (after in _DASHES and last + 2 < len(words))
        return (
            *(head == THINGS, (head == THINGS) * nothing, head == PEOPLE),
            *(bool(first and masks[first - 1] & THINGS), bool(after and masks[last + 1] & THINGS)),
            *(item, item * nothing, item * one),
            *(items, items * nothing, joined, joined * one, joined * unlisted),
        )

    def _head(self, first: int) -> int:
        """What the words before the colon of the list say that it is one of: THINGS, PEOPLE or 0."""
        at = first - 1
        while at > 0 and self.words[at] not in _HEAD_ENDS:
            at -= 1
        if at <= 0 or self.words[at] != ":":
            return 0
        said = 0
        while at > 0 and self.words[at - 1] not in _HEAD_STARTS:
            at -= 1
            said |= self.masks[at]
        return THINGS if said & THINGS else PEOPLE if said & PEOPLE else 0

    def _items(self, first: int, last: int) -> float:
        """How many items of the list around are nothing but words with a capital, as a share of enough."""
        plain = 0
        for step, at in ((-1, first - 1), (1, last + 1)):
            item = True
            while 0 <= at < len(self.words) and plain < _ITEMS_MAX and (word := self.words[at]) not in _HEAD_ENDS:
                if word in _ITEM_SIGNS:
                    plain += item
                    item = True
                elif not word[0].isupper():
                    item = False
                at += step
            plain += item and 0 <= at < len(self.words)
        return min(plain, _ITEMS_MAX) / _ITEMS_MAX

    def beside(self, first: int, last: int, one: bool) -> Sequence[bool]:
        """What stands right before and after."""
        lower, masks = self.lower, self.masks
        before = lower[first - 1] if first else ""
        mask = masks[first - 1] if first else 0
        mask_2 = masks[first - 2] if first > 1 else 0
        after = lower[last + 1] if last + 1 < len(lower) else ""
        return (
            bool(mask & _TITLE or (before in (".", ":") and mask_2 & _TITLE)),
            bool(mask & _ROLE or (before in ("(", ":", "-", ",") and mask_2 & _ROLE)),
            *(first == 0, first == 0 and one, last == len(lower) - 1),
            *(before in (",", ";"), after in (",", ";"), after == ":", before == ":", after == "("),
            *(after in ("'s", "\u2019s"), after[:1].isdigit(), before[:1].isdigit(), before in _QUOTES),
            bool(last + 1 < len(lower) and masks[last + 1] & _VERB),
            *(after in ("-", "\u2013") or before in ("-", "\u2013"), after in (".", "!", "?")),
            before in _SLASHES or after in _SLASHES,
        )


_ITEM_SIGNS = frozenset(",|/&;")
_ITEM_STARTS = frozenset(",;:|.!?\u2022")
_ITEM_ENDS = frozenset(",;|.!?")
_HEAD_ENDS = frozenset(":.!?")
_HEAD_STARTS = frozenset(".!?;:|")
_DASHES = frozenset("-\u2013")
_ITEMS_MAX = 4
_STOPS = frozenset(".!?:;\u2022")
_QUOTES = frozenset("'\"\u2018\u201c")
_SLASHES = frozenset("/=_#@")


def _is_plain(word: str) -> bool:
    return word.isalpha() and (word.islower() or word.istitle() or word.isupper())


def _capped(count: float) -> float:
    """The first says most."""
    return min(1.0, count) + 0.3 * min(3.0, max(0.0, count - 1))


class Calibration:
    """Weighs the evidence: how likely a finding of the network is a person. Without weights: as likely as it says."""

    # What the network finds at all likely is weighed; its own score decides no more.
    FLOOR = 0.05
    # Of a finding, words at the edges that are less likely than this are left out.
    _EDGE = 0.35

    def __init__(self, evidence: Evidence, weights: NDArray[np.float32]) -> None:
        """``weights``: one for each of FEATURES, then what is added; or none at all."""
        if len(weights) not in (0, len(FEATURES) + 1):
            raise ValueError("weights for other evidence")
        self._evidence = evidence
        self._weights = weights.astype(np.float64)

    def __repr__(self) -> str:
        return f"<Calibration of {len(self._weights)} weights>"

    def floors(self, floors: Mapping[str, float]) -> Mapping[str, float]:
        """How likely a word must be for the network, where a person must be as likely as ``floors`` says."""
        if not len(self._weights) or "PERSON" not in floors:
            return floors
        return {**floors, "PERSON": min(self.FLOOR, floors["PERSON"])}

    def candidates(self, words: Sequence[str], likely: NDArray[np.float32], found: Sequence[Found]) -> list[Found]:
        """The persons ``found`` by the network in one unit, without unlikely words at their edges.

        ``likely``: per word, how likely each label is.
        """
        sure = likely[:, 1] + likely[:, 2]
        return [_trimmed(words, one, sure, self._EDGE) for one in found if one.entity == "PERSON"]

    def judged(
        self, words: Sequence[str], likely: NDArray[np.float32], found: Sequence[Found], floors: Mapping[str, float]
    ) -> list[Found]:
        """What counts of the ``found`` in one unit, persons with the score that all the evidence gives them."""
        if not len(self._weights) or "PERSON" not in floors:
            return list(found)
        others = [one for one in found if one.entity != "PERSON"]
        persons = self.candidates(words, likely, found)
        if not persons:
            return others
        scores = 1 / (1 + np.exp(-(self._evidence.of(words, persons) @ self._weights[:-1] + self._weights[-1])))
        kept = [
            one._replace(score=round(float(score), 3))
            for one, score in zip(persons, scores, strict=True)
            if score >= floors["PERSON"]
        ]
        return sorted([*others, *kept])


def _trimmed(words: Sequence[str], found: Found, sure: NDArray[np.float32], edge: float) -> Found:
    own = sure[found.first : found.last + 1]
    enough = min(edge, max(float(p) for p, w in zip(own, words[found.first :], strict=False) if w[0].isalpha()))
    inside = [at for at in range(len(own)) if own[at] >= enough and words[found.first + at][0].isalpha()]
    first, last = found.first + inside[0], found.first + inside[-1]
    if last + 1 == found.last:  # the full stop of an initial
        last = found.last
    score = min(1.0, float(sure[first : last + 1].mean()))
    return found._replace(first=first, last=last, score=round(score, 3))
