"""Codex and Claude Code as people run them, in a folder with a customer's data, and a model that has them look at it.

They get exactly what `outwarden env` prints and talk to the providers' real host names.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from interceptor import CARD, EMAIL, IBAN, Interceptor, program_environment

from outwarden.simulate import Received, Script, ToolCall

AGENTS = Path(__file__).parents[2] / ".clients"
AGENT_S = 90.0
QUESTION = "What is in customer.txt?"
CODEX_HOST = "chatgpt.com"  # where Codex asks for its list of models, whatever key it has

# Invented. The interceptor takes out each of them; the agent's user gets each of them back.
PHONE = "+49 30 23125741"
API_KEY = "ghp_A7kQ2mZ9xW4vR8tY1uB6nC3dE5fG0hJ2kL4p"
VALUES = [EMAIL, CARD, PHONE, IBAN, API_KEY]
CUSTOMER = "name: Ada\nmail: {}\ncard: {}\nphone: {}\niban: {}\ntoken: {}\n".format(*VALUES)
COMMAND = "cat customer.txt"

Run = Callable[..., str]


def codex_tools(command: str) -> tuple[ToolCall, ...]:
    """A command as Codex's tools take it: what it offers depends on the model, scripts that call tools or the shell."""
    return (
        ToolCall("exec", f"const done = await tools.exec_command({{cmd: {json.dumps(command)}}}); text(done.output);"),
        ToolCall("exec_command", json.dumps({"cmd": command})),
        ToolCall("shell_command", json.dumps({"command": command})),
        ToolCall("shell", json.dumps({"command": ["sh", "-c", command]})),
    )


def agent(*places: str) -> Path:
    """The program of an agent, at the first of these places under `.clients` that exists; skips where none does."""
    for place in places:
        if found := sorted((AGENTS / "node_modules").glob(place)):
            return found[0]
    pytest.skip(f"{places[0]} is not installed for {platform.machine()}: run ./scripts/clients")


def printed_settings(interceptor: Interceptor) -> dict[str, str]:
    """What `outwarden env` prints for this interceptor, and nothing else of ours."""
    command = [sys.executable, "-m", "outwarden", "env", "--json", "--listen", f"127.0.0.1:{interceptor.port}"]
    command += ["--state", str(interceptor.state), "--rules", str(interceptor.rules)]
    environment = program_environment()
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=environment)
    return dict(json.loads(done.stdout))


def at_work(settings: dict[str, str], folder: Path) -> Run:
    """Run an agent in ``folder/work``, with a customer's data, at home in an empty one; returns what it prints."""
    home, work = folder / "home", folder / "work"
    home.mkdir()
    work.mkdir()
    (work / "customer.txt").write_text(CUSTOMER)

    def agent_run(*command: str | Path, **variables: str) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"} | settings | variables
        done = subprocess.run(
            command, cwd=work, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=AGENT_S,
        )  # fmt: skip
        assert done.returncode == 0, f"exit code {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    return agent_run


def codex(run: Run, *resume: str) -> list[dict[str, Any]]:
    """Let Codex look into the file, in a new session or a resumed one; its events."""
    program = agent("@openai/codex-*/vendor/*/bin/codex")
    options = ["exec", "--json", "--skip-git-repo-check", "--sandbox", "danger-full-access", *resume]
    printed = run(program, *options, QUESTION, CODEX_API_KEY="simulated-key")
    return [json.loads(line) for line in printed.splitlines()]


def claude(run: Run, *resume: str) -> dict[str, Any]:
    """Let Claude Code look into the file, in a new session or a resumed one; its result."""
    program = agent("@anthropic-ai/claude-code-*/claude")
    options = ["-p", QUESTION, "--output-format", "json", "--allowedTools", "Read,Bash", *resume]
    return dict(json.loads(run(program, *options, ANTHROPIC_API_KEY="simulated-key")))


def without_websocket(script: Callable[[Received], Script]) -> Callable[[Received], Script]:
    """The same, but no WebSocket is to be had: clients that would like one have to fall back."""
    return lambda received: Script(upgrade=426) if received.upgrades else script(received)
