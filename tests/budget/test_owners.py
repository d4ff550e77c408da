"""Whether the process that took a hold still lives."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from outwarden.budget.owners import SILENT_AFTER, Watch, is_alive, this_process

NOTHING = timedelta(0)
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system has no /proc")


def test_every_owner_is_another() -> None:
    """Two ledgers of one process are two owners."""
    assert this_process().id != this_process().id


@needs_proc
def test_we_live_however_long_we_were_silent() -> None:
    """A process that the system still runs is alive, without any heartbeat (a stream may take an hour)."""
    assert is_alive(this_process(), timedelta(days=3))


@needs_proc
def test_a_reused_pid_is_not_the_same_process() -> None:
    """The pid of a live process with another start time is a dead owner's, even with a fresh heartbeat."""
    assert not is_alive(replace(this_process(), started="1"), NOTHING)


@needs_proc
def test_an_ended_and_a_zombie_process_are_dead() -> None:
    """A child that ended is dead before and after it is reaped."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    stat = Path(f"/proc/{child.pid}/stat").read_text()
    owner = replace(this_process(), pid=child.pid, started=stat.rpartition(")")[2].split()[19])
    assert is_alive(owner, timedelta(days=3))
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, but not reaped
    assert not is_alive(owner, NOTHING)
    child.wait()
    assert not is_alive(owner, NOTHING)


@pytest.mark.parametrize(("silence", "alive"), [(timedelta(0), True), (SILENT_AFTER * 2, False)])
def test_elsewhere_the_heartbeat_decides(silence: timedelta, alive: bool) -> None:
    """Of another host, or where the start is unknown, only the heartbeat tells."""
    elsewhere = replace(this_process(), host="other|boot|namespace", pid=1)
    assert is_alive(elsewhere, silence) is alive
    unknown_start = replace(this_process(), started="")
    assert is_alive(unknown_start, silence) is alive


def test_a_watch_goes_by_our_own_clock() -> None:
    """However wrong the clock of another machine is, silent is who has not changed its heartbeat while we looked."""
    now, beat = [0.0], datetime(1999, 1, 1, tzinfo=UTC)
    watch = Watch(lambda: now[0])
    assert watch.silent({"a": beat, "b": beat}) == {"a": timedelta(0), "b": timedelta(0)}
    now[0] = 50
    assert watch.silent({"a": beat, "b": beat - timedelta(days=1)}) == {"a": timedelta(seconds=50), "b": timedelta(0)}
    now[0] = 70
    assert watch.silent({"a": beat}) == {"a": timedelta(seconds=70)}
    assert watch.silent({"b": beat - timedelta(days=1)}) == {"b": timedelta(0)}  # forgotten, and seen anew
