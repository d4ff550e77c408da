"""Who somebody is to somebody, or what they do there, tells a name beside it: "son Will", "rodzina (Bożena)".

Relatives and staff, as notes and letters of some twenty languages call them, before a name or behind it. In small
letters a name must be known and nothing else; with a capital a word that is a name as well will do, where the role has
none.
"""

import re
from collections.abc import Iterator, Sequence

from outwarden.pii.finder import Span, is_taken
from outwarden.pii.names.lists import CAPITAL, NAME, Lists, words

_SCORE = 0.85
_RELATIVES = words(
    """
    wife husband son sons daughter dtr dgtr mother mum mom mam mummy mommy father dad daddy brother bro sister
    sis niece nephew aunt auntie uncle cousin grandson granddaughter grandma grandmother grandfather grandad
    granddad grandpa gran granny nan nana hubby stepson stepdaughter stepmother stepfather stepmum stepdad
    boyfriend girlfriend law twin partner spouse fiance fiancee fiancé fiancée carer caregiver caretaker guardian
    neighbour neighbor friend roommate hcp poa nok fob family attender attendant escort relative esposa esposo
    marido mujer hija hijo madre padre hermana hermano vecina vecino sobrina sobrino abuela abuelo tía tío prima
    primo cuñada cuñado yerno nuera novia novio cuidadora cuidador acompañante familiar familia épouse époux
    mari fille fils mère père soeur sœur frère voisine voisin nièce neveu conjoint conjointe compagne compagnon
    oncle gendre aidante aidant famille moglie marito figlia figlio sorella fratello nipote vicina nonna nonno
    cugina cugino badante genero nuora famiglia filha filho mãe irmã irmão vizinha vizinho sobrinha avó avô
    cunhada cunhado genro cuidadora acompanhante família dochter zoon echtgenote echtgenoot moeder vader zus
    broer buurvrouw buurman vriendin kleindochter kleinzoon schoonzoon schoondochter mantelzorger familie żona
    żonie mąż mężem córka córce syn synem siostra siostrą matka matką ojciec ojcem wnuczka wnuk sąsiadka sąsiad
    opiekunka opiekun rodzina synowa brat abikaasa tütar poeg vaimo mies tytär poika sisko veli äiti isä omainen
    hustru hustrun dotter dottern sonen systern brodern datter datteren søn sønnen sønn kone konen søster
    ektefelle sambo syster manželka manžel dcera syna sestra soția soțul fiica fiul fratele sora felesége férje
    lánya fia eşi oğlu annesi kardeşi suami istri ibu ayah anak bantay asawa nanay tatay kapatid mume mke
    mtoto dada kaka
    """
)
# German writes every noun with a capital: behind these words it may be any.
_BEFORE_NOUNS = words(
    """
    tochter sohn ehefrau ehemann gattin gatte mutter vater schwester bruder nichte neffe enkel enkelin nachbar
    nachbarin lebensgefährte lebensgefährtin partnerin schwiegertochter schwiegersohn oma opa onkel tante
    cousine betreuer betreuerin angehörige angehöriger begleitperson
    """
)
_STAFF = words(
    """
    rn lpn cna hca np odp sn shn spr sho crna rrt phleb physio slt tech medic emt nurse aide sitter porter
    interpreter doula midwife chaplain intern registrar consultant attending resident scrub anaes anaesthetist
    anesthetist surgeon pharmacist dietitian doctor physician phn cpn cns nod hv recorder leader op operator
    assistant therapist oncologist cardiologist radiologist pathologist psychologist psychiatrist paramedic
    chirurgien cirujano cirujana chirurgo operateur médico médica medico vpk ssk usk spl ide ass ha huisarts
    interne soignante infirmier infirmière tcae dgkp pfl pflegerin pfleger ärztin arzt arts fysio piel hemşire
    perawat muuguzi lærer lege læge läkare lääkäri
    """
)
# With a capital these are parts of what is called so as well: Granny Smith, Uncle Ben's, Père Lachaise, Mother Teresa.
_IN_NAMES = words(
    """
    family granny gran nan nana uncle aunt auntie mother father brother sister père mère frère oma opa tante onkel baba
    mama papa madre padre nonna nonno doctor nurse
    """
)
_ROLES = _RELATIVES | _BEFORE_NOUNS | _STAFF
# Behind a name, in capitals: what a nurse, a therapist or a doctor may sign with.
_CREDENTIALS = words(
    """
    RN LPN LVN CNA EN EEN RGN RMN RPN NP FNP ARNP APRN CRNA CNM RM PA PAC MD DO DDS DMD DPM OD MBBS MBChB FRCS
    FRCA MRCP FRCP FRACP FACS LCSW LICSW LMSW MSW BSW RSW RRT CRT RPSGT RD RDN SLP OTR COTA DPT PTA PharmD RPh
    PsyD PhD EMT EMTP SHO SpR HCA CNS CPN ODP RVT RDMS RDCS
    """
)
# What is asked for help, and who answers in brackets: "neuro (Haile)".
_SERVICES = words(
    """
    neuro neurology pulm pulmonology cards cardio cardiology renal nephro nephrology surg surgery ortho
    orthopaedics orthopedics gi gastro id psych psychiatry onc oncology haem heme haematology hematology gyn
    gynae obs ob ent uro urology endo rheum derm dermatology icu ed paeds peds pediatrics paediatrics neurosurg
    vascular radiology ir anaesthetics anesthesia palliative pharmacy dietetics ot pt sw physio podiatry ophthal
    ophthalmology wound stoma kardiologie chirurgie neurologie kardiolog chirurg neurolog cardiologie neurologia
    cardiologia cirugía cirurgia chirurgia kardiologia
    """
)
_TELLING = _ROLES | _SERVICES
_WORD = re.compile(r"[^\W\d_]+")
_TIED = frozenset("-_0123456789")
_FIRST = r"[^\W\d_]{3,24}(?:['\u2019-][^\W\d_]{2,24})?"
_PARTICLE = r"(?:van|von|de|del|della|di|da|dos|der|den|bin|al|el|la|le)"
_AFTER = re.compile(
    rf"[.:]?[ ]?\(?(?<=[ (])(?P<first>{_FIRST})(?P<more>(?:[ ](?:{_PARTICLE}[ ]){{0,2}}{NAME}){{0,2}})(?![\w-])"
)
_KIND = (
    r"(?:(?:a|an|the|his|her|their|our|my|district|charge|ward|staff|senior|head|clinical|community|student|night) )"
)
_INITIAL = rf"{CAPITAL}[^\W\d_]\.?[ ]"
_BEFORE = re.compile(
    rf"(?<![\w'\u2019&-])(?P<name>(?P<initials>(?:{_INITIAL}){{0,2}}){NAME}"
    rf"(?:[ ](?:{_INITIAL})?(?:{_PARTICLE}[ ]){{0,2}}{NAME}){{0,2}})(?P<tie>,[ ]?|[ ]\(|[ ])(?P<kind>{_KIND}{{0,2}})\Z"
)
_BEFORE_CHARACTERS = 96


