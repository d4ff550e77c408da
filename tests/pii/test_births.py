"""Dates of birth in any order, with anything between."""

import pytest

from outwarden.pii import Detector, PiiPolicy

DETECTOR = Detector(PiiPolicy())


def found(text: str) -> list[str]:
    return [text[s.start : s.end] for s in DETECTOR.find([text])[0] if s.entity == "DATE_OF_BIRTH"]


@pytest.mark.parametrize(
    "date",
    [
        "23 (day) 7 (month) 1965 (year",
        "day: 15\nmonth: April\nyear: 1973",
        "22 de junio del noventa y cuatro",
        "the third of June nineteen forty-nine",
        "the twenty-first of May nineteen eighty",
        "March the ninth, nineteen-seventy-two",
        "21 X 1958",
        "1989, March, the 26",
        "26;monat=3;jahr=1989",
        "le 4 août 1971",
        "3. Februar 1988",
        "7 січня 1990".replace("січня", "января"),
        "昭和54年7月4日",
    ],
)
@pytest.mark.parametrize(
    "label", ["date of birth", "born on", "DOB:", "Geburtsdatum:", "geboortedatum", "data urodzenia:"]
)
def test_a_date_after_the_word(label: str, date: str) -> None:
    """Named parts, words, Roman months, eras."""
    covered = max(found(f"her {label} {date} (ok)"), key=len, default="")

    assert len(covered) >= len(date) - 6


def test_the_end_of_a_sentence_is_no_part_of_it() -> None:
    """Nor is what stands between label and date."""
    assert found("Geboren am 21.04.1969. Danach") == ["21.04.1969"]


@pytest.mark.parametrize(
    "text",
    [
        "she was born in 1989 in a small town of 3 streets",
        "born 3 weeks early, weight 2900 g",
        "the birthday party is on Monday at 7 in room 12",
        "date of birth: see page 12 of 30",
        "Geburtstag war schön, drei Gäste und neun Kuchen",
        "nascimento de uma nova era",
        "born to run, may march on",
    ],
)
def test_no_date_is_read_into_prose(text: str) -> None:
    """A year, a day or a month alone is none."""
    assert found(text) == []
