"""How much a model can write at most, and how much a picture can weigh: the two parts of a bound no text tells."""

from fnmatch import fnmatchcase
from functools import lru_cache
from importlib import resources

import yaml

from outwarden.pricing.price import MODEL_CHARACTERS_MAX

OUTPUT_TOKENS_UNKNOWN = 131_072  # of a model nobody knows: the largest limit of the open-weight models in common use

# What one image costs at most: Claude with high resolution takes up to 4,784 tokens, Gemini and GPT-4o less.
# https://platform.claude.com/docs/en/build-with-claude/vision
_IMAGE_TOKENS_MAX = 5_000
# GPT-4o mini bills 2,833 + 5,667 tokens per tile and up to 8 tiles: 33 times what others count, at 1/33 of the price.
# https://developers.openai.com/api/docs/guides/images-vision
_IMAGE_TOKENS_MINI = 50_000

# Models whose limit holds for their text alone: grok-3-mini thought up to 1,020 tokens beside it, under a limit of 10
# as well (five of eleven recorded calls that named one). Of the others xAI says that it holds for both.
_THINK_BEYOND = ("grok-3-mini*",)

_NAMES_MAX = 4096


@lru_cache(_NAMES_MAX)
def output_maximum(provider: str, model: str | None) -> int:
    """Say how many tokens a model writes at most per choice.

    From the data table (``outputs.yml``), else the catalogue's context window (what is read and what is written share
    it), else `OUTPUT_TOKENS_UNKNOWN`.
    """
    if not model or len(model) > MODEL_CHARACTERS_MAX:
        return OUTPUT_TOKENS_UNKNOWN
    name = _own_name(model)
    for pattern, tokens in _table():
        if fnmatchcase(name, pattern):
            return tokens
    return context_window(provider, model) or OUTPUT_TOKENS_UNKNOWN


def thinks_beyond_limit(model: str | None) -> bool:
    """Whether a call's own limit bounds only what a model says, and not what it thinks."""
    name = _own_name(model[:MODEL_CHARACTERS_MAX]) if model else ""
    return any(fnmatchcase(name, pattern) for pattern in _THINK_BEYOND)


def context_window(provider: str, model: str | None) -> int | None:
    """Say how many tokens a model reads and writes together; None: the catalogue does not know."""
    if not model or len(model) > MODEL_CHARACTERS_MAX:
        return None
    from outwarden.pricing import catalogue  # not above: it brings pydantic, which most calls here do not need

    return catalogue.context_window(provider, model)


def media_tokens(media_bytes: int, model: str | None = None) -> int:
    """Bound the tokens of a call's media from the bytes they take in the body (base64 or not).

    One token per byte, and never less than one large image. Dense media stay below that (a page of a PDF is up to
    3,000 tokens in no less than as many bytes; audio and video have at most 300 tokens a second). Many tiny images of
    large size on paper (a blank 4 Mpx PNG has a few KB) can pass it; what they cost more becomes debt.
    """
    if media_bytes <= 0:
        return 0
    floor = _IMAGE_TOKENS_MINI if model and _own_name(model).startswith("gpt-4o-mini") else _IMAGE_TOKENS_MAX
    return max(media_bytes, floor)


def _own_name(model: str) -> str:
    """Take the maker's or region's prefix off and write version dots as dashes: the form of the table."""
    name = model.lower().rsplit("/", 1)[-1].removeprefix("ft:")
    head, separator, rest = name.partition("anthropic.")
    return (rest if separator else head).replace(".", "-")


@lru_cache(1)
def _table() -> tuple[tuple[str, int], ...]:
    text = resources.files(__package__).joinpath("outputs.yml").read_text("utf-8")
    return tuple((pattern, tokens) for block in yaml.safe_load(text) for pattern, tokens in block["models"].items())
