"""Things that are called as persons are: from WordNet, ICD-10-CM, simple-icons, Faker and `known.txt`; eponyms."""

import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from html import unescape
from pathlib import Path

from outwarden.pii.names.things import WORDS_MAX
from outwarden.pii.names.words import WORD

KINDS = (
    "software",
    "disease",
    "creature",
    "food",
    "law",
    "artifact",
    "title",
    "shop",
    "ship",
    "font",
    "codename",
    "eponym",
    "plant",
    "drink",
    "heavenly",
    "character",
    "rhyme",
    "assistant",
    "book",
    "composer",
)
# Files of WordNet's nouns (lexnames(5WN)) and the kind that their capitalised phrases become.
_WORDNET = {
    "05": "creature",
    "20": "creature",
    "06": "artifact",
    "13": "food",
    "26": "disease",
    "08": "disease",
    "09": "law",
    "10": "law",
    "19": "law",
    "22": "law",
    "23": "law",
    "24": "law",
    "21": "law",
    "04": "law",
    "27": "artifact",
}
_GROUPS = "14"
_TAXON = re.compile(r"(?:genus|family|order|class|subclass|suborder|superfamily|subfamily|phylum|division|tribe) ")
_CAPITALISED = re.compile(r"\b[^\W\d_a-z][^\W\d_A-Z]{2,}")
HEADS_MIN = 3  # phrases that end in the same word: "Steller's jay"; what is rarer is mostly Latin
ICD_WORDS_MAX = 6

# After whom something is called stands right before one of these.
HEADS: Mapping[str, Sequence[str]] = {
    kind: heads.split(";")
    for kind, heads in {
        "term": (
            "algorithm;theorem;test;distribution;filter;transform;equation;conjecture;lemma;inequality;matrix;method;"
            "process;chain;model;number;numbers;sequence;series;index;coefficient;correction;correlation;criterion;"
            "function;kernel;space;group;graph;tree;code;codes;cipher;sort;search;plot;diagram;noise;estimator;prior;"
            "divergence;entropy;distance;norm;product;polynomial;integral;operator;paradox;problem;puzzle;machine;"
            "heuristic;decomposition;factorisation;elimination;iteration;interpolation;quadrature;curve;score;scores;"
            "bound;condition;rule;law;principle;formula;identity;postulate;hypothesis;set;surface;bottle;cube;triangle;"
            "statistic;loss;encoding;smoothing;sampling;window;automaton;logic;calculus;constant;basis;regression"
        ),
        "disease": (
            "disease;syndrome;sign;palsy;lymphoma;sarcoma;anaemia;anemia;dystrophy;phenomenon;reflex;test;manoeuvre;"
            "maneuver;procedure;fracture;contracture;ulcer;hernia;nodes;cells;bodies;tumour;tumor;scale;score;criteria;"
            "classification;catheter;drain;tube;clamp;forceps;retractor;gait;rash;thyroiditis;encephalopathy;ataxia;"
            "chorea;triad;reaction;stain;smear;method;bypass;repair;operation;incision;position;point;line;angle;"
            "aneurysm;lesion;spots;rings;mask;bag;lift;chair;frame;splint;collar;boot;cast;pump;monitor;index;angina;"
            "oesophagus;esophagus;dementia;stroke;block;node;duct;gland;tubes;tendon;canal;pouch;ring;graft"
        ),
        "effect": (
            "effect;cycle;engine;turbine;wheel;valve;pump;coil;cell;bridge;cage;lamp;generator;counter;tube;scattering;"
            "radiation;force;field;layer;number;scale;temperature;point;limit;shift;waves;diode;gate;trigger;amplifier;"
            "oscillator;antenna;telescope;comet;belt;cloud;crater;constant;reaction;reagent;synthesis;condenser;flask;"
            "dish;burner;funnel;process;law;convention;curve;tax;bill;act;amendment;doctrine;plan;report;prize;medal;"
            "scholarship;lecture;award;ratio;multiplier;paradox;scheme;trap;option;swap;rule;optimum;scandal;inquiry"
        ),
        "tool": (
            "key;wrench;screwdriver;knife;jacket;boots;hat;coat;collar;bag;case;rifle;pistol;cannon;guitar;organ;piano;"
            "clarinet;amplifier;microphone;camera;lens;engine;truck;tractor;plough;loom;stove;lamp;chair;sofa;desk;bed;"
            "shelves;rug;blinds;bicycle;saddle;bit;hitch;knot;gambit;opening;defence;variation;attack;spin;jump;vault;"
            "throw;kick;dance;waltz;march;rose;lily;pear;apple;plum;spaniel;terrier;hound;gazelle;zebra;owl;warbler;"
            "finch;hawk;bunting;plover;gull;trout;salmon;fir;pine;oak;maple;orchid;tea;sauce;salad;steak;cake;whisky"
        ),
    }.items()
}


