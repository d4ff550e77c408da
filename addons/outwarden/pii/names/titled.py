"""Who is given a title is a person, whatever the model makes of the name: Dkt. Achieng, Zr. Willeke, Mrs A Kaplan.

Titles of persons and of those who care for them, as notes and letters of some twenty languages abbreviate them. An
ordinary word behind a title is a name if it is a known last name and no stop stands between ("Dr Down", not "the dr. Will
he"). Titles that are names as well are left to the model.
"""

import re
from collections.abc import Iterator, Sequence

from outwarden.pii.finder import Span, is_taken
from outwarden.pii.names.lists import CAPITAL, Lists, words

_SCORE = 0.85
_TITLES = (
    # a stop may follow
    r"Mrs?|Ms|Miss|Mx|S/N|Drs?|Prof|Rev|Mme|Mlle|Sra|Srta|Dra|Dott|Dkt|Smt|Shri|Mst|MUDr|MDDr|Dhr|Mevr|OÄ|OA|(?:Enf|Dr|Sr|Prof)ª",
    # a stop must follow: they are words as well
    r"(?:Sr|Fr|Ny|Tn|Sig|Enf|Int|Med|Assist|Piel|piel|lek|Schw|Zr|zr|mw|Mw|dhr|gyd|Gyd|uzm|Uzm|Hr|Hptm|Sgt|Cpl|Lt|Capt|Dott\.ssa|Sig\.ra|St\.sr)(?=\.)",
    # they are written in full
    r"Nurse|Midwife|Matron|Registrar|Frau|Herrn?|Señora|Señor|Schwester|Oberarzt|Oberärztin|Læge|Lege|Läkare|Lääkäri|Hemşire|Dokter|Doktor"
    r"|Perawat|Infirmière|Infirmier|Enfermera|Enfermeiro|Enfermeira|Infermiera|Infermiere",
)
_WORD = rf"(?:{CAPITAL}[^\W\d_]['\u2019])?{CAPITAL}[^\W\d_][^\W\d_A-Z]+(?:['\u2019-]{CAPITAL}[^\W\d_]+)*"
_PARTICLE = r"(?:van|von|de|del|della|di|da|dos|der|den|bin|binti|al|el|la|le|du)"
_TITLED = re.compile(
    rf"(?<![\w.&-])(?P<title>{'|'.join(_TITLES)})\.?[ ](?:(?:{_TITLES[0]})\.?[ ])?"
    rf"(?P<name>(?:{CAPITAL}[^\W\d_]\.?[ ])?(?:{_PARTICLE}[ ]){{0,2}}(?P<word>{_WORD})(?:[ ](?:{_PARTICLE}[ ]){{0,2}}{_WORD}){{0,2}})(?!\w|['\u2019](?!s\b))"
)

# All in capitals, as on a board or in a dictated report; MR and MS are pictures and diseases as well,
# and S/N is a serial number or a staff nurse.
_BIG = r"[A-ZÀ-ÖØ-Þ]"
_BIG_TITLES = ("DR", "PROF", "MRS", "MISS", "SISTER", "NURSE", "MR", "MS", "S/N")
_IN_CAPITALS = re.compile(
    rf"(?<![\w.&-])(?P<title>{'|'.join(_BIG_TITLES)})\.?[ ](?P<name>(?:{_BIG}\.?[ ])?(?P<word>{_BIG}{{2,24}}(?:['\u2019-]{_BIG}{{2,24}})?))(?![\w'-])"
)
_DOUBTFUL = frozenset({"MR", "MS", "S/N", "Miss", "MISS"})
# Whom everybody knows, and nobody treats.
_CHARACTERS = words(
    "who pepper clean right bean strange evil doom no robot potato love nice darcy world universe america saigon piggy kitty"
)


def titled(unit: str, found: Sequence[Span], lists: Lists) -> Iterator[Span]:
    """Yield the names behind titles in a unit besides those ``found``."""
    for form in (_TITLED, _IN_CAPITALS) if any(title in unit for title in _BIG_TITLES) else (_TITLED,):
        for one in form.finditer(unit):
            start, end = one.span("name")
            if _is_name(unit, one, lists) and not is_taken(found, start, end):
                yield Span(start, end, "PERSON", _SCORE)


def _is_name(unit: str, one: "re.Match[str]", lists: Lists) -> bool:
    word = one["word"]
    if word.lower() in _CHARACTERS:
        return False
    if one["title"] in _DOUBTFUL and not (lists.is_last_name(word) or lists.is_first_name(word)):
        return False
    if not lists.is_word(word):
        return True
    stop = unit[one.start("name") - 2] == "."
    return lists.is_last_name(word) and not stop and one["title"] not in _DOUBTFUL
