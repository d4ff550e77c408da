"""Two interceptors on one database: what one found the other heeds; what a command drains, both leave alone."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest
from interceptor import OPENAI, Interceptor, chat, rules_for, trusted, until
from typer.testing import CliRunner

from outwarden.cli.app import app
from outwarden.simulate import Certificates, Script, SimulatedProvider, provider_thread
from replaying.process import program_environment

DEAD = "dead.example"
OBEY_S = 2.0  # what is promised; a test on a busy machine waits longer, and says how long it was
MODELS = "/v1/models"


@pytest.fixture(scope="module")
def spare_thread(certificates: Certificates) -> Iterator[SimulatedProvider]:
    with provider_thread(certificates) as provider:
        yield provider


@pytest.fixture
def spare(spare_thread: SimulatedProvider) -> Iterator[SimulatedProvider]:
    """Where calls go when the first fails, with nothing remembered; healthy again at the end."""
    spare_thread.clear()
    yield spare_thread
    spare_thread.script = Script()


@pytest.fixture(scope="module")
def told() -> Iterator[list[dict[str, Any]]]:
    """What the webhook was told; its address is the first."""
    messages: list[dict[str, Any]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            messages.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    messages.append({"url": f"http://127.0.0.1:{server.server_port}/"})
    yield messages
    server.shutdown()


@pytest.fixture(scope="module")
def two(
    primary: SimulatedProvider,
    spare_thread: SimulatedProvider,
    start: Any,
    told: list[dict[str, Any]],
    tmp_path_factory: pytest.TempPathFactory,
) -> list[Interceptor]:
    """Two interceptors with a state folder each, and one database; nobody listens at `DEAD`."""
    spare = {
        "url": f"https://127.0.0.1:{spare_thread.port}/v1",
        "provider": "vllm",
        "format": "openai",
        "price": {"input_mtok": 0.2, "output_mtok": 0.2},
        "trust": str(trusted(spare_thread)),
        "health": {"path": "/models", "every": "1s", "timeout": "5s", "max_fails": 1, "passes": 1},
    }
    breaker = {"max_fails": 1, "within": "30s", "cooldown": "60s"}
    routes = [
        {"name": "alone", "match": {"model": "gpt-4o-mini"}, "targets": ["spare"]},
        {"name": "rest", "targets": ["original", "spare"], "breaker": breaker},
    ]
    hook = {"url": told[0]["url"], "on": ["breaker", "paused"]}
    pair = []
    for _ in range(2):
        rules = rules_for(primary, routes={"upstreams": {"spare": spare}, "routes": routes})
        dead = {"hosts": [DEAD], "provider": "openai", "format": "openai", "connect_to": "127.0.0.1:1"}
        rules["traffic"]["intercept"].append(dead)
        rules["budgets"] = {"webhooks": [hook]}
        one = start(rules, running=False)
        one.variables = {"OUTWARDEN_DATABASE": f"sqlite:///{tmp_path_factory.getbasetemp() / 'shared-health.db'}"}
        pair.append(one.start())
    return pair


def post(outwarden: Interceptor, host: str = OPENAI, **more: Any) -> httpx.Response:
    with outwarden.http() as client:
        return client.post(f"https://{host}/v1/chat/completions", json=chat("hello", **more))


def states(outwarden: Interceptor) -> dict[str, str]:
    """What its status page says of upstreams."""
    with outwarden.http() as client:
        shown = client.get("http://outwarden.internal/status.json").json()["upstreams"]
    return {each["name"]: each["state"] for each in shown}


def command(outwarden: Interceptor, *arguments: str) -> str:
    """Run a command of ours on the state of an interceptor; what it printed."""
    line = [sys.executable, "-m", "outwarden", *arguments]
    line += ["--rules", str(outwarden.rules), "--state", str(outwarden.state)]
    environment = program_environment() | outwarden.variables
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=True, env=environment).stdout


def attempts(outwarden: Interceptor, answer: httpx.Response) -> list[tuple[str, str]]:
    return [(each["upstream"], each["outcome"]) for each in outwarden.record(answer)["attempts"]]


def rows(outwarden: Interceptor) -> dict[str, dict[str, Any]]:
    """What `outwarden upstreams` says, run here: a new process costs a second."""
    place = ["--rules", str(outwarden.rules), "--state", str(outwarden.state)]
    done = CliRunner().invoke(app, ["upstreams", "--json", *place], env=outwarden.variables)
    return {row["name"]: row for row in json.loads(done.stdout)}


def test_an_outage_is_found_by_one(
    two: list[Interceptor], spare: SimulatedProvider, told: list[dict[str, Any]]
) -> None:
    """The other goes to the spare at once, without an attempt of its own; one message tells of it; the command, too."""
    one, other = two
    place = f"original {DEAD}"
    assert attempts(one, post(one, DEAD)) == [("original", "connect"), ("spare", "ok")]
    began = time.monotonic()
    until(lambda: states(other).get(place) == "open")
    assert time.monotonic() - began < OBEY_S * 3
    assert attempts(other, post(other, DEAD)) == [("spare", "ok")]
    until(lambda: [message for message in told if message.get("upstream") == place])
    shown = rows(one)
    assert shown["original"]["state"] == "partly open"
    assert [each["name"] for each in shown["original"]["breakers"]] == [place]
    assert shown["original"]["failed"] == 1
    assert shown["spare"]["calls"] == 1
    assert shown["spare"]["first_content_ms"]["p50"] > 0


def test_a_drained_upstream_gets_no_call(
    two: list[Interceptor], spare: SimulatedProvider, told: list[dict[str, Any]]
) -> None:
    """In neither, soon after the command; what was under way ends well; where nothing is left, it is said."""
    slow = {"x-simulate": json.dumps({"text": "word " * 12, "first_content_delay_s": 0, "event_delay_s": 0.2})}
    with two[0].http() as client:
        body = chat("hello", model="gpt-4o-mini", stream=True)
        with client.stream("POST", f"https://{OPENAI}/v1/chat/completions", json=body, headers=slow) as stream:
            lines = stream.iter_lines()
            assert next(lines)
            command(two[1], "drain", "spare")
            began = time.monotonic()
            for one in two:
                until(lambda one=one: states(one).get("spare") == "drained")  # type: ignore[misc]
            assert time.monotonic() - began < OBEY_S * 3
            assert "data: [DONE]" in list(lines)
    spare.clear()
    for one in two:
        refused = post(one, model="gpt-4o-mini")
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "upstream_drained")
        assert one.record(refused)["rule"] == "upstream_drained"
        dead = post(one, DEAD)  # its breaker is open, and there is nothing else: it is tried once
        assert attempts(one, dead) == [("original", "connect")]
    assert [seen.path for seen in spare.requests] == [], "neither calls nor probes"
    assert rows(two[0])["spare"]["state"] == "drained"
    until(lambda: [message for message in told if message.get("order") == "drain"])
    outages = [message for message in told if message.get("upstream") == f"original {DEAD}"]
    assert len(outages) == 1, "of the outage before, who heard of it told nobody"
    command(two[0], "enable", "spare")
    for one in two:
        until(lambda one=one: "spare" not in states(one))  # type: ignore[misc]
        assert post(one, model="gpt-4o-mini").status_code == 200


def test_probes_find_out_before_a_call_does(two: list[Interceptor], spare: SimulatedProvider) -> None:
    """No call has failed there, and none is sent there; once it answers again, calls return."""
    spare.script = Script(status=503)
    for one in two:
        until(lambda one=one: states(one).get("spare") == "unhealthy")  # type: ignore[misc]
    spare.clear()
    answer = post(two[0])
    assert attempts(two[0], answer) == [("original", "ok")]
    assert {seen.path for seen in until(lambda: spare.requests)} == {MODELS}
    assert rows(two[1])["spare"]["state"] == "unhealthy"
    spare.script = Script()
    for one in two:
        until(lambda one=one: states(one).get("spare") in (None, "returning"))  # type: ignore[misc]
