"""Whom medicine named something after is nobody in the room: "Gleason 4+3", "Addison's, hydrocort", "POD2 Whipple".

Names that hardly anybody has now are left out wherever they stand without a title; those that many people have where
what follows or goes before says what is meant: a sign, a score, a device, a disease.
"""

import re

from outwarden.pii.names.lists import words

# Hardly anybody's name in a note.
_RARE = words(
    """
    alzheimer apgar asperger babinski barthel basedow behçet behcet bekhterev bechterew binet blumberg braxton
    broca brudzinski budd chiari burkitt caprini castell charcot cheyne clostridium colles crohn cushing
    dupuytren duchenne dukes ebstein edinburgh ehlers danlos eisenmenger epworth epstein fallot fowler
    trendelenburg galeazzi ganz gaucher gilbert glasgow gleason graefe guillain barré barre gottron gram
    hashimoto heimlich henoch schönlein schonlein schoenlein hirschsprung hodgkin homans holter huntington
    judkins kaposi kawasaki kernig kimmelstiel klinefelter kocher korsakoff korsakow kussmaul lachman lasègue
    lasegue lichtenberg loeffler leopold leśniowski mallampati mallory marfan mcburney mcmurray meckel menière
    meniere ménière mobitz mohs monteggia nissen osgood schlatter osler paget parkinson parkinsons perthes
    peyronie phalen pneumocystis prinzmetal quincke ramstedt raynaud reiter rinne romberg roux rovsing
    scheuermann schatzki schirmer schilling semmes weinstein sengstaken blakemore sheehan sjögren sjogren
    snellen stevens strümpell swan takayasu tinel tourette turcot veress virchow robin volkmann waldenström
    waterlow waterhouse friderichsen wegener wernicke westley widal wilms wolff xpert yergason zollinger ellison
    braden norton morse cozen gastrografin ziehl neelsen papanicolaou doppler macintosh yankauer hickman
    port-a-cath bakri kleihauer coombs mantoux heaf schober thessaly hoffa allgöwer weber chagas hansen
    creutzfeldt jakob lewy pick stokes adams bernard horner hutchinson kartagener lemierre ludwig marburg
    munchausen münchhausen osgood pott reye sturge tietze vincent whipple zenker
    """
)
# Somebody's as well.
_COMMON = words(
    """
    addison adams barrett beck bell bennett bier bishop black bright cooper down edwards foley fowler frey
    graves guthrie hamilton harris hicks hill horner hunt hunter hutchinson jackson jones kelly king lynch
    mahaim maloney marshall miller milroy morris murphy norton paget patterson plummer pott robin rose ross
    russell simpson smith stevens still sweet thomas thompson turner walker wallace ward weber wells whipple
    white williams wilson young zimmer webster stedy sara gore kerr kirschner medina rhodes winter potter west
    ludwig vincent bernard gilbert stokes sheehan macintosh edinburgh glasgow burkitt epstein ebstein swan morse
    gleason braden huntington cushing hickman mallory hashimoto takayasu kawasaki weinstein hoffa ganz castell
    osler parker reiter leopold westley fallot pick hansen jakob kocher schatzki
    """
)
_EPONYMS = _RARE | _COMMON
_WORD = re.compile(r"(?<!['\u2019])[^\W\d_]+|(?<=['\u2019])(?!s\b)[^\W\d_]+")
_WORDS_MAX = 4
_TITLED = re.compile(
    r"(?i)(?:\b(?:mr|mrs|ms|miss|mx|drs?|prof|professor|sir|sister|nurse|s/n|sr|doctor|frau|herr|mme|m|señora?|sra?|dra?|pt|patient|pte|pat"
    r"|name|by|per|baby|master|(?<!\d )fr|rev|cllr|capt|sgt)\b[.:]?|\b[^\W\d_]\.)[ ]\Z"
)
_TITLE_CHARACTERS = 12
_THING = (
    r"disease|syndrome|signs?|tests?|scores?|scale|index|criteria|classification|grade|stage|palsy|o?esophagus|lymphoma|fracture|hernia"
    r"|cyst|catheter|tube|drain|clamp|dilator|forceps|retractor|block|procedure|operation|repair|man(?:oeuvre|euver)|reflex"
    r"|phenomenon|contractures?|tumou?r|sarcoma|nodes?|ulcer|[ad]ysphasia|aphasia|area|encephalopathy|thyroiditis|chorea|ataxia|card"
    r"|splint|brace|frame|bandage|stockings?|boot|needle|pack|pak|monitor|orders?|variant|type|an(?:a?e)mia|triad|tetrad"
    r"|position|pouch|bodies|cells?|stain|inventory|depression|anxiety|questionnaire|protocol|formula|balloon|valve|graft|shunt|ring"
    r"|incision|approach|resection|fundoplication|walker|hoist|lift|respiration|breathing|contractions|neuropathy|pneumonia|colitis"
)
# Behind one: its thing, a result, a small number that is no age; with 's also a side, or nothing more.
_RESULT = r"(?:neg|pos)(?:ative|itive)?\b|[+-](?:ve)?(?![\w])|(?:present|absent)\b|(?:i{1,3}|iv|v)\b(?!\.)"
_SCORE = r"\d{1,2}(?:[./+]\d{1,2})?(?![\d/-]|[ ]?(?:[mf]|y/?o?|yrs?)\b)"
_MEANT = re.compile(
    rf"(?i)(?:['\u2019]s?)?[ -]{{1,2}}(?:(?:{_THING})\b|{_RESULT}|{_SCORE})"
    r"|['\u2019]s?(?=[,.;:)]|\Z|[ ](?:both|bilat|left|right|l|r)\b)"
)
# What a finding may hold besides.
_WITH = re.compile(
    rf"(?:{_THING}|neg(?:ative)?|pos(?:itive)?|i{{1,3}}|iv|v|signe|signo|segno|sinal|zeichen|known|känd|bekannt|morbus|gene)"
)
_BEFORE = re.compile(
    r"(?i)(?:\b(?:pod[ ]?#?\d*|s/p|post|known|k/c/o|hx(?:[ ]of)?|h/o|r/o|underwent|no|an?|the|use)|\?|\d[ ]?fr)[ ]\Z"
)
_BEFORE_CHARACTERS = 12


def is_eponym(unit: str, start: int, end: int) -> bool:
    """Whether ``unit[start:end]`` is nothing but names that something on a ward is called after, and means that."""
    said = _WORD.findall(unit, start, end)
    named = [word.lower() for word in said if word.lower() in _EPONYMS]
    others = [word for word in said if word.lower() not in _EPONYMS and not _WITH.fullmatch(word.lower())]
    if not named or len(said) > _WORDS_MAX:
        return False
    if others and (_COMMON.issuperset(named) or not all(map(str.islower, others))):
        return False
    if _TITLED.search(unit, max(0, start - _TITLE_CHARACTERS), start):
        return False
    if len(named) < len(said) or not _COMMON.issuperset(named):
        return True
    before = _BEFORE.search(unit, max(0, start - _BEFORE_CHARACTERS), start)
    return before is not None or _MEANT.match(unit, end) is not None
