"""What we know of each call in flight, kept beside mitmproxy's flow and never inside it.

Objects of ours in ``flow.metadata`` would break saved flows (DESIGN.md §3.5), so the state hangs on the flow by a
weak reference and dies with it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from secrets import token_hex
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakSet

from outwarden.budget import Caller
from outwarden.flow.room import Share
from outwarden.wire.aws_signature import Signature
from outwarden.wire.format import Format, Operation, Refusal, RequestFacts
from outwarden.wire.traffic import Host
from outwarden.wire.usage import Usage

if TYPE_CHECKING:
    from mitmproxy import http

    from outwarden.budget import BudgetState
    from outwarden.flow.body import Body
    from outwarden.flow.money import Purse
    from outwarden.flow.reply import ReplyStream
    from outwarden.flow.session import Session
    from outwarden.flow.trip import Trip
    from outwarden.pii import ReplyRewriter, RequestRewriter, Vault
    from outwarden.rules import Rules


_NOBODY, _NO_FACTS = Caller(), RequestFacts()


@dataclass(slots=True, weakref_slot=True)
class CallState:
    """One call from its headers to its audit record."""

    rules: Rules
    host: Host
    format: Format
    operation: Operation
    caller: Caller = _NOBODY
    call_id: str = field(default_factory=lambda: token_hex(16))
    started_s: float = field(default_factory=time.perf_counter)
    signature: Signature | None = None  # of AWS, on the request as it arrived
    body: Body | None = None
    share: Share = field(default_factory=Share)  # of the room that the process has for bodies
    facts: RequestFacts = _NO_FACTS
    body_tokens: int = 0
    media_bytes: int = 0
    asked_for_usage: bool = False
    is_socket: bool = False  # a request to become a WebSocket
    session: Session | None = None  # what is said over it
    answered: bool = False  # of a response in a session: the provider began to work on it
    spoken: bool = False  # speech, whose length only the provider counts, is part of what was said
    sound_s: float = 0.0  # of a transcription: how much speech was sent for it, silence included
    output_text_bytes: int = 0

    vault: Vault | None = None
    request_rewriter: RequestRewriter | None = None
    reply_rewriter: ReplyRewriter | None = None
    inspect_reply: Callable[[Sequence[str]], None] | None = None
    open_reply: Callable[[http.Response, bytes], ReplyStream | None] | None = None  # with the begin of its body
    resume_reply: Callable[[http.Response, str, Usage], bool] | None = None
    as_sent: Callable[[str], str | None] | None = None  # what was said, as it may be sent; None: it may not
    error_of: Callable[[http.Response, bytes], str | None] | None = None
    reply: ReplyStream | None = None
    reply_error: str | None = None  # the kind of error that a whole reply of status 200 holds
    reply_body: bytes | None = None  # what the client gets, where it differs from what the flow may show

    trip: Trip | None = None
    purse: Purse | None = None

    usage: Usage | None = None
    usage_source: str = ""
    served_model: str | None = None
    cost: int = 0  # nano-dollars
    cost_source: str = ""  # the provider's own word, or our price of its usage
    priced: int = 0  # nano-dollars: the usage by price, whatever the provider states
    overshoot: int = 0  # nano-dollars of the cost that the hold did not cover
    budgets: tuple[BudgetState, ...] = ()

    unread: bool = False  # its bytes pass as they come, by rule; nothing of ours looks at them
    let_through: bool = False  # a step of ours failed, and the rules say that the call goes on all the same
    verdict: str = "allowed"
    rule: str | None = None
    refusal: Refusal | None = None
    flagged: Counter[str] = field(default_factory=Counter)
    overhead_ms: float = 0.0
    first_content_ms: float | None = None
    client_gone: bool = False

    @property
    def provider(self) -> str:
        """The provider that serves, or would serve, this call."""
        return self.trip.provider if self.trip else self.host.provider

    @property
    def model(self) -> str | None:
        """The model the caller asked for."""
        return self.facts.model or self.operation.model

    def explains(self, response: http.Response | None) -> bool:
        """Whether this reply carries what we did to it (``explain_headers``); the head of a stream is out too early."""
        return self.rules.traffic.explain_headers and response is not None and not response.stream

    def take_over(self, other: CallState) -> None:
        """Count as this call's what was noted of ``other``, which goes on as part of it."""
        self.body_tokens += other.body_tokens
        self.media_bytes += other.media_bytes
        self.spoken |= other.spoken
        self.flagged.update(other.flagged)
        if self.request_rewriter is None:
            self.request_rewriter = other.request_rewriter
        elif other.request_rewriter is not None:
            self.request_rewriter.counts.update(other.request_rewriter.counts)

    @property
    def may_change(self) -> bool:
        """Whether the call may leave otherwise than it came."""
        return self.signature is None or self.host.sign is not None

    def let_go(self) -> None:
        """The call is on record: keep nothing that was for its way, so that nothing of it holds on to the whole.

        What does goes only with a full round of the garbage collector, which looks at all objects of the process and
        is long in coming; until then each call's body would stay.
        """
        self.open_reply = self.resume_reply = self.as_sent = self.error_of = self.inspect_reply = None
        self.body = None
        if self.trip:
            self.trip.let_go()
        if self.purse:
            self.purse.let_go()

    def refuse(self, refusal: Refusal, verdict: str, rule: str | None = None) -> None:
        """Note that we answer this call ourselves."""
        self.refusal = refusal
        self.verdict = verdict
        self.rule = rule or self.rule


_states: WeakKeyDictionary[http.HTTPFlow, CallState] = WeakKeyDictionary()
_seen: WeakSet[http.HTTPFlow] = WeakSet()
_in_flight: set[str] = set()  # ids; a flow may outlive its call in somebody's list


def look_at(flow: http.HTTPFlow) -> None:
    """Note that the chain saw this flow's head, whatever came of it."""
    _seen.add(flow)


def was_seen(flow: http.HTTPFlow) -> bool:
    """Whether the chain saw this flow; an addon that raises keeps mitmproxy from asking those after it."""
    return flow in _seen


def begin(flow: http.HTTPFlow, state: CallState) -> CallState:
    """Hang ``state`` on ``flow``."""
    _states[flow] = state
    _in_flight.add(state.call_id)
    return state


def begin_alone(state: CallState) -> CallState:
    """Note a call that has no flow of its own: a response in a session."""
    _in_flight.add(state.call_id)
    return state


def end(state: CallState) -> None:
    """The call has ended."""
    _in_flight.discard(state.call_id)


def state_of(flow: http.HTTPFlow) -> CallState | None:
    """The state of a call of ours, answered or not; None for traffic that is not ours."""
    return _states.get(flow)


def open_state(flow: http.HTTPFlow) -> CallState | None:
    """The state of a call of ours that is read, and that nobody has answered yet; None otherwise."""
    if flow.response or flow.error:
        return None
    state = _states.get(flow)
    return None if state is None or state.unread else state


def in_flight() -> int:
    """How many calls have begun and not ended."""
    return len(_in_flight)
