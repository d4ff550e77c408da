"""A new key takes over at one moment for all, and the one before it is known for as long as was said."""

import json
import stat
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import pytest

from outwarden.errors import StateError
from outwarden.rules import StateFolder
from outwarden.rules.key_ring import KEY_BYTES, KEYS_MAX, TAKES_OVER_AFTER, Key, KeyRing, read_ring

NOW = datetime(2026, 12, 1, tzinfo=UTC)
DAY = timedelta(days=1)
FIRST, SECOND = b"1" * KEY_BYTES, b"2" * KEY_BYTES


def test_one_key_is_a_ring() -> None:
    """The file of an older version stays as it is."""
    ring = read_ring(FIRST)

    assert ring.current(NOW).secret == FIRST
    assert ring.others(NOW) == ()
    assert ring.to_bytes() == FIRST


def test_the_new_key_waits_for_all_to_know_it() -> None:
    """Before it takes over it is known; after that the former one is, until its overlap ends."""
    ring = KeyRing((Key(FIRST),)).rotated(SECOND, DAY, NOW)
    over = NOW + TAKES_OVER_AFTER

    assert ring.secrets(NOW) == (FIRST, SECOND)
    assert ring.secrets(over - timedelta(milliseconds=1)) == (FIRST, SECOND)
    assert ring.secrets(over) == (SECOND, FIRST)
    assert ring.secrets(over + DAY - timedelta(milliseconds=1)) == (SECOND, FIRST)
    assert ring.secrets(over + DAY) == (SECOND,)
    assert ring.without_expired(over + DAY).keys == ring.keys[1:]


def test_no_overlap_ends_the_former_key_at_once() -> None:
    """Until the new one takes over it is in use all the same."""
    ring = KeyRing((Key(FIRST),)).rotated(SECOND, timedelta(), NOW)

    assert ring.secrets(NOW) == (FIRST, SECOND)
    assert ring.secrets(NOW + TAKES_OVER_AFTER) == (SECOND,)


def test_a_ring_survives_its_file() -> None:
    """Byte for byte, and nothing of a key is in its repr or id."""
    ring = KeyRing((Key(FIRST),)).rotated(SECOND, DAY, NOW)

    assert read_ring(ring.to_bytes()) == ring
    assert FIRST.hex() not in repr(ring)
    assert ring.keys[0].id != ring.keys[1].id
    assert ring.keys[0].id not in FIRST.hex()


def test_rotations_are_bounded() -> None:
    """Neither two at once, nor more former keys than a call has time for."""
    ring = KeyRing((Key(FIRST),)).rotated(SECOND, 400 * DAY, NOW)
    with pytest.raises(ValueError, match="not in use yet"):
        ring.rotated(b"3" * KEY_BYTES, DAY, NOW)
    for number in range(3, KEYS_MAX + 1):
        ring = ring.rotated(bytes([number]) * KEY_BYTES, 400 * DAY, NOW + number * DAY)
    with pytest.raises(ValueError, match="in their overlap"):
        ring.rotated(b"9" * KEY_BYTES, DAY, NOW + 50 * DAY)
    assert len(ring.rotated(b"9" * KEY_BYTES, DAY, NOW + 401 * DAY).keys) == KEYS_MAX


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"short",
        b"{}",
        b'{"keys": []}',
        b'{"keys": [{"key": "00", "since": "2026-01-01T00:00:00+00:00", "until": null}]}',
        b'{"keys": [{"key": "' + b"zz" * 32 + b'", "since": "2026-01-01T00:00:00+00:00", "until": null}]}',
        b'{"keys": [{"key": "' + b"00" * 32 + b'", "since": 5, "until": null}]}',
        b'{"keys": [7]}',
        b"[1]",
    ],
)
def test_what_is_no_ring_is_refused(data: bytes) -> None:
    """And not shown."""
    with pytest.raises(ValueError, match=r"^neither 32 bytes nor a ring of keys$"):
        read_ring(data)


def _rotate(path: str) -> str:
    try:
        return StateFolder(Path(path)).rotate_key(DAY).keys[-1].secret.hex()
    except StateError:
        return ""


def test_of_processes_that_rotate_at_once_one_does(tmp_path: Path) -> None:
    """The others are told that a key was made just now; all read the same ring afterwards."""
    folder = StateFolder(tmp_path / "state")
    first = folder.secret()
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        made = [secret for secret in pool.map(_rotate, [str(folder.path)] * 4) if secret]

    keys = folder.keys().keys
    assert [key.secret for key in keys] == [first, bytes.fromhex(made[0])]
    assert len(made) == 1
    assert stat.S_IMODE((folder.path / "secret.key").stat().st_mode) == 0o600


def test_an_expired_key_leaves_the_disk(tmp_path: Path) -> None:
    """Whoever reads the ring next forgets it for good."""
    folder = StateFolder(tmp_path / "state")
    first = folder.secret()
    path = folder.path / "secret.key"
    long_ago = KeyRing((Key(first),)).rotated(SECOND, DAY, NOW - timedelta(days=4000))
    path.write_bytes(long_ago.to_bytes())

    assert folder.secret() == SECOND
    assert first.hex() not in path.read_text()
    assert [one["key"] for one in json.loads(path.read_text())["keys"]] == [SECOND.hex()]