def related(unit: str, found: Sequence[Span], lists: Lists) -> Iterator[Span]:
    """Yield the names beside relatives, staff and what these sign with, besides those ``found``."""
    said = _WORD.findall(unit)
    if _TELLING.isdisjoint(map(str.lower, said)) and _CREDENTIALS.isdisjoint(said):
        return
    taken = list(found)
    for role in _WORD.finditer(unit):
        if role[0].lower() not in _TELLING and role[0] not in _CREDENTIALS:
            continue
        for start, end in filter(None, _beside(unit, role, lists)):
            if not is_taken(taken, start, end):
                taken.append(Span(start, end, "PERSON", _SCORE))
                yield taken[-1]


def _beside(unit: str, role: "re.Match[str]", lists: Lists) -> Iterator[tuple[int, int] | None]:
    said = role[0].lower()
    if said in _ROLES:
        yield _behind(unit, role, said, lists)
    if said in _ROLES or role[0] in _CREDENTIALS:
        yield _in_front(unit, role, lists)
    elif said in _SERVICES:
        yield _in_brackets(unit, role, lists)


def is_role(word: str) -> bool:
    """Whether ``word`` says what somebody is to somebody or does on a ward, or where there."""
    return word.lower() in _ROLES or word.lower() in _SERVICES or word.lower() == "patient"


