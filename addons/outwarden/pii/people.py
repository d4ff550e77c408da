"""Invented persons: names of the same culture and gender as a real one, as far as its words tell them.

A word becomes the same word wherever its name has the same culture and gender, so the address jonas.weber@… goes with
Jonas Weber, and mostly Weber alone does too. The names come from ``people.txt`` (``scripts/training/people.py``).
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple, Protocol

FIRST, LAST = ("f", "m"), ("l", "lf", "lm")
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019\u02bc][^\W\d_]+)*\.?")
# Titles and particles are no names: they stay, as what is invented has the form of what was there.
_KEPT = frozenset(
    """
    mr mrs ms miss mx dr prof sir dame lord lady rev fr sr jr ii iii iv phd md esq herr frau hr fr. señor señora sra don
    doña monsieur madame mme mlle dhr mevr pan pani de del della di da do dos das du des la le les van von vom zu zur
    der den ten ter het af av bin ibn al el abu ben bar mac st y e i
    """.split()  # noqa: SIM905 - one word per name reads better than quotes
)
_IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_TWO_SYLLABLES = frozenset({"欧阳", "司马", "诸葛", "上官", "남궁", "황보", "제갈", "선우"})


class Choose(Protocol):
    """Draws one of several options, the same for the same word."""

    def __call__(self, word: str, options: Sequence[str]) -> str: ...


class _Sense(NamedTuple):
    """What a word is: a name of ``culture``, of ``kind``."""

    culture: str
    kind: str


class _People(NamedTuple):
    names: Mapping[_Sense, Sequence[str]]
    senses: Mapping[str, Sequence[_Sense]]
    """A word as `plain` has it -> all that it may be, cultures in the order of the file."""


@cache
def _people() -> _People:
    names: dict[_Sense, Sequence[str]] = {}
    senses: dict[str, list[_Sense]] = {}
    for line in files("outwarden.pii").joinpath("people.txt").read_text("utf-8").splitlines():
        culture, kind, *words = line.split(" ")
        names[_Sense(culture, kind)] = words
        for word in words:
            senses.setdefault(plain(word), []).append(_Sense(culture, kind))
    return _People(names, senses)


def invented_person(value: str, choose: Choose) -> str:
    """Return another name for ``value``, with as many words, in the same case, order and punctuation."""
    if _IDEOGRAPHS.search(value) and " " not in value.strip():
        return _ideographs(value, choose)
    words = [match for match in _WORD.finditer(value) if match[0].lower().rstrip(".") not in _KEPT]
    last = _last_name(value, words)
    others = iter(invented_names([match[0] for match in words], last, choose))
    parts, at = [], 0
    for match in words:
        parts += [value[at : match.start()], next(others)]
        at = match.end()
    return "".join([*parts, value[at:]])


def invented_names(words: Sequence[str], last: int, choose: Choose) -> Sequence[str]:
    """Return another name for each of ``words``, of which number ``last`` is the last name (-1: none is)."""
    bare = [plain(word.rstrip(".")) for word in words]
    kinds = [LAST if number == last else FIRST for number in range(len(bare))]
    culture = _culture(list(zip(bare, kinds, strict=True)))
    gender = _gender([word for word, kind in zip(bare, kinds, strict=True) if kind is FIRST], culture, choose)
    said = []
    for word, name, kind in zip(words, bare, kinds, strict=True):
        options = _options(culture, (f"l{gender}", "l") if kind is LAST else (gender,))
        said.append(_like(word, _another(name, options, choose)))
    return said


def _another(name: str, options: Sequence[str], choose: Choose) -> str:
    """One of ``options`` that is not ``name``."""
    other = choose(name, options)
    return other if plain(other) != plain(name) else options[options.index(other) - 1]


def _culture(words: Sequence[tuple[str, Sequence[str]]]) -> str:
    """The culture that knows most of the words as what they are, of several the first; else that of a script."""
    senses = _people().senses
    known = Counter[str]()
    for word, kinds in words:
        known.update(dict.fromkeys((s.culture for s in senses.get(word, ()) if s.kind in kinds), 1))
    best = [culture for culture, count in known.items() if count == max(known.values())]  # in the order of the file
    if best:
        # English names are known nearly everywhere; of the others one of the English lists alone may know some.
        return "en_US" if {"en_US", "en_GB"} <= {*best} else best[0]
    return _culture_of_script(words[0][0] if words else "")


def _gender(names: Sequence[str], culture: str, choose: Choose) -> str:
    """``f`` or ``m``: what the first names are in their culture, else in most; drawn where that does not tell."""
    senses = [s for name in names for s in _people().senses.get(name, ()) if s.kind in FIRST]
    for told in ([s.kind for s in senses if s.culture == culture], [s.kind for s in senses]):
        if told.count("f") != told.count("m"):
            return max(FIRST, key=told.count)
    return choose(f"{' '.join(names)} gender", FIRST)


def _options(culture: str, kinds: Sequence[str]) -> Sequence[str]:
    names = _people().names
    return next((names[_Sense(culture, kind)] for kind in kinds if _Sense(culture, kind) in names), _plain(kinds[0]))


def _plain(kind: str) -> Sequence[str]:
    return _people().names[_Sense("en_US", kind if kind in FIRST else "l")]


def is_name(word: str, kinds: Sequence[str]) -> bool:
    """Whether ``word`` is a first or last name that is known here."""
    return any(sense.kind in kinds for sense in _people().senses.get(plain(word), ()))


def plain(name: str) -> str:
    """``name`` as it stands in an address: in lower case, without marks on its letters."""
    folded = unicodedata.normalize("NFKD", name.lower().translate(_SPELLED))
    return "".join(c for c in folded if not unicodedata.combining(c) and (c.isascii() or c.isalpha()))


_SPELLED = str.maketrans(
    {"ß": "ss", "ø": "o", "æ": "ae", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i", "œ": "oe"}
)


def last_name(words: Sequence[str]) -> int:
    """The number of the word that is the last name; of one word, what it is (-1: a first name)."""
    if len(words) == 1 and (is_name(words[0], FIRST) or not is_name(words[0], LAST)):
        return -1
    return len(words) - 1


def _last_name(value: str, words: Sequence[re.Match[str]]) -> int:
    """As `last_name`; before a comma it is the first word."""
    if len(words) > 1 and value[words[0].end() :].lstrip(" ").startswith(","):
        return 0
    return last_name([match[0] for match in words])


_SCRIPTS: Sequence[tuple[str, str, str]] = (
    ("\u0370", "\u03ff", "el_GR"),
    ("\u0400", "\u04ff", "ru_RU"),
    ("\u0590", "\u05ff", "he_IL"),
    ("\u0600", "\u06ff", "ar_AA"),
)


def _culture_of_script(word: str) -> str:
    return next((culture for low, high, culture in _SCRIPTS if low <= word[:1] <= high), "en_US")


def _ideographs(value: str, choose: Choose) -> str:
    """A name without a space: the last name is its first character, or two."""
    culture = "ko_KR" if "\uac00" <= value[0] <= "\ud7a3" else "ja_JP" if _is_japanese(value) else "zh_CN"
    split = 2 if culture == "ja_JP" or value[:2] in _TWO_SYLLABLES else 1
    last, first = value[:split], value[split:]
    people = _people()
    senses = people.senses.get(plain(first), ())
    kind = next((s.kind for s in senses if s.culture == culture and s.kind in FIRST), None) or choose(first, FIRST)
    other = _another(last, people.names[_Sense(culture, "l")], choose)
    return other + (_another(first, people.names[_Sense(culture, kind)], choose) if first else "")


def _is_japanese(value: str) -> bool:
    known = (s.culture for s in _people().senses.get(plain(value[:2]), ()))
    return "ja_JP" in known or re.search(r"[\u3040-\u30ff]", value) is not None


def _like(word: str, other: str) -> str:
    """``other`` in the case of ``word``; for an initial an initial."""
    bare = word.rstrip(".")
    if len(bare) == 1 and bare.isascii():
        other = other[0]
    if bare.isupper() and (len(bare) > 1 or len(other) == 1):
        other = other.upper()
    elif bare.islower():
        other = other.lower()
    return other + word[len(bare) :]
