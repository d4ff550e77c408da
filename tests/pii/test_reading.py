"""What is read another way is asked about with the words before it, and answered with places in the text."""

import pytest

from outwarden.pii.bank import RECOGNIZERS
from outwarden.pii.folding import fold
from outwarden.pii.matching import Matcher
from outwarden.pii.person_numbers import RECOGNIZERS as PERSON_NUMBERS
from outwarden.pii.phones import RECOGNIZERS as PHONES
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


@pytest.mark.parametrize("before", ["", "(", "+", "\\n", "\\u0009", "_", "01/01/1984 01/01/1984 ", "x " * 60])
@pytest.mark.parametrize("number", ["+49 30 90182011", "030 90182011", "(415) 806-5568"])
def test_context_is_not_searched_for_bare_values(before: str, number: str) -> None:
    """What begins there is no finding of the run; an escape or a sign right before the run begins a value in it."""
    look = looker(Matcher(PHONES))
    text = f"{before}{number}"

    searched = [found for found in look(text) if found.start >= len(before)]
    assert searched == [found for found in look(text, len(before)) if found.start >= len(before)]
    assert searched or before  # a number by itself is one
