"""What is learnt of a model tightens metered holds, within bounds, and never on a guess."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pricing import BYTES, Learnt, LearntOf
from outwarden.pricing.learnt import CALLS_KEPT, MODELS_MAX, OUTPUT_CALLS_MIN, RATE_CALLS_MIN, quantile

CLAUDE = LearntOf("anthropic", "claude", BYTES)
GPT = LearntOf("openai", "gpt-4o", "o200k_base")


def test_nothing_is_known_at_first() -> None:
    """A byte is a token, nothing is hidden, and nobody knows how long answers are."""
    learnt = Learnt()

    assert learnt.output(CLAUDE) is None
    assert learnt.rate(CLAUDE) == 1
    assert learnt.tokens(CLAUDE, 1000) == 1000
    assert learnt.unseen(CLAUDE) == 0


def test_output_is_known_after_a_hundred_calls() -> None:
    """All but one in a hundred stay below it."""
    learnt = Learnt()
    for number in range(OUTPUT_CALLS_MIN - 1):
        learnt.note(CLAUDE, number)
    assert learnt.output(CLAUDE) is None

    learnt.note(CLAUDE, 100_000)

    assert learnt.output(CLAUDE) == OUTPUT_CALLS_MIN - 2
    learnt.note(CLAUDE, 100_000)
    assert learnt.output(CLAUDE) == 100_000


def test_only_the_last_calls_count() -> None:
    """A model that changed its ways is known anew."""
    learnt = Learnt()
    for output in [50_000] * 300 + [100] * CALLS_KEPT:
        learnt.note(CLAUDE, output)

    assert learnt.output(CLAUDE) == 100


def test_bytes_become_tokens_by_the_densest_text() -> None:
    """Half again as many as the densest of twenty long texts had."""
    learnt = Learnt()
    for _ in range(RATE_CALLS_MIN - 1):
        learnt.note(CLAUDE, 250, counted=1000)
    assert learnt.rate(CLAUDE) == 1

    learnt.note(CLAUDE, 400, counted=1000)

    assert learnt.rate(CLAUDE) == Fraction(6, 10)
    assert learnt.tokens(CLAUDE, 1001) == 601
    learnt.note(CLAUDE, 5000, counted=1000)
    assert learnt.rate(CLAUDE) == 1, "a token is never less than a byte"


@pytest.mark.parametrize(("output", "counted", "reasoning"), [(9, 10, 0), (900, 1000, 800)])
def test_what_says_nothing_of_texts(output: int, counted: int, reasoning: int) -> None:
    """A few words, and answers that were thought about, tell little of how dense a text is."""
    learnt = Learnt()
    for _ in range(RATE_CALLS_MIN):
        learnt.note(CLAUDE, 250, counted=1000)
    learnt.note(CLAUDE, output, counted=counted, reasoning_tokens=reasoning)

    assert learnt.rate(CLAUDE) == Fraction(3, 8)


def test_counted_tokens_stay_as_counted() -> None:
    """Where the tokenizer is known there is nothing to learn of texts."""
    learnt = Learnt()
    for _ in range(100):
        learnt.note(GPT, 250, counted=1000)

    assert learnt.rate(GPT) == 1


def test_hidden_thoughts_are_expected_the_next_time() -> None:
    """From the first call on that had some; nine calls of ten think no more than that."""
    learnt = Learnt()
    learnt.note(GPT, 3000, counted=100, reasoning_tokens=2900)
    assert learnt.unseen(GPT) == 2900
    for _ in range(9):
        learnt.note(GPT, 500, counted=100, reasoning_tokens=400)

    assert learnt.unseen(GPT) == 400
    assert learnt.unseen(CLAUDE) == 0, "each model by itself"


def test_memory_is_bounded() -> None:
    """Whoever invents names of models learns nothing and costs nothing; models in use stay."""
    learnt = Learnt()
    for _ in range(OUTPUT_CALLS_MIN):
        learnt.note(CLAUDE, 5)
    for number in range(MODELS_MAX * 2):
        learnt.note(LearntOf("openai", f"invented-{number}", BYTES), 5, counted=1)
        if number % 100 == 0:
            learnt.note(CLAUDE, 5)

    assert len(learnt._seen) == MODELS_MAX
    assert learnt.output(CLAUDE) == 5


@given(st.lists(st.integers(0, 10**6), min_size=1), st.fractions(0, 1))
def test_a_quantile_is_one_of_the_numbers(numbers: list[int], share: Fraction) -> None:
    """At least so many stay within it, and one number less would not do."""
    found = quantile(numbers, share)

    assert sum(number <= found for number in numbers) >= len(numbers) * share
    below = [number for number in numbers if number < found]
    assert not below or len(below) < len(numbers) * share
