"""`outwarden run` as a process of its own, under given rules."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import outwarden.errors
from outwarden.audit import read

START_S = 60.0  # a cold start on a busy machine; warm it takes about two seconds
STOP_S = 15.0


class Process:
    """`outwarden run` in a folder of its own."""

    def __init__(self, folder: Path, rules: Mapping[str, Any]) -> None:
        self.rules = folder / "rules"
        self.state = folder / "state"
        self.folder = folder
        self.port = 0
        self.lines: list[str] = []
        self.options: list[str] = []  # further options of `outwarden run`
        self.variables: dict[str, str] = {}  # for its environment, beside the usual ones
        self._process: subprocess.Popen[str] | None = None
        self.ended_on_purpose = True
        self._began_at_line = 0
        self._reader: threading.Thread | None = None
        self._listening = threading.Event()
        write_rules(self.rules, rules)

    def start(self, *, listen: str = "127.0.0.1:0", prepare: Callable[[], None] | None = None) -> Self:
        """Start the process and wait until it listens. Raises RuntimeError with its output when it does not."""
        self.launch(listen=listen, prepare=prepare)
        if not self._listening.wait(START_S) or self.port == 0:
            self.kill()
            raise RuntimeError("the interceptor did not start:\n" + "".join(self.lines))
        return self

    def launch(self, *, listen: str = "127.0.0.1:0", prepare: Callable[[], None] | None = None) -> None:
        """Start the process and do not wait."""
        command = [sys.executable, "-m", "outwarden", "run", "--listen", listen]
        command += ["--rules", str(self.rules), "--state", str(self.state), *self.options]
        self._listening.clear()
        self._began_at_line = len(self.lines)
        self.ended_on_purpose = False
        self.port = 0
        self._process = subprocess.Popen(  # noqa: S603 (our own command)
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=program_environment() | self.variables,
            preexec_fn=prepare,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.lines.append(line)
            if line.startswith("listening on "):
                self.port = int(line.rpartition(":")[2])
                self._listening.set()
        self._listening.set()

    def wait(self, seconds: float = STOP_S) -> int:
        """Wait until the process has ended; return its exit code."""
        self.ended_on_purpose = True
        assert self._process is not None
        code = self._process.wait(seconds)
        assert self._reader is not None
        self._reader.join(5)
        return code

    def stop(self) -> int:
        """Ask the process to end; return its exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """End the process as a crash would."""
        assert self._process is not None
        self._process.kill()
        self.wait()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The number of the running process."""
        assert self._process is not None
        return self._process.pid

    @property
    def output(self) -> str:
        """Everything the process has printed."""
        return "".join(self.lines)

    @property
    def latest_output(self) -> str:
        """What it has printed since it was last started."""
        return "".join(self.lines[self._began_at_line :])

    def records(self) -> list[dict[str, Any]]:
        """The audit records so far."""
        log = self.state / "audit.jsonl"
        return list(read(log)) if log.exists() else []

    @property
    def url(self) -> str:
        """The proxy's URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ca(self) -> Path:
        """The CA file that clients trust."""
        return self.state / "ca" / "outwarden-ca-cert.pem"


def write_rules(folder: Path, rules: Mapping[str, Any]) -> None:
    """Write rule files; a value that is a string is written as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in rules.items():
        text = content if isinstance(content, str) else json.dumps(content, indent=1)  # JSON is YAML
        (folder / f"{name}.yml").write_text(text)


def program_environment() -> dict[str, str]:
    """The environment of a program of ours: this very package, and no proxy or database but the one it is told."""
    kept = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    kept.pop("OUTWARDEN_DATABASE", None)
    source_root = Path(outwarden.errors.__file__).parents[1]
    return kept | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(source_root)}
