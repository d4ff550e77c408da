"""Who is given a title is a person, whatever the model makes of the name: Dkt. Achieng, Zr. Willeke, Mrs A Kaplan.

Titles of persons and of those who care for them, as notes and letters of some twenty languages abbreviate them. What
nobody is called by ("Dr", "Mrs" before an ordinary word) is left to the model, and so are titles that are names as well.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from outwarden.pii.finder import Span

_SCORE = 0.85
_TITLES = (
    # a stop may follow
    r"Mrs?|Ms|Mx|Drs?|Prof|Rev|Mme|Mlle|Sra|Srta|Dra|Dott|Dkt|Smt|Shri|Mst|MUDr|MDDr|Dhr|Mevr|OÄ|OA",
    # a stop must follow: they are words as well
    r"(?:Sr|Sig|Enf|Int|Med|Assist|Piel|piel|lek|Schw|Zr|zr|mw|Mw|dhr|gyd|Gyd|uzm|Uzm|Hr|Hptm|Sgt|Cpl|Lt|Capt|Dott\.ssa|Sig\.ra|St\.sr)(?=\.)",
    # they are written in full
    r"Nurse|Midwife|Matron|Registrar|Frau|Herrn?|Señora|Señor|Schwester|Oberarzt|Oberärztin|Læge|Lege|Läkare|Lääkäri|Hemşire|Dokter|Doktor"
    r"|Perawat|Infirmière|Infirmier|Enfermera|Enfermeiro|Enfermeira|Infermiera|Infermiere",
)
_CAPITAL = r"(?=[^\W\d_a-zß-öø-ÿ])"
_WORD = rf"(?:{_CAPITAL}[^\W\d_]['\u2019])?{_CAPITAL}[^\W\d_][^\W\d_A-Z]+(?:['\u2019-]{_CAPITAL}[^\W\d_]+)*"
_PARTICLE = r"(?:van|von|de|del|della|di|da|dos|der|den|bin|binti|al|el|la|le|du)"
_TITLED = re.compile(
    rf"(?<![\w.&-])(?:{'|'.join(_TITLES)})\.?[ ](?:(?:{_TITLES[0]})\.?[ ])?"
    rf"(?P<name>(?:{_CAPITAL}[^\W\d_]\.?[ ])?(?:{_PARTICLE}[ ]){{0,2}}(?P<word>{_WORD})(?:[ ](?:{_PARTICLE}[ ]){{0,2}}{_WORD}){{0,2}})(?![\w'])"
)


def titled(unit: str, found: Sequence[Span], is_word: Callable[[str], bool]) -> Iterator[Span]:
    """Yield the names behind titles in a unit besides those ``found``. ``is_word``: what may be something else."""
    for one in _TITLED.finditer(unit):
        start, end = one.span("name")
        if not is_word(one["word"]) and not any(span.start < end and start < span.end for span in found):
            yield Span(start, end, "PERSON", _SCORE)
