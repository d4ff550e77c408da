"""Keep offsets into a text true when the text is rewritten (citations, annotations, grounding supports).

A Format lists its records as `OffsetRule`s: under which key they stand, which text they point into, in which unit.
Their numbers are spliced in place like texts. Where a record repeats the span it points at, the repetition is cut again
from the rewritten text: a finding that only begins or ends in it would be readable there.

What cannot be mapped stays as it was: an offset that lies in text still to come in a stream (it moves by the edits
known so far), one into a channel longer than `hold` keeps, and all that no rule lists. Anthropic's
``start_char_index`` and Bedrock's ``documentChar`` are of that kind: they count in the document as the provider saw it,
with placeholders in it, and go back in the next turn as the provider sent them.
"""

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Protocol

from outwarden.wire.edits import Edit, apply_edits
from outwarden.wire.json_places import Path, Said, with_values
from outwarden.wire.json_text import Splice, escapes_letters, scannable

Unit = Literal["code points", "utf-8"]
EditsOf = Callable[[str], Sequence[Edit]]
UP, EACH = "..", "*"
_TEXTS_MAX = 100


@dataclass(frozen=True, slots=True, eq=False)
class OffsetRule:
    """One kind of record.

    ``key`` holds a list of records, or one; only those with ``beside`` count. ``texts``: where their text may be, from
    the object that has ``key``; UP is the object around, EACH every element of a list. ``numbers``: from a record to
    the object with the offsets, first fit. ``names``: pairs of keys for start and end, first fit; the same key twice is
    a single place. ``copy``: from a record to the string that repeats the span. ``which``: the record's keys that
    choose one of EACH. ``last_included``: the end is the last unit of the span. ``channel``: in an event without such a
    text, the channel (of event, path to the object that has ``key``, record).
    """

    key: str
    texts: tuple[Path, ...] = ()
    numbers: tuple[Path, ...] = ((),)
    names: tuple[tuple[str, str], ...] = (("start_index", "end_index"),)
    unit: Unit = "code points"
    copy: Path | None = None
    which: tuple[str, ...] = ()
    last_included: bool = False
    channel: Callable[[Any, Path, Mapping[str, Any]], Hashable] | None = None
    beside: str | None = None


class Offsets:
    """The rules of one API."""

    def __init__(self, *rules: OffsetRule) -> None:
        self._rules: dict[str, list[OffsetRule]] = {}
        for rule in rules:
            self._rules.setdefault(rule.key, []).append(rule)
        self._markers = [f'"{key}"'.encode() for key in self._rules]

    def may_stand_in(self, raw: bytes) -> bool:
        """Tell, at next to no cost, whether there can be records in a document."""
        for marker in self._markers:  # every event of a stream comes here, and a generator costs more
            if marker in raw:
                return True
        return escapes_letters(raw)

    def records(self, tree: Any) -> "Sequence[Record]":
        """List the records of a document."""
        found: list[Record] = []
        self._walk(tree, [], [], {}, found)
        return found

    def _walk(self, node: Any, path: list[str | int], above: list[Any], texts: "Known", found: "list[Record]") -> None:
        """``path`` and ``above`` grow and shrink with the walk: a document may be as deep as it is long."""
        if not isinstance(node, dict | list):
            return
        above.append(node)
        for step, child in node.items() if isinstance(node, dict) else enumerate(node):
            for rule in self._rules.get(step, ()) if isinstance(step, str) else ():
                found += _records(rule, child, tuple(path), above, texts)
            if isinstance(child, dict | list):
                path.append(step)
                self._walk(child, path, above, texts, found)
                path.pop()
        above.pop()


class Place:
    """A text that records may point into: its place among EACH, its object and key, itself in characters and units."""

    def __init__(self, index: int, text: str, parent: Any, key: str | int, unit: Unit) -> None:
        self.index, self.text, self.parent, self.key, self._unit = index, text, id(parent), key, unit

    @cached_property
    def units(self) -> str | bytes:
        """The text as the provider counts it."""
        return _units(self.text, self._unit)


