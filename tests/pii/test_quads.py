"""A card in four groups is found whatever stands between; four numbers of anything else are none."""

import pytest

from outwarden.pii import Detector, PiiPolicy


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(PiiPolicy())


@pytest.mark.parametrize(
    "text",
    [
        "4013 [pause] 6018 [pause] 6191 [pause] 1289 visa",
        'note {"q1":"4013","q2":"6018","q3":"6191","q4":"1289","type":"card"}',
        "first four 4013, second four 6018, third 6191, last 1289 on my card",
        "4013💳6018💳6191💳1289 cc",
        "%B4013601861911289^DOE/JANE^2905101?",
        "4013601861911289D29052010000012345",
        "TLV 9F3901055F2A0209785A0840136018619112895F3401019F1A020276",
    ],
)
def test_a_card_in_four_groups_or_on_its_stripe(detector: Detector, text: str) -> None:
    """With the word behind, in fields, told one by one, between emoji, as it is read from a card."""
    assert "CREDIT_CARD" in {span.entity for span in detector.find([text])[0]}


@pytest.mark.parametrize(
    "text",
    [
        "4013 [pause] 6018 [pause] 6191 [pause] 1288 visa",
        'years {"q1":"4013","q2":"6018","q3":"6191","q4":"1289"} in seats',
        "%B4013601861911288^DOE/JANE^2905101?",
    ],
)
def test_four_other_numbers(detector: Detector, text: str) -> None:
    """The check digit fails, or nothing speaks of a card."""
    assert "CREDIT_CARD" not in {span.entity for span in detector.find([text])[0]}
