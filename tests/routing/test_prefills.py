"""Who goes on with an answer that was begun."""

import pytest

from outwarden.routing.prefills import way_at, why_none_continues
from outwarden.routing.routes import Route, Upstream
from outwarden.wire.continuation import FINAL_MESSAGE, PARTIAL, PLAIN, PREFIX, PREFIX_ECHOED, Way

OLDER = [
    "claude-opus-4-5",
    "claude-opus-4-5-20251101",
    "claude-sonnet-4-5-20250929",
    "claude-haiku-4-5",
    "claude-opus-4-1-20250805",
    "claude-sonnet-4-20250514",
    "claude-sonnet-4-0",
    "claude-3-7-sonnet-latest",
    "claude-3-haiku-20240307",
    "claude-sonnet-4-5@20250929",
    "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "anthropic/claude-sonnet-4.5",
]
NEWER = [
    "claude-opus-4-6",
    "claude-sonnet-4-6",
    "us.anthropic.claude-opus-4-6-v1",
    "claude-opus-4-7",
    "claude-opus-4-15",
    "claude-opus-5",
    "claude-haiku-5-1",
    "claude-sonnet-5-20260901",
    "claude-fable-5",
    "mixtral",
]


@pytest.mark.parametrize("model", OLDER)
def test_older_claudes_go_on(model: str) -> None:
    """Wherever they run."""
    assert way_at("anthropic", "anthropic", model) == PLAIN


@pytest.mark.parametrize("model", NEWER)
def test_newer_claudes_are_not_asked(model: str) -> None:
    """They answer with 400; a model that nobody here knows is not asked either."""
    assert way_at("anthropic", "anthropic", model) is None
    assert way_at("anthropic", "anthropic", model, allowed=True) == PLAIN


@pytest.mark.parametrize(
    ("provider", "path", "way"),
    [
        ("vllm", "/v1", FINAL_MESSAGE),
        ("mistral", "/v1", PREFIX_ECHOED),
        ("deepseek", "/beta", PREFIX),
        ("deepseek", "/v1", None),
        ("moonshotai", "/v1", PARTIAL),
        ("openai", "/v1", None),
        ("azure", "/v1", None),
        ("openrouter", "/api/v1", None),
        ("somebody", "", None),
    ],
)
def test_each_provider_has_its_way(provider: str, path: str, way: Way | None) -> None:
    """Or none; the rules may say otherwise, either way."""
    assert way_at("openai", provider, "m", path) == way
    assert way_at("openai", provider, "m", path, allowed=False) is None
    assert way_at("openai", provider, "m", path, allowed=True) in (way, PLAIN, PREFIX)
    assert way_at("openai", provider, "m", path, allowed=True) is not None
    assert way_at("gemini", provider, "m", path, allowed=True) is None


def upstream(name: str, provider: str, format: str = "openai", **more: object) -> Upstream:
    return Upstream(name, "http", "h", 80, "/v1", provider, format, **more)  # type: ignore[arg-type]


UPSTREAMS = {
    each.name: each
    for each in (
        upstream("gpt", "openai"),
        upstream("told", "openai", prefill=True),
        upstream("onprem", "vllm"),
        upstream("kept", "vllm", prefill=False),
        upstream("claude", "anthropic", "anthropic"),
        upstream("newest", "anthropic", "anthropic", model={"*": "claude-opus-5"}),
        upstream("some", "anthropic", "anthropic", model={"a": "claude-opus-5"}),
    )
}


@pytest.mark.parametrize(
    ("targets", "more"),
    [
        (["original", "onprem"], {}),
        (["gpt", "told"], {}),
        (["gpt", "claude"], {}),
        (["gpt", "some"], {}),
        (["onprem"], {"retries": 1}),
        (["gpt", "original"], {}),
        (["gpt", "original"], {"match": {"provider": "anthropic"}}),
    ],
)
def test_a_route_may_have_somebody_who_goes_on(targets: list[str], more: dict[str, object]) -> None:
    """Where the caller aimed may be such a place, too."""
    assert why_none_continues(Route("r", targets=tuple(targets), **more), targets, UPSTREAMS) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("targets", "more", "why"),
    [
        (["gpt"], {}, "none of its targets (gpt)"),
        (["gpt", "kept", "newest"], {"retries": 2}, "none of its targets (gpt or kept or newest)"),
        (["original", "gpt"], {"match": {"provider": "openai"}}, "none of its targets (original or gpt)"),
        (["onprem"], {}, "one target and no retries"),
        (["original"], {}, "one target and no retries"),
    ],
)
def test_or_nobody(targets: list[str], more: dict[str, object], why: str) -> None:
    """And says who was looked at."""
    told = why_none_continues(Route("r", targets=tuple(targets), **more), targets, UPSTREAMS)  # type: ignore[arg-type]

    assert told
    assert why in told
