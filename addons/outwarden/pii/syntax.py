"""Read an RE2 pattern far enough to say what could still become a match of it.

A stream must hold back exactly the text that may yet turn into a finding. The prefixes of a regular language are a
regular language too, and `prefixes` derives its pattern mechanically:

    prefixes(c)      = c?                           one character
    prefixes(AB)     = prefixes(A) | A prefixes(B)
    prefixes(A|B)    = prefixes(A) | prefixes(B)
    prefixes(A{m,n}) = A{0,n-1} prefixes(A)

``(?:prefixes)\\z`` then finds the longest end of a text that may still grow into a match; RE2 runs such a search
backwards from the end and stops at the first character that no match could contain.

Atoms (characters, classes, escapes) are kept as written, so this reader need not understand them.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

# Bounds of what is read: nesting costs stack, and a longer pattern costs more to compile than it is worth. Our own
# longest, that of placeholders, has 12,000 characters and a prefix pattern of 60,000.
PATTERN_CHARACTERS_MAX = 24_000
PREFIX_CHARACTERS_MAX = 200_000
NESTING_MAX = 50

_FLAGS = re.compile(r"\?([imsU]*(?:-[imsU]+)?)([:)])")
_NAME = re.compile(r"\?P?<\w+>")
_REPEAT = re.compile(r"([*+?]|\{(\d+)(?:(,)(\d*))?\})\??")
_ESCAPE = re.compile(r"\\(?:[pP](?:\{\^?\w+\}|\w)|x(?:\{[0-9A-Fa-f]+\}|[0-9A-Fa-f]{2})|[0-7]{1,3}|.)", re.DOTALL)
_CLASS = re.compile(r"\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]", re.DOTALL)
_ASSERTIONS = frozenset({"^", "$", r"\b", r"\B", r"\A", r"\z"})
_LETTERS = re.compile(r"(?<![\\A-Za-z{<^\[(?\-])[A-Za-z]{2,}(?=[|)])")
_ANCHORS = frozenset({"^", "$", r"\A", r"\z"})


class PatternError(ValueError):
    """A pattern that cannot be used; the message says why, in the words of the person who wrote it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a pattern can match: ``prefixes`` (a pattern), the most characters, and whether it asks for text edges."""

    prefixes: str
    width: int | None  # None: no upper bound
    anchored: bool


@dataclass(frozen=True, slots=True)
class _Node:
    """``full`` matches what the node matches, ``prefix`` every beginning of it."""

    full: str
    prefix: str
    width: int | None
    atom: bool = False


_EMPTY = _Node("", "", 0)


def _bounded(word: re.Match[str]) -> str:
    return f"a{{{len(word[0])}}}"


@lru_cache(maxsize=512)
def _whole_shape(pattern: str) -> Shape:
    reader = _Reader(_LETTERS.sub(_bounded, pattern))  # lists of a thousand words: only their lengths count
    node = reader.read()
    return Shape("", node.width, reader.anchored)


def read_shape(pattern: str, *, streamed: bool = True) -> Shape:
    """Return the shape of ``pattern``, which RE2 has accepted. Raises PatternError for what cannot be streamed.

    Of one that is not ``streamed`` nobody asks for the prefixes, which may be large: there are none.
    """
    if len(pattern) > PATTERN_CHARACTERS_MAX:
        raise PatternError(f"the pattern is longer than {PATTERN_CHARACTERS_MAX} characters")
    return _streamed_shape(pattern) if streamed else _whole_shape(pattern)


@lru_cache(maxsize=512)
def _streamed_shape(pattern: str) -> Shape:
    reader = _Reader(pattern)
    node = reader.read()
    if len(node.prefix) > PREFIX_CHARACTERS_MAX:
        raise PatternError("the pattern is too large")
    return Shape(f"(?:{node.prefix})", node.width, reader.anchored)


class _Reader:
    """Recursive descent over one pattern. Flags are written out at every atom, so parts can be moved about."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._depth = 0
        self.anchored = False

    def read(self) -> _Node:
        node = self._alternatives("")
        if self._at < len(self._pattern):
            raise PatternError("a bracket closes that was never opened")
        return node

    def _alternatives(self, flags: str) -> _Node:
        branches: list[_Node] = []
        items: list[_Node] = []
        while self._at < len(self._pattern) and (character := self._pattern[self._at]) != ")":
            if character == "|":
                self._at += 1
                branches.append(_sequence(items))
                items = []
            elif character == "(":
                flags, node = self._group(flags)
                items.append(self._repeated(node))
            else:
                *before, last = self._atoms(flags) or [_EMPTY]
                items += [*before, self._repeated(last)]
        branches.append(_sequence(items))
        return _union(branches)

    def _group(self, flags: str) -> tuple[str, _Node]:
        """Read from a bracket on; return the flags that hold after it, and the group."""
        self._at += 1
        inner = flags
        if found := _FLAGS.match(self._pattern, self._at):
            self._at = found.end()
            inner = _join_flags(flags, found[1])
            if found[2] == ")":
                return inner, _EMPTY
        elif named := _NAME.match(self._pattern, self._at):
            self._at = named.end()
        self._depth += 1
        if self._depth > NESTING_MAX:
            raise PatternError("the pattern is nested too deeply")
        node = self._alternatives(inner)
        self._depth -= 1
        self._at += 1
        return flags, node

    def _atoms(self, flags: str) -> list[_Node]:
        """Read one character, class, escape or assertion (several characters only for ``\\Q...\\E``)."""
        rest = self._pattern[self._at]
        if self._pattern.startswith(r"\Q", self._at):
            return self._quoted(flags)
        if rest == "\\":
            rest = self._take(_ESCAPE)
        elif rest == "[":
            rest = self._take(_CLASS)
        else:
            self._at += 1
        if rest == r"\C":
            raise PatternError(r"\C matches half a character; use . instead")
        return [self._atom(rest, flags)]

    def _quoted(self, flags: str) -> list[_Node]:
        end = self._pattern.find(r"\E", self._at)
        text = self._pattern[self._at + 2 : end if end >= 0 else len(self._pattern)]
        self._at = len(self._pattern) if end < 0 else end + 2
        return [self._atom(re.escape(character), flags) for character in text]

    def _take(self, what: re.Pattern[str]) -> str:
        found = what.match(self._pattern, self._at)
        if found is None:
            raise PatternError("an escape or a character class is not complete")
        self._at = found.end()
        return found[0]

    def _atom(self, raw: str, flags: str) -> _Node:
        full = f"(?{flags}:{raw})" if flags else raw
        if raw in _ASSERTIONS:
            self.anchored |= raw in _ANCHORS
            return _Node(full, "", 0)
        return _Node(full, f"{full}?", 1, atom=True)

    def _repeated(self, node: _Node) -> _Node:
        found = _REPEAT.match(self._pattern, self._at)
        if found is None:
            return node
        self._at = found.end()
        sign, low, comma, high = found[1], found[2], found[3], found[4]
        if sign in "*+?":
            return _repeat(node, int(sign == "+"), 1 if sign == "?" else None)
        return _repeat(node, int(low), int(low) if not comma else int(high) if high else None)


