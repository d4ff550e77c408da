"""Invent texts of LLM traffic with names of many cultures, and texts that look like names and are none."""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from training import known, things
from training.sources import Example, Span

_THINGS = (*known.KINDS, *(f"e{kind}" for kind in known.HEADS), "Namesake", "namesake", "NAMESAKE", "Fullname")
_SLOT = re.compile(rf"\{{(PF|[PFLIUflpCONADTEXJKWZnQRYHM]|{'|'.join(_THINGS)})\}}")
PERSON_SLOTS = frozenset({"P", "F", "L", "PF", "I", "U", "f", "l", "p", "H", "M"})
_ENTITIES = {"C": "LOCATION", "O": "ORGANIZATION", "shop": "ORGANIZATION"}
JOBS = (
    "software engineer;nurse;teacher;accountant;project manager;data analyst;lawyer;paralegal;carpenter;"
    "electrician;chef;pharmacist;consultant;designer;sales representative;recruiter;bus driver;architect;"
    "dentist;Product Manager;Senior Developer;Head of Marketing;Chief Financial Officer;"
    "Director of Operations;Customer Success Manager;Team Lead"
).split(";")
PRODUCTS = (
    "Jenkins;Kafka;Grafana;Prometheus;Docker;Kubernetes;Redis;Postgres;Sentry;Jira;Confluence;Slack;Zoom;"
    "Notion;Figma;Trello;Asana;Salesforce;HubSpot;Zendesk;Stripe;PayPal;Shopify;Twilio;Cloudflare;Vercel;"
    "Datadog;Splunk;Tableau;Snowflake;Databricks;Airflow;Spark;Hadoop;Cassandra;MongoDB;Elasticsearch;Kibana;"
    "Ansible;Terraform;Puppet;Chef;Vagrant;Maven;Gradle;Webpack;Babel;React;Angular;Svelte;Next.js;Django;"
    "Flask;Rails;Laravel;Spring Boot;TensorFlow;PyTorch;Keras;Pandas;NumPy;Claude;Gemini;Copilot;Cursor;Codex;"
    "ChatGPT;Llama;Mistral;Whisper;Alexa;Siri;Cortana;Bard;Watson;Einstein;Julia;Ruby;Ada;Pascal;Scala;Kotlin;"
    "Swift;Rust;Go;Crystal;Elm;Haskell;Lua;Nim;Vala;Dart;Dolly;Ollama;Phoenix;Celery;Luigi;Dagster;Argo;Helm;"
    "Istio;Envoy;Consul;Vault;Nomad;Boundary;Waypoint;Marvin;Hugo;Jekyll;Gatsby;Astro;Nova;Athena;Aurora;"
    "Lambda;Fargate;Bedrock;Titan;Neptune;Kendra;Lex;Polly;Connect;Chime;Dynamo;Oracle;Sybase;Toyota Corolla;"
    "Ford Fiesta;Tesla Model S;Mercedes;Chevrolet;Macintosh;Surface Pro;ThinkPad;Galaxy;Pixel;Kindle;Roomba;"
    "Thermomix;Nespresso;Dyson;Bosch;Philips"
).split(";")
_LEGAL = "Ltd Inc GmbH LLC PLC Group & Sons Corp Industries Partners Holdings Bank Labs".split()
_HOUSES = "Hospital University College School Clinic Foundation Institute".split()
_TRADES = "Systems Software Energy Foods Media Motors Airlines Logistics Health Capital Studios".split()
_BEFORE_PLACES = ("University of", "Bank of", "City of", "St. Mary\u2019s", "Port of")
_MONTHS = "January February March April May June July August September October November December".split()
INITIALS = "ABCDEFGHJKLMNPRSTVW"
_PARTICLES = ("van", "de", "von", "di", "da", "al", "bin", "el", "de la", "van der", "Mc", "O'", "dos", "Le", "St.")


@dataclass(frozen=True)
class Names:
    """Per culture its first and last names; words that are no names, in lower case; places and organisations."""

    cultures: Mapping[str, tuple[Sequence[str], Sequence[str]]]
    common: Sequence[str]
    places: Sequence[str]
    organisations: Sequence[str]
    known: Mapping[str, Sequence[str]]


