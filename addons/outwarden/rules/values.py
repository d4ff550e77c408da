"""From a node to a value: one small reader per kind of value.

A reader takes a `Node` and returns the value, or raises `NodeError` with the line and what was expected. Readers of
groups (`list_of`, `map_of`, `Keys`) go on after a wrong part and raise once, with all problems. No message repeats a
value, because a value in the wrong place may be a secret; only a short word where one of a list was expected is shown.
"""

import re
from collections.abc import Callable, Collection, Iterable
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import cast

from outwarden.rules.nodes import Listing, Mapping, Node, NodeError, Scalar

type Reader[T] = Callable[[Node], T]

_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off"})
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d)", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DECIMAL = re.compile(r"\d{1,15}(?:_\d{3})*(?:\.\d{1,9})?", re.ASCII)
_WORD = re.compile(r"[\w.*/-]{1,32}")


def text(node: Node) -> str:
    """Read any single value as text; empty and null are refused."""
    if not isinstance(node, Scalar):
        raise NodeError((node.line, f"expected a single value, not a {_kind(node)}"))
    if node.null or not node.text:
        raise NodeError((node.line, "expected a value, but it is empty"))
    return node.text


def flag(node: Node) -> bool:
    """Read true or false, in any of YAML 1.1's spellings (yes, no, on, off)."""
    word = text(node).lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise NodeError((node.line, "expected true or false"))


def is_off(node: Node) -> bool:
    """Tell whether the node says ``off`` in any of YAML 1.1's spellings."""
    return isinstance(node, Scalar) and node.text.lower() in _FALSE


def decimal(node: Node) -> Decimal:
    """Read an amount of 0 or more, exact, at most 15 digits before and 9 after the point."""
    written = text(node)
    if not _DECIMAL.fullmatch(written):
        raise NodeError((node.line, "expected a number of 0 or more, at most 15 digits and 9 decimal places"))
    try:
        return Decimal(written.replace("_", ""))
    except InvalidOperation:  # pragma: no cover - the pattern admits no other spelling
        raise NodeError((node.line, "expected a number")) from None


def number(low: float, high: float) -> Reader[float]:
    """Read a number between ``low`` and ``high``, both included."""

    def read(node: Node) -> float:
        value = float(decimal(node))
        if not low <= value <= high:
            raise NodeError((node.line, f"expected a number from {low:g} to {high:g}"))
        return value

    return read


def whole(low: int, high: int) -> Reader[int]:
    """Read a whole number between ``low`` and ``high``, both included."""

    def read(node: Node) -> int:
        value = text(node).replace("_", "")
        if not re.fullmatch(r"[0-9]{1,18}", value) or not low <= int(value) <= high:
            raise NodeError((node.line, f"expected a whole number from {low} to {high}"))
        return int(value)

    return read


def duration(node: Node) -> float:
    """Read ``500ms``, ``5s``, ``10m``, ``2h`` or ``1d`` as seconds, more than 0 and at most a day."""
    found = _DURATION.fullmatch(text(node))
    if not found:
        raise NodeError((node.line, "expected a duration such as 500ms, 5s or 10m"))
    seconds = float(found[1]) * _SECONDS[found[2]]
    if not 0 < seconds <= 86400:
        raise NodeError((node.line, "expected a duration of more than 0 and at most one day"))
    return seconds


def one_of[W: str](words: Collection[W]) -> Reader[W]:
    """Read one of ``words``; where ``off`` is one of them, YAML's other spellings of it are too."""

    def read(node: Node) -> W:
        written = text(node)
        for word in words:
            if written == word or (word == "off" and is_off(node)):
                return word
        raise NodeError((node.line, f"expected {_or(words)}{shown(written, ', not ')}{suggest(written, words)}"))

    return read


def list_of[T](read: Reader[T]) -> Reader[tuple[T, ...]]:
    """Read a list, each item by ``read``; a single value counts as a list of one."""

    def read_list(node: Node) -> tuple[T, ...]:
        if isinstance(node, Scalar) and node.null:
            return ()
        if isinstance(node, Mapping):
            raise NodeError((node.line, "expected a list, not a group of keys"))
        return each(node.items if isinstance(node, Listing) else [node], read)

    return read_list


def unique_list_of[T](read: Reader[T], name: Callable[[T], str]) -> Reader[tuple[T, ...]]:
    """Read a list as `list_of` does; a second value of the same ``name`` is refused."""

    def read_list(node: Node) -> tuple[T, ...]:
        lines: dict[str, int] = {}

        def read_new(item: Node) -> T:
            value = read(item)
            if name(value) in lines:
                raise NodeError((item.line, f"name '{name(value)}' was given before, in line {lines[name(value)]}"))
            lines[name(value)] = item.line
            return value

        return list_of(read_new)(node)

    return read_list


