"""Names through the whole program: out, back, streamed, and nobody waits while a long text is read."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from interceptor import OPENAI, Interceptor, assert_clean, chat, pii_rules, rules_for

from outwarden.simulate import SimulatedProvider

URL = f"https://{OPENAI}/v1/chat/completions"
NAMES = ["Marta Kowalczyk", "Femi Adebayo", "Chidi Okonkwo"]
Start = Callable[..., Interceptor]


@pytest.fixture(scope="module")
def outwarden(start: Start, primary: SimulatedProvider) -> Interceptor:
    one = start(rules_for(primary, pii=pii_rules(ner={"model": "bundled", "budget_ms": 60_000})))
    one.planted += NAMES
    return one


@pytest.fixture
def client(outwarden: Interceptor) -> Iterator[httpx.Client]:
    with outwarden.http(timeout=60) as client:
        yield client


def said(reply: Any) -> str:
    return str(reply["choices"][0]["message"]["content"])


@pytest.mark.parametrize("stream", [False, True])
def test_names_do_not_leave_and_come_back(client: httpx.Client, provider: SimulatedProvider, stream: bool) -> None:
    """The simulated provider says again what it was told."""
    text = f"Ask {NAMES[0]} and Dr. {NAMES[1]} whether they can come. {NAMES[2]} will not."
    reply = client.post(URL, json=chat(text, stream=stream)).raise_for_status()

    assert_clean(provider, NAMES)
    assert b"[PERSON_" in provider.requests[-1].body
    if not stream:
        assert all(name in said(reply.json()) for name in NAMES)


def test_others_do_not_wait_for_a_long_text(outwarden: Interceptor, client: httpx.Client) -> None:
    """Half a megabyte of new text is read for a second or more; short calls are answered meanwhile."""
    long = " ".join(f"Item {number} was discussed with {NAMES[number % 3]} at length." for number in range(8000))
    done: list[float] = []

    def send_long() -> None:
        with outwarden.http(timeout=60) as own:
            own.post(URL, json=chat(long)).raise_for_status()
        done.append(time.perf_counter())

    thread = threading.Thread(target=send_long)
    thread.start()
    waits, ends = [], []
    while not done and len(waits) < 500:
        began = time.perf_counter()
        client.post(URL, json=chat("hello")).raise_for_status()
        ends.append(time.perf_counter())
        waits.append(ends[-1] - began)
    thread.join()

    assert sum(end < done[0] for end in ends) >= 2, "no call was answered meanwhile"
