"""Long texts are read beside the event loop, short ones at once; what has not been read is on record or refused."""

import asyncio
import base64
import random
import threading
from collections.abc import Callable

import pytest

from outwarden.flow.aside import INLINE_BYTES_MAX, Work, aside, readable_bytes
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


def test_work_is_done_once_and_tells_what_it_raised() -> None:
    """Whoever does it, here or elsewhere."""
    done: list[int] = []
    work = Work(lambda: done.append(1), INLINE_BYTES_MAX)
    work.do()
    work.outcome()
    work.outcome()
    assert done == [1]
    assert not work.is_long

    failing = Work(lambda: [][0], INLINE_BYTES_MAX + 1)
    assert failing.is_long
    failing.do()
    with pytest.raises(IndexError):
        failing.outcome()


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_sound_is_nothing_to_read(encode: Callable[[bytes], bytes]) -> None:
    """Base64 of either alphabet does not count, text around it and between short runs does."""
    sound = encode(random.Random(1).randbytes(30_000))
    assert readable_bytes(b'{"audio":"' + sound + b'"}') < 20
    assert readable_bytes(b"word " * 1000) == 5000
    assert readable_bytes(b" ".join([sound[:200]] * 20)) == 4019
