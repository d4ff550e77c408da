"""A value behind its name is found in whatever writing; what only looks like one, or is another's, is none."""

import pytest

from outwarden.pii import Detector, PiiPolicy


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(PiiPolicy())


def entities(detector: Detector, text: str) -> set[str]:
    """The entities that are found in a text."""
    return {span.entity for span in detector.find([text])[0]}


@pytest.mark.parametrize(
    ("entity", "text", "value"),
    [
        ("POSTAL_CODE", "post code read out: Lima Echo four   seven Papa Golf", "Lima Echo four   seven Papa Golf"),
        ("POSTAL_CODE", "PLZ: zwei sieben drei acht null", "zwei sieben drei acht null"),
        ("POSTAL_CODE", "postcode acht zes twee vijf K L", "acht zes twee vijf K L"),
        ("POSTAL_CODE", "Postcode [one per box]: L E 4 7 P G", "L E 4 7 P G"),
        ("POSTAL_CODE", "code postal : k2b-7h4", "k2b-7h4"),
        ("POSTAL_CODE", "住所 〒４９２－８１４６", "４９２－８１４６"),
        ("POSTAL_CODE", "postcode (scan) BSl 4PG", "BSl 4PG"),
        ("US_PASSPORT", "米国旅券番号：６０８２７１９４５", "６０８２７１９４５"),
        ("US_BANK_NUMBER", "bank_account_b64=NjA4MjcxOTQ1MDI=", "NjA4MjcxOTQ1MDI="),
        ("MEDICAL_RECORD_NUMBER", '{"mrn":"NjA4MjcxOQ==","enc":"b64"}', "NjA4MjcxOQ=="),
        ("MAC_ADDRESS", "mac (6 bytes, base64) pIPnC6JO", "pIPnC6JO"),
        ("MAC_ADDRESS", "snmp physAddress = 164.131.231.11.162.78", "164.131.231.11.162.78"),
        ("MAC_ADDRESS", "port-security a483e7-0ba24e", "a483e7-0ba24e"),
        ("PHONE_NUMBER", "pandas row: phone 4917655512894.0", "4917655512894.0"),
        ("PHONE_NUMBER", "Excel shows the phone as 4.917655512894E+12", "4.917655512894E+12"),
        ("PHONE_NUMBER", "Mob.004917655512894sms ok", "004917655512894"),
        ("PHONE_NUMBER", "tel⁶⁴⁶-⁵²⁶-¹⁴⁸²", "⁶⁴⁶-⁵²⁶-¹⁴⁸²"),
        ("PHONE_NUMBER", "📲 646🔸526🔸1482 booking", "646🔸526🔸1482"),
        ("CREDIT_CARD", "trace=8 PAN4013601861911289|AMT12.00", "4013601861911289"),
        ("UK_NINO", "nino: lm.18.31.00.b", "lm.18.31.00.b"),
    ],
)
def test_a_value_in_another_writing(detector: Detector, entity: str, text: str, value: str) -> None:
    """Spoken, apart, packed, formatted, glued, in other characters: each with the label that asks for it."""
    found = [span for span in detector.find([text])[0] if span.entity == entity]

    assert [text[span.start : span.end] for span in found] == [value]


@pytest.mark.parametrize(
    "text",
    [
        "[429808.183208] usb 1-5: new USB device number 5 using xhci_hcd\n[817525.107420] usb 1-1: New device",
        "Ranges: Hb 12.0-15.5 g/dl, WBC 4.5-11.0, Plt 150-400",
        "phone models sold: 12, 345, 6789, 1012",
        "card 1 of 3: spent 27,820,975,640 rupiah",
        "macro expansion 0.128.17 of 12, mac_address_table size 4096",
        "one two three testing, mobile layout four five",
        "number of rows: 27,820,975,640",
        "the zip file has 123456 bytes, md5 0f343b0931126a20f133d67c2b018a3b",
    ],
)
def test_other_numbers_behind_such_a_word(detector: Detector, text: str) -> None:
    """Amounts, clocks, counts and lists stay as they are."""
    assert not entities(detector, text)


def test_a_number_that_fails_its_check_is_no_card(detector: Detector) -> None:
    """Glued to its label it has nothing else to tell it."""
    assert "CREDIT_CARD" not in entities(detector, "trace=8 PAN4013601861911288|AMT12.00")
