"""The demo shows what it promises with real processes, ends by itself, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from outwarden.cli.app import app

ADDONS = Path(__file__).parents[2] / "addons"
DEMO_S_MAX = 90  # 10 s alone on a small machine; a test run is not alone


@pytest.fixture
def marked(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An environment by which every process of the demo can be found, with a folder of its own for temporary files."""
    mark = uuid.uuid4().hex
    yield {**os.environ, "PYTHONPATH": str(ADDONS), "TMPDIR": str(tmp_path), "MARK": mark}
    assert processes(mark) == []
    assert list(tmp_path.iterdir()) == []


def processes(mark: str) -> list[str]:
    """The processes that were started with ``mark`` in their environment; Linux alone can tell."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes() and (folder / "cmdline").read_bytes():
                found.append(folder.name)
        except OSError:
            continue  # it has ended, or is not ours
    return found


ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells which processes are left")


@ON_LINUX
def test_the_demo_plays_all_scenes(marked: dict[str, str]) -> None:
    """Not on a terminal: exit code 0, each scene seen, no processes and no files left."""
    command = [sys.executable, "-m", "outwarden", "demo"]
    shown = subprocess.run(command, env=marked, capture_output=True, text=True, timeout=DEMO_S_MAX)

    assert shown.returncode == 0, shown.stderr
    for expected in (
        "what the app sent",
        "[EMAIL_ADDRESS_",
        "the app gets: Summarise for mara.lindqvist@fjordpost.se",
        "429 budget_exceeded",
        "standby",
        "the chain of hashes verifies",
    ):
        assert expected in shown.stdout


@ON_LINUX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_can_be_stopped_at_any_time(number: signal.Signals, marked: dict[str, str]) -> None:
    """Ctrl-C and SIGTERM while the interceptor starts: everything is ended and removed all the same."""
    command = [sys.executable, "-m", "outwarden", "demo"]
    with subprocess.Popen(command, env=marked, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + DEMO_S_MAX
        while len(processes(marked["MARK"])) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)  # the demo, the interceptor
        process.send_signal(number)
        _, error = process.communicate(timeout=DEMO_S_MAX)

    assert process.returncode == 130
    assert "nothing was left behind" in error


def test_without_the_sdks_it_says_what_installs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1 and the one command, before anything is started."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = CliRunner().invoke(app, ["demo"])

    assert result.exit_code == 1
    assert "pip install 'outwarden[demo]'" in result.stderr
