"""The largest output of a model, and what media may weigh."""

import re
from importlib import resources

import pytest
import yaml

from outwarden.pricing import catalogue
from outwarden.pricing.outputs import OUTPUT_TOKENS_UNKNOWN, media_tokens, output_maximum


@pytest.mark.parametrize(
    ("provider", "model", "tokens"),
    [
        ("openai", "gpt-4o", 16_384),
        ("openai", "gpt-4o-2024-05-13", 4_096),
        ("openai", "ft:gpt-4o-2024-08-06:acme::1", 16_384),
        ("openai", "gpt-4.1-mini", 32_768),
        ("openai", "gpt-4-turbo-2024-04-09", 4_096),
        ("openai", "gpt-4-0125-preview", 4_096),
        ("openai", "gpt-4", 8_192),
        ("openai", "gpt-4-0613", 8_192),
        ("openai", "gpt-3.5-turbo", 4_096),
        ("openai", "gpt-5", 128_000),
        ("openai", "gpt-5-pro", 272_000),
        ("openai", "gpt-5.1-chat-latest", 16_384),
        ("openai", "gpt-5.4-mini", 128_000),
        ("openai", "gpt-6-astra", 128_000),
        ("openai", "o3", 100_000),
        ("openai", "o1-mini", 65_536),
        ("openai", "text-embedding-3-small", 0),
        ("openrouter", "openai/gpt-4o", 16_384),
        ("anthropic", "claude-3-5-sonnet-20241022", 8_192),
        ("anthropic", "claude-3-haiku-20240307", 4_096),
        ("anthropic", "claude-opus-4-20250514", 32_000),
        ("anthropic", "claude-opus-4-1", 32_000),
        ("anthropic", "claude-opus-4-5-20251101", 64_000),
        ("anthropic", "claude-sonnet-4-5-20250929", 64_000),
        ("anthropic", "claude-haiku-4-5", 64_000),
        ("anthropic", "claude-opus-4-6", 128_000),
        ("anthropic", "claude-opus-5-5", 128_000),
        ("aws", "us.anthropic.claude-3-5-haiku-20241022-v1:0", 8_192),
        ("google", "gemini-2.5-pro", 65_536),
        ("google", "models/gemini-2.0-flash", 8_192),
        ("google", "gemini-embedding-001", 0),
        ("cohere", "command-r-plus", 4_096),
    ],
)
def test_known_models(provider: str, model: str, tokens: int) -> None:
    """The limits the makers publish, for dated, prefixed and regional names alike."""
    assert output_maximum(provider, model) == tokens


def test_falls_back_to_the_context_window() -> None:
    """Of a model in the catalogue without a published limit, what it can see bounds what it can write."""
    assert output_maximum("x-ai", "grok-4-0709") == catalogue.context_window("x-ai", "grok-4-0709") == 256_000


@pytest.mark.parametrize("model", [None, "", "nobody-knows", "x" * 10_000])
def test_falls_back_to_a_constant(model: str | None) -> None:
    """A model nobody knows is taken to write a lot, never nothing."""
    assert output_maximum("vllm", model) == OUTPUT_TOKENS_UNKNOWN


def test_every_entry_has_a_source_and_a_date() -> None:
    """The table says where each number comes from and when, if ever, it was looked at; every pattern is reachable."""
    text = resources.files("outwarden.pricing").joinpath("outputs.yml").read_text()
    blocks = yaml.safe_load(text)
    assert len(blocks) > 3
    for block in blocks:
        assert block["source"].startswith("https://")
        assert re.fullmatch(r"20\d\d-\d\d-\d\d|never", str(block["checked"]))
        assert all(isinstance(tokens, int) and tokens >= 0 for tokens in block["models"].values())
        assert all(pattern == pattern.lower() and "." not in pattern for pattern in block["models"])


def test_media() -> None:
    """No media cost nothing; any cost at least a large image, and one token a byte beyond that."""
    assert media_tokens(0) == 0
    assert media_tokens(70) == 5_000
    assert media_tokens(70, "gpt-4o-mini") == 50_000
    assert media_tokens(1_000_000) == 1_000_000