def read_known(packages: Path, names: Collection[str], *, rare: bool = False) -> dict[str, list[str]]:
    """Per kind what is called so. ``packages``: the folder with the packages; ``names``: first and last names.

    ``rare``: with books, songs and animals of Faker and rarer phrases of WordNet, which make too many odd sentences.
    """
    found: dict[str, list[str]] = defaultdict(list)
    lines = (Path(__file__).parent / "known.txt").read_text(encoding="utf-8").splitlines()
    for line in lines:
        kind, _, told = line.partition(": ")
        if kind in KINDS:
            found[kind] += told.split(";")
    found["software"] += _icons(packages / "icons/package/data/simple-icons.json")
    if rare:
        for kind, some in json.loads((packages / "faker.json").read_text(encoding="utf-8")).items():
            found[kind] += (one for one in some if _CAPITALISED.search(one) and one.isprintable())
    for kind, phrase in _wordnet(packages / "wordnet/package/dict/data.noun", rare):
        if _is_like_a_name(phrase, names):
            found[kind].append(phrase)
    tabular = next((packages / "packages/simple_icd_10_cm/data").glob("icd10c-tabular*.xml"))
    found["disease"] += [phrase for phrase in _icd(tabular) if _is_like_a_name(phrase, names)]
    return {kind: list(dict.fromkeys(found[kind])) for kind in KINDS}


def phrases_of(known: Mapping[str, Sequence[str]], names: Collection[str]) -> Iterator[list[str]]:
    """What nobody is called (`outwarden.pii.names.things`), as words: a word of it is no name, or its last is small."""
    for kind, some in known.items():
        for words in map(WORD.findall, some if kind != "eponym" else ()):
            said = [word for word in words if word.isalpha()]
            hardly = len(said) > 1 and (said[-1].islower() or any(word.lower() not in names for word in said))
            if hardly and len(words) <= WORDS_MAX:
                yield words


def _is_like_a_name(phrase: str, names: Collection[str]) -> bool:
    return any(word.lower() in names for word in _CAPITALISED.findall(phrase))


def _icons(path: Path) -> Iterator[str]:
    """Brands, mostly of software (simple-icons, CC0)."""
    for icon in json.loads(path.read_text(encoding="utf-8")):
        title = icon["title"]
        if 2 < len(title) < 24 and title.isascii() and title[0].isalpha():
            yield title


def _wordnet(path: Path, rare: bool) -> Iterator[tuple[str, str]]:
    """Capitalised phrases that are no persons and no places, with their kind (WordNet 3.1, WordNet licence)."""
    phrases = []
    for line in path.read_text(encoding="utf-8").splitlines():
        parts = line.split(" ")
        kind = _WORDNET.get(parts[1], "law" if rare and parts[1] == _GROUPS else "")
        if line.startswith("  ") or not kind:
            continue
        said = (word.replace("_", " ") for word in parts[4 : 4 + 2 * int(parts[3], 16) : 2])
        phrases += [(kind, one) for one in said if " " in one and _CAPITALISED.search(one)]
    phrases = [(kind, one) for kind, one in dict.fromkeys(phrases) if not _TAXON.match(one)]
    heads = Counter(one.split()[-1] for _, one in phrases)
    for kind, one in phrases:
        certain = "'s " in one or heads[one.split()[-1]] >= HEADS_MIN
        if certain or (rare and (kind != "creature" or "-" in one)):
            yield kind, one


def _icd(path: Path) -> Iterator[str]:
    """Short descriptions of diseases (ICD-10-CM, public domain)."""
    for one in re.findall(r"<desc>([^<]*)</desc>", path.read_text(encoding="utf-8")):
        text = unescape(one).split(",")[0].split("(")[0].strip()
        if len(text.split()) <= ICD_WORDS_MAX:
            yield text


def eponym(rng: random.Random, kind: str, name: str, other: str) -> str:
    """A thing of ``kind`` that is called after ``name`` (and ``other``)."""
    head = rng.choice(HEADS[kind])
    if rng.random() < 0.1:
        head = f"{rng.choice(_QUALITIES)} {head}"
    draw = rng.random()
    if draw < 0.4:
        return f"{name}'s {head}" if name[-1] != "s" else f"{name}' {head}"
    if draw < 0.8:
        return f"{name} {head}"
    if draw < 0.97:
        return f"{name}{rng.choice('--\u2013')}{other} {head}"
    return f"{name}\u2013{other}\u2013{name[::-1].title()} {head}"


_QUALITIES = "modified generalised inverse discrete random fast weak strong first second little great normal".split()
