"""Rules, services and a chain without a process; a playbook around them."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playbook import Playbook
from sessions import Speak, Talk
from sockets import Ends

from outwarden.chain import chain
from outwarden.flow.services import Services
from outwarden.flow.state import state_of
from outwarden.routing import Health

TIMEOUTS = {"connect": "5s", "first_byte": "30s", "first_content": "20s", "idle": "15s", "total": "100s"}
PII = {"request": {"default": "pseudonymize", "API_KEY": "refuse"}, "response": {"default": "mask"}, "entities": "all"}
SPARE = {
    "url": "http://spare.example:8080/v1",
    "provider": "vllm",
    "format": "openai",
    "model": "spare-model",
    "price": {"input_mtok": 0.2, "output_mtok": 0.2},
}


def route(name: str, model: str, targets: list[str], **more: Any) -> dict[str, Any]:
    """A route with a breaker that stays out of the way."""
    breaker = {"max_fails": 100, "within": "1s", "cooldown": "1s"}
    named = {"name": name, "match": {"model": model}, "targets": targets, "timeouts": TIMEOUTS, "breaker": breaker}
    return named | more


RULES: dict[str, Any] = {
    "traffic": {"intercept": [{"hosts": ["plain.example"], "provider": "openai", "format": "openai"}]},
    "pii": PII | {"ner": {"model": "off"}},
    "prices": {"prices": [{"provider": "openai", "model": "tts-1", "input_mtok": 15, "output_mtok": 15}]},
    "budgets": {"budgets": [{"name": "everything", "scope": "all", "limit_usd": 1000, "window": "lifetime"}]},
    "routes": {
        "upstreams": {"spare": SPARE, "third": SPARE | {"url": "http://third.example:8080/v1"}},
        "routes": [
            route("alone", "gpt-4o-mini", ["original"]),
            route("stubborn", "gpt-4.1", ["original"], retries=1),
            route("rest", "*", ["original", "spare", "third"]),
        ],
    },
}

Open = Callable[..., Services]


@pytest.fixture(scope="module")
def open_services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Open services under rules of one's own (laid over RULES by file); closed at the end of the module."""
    opened: list[Services] = []

    def begin(**files: Any) -> Services:
        folder = tmp_path_factory.mktemp("services")
        (folder / "rules").mkdir()
        for name, content in (RULES | files).items():
            (folder / "rules" / f"{name}.yml").write_text(json.dumps(content))  # JSON is YAML
        services = Services(folder / "rules", folder / "state")
        opened.append(services)
        return services

    yield begin
    for services in opened:
        services.close()


@pytest.fixture(scope="module")
def module_services(open_services: Open) -> Services:
    """Services under RULES."""
    return open_services()


@pytest.fixture
def services(module_services: Services, monkeypatch: pytest.MonkeyPatch) -> Services:
    """Services under RULES, with healthy upstreams."""
    monkeypatch.setattr(module_services, "health", Health())
    return module_services


def addons_around(services: Services) -> list[Any]:
    """The chain, its shelf filled; without `LoadRules`, whose work that is."""
    addons = chain()
    addons[0]._shelf.fill(services)
    return addons[1:]


@pytest.fixture
def open_play(services: Services, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Playbook]:
    """Open a client connection: ``open_play(http2=True)``, ``open_play(services)``."""

    def begin(own: Services | None = None, **options: Any) -> Playbook:
        return Playbook(addons_around(own or services), monkeypatch, **options)

    return begin


@pytest.fixture
def play(open_play: Callable[..., Playbook]) -> Playbook:
    """A client connection of HTTP/1."""
    return open_play()


@pytest.fixture
def talk(open_play: Callable[..., Playbook]) -> Speak:
    """Open a connection to an API and return its session."""

    def start(services: Services, path: str, host: str = "api.openai.com") -> Talk:
        ends = Ends(open_play(services), path, host=host)
        assert ends.play.flow
        state = state_of(ends.play.flow)
        assert state
        assert state.session
        return Talk(state.session)

    return start
