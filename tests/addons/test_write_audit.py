"""One record per call, with every field of the contract and nothing of the content; nobody's key stays in a flow."""

import gc
import json
import logging
from collections.abc import Callable
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

import pytest
from mitmproxy import http
from playbook import Playbook, request, response
from talk import BILL, DONE, EMAIL, ROLE, STOP, asks, piece, record, said

from outwarden.audit import read, verify
from outwarden.flow.services import Services
from outwarden.flow.state import CallState
from outwarden.write_audit import hide_credentials

KEY = "invented-key-of-somebody"
FIELDS = {
    "ts", "call_id", "caller", "provider", "format", "operation", "model", "served", "attempts", "stream", "status",
    "verdict", "rule", "usage", "usage_source", "cost_usd", "cost_source", "priced_usd", "hold_usd", "budgets",
    "hold", "overshoot_usd", "redactions", "flagged", "restored", "ms", "prev", "hash",
}  # fmt: skip


def call(play: Playbook, **more: Any) -> None:
    """A call that has something of everything."""
    play.says(asks(text=f"to {EMAIL}", stream=True, headers={"authorization": f"Bearer {KEY}"}, **more))
    name = play.upstream.got.rpartition(b"to ")[2].partition(b'"')[0].decode()
    play.upstream.streams(ROLE, piece(f"{name} "), piece("bo.fennick@brightquill-mail.com "), STOP, BILL, DONE, b"")


def test_a_record_has_the_contracts_fields(play: Playbook, services: Services) -> None:
    """All of them, in every record, with counts and names alone."""
    call(play)
    entry = record(services)

    assert set(entry) == FIELDS
    assert set(entry["caller"]) == {"api_key_id", "user", "team", "project", "organization", "session", "source"}
    assert set(entry["served"]) == {"upstream", "provider", "model"}
    assert set(entry["attempts"][0]) == {"upstream", "outcome", "status", "ms"}
    assert set(entry["budgets"][0]) == {"name", "scope", "id", "spent_usd", "limit_usd"}
    assert set(entry["ms"]) == {"overhead", "first_content", "total"}
    assert entry["redactions"] == {"request": {"EMAIL_ADDRESS": 1}, "response": {"EMAIL_ADDRESS": 1}}
    assert (entry["restored"], entry["stream"], entry["status"]) == (1, True, 200)
    assert entry["caller"]["api_key_id"].startswith("sha256:")


def test_nothing_of_the_content_is_in_it(play: Playbook, services: Services) -> None:
    """No value, no text, no key, in the file and in what the page shows."""
    call(play)
    written = services.state.audit.read_text() + json.dumps(list(services.recent.newest_first()))

    for value in (EMAIL, "bo.fennick", KEY, "brightquill"):
        assert value not in written


def reaches_itself(start: object) -> bool:
    """Whether something that ``start`` holds on to holds on to it; what lives as long as the process is passed over."""
    seen, left = {id(start)}, [start]
    while left:
        one = left.pop()
        for held in one.__closure__ or () if isinstance(one, FunctionType) else gc.get_referents(one):
            if held is start:
                return True
            if id(held) not in seen and not isinstance(held, type | ModuleType | logging.Logger | Services):
                seen.add(id(held))
                left.append(held)
    return False


@pytest.mark.parametrize("stream", [True, False])
def test_a_call_on_record_goes_with_its_flow(play: Playbook, services: Services, stream: bool) -> None:
    """Nothing that is left of it holds on to it, or its body would stay until the collector has been through twice."""
    if stream:
        call(play)
    else:
        play.says(asks(text=f"to {EMAIL}"))
        play.upstream.says(response(200, said("hi")))
    (state,) = (
        one for one in gc.get_objects() if isinstance(one, CallState) and one.call_id == record(services)["call_id"]
    )

    assert state.body is None
    assert not reaches_itself(state)


