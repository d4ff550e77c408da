"""The page shows the state and nothing else, to those who may ask."""

import base64
import hashlib
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.errors import StoreUnavailable
from outwarden.web import Answer, RecentCalls, Snapshot, StatusApp

NASTY = '"><script>alert(1)</script>&'
MOMENT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def call(**changes: Any) -> dict[str, Any]:
    return {
        "ts": "2026-11-21T10:00:00Z",
        "call_id": "c1",
        "caller": {"user": "alice", "team": "support", "api_key_id": "sha256:00ff", "source": "10.0.0.9"},
        "provider": "openai",
        "model": "gpt-4o",
        "served": {"upstream": "original"},
        "status": 200,
        "verdict": "allowed",
        "usage": {"input_tokens": 12, "output_tokens": 3},
        "cost_usd": "0.0001",
        "redactions": {"request": {"EMAIL_ADDRESS": 2}, "response": {}},
        "ms": {"overhead": 1.25},
        "prev": "p",
        "hash": "h",
        **changes,
    }


def snapshot(*calls: dict[str, Any], **changes: Any) -> Snapshot:
    recent = RecentCalls()
    for record in calls:
        recent.add(record)
    budget = {
        "name": "key-day",
        "scope": "api_key",
        "id": "sha256:00ff",
        "limit_usd": "10",
        "posted_usd": "8.5",
        "pending_usd": "0",
        "debt_usd": "0",
        "window_end": "2026-11-22T00:00:00Z",
        "state": "warn",
    }
    values: dict[str, Any] = {"version": "1", "started_at": MOMENT, "now": MOMENT, "budgets": [budget], **changes}
    return Snapshot(recent=recent.newest_first(), **values)


def app(shown: Snapshot | None = None, ca: Path = Path("/nowhere")) -> StatusApp:
    return StatusApp(lambda: shown or snapshot(call()), lambda: "outwarden_calls_total 1\n", ca)


def get(path: str, host: str = "outwarden.internal", method: str = "GET", shown: Snapshot | None = None) -> Answer:
    return app(shown).respond(method, host, path)


def test_the_page_shows_budgets_redactions_and_calls() -> None:
    """One page: spend against limit, findings by entity, who called what."""
    body = get("/").body.decode()

    for expected in ("key-day", "8.5", "85%", "EMAIL_ADDRESS", "support", "gpt-4o", "$0.0001", "1.2 ms"):
        assert expected in body


def test_everything_is_escaped() -> None:
    """A model, a team, a budget or an upstream with markup in its name is shown as text."""
    budget = {"name": NASTY, "scope": NASTY, "id": NASTY, "limit_usd": "1", "posted_usd": "0", "state": NASTY}
    odd = call(model=NASTY, caller={"team": NASTY}, verdict=NASTY, rule=NASTY, redactions={"request": {NASTY: 1}})
    shown = snapshot(
        odd,
        budgets=[budget],
        upstreams=[{"name": NASTY, "state": NASTY}],
        rules={NASTY: {NASTY: [NASTY]}},
        version=NASTY,
    )
    body = get("/", shown=shown).body.decode()

    assert "<script" not in body
    assert body.count("&lt;script&gt;") >= 10


def test_the_policy_lets_in_only_the_style_of_the_page() -> None:
    """No script, no frame, no other host; the hash is that of the style the page carries."""
    answer = get("/")
    policy = answer.headers["Content-Security-Policy"]
    style = re.search(r"<style>(.*?)</style>", answer.body.decode(), re.DOTALL)

    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "frame-ancestors 'none'" in policy
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "http://" not in answer.body.decode()
    assert "style=" not in answer.body.decode()


def test_status_json_is_the_snapshot() -> None:
    """The same facts for programs."""
    status = json.loads(get("/status.json").body)

    assert status["budgets"][0]["name"] == "key-day"
    assert status["recent"][0]["model"] == "gpt-4o"
    assert status["started_at"] == "2026-11-21T10:00:00+00:00"


@pytest.mark.parametrize("path", ["/", "/status.json"])
def test_neither_address_nor_key_id_of_a_caller_is_shown(path: str) -> None:
    """What identifies a machine or a key of one call stays in the audit file."""
    raw = Snapshot("1", MOMENT, MOMENT, recent=[call()])  # audit records as they are, not passed through RecentCalls
    body = get(path, shown=raw).body.decode()

    assert "10.0.0.9" not in body
    assert "sha256:00ff" not in body


