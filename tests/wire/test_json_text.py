"""Strings are found in raw JSON and characters in raw strings, however they are spelled."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outwarden.wire import json_text
from outwarden.wire.json_text import (
    are_inside,
    are_quotes,
    count_strings,
    escape,
    escapes_non_ascii,
    find_tokens,
    raw_offsets,
    scannable,
    spliced,
)

texts = st.text(st.characters(exclude_categories=[]) | st.sampled_from('"\\/\n\u20ac😀{}[]'))
trees = st.recursive(
    texts | st.integers() | st.booleans(), lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=15
)


@pytest.fixture(scope="module")
def monkeypatch_module():
    """As pytest's, for all examples of a property."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def strings_of(tree):
    """All strings in the order of the bytes."""
    if isinstance(tree, str):
        return [tree]
    if isinstance(tree, dict):
        return [s for key, value in tree.items() for s in (key, *strings_of(value))]
    return [s for child in tree for s in strings_of(child)] if isinstance(tree, list) else []


@given(trees)
@example(["\\", '\\"', '"', "\\\\"])
def test_tokens_are_the_strings_in_order(tree):
    """Counting and finding agree with the parser, quotes and backslashes in strings included."""
    raw = json.dumps(tree).encode()
    found = [json.loads(raw[start:end]) for start, end in find_tokens(raw)]

    assert found == strings_of(tree)
    assert count_strings(raw) == len(found)


@given(st.lists(trees, min_size=1))
@example(["\\", '\\"', '"', "\\\\", '\\\\"', "a"])
@example(['"', "a"])
def test_a_large_document_has_the_same_tokens(monkeypatch_module, elements):
    """However its quotes are looked for."""
    raw = json.dumps(elements).encode()
    small = list(find_tokens(raw))
    with monkeypatch_module.context() as patched:
        patched.setattr(json_text, "_SMALL", 0)
        large = find_tokens(raw)

    assert list(large) == small
    assert list(large[1:3]) == small[1:3]
    assert (len(large), bool(large)) == (len(small), bool(small))


@given(st.lists(trees, min_size=1))
@example(["x"] * 300)
def test_bytes_of_strings_are_told_from_those_between(elements):
    """From the quote that opens one on; the one that closes it is outside."""
    raw = json.dumps(elements).encode()
    expected = bytearray(len(raw))
    for start, end in find_tokens(raw):
        expected[start : end - 1] = b"\1" * (end - 1 - start)

    assert are_inside(are_quotes(raw)).tobytes() == expected


def test_numbers_are_tokens_if_asked():
    """Digits in strings are none, a number has its sign and exponent."""
    raw = b'{"a1": -1.5e+3, "b": [2, "3", true, -Infinity]}'

    assert [raw[s:e] for s, e in find_tokens(raw, numbers=True)] == [b'"a1"', b"-1.5e+3", b'"b"', b"2", b'"3"']


def spelled_strangely(text, ways):
    """Spell each character in one of the ways that JSON allows."""
    spelled = b""
    for character, way in zip(text, ways, strict=False):
        if way == 0:
            spelled += "".join(f"\\u{unit:04X}" for unit in utf16(character)).encode()
        elif way == 1 and character == "/":
            spelled += b"\\/"
        else:
            spelled += json.dumps(character, ensure_ascii=way == 2)[1:-1].encode()
    return spelled


def utf16(character):
    raw = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(raw[i : i + 2]) for i in range(0, len(raw), 2)]


@given(st.text(max_size=30), st.lists(st.integers(0, 3), min_size=30, max_size=30))
def test_every_character_has_its_bytes(text, ways):
    """Code point offsets map to byte offsets, so that the bytes between two of them decode to the text between."""
    inside = spelled_strangely(text, ways)
    points = list(range(len(text) + 1))
    offsets = raw_offsets(inside, text, points)

    assert offsets[0] == 0
    assert offsets[-1] == len(inside)
    for start in range(len(text)):
        piece = inside[offsets[start] : offsets[start + 1]]
        assert json.loads(b'"' + piece + b'"') == text[start]


