"""The network's arithmetic: each unit by itself, the same whatever was read before."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.pii.names import network as network_module
from outwarden.pii.names.model import FOLDER, read_model
from outwarden.pii.names.network import LABELS, Network

words = st.sampled_from(["Jane", "Doe", "said", ".", "in", "Oslo", "42", "jane@acme.com", "Mr", "Zqxw", "字"])
units = st.lists(st.lists(words, min_size=1, max_size=12), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def fresh() -> Callable[[], Network]:
    return lambda: read_model(FOLDER / "names")[0]


@pytest.fixture(scope="module")
def network(fresh: Callable[[], Network]) -> Network:
    return fresh()


@settings(max_examples=50)
@given(units)
def test_units_do_not_touch(network: Network, said: list[list[str]]) -> None:
    """Read together or one by one: the same."""
    together = network.likelihoods(said)

    assert [one.shape for one in together] == [(len(unit), len(LABELS)) for unit in said]
    for one, unit in zip(together, said, strict=True):
        assert np.allclose(one, network.likelihoods([unit])[0], atol=1e-4)
        assert np.allclose(one.sum(axis=1), 1, atol=1e-4)


def test_nothing_is_kept_beyond_its_bound(monkeypatch: pytest.MonkeyPatch, fresh: Callable[[], Network]) -> None:
    """More different words than are kept: forgotten, and computed again."""
    network = fresh()
    text = [f"Word{number}" for number in range(400)]
    before = network.likelihoods([text])[0]
    monkeypatch.setattr(network_module, "KEPT_WORDS", 420)
    for start in range(0, 2000, 100):
        network.likelihoods([[f"other{number}" for number in range(start, start + 100)]])

    assert np.allclose(network.likelihoods([text])[0], before, atol=1e-4)
    assert "kept" in repr(network)


def test_what_holds_too_many_words_at_once_is_an_error(
    monkeypatch: pytest.MonkeyPatch, fresh: Callable[[], Network]
) -> None:
    """It cannot happen: a block is much shorter than what is kept."""
    network = fresh()
    monkeypatch.setattr(network_module, "KEPT_WORDS", 10)
    with pytest.raises(ValueError, match="too many words"):
        network.likelihoods([[f"x{number}" for number in range(20)]])

    assert network_module.BLOCK_WORDS * 8 < network_module.KEPT_WORDS or network_module.KEPT_WORDS == 10
    assert network.likelihoods([]) == []
