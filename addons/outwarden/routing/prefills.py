"""Who goes on with an answer that another model began (a "prefill"), and how each wants to be asked."""

import re
from collections.abc import Mapping, Sequence

from outwarden.routing.routes import ORIGINAL, Route, Upstream
from outwarden.wire.continuation import CONTINUED, FINAL_MESSAGE, PARTIAL, PLAIN, PREFIX, PREFIX_ECHOED, Way

# By format and provider (ids of the price catalogue; vllm has none there), read 2026-11. Everybody else who copies
# OpenAI's API answers anew, refuses, or does either by model: OpenAI itself, Azure, OpenRouter, Groq, gateways. Whoever
# knows better of an upstream says so in the rules (`prefill: true`).
_WAYS: dict[tuple[str, str], Way] = {
    # https://platform.claude.com/docs/en/build-with-claude/prompt-engineering/prefill-claudes-response
    ("anthropic", "anthropic"): PLAIN,
    ("anthropic", "aws"): PLAIN,
    ("anthropic", "google"): PLAIN,
    # https://docs.mistral.ai/guides/prefix: the answer has the prefix in it
    ("openai", "mistral"): PREFIX_ECHOED,
    # https://api-docs.deepseek.com/guides/chat_prefix_completion: only below /beta
    ("openai", "deepseek"): PREFIX,
    # https://platform.kimi.ai/docs/guide/use-partial-mode-feature-of-kimi-api
    ("openai", "moonshotai"): PARTIAL,
    # vllm/entrypoints/openai/chat_completion/protocol.py
    ("openai", "vllm"): FINAL_MESSAGE,
}
# From 4.6 on Claude refuses a last message of the assistant's, wherever it runs: "Prefilling assistant messages returns
# a 400 error" (Anthropic's migration guide). So only the models before it are named, and a new one is none of them.
_CLAUDE = re.compile(
    r"(?:^|[./])claude-(?:(?:2|3|instant)\b.*|(?:opus|sonnet|haiku)-4(?:[-.][015])?(?:[-@]20\d{6})?(?:-v\d+(?::\d+)?)?)$"
)


def way_at(format: str, provider: str, model: str | None, path: str = "", allowed: bool | None = None) -> Way | None:
    """How this place is asked to go on with an answer; None: it is not to be asked.

    ``path``: that of its URL. ``allowed``: what the rules say of it, which goes before what is known here. ``model``
    None: the one that a call asks for, which may be any.
    """
    if allowed is False or format not in CONTINUED:
        return None
    known = _WAYS.get((format, provider))
    if allowed:
        return known or PLAIN
    if known is None or (provider == "deepseek" and "/beta" not in path):
        return None
    return known if format != "anthropic" or model is None or _CLAUDE.search(model) else None


def way_of(upstream: Upstream, model: str | None) -> Way | None:
    """As `way_at`, of an upstream of the rules."""
    return way_at(upstream.format, upstream.provider, model, upstream.path, upstream.prefill)


def why_none_continues(route: Route, targets: Sequence[str], upstreams: Mapping[str, Upstream]) -> str | None:
    """Why no target of a route (``targets``: all there are, those of its parts too) could go on; None: one could.

    A caller's own place could, where it is not known to be another provider's.
    """
    could = [target for target in targets if _could(target, route, upstreams)]
    if not could:
        named = " or ".join(targets)
        return (
            f"none of its targets ({named}) is known to go on with an answer that was begun (prefill: true, if one is)"
        )
    if len(targets) == 1 and not route.retries:
        return "it has one target and no retries, so nobody is left to go on with an answer"
    return None


def _could(target: str, route: Route, upstreams: Mapping[str, Upstream]) -> bool:
    if target == ORIGINAL:
        provider = route.match.get("provider", "*")
        return "*" in provider or any(provider == known for _, known in _WAYS)
    upstream = upstreams[target]
    models = set(upstream.model.values()) if "*" in upstream.model else {None, *upstream.model.values()}
    return any(way_of(upstream, model) for model in models)
