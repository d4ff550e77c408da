"""YAML text as a small tree that remembers its lines, and nothing more.

Not ``yaml.load``: scalars stay the text that was written (so ``off`` is no boolean, ``0.1`` no float and ``2026-11-01``
no date; each key says what it wants), and size, depth, aliases, tags and duplicate keys are decided here, before any
meaning. A broken file raises `NodeError` with every problem that could be told.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

FILE_BYTES_MAX = 1024 * 1024  # the largest rule file seen in practice is some 20 KB
DEPTH_MAX = 16  # the deepest key of the contract lies at 5
NODES_MAX = 50_000

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where there is one: ten times faster


class NodeError(Exception):
    """What is wrong with a node: (line, message) for each problem. Never leaves this room."""

    def __init__(self, *problems: tuple[int, str]) -> None:
        super().__init__(*problems)
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value, as written. ``plain``: without quotes, so that ``null`` may mean null."""

    line: int
    text: str
    plain: bool

    @property
    def null(self) -> bool:
        return self.plain and self.text in ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True, slots=True)
class Listing:
    """A sequence of nodes."""

    line: int
    items: list["Node"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys (each with its own line) and their nodes, in the order written."""

    line: int
    entries: dict[str, tuple[int, "Node"]] = field(default_factory=dict)


Node = Scalar | Listing | Mapping


def parse(text: str) -> Node | None:
    """Parse one YAML document; None where the file is empty. Raises `NodeError`."""
    if len(text) > FILE_BYTES_MAX:
        raise NodeError((0, f"the file is longer than {FILE_BYTES_MAX} bytes"))
    try:
        return _Tree(yaml.parse(text, Loader=_LOADER)).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NodeError((mark.line + 1 if mark else 0, f"not YAML: {error.problem or error.context}")) from None
    except yaml.YAMLError:  # a character that YAML does not allow: its message would show the text around it
        raise NodeError((0, "not YAML: a character that is not allowed")) from None


class _Tree:
    """Builds the tree from the parser's events, without recursion on the parser's side."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._count = 0
        self._problems: list[tuple[int, str]] = []

    def document(self) -> Node | None:
        root: Node | None = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise NodeError((_line(event), "a second document; one file holds one"))
                root = self._node(next(self._events), 0)
        if self._problems:
            raise NodeError(*self._problems)
        return None if isinstance(root, Scalar) and root.null else root

    def _node(self, event: yaml.Event, depth: int) -> Node:
        self._count += 1
        if self._count > NODES_MAX:
            raise NodeError((_line(event), f"more than {NODES_MAX} values in one file"))
        if depth > DEPTH_MAX:
            raise NodeError((_line(event), f"nested deeper than {DEPTH_MAX} levels"))
        if isinstance(event, yaml.AliasEvent):
            raise NodeError((_line(event), "aliases (*name) are not supported; write the value out"))
        if getattr(event, "anchor", None) is not None:
            self._problems.append((_line(event), "anchors (&name) are not supported; write the value out"))
        if getattr(event, "tag", None) is not None:
            self._problems.append((_line(event), "tags (!name) are not supported"))
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(_line(event), event.value, not event.style)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._listing(event, depth)
        return self._mapping(event, depth)

    def _listing(self, start: yaml.Event, depth: int) -> Listing:
        listing = Listing(_line(start))
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            listing.items.append(self._node(event, depth + 1))
        return listing

    def _mapping(self, start: yaml.Event, depth: int) -> Mapping:
        mapping = Mapping(_line(start))
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if not isinstance(key, Scalar):
                self._problems.append((key.line, "a key must be a single word"))
            elif key.text in mapping.entries:
                first = mapping.entries[key.text][0]
                self._problems.append((key.line, f"key '{key.text}' was given before, in line {first}"))
            else:
                mapping.entries[key.text] = (key.line, value)
        return mapping


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0
