"""Quantiles are values that were seen."""

from hypothesis import given
from hypothesis import strategies as st

from outwarden.cli.upstream_figures import quantile


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 1))
def test_a_quantile_is_not_exceeded_by_its_share(values: list[float], share: float) -> None:
    """At least so many are no greater, and no smaller value does that."""
    ordered = sorted(values)
    found = quantile(ordered, share)

    assert found in ordered
    assert sum(value <= found for value in ordered) >= share * len(ordered)
    assert sum(value < found for value in ordered) <= share * len(ordered)