class Inventor:
    """Draws names and fills templates."""

    def __init__(self, names: Names, rng: random.Random) -> None:
        self.names = names
        self.rng = rng
        self._cultures = list(names.cultures)
        self._weights = [5 if "en_" in culture else 1 for culture in self._cultures]
        self._last: tuple[str, str] | None = None

    def first_last(self) -> tuple[str, str]:
        """A first and a last name, mostly of one culture, at times of two, at times of none."""
        rng = self.rng
        if rng.random() < 0.07:
            return self.invented(), self.invented()
        one = rng.choices(self._cultures, self._weights)[0] if rng.random() < 0.6 else rng.choice(self._cultures)
        two = rng.choice(self._cultures) if rng.random() < 0.25 else one
        first, last = rng.choice(self.names.cultures[one][0]), rng.choice(self.names.cultures[two][1])
        if first.isupper():
            first = first.title()
        if last.isupper():
            last = last.title()
        if rng.random() < 0.03:
            first = rng.choice(self.names.cultures[one][0]) + "-" + first
        if rng.random() < 0.04:
            particle = rng.choice(_PARTICLES)
            last = particle + last if particle in ("Mc", "O'") else f"{particle} {last}"
        elif rng.random() < 0.04:
            last = f"{last}-{rng.choice(self.names.cultures[two][1])}"
        return first, last

    def invented(self) -> str:
        """A name in no list."""
        rng = self.rng
        syllables = [
            rng.choice("b c d f g h j k l m n p r s t v w y z br ch dr kr sh st th tr zh".split())
            + rng.choice("a e i o u a e i o ai ea ou ya".split())
            + rng.choice(["", "", "n", "r", "l", "s", "m", "k", "nd"])
            for _ in range(rng.choice((1, 2, 2, 3)))
        ]
        return "".join(syllables).capitalize()

    def person(self, slot: str) -> str:
        """One person as ``slot`` writes it; a later slot of the same text often names the same person."""
        rng = self.rng
        first, last = self._last if self._last and rng.random() < 0.25 else self.first_last()
        self._last = (first, last)
        if slot == "P":
            return self.full(first, last)
        written = {
            "F": lambda: first,
            "L": lambda: last,
            "PF": lambda: f"{last}, {first}" + (f" {rng.choice(INITIALS)}." if rng.random() < 0.2 else ""),
            "I": lambda: f"{first[0]}. {last}" if rng.random() < 0.8 else f"{first[0]}.{rng.choice(INITIALS)}. {last}",
            "U": lambda: (f"{last}, {first}" if rng.random() < 0.15 else f"{first} {last}").upper(),
            "f": first.lower,
            "l": last.lower,
            "p": f"{first} {last}".lower,
            "H": lambda: f"{last}, {first}".upper() + (f" {rng.choice(INITIALS)}" if rng.random() < 0.4 else ""),
            "M": lambda: f"{first[0]}.{rng.choice(('', '', ' '))}{last[0]}.",
        }
        return written[slot]()

    def full(self, first: str, last: str) -> str:
        """A full name as people write it."""
        rng, draw = self.rng, self.rng.random()
        if draw < 0.74:
            return f"{first} {last}"
        if draw < 0.82:
            return f"{first} {rng.choice(INITIALS)}. {last}"
        if draw < 0.88:
            return f"{first} {self.first_last()[0]} {last}"
        if draw < 0.90:
            return f"{first} {last} {self.first_last()[1]}"
        if draw < 0.92:
            return f"{last} {first}"
        if draw < 0.95:
            return f"{first[0]}. {last}"
        if draw < 0.97:
            return f"{first} {last}".upper()
        return f"{first} {last}".lower()

    def other(self, slot: str) -> str:
        """What fills a slot that is no person."""
        rng = self.rng
        fill = {
            "C": lambda: rng.choice(self.names.places),
            "O": self.organisation,
            "N": lambda: str(rng.randint(2, 10 ** rng.randint(1, 6))),
            "A": lambda: str(rng.randint(1, 96)),
            "D": self.date,
            "T": lambda: f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}",
            "E": self.email,
            "X": lambda: (
                rng.choice(("+1 555 01", "+44 20 7946 0", "(202) 555-01", "030 1234")) + str(rng.randint(10, 999))
            ),
            "J": lambda: rng.choice(JOBS),
            "K": lambda: rng.choice(("$", "€", "£", "USD ")) + f"{rng.randint(1, 9999):,}.{rng.randint(0, 99):02d}",
            "W": self.product,
            "Q": lambda: things.acronym(rng),
            "R": lambda: things.drug(rng),
            "Y": lambda: things.code(rng),
            "Z": self.heading,
            "n": lambda: self.first_last()[0].lower() + str(rng.randint(1, 99)),
            "Namesake": self.namesake,
            "namesake": lambda: self.namesake().lower(),
            "NAMESAKE": lambda: self.namesake().upper(),
            "Fullname": lambda: " ".join(self.first_last()),
        }
        if slot in known.KINDS:
            return rng.choice(self.names.known[slot])
        if slot[1:] in known.HEADS:
            return known.eponym(rng, slot[1:], self.eponym(), self.eponym())
        return fill[slot]()

    def product(self) -> str:
        rng = self.rng
        draw = rng.random()
        if draw < 0.3:
            return rng.choice(PRODUCTS)
        return rng.choice(self.names.known["software"]) if draw < 0.65 else things.brand(rng)

    def namesake(self) -> str:
        """What a thing is called that somebody gave a person's name."""
        first, last = self.first_last()
        return first if self.rng.random() < 0.75 else last

    def eponym(self) -> str:
        """Somebody after whom something is called."""
        return self.rng.choice(self.names.known["eponym"]) if self.rng.random() < 0.4 else self.first_last()[1]

    def organisation(self) -> str:
        rng = self.rng
        draw = rng.random()
        last = self.first_last()[1]
        if draw < 0.35:
            return rng.choice(self.names.organisations)
        if draw < 0.5:
            return f"{last} {rng.choice(_LEGAL)}"
        if draw < 0.58:
            return f"{last}, {self.first_last()[1]} and {self.first_last()[1]}"
        if draw < 0.66:
            return f"{last} {rng.choice(_HOUSES)}"
        if draw < 0.74:
            return f"{rng.choice(_BEFORE_PLACES)} {rng.choice(self.names.places)}"
        word = rng.choice(self.names.common).title()
        return f"{word} {rng.choice(_TRADES)}"

    def date(self) -> str:
        rng = self.rng
        year, month, day = rng.randint(1940, 2026), rng.randint(1, 12), rng.randint(1, 28)
        name = _MONTHS[month - 1]
        return rng.choice(
            (
                f"{year}-{month:02d}-{day:02d}",
                f"{month:02d}/{day:02d}/{year}",
                f"{day} {name} {year}",
                f"{name} {day}, {year}",
            )
        )

    def email(self) -> str:
        first, last = self._last or self.first_last()
        user = self.rng.choice((f"{first}.{last}", f"{first[0]}{last}", first, "info", "support", "sales"))
        return re.sub(r"[^a-z.]", "", user.lower()) + "@" + self.rng.choice(("mail", "corp", "acme", "uni")) + ".test"

    def heading(self) -> str:
        words = self.rng.choices(self.names.common, k=self.rng.choice((1, 2, 2, 3, 3, 4)))
        if self.rng.random() < 0.2 and len(words) > 2:
            words[1] = self.rng.choice(("of", "and", "for", "the", "to"))
        style = self.rng.random()
        if style < 0.12:
            return " ".join(words).upper()
        return " ".join(w if w in ("of", "and", "for", "the", "to") else w.title() for w in words)

    def fill(self, template: str) -> Example:
        """Fill one template; names that stand side by side are one span."""
        self._last = None
        text, spans, at = "", [], 0
        for slot in _SLOT.finditer(template):
            text += template[at : slot.start()]
            at = slot.end()
            kind = slot[1]
            value = self.person(kind) if kind in PERSON_SLOTS else self.other(kind)
            entity = "PERSON" if kind in PERSON_SLOTS else _ENTITIES.get(kind)
            if entity == "PERSON" and spans and spans[-1].entity == "PERSON" and text[spans[-1].end :] == " ":
                spans[-1] = Span(spans[-1].start, len(text) + len(value), "PERSON")
            elif entity:
                spans.append(Span(len(text), len(text) + len(value), entity))
            text += value
        return Example(text + template[at:], tuple(spans))


