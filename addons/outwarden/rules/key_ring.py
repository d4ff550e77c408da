"""The keys of all placeholders: the one in use, and those before and after it whose names are still known.

``secret.key`` holds 32 bytes as long as there was one key; after a rotation, a JSON document with all of them. A new
key is used some seconds after it was written, so that every process of the state folder has read it by then: they
change over at one moment, and until then each knows the names that another gives already.
"""

import hmac
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

KEY_BYTES = 32  # 256 bits, the key length of HMAC-SHA-256
KEYS_MAX = 5  # each costs a hash for every value of a call
# Processes look for a new key every second (`load_rules.RELOAD_EVERY_S`); a busy one may be late.
TAKES_OVER_AFTER = timedelta(seconds=5)
_BEGINNING = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Key:
    """One key: names are made with it from ``since`` on until the next one takes over, and known before ``until``."""

    secret: bytes = field(repr=False)
    since: datetime = _BEGINNING
    until: datetime | None = None

    @property
    def id(self) -> str:
        """A name for people, which tells nothing of the key."""
        return hmac.digest(self.secret, b"outwarden key id", "sha256").hex()[:12]


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All keys, the oldest first. Immutable."""

    keys: tuple[Key, ...]

    def current(self, now: datetime) -> Key:
        """The key that names are made with."""
        return [key for key in self.keys if key.since <= now or key is self.keys[0]][-1]

    def others(self, now: datetime) -> tuple[Key, ...]:
        """The keys whose names are known as well, the youngest first: former ones in their overlap, and the next."""
        current = self.current(now)
        return tuple(k for k in reversed(self.keys) if k is not current and (k.until is None or now < k.until))

    def secrets(self, now: datetime) -> tuple[bytes, ...]:
        """The secret of the current key, then those of the others."""
        return tuple(key.secret for key in (self.current(now), *self.others(now)))

    def without_expired(self, now: datetime) -> "KeyRing":
        """The ring with no more keys than are needed."""
        needed = {self.current(now), *self.others(now)}
        return KeyRing(tuple(key for key in self.keys if key in needed))

    def rotated(self, secret: bytes, overlap: timedelta, now: datetime) -> "KeyRing":
        """The ring with a new key; the one before it stays known for ``overlap``. Raises ValueError."""
        kept = self.without_expired(now).keys
        if kept[-1].since > now:
            raise ValueError(f"key {kept[-1].id} was made just now and is not in use yet")
        if len(kept) >= KEYS_MAX:
            raise ValueError(f"{len(kept) - 1} former keys are in their overlap; the first ends {kept[0].until}")
        since = now + TAKES_OVER_AFTER
        return KeyRing((*kept[:-1], replace(kept[-1], until=since + overlap), Key(secret, since)))

    def to_bytes(self) -> bytes:
        """What `read_ring` reads."""
        if self.keys == (Key(self.keys[0].secret),):
            return self.keys[0].secret
        keys = [
            {
                "key": key.secret.hex(),
                "since": key.since.isoformat(),
                "until": key.until and key.until.isoformat(),
            }
            for key in self.keys
        ]
        return json.dumps({"keys": keys}, indent=1).encode()


def read_ring(data: bytes) -> KeyRing:
    """Read a key file. Raises ValueError for what is none."""
    if len(data) == KEY_BYTES:
        return KeyRing((Key(data),))
    try:
        keys = tuple(map(_read_key, json.loads(data)["keys"]))
    except (KeyError, TypeError, ValueError):  # whose texts may show the keys
        raise ValueError("neither 32 bytes nor a ring of keys") from None
    if not keys or any(len(key.secret) != KEY_BYTES for key in keys) or sorted(keys, key=lambda k: k.since) != [*keys]:
        raise ValueError("neither 32 bytes nor a ring of keys")
    return KeyRing(keys)


def _read_key(told: dict[str, Any]) -> Key:
    until = told["until"]
    since = datetime.fromisoformat(told["since"])
    return Key(bytes.fromhex(told["key"]), since, None if until is None else datetime.fromisoformat(until))
