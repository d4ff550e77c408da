"""Record numbers that their surroundings tell: labels of files, labels behind, types, columns, series."""

from collections.abc import Callable
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii import ward_records
from outwarden.pii.detect import Detector
from outwarden.pii.page import Page
from outwarden.pii.policy import PiiPolicy
from outwarden.pii.ward_records import WardRecords

Find = Callable[[str], list[tuple[str, str]]]


def numbers(text: str) -> list[str]:
    spans = WardRecords().find(Page([text])).get(0, [])
    return list(dict.fromkeys(text[span.start : span.end] for span in sorted(spans)))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Chart KD-2077. Dr Roe to review", "KD-2077"),
        ("HN 3319-204-C. G1P0, midwife present", "3319-204-C"),
        ("rec # 00-93-7714, COPD, patient well", "00-93-7714"),
        ("Our ref: 5590-A, seen in clinic", "5590-A"),
        ("folder no: B/2201/25, patient fasting", "B/2201/25"),
        ("patient's number in full: hospital number on the card: PW33017", "PW33017"),
        ("Rec.no....: 000-338-291, ward 4", "000-338-291"),
        ("Reg.nr 338-291 Patient mødte med datter", "338-291"),
        ("NIP : 4400552938. Opérateur : Dr X", "4400552938"),
        ("карта № 55-ИБ-3307, больной стабилен", "55-ИБ-3307"),
        ("রোগী, রেজি. নং ২২৯৩/২৫", "২২৯৩/২৫"),
        ("MED REC N0: 51 2298 3, ward 3", "51 2298 3"),
        ("Medical Record Number:\n   551-9203-18\nLegal name:", "551-9203-18"),
        ("MRG|55192034^^^HOSP^MR||||||ROE^IDA", "55192034"),
        ("QRD|202611211012|R|I|Q1004|||1^RD|55192034|DEM", "55192034"),
        ('<patientRole><id extension="55192034" root="2.16"/><patient>', "55192034"),
        ("(0010,0020) LO [55192034]   # PatientID", "55192034"),
        ("NM1*IL*1*ROE*IDA~REF*EA*5519203~DMG*D8", "5519203"),
        ('"subject":{"reference":"Patient/551920"}', "551920"),
        ("No. RM 89-57-54 Ny. Sri, perawat", "89-57-54"),
        ("PSG report; Facility number SL-551920; scored by Roe, MD", "SL-551920"),
        ("Granddaughter says injury unlikely. client rec HH-55192", "HH-55192"),
        ("Aufnahmenr. / Akte 5519203388, Frau Roe", "5519203388"),
        ("Roe f/u for Wilson's disease; ceruloplasmin low. chart 551920", "551920"),
        ("UR no 84-65-50, GP Dr Ott", "84-65-50"),
        ("P: amoxi, hoest. Dossiernr 551920. Familie gerust", "551920"),
    ],
)
def test_labels_of_files_on_a_ward(text: str, number: str) -> None:
    """What every office calls its files is a record's number where patients are spoken of."""
    assert number in numbers(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("two charts, 6629315 (that's her MRN), nurse asks", "6629315"),
        ("band reads 0022 8453 as med rec no, ward 2", "0022 8453"),
        ("ID: 800523984 (medical record), LVEF 40 %", "800523984"),
        ("patient (TQ-5529 hosp no), for theatre", "TQ-5529"),
        ("ward: KL882931 = hosp no", "KL882931"),
    ],
)
def test_labels_behind_their_number(text: str, number: str) -> None:
    """In brackets, after "as" and "="."""
    assert number in numbers(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ('{"identifier":[{"type":{"coding":[{"code":"MR"}]},"value":"00449582"}]}', "00449582"),
        ("<PID.3><CX.1>0082773</CX.1><CX.5>MR</CX.5></PID.3>", "0082773"),
        ("PID|1|B0082716|||", "B0082716"),
        ("PID|||KN-882315^^^KN^MR~E5^^^X||", "KN-882315"),
    ],
)
def test_types_of_the_standards(text: str, number: str) -> None:
    """FHIR's JSON, HL7 v2 in XML and in bars."""
    assert number in numbers(text)


