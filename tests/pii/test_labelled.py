"""A number right after its label is found whatever stands between its digits; a list of counts is none."""

import time

import pytest

from outwarden.pii import Detector, PiiPolicy

CARD = ("4929", "4128", "3357", "6017")


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(PiiPolicy())


def found(detector: Detector, text: str) -> list[str]:
    return [span.entity for span in detector.find([text])[0]]


@pytest.mark.parametrize(
    ("entity", "text"),
    [
        ("CREDIT_CARD", f"card {' | '.join(CARD)}"),
        ("CREDIT_CARD", f"card number: {CARD!r}"),
        ("CREDIT_CARD", "my card: " + "".join(f"[{group}]" for group in CARD)),
        ("CREDIT_CARD", "visa\n" + "\n".join(f"> {group}" for group in CARD)),
        ("CREDIT_CARD", f'card {{"a": "{CARD[0]}", "b": "{CARD[1]}", "c": "{CARD[2]}", "d": "{CARD[3]}"}}'),
        ("CREDIT_CARD", "card first part 4929, then 4128, after that 3357, last part 6017"),
        ("US_SSN", "ssn [2, 8, 1, 4, 4, 0, 0, 6, 7]"),
        ("US_SSN", "social: 281 | 44 | 0067"),
        ("US_SSN", "ssn zwei acht eins vierundvierzig null null siebenundsechzig"),
        ("US_SSN", "ssn two eight one, uh, four four um double zero six seven"),
        ("US_SSN", "SSN: 2B1-44-OO67"),
        ("CREDIT_CARD", "OCR conf 0.71 card S478 10B6 5228 8047"),
        ("PHONE_NUMBER", "phone: six one seven (mhm) seven nine six (okay) zero five one zero (yep)"),
        ("MEDICAL_RECORD_NUMBER", "MRN 448\n[10:02] noor: 3921"),
        ("PHONE_NUMBER", "call me on [415][867][2291]"),
        ("PHONE_NUMBER", "phone quatre un cinq, huit six sept, deux deux neuf un"),
        ("PHONE_NUMBER", "call me: " + "".join(f"{digit}\ufe0f\u20e3" for digit in "4158672291")),
    ],
)  # fmt: skip
def test_a_labelled_number_is_found(detector: Detector, entity: str, text: str) -> None:
    """In cells, arrays, keys, chats, words."""
    assert entity in found(detector, text)


FRAMES = [
    "my card: the first four are {}, then {}, then {} and it ends with {}",
    "card number, in parts: {} (first), {} (second), {} (third), {} (fourth)",
    "card, first four digits {}; next four {}; next four {}; last four {}",
    "card {}, followed by {}, followed by {}, followed by {}",
    "card:\n- {}\n- {}\n- {}\n- {}",
    "card:\n1. {}\n2. {}\n3. {}\n4. {}",
    "card:\n a) {}\n b) {}\n c) {}\n d) {}",
    "the card? \nAda: {}\nAda: {}\nAda: {}\nAda: {}",
    "first four digits of the card?\nIda: {}\nBo: next four?\nIda: {}\nBo: next?\nIda: {}\nBo: last four?\nIda: {}",
    '{{"cc_1": "{}", "cc_2": "{}", "cc_3": "{}", "cc_4": "{}"}}',
    "card_a={}&card_b={}&card_c={}&card_d={}",
    "<tr><td>card</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
]


@pytest.mark.parametrize("frame", FRAMES)
def test_a_number_that_is_told_in_parts_is_found_whole(detector: Detector, frame: str) -> None:
    """From the first part to the last, whatever names and counts them."""
    text = frame.format(*CARD)
    (span,) = detector.find([text])[0]

    assert span.entity == "CREDIT_CARD"
    assert text[span.start : span.end].endswith(CARD[-1])
    assert text.index(CARD[0]) + 4 > span.start


@pytest.mark.parametrize("frame", FRAMES)
def test_other_numbers_told_so_are_left(detector: Detector, frame: str) -> None:
    """Counts."""
    assert not found(detector, frame.format("10", "20", "30", "40"))


@pytest.mark.parametrize(
    ("entity", "text"),
    [
        ("PHONE_NUMBER", "area code 415, then 867, and the last four are 2291"),
        ("PHONE_NUMBER", "my number starts with 415, the middle is 867 and it ends in 2291"),
        ("US_SSN", "social security: first three 281, middle two 44, last four 0067"),
        ("US_SSN", '{"ssn_area":"281","ssn_group":"44","ssn_serial":"0067"}'),
        ("PL_PESEL", "PESEL: 890215 \u2013 17803"),
        ("PL_PESEL", "PESEL osiem dziewięć zero dwa jeden pięć jeden siedem osiem zero trzy"),
        ("TR_TCKN", "kimlik 295 226 254 30"),
        ("IN_AADHAAR", "aadhaar: 3541\n8633\n4352"),
        ("SE_PERSONNUMMER", "personnummer 1984 04 04 2932"),
    ],
)
def test_other_kinds_are_told_in_parts_too(detector: Detector, entity: str, text: str) -> None:
    """Telephones by their plan, national numbers by their check digits."""
    assert entity in found(detector, text)


@pytest.mark.parametrize(
    "text",
    [
        "card counts: [12, 40, 7, 33]",
        "card 4929 | 4128 | 3357 | 6018 rows",
        "ssn [2, 8, 1, 4, 4, 0, 0, 6]",
        "calls: 2, 12, 45, 672, 34, 1",
        "the phone model list: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10",
        "contact sheet 3 of 9 has 12 rows and 41 columns",
        "MRN of three words",
        "visa requirements 2024, 2025, 2026 and 2027",
        "card game: first 3 cards, then 4 cards, then 5 cards",
        "the first two are 1024, then 2048, and the last is 4096",
        "contact angle 90, then 100, and it ends with 110 degrees",
        "PESEL: 890215 \u2013 17804",
    ],
)
def test_counts_after_a_label_are_left_alone(detector: Detector, text: str) -> None:
    """Wrong check digits, wrong counts, uneven groups."""
    assert not found(detector, text)


def test_the_number_alone_is_the_finding(detector: Detector) -> None:
    """Not its label, and nothing after it."""
    text = "card 4929 | 4128 | 3357 | 6017 exp 04/29"
    (span,) = detector.find([text])[0]

    assert text[span.start : span.end] == "4929 | 4128 | 3357 | 6017"


def test_many_labels_take_time_in_proportion() -> None:
    """Four times the text takes less than eight times as long."""
    detector, text = Detector(PiiPolicy()), "ssn 1,2,3,4 card 9 | 8 call 7, "
    took = []
    for copies in (400, 400, 1600):
        began = time.perf_counter()
        detector.find([text * copies])
        took.append(time.perf_counter() - began)

    assert took[2] < 8 * max(took[0], took[1])
