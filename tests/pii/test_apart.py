"""Values taken apart are found: every character by itself, in a phonetic alphabet, turned round, accounts in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii import Detector, PiiPolicy

EMAIL = "jane.doe@quarzbach.com"
IBAN = "DE75 8501 0510 3738 8815 15"
GERMAN = ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun")
DETECTOR = Detector(PiiPolicy())


def found(text: str) -> list[tuple[str, str]]:
    return [(span.entity, text[span.start : span.end]) for span in DETECTOR.find([text])[0]]


@pytest.mark.parametrize("joint", [" ", ".", "-", "*", ",", ", ", "_", "|", " | ", "/", "\t"])
def test_every_character_by_itself(joint: str) -> None:
    """With the same sign between all; the span is the whole run."""
    written = joint.join("4929412833576017")

    assert found(f"card {written} thanks") == [("CREDIT_CARD", written)]


@pytest.mark.parametrize(
    ("entity", "written"),
    [
        ("EMAIL_ADDRESS", " ".join(EMAIL)),
        ("EMAIL_ADDRESS", "juliett alfa november echo at quebec uniform alfa romeo zulu dot charlie oscar mike"),
        ("IBAN_CODE", "*".join(IBAN.replace(" ", ""))),
        ("IBAN_CODE", IBAN.replace(" ", " | ")),
        ("IBAN_CODE", IBAN.replace(" ", "</td><td>")),
        ("IBAN_CODE", "D E " + " ".join(GERMAN[int(digit)] for digit in IBAN.replace(" ", "")[2:])),
        ("IBAN_CODE", "\u200b".join(IBAN)),
        ("IBAN_CODE", "ΝL91 ΑΒΝΑ 0417 1643 00"),
        ("IBAN_CODE", IBAN[::-1]),
        ("EMAIL_ADDRESS", f"\u202e{EMAIL[::-1]}\u202c"),
    ],
)  # fmt: skip
def test_a_value_taken_apart_is_found(entity: str, written: str) -> None:
    """Without a label."""
    assert entity in [name for name, _ in found(f"take {written} please")]


@pytest.mark.parametrize(
    "text",
    [
        "a b c d e f g h i j k",
        "1-2-3-4-5-6-7-8-9",
        "x | y | z | a | b | c | d | e",
        "alpha bravo charlie delta echo foxtrot golf hotel are the squads",
        "AT 12 of BE 68 we saw ES 91",
        "DE75 8501 0510 3738 8815 16",
        "\u202eabc def ghi\u202c",
    ],
)
def test_letters_in_a_row_are_left_alone(text: str) -> None:
    """Lists, alphabets, wrong check digits."""
    assert not found(text)


@given(st.sampled_from([" ", "-", " / ", "</b> <b>", "\n> ", " · "]), st.integers(2, 4))
def test_an_account_is_found_with_any_joint_and_groups(joint: str, size: int) -> None:
    """Its check digits tell it, not its form."""
    compact = IBAN.replace(" ", "")
    written = joint.join(compact[at : at + size] for at in range(0, len(compact), size))

    assert ("IBAN_CODE", written) in found(f"to {written}")


def test_codes_of_countries_are_no_account() -> None:
    """Even where their digits happen to be right."""
    text = "DE +49, FR +33, ES +34, IT +39, GB +44, US +1, IN +91, JP +81"
    assert Detector(PiiPolicy()).find([text]) == [[]]
