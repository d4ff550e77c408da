"""Which route, which model, which secret."""

import fnmatch
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.errors import StateError
from outwarden.routing import Auth, Route, RouteRules, Upstream, match_route, resolve_secret, rewrite_model


def upstream(**model: str) -> Upstream:
    return Upstream("onprem", "https", "vllm.corp.example", 8443, "/v1", "vllm", "openai", model=model)


def test_the_first_route_that_matches_wins() -> None:
    """Order is the only rank, and no match is None."""
    rules = RouteRules(
        routes=(Route("a", {"model": "gpt-4*"}), Route("b", {"model": "gpt-*"}), Route("c", {"team": "x"}))
    )

    assert match_route(rules, {"model": "gpt-4o"}) is rules.routes[0]
    assert match_route(rules, {"model": "gpt-5"}) is rules.routes[1]
    assert match_route(rules, {"model": "claude", "team": "x"}) is rules.routes[2]
    assert match_route(rules, {"model": "claude", "team": "y"}) is None


def test_all_conditions_must_hold() -> None:
    """A route for one team's model is not for another team's."""
    rules = RouteRules(routes=(Route("a", {"model": "gpt-*", "team": "support"}),))

    assert match_route(rules, {"model": "gpt-5", "team": "support"})
    assert match_route(rules, {"model": "gpt-5", "team": "sales"}) is None
    assert match_route(rules, {"model": "gpt-5", "team": None}) is None


def test_models_match_in_any_case_and_keys_by_their_id() -> None:
    """As budgets count them."""
    rules = RouteRules(routes=(Route("a", {"model": "GPT-4*", "api_key": "sha256:9f86*"}),))

    assert match_route(rules, {"model": "gpt-4O", "api_key_id": "sha256:9f86d0"})
    assert match_route(rules, {"model": "gpt-4O", "api_key_id": "sha256:000000"}) is None
    assert match_route(rules, {"model": None, "api_key_id": "sha256:9f86d0"}) is None


def test_a_star_matches_what_is_not_known() -> None:
    """Every other pattern needs a value."""
    assert match_route(RouteRules(routes=(Route("a", {"team": "*"}),)), {"team": None})
    assert match_route(RouteRules(routes=(Route("a", {"team": "**"}),)), {"team": None}) is None


def test_only_the_star_is_special() -> None:
    """Brackets belong to model names."""
    rules = RouteRules(routes=(Route("a", {"model": "claude-*[1m]"}),))

    assert match_route(rules, {"model": "claude-sonnet-4-5[1m]"})
    assert match_route(rules, {"model": "claude-sonnet-4-51"}) is None


@given(st.text("ab*", max_size=8), st.text("ab", max_size=12))
def test_stars_match_as_a_shell_says(pattern: str, value: str) -> None:
    """Any number of stars, anywhere, agrees with fnmatch."""
    matched = match_route(RouteRules(routes=(Route("a", {"model": pattern}),)), {"model": value})

    assert bool(matched) == fnmatch.fnmatchcase(value, pattern)


def test_a_hostile_model_name_costs_nothing() -> None:
    """Time is linear, so that no name that a client invents can hang the proxy."""
    rules = RouteRules(routes=(Route("a", {"model": "*a" * 30 + "b"}),))

    assert match_route(rules, {"model": "a" * 100_000}) is None


def test_the_model_asked_for() -> None:
    """An exact entry before a pattern, the first pattern before the later, and else what the caller asked for."""
    mapped = Upstream(
        "onprem",
        "https",
        "h",
        443,
        "",
        "vllm",
        "openai",
        model={"gpt-*": "qwen3", "gpt-4o": "mixtral", "*-mini": "phi"},
    )

    assert rewrite_model(mapped, "gpt-4o") == "mixtral"
    assert rewrite_model(mapped, "gpt-5-mini") == "qwen3"
    assert rewrite_model(mapped, "o4-mini") == "phi"
    assert rewrite_model(mapped, "o4") == "o4"
    assert rewrite_model(mapped, None) is None
    assert rewrite_model(upstream(**{"*": "qwen3"}), None) == "qwen3"


def test_a_secret_is_read_when_it_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A key that was rotated is the new one; the end of line in a file is no part of it."""
    monkeypatch.setenv("VLLM_KEY", "first-invented-key")
    assert resolve_secret(Auth("bearer", secret="env:VLLM_KEY")) == "first-invented-key"
    monkeypatch.setenv("VLLM_KEY", "second-invented-key")
    assert resolve_secret(Auth("bearer", secret="env:VLLM_KEY")) == "second-invented-key"
    (tmp_path / "key").write_text("third-invented-key\n")
    assert resolve_secret(Auth("header", "x-api-key", f"file:{tmp_path / 'key'}")) == "third-invented-key"
    assert resolve_secret(Auth()) == ""


@pytest.mark.parametrize("written", ["", "two\nlines", "tab\there", "caf\u00e9"])
def test_what_cannot_stand_in_a_header_is_no_secret(written: str, tmp_path: Path) -> None:
    """The error names the reference, never what it holds."""
    (tmp_path / "key").write_text(written)

    with pytest.raises(StateError) as caught:
        resolve_secret(Auth("bearer", secret=f"file:{tmp_path / 'key'}"))
    assert str(tmp_path / "key") in str(caught.value)
    assert not written or written not in str(caught.value)


def test_a_secret_that_is_gone_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An unset variable and an absent file are errors when the call needs them."""
    monkeypatch.delenv("VLLM_KEY", raising=False)

    for reference in ("env:VLLM_KEY", f"file:{tmp_path / 'nowhere'}"):
        with pytest.raises(StateError, match=r"VLLM_KEY|nowhere"):
            resolve_secret(Auth("bearer", secret=reference))
