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
    r"(?:Sr|Fr|Ny|Tn|Sig|Enf|Int|Med|Assist|Piel|piel|lek|Schw|Zr|zr|mw|Mw|dhr|gyd|Gyd|uzm|Uzm|Hr|Hptm|Sgt|Cpl|Lt|Capt|Dott\.ssa|Sig\.ra|St\.sr)(?=\.)",
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

# Whom a note names by what they are to somebody, or what they do there: a known name behind it is a person's, in lower
# case as well.
_RELATIVES = frozenset(
    """
    wife husband son sons daughter dtr dgtr mother mum mom mam father dad brother bro sister sis niece nephew aunt auntie uncle
    cousin grandson granddaughter grandma grandpa gran partner spouse fiance fiancee carer caregiver neighbour neighbor friend
    roommate hcp poa nok esposa esposo marido mujer hija hijo madre padre hermana hermano vecina vecino sobrina sobrino abuela
    épouse époux mari fille fils mère père soeur sœur frère voisine voisin nièce neveu tochter sohn ehefrau ehemann gattin gatte
    mutter vater schwester bruder nichte neffe enkel enkelin moglie marito figlia figlio sorella fratello nipote vicina filha
    filho mãe irmã irmão vizinha vizinho sobrinha dochter zoon echtgenote echtgenoot moeder vader zus broer buurvrouw
    żona żonie mąż mężem córka córce syn synem siostra brat abikaasa tütar poeg vaimo mies tytär poika sisko veli hustru hustrun
    dotter dottern sonen systern brodern datter datteren søn sønnen sønn kone konen søster ektefelle manželka manžel
    dcera syna sestra soția soțul fiica fiul fratele sora felesége férje lánya fia eşi oğlu annesi kardeşi suami istri
    ibu ayah anak mume mke mtoto dada kaka
    """.split()  # noqa: SIM905 - one word per name reads better than quotes
)
_STAFF = frozenset(
    """
    rn lpn cna hca np odp sn sho spr crna rrt phleb physio slt tech medic emt nurse aide sitter porter interpreter doula midwife
    chaplain intern registrar consultant attending resident scrub anaes anaesthetist surgeon pharmacist dietitian vpk ssk usk spl ide
    interne aide-soignante infirmier infirmière tcae dgkp pfl pflegerin pfleger ärztin arzt arts fysio piel hemşire perawat
    muuguzi lærer lege læge läkare lääkäri
    """.split()  # noqa: SIM905
)
_WHO = frozenset(part for word in (*_RELATIVES, *_STAFF) for part in word.split("-"))
_LETTERS = re.compile(r"[^\W\d_]+")
_BEHIND = re.compile(
    rf"(?<![\w-])(?i:(?P<who>{'|'.join(sorted(_RELATIVES | _STAFF, key=lambda word: (-len(word), word)))}))[.:]?[ ]"
    r"(?P<name>(?P<first>[^\W\d_]{3,24}(?:-[^\W\d_]{2,24})?)(?P<more>(?:[ ](?=[^\W\d_a-zß-öø-ÿ])[^\W\d_]{2,24}){0,2}))(?![\w'-])"
)


def titled(unit: str, found: Sequence[Span], is_word: Callable[[str], bool]) -> Iterator[Span]:
    """Yield the names behind titles in a unit besides those ``found``. ``is_word``: what may be something else."""
    for one in _TITLED.finditer(unit):
        start, end = one.span("name")
        if not is_word(one["word"]) and not any(span.start < end and start < span.end for span in found):
            yield Span(start, end, "PERSON", _SCORE)


def related(
    unit: str, found: Sequence[Span], is_word: Callable[[str], bool], is_first: Callable[[str], bool]
) -> Iterator[Span]:
    """Yield the names behind "wife" or "nurse", in many languages, besides those ``found``: first names that are known.

    ``is_word``: what may be something else.
    """
    if _WHO.isdisjoint(_LETTERS.findall(unit.lower())):
        return
    for one in _BEHIND.finditer(unit):
        start, end = one.span("name")
        if any(span.start < end and start < span.end for span in found):
            continue
        first = one["first"]
        if not is_word(first) and is_first(first):
            yield Span(start, end if first[0].isupper() else one.end("first"), "PERSON", _SCORE)
