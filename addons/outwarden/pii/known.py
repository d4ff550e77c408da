"""Values that a request names somewhere are taken out everywhere in it.

Some values are told only by the words around them ("ssn 281440067"). In the next turn of a conversation the answer says
them again, restored and in other words ("Noted: 281440067"): there no pattern finds them, and they would leave.
So what was found once in a request is looked for literally in all of it. This also keeps the history as the provider
said it: the same value gets the same placeholder, whatever stands around it.
"""

import copy
import hashlib
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Protocol

from outwarden.pii.placeholders import meant
from outwarden.pii.policy import NAME_ENTITIES
from outwarden.pii.regexp import Regexp, quoted
from outwarden.wire.edits import Edit
from outwarden.wire.fields import MESSAGE, Places

# Shorter values (of custom patterns) are parts of too many words and numbers.
VALUE_CHARACTERS_MIN = 4
# RE2 compiles a value in about 7 µs; a request with more different values than this is a list of them.
VALUES_MAX = 2000

# Writers of JSON escape what is not ASCII, and what HTML, a URL or a script reads; none of these, but on purpose.
_PLAIN = re.compile(r"[A-Za-z0-9 @.,:;()\[\]{}_=-]*")
_SHORT = {'"': '"', "\\": r"\\", "/": "/", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}
_PLAIN_ESCAPED = re.compile(rb"\\u00(?:2[^267bBfF]|3[^cCeE]|4.|5[^cC]|6[^0]|7.)")


class Redactor(Protocol):
    """The rewriter of the request in which the values are looked for."""

    by_field: bool

    def edits_in(self, texts: Sequence[str], places: Places) -> list[Sequence[Edit]]:
        """Per text what it finds by itself."""

    def again(self, edit: Edit, value: str, fields: frozenset[str]) -> Edit | None:
        """What is done with a value that ``edit`` was for elsewhere, where it stands in ``fields``; None: nothing."""

    def mask(self, entity: str) -> str:
        """The placeholder that says only what was there."""


class KnownValues:
    """The values found in one request, each with the edit that was made for it."""

    def __init__(self, values: Mapping[str, Edit], redactor: Redactor) -> None:
        said = "\n".join(values)
        parts = [value for value in values if said.count(value) > 1]
        # What stands around a value may have hidden its begin or end, or joined it to another.
        self._has_parts = bool(parts)
        self._values = {v: edit for v, edit in values.items() if not any(_has_word(v, part) for part in parts)}
        self._redactor = redactor

    def __repr__(self) -> str:
        return f"<KnownValues: {len(self._values)}>"

    @property
    def by_field(self) -> bool:
        """Whether it matters where a text stands."""
        return self._redactor.by_field

    def asking(self, redactor: Redactor) -> "KnownValues":
        """The same values, for another request."""
        other = copy.copy(self)
        other._redactor = redactor
        return other

    @cached_property
    def key(self) -> bytes:
        """Differs where the edits of a text may."""
        said = sorted((value, edit.replacement) for value, edit in self._values.items())
        return hashlib.blake2b(repr(said).encode("utf-8", "surrogatepass"), digest_size=16).digest()

    @cached_property
    def _spelled(self) -> Regexp:
        """Finds the values as JSON may spell them. RE2: linear in the body."""
        return Regexp("|".join(map(_spelled, sorted(self._values))))

    @cached_property
    def _plain(self) -> Regexp:
        """Finds the values in plain text, of several that begin together the longest."""
        return Regexp("|".join(map(quoted, sorted(self._values, key=lambda value: (-len(value), value)))))

    def may_stand_in(self, body: bytes) -> bool:
        """Tell whether a value can be read in ``body``, a document as it would leave, or was found only in part."""
        if self._has_parts or self._spelled.search(body) is not None:
            return True
        return b"\\u00" in body and _PLAIN_ESCAPED.search(body) is not None

    def edits(self, texts: Sequence[str]) -> list[Sequence[Edit]]:
        """As the rewriter's, with the values that it did not find by itself."""
        return self.edits_in(texts, {})

    def edits_in(self, texts: Sequence[str], places: Places) -> list[Sequence[Edit]]:
        """As `edits`; ``places``: text -> the fields that it stands in."""
        asked = zip(texts, self._redactor.edits_in(texts, places), strict=True)
        return [self._with_known(text, edits, places.get(text, MESSAGE)) for text, edits in asked]

    def _with_known(self, text: str, edits: Sequence[Edit], fields: frozenset[str]) -> Sequence[Edit]:
        known = []
        for edit in self._in(text):
            if (done := self._redactor.again(edit, text[edit.start : edit.end], fields)) is not None:
                known.append(done)
        return give_way(text, edits, known, self._redactor.mask) if known else edits

    def _in(self, text: str) -> Iterator[Edit]:
        data = text.encode("utf-8", "surrogatepass")
        at = point = 0
        while (span := self._plain.search(data, at)) is not None:
            start = point + len(data[at : span[0]].decode("utf-8", "surrogatepass"))
            end = start + len(data[slice(*span)].decode("utf-8", "surrogatepass"))
            if _is_part(text, start, end):  # of a longer word or number
                at, point = span[0] + len(text[start].encode("utf-8", "surrogatepass")), start + 1
                continue
            edit = self._values[text[start:end]]
            yield replace(edit, start=start, end=end)
            at, point = span[1], end


