"""Everything the demo needs around it, for as long as it runs: providers, rules, the interceptor, the application."""

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

from outwarden.cli.environment import settings
from outwarden.cli.options import CA_CERTIFICATE
from outwarden.cli.roots import BUNDLE_NAME, write_bundle
from outwarden.errors import OutwardenError
from outwarden.simulate import SimulatedProvider, make_certificates, provider_thread

START_S_MAX = 20.0
ANSWER_S_MAX = 20.0
STOP_S_MAX = 5.0
NAMES = ("api.openai.com", "api.anthropic.com", "127.0.0.1")
# Settings of the person who runs the demo must not lead its calls elsewhere.
FOREIGN = ("OPENAI_", "ANTHROPIC_", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy", "OUTWARDEN_")


class DemoError(OutwardenError):
    """A part of the demo did not start or did not answer; the text says which."""


class Stage:
    """Sets the scene on entry; on exit, however it comes, ends every process and removes every file.

    Interceptor and application start at once and side by side; `wait` until they are ready.
    """

    def __init__(self, rules: Mapping[str, str]) -> None:
        """``rules``: rule files by name; ``{primary}``, ``{standby}`` and ``{ca}`` in them are filled in."""
        self.calls = 0
        self._rules = rules
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._set_up(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _set_up(self, stack: ExitStack) -> None:
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="outwarden-demo-")))
        self.state = self.folder / "state"
        certificates = make_certificates(self.folder / "providers", NAMES)
        self.primary: SimulatedProvider = stack.enter_context(provider_thread(certificates))
        self.standby: SimulatedProvider = stack.enter_context(provider_thread(certificates))
        rules = self._write_rules(certificates.ca)
        self._listen = f"127.0.0.1:{_free_port()}"
        self._ca = self.state / "ca" / CA_CERTIFICATE
        self.variables = settings(f"http://{self._listen}", self._ca, self.folder / BUNDLE_NAME, {})
        self._start_interceptor(stack, rules)
        self._start_app(stack)

    def _write_rules(self, ca: Path) -> Path:
        folder = self.folder / "rules"
        folder.mkdir()
        filled = {"{primary}": self.primary.address, "{standby}": self.standby.address, "{ca}": str(ca)}
        for name, text in self._rules.items():
            for mark, value in filled.items():
                text = text.replace(mark, value)
            (folder / name).write_text(text)
        return folder

    def _start_interceptor(self, stack: ExitStack, rules: Path) -> None:
        self._log = stack.enter_context((self.folder / "interceptor.log").open("w+b"))
        command = ["run", "--listen", self._listen, "--rules", str(rules), "--state", str(self.state)]
        process = _start(stack, ["-m", "outwarden", *command], _clean(os.environ), self._log)
        self._announcements = _lines(cast(IO[bytes], process.stdout))

    def _start_app(self, stack: ExitStack) -> None:
        environment = {**_clean(os.environ), **self.variables}
        log = stack.enter_context((self.folder / "app.log").open("w+b"))
        self._app = _start(stack, ["-m", "outwarden.cli.demo_app"], environment, log)
        self._answers = _lines(cast(IO[bytes], self._app.stdout))

    def wait(self) -> None:
        """Wait until the interceptor listens, and make the bundle that the application trusts. Raises DemoError."""
        deadline = time.monotonic() + START_S_MAX
        while (line := _next(self._announcements, deadline)) is not None:
            if line.startswith("listening on "):
                write_bundle(self.folder, self._ca, os.environ)
                return
        self._log.seek(0)
        raise DemoError(f"the interceptor did not start:\n{self._log.read().decode(errors='replace')[-2000:]}")

    def call(self, **wish: Any) -> Iterator[dict[str, Any]]:
        """Let the application make a call; yield what it gets, as it gets it. Raises DemoError after a while."""
        self.calls += 1
        stdin = cast(IO[bytes], self._app.stdin)
        stdin.write(json.dumps(wish).encode() + b"\n")
        stdin.flush()
        deadline = time.monotonic() + ANSWER_S_MAX
        while (line := _next(self._answers, deadline)) is not None:
            event: dict[str, Any] = json.loads(line)
            yield event
            if "piece" not in event:
                return
        raise DemoError("the application did not get an answer in time")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _clean(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(FOREIGN)}


def _start(
    stack: ExitStack, arguments: list[str], environment: Mapping[str, str], log: IO[bytes]
) -> "subprocess.Popen[bytes]":
    """Start Python; it is ended with the stack. A session of its own: Ctrl-C reaches us alone, and we end it."""
    with _uninterrupted():
        process = subprocess.Popen(  # noqa: S603  # our own interpreter and modules
            [sys.executable, *arguments],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
        stack.callback(_end, process)
    return process


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let a signal wait: one between a process's start and our note of it would leave the process behind."""
    waiting: list[int] = []
    before = {
        number: signal.signal(number, lambda number, frame: waiting.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if waiting:
            signal.raise_signal(waiting[0])


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_S_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _lines(pipe: IO[bytes]) -> "queue.SimpleQueue[str | None]":
    """Read lines in a thread, so that waiting for one can end; None after the last."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        for line in pipe:
            lines.put(line.decode(errors="replace"))
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines


def _next(lines: "queue.SimpleQueue[str | None]", deadline: float) -> str | None:
    try:
        return lines.get(timeout=max(0.0, deadline - time.monotonic()))
    except queue.Empty:
        return None
