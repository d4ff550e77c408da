"""Certificates and simulated providers for the end-to-end tests; the interceptor runs once per module."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "simulate"))  # chatting.py, as there
sys.path.insert(0, str(Path(__file__).parent))  # these tests share a harness; importlib mode adds no folder by itself

from agents import Run, at_work, printed_settings
from interceptor import HOSTS, Interceptor

from outwarden.simulate import Certificates, SimulatedProvider, make_certificates, provider_thread

Start = Callable[..., Interceptor]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates for every simulated host."""
    names = [*HOSTS, "flaky.example", "localhost", "127.0.0.1"]
    return make_certificates(tmp_path_factory.mktemp("certificates"), names)


@pytest.fixture(scope="module")
def primary(certificates: Certificates) -> Iterator[SimulatedProvider]:
    """Where calls are aimed."""
    with provider_thread(certificates, clock=lambda: 1_790_000_000.0) as provider:
        yield provider


@pytest.fixture
def provider(primary: SimulatedProvider) -> SimulatedProvider:
    """The provider that calls are aimed at, with nothing remembered."""
    primary.clear()
    return primary


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start interceptors; at the end of the module each must stop with 0 and have kept every planted value to itself.

    ``start(rules, running=False)`` only prepares one.
    """
    made: list[Interceptor] = []

    def begin(rules: dict[str, Any], *, running: bool = True) -> Interceptor:
        one = Interceptor(tmp_path_factory.mktemp("interceptor"), rules)
        made.append(one)
        return one.start() if running else one

    yield begin
    problems = [problem for one in made for problem in end(one)]
    assert not problems, "\n".join(problems)


def end(one: Interceptor) -> list[str]:
    """Stop an interceptor that still runs; tell what was wrong with its end."""
    problems = []
    if one.alive and (code := one.stop()) != 0:
        problems.append(f"exit code {code} on SIGTERM; its output:\n{one.output[-4000:]}")
    if not one.ended_on_purpose:
        problems.append(f"it ended by itself; its output:\n{one.output[-4000:]}")
    problems += one.leaks()
    if "Traceback" in one.output:
        problems.append(f"a traceback in its output:\n{one.output[-4000:]}")
    return problems


@pytest.fixture(scope="module")
def settings(interceptor: Interceptor) -> dict[str, str]:
    """What `outwarden env` prints for a module's own ``interceptor``."""
    return printed_settings(interceptor)


@pytest.fixture
def run(settings: dict[str, str], tmp_path: Path) -> Run:
    """Run an agent in a folder with a customer's data."""
    return at_work(settings, tmp_path)
