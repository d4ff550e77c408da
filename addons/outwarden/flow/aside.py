"""Work on long texts, beside the event loop: other calls go on while a model looks for names."""

import asyncio
from collections.abc import Callable

from outwarden.flow.services import Services
from outwarden.flow.state import CallState
from outwarden.wire.format import Refusal

# So much holds others up for 2 ms at most (170 words of new text); going to a thread and back costs a tenth of that.
INLINE_BYTES_MAX = 1024


async def aside[T](services: Services, work: Callable[[], T], size: int) -> T:
    """Do ``work`` on a text of ``size`` bytes: in a thread if a model reads it and it is long, else at once.

    What ``work`` raises is raised here. Whoever waits must not touch what it works on.
    """
    if size <= INLINE_BYTES_MAX or not services.engines.pii.detector.finders:
        return work()
    return await asyncio.get_running_loop().run_in_executor(services.readers, work)


def names_unread(state: CallState) -> None:
    """Note that there was no time to look for names in all texts, or refuse the call for it."""
    state.flagged["names_unread"] += 1
    ner = state.rules.pii.ner
    if ner and ner.on_timeout == "refuse":
        message = "There was no time to look for names in all texts of this call (pii.yml, ner: on_timeout: refuse)."
        state.refuse(Refusal(403, "names_unread_refused", message), "refused", "names_unread")
