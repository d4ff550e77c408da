"""Whether a text speaks of a ward."""

import pytest

from outwarden.pii.wards import WARD_WIDTH, is_ward


@pytest.mark.parametrize(
    "word", ["patient", "Dr", "theatre", "paciente", "Oberarzt", "лікар", "患者", "ผู้ป่วย", "hemşire"]
)
def test_words_of_a_ward_in_many_languages(word: str) -> None:
    """To either side, as far as a note goes and no farther."""
    assert is_ward(f"{word} 1234", len(word) + 1, len(word) + 5)
    assert is_ward(f"1234 {word} ", 0, 4)
    assert not is_ward("1234 " + " " * WARD_WIDTH + word, 0, 4)


def test_other_texts() -> None:
    """Courts, stock and builds have files and numbers, too."""
    assert not is_ward("case file 1234 of the court, folder of the build", 10, 14)
