"""Numbers and months in words are read, put together or apart."""

import pytest

from outwarden.pii.date_words import JOINERS, goes_on, is_month, number_of, values_of
from outwarden.pii.folding import fold


def read(said: str) -> list[int]:
    values: list[list[int]] = []
    for word in said.replace("-", " ").split():
        for value in () if word in JOINERS else values_of(word):
            if values and goes_on(values[-1], value):
                values[-1].append(value)
            else:
                values.append([value])
    return [number_of(value)[0] for value in values]


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("nineteen eighty five", 1985),
        ("nineteen oh five", 1905),
        ("twenty fourteen", 2014),
        ("two thousand and four", 2004),
        ("one nine eight five", 1985),
        ("twenty first", 21),
        ("neunzehnhundertsechsundsiebzig", 1976),
        ("zweitausenddrei", 2003),
        ("einundzwanzigsten", 21),
        ("mille neuf cent quatre-vingt-dix-sept", 1997),
        ("dix-neuf cent quatre-vingt-trois", 1983),
        ("mille neuf cent soixante et onze", 1971),
        ("mil novecientos setenta y seis", 1976),
        ("noventa y cuatro", 94),
        ("millenovecentosettantasei", 1976),
        ("mil novecentos e oitenta e quatro", 1984),
        ("negentienhonderdvierentachtig", 1984),
        ("nittonhundraåttiofem", 1985),
        ("tjugoförsta", 21),
        ("tysiąc dziewięćset osiemdziesiątego piątego", 1985),
        ("тысяча девятьсот восемьдесят пятого", 1985),
        ("bin dokuz yüz seksen beş", 1985),
    ],
)
def test_numbers_in_words(said: str, number: int) -> None:
    """Years and days, as each language says them."""
    assert read(said) == [number]


def test_numbers_apart() -> None:
    """What cannot be one number is two: the twelfth of April."""
    assert read("twelve four nineteen eighty-eight") == [12, 4, 1988]


@pytest.mark.parametrize(
    "word", ["april", "jan", "septiembre", "września", "srpna", "ağustos", "августа", "मई", "مايو"]
)
def test_months(word: str) -> None:
    """Whole names and their beginnings."""
    assert is_month(fold(word).text)


@pytest.mark.parametrize("word", ["a", "birth", "no", "the", "twelve", "marginalisation", "день"])
def test_other_words(word: str) -> None:
    """Words of other kinds, too short or too long ones."""
    assert not is_month(word)


@pytest.mark.parametrize("word", ["birth", "house", "x" * 100, "und", "cente"])
def test_no_number(word: str) -> None:
    """Letters that only look like one."""
    assert values_of(word) == ()
