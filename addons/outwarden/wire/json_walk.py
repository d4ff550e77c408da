"""Walk a JSON document in the order of its bytes and say of every string whether it is text."""

import re
from typing import Any

import orjson

from outwarden.errors import BodyError
from outwarden.wire.format import Json, TextRules
from outwarden.wire.json_bulk import ID, Bulk, is_json, read_in_bulk
from outwarden.wire.json_channel import is_plain
from outwarden.wire.json_document import Document, File, Marks
from outwarden.wire.json_fragments import Fragments, whole_part
from outwarden.wire.json_joined import join_small
from outwarden.wire.json_text import LONG_NUMBER, count_strings, may_nest, scannable
from outwarden.wire.json_tree import MAX_DEPTH, MAX_NESTING, Float, Integer, Repeated, parse_all
from outwarden.wire.packed import PACKED_CHARACTERS_MIN, PACKED_JSON, is_base64, is_solid_base64, may_be_packed, unpack

# Shorter runs can be a word, a name or a key; longer ones without a space are never prose.
_BASE64_CHARACTERS_MIN = 512
_LONG_NUMBER_MIN = 10**11

_DATA_URL = re.compile(r"data:[^,\s]{0,200};base64,", re.ASCII)
_NOTHING: frozenset[str] = frozenset()
_TEXTS, _TOKEN_IDS, _NUMBERS = frozenset({str}), frozenset({int}), frozenset({int, float})
MANY = 16  # elements; fewer are walked faster than looked over
# Where no string begins like this, none is a document itself; a bracket never follows the end of a string.
_MAY_NEST = re.compile(rb'"[{\[\\ \t\r\n]')

OPENS = frozenset("{[ \t\r\n")
"""What a text begins with that is a document."""

SMALL = 4096  # bytes; above, asking where the strings stand is faster than the pattern


def read_document(
    raw: bytes, rules: TextRules, *, key: str | None = None, inside: str | None = None, free: bool = False
) -> Document:
    """Read one document: the value of ``key``, or an element of the list under ``inside``; ``free``: all is text.

    Raises BodyError for what is not JSON, not UTF-8 or too deep.
    """
    document = read_strings(raw, rules, key, free or inside in rules.free)
    find_nested(document, 0)
    return document


def read_text(text: str) -> Document | Fragments | None:
    """Read a text that is itself a JSON object or array, or begins like one: all in it is text. None: it is plain."""
    return _read_text(text, 1)


def read_tree(raw: bytes, tree: Json, rules: TextRules, marks: Marks, *, spelled: bool = False) -> Document | None:
    """Read a document that was parsed before, with deltas marked; ``spelled``: ``parse_all`` parsed it.

    None where the tree does not say all that ``raw`` says; then only ``parse_all`` can.
    """
    document = Document(raw, has_numbers=spelled)
    walk = _Walk(document, rules, marks, unpacks=False)  # an event holds pieces of files
    walk.value(tree, None, False, _NOTHING, 0)
    if spelled:
        document.tokens = [scannable(token) if token else token for token in document.tokens]
    elif walk.long_numbers or len(document.tokens) != count_strings(raw):
        return None
    find_nested(document, 0, joins=False)
    return document


def read_strings(raw: bytes, rules: TextRules, key: str | None, free: bool) -> Document:
    """As `read_document`, but for what stands inside of the strings."""
    document = Document(raw)
    try:
        is_free = free or key in rules.free
        tree = read_in_bulk(raw, rules, free=is_free, longest=_BASE64_CHARACTERS_MIN, strings=document.spans)
    except orjson.JSONDecodeError:
        return _read_slowly(raw, rules, key, free)
    walk = _Walk(document, rules, {})
    walk.value(tree, key, free, _NOTHING, 0)
    if walk.long_numbers or len(document.tokens) != document.count_strings():
        return _read_slowly(raw, rules, key, free)
    return document


def _read_slowly(raw: bytes, rules: TextRules, key: str | None, free: bool) -> Document:
    document = Document(raw, has_numbers=True)
    _Walk(document, rules, {}).value(parse_all(raw), key, free, _NOTHING, 0)
    document.tokens = [scannable(token) if token else token for token in document.tokens]
    return document


def find_nested(document: Document, nesting: int, *, joins: bool = True) -> None:
    """Read the documents in the strings of one that is in ``nesting`` others.

    ``joins``: whether those in many strings may be read as one.
    """
    if nesting >= MAX_NESTING or (len(document.raw) < SMALL and not _MAY_NEST.search(document.raw)):
        return
    if joins:
        join_small(document, nesting + 1, _read_joined)
    for at in may_nest(document.raw, document.spans(), document.lone):
        text = document.tokens[at]
        if text and text[0] in OPENS and (nested := _read_text(text, nesting + 1)) is not None:
            document.nested[at] = nested


