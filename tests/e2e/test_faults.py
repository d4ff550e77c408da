"""A bug in any hook or stage: the client gets an error in its own format, nothing unredacted leaves, nothing hangs."""

import itertools
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import faulty_outwarden
import httpx
import pytest
from chatting import connected
from interceptor import ANTHROPIC, EMAIL, OPENAI, Interceptor, assert_clean, chat, message, rules_for, trusted, until
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from outwarden.simulate import Script, SimulatedProvider
from replaying import process

POINTS = [*faulty_outwarden.hooks(), *faulty_outwarden.STAGES]
SOCKET_POINTS = [*faulty_outwarden.hooks(*faulty_outwarden.SOCKET_HOOKS), *faulty_outwarden.SOCKET_STAGES]

# Where a failure does no harm, the client gets its answer, restored.
HARMLESS = {
    "PassThrough.tls_clienthello",
    "StreamReply.server_disconnected",
    "StreamReply.client_disconnected",
    "Metrics.record",
}
# Where nobody can write an answer: the connection is refused or torn.
TORN = {
    "PassThrough.http_connect",
    "IdentifyCall.http_connect",
    "CallLayer.make_stream",
    "CallLayer.get_connection",
    "take_over",
}
# Where the answer comes before the request has been read: some clients see it, some a torn connection.
EARLY = {"Upload.check_invalid", "Upload._refuse_length", "fault_of"}
# Where the client has its answer already: what is held stays held, and the log tells.
AFTERWARDS = {
    "ChargeBudget.call_end",
    "WriteAudit.call_end",
    "Price.cost",
    "Ledger.post",
    "Purse.settle",
    "RecentCalls.add",
    "record",
}
# What a call must meet to come to a point that good calls do not pass.
CUT = Script(cut_after=3)
REFUSED = "my key is sk-proj-" + "aB3" * 16
MEETS: dict[str, str] = {
    **dict.fromkeys(["RestorePii.error", "ChargeBudget.error", "WriteAudit.error"], "cut"),
    **dict.fromkeys(["Mixed.refuse_event", "Trip.stop", "Ending._on_upstream_lost", "Ending._break_off"], "cut"),
    **dict.fromkeys(["Mixed.refuse"], "refused"),
    **dict.fromkeys(["Ledger.void", "Trip.fail", "Ending._answer", "StreamReply.server_connect_error"], "closed"),
}
ERRORS = ("outwarden_error", "upstream_cut", "upstream_unreachable")

_numbers = itertools.count()  # each text is a new one: what was scanned before is not scanned again


@dataclass(frozen=True)
class Api:
    """How a client speaks to one provider."""

    host: str
    path: str
    body: dict[str, Any]
    headers: dict[str, str]

    def text(self, answer: httpx.Response) -> str:
        """What the answer says."""
        if not answer.headers["content-type"].startswith("text/event-stream"):
            data = answer.json()
            return str(data["choices"][0]["message"]["content"] if "choices" in data else data["content"][0]["text"])
        said = []
        for data in events(answer):
            delta = (data.get("choices") or [{}])[0].get("delta") or data.get("delta") or {}
            said.append(delta.get("content") or delta.get("text") or "")
        return "".join(said)

    def error(self, answer: httpx.Response) -> str | None:
        """The code of the error that the answer is or ends with, in this provider's shape; None for a good one."""
        whole = answer.status_code != 200
        errors = [answer.json()] if whole else [data for data in events(answer) if "error" in data]
        if not errors:
            return None
        if self.host != ANTHROPIC:
            return str(errors[-1]["error"]["code"])
        assert errors[-1]["type"] == "error"
        assert errors[-1]["error"]["type"]
        return str(errors[-1]["error"]["message"]).partition(":")[0]


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    """The JSON events of a stream."""
    return [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]


APIS = [
    Api(OPENAI, "/v1/chat/completions?trace=1", chat(""), {"authorization": "Bearer simulated"}),
    Api(ANTHROPIC, "/v1/messages?trace=1", message(""), {"anthropic-version": "2023-06-01", "x-api-key": "simulated"}),
]


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that names the armed fault."""
    file = tmp_path_factory.mktemp("control") / "fault"
    file.write_text("")
    return file


@pytest.fixture(scope="module")
def outwarden(
    primary: SimulatedProvider, control: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Interceptor]:
    """One interceptor with every fault built in and none armed."""
    rules = rules_for(primary, budgets={"budgets": [{"name": "all", "scope": "all", "limit_usd": 1000}]})
    for host, format_ in (("closed-openai.example", "openai"), ("closed-anthropic.example", "anthropic")):
        entry = {"hosts": [host], "provider": format_, "format": format_, "connect_to": "127.0.0.1:9"}
        rules["traffic"]["intercept"].append(entry | {"trust": str(trusted(primary))})
    folder = tmp_path_factory.mktemp("faulty")
    program = folder / "python"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{faulty_outwarden.__file__}" "$@"\n')
    program.chmod(0o755)
    one = Interceptor(folder, rules)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "sys", SimpleNamespace(executable=str(program)))
        patch.setenv(faulty_outwarden.CONTROL, str(control))
        one.start()
    yield one
    assert one.stop() == 0
    assert one.leaks() == []


@pytest.fixture
def armed(control: Path) -> Iterator[Path]:
    """The control file; disarmed at the end."""
    control.with_name("passed").write_text("")
    yield control
    control.write_text("")


def short(point: str) -> str:
    """The part of a fault point's name that tells it apart."""
    return point.partition(":")[2]