def test_lone_surrogates_are_characters():
    """Half a pair counts as one character, beside a whole pair too."""
    inside = rb"a\ud83d\ud83d\ude00b"

    assert raw_offsets(inside, json.loads(b'"' + inside + b'"'), [0, 1, 2, 3, 4]) == [0, 1, 7, 19, 20]


@given(texts, st.booleans())
def test_an_escaped_text_reads_back(text, ascii_only):
    """Whatever the text, its spelling is the inside of a JSON string."""
    spelled = escape(text, ascii_only=ascii_only)

    assert json.loads(b'"' + spelled + b'"') == text
    assert not ascii_only or spelled.isascii()


def test_a_documents_manner_is_seen():
    """Only a document without raw non-ASCII characters and with an escape writes them as escapes."""
    assert escapes_non_ascii(b'"\\u00fc"')
    assert not escapes_non_ascii('"ü\\u00fc"'.encode())
    assert not escapes_non_ascii(b'"u"')
    assert not escapes_non_ascii(rb'"{\"a\": \"\\u00fc\"}"')


@given(texts)
def test_scannable_text_has_the_same_length(text):
    """Lone surrogates go, nothing else, and no offset moves."""
    clean = scannable(text)

    clean.encode()
    assert len(clean) == len(text)
    assert all(a == b or b == "\ufffd" for a, b in zip(text, clean, strict=True))


def test_splices_are_done_in_one_pass():
    """Insertions, deletions and replacements; no splice gives the same object."""
    raw = b"0123456789"

    assert spliced(raw, [(0, 0, b"a"), (2, 4, b""), (9, 10, b"bc")]) == b"a0145678bc"
    assert spliced(raw, []) is raw


@pytest.mark.parametrize("splices", [[(3, 5, b""), (4, 6, b"")], [(8, 11, b"")], [(5, 4, b"")]])
def test_wrong_splices_are_refused(splices):
    """An overlap is a bug of ours; it must not become a broken body."""
    with pytest.raises(ValueError, match="overlaps or leaves"):
        spliced(b"0123456789", splices)


@pytest.mark.parametrize("ascii_only", [True, False])
def test_long_escaped_strings_keep_their_offsets(ascii_only):
    """Where many escapes are passed over at once, too: at every point, and at a few of them."""
    text = 'a"\n😀\ud83d\\é' * 300
    inside = json.dumps(text, ensure_ascii=ascii_only)[1:-1].encode("utf-8", "surrogatepass")
    if not ascii_only:
        inside = inside.replace("\ud83d".encode("utf-8", "surrogatepass"), rb"\ud83d")
    units = [json.dumps(c, ensure_ascii=ascii_only or c == "\ud83d")[1:-1].encode() for c in text]
    expected = [sum(map(len, units[:point])) for point in range(len(text) + 1)]

    assert b"".join(units) == inside
    assert raw_offsets(inside, text, range(len(text) + 1)) == expected
    assert raw_offsets(inside, text, [7, 1500, 1501, 2099, 2100]) == [expected[n] for n in (7, 1500, 1501, 2099, 2100)]


SPELLED = [
    "a",
    "u",
    "d83d",
    "\\u00e9",
    "é",
    "😀",
    "\\ud83d",
    "\\uDBff",
    "\\ude00",
    "\\uDfFF",
    "\\ud7ff",
    "\\\\",
    '\\"',
    "\\/",
]


@given(st.lists(st.sampled_from(SPELLED), min_size=1, max_size=12))
def test_characters_of_a_long_string_are_found_as_of_a_short_one(monkeypatch_module, units):
    """All at once or one by one: halves and pairs of surrogates, runs of backslashes, letters that look like either."""
    inside = "".join(units).encode()
    text = json.loads(b'"' + inside + b'"')
    points = range(len(text) + 1)
    found = []
    for small in (0, 10**9):
        with monkeypatch_module.context() as patched:
            patched.setattr(json_text, "_SMALL", small)
            found.append(raw_offsets(inside, text, points))

    assert found[0] == found[1]
    assert len(json_text._starts(inside)) == len(text)
