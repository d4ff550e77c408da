"""`outwarden scan` answers every line in order, redacts as the interceptor does, and shows nothing of a broken line."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from outwarden.cli.app import app
from outwarden.cli.scanner import LineError, Scanner, read_line
from outwarden.pii import Direction, PiiPolicy

EMAIL = "jonas.weber@quarzbach-logistik.de"
SCANNER = Scanner(PiiPolicy(), b"0" * 32)


def run(stdin: str | bytes, tmp_path: Path) -> tuple[int, list[dict[str, Any]]]:
    result = CliRunner().invoke(app, ["scan", "--state", str(tmp_path / "state")], input=stdin)
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


def test_each_line_gets_its_answer(tmp_path: Path) -> None:
    """Redacted text and spans in code points, in the order of the lines, blank lines left out."""
    lines = [{"text": f"🙂 mail {EMAIL}!", "direction": "request"}, {"text": "nothing here"}]
    code, answers = run("\n".join(map(json.dumps, lines)) + "\n\n", tmp_path)
    (span,) = answers[0]["spans"]

    assert code == 0
    assert lines[0]["text"][span["start"] : span["end"]] == EMAIL
    assert (span["entity"], span["action"]) == ("EMAIL_ADDRESS", "pseudonymize")
    assert 0 < span["score"] <= 1
    assert answers[0]["text"].startswith("🙂 mail [EMAIL_ADDRESS_")
    assert answers[0]["text"].endswith("]!")
    assert answers[1] == {"text": "nothing here", "spans": []}


def test_the_direction_chooses_the_rules(tmp_path: Path) -> None:
    """What is new in a reply is masked, by the shipped rules."""
    code, answers = run(json.dumps({"text": EMAIL, "direction": "response"}), tmp_path)

    assert code == 0
    assert answers[0]["text"] == "[EMAIL_ADDRESS]"
    assert answers[0]["spans"][0]["action"] == "mask"


def test_names_stay_the_same_over_runs(tmp_path: Path) -> None:
    """The same state folder gives the same pseudonym, another one another."""
    line = json.dumps({"text": EMAIL})
    first, again, other = (run(line, tmp_path / name)[1] for name in ("a", "a", "b"))

    assert first == again
    assert first != other


def test_a_refused_value_is_not_in_the_redacted_text(tmp_path: Path) -> None:
    """The action refuse refuses a call; a scanned text carries the value no further either."""
    key = "sk-ant-api03-" + "Zq8xKw3v" * 11 + "-9fQd7gAA"
    _, answers = run(json.dumps({"text": f"the key is {key}"}), tmp_path)

    assert key not in answers[0]["text"]
    assert answers[0]["spans"][0]["action"] == "refuse"


@pytest.mark.parametrize(
    "line",
    [
        b"not JSON erika.muster",
        b"[1]",
        b"{}",
        b'{"text": 7}',
        b'{"text": "a", "direction": "sideways"}',
        b'{"text": "a", "direction": ["request"]}',
        b'{"text": "\xff"}',
        b"[" * 100_000,
    ],
)
def test_a_broken_line_is_said_and_the_rest_is_done(line: bytes, tmp_path: Path) -> None:
    """An error object with the line's number, nothing of the line, the others answered, exit code 1."""
    code, answers = run(b'{"text": "a"}\n\n' + line + b'\n{"text": "b"}', tmp_path)

    assert code == 1
    assert [answer.get("text") for answer in answers] == ["a", None, "b"]
    assert answers[1]["error"].startswith("line 3: ")
    assert "erika" not in answers[1]["error"]


@given(st.text(max_size=60), st.sampled_from(["request", "response"]))
def test_spans_and_text_agree(text: str, direction: Direction) -> None:
    """What is outside the spans is unchanged, in any text, lone surrogates included."""
    answer = SCANNER.scan(text + f" {EMAIL}\ud800 ", direction)
    original = text + f" {EMAIL}\ud800 "
    rest, at = answer["text"], 0
    for span in answer["spans"]:
        kept = original[at : span["start"]]
        assert rest.startswith(kept)
        rest, at = rest[len(kept) :].partition("]")[2], span["end"]

    assert EMAIL not in answer["text"]
    assert rest == original[at:]


@given(st.binary(max_size=80))
def test_any_line_is_read_or_refused(line: bytes) -> None:
    """No other exception comes out."""
    try:
        text, direction = read_line(line)
    except LineError:
        return
    assert isinstance(text, str)
    assert direction in ("request", "response")


def test_one_line_is_answered_before_the_next_is_written(tmp_path: Path) -> None:
    """A program that writes a line and waits for its answer gets it."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "addons")}
    command = [sys.executable, "-m", "outwarden", "scan", "--state", str(tmp_path / "state")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for text in ("a", "b"):
            process.stdin.write(json.dumps({"text": text}).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline()) == {"text": text, "spans": []}
        process.stdin.close()
        assert process.wait(20) == 0