@pytest.fixture(scope="module")
def well(outwarden: Interceptor) -> Iterator[httpx.Client]:
    """A client that calls when no fault is armed."""
    with outwarden.http(timeout=10) as client:
        yield client


@pytest.mark.parametrize("point", POINTS, ids=short)
def test_a_bug_anywhere_harms_nobody(
    outwarden: Interceptor, well: httpx.Client, provider: SimulatedProvider, armed: Path, point: str
) -> None:
    """For each API, whole and streamed: an error in its own shape, or the right answer; then all is well again."""
    met = MEETS.get(short(point), "")
    armed.write_text(point)
    with outwarden.http(timeout=10) as client:
        shapes = itertools.product(APIS, [False, True] if met in ("", "closed") else [True])
        found = {one_call(client, provider, api, stream, met) for api, stream in shapes}
    until(lambda: point in armed.with_name("passed").read_text().split())  # else the fault did not happen
    armed.write_text("")

    assert_clean(provider)
    if short(point) in HARMLESS | AFTERWARDS:
        assert found == {None}
    elif short(point) in TORN:
        assert found == {"torn"}
    else:
        assert found - {None}, "nobody was told"
        assert found <= {None, *ERRORS} | ({"torn"} if met == "cut" or short(point) in EARLY else set())
    assert one_call(well, provider, APIS[0], False, "") is None


@pytest.mark.parametrize("point", SOCKET_POINTS, ids=short)
def test_a_bug_on_a_websocket_harms_nobody(
    outwarden: Interceptor, provider: SimulatedProvider, armed: Path, point: str
) -> None:
    """An error event, a refused handshake or a closed connection, at once; the next connection is well."""
    armed.write_text(point)
    found = {one_talk(outwarden)}
    until(lambda: point in armed.with_name("passed").read_text().split())
    armed.write_text("")

    assert_clean(provider)
    assert found <= ({None} if short(point) == "Purse.settle" else {"outwarden_error", "refused", "closed"})
    assert one_talk(outwarden) is None


def one_talk(outwarden: Interceptor) -> str | None:
    """Two turns over a WebSocket; what became of them: None where both got their answer, restored."""
    headers = {"authorization": "Bearer simulated-key"}
    options: Any = {"ssl": outwarden.trust(), "proxy": outwarden.url, "additional_headers": headers}
    try:
        with connected(f"wss://{OPENAI}/v1/responses", open_timeout=10, close_timeout=1, **options) as client:
            for _ in range(2):
                text = f"Please write to {EMAIL} today, number {next(_numbers)}."
                client.send(json.dumps({"type": "response.create", "model": "gpt-4o", "input": text}))
                said = ""
                while (event := json.loads(client.recv(10)))["type"] != "response.completed":
                    if event["type"] == "error":
                        return str(event["error"]["code"])
                    said += event["delta"] if event["type"] == "response.output_text.delta" else ""
                assert said == text
    except InvalidStatus:  # the handshake was answered by an error
        return "refused"
    except (ConnectionClosed, InvalidMessage, EOFError):
        return "closed"
    return None


def one_call(client: httpx.Client, provider: SimulatedProvider, api: Api, stream: bool, met: str) -> str | None:
    """Send a call; return the code of the error it got, "torn", or None for the right answer, restored."""
    text = f"Please write to {EMAIL} today, number {next(_numbers)}." + (f" {REFUSED}" if met == "refused" else "")
    if met == "cut":
        provider.queue(CUT)
    body = api.body | {"stream": stream, "messages": [{"role": "user", "content": text}]}
    kind = "anthropic" if api.host == ANTHROPIC else "openai"
    host = f"closed-{kind}.example" if met == "closed" else api.host
    try:
        answer = client.post(f"https://{host}{api.path}", json=body, headers=api.headers)
    except (httpx.RemoteProtocolError, httpx.ProxyError, httpx.ConnectError, httpx.ReadError):
        return "torn"
    error = api.error(answer)
    if error is None:
        assert api.text(answer) == text
    return error