def each[T](nodes: Iterable[Node], read: Reader[T]) -> tuple[T, ...]:
    """Read all ``nodes``; raises once, with the problems of all."""
    values: list[T] = []
    problems: list[tuple[int, str]] = []
    for node in nodes:
        try:
            values.append(read(node))
        except NodeError as error:
            problems += error.problems
    if problems:
        raise NodeError(*problems)
    return tuple(values)


def map_of[T](read: Reader[T], keys: Collection[str] | None = None, what: str = "key") -> Reader[dict[str, T]]:
    """Read a mapping of names (one of ``keys``, where given) to values, each by ``read``."""

    def read_map(node: Node) -> dict[str, T]:
        table = Keys(node)
        if keys is None:
            values = {key: table.need(key, read) for key in table.names}
        else:
            values = {key: table.need(key, read) for key in table.names if key in keys}
        table.done(what, keys or ())
        return values

    return read_map


class Keys:
    """A mapping being read: each key is asked for once, and `done` raises for what was wrong, missing or unknown.

    Between a failing `get` or `need` and `done` the value is a stand-in; use values only after `done`.
    """

    def __init__(self, node: Node) -> None:
        if isinstance(node, Scalar) and node.null:
            node = Mapping(node.line)
        if not isinstance(node, Mapping):
            raise NodeError((node.line, f"expected keys and values, not a {_kind(node)}"))
        self.line = node.line
        self._entries = node.entries
        self._asked: list[str] = []
        self._problems: list[tuple[int, str]] = []

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._entries)

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def line_of(self, key: str) -> int:
        """The line of ``key``; of the mapping where it is absent."""
        return self._entries[key][0] if key in self._entries else self.line

    def get[T, D](self, key: str, read: Reader[T], default: D) -> T | D:
        """The value of ``key``, or ``default`` where it is absent."""
        self._asked.append(key)
        if key not in self._entries:
            return default
        try:
            return read(self._entries[key][1])
        except NodeError as error:
            self._problems += [(line, _at(key, message)) for line, message in error.problems]
            return default

    def need[T](self, key: str, read: Reader[T]) -> T:
        """The value of ``key``, which must be there."""
        if key not in self._entries:
            self._problems.append((self.line, f"key '{key}' is missing"))
        return self.get(key, read, cast(T, None))

    def check(self, key: str, read: Reader[object]) -> None:
        """Check the name ``key`` itself by ``read``."""
        try:
            read(Scalar(self.line_of(key), key, True))
        except NodeError as error:
            self._problems += error.problems

    def unsupported(self, key: str, allowed: Callable[[Node], bool], why: str = "") -> None:
        """Refuse ``key`` unless ``allowed`` says that its value asks for nothing: it belongs to a later version."""
        self._asked.append(key)
        if key in self._entries and not allowed(self._entries[key][1]):
            self.wrong(key, f"{why or f'key {key!r}'} is not supported yet")

    def wrong(self, key: str, message: str) -> None:
        """Note a problem at the line of ``key``."""
        self._problems.append((self.line_of(key), message))

    def done(self, what: str = "key", known: Collection[str] = ()) -> None:
        """Raise `NodeError` if anything was noted, or a key is there that nobody asked for."""
        for key in self._entries:
            if key not in self._asked:
                self.wrong(key, f"unknown {what}{shown(key)}{suggest(key, [*self._asked, *known])}")
        if self._problems:
            raise NodeError(*self._problems)


def suggest(word: str, words: Collection[str]) -> str:
    """`` (did you mean 'x'?)`` for the nearest of ``words``, or nothing."""
    spelled = {known.lower(): known for known in sorted(words)}
    written = word[:40].lower()
    near = get_close_matches(written, spelled, n=1, cutoff=0.6)
    begun = [known for known in spelled if len(written) > 2 and known.startswith(written)]
    return f" (did you mean '{spelled[(near or begun)[0]]}'?)" if near or begun else ""


def shown(word: str, before: str = " ") -> str:
    """The word in quotes, if it is short and has few digits, as a typing error has and a secret has not."""
    return f"{before}'{word}'" if _WORD.fullmatch(word) and sum(map(str.isdigit, word)) <= 2 else ""


def nothing(node: Node) -> bool:
    """Tell whether a value asks for nothing: null, off, or an empty list or mapping."""
    if isinstance(node, Scalar):
        return node.null or is_off(node)
    return not (node.items if isinstance(node, Listing) else node.entries)


def _kind(node: Node) -> str:
    return {Scalar: "single value", Listing: "list", Mapping: "group of keys"}[type(node)]


def _or(words: Collection[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def _at(key: str, message: str) -> str:
    """What was expected, with the key that it was expected of; the other messages say it themselves."""
    return f"{key}: {message}" if message.startswith("expected") else message