def _read_joined(raw: bytes, nesting: int) -> Document:
    document = read_strings(raw, _FREE, None, True)
    find_nested(document, nesting)
    return document


def _read_text(text: str, nesting: int) -> Document | Fragments | None:
    if nesting > MAX_NESTING or text.lstrip(" \t\r\n")[:1] not in ("{", "["):
        return None
    clean = scannable(text)
    if is_plain(clean):
        return None
    if is_json(clean) or "NaN" in clean or "Infinity" in clean:
        try:
            document = read_strings(clean.encode(), _FREE, None, True)
        except BodyError:
            pass
        else:
            find_nested(document, nesting)
            return document
    fragments = _read_broken(clean, nesting)
    return None if fragments.begun is None and fragments.texts == [clean] else fragments


def _read_broken(text: str, nesting: int) -> Fragments:
    if (part := whole_part(text)) is not None:
        raw, within, at = part
        try:
            begun = read_strings(raw, _FREE, None, True)
        except BodyError:
            return Fragments(text, nesting)
        if not begun.has_numbers and None not in begun.tokens and not begun.nested:  # as a stream of it is read
            find_nested(begun, nesting)
            return Fragments(text, nesting, begun, within, at)
    return Fragments(text, nesting)


_FREE = TextRules()


class _Walk:
    """One walk over one tree. Objects with repeated keys come from nobody's SDK: everything in them is text."""

    __slots__ = (
        "document",
        "ids",
        "in_object",
        "inside_free",
        "is_file",
        "long_numbers",
        "marks",
        "opaque",
        "tokens",
        "unpacks",
    )

    def __init__(self, document: Document, rules: TextRules, marks: Marks, *, unpacks: bool = True) -> None:
        self.document = document
        self.tokens = document.tokens
        self.marks = marks
        self.opaque, self.ids, self.inside_free = rules.opaque, rules.ids, rules.free
        self.in_object, self.is_file = rules.opaque_in, rules.is_file
        self.unpacks = unpacks
        self.long_numbers = False

    def value(self, node: Any, key: str | None, free: bool, opaque_here: frozenset[str], depth: int) -> None:
        """Walk the value of ``key`` (None: of no key). ``free``: the keys above made all of it text."""
        kind = type(node)
        if kind is str:
            self.string(node, key, free, opaque_here)
        elif kind is dict and key in opaque_here:
            self.sealed(node, depth + 1)
        elif kind is dict:
            self.object(node, free or key in self.inside_free, depth + 1)
        elif kind is list:
            self.array(node, free or key in self.inside_free, depth + 1)
        elif kind is Bulk:
            self.bulk(node, depth, is_text=key not in opaque_here)
        elif kind is Repeated:
            self.repeated(node, free or key in self.inside_free, depth + 1)
        elif kind is not bool and node is not None:
            self.number(node, free or key in self.inside_free)

    def object(self, node: dict[str, Any], free: bool, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise BodyError(f"JSON deeper than {MAX_DEPTH} levels")
        opaque = opaque_here = _NOTHING
        if not free:
            opaque = self.opaque
            opaque_here = self.in_object(node) if self.in_object is not None else _NOTHING
        marks, append = self.marks, self.tokens.append
        for key, value in node.items():
            append(key)
            kind = type(value)
            if marks and (id(node), key) in marks:
                self.mark(marks[id(node), key])
            elif kind is list:  # the common cases of `value`, done here
                self.array(value, free or key in self.inside_free, depth + 1)
            elif kind is dict and key not in opaque_here:
                self.object(value, free or key in self.inside_free, depth + 1)
            elif kind is not str:
                if value is not None:
                    self.value(value, key, free, opaque_here, depth)
            elif key in opaque and len(value) < _BASE64_CHARACTERS_MIN:  # the common case of `string`, done here
                append(None)
                self.document.skipped.append(value)
            elif key in opaque_here and self.is_file is not None and self.is_file(node, key):
                self.file(value)
            else:
                self.string(value, key, free, opaque_here)

    def bulk(self, node: Bulk, depth: int, *, is_text: bool) -> None:
        """Take a part whose strings are known; it was counted as far as it is deep by itself."""
        if depth + node.depth > MAX_DEPTH:
            raise BodyError(f"JSON deeper than {MAX_DEPTH} levels")
        self.tokens += node.tokens if is_text else [None] * len(node.tokens)
        ids = iter(node.skipped)
        self.document.skipped += ids if is_text else [next(ids) if text is None else text for text in node.tokens]
        self.document.number_tokens += node.number_tokens

    def sealed(self, node: Any, depth: int) -> None:
        """Walk a value in which nothing is text."""
        if depth > MAX_DEPTH:
            raise BodyError(f"JSON deeper than {MAX_DEPTH} levels")
        if type(node) is str:
            self.tokens.append(None)
            self.document.skipped.append(node)
        elif type(node) is dict:
            for key, value in node.items():
                self.tokens.append(None)
                self.document.skipped.append(key)
                self.sealed(value, depth + 1)
        elif type(node) is list:
            for value in node:
                self.sealed(value, depth + 1)
        elif type(node) is Bulk:
            self.bulk(node, depth - 1, is_text=False)
        elif type(node) is not bool:
            self.value(node, None, False, _NOTHING, depth)

    def array(self, node: list[Any], free: bool, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise BodyError(f"JSON deeper than {MAX_DEPTH} levels")
        marks = self.marks
        if len(node) >= MANY and not marks and self.at_once(node, free):
            return
        for index, value in enumerate(node):
            kind = type(value)
            if marks and (id(node), index) in marks:
                self.mark(marks[id(node), index])
            elif kind is dict:  # the common cases of `value`, done here
                self.object(value, free, depth + 1)
            elif kind is str:
                self.string(value, None, free, _NOTHING)
            elif kind is int and not free:
                self.document.number_tokens += 1  # a token id, or about as dear as one
            elif value is not None:
                self.value(value, None, free, _NOTHING, depth)

    def at_once(self, node: list[Any], free: bool) -> bool:
        """Take a long list of short texts, or of numbers, as a whole; False: it is neither."""
        kinds = set(map(type, node))
        if kinds == _TEXTS:
            longest = max(map(len, node))
            if longest >= _BASE64_CHARACTERS_MIN:
                return False
            if longest >= PACKED_CHARACTERS_MIN and any(map(may_be_packed, node)):
                return False
            self.tokens += node
        elif kinds == _TOKEN_IDS and not free:
            self.document.number_tokens += len(node)
        elif kinds <= _NUMBERS:
            self.long_numbers |= free and max(max(node), -min(node)) >= _LONG_NUMBER_MIN
            self.document.number_tokens += len(orjson.dumps(node))
        else:
            return False
        return True

    def repeated(self, node: Repeated, free: bool, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise BodyError(f"JSON deeper than {MAX_DEPTH} levels")
        last = {key: index for index, (key, _) in enumerate(node.pairs)}
        for index, (key, value) in enumerate(node.pairs):
            self.tokens.append(key)
            mark = self.marks.get((id(node), key)) if last[key] == index else None
            if mark is not None:
                self.mark(mark)
            else:
                self.value(value, None, True, _NOTHING, depth)

    def string(self, text: str, key: str | None, free: bool, opaque_here: frozenset[str]) -> None:
        if (len(text) >= _BASE64_CHARACTERS_MIN or text[:5] == "data:") and _is_media(text):
            if key in self.opaque or key in opaque_here:  # signatures and ciphertext are long, too
                self.tokens.append(None)
                self.document.media_bytes += len(text)
            else:
                self.file(text)
        elif free or key is None or not (key in self.opaque or key in opaque_here or self.is_id(key, text)):
            if text[:2] in PACKED_JSON and len(text) >= PACKED_CHARACTERS_MIN:
                self.packed_json(text)
            self.tokens.append(text)
        else:
            self.tokens.append(None)
            self.document.skipped.append(text)

    def file(self, text: str) -> None:
        """A file or other media in base64: its text where it is one, else nothing that can be read here."""
        packed = unpack(text) if self.unpacks else None
        if packed is not None:
            self.document.nested[len(self.tokens)] = File(packed, _read_text(packed.text, 1))
            self.tokens.append(text)
            return
        self.tokens.append(None)
        self.document.unread += 1
        if len(text) >= _BASE64_CHARACTERS_MIN or text[:5] == "data:":
            self.document.media_bytes += len(text)
        else:
            self.document.skipped.append(text)

    def packed_json(self, text: str) -> None:
        """Note the document that a string in base64 is; what is none stays a text like any other."""
        packed = unpack(text) if self.unpacks else None
        inner = _read_text(packed.text, 1) if packed is not None else None
        if packed is not None and isinstance(inner, Document):
            self.document.nested[len(self.tokens)] = File(packed, inner)

    def is_id(self, key: str, text: str) -> bool:
        return key in self.ids and ID.fullmatch(text) is not None

    def number(self, value: Any, free: bool) -> None:
        if type(value) is Integer or type(value) is Float:
            spelled = value.spelled
            self.tokens.append(spelled if free and LONG_NUMBER.match(spelled) else None)
            self.document.number_tokens += len(spelled)
        else:
            self.long_numbers |= free and abs(value) >= _LONG_NUMBER_MIN
            self.document.number_tokens += len(repr(value))

    def mark(self, number: int) -> None:
        self.document.marked[number] = len(self.tokens)
        self.tokens.append(None)


def _is_media(text: str) -> bool:
    if text.startswith("data:"):
        head = _DATA_URL.match(text)
        return head is not None and is_base64(text, head.end())
    return is_solid_base64(text)