def test_columns_and_series() -> None:
    """Each cell under a head; the others of the form of one that is labelled; those that a plural speaks of."""
    assert numbers("mrn,ward\n2003495,4\n9113382,5") == ["2003495", "9113382"]
    assert set(numbers("hosp no R338291, not R338219, patient waits")) == {"R338291", "R338219"}
    assert set(numbers("patient hosp no 5519203 and 7740012 merged")) == {"5519203", "7740012"}
    assert set(numbers("List: 8825529 hernia, 8825531 chole (MRNs as per PAS), theatre 2")) == {"8825529", "8825531"}


@pytest.mark.parametrize(
    "text",
    [
        "Chart KD-2077 of the sales team",
        "case no. 2026-04418 at the county court",
        "patient notes say 1500 ml; chart reviewed 2200",
        "ward chart 12/11/2025, record of 2025",
        "PID|1||20260311||",
        "file 44182 not found",
        "CODE RECORD 0447, patient in arrest, nurse scribing",
        "NURSING NOTE 0215: PATIENT FOUND ON FLOOR, DR TOLD",
        "patient seen, Roe rang at 2230, ward chart",
        "lab no. C26-118; patient's hospital no. pending",
        '{"code":"MRX","value":"00449582"}',
        "statistical value 822801, MRN box left empty.",
    ],
)
def test_what_only_looks_so(text: str) -> None:
    """Files of other offices, measurements, dates."""
    assert numbers(text) == []


def test_only_whole_texts_are_looked_at() -> None:
    """A stream would have to wait for all of the text; and who does not want these is not shown them."""
    text = "Chart KD-2077. Dr Roe to review"
    detector = Detector(PiiPolicy(entities=frozenset({"MEDICAL_RECORD_NUMBER"})))
    assert [span.entity for span in detector.find([text])[0]] == ["MEDICAL_RECORD_NUMBER"]
    assert not detector.spans([text])[0]
    assert not Detector(PiiPolicy(entities=frozenset({"EMAIL_ADDRESS"}))).find([text])[0]


@given(st.text(alphabet='PID|MR 0123456789-/.,\n"[]{}chartnode<>CX1', max_size=300))
def test_spans_lie_in_the_text(text: str) -> None:
    """Whatever the text is."""
    for span in WardRecords().find(Page([text])).get(0, []):
        assert 0 <= span.start < span.end <= len(text)


@pytest.mark.parametrize(
    "part", ["chart no 44182, patient. ", "MRN ", "PID|1||44182^^^|| ", '"MR" ', "note,mrn\n1,2\n", "1234 "]
)
def test_time_is_linear(part: str) -> None:
    """Ten times the text takes no more than some thirty times as long."""

    def seconds(text: str) -> float:
        began = process_time()
        WardRecords().find(Page([text]))
        return process_time() - began

    seconds(part * 100)
    short = min(seconds(part * 500) for _ in range(3))
    assert min(seconds(part * 5000) for _ in range(2)) < 30 * short + 0.2


def test_each_repetition_of_an_identifier_is_found(find: Find) -> None:
    """Also one that stands twice in a field."""
    segment = "PID|1||4711234~4711234||ROE^IDA"
    assert [value for entity, value in find(segment) if entity == "MEDICAL_RECORD_NUMBER"] == ["4711234", "4711234"]


@given(
    st.lists(st.sampled_from([*"aMR17٣ /.-=(:,é\udc80", "is ", "the ", "her ", "AB-12 ", "4711"]), max_size=24).map(
        "".join
    )
)
def test_a_number_is_found_from_its_end_as_from_its_begin(before: str) -> None:
    """In scripts of other digits too."""
    found, plainly = ward_records._number_before(before), ward_records._BEHIND.search(before)

    assert (found and found.span()) == (plainly and plainly.span())
