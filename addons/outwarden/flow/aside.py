"""Work on long texts, beside the event loop: other calls go on while a model looks for names."""

import asyncio
import re
from collections.abc import Callable, Generator

from outwarden.flow.services import Services
from outwarden.flow.state import CallState
from outwarden.wire.format import Refusal

# So much holds others up for 2 ms at most (170 words of new text); going to a thread and back costs a tenth of that.
INLINE_BYTES_MAX = 1024
# Sound and pictures in base64: nobody looks for names in them. No word of any language is as long.
_ENCODED = re.compile(rb"[A-Za-z0-9+/_-]{256,}")


async def aside[T](services: Services, work: Callable[[], T], size: int) -> T:
    """Do ``work`` on a text of ``size`` bytes: in a thread if a model reads it and it is long, else at once.

    What ``work`` raises is raised here. Whoever waits must not touch what it works on.
    """
    if size <= INLINE_BYTES_MAX or not services.engines.pii.detector.finders:
        return work()
    return await asyncio.get_running_loop().run_in_executor(services.readers, work)


class Work:
    """Reading ``size`` bytes of text, which somebody else may do, anywhere, before it is asked what came of it."""

    def __init__(self, work: Callable[[], None], size: int) -> None:
        self.size = size
        self._work = work
        self._is_done = False
        self._error: Exception | None = None

    @property
    def is_long(self) -> bool:
        """Whether others should not wait for it."""
        return self.size > INLINE_BYTES_MAX

    def do(self) -> None:
        """Do it, once; what it raises is kept."""
        if not self._is_done:
            self._is_done = True
            try:
                self._work()
            except Exception as error:  # raised where the outcome is asked for
                self._error = error

    def outcome(self) -> None:
        """It is done, now if nobody did it before; raises what it raised."""
        self.do()
        if self._error is not None:
            raise self._error


type Steps[T] = Generator[Work, None, T]
"""Each work is to be done before the next is asked for; whoever asks may do it elsewhere, or leave it undone."""


def at_once[T](steps: Steps[T]) -> T:
    """Take all steps here; return what they lead to."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


def readable_bytes(message: bytes) -> int:
    """How much of a message may be text: all but long runs of base64."""
    if len(message) <= INLINE_BYTES_MAX:
        return len(message)
    return len(message) - sum(match.end() - match.start() for match in _ENCODED.finditer(message))


def names_unread(state: CallState) -> None:
    """Note that there was no time to look for names in all texts, or refuse the call for it."""
    state.flagged["names_unread"] += 1
    ner = state.rules.pii.ner
    if ner and ner.on_timeout == "refuse":
        message = "There was no time to look for names in all texts of this call (pii.yml, ner: on_timeout: refuse)."
        state.refuse(Refusal(403, "names_unread_refused", message), "refused", "names_unread")
