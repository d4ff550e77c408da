"""One simulated provider for this folder's tests, and clients that trust it."""

import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from outwarden.simulate import Certificates, SimulatedProvider, make_certificates, provider_thread

sys.path.insert(0, str(Path(__file__).parent))  # for chatting.py, which the tests here share

NAMES = ["localhost", "127.0.0.1", "api.openai.com"]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates for a loopback provider."""
    return make_certificates(Path(tmp_path_factory.mktemp("certificates")), NAMES)


@pytest.fixture
def trust(certificates: Certificates) -> ssl.SSLContext:
    """A client context that trusts the throw-away CA, verifying as strictly as Python does.

    A new one each time: httpx writes into it that it speaks HTTP/2, which no WebSocket client means.
    """
    return ssl.create_default_context(cafile=certificates.ca)


@pytest.fixture(scope="module")
def running(certificates: Certificates) -> Iterator[SimulatedProvider]:
    """A provider that runs for a whole module, at a fixed time."""
    with provider_thread(certificates, clock=lambda: 1_790_000_000.0) as provider:
        yield provider


@pytest.fixture
def provider(running: SimulatedProvider) -> SimulatedProvider:
    """The module's provider with nothing remembered."""
    running.clear()
    return running


@pytest.fixture
def base(provider: SimulatedProvider) -> str:
    """The provider's address as a URL."""
    return f"https://localhost:{provider.port}"
