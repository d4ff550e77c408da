"""Whoever writes, and however it ends: the file stays one chain, and what was lost shows."""

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from outwarden.audit import AuditLog, read, verify
from outwarden.errors import StateError

WRITER = """
import sys
from pathlib import Path
from outwarden.audit import AuditLog
log = AuditLog(Path(sys.argv[1]))
for number in range(200):
    log.append({"writer": sys.argv[2], "number": number})
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def test_records_come_back_in_order(path: Path) -> None:
    """What is appended is read again, with a time, and the chain holds."""
    log = AuditLog(path)
    for number in range(3):
        log.append({"number": number})

    assert [record["number"] for record in read(path)] == [0, 1, 2]
    assert all(record["ts"].endswith("Z") for record in read(path))
    assert verify(path) == []


def test_a_time_that_is_given_stays(path: Path) -> None:
    """The writer may know better when the call was."""
    AuditLog(path).append({"ts": "2026-11-21T10:00:00.000Z", "call_id": "c1"})

    assert next(read(path))["ts"] == "2026-11-21T10:00:00.000Z"


def test_a_new_start_goes_on_with_the_chain(path: Path) -> None:
    """A restart is no new beginning."""
    AuditLog(path).append({"number": 1})
    AuditLog(path).append({"number": 2})

    first, second = read(path)
    assert second["prev"] == first["hash"]
    assert verify(path) == []


def test_only_the_owner_may_read_the_file(path: Path) -> None:
    """A new audit file is 0600 from its first moment."""
    AuditLog(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_threads_share_one_chain(path: Path) -> None:
    """Eight threads with two logs of one file: every record once, the chain whole."""
    logs = [AuditLog(path), AuditLog(path)]

    def write(writer: int) -> None:
        for number in range(50):
            logs[writer % 2].append({"writer": writer, "number": number})

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({(record["writer"], record["number"]) for record in read(path)}) == 400
    assert verify(path) == []


def test_processes_share_one_chain(path: Path) -> None:
    """Three processes append at the same time: every record once, the chain whole."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(writer)], env=environment) for writer in range(3)
    ]

    assert [writer.wait(timeout=30) for writer in writers] == [0, 0, 0]
    assert len({(record["writer"], record["number"]) for record in read(path)}) == 600
    assert verify(path) == []


@pytest.mark.parametrize("cut", [1, 5, 60, 140])
def test_a_torn_line_is_ended_and_told(path: Path, cut: int) -> None:
    """After a crash in the middle of a write, the chain goes on, and a record says what happened."""
    log = AuditLog(path)
    log.append({"number": 1})
    log.append({"number": 2})
    os.truncate(path, path.stat().st_size - cut)

    AuditLog(path).append({"number": 3})

    *kept, repaired, last = read(path)
    lost_line = [] if cut == 1 else ["line 2: torn, or not a record"]
    assert [record["number"] for record in kept] == ([1, 2] if cut == 1 else [1])
    assert "torn" in repaired["repaired"]
    assert repaired["torn_bytes"] > 0
    assert last["number"] == 3
    assert verify(path) == lost_line


def test_a_torn_first_line_is_told_too(path: Path) -> None:
    """A file that holds nothing but a piece of a line begins its chain after it."""
    path.write_bytes(b'{"ts":"2026')

    AuditLog(path).append({"number": 1})

    assert verify(path) == ["line 1: torn, or not a record"]


def test_what_another_process_tore_is_repaired_while_running(path: Path) -> None:
    """The crash of one process is repaired by the next write of another."""
    log = AuditLog(path)
    log.append({"number": 1})
    with path.open("ab") as file:
        file.write(b'{"number":')
    log.append({"number": 2})

    assert [record.get("number") for record in read(path)] == [1, None, 2]
    assert verify(path) == ["line 2: torn, or not a record"]


def test_a_file_that_was_moved_away_is_followed_by_a_new_one(path: Path) -> None:
    """Log rotation: no record goes into a file that nobody finds, and both chains hold."""
    log = AuditLog(path)
    log.append({"number": 1})
    path.rename(path.with_suffix(".1"))
    log.append({"number": 2})

    assert [record["number"] for record in read(path)] == [2]
    assert verify(path) == verify(path.with_suffix(".1")) == []


def test_a_full_disk_leaves_no_torn_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that went through in part is taken back, and the caller learns of it."""
    log = AuditLog(path)
    log.append({"number": 1})
    whole = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: whole(descriptor, data[:10]))
    with pytest.raises(StateError, match=r"audit\.jsonl: the disk is full"):
        log.append({"number": 2})
    monkeypatch.undo()
    log.append({"number": 3})

    assert [record["number"] for record in read(path)] == [1, 3]
    assert verify(path) == []


def test_a_record_that_is_none_leaves_the_chain_alone(path: Path) -> None:
    """After a refused record the next one follows the last good one."""
    log = AuditLog(path)
    log.append({"number": 1})
    with pytest.raises(TypeError):
        log.append({"number": object()})
    log.append({"number": 2})

    assert [json.loads(line)["number"] for line in path.read_text().splitlines()] == [1, 2]
    assert verify(path) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """The error names the path."""
    with pytest.raises(StateError, match="nowhere"):
        AuditLog(tmp_path / "nowhere" / "audit.jsonl")


def test_a_closed_log_takes_nothing(path: Path) -> None:
    """Appending after `close` is an error, closing twice is none."""
    log = AuditLog(path)
    log.close()
    log.close()

    with pytest.raises(StateError, match="closed"):
        log.append({"number": 1})