def templates(name: str) -> list[str]:
    """The templates of a file beside this one."""
    lines = (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()
    return [line.replace("\\n", "\n").replace("\\t", "\t") for line in lines if line and not line.startswith("#: ")]


def invent(inventor: Inventor, count: int, persons: Sequence[str], negatives: Sequence[str]) -> list[Example]:
    """Fill ``count`` templates, two fifths of them without persons; some are joined to longer texts."""
    rng = inventor.rng
    texts = []
    for _ in range(count):
        example = inventor.fill(rng.choice(persons if rng.random() < 0.6 else negatives))
        if rng.random() < 0.2:
            other = inventor.fill(rng.choice(persons if rng.random() < 0.5 else negatives))
            example = example.followed_by(rng.choice(("\n", " ", "\n\n")), other)
        texts.append(example)
    return texts


def swap_persons(example: Example, inventor: Inventor) -> Example:
    """Give the persons of a real text other names, of one culture each, in the way the old ones were written."""
    renamed: dict[str, str] = {}
    text, spans, at = "", [], 0
    for span in sorted(example.spans):
        old = example.text[span.start : span.end]
        new = old
        if span.entity == "PERSON" and re.fullmatch(r"[^\W\d_]+(?:[ -][^\W\d_]+){0,2}", old):
            if old not in renamed:
                first, last = inventor.first_last()
                parts = old.count(" ") + 1
                new = first if parts == 1 and inventor.rng.random() < 0.6 else last if parts == 1 else f"{first} {last}"
                new = f"{first} {inventor.rng.choice(INITIALS)}. {last}" if parts == 3 else new
                renamed[old] = new.lower() if old.islower() else new.upper() if old.isupper() and len(old) > 3 else new
            new = renamed[old]
        text += example.text[at : span.start]
        spans.append(Span(len(text), len(text) + len(new), span.entity))
        text, at = text + new, span.end
    return Example(text + example.text[at:], tuple(spans))
