"""Long texts are read beside the event loop, short ones at once; what has not been read is on record or refused."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from outwarden.flow.aside import INLINE_BYTES_MAX, aside
from outwarden.flow.services import Services


@pytest.fixture
def services(open_services: Callable[..., Services]) -> Services:
    """With the bundled model."""
    return open_services(pii={"ner": {"model": "bundled"}})


def thread() -> int:
    return threading.get_ident()


async def test_a_long_text_is_read_in_a_thread(services: Services) -> None:
    """The loop goes on meanwhile."""
    assert services.engines.pii.detector.finders
    assert await aside(services, thread, INLINE_BYTES_MAX + 1) != thread()
    assert await aside(services, thread, INLINE_BYTES_MAX) == thread()


async def test_without_a_model_nothing_goes_to_a_thread(open_services: Callable[..., Services]) -> None:
    """Patterns take less than the way there."""
    services = open_services(pii={"ner": "off"})

    assert await aside(services, thread, 1 << 20) == thread()


async def test_what_is_raised_there_is_raised_here(services: Services) -> None:
    """The guard sees it."""

    def fail() -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        await aside(services, fail, INLINE_BYTES_MAX + 1)


async def test_the_loop_turns_while_a_text_is_read(services: Services) -> None:
    """A reader that waits for the loop would wait for ever if the loop waited for it."""
    turned = threading.Event()

    async def turn() -> None:
        turned.set()

    task = asyncio.get_running_loop().create_task(turn())
    assert await aside(services, lambda: turned.wait(10), INLINE_BYTES_MAX + 1)
    await task
