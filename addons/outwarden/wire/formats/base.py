"""What the formats share: defaults for every method, and the composition of dialects that live on one host."""

from collections.abc import Mapping, Sequence

from outwarden.wire.format import (
    ErrorReply,
    EventFacts,
    Format,
    Framing,
    Json,
    MessageFacts,
    Operation,
    Refusal,
    RequestFacts,
    ResponseFacts,
    TextRules,
)
from outwarden.wire.formats import errors, facts
from outwarden.wire.formats.paths import Path, recognise
from outwarden.wire.formats.usages import any_usage
from outwarden.wire.formats.values import mapping, text

_NDJSON = frozenset(
    {
        "application/x-ndjson",
        "application/ndjson",
        "application/stream+json",
        "application/jsonl",
        "application/x-jsonl",
    }
)
AWS_EVENT_STREAM = "application/vnd.amazon.eventstream"


def media_type(content_type: str) -> str:
    """The bare media type of a Content-Type, lower case."""
    return content_type.partition(";")[0].strip().lower()


class Dialect:
    """One provider's API. Subclasses override what differs; here is what holds for all."""

    name: str
    paths: Sequence[Path] = ()
    # Operations that other hosts serve as well. What an API has beside them (administration, agents …) is its own: a
    # path of another host that only looks like it must not become an operation that costs nothing.
    elsewhere: frozenset[str] = frozenset()
    rules = TextRules()

    def recognise(self, method: str, path: str) -> Operation | None:
        """The operation, or None where this API has no such path."""
        return recognise(self.paths, method, path, self.name)

    def identify(self, method: str, path: str) -> Operation:
        """Like `recognise`; an unknown path is ``other``: scanned by default, no usage is expected of it."""
        return self.recognise(method, path) or Operation("other", billable=False, known=False, dialect=self.name)

    def framing(self, operation: Operation, content_type: str, path_query: str) -> Framing | None:
        """By the content type, as nearly all APIs do."""
        kind = media_type(content_type)
        if kind == "text/event-stream":
            return "sse"
        if kind == AWS_EVENT_STREAM:
            return "aws-event-stream"
        return "ndjson" if kind in _NDJSON else None

    def unsupported(self, operation: Operation, content_type: str) -> str | None:
        """Everything that comes can be read."""
        return None

    def read_request(self, operation: Operation, body: Json) -> RequestFacts:
        """Model and stream, where the usual keys name them."""
        return facts.read(operation, body, limits=("max_tokens",))

    def text_rules(self, operation: Operation) -> TextRules:
        """One set of rules for all operations of an API: their key names do not clash."""
        return self.rules

    def read_reply(self, operation: Operation, body: Json, headers: Mapping[str, str]) -> ResponseFacts:
        """Model, usage and error under their usual keys."""
        source = mapping(body)
        return ResponseFacts(text(source.get("model")), any_usage(source.get("usage")), errors.error_of(body))

    def read_event(self, operation: Operation, name: str | None, data: Json) -> EventFacts:
        """An event of an operation that is no generation (batch results, progress): output, complete at any point."""
        return EventFacts(content=True, end=True, error=errors.error_of(data))

    def talks(self, operation: Operation) -> bool:
        """No, unless a subclass knows the API's messages."""
        return False

    def read_message(self, operation: Operation, message: Json) -> MessageFacts:
        """It begins nothing that we know of."""
        return MessageFacts()

    def refuse_message(self, operation: Operation, refusal: Refusal, message: Json) -> bytes | None:
        """OpenAI's event: others that have one built theirs after it."""
        return errors.message(refusal, message)

    def refuse(self, refusal: Refusal, operation: Operation | None = None) -> ErrorReply:
        """OpenAI's shape: most other APIs and clients understand it."""
        return errors.reply(refusal, {"error": errors.openai_error(refusal)})

    def refuse_event(self, operation: Operation, framing: Framing, refusal: Refusal) -> bytes:
        """The same shape as one event."""
        return errors.framed(framing, {"error": errors.openai_error(refusal)})


class Mixed(Dialect):
    """A host that speaks several APIs, told apart by path: the first dialect is its own, the others are guests."""

    def __init__(self, name: str, own: Dialect, *guests: Dialect) -> None:
        self.name = name
        self._own = own
        self._dialects = (own, *guests)
        self._by_name = {dialect.name: dialect for dialect in self._dialects}

    def _of(self, operation: Operation) -> Dialect:
        return self._by_name.get(operation.dialect, self._own)

    def recognise(self, method: str, path: str) -> Operation | None:
        """Ask each dialect in turn; the guests for what they have on other hosts."""
        if (own := self._own.recognise(method, path)) is not None:
            return own
        found = ((guest, guest.recognise(method, path)) for guest in self._dialects[1:])
        return next((operation for guest, operation in found if operation and operation.name in guest.elsewhere), None)

    def identify(self, method: str, path: str) -> Operation:
        """An unknown path is the own dialect's to judge."""
        return self.recognise(method, path) or self._own.identify(method, path)

    def framing(self, operation: Operation, content_type: str, path_query: str) -> Framing | None:
        """As the operation's dialect says."""
        return self._of(operation).framing(operation, content_type, path_query)

    def unsupported(self, operation: Operation, content_type: str) -> str | None:
        """As the operation's dialect says."""
        return self._of(operation).unsupported(operation, content_type)

    def read_request(self, operation: Operation, body: Json) -> RequestFacts:
        """As the operation's dialect says."""
        return self._of(operation).read_request(operation, body)

    def text_rules(self, operation: Operation) -> TextRules:
        """As the operation's dialect says."""
        return self._of(operation).text_rules(operation)

    def read_reply(self, operation: Operation, body: Json, headers: Mapping[str, str]) -> ResponseFacts:
        """As the operation's dialect says."""
        return self._of(operation).read_reply(operation, body, headers)

    def read_event(self, operation: Operation, name: str | None, data: Json) -> EventFacts:
        """As the operation's dialect says."""
        return self._of(operation).read_event(operation, name, data)

    def talks(self, operation: Operation) -> bool:
        """As the operation's dialect says."""
        return self._of(operation).talks(operation)

    def read_message(self, operation: Operation, message: Json) -> MessageFacts:
        """As the operation's dialect says."""
        return self._of(operation).read_message(operation, message)

    def refuse_message(self, operation: Operation, refusal: Refusal, message: Json) -> bytes | None:
        """As the operation's dialect says."""
        return self._of(operation).refuse_message(operation, refusal, message)

    def refuse(self, refusal: Refusal, operation: Operation | None = None) -> ErrorReply:
        """As the operation's dialect says; the host's own shape while no operation is known."""
        return (self._own if operation is None else self._of(operation)).refuse(refusal, operation)

    def refuse_event(self, operation: Operation, framing: Framing, refusal: Refusal) -> bytes:
        """As the operation's dialect says."""
        return self._of(operation).refuse_event(operation, framing, refusal)


def _is_a_format(dialect: Dialect) -> Format:
    """Never called: lets the type checker hold `Dialect` to the interface."""
    return dialect