class Texts:
    """The texts at one place of a document that records may point into.

    They are one, or parts of one. Of very many only the first, and those of the index that a record names, are looked
    at for each record.
    """

    def __init__(self, places: Iterable[Place]) -> None:
        self._first: list[Place] = []
        self._by_index: dict[int, list[Place]] = {}
        for place in places:
            if len(self._first) < _TEXTS_MAX:
                self._first.append(place)
            else:
                self._by_index.setdefault(place.index, []).append(place)

    def near(self, index: Any) -> Iterator[Place]:
        """Those for a record that names ``index``."""
        yield from self._first
        yield from self._by_index.get(index, ())[:_TEXTS_MAX] if isinstance(index, int) else ()


Known = dict[tuple[int, Path, Unit], Texts]
"""(id of the object, path from it) -> the texts there; many lists of records may point into the same."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record in a document, and the texts that it may point into."""

    rule: OffsetRule
    owner: Path
    value: Mapping[str, Any]
    path: Path
    numbers: Mapping[str, Any]
    start: str
    end: str
    copy: tuple[Path, str] | None
    texts: Sequence[Texts]

    def span(self) -> tuple[int, int]:
        """[start, end) as the provider counts."""
        end = self.numbers.get(self.end, 0)
        return self.numbers.get(self.start, 0), end + self.rule.last_included

    def text(self, skipped: Callable[[int, str | int], bool]) -> str | None:
        """Choose the text that the record points into, among those not ``skipped``; None where there is none."""
        wanted = next((at for key in self.rule.which if (at := self.value.get(key, self.numbers.get(key)))), 0)
        near = (place for texts in self.texts for place in texts.near(wanted))
        texts = [place for place in near if not skipped(place.parent, place.key)]
        if self.copy is not None:
            start, end = self.span()
            copy = _units(self.copy[1], self.rule.unit)
            texts = [place for place in texts if place.units[start:end] == copy] or texts
        texts = [place for place in texts if place.index == wanted] or texts
        return texts[0].text if texts else None

    def changes(self, moves: "Moves", own: EditsOf) -> Iterator[tuple[Path, int | str]]:
        """What must be said instead: (path, value). ``own``: the edits of the repetition as a text of its own."""
        start, end = self.span()
        new_start, new_end = moves.place(start), moves.place(end, is_end=True)
        if self.start == self.end:
            new_start = new_end
        for key, old, new in ((self.start, start, new_start), (self.end, end, new_end)):
            if old != new and key in self.numbers:
                yield (*self.path, key), new - (self.rule.last_included if key == self.end else 0)
        if self.copy is not None and moves.cut(moves.old, start, end) == self.copy[1]:
            path, text = self.copy
            new_text = moves.cut(moves.new, new_start, new_end)
            if new_text is not None and new_text != apply_edits(text, own(scannable(text))):
                yield path, new_text


class Moves:
    """Where the offsets of a text lie after its edits."""

    def __init__(self, text: str, edits: Sequence[Edit], unit: Unit) -> None:
        self.old = _units(text, unit)
        self.new = _units(apply_edits(text, edits), unit)
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._new: list[tuple[int, int]] = []
        seen = at = by = 0
        for edit in edits:
            if edit.replacement is not None:
                start = at + len(_units(text[seen : edit.start], unit))
                at = start + len(_units(text[edit.start : edit.end], unit))
                seen = edit.end
                new_start = start + by
                new_end = new_start + len(_units(edit.replacement, unit))
                by = new_end - at
                self._starts.append(start)
                self._ends.append(at)
                self._new.append((new_start, new_end))

    def place(self, offset: int, *, is_end: bool = False) -> int:
        """The new offset; one inside a replaced span goes to its begin, an end to its end."""
        number = bisect_right(self._starts, offset) - 1
        if number < 0:
            return offset
        new_start, new_end = self._new[number]
        if offset >= self._ends[number]:
            return offset - self._ends[number] + new_end
        return new_end if is_end and offset > self._starts[number] else new_start

    @staticmethod
    def cut(units: str | bytes, start: int, end: int) -> str | None:
        """The text of [start, end); None where that cuts a character in two."""
        part = units[start:end]
        if isinstance(part, str):
            return part
        try:
            return part.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return None


