"""How many tokens a text is, said before the call: an upper bound, without the network.

Where the model's tokenizer is published, the text is encoded with tiktoken from rank tables that come with the
package (special tokens count as plain text). Everywhere else one token per UTF-8 byte is the bound: byte-level
tokenizers never make more. Compatibility characters can grow when a tokenizer normalises first (``ﷺ`` becomes 18
characters), so the longer of the raw and the NFKC form counts.

**Margin.** Texts alone are less than what is billed. Callers count *every string of the body, keys and numbers
included*, each on its own, and add `unseen` for what the body does not hold.
"""

import gzip
import hashlib
import re
from base64 import b64decode
from functools import cache, lru_cache
from importlib import resources
from typing import NamedTuple
from unicodedata import normalize

from tiktoken import Encoding

from outwarden.errors import StateError

BYTES = "bytes"

# tiktoken is slow on one unbroken run (quadratic in older versions) and its pattern overflows the stack, as a panic
# that no `except Exception` sees, on some 100 KB of white space. Text has no such runs; what has them counts by bytes.
_RUN_CHARACTERS_MAX = 4096
_WINDOW = _RUN_CHARACTERS_MAX // 2  # each run that long covers one aligned window of half its length
_LONG_RUN = re.compile(rf"(?<!\S)\S{{{_RUN_CHARACTERS_MAX},}}|(?<!\s)\s{{{_RUN_CHARACTERS_MAX},}}")


class _Table(NamedTuple):
    pattern: str
    sha256: str  # of the unpacked table, as tiktoken_ext.openai_public publishes it


# Patterns and hashes: https://github.com/openai/tiktoken/blob/main/tiktoken_ext/openai_public.py (0.14.0)
_TABLES = {
    "o200k_base": _Table(
        "|".join(
            (
                r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
                r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
                r"\p{N}{1,3}",
                r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
                r"\s*[\r\n]+",
                r"\s+(?!\S)",
                r"\s+",
            )
        ),
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    ),
    "cl100k_base": _Table(
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]"
        r"|\s+(?!\S)|\s",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ),
}

# Which model uses which table: tiktoken/model.py of the same version, and OpenAI's statement that a family keeps it.
# The first that matches wins. A family nobody has published a tokenizer for is counted by bytes.
_FAMILIES = (
    (
        re.compile(
            r"(?:ft:)?(?:chatgpt-4o|gpt-4o|gpt-4\.[15]|gpt-5|gpt-oss|gpt-audio|gpt-realtime|o[134](?:-|$)|codex-)"
        ),
        "o200k_base",
    ),
    (
        re.compile(r"(?:ft:)?(?:gpt-4(?:-|$)|gpt-3\.5|gpt-35-|text-embedding-|(?:davinci|babbage)-002)"),
        "cl100k_base",
    ),
)
_OPENAI_HOSTS = frozenset({"openai", "azure"})


class TokenCounter:
    """Count tokens, from above."""

    def encoding(self, provider: str, model: str | None) -> str:
        """Name the encoding for a model as its provider names it; ``bytes`` where no published tokenizer fits.

        ``openai/…`` is believed from any provider (OpenRouter, Groq): those names are the makers' own.
        """
        return _encoding(provider, model)

    def count(self, encoding: str, text: str) -> int:
        """Say how many tokens a text is at most. Raises KeyError for an encoding that `encoding` never names."""
        if encoding == BYTES:
            return _byte_bound(text)
        encoder = _encoder(encoding)
        if len(text) >= _RUN_CHARACTERS_MAX and _may_hold_long_run(text):
            return _count_around_runs(encoder, text)
        return len(encoder.encode_ordinary(text))

    def warm(self) -> None:
        """Load both tables now (0.2 s each), so that the first call need not wait for it."""
        for name in _TABLES:
            _encoder(name)


@lru_cache(1024)  # asked for several times a call
def _encoding(provider: str, model: str | None) -> str:
    name = (model or "").lower()
    if name.startswith("openai/"):
        name = name.removeprefix("openai/")
    elif provider.lower() not in _OPENAI_HOSTS:
        return BYTES
    return next((encoding for pattern, encoding in _FAMILIES if pattern.match(name)), BYTES)


def _may_hold_long_run(text: str) -> bool:
    """Look at every aligned window: a long run fills at least one. A hundred times faster than the pattern."""
    windows = (text[start : start + _WINDOW] for start in range(0, len(text) - _WINDOW + 1, _WINDOW))
    return any(window.isspace() or _unbroken(window) for window in windows)


def _unbroken(window: str) -> bool:
    parts = window.split(None, 1)  # stops at the first white space
    return len(parts) == 1 and len(parts[0]) == len(window)


def _count_around_runs(encoder: Encoding, text: str) -> int:
    """Encode what lies between the long runs, and take those by bytes."""
    total = position = 0
    for run in _LONG_RUN.finditer(text):
        total += len(encoder.encode_ordinary(text[position : run.start()])) + _byte_bound(run[0])
        position = run.end()
    return total + len(encoder.encode_ordinary(text[position:]))


def _byte_bound(text: str) -> int:
    if text.isascii():
        return len(text)
    return max(_bytes(text), _bytes(normalize("NFKC", text)))


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


@cache
def _encoder(name: str) -> Encoding:
    """Load a table once per process. Raises StateError where the shipped file is not the published table."""
    table = _TABLES[name]
    packed = resources.files(__package__).joinpath("encodings", f"{name}.tiktoken.gz").read_bytes()
    raw = gzip.decompress(packed)
    if hashlib.sha256(raw).hexdigest() != table.sha256:
        raise StateError(f"the token table {name} is damaged: its sha256 is not the published one; install again")
    ranks = {b64decode(token): int(rank) for token, rank in (line.split() for line in raw.splitlines())}
    return Encoding(name, pat_str=table.pattern, mergeable_ranks=ranks, special_tokens={})
