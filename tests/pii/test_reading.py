"""What is read another way is asked about with the words before it, and answered with places in the text."""

from outwarden.pii.bank import RECOGNIZERS
from outwarden.pii.folding import fold
from outwarden.pii.matching import Matcher
from outwarden.pii.person_numbers import RECOGNIZERS as PERSON_NUMBERS
from outwarden.pii.reading import DISCOUNT, first_in, looker, whole_run

LOOK = looker(Matcher([*RECOGNIZERS, *PERSON_NUMBERS]))


def test_a_finding_is_placed_where_its_characters_stand() -> None:
    """In the text as it is written, for less than a plain one scores."""
    text = "to DE75 8501 0510\u200b 3738 8815 15."
    verdict = first_in(LOOK, text, 3, 31, fold(text[3:31]))

    assert verdict is not None
    assert (verdict.start, verdict.end, verdict.entity) == (3, 31, "IBAN_CODE")
    assert verdict.score < 0.97 * DISCOUNT + 0.001


def test_words_before_a_run_count() -> None:
    """A label tells what an encoded number is; what stands before a run is no finding of it."""
    assert whole_run(LOOK, "ssn XXXX", 4, 8, "281440067") == (4, 8, 0.8 * DISCOUNT, "US_SSN")
    assert whole_run(LOOK, "it is XXXX", 6, 10, "281440067") is None
    assert whole_run(LOOK, "281-44-0067 XXXX", 12, 16, "nothing") is None
    assert first_in(LOOK, "281-44-0067 XXXX", 12, 16, fold("none")) is None
