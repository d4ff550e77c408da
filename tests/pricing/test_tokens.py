"""How many tokens a text is, from above, without the network and without pathological time."""

import gzip
import importlib.resources
import socket
import time
from pathlib import Path

import pytest
import tiktoken
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tiktoken_ext import openai_public

from outwarden.errors import StateError
from outwarden.pricing import tokens
from outwarden.pricing.tokens import BYTES, TokenCounter

COUNTER = TokenCounter()
TABLES = ["o200k_base", "cl100k_base"]
TEXT = st.text(max_size=300)


@pytest.fixture(scope="module", params=TABLES)
def reference(request: pytest.FixtureRequest) -> tuple[str, tiktoken.Encoding]:
    """tiktoken's own definition of an encoding, with the shipped ranks in place of its download."""
    name: str = request.param
    ranks = tokens._encoder(name)._mergeable_ranks
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(openai_public, "load_tiktoken_bpe", lambda *_, **__: ranks)
        definition = openai_public.ENCODING_CONSTRUCTORS[name]()
    return name, tiktoken.Encoding(**definition)


@pytest.mark.parametrize("name", TABLES)
def test_table_is_the_published_one(name: str) -> None:
    """The hash we check is the one tiktoken publishes for the very same table."""
    source = Path(openai_public.__file__).read_text()
    assert tokens._TABLES[name].sha256 in source
    assert tokens._encoder(name).n_vocab > 100_000


@settings(deadline=None)
@given(text=TEXT)
@example(text="<|endoftext|> is plain text")
@example(text="Grüße, naïve 漢字 😀 I'll don't  \n\n\t x")
def test_agrees_with_tiktoken(reference: tuple[str, tiktoken.Encoding], text: str) -> None:
    """For texts without extreme runs the count is exactly tiktoken's, special tokens as plain text."""
    name, encoding = reference
    assert COUNTER.count(name, text) == len(encoding.encode_ordinary(text))


def test_special_tokens_are_plain_text() -> None:
    """``<|endoftext|>`` in a text is several ordinary tokens, not one special one, and no error."""
    assert COUNTER.count("o200k_base", "<|endoftext|>") > 3


@given(TEXT)
def test_bytes_bound_is_never_below_a_tokenizer(text: str) -> None:
    """One token per byte is at least what either tokenizer makes."""
    bound = COUNTER.count(BYTES, text)
    assert all(COUNTER.count(name, text) <= bound for name in TABLES)


def test_bytes_bound_covers_normalisation() -> None:
    """A ligature that normalises to 18 characters counts as those, not as its 3 bytes."""
    assert COUNTER.count(BYTES, "\ufdfa") == 33
    assert COUNTER.count(BYTES, "abc") == 3
    assert COUNTER.count(BYTES, "é") == 2


