"""Addon: what call is this, and whose?"""

import base64
import time
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qsl
from weakref import WeakKeyDictionary

from mitmproxy import http
from mitmproxy.connection import Client

from outwarden.budget import Evidence, identify
from outwarden.errors import BodyError
from outwarden.flow.aiming import BROWSER_KEY
from outwarden.flow.body import plain_headers, read_body
from outwarden.flow.bounds import TRANSCRIPTION
from outwarden.flow.framing import drop_one_hop_headers
from outwarden.flow.guard import answer, fail_closed, is_grpc
from outwarden.flow.room import no_room
from outwarden.flow.session import Said, Session
from outwarden.flow.signing import signature_of
from outwarden.flow.state import CallState, begin, look_at, open_state, state_of
from outwarden.load_rules import Shelf
from outwarden.wire.aws_signature import signs_chunks
from outwarden.wire.encodings import readable_offer
from outwarden.wire.format import Operation, Refusal, RequestFacts, SessionFacts
from outwarden.wire.formats import format_named

# Where an API key travels, in the order of preference; the scheme before a space is no part of it (WIRE.md §8).
KEY_HEADERS = ("x-api-key", "api-key", "x-goog-api-key", "authorization")


class IdentifyCall:
    """Begin the state of every call to a host of ours: provider, format, operation, caller, model."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._proxy_users: WeakKeyDictionary[Client, str] = WeakKeyDictionary()

    @fail_closed
    def http_connect(self, flow: http.HTTPFlow) -> None:
        user = proxy_user(flow.request)
        if user:
            self._proxy_users[flow.client_conn] = user

    @fail_closed
    def requestheaders(self, flow: http.HTTPFlow) -> None:
        look_at(flow)
        rules = self._shelf.services.engines.rules
        traffic = rules.traffic
        host = traffic.find(flow.request.host) or traffic.find(flow.client_conn.sni or "")
        if host is None or flow.response:
            return
        format_ = format_named(host.format)
        operation = format_.identify(flow.request.method, flow.request.path.partition("?")[0])
        headers = plain_headers(flow.request)
        user = named_user(headers.get("proxy-authorization", "")) or self._proxy_users.get(flow.client_conn)
        state = begin(flow, CallState(rules, host, format_, operation))  # first, so that errors have a shape
        state.signature = signature_of(flow.request)
        state.caller, strip = identify(rules.callers, evidence(flow, user, headers))
        flow.request.stream = False
        upgrade = headers.get("upgrade", "").lower()
        if upgrade.strip() == "websocket":
            state.is_socket = True
            # Compression would hide what we read, for no gain on one machine's hop; peers may always do without.
            flow.request.headers.pop("sec-websocket-extensions", None)
        for name in (*strip, "proxy-authorization"):
            if name in headers:
                flow.request.headers.pop(name, None)
        if "websocket" not in upgrade:
            drop_one_hop_headers(flow.request)
        refusal = refused_by_shape(flow.request, state)
        if refusal:
            state.refuse(refusal, "refused", refusal.code)
        elif is_grpc(flow.request):
            tunnel(flow, state)

    @fail_closed
    def request(self, flow: http.HTTPFlow) -> None:
        state = open_state(flow)
        if state is None:
            return
        if state.refusal:
            answer(flow, state.refusal)
            return
        if state.signature and state.signature.body is not None:
            state.signature = replace(state.signature, body=flow.request.raw_content or b"")
        try:
            body = state.body = read_body(flow.request, state)
        except BodyError as error:
            state.refuse(Refusal(400, "body_unreadable", f"The request body was refused: {error}."), "refused", "body")
            answer(flow, state.refusal)  # type: ignore[arg-type]
            return
        unpacked = len(body.data) if body.data is not flow.request.raw_content else 0
        if not state.share.take(unpacked, state.rules.traffic.max_in_flight_bytes):
            state.refuse(no_room("this request"), "refused", "max_in_flight_mib")
            answer(flow, state.refusal)  # type: ignore[arg-type]
            return
        if state.is_socket:
            state.facts = RequestFacts(model=model_in_query(flow.request), stream=True)
            return
        state.facts = RequestFacts() if body.json is None else state.format.read_request(state.operation, body.json)
        if state.facts.token_ids and refused_for_token_ids(state):
            answer(flow, state.refusal)  # type: ignore[arg-type]
            return
        if state.signature is None or not state.signature.covers("accept-encoding"):
            offer_encodings(flow.request, state)

    @fail_closed
    def websocket_start(self, flow: http.HTTPFlow) -> None:
        state = state_of(flow)
        if state is None:
            return
        state.session = session = Session(
            state, lambda: self._next_call(state), lambda model: self._next_transcription(state, model)
        )
        if is_for_transcription(flow.request):
            session.learn(SessionFacts(answers=False))
        session.add_stage(lambda said: read_message(session, said))

    def _next_call(self, state: CallState) -> CallState:
        """A response to come, under the rules that are in force when it is asked for."""
        call = CallState(self._shelf.services.engines.rules, state.host, state.format, state.operation, state.caller)
        call.is_socket = True
        return call

    def _next_transcription(self, state: CallState, model: str) -> CallState:
        """What the provider will write down of the caller's speech, by a model of its own."""
        call = self._next_call(state)
        call.operation = replace(state.operation, name=TRANSCRIPTION, model=None)
        call.facts = RequestFacts(model=self._shelf.services.engines.shown(model), stream=True)
        call.spoken = True
        return call

    @fail_closed
    def responseheaders(self, flow: http.HTTPFlow) -> None:
        state = state_of(flow)
        if state and flow.response:
            flow.response.headers["x-outwarden-call-id"] = state.call_id
            if state.unread:
                flow.response.stream = True


