"""Values behind the word that names them, in whatever writing: read back in each known way, judged by what is named.

`postcode Lima Sierra two one …`, `zip: zwei sechs drei …`, `mrn_b64=NDE2…`, `phone 27821449932.0`, `PAN6011…`, `MAC
003de0-4609cc`, `📲 617🔸333🔸5086`. The readings know nothing of the kinds, and the kinds nothing of the readings: a
reading gives what may be meant, and the kind that the label names takes it as a whole or not at all.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from outwarden.pii.dictated import LETTERS
from outwarden.pii.folding import Folded, fold
from outwarden.pii.named_kinds import KINDS, Kind
from outwarden.pii.named_readings import (
    BACKWARDS,
    Meant,
    Reading,
    apart,
    formatted,
    four_bytes,
    packed,
    plain,
    romans,
    spoken,
)
from outwarden.pii.page import encode
from outwarden.pii.reading import VIEW
from outwarden.pii.recognizer import Recognizer, Verdict, word_after
from outwarden.pii.regexp import Regexp
from outwarden.pii.tongues import DIGIT_WORDS

_SCORE = 0.85
_REACH = 112  # code points behind a label that are read
_READ, _LABELS_MAX = 160, 5  # the same word so often again within so many code points names no value

# Digits of Chinese, Japanese and Korean, as they are written and said one by one.
_HAN = str.maketrans("〇零一二三四五六七八九영공일이삼사오육칠팔구", "00123456789" + "00123456789")


class _Reader:
    """Reads what stands behind a label."""

    def __init__(self, kinds: Sequence[Kind], wanted: frozenset[str]) -> None:
        self._kinds = kinds
        self._wanted = wanted

    def __call__(self, text: str, start: int, end: int, more: bool) -> Verdict | None:
        begin = end - (text[end - 1].isdecimal() or text[end - 1] in "(+")
        glued = begin < end and not text[begin - 1].isspace()
        region = text[begin : end + _REACH]
        readings = _readings_of(region)
        if not (readings or glued or _FIGURE.search(region, 0, _GLANCE)):
            return None
        named = [kind for kind in self._kinds if kind.words.is_at(text[start : end + 1])]
        if not (readings or glued) and not any(kind.rare for kind in named):
            return None
        if text.count(text[start:end], end, end + _READ) >= _LABELS_MAX:
            return None
        read = fold(region)
        if not read.text.isascii():
            read = Folded(read.text.translate(_HAN), read.starts, read.ends)
        for kind in named:
            all_readings = [*((plain,) if glued else ()), *readings, *(kind.also if kind.rare else ())]
            if kind.rare:
                all_readings += [plain, apart]
            found = self._found(kind, dict.fromkeys(all_readings), read, _Label(text[start:begin], region, glued))
            if found is not None:
                low, high = begin + found.start, begin + found.end
                whole = glued or text.startswith("00", low) or not word_after(text, high)
                return found._replace(start=low, end=high) if whole else None
        return None

    def _found(self, kind: Kind, readings: Iterable[Reading], read: Folded, label: "_Label") -> Verdict | None:
        for reading in readings:
            if reading is formatted and not kind.formatted:
                continue
            for meant in reading(read):
                if kind.even and not (meant.evident or label.glued or _is_near(meant, label.region)):
                    continue
                if not meant.evident and _OTHER.search(label.region, 0, meant.start):
                    continue  # the first number is the one that is named
                entity = kind.judge(meant.said, label.said)
                if entity in self._wanted and not (label.glued and meant.start):
                    return Verdict(meant.start, meant.end, _SCORE, str(entity))
        return None


@dataclass(frozen=True, slots=True)
class _Label:
    """What names a value, what stands behind, and whether no sign stands between."""

    said: str
    region: str
    glued: bool


# So near its label letters with digits are what it names; digits alone others look at.
_TIE = re.compile(
    r"(?: ?\([^()\n]{1,16}\))?[^A-Za-z0-9]{0,4}(?:(?:is|was|ist|est|es|number|no|nr|code)[^A-Za-z0-9]{1,3})?"
)
_FIGURE, _OTHER = re.compile("[0-9]"), re.compile("[0-9]{4}")


def _is_near(meant: Meant, region: str) -> bool:
    """Whether a value in strange characters, or of letters and digits right behind its label, is meant by that."""
    if not region[meant.start : meant.end].isascii():
        return True
    mixed = any(map(str.isalpha, meant.said)) and any(map(str.isdecimal, meant.said))
    return mixed and _TIE.fullmatch(region, 0, meant.start) is not None


# --- which readings are worth it, at a glance

_GLANCE = 80  # code points behind a label
_SPELT = frozenset(DIGIT_WORDS) | frozenset(LETTERS)
_SPELT_LEAST = 3
_LETTERS = re.compile(r"[^\W\d_]+")
_STRANGE = (
    r"[\x{2070}-\x{2089}\x{2460}-\x{24FF}\x{2776}-\x{2793}\x{2800}-\x{28FF}\x{FF10}-\x{FF19}\x{1F100}-\x{1F10A}]"
    r"|[〇零一二三四五六七八九영공일이삼사오육칠팔구]{4}|[0-9A-Za-z]\s?[^\x00-\x7f]{1,3}\s?[0-9]"
)
_SINGLES = r"\b[A-Za-z0-9](?:[^A-Za-z0-9\n]{1,4}[A-Za-z0-9]\b){4}"
_SIGNED = r"[0-9][*~_#^'\"`|=<>\\]{1,3}\s?[0-9]|[0-9]\n[0-9]"
_BYTES = (
    r"[\[({][\"']?[0-9]{1,3}[\"']?(?:, ?[\"']?[0-9]{1,3}[\"']?){3}[\])}]|0[xX][0-9A-Fa-f]{2}[.,:; ]{1,2}0[xX]"
    r"|[0-9A-Fa-f]{2} [0-9A-Fa-f]{2} [0-9A-Fa-f]{2} [0-9A-Fa-f]{2}"
    r"|[01]{8}[. ][01]{8}[. ]|:\s?[0-9]{1,3},[\"' \w]{1,12}:\s?[0-9]"
)
_AT_A_GLANCE: Sequence[tuple[Regexp, Sequence[Reading]]] = (
    (Regexp(_STRANGE), (plain, apart, spoken)),
    (Regexp(_SINGLES), (apart, spoken)),
    (Regexp(_SIGNED), (apart,)),
    (Regexp(_BYTES), (four_bytes,)),
    (Regexp(r"^[^A-Za-z0-9]{0,2}00[1-9][0-9]{8}|[A-Za-z][.\-][0-9]{2}[.\-][0-9]{2}[.\-]"), (plain,)),
    (Regexp(r"[0-9]\.0\b|[0-9][eE]\+[0-9]|[0-9][,.' ][0-9]{3}[,.' ][0-9]{3}"), (formatted,)),
    (Regexp(r"[A-Za-z0-9+/]{6}=|[a-z][A-Z0-9][A-Za-z0-9+/]{4}|[A-Z0-9][a-z][A-Za-z0-9+/]{4}"), (packed,)),
    (Regexp(r"\b[IVX]{1,4}(?:[ \-./,][INVX]{1,4}){5}"), (romans,)),
    (Regexp(BACKWARDS.pattern), (plain,)),
)


def _readings_of(region: str) -> list[Reading]:
    """The readings in which something may be meant that nobody else reads."""
    glance = region[:_GLANCE]
    data = encode(glance)
    found = [reading for sign, readings in _AT_A_GLANCE if sign.search(data) is not None for reading in readings]
    if sum(word in _SPELT for word in _LETTERS.findall(glance.lower())) >= _SPELT_LEAST:
        found.append(spoken)
    return list(dict.fromkeys(found))


def named_value_recognizers(wanted: frozenset[str]) -> list[Recognizer]:
    """What finds values behind their names, of the entities in ``wanted``."""
    kinds = [kind for kind in KINDS if kind.entities & wanted]
    if not kinds:
        return []
    names = wanted.intersection(*[frozenset().union(*(kind.entities for kind in kinds))])
    label = "|".join(f"(?:{kind.words.pattern})" for kind in kinds).replace(r"\w*", "")
    return [Recognizer(VIEW, label, _Reader(kinds, wanted), whole=True, names=names)]
