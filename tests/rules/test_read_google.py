"""Credentials for Google Cloud in routes.yml: checked where they are written, kept as the place of a file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from outwarden.errors import StateError
from outwarden.routing import Auth
from outwarden.routing.google import GoogleIdentity
from outwarden.rules import Rules, read_google

Load = Callable[..., Rules]
Problems = Callable[..., list[str]]


def upstream(google: str) -> str:
    """An upstream at Vertex AI."""
    url = "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google"
    return (
        f"upstreams:\n  v:\n    url: {url}\n    provider: google\n    format: gemini\n    auth: {{google: {google}}}\n"
    )


@pytest.fixture(autouse=True)
def ready(monkeypatch: pytest.MonkeyPatch) -> list[GoogleIdentity]:
    """Credentials that are fine, whatever they are; the list of those that were looked at."""
    seen: list[GoogleIdentity] = []
    monkeypatch.setattr(read_google, "prepare", seen.append)
    return seen


def test_credentials_are_named(load: Load, tmp_path: Path, ready: list[GoogleIdentity]) -> None:
    """By Google's own rules, or by a file below the rules."""
    (tmp_path / "key.json").write_text("{}")
    files = [
        load(routes=upstream(named)).routes.upstreams["v"].auth for named in ("default", f"file:{tmp_path}/key.json")
    ]

    assert files[0] == Auth("google", account=GoogleIdentity())
    assert files[1] == Auth("google", account=GoogleIdentity(f"{tmp_path}/key.json"))
    assert {GoogleIdentity(), GoogleIdentity(f"{tmp_path}/key.json")} == set(ready)


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        ("file:nowhere.json", "file nowhere.json does not exist"),
        ("invented-key", "expected default or file:PATH"),
        ("env:KEY", "expected default or file:PATH"),
    ],
)
def test_what_is_wrong_is_told(named: str, problem: str, problems: Problems) -> None:
    """With its line; a key in the wrong place is not repeated."""
    (told,) = problems(routes=upstream(named))

    assert problem in told
    assert told.startswith("routes.yml:6: ")
    assert "invented-key" not in told


def test_credentials_that_are_no_good_are_told(problems: Problems, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the rules are read, not when the first call comes."""

    def fail(identity: GoogleIdentity) -> None:
        raise StateError("Google credentials: DefaultCredentialsError")

    monkeypatch.setattr(read_google, "prepare", fail)
    (told,) = problems(routes=upstream("default"))
    assert told.endswith("Google credentials: DefaultCredentialsError")


def test_the_library_is_an_extra(problems: Problems, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever needs it is told how to get it."""
    monkeypatch.setattr(read_google, "is_installed", lambda: False)
    (told,) = problems(routes=upstream("default"))
    assert "install outwarden[google]" in told
