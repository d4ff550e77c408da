"""Replies that are read to their end after their client left, so that their true cost is known."""

import asyncio

# How long a reply is drained after its client left, to learn its usage.
DRAIN_S = 30.0

_drains: dict[str, set[asyncio.Event]] = {}


def begin_drain(client_id: str) -> asyncio.Event:
    """A client left while its call is answered; the event is to be set when the reply has been read."""
    done = asyncio.Event()
    _drains.setdefault(client_id, set()).add(done)
    return done


async def drained(client_id: str) -> None:
    """Wait, within `DRAIN_S`, until the calls of a client that left have been read to their end."""
    pending = _drains.pop(client_id, set())
    if pending:
        waiting = [asyncio.ensure_future(event.wait()) for event in pending]
        _, late = await asyncio.wait(waiting, timeout=DRAIN_S)
        for task in late:
            task.cancel()
