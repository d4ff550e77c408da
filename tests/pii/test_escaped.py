"""Values with escapes in them are found where they stand; what only spells signs is not looked at."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii import Detector, PiiPolicy
from outwarden.pii.escaped import Escaped, stretches
from outwarden.pii.finder import Allowance, Finder, FinderChannel, Span
from outwarden.pii.matching import Matcher
from outwarden.pii.page import Page


class Knows:
    """Finds names that it is told of."""

    entities = frozenset({"PERSON"})
    version = b""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.asked: list[str] = []

    def find(self, texts: Sequence[str], allowance: Allowance) -> list[list[Span]]:
        """Where each stands first."""
        self.asked += texts
        return [
            [Span(at, at + len(name), "PERSON", 0.9) for name in self.names if (at := text.find(name)) >= 0]
            for text in texts
        ]

    def channel(self) -> FinderChannel:
        """Escapes are read in whole texts."""
        raise NotImplementedError


def found_by(finder: Finder, text: str) -> list[Span]:
    return Escaped(Matcher([]), []).find(Page([text]), [finder], Allowance()).get(0, [])


def names(text: str, *known: str) -> list[str]:
    found = found_by(Knows(*known), text)
    return [text[span.start : span.end] for span in sorted(found)]


@pytest.mark.parametrize(
    ("text", "name", "written"),
    [
        ("Frau G&ouml;ta &Aring;kerman hat angerufen", "Göta Åkerman", "G&ouml;ta &Aring;kerman"),
        ("le dossier de &#82;&#233;gis Morel", "Régis Morel", "&#82;&#233;gis Morel"),
        ("full_name=Agata Wi\\u015bniak", "Agata Wiśniak", "Agata Wi\\u015bniak"),
        ('name: "Lo\\xEFc Brun"', "Loïc Brun", "Lo\\xEFc Brun"),
        ("an =E2=80=9EH=C3=A5kan Lind=E2=80=9C", "Håkan Lind", "H=C3=A5kan Lind"),
        ("To: =?utf-8?B?U2rDtnJkIEhvZWs=?= <x>", "Sjörd Hoek", "=?utf-8?B?U2rDtnJkIEhvZWs=?="),
        ("To: =?iso-8859-1?Q?J=F6rg_Au?= <x>", "Jörg Au", "=?iso-8859-1?Q?J=F6rg_Au?="),
        ('Heike M{\\"u}ller, Kiel', "Heike Müller", 'Heike M{\\"u}ller'),
        ("Ivan Ha\\v{s}ek, Brno", "Ivan Hašek", "Ivan Ha\\v{s}ek"),
        ("Pawe\\l{} Nowak, Wars", "Paweł Nowak", "Pawe\\l{} Nowak"),
        ("\\b Bj\\'f6rn Au\\par", "Björn Au", "Bj\\'f6rn Au"),
        ("(Anna M\\374ller) Tj", "Anna Müller", "Anna M\\374ller"),
        ("?name=Zo%C3%AB%20Hahn&x", "Zoë Hahn", "Zo%C3%AB%20Hahn"),
        ("Frau Mei\u200bsner kam", "Meisner", "Mei\u200bsner"),
        ("von \uff21\uff44\uff41 \uff32\uff4f\uff45 heute", "Ada Roe", "\uff21\uff44\uff41 \uff32\uff4f\uff45"),
    ],
)
def test_a_name_is_found_however_its_letters_are_spelled(text: str, name: str, written: str) -> None:
    """Whole, with all that spells it."""
    assert names(text, name) == [written]


@pytest.mark.parametrize(
    ("text", "entity", "written"),
    [
        ("Anschrift: Lindenstra=C3=9Fe 134=2C 50674 K=C3=B6ln.", "STREET_ADDRESS", "Lindenstra=C3=9Fe 134"),
        ("address=Rua das Flores 162, S\\u00e3o Paulo", "STREET_ADDRESS", "Rua das Flores 162"),
        ("12 avenue Jean Jaur&egrave;s, Lyon", "STREET_ADDRESS", "12 avenue Jean Jaur&egrave;s"),
        ("n&eacute;e le 17 f&eacute;vrier 1968 &agrave; Lyon", "DATE_OF_BIRTH", "17 f&eacute;vrier 1968"),
    ],
)
def test_what_patterns_find_is_found_with_escapes_in_it(text: str, entity: str, written: str) -> None:
    """Streets and dates in words, whose letters are spelled."""
    (spans,) = Detector(PiiPolicy()).find([text])
    found = [text[span.start : span.end] for span in spans if span.entity == entity]

    assert any(one.startswith(written) for one in found), (found, spans)


def test_what_is_said_as_it_stands_is_for_others() -> None:
    """A name beside an escape is found by whoever reads the text itself."""
    assert names("Anna Lang at Caf&eacute; Roth", "Anna Lang") == []


@pytest.mark.parametrize(
    "text", ["a&amp;b", "100%20of%3A", "C:\\temp\\new", "a = b == c", "x\\n\\t", "&lt;b&gt;", "&nbsp;"]
)
def test_signs_are_no_reason_to_look(text: str) -> None:
    """Escapes that can be no letter."""
    asked = Knows()
    found_by(asked, text)

    assert asked.asked == []


def test_only_what_is_around_an_escape_is_read() -> None:
    """Its line, and no more than 120 characters before and behind it."""
    text = "x" * 500 + "\n" + "y" * 200 + "\\u00e9" + "z" * 200 + "\n" + "w" * 500
    (stretch,) = stretches(text)

    assert text[slice(*stretch)] == "y" * 120 + "\\u00e9" + "z" * 120


PIECES = [
    "&eacute;",
    "\\u00e9",
    "=C3=A9",
    "%C3%A9",
    "a",
    " ",
    "\n",
    "=?utf-8?Q?=41?=",
    '{\\"u}',
    "\u200b",
    "é",
    "\\x",
    "&#",
]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=130), max_size=12).map("".join))
def test_stretches_are_apart_and_findings_within_them(text: str) -> None:
    """Rising and never touching; whatever a finder says of them stands in the text."""
    cut = list(stretches(text))
    assert all(low < high for low, high in cut)
    assert all(one[1] < other[0] for one, other in pairwise(cut))

    class Everything(Knows):
        def find(self, texts: Sequence[str], allowance: Allowance) -> list[list[Span]]:
            return [[Span(0, len(one), "PERSON", 1.0)] if one else [] for one in texts]

    for span in found_by(Everything(), text):
        assert any(low <= span.start < span.end <= high for low, high in cut)