@pytest.mark.parametrize(
    ("end", "verdict"),
    [
        (lambda play: play.upstream.says(response(200, said("hi"))), "allowed"),
        (lambda play: play.upstream.says(response(400, b"{}")), "allowed"),
        (lambda play: play.upstream.breaks(), "failed"),
        (lambda play: (play.leaves(), play.upstream.says(response(200, said("hi")))), "client_gone"),
        (lambda play: play.upstream.says(response(200, b"{")), "error"),
    ],
    ids=["allowed", "the caller's error", "failed", "client gone", "error"],
)
def test_each_end_has_one_record(
    play: Playbook, services: Services, end: Callable[[Playbook], Any], verdict: str
) -> None:
    """However a call ends, it is on record once, under its own verdict, and the chain of records holds."""
    before = len(list(read(services.state.audit))) if services.state.audit.exists() else 0
    play.says(asks("gpt-4o-mini"))
    end(play)

    assert record(services)["verdict"] == verdict
    assert len(list(read(services.state.audit))) == before + 1
    assert verify(services.state.audit) == []


def test_other_traffic_is_not_on_record(play: Playbook, services: Services) -> None:
    """What is not ours is nobody's business."""
    call(play)
    before = services.state.audit.read_bytes()
    play.client_got = b""
    play.says(request("/", b"{}", host="else.example"))
    play.upstream.says(response(200, b"{}"))

    assert services.state.audit.read_bytes() == before


def test_keys_do_not_stay_in_a_flow(play: Playbook) -> None:
    """Who saves or looks at a flow finds no credential in it."""
    call(play)
    assert play.flow

    assert KEY not in repr(play.flow.get_state())
    assert f"Bearer {KEY}".encode() in play.upstream.got


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "proxy-authorization",
        "X-Api-Key",
        "api-key",
        "x-goog-api-key",
        "Cookie",
        "x-amz-security-token",
        "Ocp-Apim-Subscription-Key",
        "sec-websocket-protocol",
        "cf-aig-authorization",
    ],
)
def test_every_header_that_carries_one_is_hidden(name: str) -> None:
    """In any spelling, each time it occurs."""
    url = f"http://h/p?key={KEY}&a=1&api_key={KEY}&access%5Ftoken={KEY}&X-Amz-Signature={KEY}&b=%20"
    sent = http.Request.make("POST", url)
    sent.headers = http.Headers([(name.encode(), KEY.encode()), (b"x-other", b"1"), (name.encode(), KEY.encode())])
    hide_credentials(sent)

    assert KEY not in repr(sent.get_state())
    assert sent.headers["x-other"] == "1"
    assert sent.query["a"] == "1"
    assert sent.path.endswith("&b=%20")


CALLS = {
    "whole": asks,
    "stream": lambda **more: asks(stream=True, **more),
    "too long": lambda **more: asks(text="x" * (33 << 20), **more)[:5000],
    "broken": lambda **more: asks(**more).replace(b'"messages"', b"messages"),
    "folded": lambda **more: asks(**more).replace(b"host:", b"x-folded: a\r\n b\r\nhost:"),
    "unfinished": lambda **more: asks(**more)[:-3],
}


@pytest.mark.parametrize("end", ["answered", "failed", "left"])
@pytest.mark.parametrize("kind", list(CALLS))
def test_no_flow_that_is_saved_has_a_key(play: Playbook, caplog: Any, kind: str, end: str) -> None:
    """However a call goes and ends, mitmproxy's own `Save`, which comes after our chain, finds no key to save."""
    saved: list[str] = []

    def save(flow: http.HTTPFlow) -> None:
        saved.append(repr(flow.get_state()))

    play.addons.append(SimpleNamespace(response=save, error=save))
    keys = {"authorization": f"Token {KEY}", "x-amz-security-token": KEY, "cookie": f"a={KEY}"}
    sent = CALLS[kind](headers=keys).replace(b"/chat/completions", f"/chat/completions?key={KEY}".encode())
    play.says(sent)
    if end == "answered" and play.upstreams:
        play.upstream.says(response(200, said("hi")))
    elif end == "failed":
        for each in play.upstreams:
            each.breaks()
    elif end == "left":
        play.leaves()
    play.passes(200)

    assert saved
    assert KEY not in "".join(saved)
    assert KEY not in caplog.text


