"""Messages arrive, late rather than never, within bounds; nobody waits for them, and no address is in a log."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from outwarden.budget.webhooks import Webhook
from outwarden.errors import StateError
from outwarden.observe import webhooks as module
from outwarden.observe.webhooks import QUEUE_MAX, Webhooks, escaped

ALL = frozenset({"warn", "exceeded", "paused", "breaker"})
Until = Callable[[Callable[[], bool]], None]


class Receiver:
    """A server on this machine that notes what it is told and answers as it should."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []  # for the next requests; then 200
        self.gate = threading.Event()
        self.gate.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                receiver.gate.wait(10)
                receiver.bodies.append(body | {"path": self.path, "kind": self.headers["content-type"]})
                status, headers = receiver.answers.pop(0) if receiver.answers else (200, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/services/T0/hunter2?x=1"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setattr(module, "WAITS_S", (0.02, 0.04, 0.08, 0.16))
    opened = Receiver()
    yield opened
    opened.close()


@pytest.fixture
def hooks(receiver: Receiver) -> Iterator[Webhooks]:
    """One webhook for everything, by reference."""
    opened = Webhooks({"env:HOOK": receiver.url}.__getitem__)
    opened.configure([Webhook("env:HOOK", ALL)])
    yield opened
    opened.close()


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_slack_reads(hooks: Webhooks, receiver: Receiver) -> None:
    """JSON with a text, and fields beside it for other readers."""
    hooks.tell("warn", "Budget 'a' has passed 80%", {"budget": "a", "limit_usd": "2"})
    until(lambda: len(receiver.bodies) == 1)
    assert receiver.bodies == [
        {"text": "Budget 'a' has passed 80%", "event": "warn", "budget": "a", "limit_usd": "2",
         "path": "/services/T0/hunter2?x=1", "kind": "application/json"}
    ]  # fmt: skip


def test_only_what_it_is_for(receiver: Receiver) -> None:
    """Each webhook is told of its own events."""
    hooks = Webhooks(lambda reference: receiver.url)
    hooks.configure([Webhook("env:A", frozenset({"warn"})), Webhook("env:B", frozenset({"exceeded", "paused"}))])
    for event in ("warn", "exceeded", "paused", "breaker"):
        hooks.tell(event, event, {})  # type: ignore[arg-type]
    hooks.close()
    assert sorted(body["text"] for body in receiver.bodies) == ["exceeded", "paused", "warn"]


def test_names_cannot_call_a_channel() -> None:
    """What a caller named itself is text."""
    assert escaped("<!channel> & <https://x|y>") == "&lt;!channel&gt; &amp; &lt;https://x|y&gt;"


@pytest.mark.parametrize("answer", [(500, {}), (503, {}), (429, {}), (429, {"retry-after": "0"})])
def test_it_is_tried_again(hooks: Webhooks, receiver: Receiver, answer: tuple[int, dict[str, str]]) -> None:
    """An address that is busy or broken gets the message when it is well."""
    receiver.answers = [answer] * 3
    hooks.tell("warn", "x", {})
    until(lambda: len(receiver.bodies) == 4)


@pytest.mark.parametrize("status", [301, 400, 403, 404, 410])
def test_a_refusal_is_final(hooks: Webhooks, receiver: Receiver, caplog: Any, status: int) -> None:
    """What is refused is not sent again or elsewhere, the log says so without the address, and the next one goes."""
    receiver.answers = [(status, {"location": "http://127.0.0.1:1/elsewhere"})]
    hooks.tell("warn", "first", {})
    hooks.tell("warn", "second", {})
    until(lambda: [body["text"] for body in receiver.bodies] == ["first", "second"])
    assert f"webhook env:HOOK: a message was not taken: status {status}" in caplog.text
    assert "hunter2" not in caplog.text


def test_tries_are_bounded(hooks: Webhooks, receiver: Receiver, caplog: Any) -> None:
    """After five a message is given up, and said to be."""
    receiver.answers = [(500, {})] * 5
    hooks.tell("warn", "lost", {})
    hooks.tell("warn", "kept", {})
    until(lambda: [body["text"] for body in receiver.bodies] == ["lost"] * 5 + ["kept"])
    assert "status 500" in caplog.text


def test_nobody_waits(hooks: Webhooks, receiver: Receiver) -> None:
    """However slow the other side is, telling takes no time."""
    receiver.gate.clear()
    begin = time.monotonic()
    for number in range(500):
        hooks.tell("warn", str(number), {})
    assert time.monotonic() - begin < 0.5
    receiver.gate.set()
    until(lambda: len(receiver.bodies) == 500)
    assert [body["text"] for body in receiver.bodies] == [str(number) for number in range(500)]


def test_what_waits_is_bounded(hooks: Webhooks, receiver: Receiver, caplog: Any) -> None:
    """The oldest goes, and the log says so."""
    receiver.gate.clear()
    for number in range(QUEUE_MAX + 50):
        hooks.tell("warn", str(number), {})
    (line,) = hooks._lines.values()
    assert len(line._waiting) == QUEUE_MAX
    assert "the oldest message is dropped" in caplog.text


def test_the_end_waits_for_what_is_under_way(hooks: Webhooks, receiver: Receiver) -> None:
    """What was told before the end arrives."""
    for number in range(20):
        hooks.tell("exceeded", str(number), {})
    hooks.close()
    assert len(receiver.bodies) == 20


def test_the_end_is_bounded(hooks: Webhooks, receiver: Receiver, caplog: Any) -> None:
    """An address that hangs does not keep the program from ending."""
    receiver.gate.clear()
    hooks.tell("exceeded", "x", {})
    begin = time.monotonic()
    hooks.close(within_s=0.2)
    assert time.monotonic() - begin < 2
    assert "1 messages were not sent before the end" in caplog.text


def test_nobody_there(caplog: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed port is one line in the log, with no address in it."""
    monkeypatch.setattr(module, "WAITS_S", (0.01, 0.01))
    hooks = Webhooks(lambda reference: "http://127.0.0.1:9/hunter2")
    hooks.configure([Webhook("env:HOOK", ALL)])
    hooks.tell("warn", "x", {})
    hooks.close()
    assert "webhook env:HOOK: a message was not taken: ConnectionRefusedError" in caplog.text
    assert "hunter2" not in caplog.text


def test_a_reference_to_nothing(caplog: Any) -> None:
    """Said at once, and nothing else is lost by it."""

    def unset(reference: str) -> str:
        raise StateError(f"{reference}: not set, or not one line of printable characters")

    hooks = Webhooks(unset)
    hooks.configure([Webhook("env:HOOK", ALL)])
    hooks.tell("warn", "x", {})
    hooks.close()
    assert "webhook: env:HOOK: not set" in caplog.text


def test_a_reference_to_no_address(caplog: Any) -> None:
    """What it holds is not shown."""
    hooks = Webhooks(lambda reference: "hunter2")
    hooks.configure([Webhook("env:HOOK", ALL)])
    hooks.close()
    assert "no http or https address" in caplog.text
    assert "hunter2" not in caplog.text


def test_other_rules(hooks: Webhooks, receiver: Receiver) -> None:
    """A webhook that goes still sends what waits; one that stays keeps its queue; a new one is told from now on."""
    hooks.tell("warn", "old", {})
    hooks.configure([Webhook("env:HOOK", frozenset({"paused"}))])
    hooks.tell("warn", "not told", {})
    hooks.tell("paused", "new", {})
    until(lambda: sorted(body["text"] for body in receiver.bodies) == ["new", "old"])