def test_recent_calls_are_bounded_and_newest_first() -> None:
    """The oldest call leaves when the room is full."""
    recent = RecentCalls(limit=2)
    for name in "abc":
        recent.add(call(call_id=name))

    assert [kept["call_id"] for kept in recent.newest_first()] == ["c", "b"]


@pytest.mark.parametrize(
    ("path", "content_type", "body"),
    [
        ("/healthz", "text/plain; charset=utf-8", b"ok\n"),
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8", None),
    ],
)
def test_health_and_metrics(path: str, content_type: str, body: bytes | None) -> None:
    """Two pages for machines, each with its type."""
    answer = get(path)

    assert answer.status == 200
    assert answer.headers["Content-Type"] == content_type
    assert answer.body == (body or b"outwarden_calls_total 1\n")


def test_the_ca_certificate_can_be_fetched(tmp_path: Path) -> None:
    """The certificate, byte for byte, as a download; 404 while there is none."""
    certificate = tmp_path / "ca.pem"
    missing = app(ca=certificate).respond("GET", "localhost", "/ca")
    certificate.write_bytes(b"-----BEGIN CERTIFICATE-----\n")
    answer = app(ca=certificate).respond("GET", "localhost", "/ca")

    assert missing.status == 404
    assert answer.body == b"-----BEGIN CERTIFICATE-----\n"
    assert "attachment" in answer.headers["Content-Disposition"]


@pytest.mark.parametrize(
    "host",
    ["outwarden.internal", "OUTWARDEN.INTERNAL:80", "localhost:9100", "127.0.0.1:9100", "[::1]:9100", "10.1.2.3"],
)
def test_our_names_and_addresses_are_answered(host: str) -> None:
    """A bare address cannot be pointed elsewhere, so it is as good as our names."""
    assert get("/healthz", host=host).status == 200


@pytest.mark.parametrize(
    "host", ["", "evil.example", "outwarden.internal.evil.example", "127.0.0.1.evil.example", "[", "x:y"]
)
def test_a_foreign_host_name_is_refused(host: str) -> None:
    """A name that somebody pointed at our address reads nothing (DNS rebinding)."""
    answer = get("/status.json", host=host)

    assert answer.status == 421
    assert b"key-day" not in answer.body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", ""])
def test_only_reading_is_possible(method: str) -> None:
    """Nothing can be changed here."""
    assert get("/", method=method).status == 405


def test_head_has_the_headers_and_no_body() -> None:
    """HEAD is GET without the body; the length is that of the GET."""
    head, full = get("/", method="HEAD"), get("/")

    assert head.body == b""
    assert head.headers["Content-Length"] == str(len(full.body))


@pytest.mark.parametrize("path", ["/nothing", "", "//", "/../etc/passwd", "/status.json/", "/%2e%2e/ca"])
def test_there_is_no_other_page(path: str) -> None:
    """Paths are names of pages, not of files."""
    assert get(path).status == 404


def test_a_store_that_does_not_answer_is_said_without_detail() -> None:
    """503, and nothing of the error's text."""

    def broken() -> Snapshot:
        raise StoreUnavailable("/secret/path/outwarden.db is locked")

    answer = StatusApp(broken, str, Path("/nowhere")).respond("GET", "localhost", "/")

    assert answer.status == 503
    assert b"secret" not in answer.body


class Balance(HTMLParser):
    """Counts open elements, and notes what was closed in the wrong place."""

    VOID = frozenset({"meta", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


ANY_TEXT = st.text(st.characters(), max_size=9)  # lone surrogates too: JSON can name a model so


@given(st.recursive(ANY_TEXT, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner)))
def test_the_page_is_well_formed_whatever_it_shows(value: Any) -> None:
    """Every element that is opened is closed, for any rules, upstreams and calls."""
    shown = snapshot(call(model=str(value)), rules={"room": value}, upstreams=[{"name": str(value), "state": "open"}])
    balance = Balance()
    balance.feed(get("/", shown=shown).body.decode())
    json.loads(get("/status.json", shown=shown).body)

    assert (balance.open, balance.wrong) == ([], [])
