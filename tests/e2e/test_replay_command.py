"""`scripts/replay` as a command, over a folder of invented records: good ones, bad ones, and ones to be refused."""

import base64
import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from replaying.process import program_environment

SCRIPTS = Path(__file__).parents[2] / "scripts"
EVENTS = [{"choices": [{"index": 0, "delta": {"content": word}}]} for word in ("Hello ", "to ", "you ", "there.")]
USAGE = {"prompt_tokens": 21, "completion_tokens": 34}


def record(name: str, request: bytes, reply: bytes, **more: Any) -> dict[str, Any]:
    """An invented exchange."""
    kind = "text/event-stream" if more.get("streaming") else "application/json"
    host = more.pop("host", "api.openai.com")
    message = {"fidelity": "exact", "headers": {"content-type": "application/json"}}
    return {
        "id": name,
        "provider": "acme & co",
        "endpoint": "chat/completions",
        "request": message
        | {
            "method": "POST",
            "url": f"https://{host}/v1/chat/completions",
            "body_b64": base64.b64encode(request).decode(),
        },
        "response": message
        | {"status": 200, "headers": {"content-type": kind}, "body_b64": base64.b64encode(reply).decode()},
    } | more


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of recordings."""
    asked = b'{"model": "gpt-4o", "messages": [{"role": "user", "content": "Say hello to me"}], "stream_options": null}'
    whole = {"choices": [{"message": {"content": "Hello to you."}}], "usage": USAGE}
    stream = "".join(f"data: {json.dumps(each)}\n\n" for each in [*EVENTS, {"choices": [], "usage": USAGE}])
    records: list[Any] = [
        record("whole", asked, json.dumps(whole).encode(), usage_in_body=USAGE),
        record("unknown-host", asked, json.dumps(whole).encode(), usage_in_body=USAGE, host="llm.nobody.example"),
        record("stream", asked, f"{stream}data: [DONE]\n\n".encode(), streaming=True, stream_format="sse"),
        record("no-json", b'{"model": ', b"{}"),
        record("no-host", asked, b"{}", host="-"),
        record("negative", asked, b"{}", provider="not-an-llm-api", host="telemetry.nobody.example"),
    ]
    path = tmp_path_factory.mktemp("recordings")
    (path / "any-name.jsonl.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, records)).encode()))
    return path


def replay(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    environment = program_environment()
    environment["PYTHONPATH"] = f"{SCRIPTS}:{environment['PYTHONPATH']}"
    command = [sys.executable, "-m", "replaying", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=110, env=environment)


def test_it_says_what_became_of_each_record(folder: Path) -> None:
    """Good ones in every check, what was refused with the reason, what was not played by name; two ways at a time."""
    done = replay(str(folder), "--http", "1.1", "--chunks", "1", "--jobs", "2", "--json")
    told = json.loads(done.stdout)

    assert done.returncode == 0, done.stderr
    rows = {(row["provider"], row["streaming"]): row for row in told["rows"]}
    assert rows["acme & co", False]["checks"] == {
        "request": [2, 2], "reply": [4, 4], "usage": [2, 2], "caught": [10, 10], "restored": [2, 2]
    }  # fmt: skip
    assert rows["acme & co", True]["checks"]["restored"] == [1, 1]
    assert rows["not-an-llm-api", False]["checks"] == {"request": [1, 1], "reply": [1, 1]}
    assert ("no-host", "its host is no name that a certificate can hold") in {
        (each["id"], each["reason"]) for each in told["unplayed"]
    }
    assert any("no-json" in each and "says JSON and is none" in each for each in told["explained"])
    assert (told["unexplained"], told["failed_ways"]) == ([], [])


def test_what_is_not_there_is_said(folder: Path, tmp_path: Path) -> None:
    """No folder, an empty one, no such record: exit 2 and one line."""
    for arguments in ([str(tmp_path)], [str(tmp_path / "nowhere")], [str(folder), "--id", "nobody"]):
        done = replay(*arguments)

        assert done.returncode == 2
        assert done.stderr.startswith("replay: ")
        assert len(done.stderr.splitlines()) == 1
