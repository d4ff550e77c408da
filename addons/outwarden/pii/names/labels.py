"""Titles and labels that stand where a name may stand: "seen by Dra.", "Hosp No". Alone they name nobody."""

import re

from outwarden.pii.names.roles import is_role
from outwarden.pii.people import FIRST, is_name
from outwarden.pii.record_numbers import RECORD_NAMES

# Without the stops in them. None that somebody may be called: Don, Herr, Hon, Pani, Tuan and Shri are names as well.
_TITLES = frozenset(
    title
    for line in (
        "mr mrs ms mx dr drs prof rev revd capt sgt cpl maj lt sir madam engr hr sr",
        "frau fru pfr schw mme mmes mlle mlles monsieur madame mademoiselle",
        "sra sras srta señora señorita señor senhora senhor dra dras profa lic arq doña",
        "signora signorina signor sigra signa dott dottssa profssa avv mgr mudr judr",
        "smt shrimati encik datuk datin",
        "hosp hospital hospice hospices relatives croup ward theatre clinic handover",
        "md phd rn mbbs frcs facs mrcp dds dmd esq obst",  # behind a name, or before its number
    )
    for title in line.split()
)
_TITLE_CHARACTERS = 16
# A title with a stop in it is several words: Dott.ssa.
_BEFORE = re.compile(rf"(?:[^\W\d_]{{1,{_TITLE_CHARACTERS}}}\.)?\Z")
_AFTER = re.compile(rf"(?:\.[^\W\d_]{{1,{_TITLE_CHARACTERS}}})?")
_WORD = re.compile(r"[^\W\d_]+(?:\.[^\W\d_]+)*")
_LABEL = re.compile(RECORD_NAMES.pattern)
_LABEL_CHARACTERS = 32


def is_label(text: str, start: int, end: int) -> bool:
    """Whether ``text[start:end]`` is nothing but titles and roles, or part of what a record number is called."""
    if end - start > _LABEL_CHARACTERS:
        return False
    return _is_title(text, start, end) or _is_called(text, start, end)


def _is_title(text: str, start: int, end: int) -> bool:
    before = _BEFORE.search(text, max(0, start - _TITLE_CHARACTERS - 1), start)
    after = _AFTER.match(text, end)
    first = before.start() if before else start
    last = after.end() if after else end
    words = _WORD.findall(text, first, last)
    return bool(words) and all(word.replace(".", "").lower() in _TITLES or _is_role(word) for word in words)


def _is_role(word: str) -> bool:
    return is_role(word) and not is_name(word, FIRST)


def _is_called(text: str, start: int, end: int) -> bool:
    """Whether a label begins no later and ends no earlier: Hosp in "Hosp.no. 44821"."""
    labels = _LABEL.finditer(text, max(0, start - _LABEL_CHARACTERS), end + _LABEL_CHARACTERS)
    return any(label.start() <= start and end <= label.end() for label in labels)
