"""A short storm over a real interceptor: the whole one is `scripts/bench chaos`."""

import pytest

from weathering.storm import Storm


@pytest.mark.parametrize("hold", ["full", "metered"])
def test_no_call_is_lost_in_a_storm(hold: str) -> None:
    """Each ends whole or with an explicit error, in time; money, records and logs agree with what was served."""
    storm = Storm(
        seed=3, calls=240, parallel=12, warm_up=120, hold=hold, grows_max_bytes=64 << 20, say=lambda line: None
    )

    outcome = storm.run()

    assert outcome.wrong == []
    assert outcome.kinds["whole"] > 120
    assert outcome.kinds["error"] > 0
    assert len(outcome.fates) > 8  # of the kinds of faults there are, most were met