def give_way(text: str, edits: Sequence[Edit], known: Sequence[Edit], mask: Callable[[str], str]) -> Sequence[Edit]:
    """Findings (``edits``) that are made up of known values give way to them; one that is more than they are stays.

    Where a known value begins in such a finding and ends outside, both must go: the rest of the finding is masked. A
    finding that is the same value, spelled as the provider did, stays too. Both are sorted; neither overlap themselves.
    """
    kept: list[Edit] = []
    first = 0  # of the known values that are not decided on yet
    for old in edits:
        while first < len(known) and known[first].end <= old.start:
            kept.append(known[first])
            first += 1
        last = first
        while last < len(known) and known[last].start < old.end:
            last += 1
        inner = known[first:last]
        rest = list(_rest(text, old, inner))
        if not inner or (rest and all(_covers(old, new) for new in inner)) or _says_the_same(old, inner):
            kept.append(old)
            first = last
        else:
            kept += [Edit(start, end, mask(old.entity), old.entity, "mask", old.rule) for start, end in rest]
    return sorted([*kept, *known[first:]], key=lambda edit: edit.start)


def where_shown(said: str, found: Sequence[Edit], heard: Sequence[Edit], mask: Callable[[str], str]) -> Sequence[Edit]:
    """The edits of a text with values that were put back, by what was ``found`` in it as its provider ``said`` it.

    Read so, it leaves as it was said: a value that was put back joins nothing around it. ``heard``: the edits that make
    what was said of the text.
    """
    there: list[Edit] = []
    ends, shifts = [], [0]
    for edit in heard:
        start = edit.start + shifts[-1]
        there.append(replace(edit, start=start, end=start + len(edit.replacement or "")))
        ends.append(there[-1].end)
        shifts.append(ends[-1] - edit.end)

    def shown(at: int) -> int:
        return at - shifts[bisect_right(ends, at)]

    return [replace(edit, start=shown(edit.start), end=shown(edit.end)) for edit in give_way(said, found, there, mask)]


def _says_the_same(old: Edit, inner: Sequence[Edit]) -> bool:
    if old.replacement is None or len(inner) != 1 or (inner[0].start, inner[0].end) != (old.start, old.end):
        return False
    return meant(old.replacement) == inner[0].replacement


def _is_sought(edit: Edit, value: str) -> bool:
    """One word of a name ("Grant") is a word of code and prose as well; where it is a name, the model says so again."""
    if edit.replacement is None or len(value) < VALUE_CHARACTERS_MIN or edit.replacement[:1] == "%":
        return False  # percent-encoded, it is a value of URLs only
    return edit.entity not in NAME_ENTITIES or " " in value


def _usual(edit: Edit) -> Edit:
    """The edit with the placeholder as we spell it: it is for other places than the provider's own words."""
    if edit.action != "pseudonymize" or edit.replacement is None:
        return edit
    return replace(edit, replacement=meant(edit.replacement))


def known_values(found: Iterable[tuple[Edit, str]], redactor: Redactor) -> KnownValues | None:
    """Take what was found in a request (edits with the originals); None where nothing was replaced."""
    values: dict[str, Edit] = {}
    for edit, value in found:
        if _is_sought(edit, value) and len(values) < VALUES_MAX:
            values.setdefault(value, _usual(edit))
    return KnownValues(values, redactor) if values else None


class KnownInSession:
    """The values found in any message of one connection: a later message may say them bare.

    Searched for in every message, so the search is compiled only when a value is new. Of more values than VALUES_MAX
    the oldest are forgotten.
    """

    def __init__(self) -> None:
        self._values: dict[str, Edit] = {}
        self._known: KnownValues | None = None

    def __repr__(self) -> str:
        return f"<KnownInSession: {len(self._values)}>"

    def with_found(self, found: Iterable[tuple[Edit, str]], redactor: Redactor) -> KnownValues | None:
        """Take what was found in a message; return what is known by now, None for nothing."""
        for edit, value in found:
            if not _is_sought(edit, value) or value in self._values:
                continue
            if len(self._values) >= VALUES_MAX:
                del self._values[next(iter(self._values))]
            self._values[value] = _usual(edit)
            self._known = None
        if self._known is None and self._values:
            self._known = KnownValues(self._values, redactor)
        return None if self._known is None else self._known.asking(redactor)


def _rest(text: str, old: Edit, inner: Sequence[Edit]) -> Iterator[tuple[int, int]]:
    """What of a finding is not in the known values, unless it is nothing but signs and spaces."""
    at = old.start
    for start, end in [*((new.start, new.end) for new in inner), (old.end, old.end)]:
        if any(character.isalnum() for character in text[at:start]):
            yield at, start
        at = max(at, end)


def _covers(one: Edit, other: Edit) -> bool:
    return one.start <= other.start and other.end <= one.end


def _is_part(text: str, start: int, end: int) -> bool:
    """Whether the value is part of a longer word or number. Scripts without spaces join nothing."""
    return _joins(text[start - 1 : start], text[start]) or _joins(text[end - 1], text[end : end + 1])


def _has_word(value: str, part: str) -> bool:
    at = value.find(part) if len(part) < len(value) else -1
    return at >= 0 and not _is_part(value, at, at + len(part))


def _joins(one: str, other: str) -> bool:
    return one.isalnum() and one.isascii() and other.isalnum() and other.isascii()


def _spelled(value: str) -> str:
    """A pattern of the value as JSON may spell it, alone or in a string in a string."""
    return quoted(value) if _PLAIN.fullmatch(value) else "".join(map(_spelled_sign, value))


def _spelled_sign(sign: str) -> str:
    if _PLAIN.fullmatch(sign):
        return quoted(sign)
    units = sign.encode("utf-16-be", "surrogatepass").hex()
    escaped = "".join(rf"\\+u(?i:{units[at : at + 4]})" for at in range(0, len(units), 4))
    short = _SHORT.get(sign)
    return rf"(?:{quoted(sign)}|{escaped}{'' if short is None else rf'|\\+{short}'})"
