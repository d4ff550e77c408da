"""Room for bodies: what all calls of this process hold of requests and of replies being collected, bounded together.

One body is bounded by ``max_body_mib``; many at once would still take all memory there is. Memory is a few times what
is counted here (the text of a body, its parts), which the default leaves room for.
"""

from outwarden.wire.format import Refusal

_held_bytes = 0


def held_bytes() -> int:
    """What all calls hold now."""
    return _held_bytes


class Share:
    """What one call holds; given back at its end, or with its last reference where an end was missed."""

    __slots__ = ("_bytes",)

    def __init__(self) -> None:
        self._bytes = 0

    def take(self, more_bytes: int, limit_bytes: int) -> bool:
        """Hold so much more; False, and nothing taken, where all calls together would pass ``limit_bytes``."""
        global _held_bytes
        if not fits(more_bytes, limit_bytes):
            return False
        _held_bytes += more_bytes
        self._bytes += more_bytes
        return True

    def give_back(self, some_bytes: int | None = None) -> None:
        """Hold so much less; None: nothing more."""
        global _held_bytes
        freed = self._bytes if some_bytes is None else min(some_bytes, self._bytes)
        if freed:  # the collector may come here in any thread, then with nothing
            _held_bytes -= freed
            self._bytes -= freed

    def __del__(self) -> None:
        self.give_back()


def fits(more_bytes: int, limit_bytes: int) -> bool:
    """Whether there is room for so much more."""
    return _held_bytes + more_bytes <= limit_bytes


def no_room(what: str) -> Refusal:
    """The refusal of a call whose body has no room; it may be sent again."""
    text = f"This proxy holds too many bodies at once for {what} (traffic.yml, max_in_flight_mib); try again."
    return Refusal(503, "too_many_bodies", text, 1)
