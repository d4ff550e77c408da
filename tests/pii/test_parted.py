"""Numbers in parts are found behind their label, whatever layout stands between; lists of other numbers are none."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii import Detector, PiiPolicy, parted

CARD = ("4929", "4128", "3357", "6017")
PHONE = ("407", "276", "546", "29")


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(PiiPolicy())


def found(detector: Detector, text: str) -> list[tuple[str, str]]:
    return [(span.entity, text[span.start : span.end]) for span in detector.find([text])[0]]


@pytest.mark.parametrize(
    "gap", [" → ", "…", " and ", ", then ", "][", "> <", " - pause - ", "\t", "\n- ", "\n  ", "🙂"]
)
def test_parts_with_the_same_between_are_one_number(detector: Detector, gap: str) -> None:
    """Any sign, word or beginning of a line, as long as it is always the same."""
    assert ("PHONE_NUMBER", gap.join(PHONE)) in found(detector, f"my phone number is {gap.join(PHONE)}, thanks")
    assert ("CREDIT_CARD", gap.join(CARD)) in found(detector, f"card number: {gap.join(CARD)}, thanks")


def test_the_head_of_the_second_line_tells_what_two_lines_are() -> None:
    """Not that of the third, where they end: which of both was asked differed from process to process."""
    for word in ("north", "south", "east", "west", "red", "green", "blue", "black", "up", "down"):
        lines = f"10532\nx 1111\nnote that {word} of them are 20"
        read = parted.read_lines(lines, 0, parted._LAST_DIGITS)

        assert read is not None
        assert read.said == ("10532", "1111")


@pytest.mark.parametrize(
    "head", ["[10:1{}] ada: ", "{}) ", "- [ ] ", "| {} | ", "2026-03-1{} 08:1{}:02 DEBUG chunk=", 'p[{}] = "', "{}/4 "]
)
def test_the_last_number_of_lines_that_begin_alike_is_a_part(detector: Detector, head: str) -> None:
    """Turns of a chat, items, cells, a chunk per line of a log, an array's elements."""
    lines = "\n".join(head.replace("{}", str(at)) + part for at, part in enumerate(PHONE))

    assert any(
        entity == "PHONE_NUMBER" and PHONE[1] in said for entity, said in found(detector, f"phone number:\n{lines}")
    )


@pytest.mark.parametrize(
    ("entity", "text"),
    [
        ("CREDIT_CARD", "card: it begins with 4929, the middle bit is 4128 3357, and it ends in 6017"),
        ("CREDIT_CARD", "the card: the last four are 6017 and in front of them comes 492941283357"),
        ("US_SSN", "my SSN is 281, do you have that? good. 440. still with me? 067"),
        ("IBAN_CODE", "IBAN: DE75 /* country */ 85010510 /* bank */ 3738881515"),
        ("IBAN_CODE", "IBAN\n1) DE75\n2) 8501\n3) 0510\n4) 3738\n5) 8815\n6) 15"),
        ("UK_NINO", "my NINO is AB and 12 and 34 and 56 and C"),
        ("IT_FISCAL_CODE", "codice fiscale RSS/MRA/85T10/A562/S"),
    ],
)
def test_check_digits_tell_parts_with_anything_between(detector: Detector, entity: str, text: str) -> None:
    """Sentences, comments, letters among the digits."""
    assert entity in {name for name, _ in found(detector, text)}


@pytest.mark.parametrize(
    "text",
    [
        "call volume: Monday 120, Tuesday 340, Wednesday 98, Thursday 77",
        "phones sold:\n- Monday: 1200\n- Tuesday: 3400\n- Wednesday: 980",
        "the number of parts is 12 or 15 or 18 or 21",
        "call 1, 2, 3, 4, 5, 6, 7, 8 times",
        "run started at 07:40 and ended at 08:22, 5.12 km",
        "cards per player: 7 and 7 and 5 and 5",
        "contact lenses 1.25, 1.50, 1.75, 2.00",
    ],
)
def test_lists_of_counts_are_no_numbers(detector: Detector, text: str) -> None:
    """Behind a word that could name one."""
    assert found(detector, text) == []


def test_the_digits_of_placeholders_are_no_parts(detector: Detector) -> None:
    """As Markdown escapes them."""
    assert found(detector, r"\[PHONE\_NUMBER\_1df611\], and" "\n" r"\[EMAIL\_ADDRESS\_d9621f\]") == []


@given(st.lists(st.sampled_from(["card ", "phone: ", "ssn ", "12", "1", "\n- ", " and ", "A1", "iban "]), max_size=40))
def test_what_is_found_begins_and_ends_with_a_part(detector: Detector, parts: list[str]) -> None:
    """In any row of labels, parts and gaps."""
    for _, said in found(detector, "".join(parts)):
        assert said[0].isalnum()
        assert said[-1].isalnum()


def test_labels_over_and_over_cost_in_proportion(detector: Detector) -> None:
    """No label is read on from without end."""
    text = "card: 12\n- 34\n" * 7_000
    began = time.process_time()
    detector.find([text])

    assert time.process_time() - began < 5


@pytest.mark.parametrize("number", ["     {}\t", "{}\t", "     {}→", "{}: "])
def test_a_telephone_in_a_numbered_line_below_a_card_is_none_of_it(detector: Detector, number: str) -> None:
    """Its digits and the next line's number pass a card's check digit by chance; coding agents number lines so."""
    lines = ["card: 4929412833576017", "phone: +49 30 23125741", "iban: DE89370400440532013000"]
    text = "".join(f"{number.format(at)}{line}\n" for at, line in enumerate(lines, 3))

    assert found(detector, text)[:2] == [("CREDIT_CARD", "4929412833576017"), ("PHONE_NUMBER", "+49 30 23125741")]
