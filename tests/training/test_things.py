"""What looks like a name and is none, the same for the same seed."""

import random
from collections.abc import Callable

import pytest

from training.things import acronym, brand, code, drug


@pytest.mark.parametrize("make", [acronym, brand, code, drug])
def test_things_are_many_and_repeat_with_the_seed(make: Callable[[random.Random], str]) -> None:
    """Mostly invented, so that none is learned by heart."""
    made = [make(random.Random(seed)) for seed in range(300)]

    assert made == [make(random.Random(seed)) for seed in range(300)]
    assert len(set(made)) > 150
    assert all(thing == thing.strip() and any(map(str.isalnum, thing)) for thing in made)


def test_acronyms_are_short_and_in_capitals() -> None:
    """Two to five letters."""
    rng = random.Random(1)

    assert all(2 <= len(one) <= 5 and one.isupper() for one in (acronym(rng) for _ in range(300)))
