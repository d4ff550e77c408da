"""What an API's bytes mean: the interface that every Format fulfils, and the small values it speaks in."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from outwarden.wire.offsets import Offsets
from outwarden.wire.usage import Usage

Framing = Literal["sse", "ndjson", "json-array", "aws-event-stream", "messages"]
"""How a reply is cut into events. ``messages``: the transport itself does (WebSocket), one document a message."""

Json = dict[str, Any] | list[Any] | str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Operation:
    """What a path asks for.

    ``name`` is short and stable (``chat``, ``responses``, ``embeddings``, ``messages``, ``count_tokens``,
    ``generate_content``, ``other`` …). ``billable``: tokens are charged for it. ``known``: this Format describes it
    (an unknown path gets the rule ``unknown_path``). ``model``: where the path names one. ``stream``: what the path
    says about streaming (None: the body decides). ``keeps``: the provider keeps what such calls carry, and others read
    it (files, batches, threads, stored responses). ``dialect``: whose API this is, where a Format speaks several (one
    host often serves OpenAI's and Anthropic's paths side by side); empty: the Format's own.
    """

    name: str
    billable: bool = True
    known: bool = True
    model: str | None = None
    stream: bool | None = None
    dialect: str = ""
    keeps: bool = False


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What a request says about itself.

    ``output_limit`` is the caller's limit on output tokens per choice, None where absent; 0 is a value.
    ``output_limits`` are all that it names, by their top-level (or dotted) keys; ``output_least``: the API refuses a
    limit below it. ``wants_usage`` is False where the stream will carry no usage unless it is asked for.
    ``token_ids``: prompt tokens given as numbers, which no text scan sees. ``unseen_input``: the provider adds input
    that is not in this body (an earlier response, a cache, an uploaded or linked file), so its size is bounded by the
    model only. ``stored``: the caller asks the provider to keep this call. ``asks``: what the request says of its use
    in other units than tokens (characters, pictures, seconds of video). ``unbounded``: what is to be done stands in
    files that the provider has, however much that is.
    """

    model: str | None = None
    stream: bool = False
    output_limit: int | None = None
    output_limits: tuple[tuple[str, int], ...] = ()
    output_least: int = 0
    choices: int = 1
    wants_usage: bool = True
    token_ids: int = 0
    unseen_input: bool = False
    stored: bool = False
    bound: bool = False
    background: bool = False
    asks: Usage | None = None
    unbounded: bool = False


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What either side of a WebSocket says of their session; None: not said.

    ``detects_turns``: the provider begins responses by itself where it hears the end of speech. ``answers``: it gives
    responses at all (a session may be for transcription alone). ``transcriber``: the model that writes down what the
    caller says; empty: nobody does. ``sound_bytes_per_s``: how much a second of the caller's speech is.
    """

    detects_turns: bool | None = None
    answers: bool | None = None
    transcriber: str | None = None
    sound_bytes_per_s: int | None = None


@dataclass(frozen=True, slots=True)
class Transcription:
    """How far the provider is with writing down one piece of a caller's speech, the item of this id.

    ``asked``: it has the sound; ``done`` and ``failed``: no more follows. ``text_bytes``: what it wrote, in UTF-8.
    """

    item: str
    state: Literal["asked", "done", "failed"]
    usage: Usage | None = None
    text_bytes: int = 0


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """What a client's message over a WebSocket says.

    ``begins``: the provider answers it by a response that is billed (``now``), may do so by itself when it chooses
    (``maybe``: speech whose end it detects), or does not (empty). ``request``: what the message says of model and
    limits, None where it says nothing of the kind; with ``for_session`` that holds for all responses from here on.
    ``session``: what it says of the session. ``joins``: which
    response that has not ended it goes on with instead of beginning one: ``any`` (the answer of a tool), or one that
    is ``silent`` as yet (the provider answers both at once); empty: none.
    """

    begins: Literal["", "now", "maybe"] = ""
    joins: Literal["", "any", "silent"] = ""
    request: RequestFacts | None = None
    for_session: bool = False
    session: SessionFacts | None = None


@dataclass(frozen=True, slots=True)
class ResponseFacts:
    """What a whole reply says about itself; ``error`` is a short kind (``rate_limit``, ``overloaded``), never text."""

    model: str | None = None
    usage: Usage | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Delta:
    """A string in a stream event that is a piece of a longer text.

    The string is ``parent[key]``. Pieces with the same ``channel`` belong together. ``kind``: ``text``, or ``json``
    where the pieces form a JSON document (tool arguments).
    """

    parent: dict[str, Any] | list[Any]
    key: str | int
    channel: Hashable
    kind: Literal["text", "json"] = "text"


@dataclass(frozen=True, slots=True)
class EventFacts:
    """What one stream event says.

    ``content``: it carries first-class output (text, reasoning, a tool call), so the reply has begun; lifecycle events
    do not. ``closes``: channels that end with this event, before it is sent on (``"all"``: every one). ``usage`` is
    cumulative: later reports win (``usage_adds``: it is that of one step among several, and is added). ``end``: the
    stream is complete and well-formed; a few events (usage, ``[DONE]``) may still follow it. ``usage_only``: nothing
    but usage is in it, as in the chunk that asking for usage adds. ``other_bytes``: how much output is in it that no
    delta points at (None: nobody knows). Over a WebSocket: ``session``, what it says of the
    session, and ``transcription``.
    """

    deltas: Sequence[Delta] = ()
    closes: Sequence[Hashable] | Literal["all"] = ()
    content: bool = False
    usage: Usage | None = None
    usage_adds: bool = False
    model: str | None = None
    error: str | None = None
    end: bool = False
    usage_only: bool = False
    other_bytes: int | None = None
    session: SessionFacts | None = None
    transcription: Transcription | None = None


@dataclass(frozen=True, slots=True)
class TextRules:
    """Which strings of a JSON body are not text. Everything else is, keys too.

    ``opaque``: keys whose direct string value is never scanned or changed (signatures, encrypted content, enums).
    ``ids``: keys whose direct string value is scanned only when it does not look like an id.
    ``free``: keys under which the two sets above do not apply: the caller's own data (tool input, arguments, schemas).
    ``opaque_in``: for one object, the keys opaque in it alone (``{"type": "base64", "data": …}``); where such a key
    has an object as its value, no string in it is text. A piece of text, a number or padding may tell it about their
    own key; about others only whether they are there and true: events that differ in no more share one answer.
    ``asked``: keys and values of which ``opaque_in`` needs one, in an object or in what it holds, to name any.
    ``is_file``: whether a key that ``opaque_in`` names holds a file, which is read where it is text.
    ``remember``: top-level keys whose value is a growing list (messages), remembered element by element.
    ``offsets``: where numbers point into texts, and move with them.
    ``padding``: keys of random letters and digits, opaque as such, that no Format reads in an event.
    """

    opaque: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    free: frozenset[str] = frozenset()
    opaque_in: Callable[[dict[str, Any]], frozenset[str]] | None = None
    asked: frozenset[str] = frozenset()
    is_file: Callable[[dict[str, Any], str], bool] | None = None
    remember: frozenset[str] = frozenset()
    offsets: Offsets | None = None
    padding: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that we answer ourselves. ``message`` names the rule, never a value.

    ``final``: its SDK is not to ask again; else that is for the SDK to know.
    """

    status: int
    code: str
    message: str
    retry_after_s: int | None = None
    final: bool = True


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """A refusal in the provider's own shape."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Format(Protocol):
    """Reads and writes one API family. Stateless, shared by all calls; never raises on odd but valid JSON."""

    name: str

    def identify(self, method: str, path: str) -> Operation:
        """Tell what ``path`` (no query, percent-decoded, maybe under a gateway's prefix) asks for."""

    def framing(self, operation: Operation, content_type: str, path_query: str) -> Framing | None:
        """How a reply of this content type streams; None when it comes whole.

        ``content_type`` is what the upstream said (it may lie: JSON errors come as text/event-stream);
        ``path_query`` is the request's target, for APIs that choose the framing there (Gemini's ``alt=sse``)."""

    def unsupported(self, operation: Operation, content_type: str) -> str | None:
        """Why a reply of this content type cannot be read by us (the call is then refused), or None.

        A reply may be streamed by a framing that nobody built here; passing it on unread is not an answer."""
        return None

    def read_request(self, operation: Operation, body: Json) -> RequestFacts:
        """Read model, stream, limits; missing or odd values become the defaults."""

    def text_rules(self, operation: Operation) -> TextRules:
        """Which strings are not text, for requests and replies alike."""

    def read_reply(self, operation: Operation, body: Json, headers: Mapping[str, str]) -> ResponseFacts:
        """Read model, usage and error of a whole reply."""

    def read_event(self, operation: Operation, name: str | None, data: Json) -> EventFacts:
        """Read one stream event; ``name`` is its own (SSE's ``event``, AWS's ``:event-type``).

        A literal such as ``[DONE]`` comes as that str."""

    def talks(self, operation: Operation) -> bool:
        """Whether this operation may be spoken over a WebSocket, and which of its messages begin responses is known."""
        return False

    def read_message(self, operation: Operation, message: Json) -> MessageFacts:
        """Read one message that a client sent over a WebSocket."""
        return MessageFacts()

    def refuse_message(self, operation: Operation, refusal: Refusal, message: Json) -> bytes | None:
        """The refusal of a client's message as this provider's error event; None where it only knows to close."""
        return None

    def refuse(self, refusal: Refusal, operation: Operation | None = None) -> ErrorReply:
        """The refusal as this provider's error answer; ``operation`` where known: a host may speak several shapes."""

    def refuse_event(self, operation: Operation, framing: Framing, refusal: Refusal) -> bytes:
        """The refusal as this provider's in-stream error, framed, ending the stream."""