class Pieces(Protocol):
    """A text that arrived in pieces, as far as it is decided."""

    def so_far(self) -> tuple[str, Sequence[Edit]] | None:
        """The text and its edits; None where it was too long to keep."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A text that stands as a whole in the document that holds the record."""

    text: str
    edits_of: EditsOf = field(repr=False)

    def so_far(self) -> tuple[str, Sequence[Edit]]:
        """The text and its edits."""
        return self.text, self.edits_of(scannable(self.text))


Target = Pieces | Whole


def adjusted(raw: bytes, splices: list[Splice], tree: Any, offsets: Offsets, edits_of: EditsOf) -> list[Splice]:
    """Add to ``splices`` of a whole document what its records need; ascending."""
    targets: list[tuple[Record, Target]] = []
    for record in offsets.records(tree):
        text = record.text(lambda parent, key: False)
        if text is not None:
            targets.append((record, Whole(text, edits_of)))
    return with_changes(raw, splices, targets, edits_of)


def with_changes(
    raw: bytes, splices: list[Splice], targets: Sequence[tuple[Record, Target]], own: EditsOf
) -> list[Splice]:
    """Add to ``splices`` of ``raw`` what the records say anew; ascending."""
    changes: dict[Path, Said] = {}
    known: dict[Hashable, Moves | None] = {}
    for record, target in targets:
        if isinstance(target, Whole) and not splices:
            continue  # no text of this document has edits
        name = (target.text if isinstance(target, Whole) else id(target), record.rule.unit)
        if name not in known:
            said = target.so_far()
            known[name] = Moves(*said, record.rule.unit) if said and said[1] else None
        if (moves := known[name]) is not None:
            changes.update(record.changes(moves, own))
    return with_values(raw, splices, changes) if changes else splices


def _units(text: str, unit: Unit) -> str | bytes:
    return text if unit == "code points" else text.encode("utf-8", "surrogatepass")


def _records(rule: OffsetRule, found: Any, owner: Path, above: list[Any], known: Known) -> Iterator[Record]:
    if isinstance(found, dict):
        items, paths = [found], [(*owner, rule.key)]
    else:
        items = found if isinstance(found, list) else []
        paths = [(*owner, rule.key, index) for index in range(len(items))]
    texts: list[Texts] | None = None
    for path, value in zip(paths, items, strict=True):
        place = _numbers(rule, value)
        if place is None or (rule.beside is not None and rule.beside not in value):
            continue
        if texts is None:
            texts = [at for where in rule.texts if (at := _texts(above, where, rule.unit, known)) is not None]
        numbers_path, numbers, start, end = place
        said = _at(value, rule.copy) if rule.copy is not None else None
        copy = ((*path, *rule.copy), said) if rule.copy is not None and isinstance(said, str) else None
        yield Record(rule, owner, value, (*path, *numbers_path), numbers, start, end, copy, texts)


def _numbers(rule: OffsetRule, value: Any) -> tuple[Path, dict[str, Any], str, str] | None:
    for path in rule.numbers:
        numbers = _at(value, path)
        if not isinstance(numbers, dict):
            continue
        for names in rule.names:
            given = [numbers[name] for name in names if name in numbers]
            if given and all(isinstance(number, int) and not isinstance(number, bool) for number in given):
                return path, numbers, *names
    return None


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _texts(above: list[Any], where: Path, unit: Unit, known: Known) -> Texts | None:
    """What stands at ``where`` from the last of ``above``, an object; None where it leads out of the document."""
    objects = [one for one in above if isinstance(one, dict)]
    ups = where.count(UP)  # they come first
    if ups >= len(objects):
        return None
    start, rest = objects[-1 - ups], where[ups:]
    name = (id(start), rest, unit)
    if name not in known:
        known[name] = Texts(_places(start, rest, unit))
    return known[name]


def _places(node: Any, where: Path, unit: Unit, index: int = 0) -> Iterator[Place]:
    step, rest = where[0], where[1:]
    if step == EACH:
        for place, child in enumerate(node if isinstance(node, list) else ()):
            if isinstance(child, dict) and child.get("thought") is not True:
                yield from _places(child, rest, unit, place)
    elif isinstance(node, dict) and step in node:
        if rest:
            yield from _places(node[step], rest, unit, index)
        elif isinstance(node[step], str) and node[step]:
            yield Place(index, node[step], node, step, unit)
