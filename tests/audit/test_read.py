"""What was done to an audit file is found, and named by its line."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.audit import AuditLog, read, recent, verify
from outwarden.audit.chain import NO_HASH, seal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An audit file of five records, one per hour."""
    path = tmp_path / "audit.jsonl"
    log = AuditLog(path)
    for hour in range(5):
        log.append({"ts": f"2026-11-21T{hour:02}:00:00.000Z", "cost_usd": "0.0125", "call_id": f"c{hour}"})
    return path


def rewrite(path: Path, lines: list[bytes]) -> None:
    path.write_bytes(b"".join(lines))


def test_an_untouched_file_holds(path: Path) -> None:
    """Nothing done, nothing found."""
    assert verify(path) == []


def test_a_changed_line_is_found(path: Path) -> None:
    """One digit of a cost is enough."""
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b"0.0125", b"0.0025")
    rewrite(path, lines)

    assert verify(path) == ["line 3: changed after it was written"]


def test_a_changed_line_with_a_new_hash_is_found(path: Path) -> None:
    """Whoever seals a changed line again breaks the link to the next."""
    lines = path.read_bytes().splitlines(keepends=True)
    prev = next(record for record in read(path) if record["call_id"] == "c2")["prev"]
    lines[2], _ = seal({"ts": "2026-11-21T02:00:00.000Z", "cost_usd": "0", "call_id": "c2"}, prev)
    rewrite(path, lines)

    assert [problem.split(":")[0] for problem in verify(path)] == ["line 4"]


@pytest.mark.parametrize("missing", range(4))
def test_a_missing_line_is_found(path: Path, missing: int) -> None:
    """The line after the gap does not follow the one before; at the beginning, too."""
    lines = path.read_bytes().splitlines(keepends=True)
    del lines[missing]
    rewrite(path, lines)

    (problem,) = verify(path)
    assert problem.startswith(f"line {missing + 1}: does not follow")


def test_exchanged_lines_are_found(path: Path) -> None:
    """Order is part of the proof."""
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1], lines[3] = lines[3], lines[1]
    rewrite(path, lines)

    assert [problem.split(":")[0] for problem in verify(path)] == ["line 2", "line 3", "line 4", "line 5"]


def test_a_line_of_another_file_is_found(path: Path) -> None:
    """A record that is whole in itself has no place here."""
    lines = path.read_bytes().splitlines(keepends=True)
    lines.insert(2, seal({"call_id": "forged"}, NO_HASH)[0])
    rewrite(path, lines)

    assert [problem.split(":")[0] for problem in verify(path)] == ["line 3", "line 4"]


def test_a_torn_last_line_is_found(path: Path) -> None:
    """A line without its end is named, before anybody repairs it."""
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])

    assert verify(path) == ["line 5: torn, or not a record"]


def test_an_absent_file_is_a_problem_and_has_no_records(tmp_path: Path) -> None:
    """Somebody may have removed it."""
    assert verify(tmp_path / "audit.jsonl") == [f"{tmp_path / 'audit.jsonl'}: no audit file"]
    assert list(read(tmp_path / "audit.jsonl")) == []


def test_since_is_a_moment_in_any_zone(path: Path) -> None:
    """Records from that moment on, it included; a moment without a zone is UTC."""
    assert [record["call_id"] for record in read(path, datetime(2026, 11, 21, 3, tzinfo=UTC))] == ["c3", "c4"]
    assert [record["call_id"] for record in read(path, datetime(2026, 11, 21, 4))] == ["c4"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=6))
def test_any_file_can_be_read_and_checked(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    """Garbage is reported, never a crash."""
    path = tmp_path_factory.mktemp("audit") / "audit.jsonl"
    path.write_bytes(b"\n".join(lines))

    assert list(read(path)) == []
    assert len(verify(path)) == path.read_bytes().count(b"\n") + (path.read_bytes()[-1:] not in (b"", b"\n"))


def test_the_end_of_a_long_file_is_found_by_halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same records as if all were read, from any moment on, whatever is torn or out of order in between."""
    path, start = tmp_path / "audit.jsonl", datetime(2026, 11, 27, tzinfo=UTC)
    log = AuditLog(path)
    for number in range(300):
        late = -30 if number % 7 == 0 else 0  # it took its time before others, and its turn after them
        log.append({"ts": (start + timedelta(seconds=10 * number + late)).isoformat(), "number": number})
    log.close()
    whole = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(line[:40] + b"\n" if at == 150 else line for at, line in enumerate(whole)))
    monkeypatch.setattr(sys.modules["outwarden.audit.read"], "LINE_BYTES_MAX", 1000)
    for seconds in (-100, 0, 5, 777, 1490, 1500, 2990, 5000):
        since = start + timedelta(seconds=seconds)
        assert list(recent(path, since)) == list(read(path, since))
    assert list(recent(tmp_path / "none", start)) == []