def _behind(unit: str, role: "re.Match[str]", said: str, lists: Lists) -> tuple[int, int] | None:
    before = unit[max(0, role.start() - 4) : role.start()].rstrip(" ")[-1:]
    in_law = unit.endswith("-in-", 0, role.start())
    tied = unit[max(0, role.start() - 1) : role.start()] in _TIED
    if in_law != (said == "law") or tied != in_law or (role[0].istitle() and not _opens(before, said)):
        return None
    one = _AFTER.match(unit, role.end())
    speaks = unit[role.end() : role.end() + 1] == ":"  # a transcript's line, whose first word begins a sentence
    if one is None or not _is_told(role[0], said, one["first"], speaks, lists):
        return None
    return one.start("first"), _end(one, lists)


def _opens(before: str, said: str) -> bool:
    """Whether a role with a capital, behind ``before``, begins what is said and is no part of a name."""
    return said not in _IN_NAMES and (not before or not (before.isalnum() or before in ",&'\u2019"))


def _is_told(role: str, said: str, first: str, speaks: bool, lists: Lists) -> bool:
    """Whether the word behind a role is a name there."""
    named = said in _STAFF and first[0].isupper() and not speaks
    known = lists.is_first_name(first) or (named and lists.is_last_name(first))
    word = lists.is_word(first)
    if known and not word:
        return True
    if not first[0].isupper() or (first.isupper() and not role.isupper()):
        return False
    if known:
        return role.islower() and not is_role(first) and said not in _BEFORE_NOUNS
    return said in _RELATIVES and not word and len(first) > 3


def _end(one: "re.Match[str]", lists: Lists) -> int:
    """Where the name ends: before the first word that is none, in a line of capitals most are."""
    if not one["first"][0].isupper():
        return one.end("first")
    end = one.end("first")
    for word in _WORD.finditer(one.string, one.start("more"), one.end("more")):
        if word[0][0].isupper() and lists.is_word(word[0]):
            break
        end = word.end() if word[0][0].isupper() else end
    return end


def _in_brackets(unit: str, role: "re.Match[str]", lists: Lists) -> tuple[int, int] | None:
    one = _AFTER.match(unit, role.end())
    if (
        one is None
        or unit[one.start("first") - 1] != "("
        or unit[one.end() : one.end() + 1] not in (")", ",", "/", ";")
    ):
        return None
    first = one["first"]
    known = lists.is_first_name(first) or lists.is_last_name(first)
    return one.span("first") if known and first.istitle() and not lists.is_word(first) else None


def _in_front(unit: str, role: "re.Match[str]", lists: Lists) -> tuple[int, int] | None:
    before = _BEFORE.search(unit, max(0, role.start() - _BEFORE_CHARACTERS), role.start())
    if before is None:
        return None
    signs = role[0] in _CREDENTIALS
    if (before["tie"] == " " and not (signs and not before["kind"])) or not (signs or role[0].islower()):
        return None
    words = [word for word in _WORD.findall(before["name"]) if len(word) > 1 and word[0].isupper()]
    if any(is_role(word) or word in _CREDENTIALS for word in words):
        return None
    if not (signs and before["initials"]) and not _is_name(words, before["tie"], signs, lists):
        return None
    return before.span("name")


def _is_name(words: Sequence[str], tie: str, signs: bool, lists: Lists) -> bool:
    known = [lists.is_first_name(word) or (n > 0 and lists.is_last_name(word)) for n, word in enumerate(words)]
    if len(words) == 1 and words[0].isupper():
        return known[0] and not lists.is_word(words[0]) and tie != " "
    if all(known) and (len(words) > 1 or tie != " "):
        return True
    return not any(map(lists.is_word, words)) and (any(known) or (signs and not "".join(words).isupper()))