def test_lone_surrogates_are_counted() -> None:
    """Half a character, as broken JSON escapes give, is counted like anything else."""
    assert COUNTER.count(BYTES, "a\ud800") == 4
    assert COUNTER.count("o200k_base", "a\ud800") >= 2
    assert COUNTER.count("o200k_base", "\ud800" * 10_000) >= 10_000


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("piece", ["a", " ", "\n", " \n", "A", "=", "漢", "a\u0301", "😀"])
def test_a_megabyte_of_the_same_is_counted_at_once(name: str, piece: str) -> None:
    """An unbroken run, which stalls or even crashes the tokenizer, is bounded by its bytes in a moment."""
    text = piece * (1_000_000 // len(piece))
    started = time.perf_counter()
    assert COUNTER.count(name, text + "x") >= len(text.encode()) // 4
    assert time.perf_counter() - started < 1


def test_runs_below_the_limit_are_counted_in_bounded_time() -> None:
    """A megabyte of the longest runs that still go to the tokenizer takes no seconds."""
    for piece in ("b" * 4095 + " ", " " * 4095 + "b"):
        started = time.perf_counter()
        COUNTER.count("o200k_base", piece * 244)
        assert time.perf_counter() - started < 3


@given(st.lists(st.sampled_from(["a" * 5000, " " * 5000, "\n" * 4096, "word ", "x", " ", "漢" * 4100]), max_size=6))
@settings(deadline=None, max_examples=30)
def test_around_long_runs_nothing_is_lost(pieces: list[str]) -> None:
    """Whatever lies between long runs is counted, and the runs by their bytes."""
    text = "".join(pieces)
    assert COUNTER.count("o200k_base", text) <= COUNTER.count(BYTES, text)
    long_bytes = sum(len(run[0].encode()) for run in tokens._LONG_RUN.finditer(text))
    assert COUNTER.count("o200k_base", text) >= long_bytes


@pytest.mark.parametrize(
    ("provider", "model", "encoding"),
    [
        ("openai", "gpt-4o", "o200k_base"),
        ("openai", "GPT-4o-mini-2024-07-18", "o200k_base"),
        ("openai", "gpt-4.1-nano", "o200k_base"),
        ("openai", "gpt-5.4", "o200k_base"),
        ("openai", "o1", "o200k_base"),
        ("openai", "o3-mini", "o200k_base"),
        ("openai", "o4-mini-2025-04-16", "o200k_base"),
        ("openai", "chatgpt-4o-latest", "o200k_base"),
        ("openai", "ft:gpt-4o:acme::1", "o200k_base"),
        ("openai", "gpt-4", "cl100k_base"),
        ("openai", "gpt-4-turbo", "cl100k_base"),
        ("openai", "ft:gpt-3.5-turbo:acme::1", "cl100k_base"),
        ("azure", "gpt-35-turbo", "cl100k_base"),
        ("openai", "text-embedding-3-small", "cl100k_base"),
        ("openrouter", "openai/gpt-4o", "o200k_base"),
        ("groq", "openai/gpt-oss-120b", "o200k_base"),
        ("openai", "gpt-7-unheard-of", BYTES),
        ("openai", "omni-moderation", BYTES),
        ("openai", None, BYTES),
        ("anthropic", "claude-sonnet-4-5", BYTES),
        ("google", "gemini-2.5-pro", BYTES),
        ("vllm", "gpt-4o", BYTES),  # anything may hide behind that name
    ],
)
def test_encoding_of_a_model(provider: str, model: str | None, encoding: str) -> None:
    """Only a model whose tokenizer is published gets one; all others are bounded by bytes."""
    assert COUNTER.encoding(provider, model) == encoding


def test_agrees_with_tiktoken_on_every_model_it_knows() -> None:
    """Each model in tiktoken's own list gets tiktoken's encoding, or the larger bytes bound."""
    for model, encoding in tiktoken.model.MODEL_TO_ENCODING.items():
        assert COUNTER.encoding("openai", model) in (encoding, BYTES)


def test_never_touches_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading a table opens no socket."""
    monkeypatch.setattr(socket, "socket", lambda *a, **k: pytest.fail("a socket was opened"))
    tokens._encoder.cache_clear()
    assert COUNTER.count("cl100k_base", "hello") == 1


def test_damaged_table_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that is not the published one, byte for byte, is not used."""
    folder = importlib.resources.files("outwarden.pricing")
    raw = gzip.decompress(folder.joinpath("encodings", "cl100k_base.tiktoken.gz").read_bytes())
    (tmp_path / "encodings").mkdir()
    (tmp_path / "encodings" / "cl100k_base.tiktoken.gz").write_bytes(gzip.compress(raw + b"eA== 1\n", 1))
    tokens._encoder.cache_clear()
    monkeypatch.setattr("outwarden.pricing.tokens.resources.files", lambda _: tmp_path)
    with pytest.raises(StateError, match="cl100k_base"):
        COUNTER.count("cl100k_base", "hello")


def test_unknown_encoding_is_an_error() -> None:
    """A name that `encoding` never gives is a mistake of ours."""
    with pytest.raises(KeyError):
        COUNTER.count("p50k_base", "hello")