def offer_encodings(request: http.Request, state: CallState) -> None:
    """Ask for a reply that we can read."""
    offer = request.headers.get("accept-encoding")
    if state.facts.stream or state.operation.stream:
        # Our stages read the stream as it comes; what the client would have to unpack gains nothing here.
        request.headers["accept-encoding"] = "identity"
    elif offer and readable_offer(offer) != offer:
        request.headers["accept-encoding"] = readable_offer(offer)


def read_message(session: Session, said: Said) -> None:
    """Read what a client's message says; one that asks for a response makes it a call that is under way."""
    state, call = session.call, said.call
    if said.body.kind == "json":
        said.facts = state.format.read_message(state.operation, said.json)
    facts = said.facts
    if facts.session is not None:
        session.learn(facts.session)
    if facts.request and facts.for_session:
        state.facts = merged(state.facts, facts.request)
    on_its_own = facts.begins == "maybe" and session.detects_turns and session.answers and not session.is_waiting
    if facts.begins == "now" or on_its_own:
        said.begins = True
        said.joins = session.joined_by(facts)
        call.started_s = time.perf_counter()
        call.body = said.body
        call.facts = merged(state.facts, facts.request) if facts.request else state.facts


def merged(settings: RequestFacts, own: RequestFacts) -> RequestFacts:
    """What a message says of itself over what holds for its session."""
    return replace(
        own,
        model=own.model or settings.model,
        output_limit=settings.output_limit if own.output_limit is None else own.output_limit,
    )


def model_in_query(request: http.Request) -> str | None:
    """The model that a connection is opened for; Azure calls it a deployment."""
    asked = dict(parse_qsl(request.path.partition("?")[2]))
    return asked.get("model") or asked.get("deployment")


def is_for_transcription(request: http.Request) -> bool:
    """Whether a connection is opened for transcription alone (OpenAI, Azure)."""
    return ("intent", "transcription") in parse_qsl(request.path.partition("?")[2])


def proxy_user(request: http.Request) -> str | None:
    """The user name of a Basic ``Proxy-Authorization``; a claim, unless mitmproxy's ``proxyauth`` checks it."""
    return named_user(request.headers.get("proxy-authorization", ""))


def named_user(authorization: str) -> str | None:
    """The user name of a Basic ``Proxy-Authorization``."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[0] or None
    except ValueError:  # binascii.Error and UnicodeDecodeError are ValueErrors
        return None


def evidence(flow: http.HTTPFlow, user: str | None, headers: Mapping[str, str]) -> Evidence:
    """What the request shows of its sender; ``headers`` by lower-case name."""
    peer = flow.client_conn.peername
    return Evidence(
        api_key=api_key(headers, flow.request.path),
        source=peer[0] if peer else "",
        proxy_user=user,
        headers=headers,
    )


def api_key(headers: Mapping[str, str], path: str) -> str | None:
    """The caller's key, wherever it travels; ``headers`` by lower-case name, ``path`` with its query."""
    for name in KEY_HEADERS:
        if value := headers.get(name):
            return value.rpartition(" ")[2]
    for protocol in headers.get("sec-websocket-protocol", "").split(","):
        if protocol.strip().startswith(BROWSER_KEY):
            return protocol.strip().removeprefix(BROWSER_KEY)
    if "key=" not in path:
        return None
    return dict(parse_qsl(path.partition("?")[2])).get("key")


def tunnel(flow: http.HTTPFlow, state: CallState) -> None:
    """Let the call pass unread, both directions at once, as the rules say; its record says so, too."""
    state.flagged["grpc"] += 1
    state.unread = state.let_through = True
    state.operation = Operation("grpc", billable=False, dialect=state.operation.dialect)
    flow.request.stream = True


def refused_for_token_ids(state: CallState) -> bool:
    """Note a prompt of token numbers, which is text that no scanner sees; tell whether the rules refuse it."""
    state.flagged["token_ids"] += 1
    if state.rules.traffic.token_ids == "flag":  # noqa: S105  # no password
        return False
    message = (
        "The prompt is given as token numbers, which cannot be scanned (traffic.yml, token_ids: refuse); send text."
    )
    state.refuse(Refusal(403, "token_ids_refused", message), "refused", "token_ids")
    return True


def refused_by_shape(request: http.Request, state: CallState) -> Refusal | None:
    """What we do not read is refused, not let through unread."""
    traffic = state.rules.traffic
    if state.is_socket and not state.format.talks(state.operation):
        # Nobody could tell where a response begins, so none could be paid for. 426 tells clients to fall back to HTTPS.
        text = "What is said over this WebSocket is not described, so it cannot be read or paid for; use HTTPS."
        return Refusal(426, "websocket_not_supported", text)
    if is_grpc(request):
        if traffic.grpc == "tunnel":
            return None
        return Refusal(
            415, "grpc_not_supported", "gRPC calls cannot be read by this proxy (traffic.yml, grpc: refuse)."
        )
    if signs_chunks(plain_headers(request)):
        return Refusal(501, "not_supported", "Bodies whose chunks are signed one by one (AWS SigV4) are not supported.")
    unsupported = state.format.unsupported(state.operation, "")
    if unsupported:
        return Refusal(501, "not_supported", unsupported)
    if not state.operation.known and traffic.unknown_path == "refuse":
        return Refusal(403, "path_refused", "This path is not described, and traffic.yml refuses unknown paths.")
    return None