def _join_flags(flags: str, more: str) -> str:
    on, _, off = flags.partition("-")
    add, _, drop = more.partition("-")
    held = (set(on) | set(add)) - set(drop)
    gone = (set(off) - set(add)) | set(drop)
    return "".join(sorted(held)) + ("-" + "".join(sorted(gone)) if gone else "")


def _wrapped(pattern: str) -> str:
    return f"(?:{pattern})"


def _union(branches: list[_Node]) -> _Node:
    if len(branches) == 1:
        return branches[0]
    widths = [branch.width for branch in branches]
    width = None if None in widths else max(w for w in widths if w is not None)
    full = _wrapped("|".join(branch.full for branch in branches))
    return _Node(full, _wrapped("|".join(branch.prefix for branch in branches)), width)


def _sequence(items: list[_Node]) -> _Node:
    """Join ``items``; the prefixes nest to the right, so each item is written twice, not once per item before it."""
    if not items:
        return _EMPTY
    if len(items) == 1:
        return items[0]
    prefix = items[-1].prefix
    for item, _ in reversed(list(pairwise(items))):
        prefix = _wrapped(f"{item.full}{prefix}|{item.prefix}")
    widths = [item.width for item in items]
    width = None if None in widths else sum(w for w in widths if w is not None)
    return _Node(_wrapped("".join(item.full for item in items)), prefix, width)


def _repeat(node: _Node, low: int, high: int | None) -> _Node:
    full = f"{node.full if node.atom else _wrapped(node.full)}{{{low},{'' if high is None else high}}}"
    width = None if high is None or node.width is None else node.width * high
    if node.width == 0:
        width = 0
    if high == 0:
        return _EMPTY
    if node.atom:
        return _Node(full, f"{node.full}{{0,{'' if high is None else high}}}", width)
    before = f"{_wrapped(node.full)}{{0,{'' if high is None else high - 1}}}"
    return _Node(full, _wrapped(before + node.prefix), width)