def test_a_request_without_a_key_stays(play: Playbook) -> None:
    """Nothing to hide: nothing changes."""
    sent = http.Request.make("POST", "http://h/p?monkey=1", b"{}", {"x-other": "1"})
    before = sent.copy()
    hide_credentials(sent)

    assert sent == before or sent.get_state() == before.get_state()


@pytest.mark.parametrize("explain", [False, True])
def test_headers_that_explain(
    open_play: Callable[..., Playbook], open_services: Callable[..., Services], explain: bool
) -> None:
    """With ``explain_headers`` a reply tells cost, redactions and upstream; every reply names its call."""
    services = open_services(traffic={"explain_headers": explain})
    play = open_play(services)
    play.says(asks(text=f"to {EMAIL}"))
    play.upstream.says(response(200, said("hi")))
    headers = play.answer.headers

    assert headers["x-outwarden-call-id"] == record(services)["call_id"]
    assert ("x-outwarden-cost-usd" in headers) is explain
    if explain:
        assert headers["x-outwarden-cost-usd"] == record(services)["cost_usd"]
        assert headers["x-outwarden-redactions"] == "EMAIL_ADDRESS=1"
        assert headers["x-outwarden-upstream"] == "original"


def test_what_mitmweb_shows_beside_a_flow(play: Playbook) -> None:
    """Counts, names, cost and upstream, never a value."""
    call(play)
    assert play.flow

    assert play.flow.comment.startswith("allowed · taken out EMAIL_ADDRESS 1 · restored 1 · $")
    assert play.flow.comment.endswith("via original")


def test_a_counter_that_fails_spoils_nothing(
    play: Playbook, services: Services, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    """The call is on record; that metrics failed is in the log, without the text of the error."""

    def raising(entry: Any) -> None:
        raise RuntimeError(EMAIL)

    monkeypatch.setattr(services.metrics, "record", raising)
    play.says(asks())
    play.upstream.says(response(200, said("hi")))

    assert play.answer.body == said("hi")
    assert "metrics failed: RuntimeError" in caplog.text
    assert EMAIL not in caplog.text


def test_without_records_no_further_call_goes_out(
    play: Playbook, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record that cannot be written is written late; until then calls are refused, and the money is settled."""

    def full(entry: Any) -> None:
        raise OSError("no space left")

    before = len(list(read(services.state.audit)))
    with monkeypatch.context() as broken:
        broken.setattr(services.audit, "append", full)
        play.says(asks())
        play.upstream.says(response(200, said("hi")))
        assert play.answer.body == said("hi")
        assert sum(state.pending for state in services.ledger.states()) == 0
        play.client_got = b""
        play.says(asks())
        assert play.answer.status == 503
        assert json.loads(play.answer.body)["error"]["code"] == "audit_unavailable"
    play.client_got = b""
    play.says(asks())
    play.upstream.says(response(200, said("again")))

    assert play.answer.body == said("again")
    verdicts = [each["verdict"] for each in read(services.state.audit)][before:]
    assert verdicts == ["allowed", "refused", "allowed"]


def test_what_is_no_record_is_not_owed(play: Playbook, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that never can be written (a bug of ours) does not stop the calls after it."""

    def odd(entry: Any) -> None:
        raise ValueError("no record")

    with monkeypatch.context() as broken:
        broken.setattr(services.audit, "append", odd)
        play.says(asks())
        play.upstream.says(response(200, said("hi")))
    play.client_got = b""
    play.says(asks())
    play.upstream.says(response(200, said("again")))

    assert play.answer.body == said("again")
