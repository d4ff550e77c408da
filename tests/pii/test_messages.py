"""Persons in HL7 v2 messages are found field by field; numbers, codes and other text with bars stay."""

import pytest

from outwarden.pii import Detector, PiiPolicy
from outwarden.pii.messages import ENTITIES, Messages
from outwarden.pii.page import Page

MESSAGE = "\r".join(
    [
        "MSH|^~\\&|ADT1|WARD|LAB|WARD|202403011126||ADT^A01|MSG00001|P|2.5",
        "EVN|A01|202403011123|||00012^MERTENS^JULE",
        "PID|1||4711234^^^MAIN^MR||ROE^IDA^K^^^||19850214103000|F|||12 ELM ST^FLAT 3^YORK^ON^K1A0B1"
        "||(613)555-0177~(613)555-0188||E||||219-09-9999|R1234-56789-01",
        "NK1|1|VAN&VAN^OTTO|SPO|9 OAK RD^^YORK^ON^K1A0B2|(613)555-0133",
        "PV1|1|I|2000^2012^01||||004777^LINDQVIST^SVEN^J|||SUR||||ADM|A0|",
        "OBX|1|NM|2345-7^GLUCOSE||182|mg/dL|70-99|H",
    ]
)


def find(text: str) -> list[tuple[str, str]]:
    """What is found, in order."""
    return [(s.entity, text[s.start : s.end]) for s in Messages(ENTITIES).find(Page([text])).get(0, [])]


def test_each_component_is_found() -> None:
    """The patient, the next of kin and the staff; nothing of the measurement, no number of a record."""
    assert find(MESSAGE) == [
        ("PERSON", "MERTENS"),
        ("PERSON", "JULE"),
        ("PERSON", "ROE"),
        ("PERSON", "IDA"),
        ("PERSON", "K"),
        ("DATE_OF_BIRTH", "19850214103000"),
        ("STREET_ADDRESS", "12 ELM ST"),
        ("STREET_ADDRESS", "FLAT 3"),
        ("STREET_ADDRESS", "YORK"),
        ("POSTAL_CODE", "K1A0B1"),
        ("PHONE_NUMBER", "(613)555-0177"),
        ("PHONE_NUMBER", "(613)555-0188"),
        ("US_SSN", "219-09-9999"),
        ("US_DRIVER_LICENSE", "R1234-56789-01"),
        ("PERSON", "VAN"),
        ("PERSON", "OTTO"),
        ("STREET_ADDRESS", "9 OAK RD"),
        ("STREET_ADDRESS", "YORK"),
        ("POSTAL_CODE", "K1A0B2"),
        ("PHONE_NUMBER", "(613)555-0133"),
        ("PERSON", "LINDQVIST"),
        ("PERSON", "SVEN"),
        ("PERSON", "J"),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\\r", "\\n"])
def test_ends_of_segments(end: str) -> None:
    """As files, chats and JSON inside text have them."""
    assert find(MESSAGE.replace("\r", end)) == find(MESSAGE)


def test_a_segment_by_itself() -> None:
    """Somebody pastes the patient alone."""
    assert ("DATE_OF_BIRTH", "19850214") in find("PID|1||4711234^^^MAIN^MR||ROE^IDA||19850214|F")


@pytest.mark.parametrize(
    "text",
    [
        "NK1|beta|gamma|1990|x",
        "| PID | user | 19850214 |\n| PV1 | root | 12 |",
        "MSH|^~\\&|A|B\rOBX|1|NM|2345-7^GLUCOSE||182|mg/dL",
        "ps: PID|TTY|TIME|CMD|ROE|JOE|19850214",
    ],
)
def test_what_is_no_patient(text: str) -> None:
    """Tables and measurements."""
    assert find(text) == []


def test_only_what_is_wanted() -> None:
    """By the policy; names only where a model for names is asked as well."""
    found = Detector(PiiPolicy(entities=frozenset({"DATE_OF_BIRTH"}))).find([MESSAGE])[0]
    assert {span.entity for span in found} == {"DATE_OF_BIRTH"}
    assert "PERSON" not in {span.entity for span in Detector(PiiPolicy()).find([MESSAGE])[0]}


def test_the_rest_of_a_message_stays() -> None:
    """Visits and insurances are no street addresses."""
    text = f"{MESSAGE}\rIN1|1|A357|1234|BCMD||||132987"
    kept = text[text.index("PV1|") :]
    assert all(span.end <= text.index("PV1|") for span in Detector(PiiPolicy()).find([text])[0]), kept
