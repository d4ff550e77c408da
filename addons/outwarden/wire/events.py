"""What a stream is cut into: events that keep their exact bytes and know where their data lies in them."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from outwarden.errors import BodyError
from outwarden.wire.json_text import Splice, spliced

Span = tuple[int, int]


class Event(NamedTuple):
    """One event as it was sent: joining the ``raw`` of all events gives the stream.

    ``data`` is what a client reads (SSE: its data lines joined by a newline), None where the event carries none.
    ``lines`` are the places of the data in ``raw``, ascending; between two of them ``data`` has one newline.
    ``remarks`` are places that no client reads as data, but that may carry text (comments, unknown fields).
    ``new_line`` is how a line end inside replaced data is spelled.
    """

    raw: bytes
    data: bytes | None = None
    name: str | None = None
    lines: tuple[Span, ...] = ()
    remarks: tuple[Span, ...] = ()
    new_line: bytes = b" "

    def __repr__(self) -> str:
        return f"Event({len(self.raw)} bytes, name={self.name!r})"

    def place(self, splice: Splice) -> Splice:
        """Carry a splice of ``data`` over to ``raw``."""
        start, end, new = splice
        if b"\n" in new or b"\r" in new:
            new = self.new_line.join(new.splitlines())
        return (self._at(start), self._at(end), new)

    def spliced(self, splices: list[Splice], remarks: list[Splice]) -> bytes:
        """Return ``raw`` with splices of ``data`` and of ``raw`` itself (``remarks``) done."""
        places = [self.place(splice) for splice in splices]
        return spliced(self.raw, sorted(places + remarks, key=lambda splice: splice[:2]))

    def _at(self, offset: int) -> int:
        for start, end in self.lines:
            if offset <= end - start:
                return start + offset
            offset -= end - start + 1
        raise ValueError("offset beyond the event's data")


class StreamEvent(Protocol):
    """What all kinds of events are to those that rewrite them; `Event` says what the attributes mean."""

    @property
    def raw(self) -> bytes: ...

    @property
    def data(self) -> bytes | None: ...

    @property
    def name(self) -> str | None: ...

    @property
    def remarks(self) -> tuple[Span, ...]: ...

    def spliced(self, splices: list[Splice], remarks: list[Splice]) -> bytes:
        """Return ``raw`` with splices of ``data`` and of ``raw`` itself (``remarks``) done."""


class Codec(Protocol):
    """Cuts a byte stream into events, however it arrives."""

    def feed(self, data: bytes) -> Sequence[StreamEvent]:
        """Take bytes, return the events that are complete. Raises BodyError where one grows beyond the bound."""

    def flush(self) -> Sequence[StreamEvent]:
        """The stream has ended: return what is left, complete or not."""


def too_long(max_event_bytes: int) -> BodyError:
    """The error for an event that does not end in time."""
    return BodyError(f"a stream event is longer than {max_event_bytes} bytes")
