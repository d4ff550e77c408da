"""Persons in messages between hospitals' systems (HL7 v2), where segment and field tell what a value is.

`PID|1||4711^^^MAIN^MR||ROE^IDA||19850214|F|||12 ELM ST^^YORK`: the patient, next of kin, guarantors and the insured
with their birthdays, addresses, telephones and numbers, and whoever ordered, saw or signed. In whole texts only;
record numbers are `ward_records`' business. Each component is a finding of its own, so that a message stays one.
"""

import re
from collections.abc import Collection, Iterator, Mapping

from outwarden.pii.finder import Span
from outwarden.pii.page import Page, texts_with
from outwarden.pii.regexp import Regexp

_SCORE = 0.85
# Which fields hold what (HL7 v2.5.1, chapters 2 to 7 and 10; the numbers are those of the standard).
_NAME, _STAFF, _ADDRESS, _PHONE, _BIRTH, _SSN, _LICENSE, _INSURANCE = range(8)
_FIELDS: Mapping[str, Mapping[int, int]] = {
    "PID": {5: _NAME, 6: _NAME, 7: _BIRTH, 9: _NAME, 11: _ADDRESS, 13: _PHONE, 14: _PHONE, 19: _SSN, 20: _LICENSE},
    "NK1": {2: _NAME, 4: _ADDRESS, 5: _PHONE, 6: _PHONE, 16: _BIRTH, 30: _NAME, 31: _PHONE, 32: _ADDRESS, 37: _SSN},
    "GT1": {3: _NAME, 4: _NAME, 5: _ADDRESS, 6: _PHONE, 7: _PHONE, 8: _BIRTH, 12: _SSN},
    "IN1": {6: _NAME, 16: _NAME, 18: _BIRTH, 19: _ADDRESS, 36: _INSURANCE, 49: _INSURANCE},
    "IN2": {2: _SSN, 6: _INSURANCE, 63: _PHONE, 64: _PHONE},
    "MRG": {7: _NAME},
    "PD1": {4: _STAFF},
    "PV1": {7: _STAFF, 8: _STAFF, 9: _STAFF, 17: _STAFF, 52: _STAFF},
    "EVN": {5: _STAFF},
    "ORC": {10: _STAFF, 11: _STAFF, 12: _STAFF, 14: _PHONE, 19: _STAFF, 24: _ADDRESS},
    "OBR": {10: _STAFF, 16: _STAFF, 17: _PHONE, 28: _STAFF},
    "OBX": {16: _STAFF},
    "DG1": {16: _STAFF},
    "PR1": {8: _STAFF, 11: _STAFF, 12: _STAFF},
    "TXA": {5: _STAFF, 9: _STAFF, 10: _STAFF, 11: _STAFF, 22: _STAFF},
    "SCH": {12: _STAFF, 13: _PHONE, 16: _STAFF, 20: _STAFF},
    "AIP": {3: _STAFF},
    "ROL": {4: _STAFF},
}
_ENTITY_OF = {
    _PHONE: "PHONE_NUMBER",
    _BIRTH: "DATE_OF_BIRTH",
    _SSN: "US_SSN",
    _LICENSE: "US_DRIVER_LICENSE",
    _INSURANCE: "HEALTH_INSURANCE_NUMBER",
}
ENTITIES = frozenset({*_ENTITY_OF.values(), "PERSON", "STREET_ADDRESS", "POSTAL_CODE"})
# The components of a name (family, given, further given), of a member of staff behind a number, of an address.
_NAMES = {_NAME: range(3), _STAFF: range(1, 4)}
_PLACES = {0: "STREET_ADDRESS", 1: "STREET_ADDRESS", 2: "STREET_ADDRESS", 4: "POSTAL_CODE"}
# Only in a message, or where a segment of a patient stands by itself; ends of lines may be escapes, as in JSON in text.
_IS_MESSAGE = re.compile(r"\b(?:MSH\||PID\|[0-9]{0,4}\|[^|\r\n]{0,80}\|)")
_SIGN = Regexp(r"MSH\||PID\|")
_SEGMENT = re.compile(rf"(?:(?<![A-Za-z0-9|^])|(?<=\\[rn]))(?:{'|'.join(_FIELDS)})\|(?:[^\r\n\\]|\\(?![rn])){{0,4000}}")
_VALUES = {
    _PHONE: re.compile(r"[+(]?[0-9][0-9 ().\-/+]{5,24}"),
    _BIRTH: re.compile(r"(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])[0-3][0-9](?:[0-9]{4,6})?(?![0-9])"),
    _SSN: re.compile(r"[0-9]{3}-?[0-9]{2}-?[0-9]{4}(?![0-9])"),
    _LICENSE: re.compile(r"(?=[^^]*[0-9])[A-Z0-9\-]{5,20}"),
    _INSURANCE: re.compile(r"(?=[^^]*[0-9])[A-Z0-9\-]{5,24}"),
}
_WORDS = re.compile(r"[^\W\d_](?:[^|^~&\\\r\n0-9]{0,60}[^\W\d_.])?\.?")
_PLACE = re.compile(r"[^|^~&\\\r\n]{2,100}")


class Messages:
    """Finds them; a `WholeFinder`. Serves all threads."""

    def __init__(self, wanted: Collection[str]) -> None:
        """Look for what is in ``wanted`` only."""
        self.entities = ENTITIES.intersection(wanted)

    def __repr__(self) -> str:
        return "<Messages>"

    def find(self, page: Page) -> dict[int, list[Span]]:
        """The findings in each text with any; few texts are messages."""
        return {
            index: [span for span in _find(page.texts[index]) if span.entity in self.entities]
            for index in texts_with(_SIGN.search, page)
        }


def _find(text: str) -> Iterator[Span]:
    if _IS_MESSAGE.search(text) is None:
        return
    for segment in _SEGMENT.finditer(text):
        kinds = _FIELDS[segment[0][:3]]
        for number, said, at in repetitions(segment[0], segment.start()):
            if said and number in kinds:
                kind = kinds[number]
                yield from (_value if kind in _ENTITY_OF else _components)(said, at, kind)


def repetitions(segment: str, at: int) -> Iterator[tuple[int, str, int]]:
    """Yield the number of each field of a segment, once for each repetition, what it holds and where: ``at`` is where
    the segment begins.
    """
    for number, field in enumerate(segment.split("|")):
        for said in field.split("~"):
            yield number, said, at
            at += len(said) + 1


def _value(said: str, at: int, kind: int) -> Iterator[Span]:
    found = _VALUES[kind].match(said)
    if found is not None:
        yield Span(at, at + len(found[0].rstrip(" (-")), _ENTITY_OF[kind], _SCORE)


def _components(said: str, at: int, kind: int) -> Iterator[Span]:
    for number, component in enumerate(said.split("^")):
        entity = _PLACES.get(number, "") if kind == _ADDRESS else "PERSON" if number in _NAMES[kind] else ""
        first = component.partition("&")[0]  # a family name may have a prefix of its own behind it
        whole = _PLACE if kind == _ADDRESS else _WORDS
        if entity and whole.fullmatch(first):
            yield Span(at, at + len(first), entity, _SCORE)
        at += len(component) + 1
