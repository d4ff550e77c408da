"""E-mail addresses in words and decorations, read back."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.addresses import ADDRESS, Address, forwards, read_address
from outwarden.pii.regexp import Regexp

PATTERN = Regexp(ADDRESS)
# Of any shape and in any script: what the pattern takes for a decoration it takes on both sides.
DECORATIONS = """
() [] {} <> [[]] «» “” '' "" 【】 （） ** -- __ ~~ || :: // ##
""".split()
WORDS = [
    tuple(pair.split("/"))
    for pair in """
    at/dot AT/DOT arroba/punto arobase/point Klammeraffe/Punkt chiocciola/punto apenstaartje/punt małpa/kropka
    zavináč/tečka собака/точка アット/ドット 골뱅이/점 艾特/点
    """.split()
]
PART = st.text("bcdfghklmnprtvwz", min_size=4, max_size=12)


def read(text: str) -> Address | None:
    """The first address in a text, as the view looks for it."""
    found = PATTERN.search(text.encode())
    return read_address(text, len(text.encode()[: found[0]].decode())) if found else None


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("john dot smith at acme dot com", "john.smith@acme.com"),
        ("mailbox dragan78 at kessler-bau dot de is full", "dragan78@kessler-bau.de"),
        ("change it to hanna dot moreau at proton dot me on both", "hanna.moreau@proton.me"),
        ("noemi dot ortega eight five at telenet dot be and that", "noemi.ortega85@telenet.be"),
        ("envoyez-le à arjun point szabo at web point de s'il", "arjun.szabo@web.de"),
        ("john [at] acme [dot] co [dot] uk", "john@acme.co.uk"),
        ("john(at)acme.com", "john@acme.com"),
        ("john.smith <at> acme.de", "john.smith@acme.de"),
        ("john @ acme . com", "john@acme.com"),
        ("john @acme .com", "john@acme.com"),
        ("john＠ acme ． com", "john@acme.com"),
        ("john@acme dot com", "john@acme.com"),
        ("john@acme\n.com", "john@acme.com"),
        ("john_at_acme_dot_com", "john@acme.com"),
        ("john.at.acme.dot.com", "john@acme.com"),
        ("john at-acme-dot-com", "john@acme.com"),
        ("johnATacmeDOTcom", "john@acme.com"),
        ("john AT_SIGN acme DOT com", "john@acme.com"),
        ("john [at sign] acme [full stop] com", "john@acme.com"),
        ("john (snail) acme (period) com", "john@acme.com"),
        ("john (whirl) acme (dot) com", "john@acme.com"),
        ("john(a)acme(d)com", "john@acme.com"),
        ("john a t acme d o t com", "john@acme.com"),
        ("john @t acme d0t com", "john@acme.com"),
        ("john ⓐ acme.com", "john@acme.com"),
        ("john(at)acme,com", "john@acme.com"),
        ("hans punkt meier ät acme punkt de", "hans.meier@acme.de"),
        ("jean arobase acme point fr", "jean@acme.fr"),
        ("ana arroba acme punto es", "ana@acme.es"),
        ("ann underscore lee at north dash bank dot com", "ann_lee@north-bank.com"),
        ("j-o-h-n at a-c-m-e dot com", "john@acme.com"),
        ("john at acme dot com dot Thanks", "john@acme.com"),
        ("mira.kovacs[at]gmail", "mira.kovacs@gmail.com"),
        ("her email is mira at acme.com", "mira@acme.com"),
        ("e-mail: mira at acme com", "mira@acme.com"),
        ("mira at acme.com is my work email", "mira@acme.com"),
    ],
)
def test_addresses_are_read(said: str, meant: str) -> None:
    """Words, brackets, letters and signs; what follows the last label that can end one is left."""
    address = read(said)

    assert address is not None
    assert address.text == meant


@given(PART, PART, PART, st.sampled_from(["com", "org", "de", "co"]), st.sampled_from(WORDS), st.data())
def test_any_decoration_of_a_word_for_at_is_undone(
    first: str, last: str, host: str, ending: str, words: tuple[str, ...], data: st.DataObject
) -> None:
    """In each language, bare or in any decoration, and all of it is the finding."""
    at, dot = words
    if (marks := data.draw(st.sampled_from(["", *DECORATIONS]))) != "":
        middle = len(marks) // 2
        at, dot = (f"{marks[:middle]}{word}{marks[middle:]}" for word in words)
        gap = data.draw(st.sampled_from(["", " "]))
    else:
        gap = " "
    said = f"{first}.{last}{gap}{at}{gap}{host}{gap}{dot}{gap}{ending}"
    address = read(f"so {said}, then")

    assert address is not None
    assert address.text == f"{first}.{last}@{host}.{ending}"
    assert (address.start, address.end) == (3, 3 + len(said))


@pytest.mark.parametrize(
    "said",
    [
        "look at github.com",
        "look-at-me.com",
        "at this point it",
        "suitable at this point in",
        "Look at the dot in foo.bar",
        "data at rest and at transit dot net core",
        'The words "at" and "dot com" were quoted.',
        "wrong in my life at once .... Or it goes",
        "call me at noon (see example) or later",
        "el punto es que la arroba es un símbolo",
        "собака лает, точка. В этой точке ru",
        "you @ noon. Me",
        "x @ y.T",
        "w @ x.T + b.T",
        "5 apples @ 1.20 each",
        "john@acme.com",
        "arrive at nine dot dot dot",
        "see it at example.com",
        "polka dot at the store me",
        "df[at][i], arr[dot(a,b)]",
        "template <at> T dot(T a)",
        "*at* emphasis *dot* emphasis",
        "\tat com.acme.web.Servlet.doGet(Servlet.java:42)",
        "x at y dot z",
    ],
)
def test_what_only_looks_like_an_address_is_left(said: str, find: Callable[[str], list[tuple[str, str]]]) -> None:
    """Prose, code and ordinary addresses (which others find)."""
    assert read(said) is None
    assert [entity for entity, _ in find(said) if said != "john@acme.com"] == []


@given(st.text("at.@[]()dot <>com-\n x", max_size=80))
def test_what_is_read_stands_where_it_says(text: str) -> None:
    """Whatever the text: the span lies around the sign, and the first and last letters are those of the address."""
    for start in range(len(text)):
        if (address := read_address(text, start)) is None:
            continue
        assert address.start <= start < address.end
        assert text[address.start].isalnum()
        assert text[address.end - 1].isalnum()
        assert address.text[0] == text[address.start]


def test_backwards_is_told_from_forwards() -> None:
    """An address that is one as it stands was not reversed."""
    assert forwards("moc.emca@enaj") == "jane@acme.com"
    assert forwards("ten.jane@acme.com") is None
