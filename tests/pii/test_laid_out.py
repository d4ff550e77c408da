"""Street addresses are found in fields, lines and with one sign for each space."""

import pytest

from outwarden.pii import Detector, PiiPolicy


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(PiiPolicy())


@pytest.mark.parametrize("sign", ["|", "_", "+", "#", "\\n"])
def test_addresses_with_a_sign_for_each_space(detector: Detector, sign: str) -> None:
    """All of it is one address."""
    value = "133 Rue des Tanneurs, 68000 Colmar".replace(" ", sign)
    text = f"shipping address: {value}"

    assert any(
        s.entity == "STREET_ADDRESS" and text[s.start : s.end].endswith("Colmar") for s in detector.find([text])[0]
    )


@pytest.mark.parametrize(
    "text",
    [
        "Anschrift: 133MgRoadBengaluru560001",
        '{"house_no":"14","street":"Fenwick Terrace"}',
        "street_name=Fenwick Terrace&street_number=14",
        "home address\n> 71 W 43rd St Apt 9C,\n> New York,\n> NY 10036",
        '{"line1":"Rua das Flores 175","line2":"4050-265 Porto"}',
        "street;town\nKeizersgracht 117;1016 EJ Amsterdam",
    ],
)
def test_addresses_over_fields_and_lines(detector: Detector, text: str) -> None:
    """Words run together, quoted lines, fields, cells."""
    assert "STREET_ADDRESS" in {span.entity for span in detector.find([text])[0]}


@pytest.mark.parametrize(
    "text",
    [
        "the address of the struct is 0x7ffe_1234_5678_9abc",
        "address: src/outwarden/pii_v2/test_123_4567.py",
        "memory address A_1_2_B_3_4",
        "ship to: warehouse|dock|4",
    ],
)
def test_other_runs_are_none(detector: Detector, text: str) -> None:
    """Pointers, paths, names."""
    assert [s.entity for s in detector.find([text])[0] if s.entity == "STREET_ADDRESS"] == []
