"""The weights of the evidence are learnt where it tells, and 0.5 is where it was asked to be."""

import numpy as np
import pytest

from outwarden.pii.names.evidence import FEATURES

calibrate = pytest.importorskip("training.calibrate")


def findings(count: int, persons: int = 1) -> "calibrate.Set":
    """Right where the network is sure and the name is listed; a finding a text."""
    rng = np.random.default_rng(5)
    evidence = rng.normal(size=(count, len(FEATURES)))
    right = evidence[:, FEATURES.index("logit")] + evidence[:, FEATURES.index("listed")] > 0
    met = [frozenset({0}) if one else frozenset() for one in right.tolist()]
    return calibrate.Set(evidence, right, np.arange(count), 1.0, met, count, persons)


def test_what_tells_gets_the_weight() -> None:
    """Two features decide here, so two weights stand out, and what was not seen is judged rightly."""
    told = findings(1500)
    weights = calibrate.fit([told], [told.text % 3 > 0])
    first, second, *others = sorted(np.abs(weights[:-1]), reverse=True)
    scores = calibrate.scores_of(weights, told.evidence)
    unseen = told.text % 3 == 0

    assert {first, second} == {abs(weights[FEATURES.index(name)]) for name in ("logit", "listed")}
    assert others[0] < second / 4
    assert ((scores >= 0.5) == told.right)[unseen].mean() > 0.95


def test_where_even_is() -> None:
    """A finding that is as likely as asked for gets 0.5, and the order stays."""
    weights = np.append(np.zeros(len(FEATURES)), np.log(calibrate._EVEN / (1 - calibrate._EVEN)))
    shifted = calibrate._shifted(weights)
    assert calibrate.scores_of(shifted, np.zeros((1, len(FEATURES))))[0] == pytest.approx(0.5)


def test_what_is_reported() -> None:
    """Precision and recall of persons; the share of harmless texts that are hit."""
    told = findings(10, persons=int(findings(10).right.sum()))
    assert calibrate.measured(told, told.right.astype(float), 0.5) == "1.00/1.000"
    harmless = told._replace(persons=0, right=np.zeros(10, bool))
    assert calibrate.measured(harmless, np.arange(10) / 10, 0.8) == "0.200"


@pytest.mark.parametrize("name", ["harmless_judged", "notes_judged", "letters_judged", "notes_kept"])
def test_the_own_sets_can_be_read(name: str) -> None:
    """Spans lie in their texts, and only harmless sets have none."""
    examples = calibrate.own_set(name)
    spans = [(one.text, span) for one in examples for span in one.spans]
    assert all(0 <= span.start < span.end <= len(text) for text, span in spans)
    assert bool(spans) is not name.startswith("harmless")
