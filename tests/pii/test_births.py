"""Dates of birth in any order, with anything between."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.mark.parametrize(
    ("label", "date"),
    [
        ("i was born", "April31989"),
        ("DOB:", "4-May-77"),
        ("b-day", "May 4th 1977"),
        ("DOB -", "12.04.'85"),
        ("dob:", "1977 05 04"),
        ("birthday", "770504"),
        ("nata il", "530304"),
        ("DOB", "09-03-196O"),
        ("birth date:", "l2/O5/I98O"),
        ("née le", "|_1_| |_9_| |_7_| |_0_| |_0_| |_8_| |_2_| |_7_|"),
        ("DATE OF BIRTH", "0 4 / 0 5 / 1 9 7 7"),
        ("birth_date=", "2003-W28-3"),
        ("dob", "1985-123"),
        ("dob\t", "184550400000"),
        ("date of birth (unix):", "-123456789"),
        ("DOB (Excel serial):", "27145"),
        ('{"birth_year":', '1961,\n"birth_month": 12,\n"birth_day": 17'),
        ('{"birth":{"day":', '15,"month":9,"year":1996'),
        ("dob_day=", "4&dob_month=5&dob_year=1977"),
        ("<td>date of birth</td><td>", "12</td><td>April</td><td>1985"),
        ("dob", '04" + "/05/" + "1977'),
        ("dob", "04 hang on 05 sorry 1977"),
        ("my dob is", "one nine eight five zero four one two"),
        ("DOB", "oh three slash one two slash eighty-eight"),
        ("geboren am", "einundzwanzigsten Mai neunzehnhundertachtzig"),
        ("née le", "trente et un décembre mille neuf cent soixante-dix-neuf"),
        ("nací el", "veinte de abril de mil novecientos setenta y seis"),
        ("nato il", "ventitré marzo millenovecentosettantasei"),
        ("nascida em", "quinze de maio de mil novecentos e oitenta e quatro"),
        ("geboren op", "twaalf januari negentienhonderdvierentachtig"),
        ("urodzona", "dwudziestego trzeciego maja tysiąc dziewięćset osiemdziesiątego piątego"),
        ("DOB", "19530225"),
        ("född", "tredje maj nittonhundraåttiofem"),
        ("родилась", "третьего августа тысяча девятьсот восемьдесят пятого"),
        ("datum narození", "3. srpna 1985"),
        ("rođen", "3. kolovoza 1985"),
        ("doğum tarihi:", "3 Ağustos 1985"),
        ("születési idő", "1977. május 4."),
        ("ngày sinh:", "17 tháng 8 năm 1985"),
        ("tanggal lahir:", "17 Agustus 1985"),
        ("ημερομηνία γέννησης:", "12 Απριλίου 1985"),
        ("تاريخ الميلاد:", "١٢/٠٤/١٩٨٥"),
        ("תאריך לידה:", "4 במאי 1977"),
        ("जन्म तिथि:", "12 अप्रैल 1985"),
        ("วันเกิด", "12 เมษายน 2528"),
        ("出生日期:", "1977年5月4日"),
        ("생년월일:", "1985년 4월 12일"),
    ],
)
def test_unusual_forms(label: str, date: str) -> None:
    """Figures without signs, in boxes, misread, of clocks and calendars; fields; words of many languages."""
    covered = max(found(f"note: {label} {date} (ok)"), key=len, default="")

    assert len(covered) >= len(date) - 4


@pytest.mark.parametrize(
    "text", ["1985-04-12 (DOB)", "12/04/1985 is my date of birth", "<td>12.04.1985</td><!-- birthdate -->"]
)
def test_a_label_behind(text: str) -> None:
    """A bracket or a verb ties it to its date."""
    assert found(text)


@given(
    st.dates(date(1920, 1, 1), date(2020, 1, 1)),
    st.sampled_from(["%d.%m.%Y", "%Y%m%d", "%y%m%d", "%d %B %Y", "%B%d%Y", "%d / %m / %Y", "%Y, %b %d", "%d;%m;%Y"]),
    st.sampled_from(["dob:", "born", "date of birth =", "geboren am", "née le", "fecha de nacimiento:"]),
)
def test_any_day_in_any_order(day: date, form: str, label: str) -> None:
    """All of the date is covered."""
    said = day.strftime(form)

    assert said in found(f"{label} {said}")[0]


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
        "birthday gift order 580126 shipped",
        "birth rate fell from 12 to 9 in 1985",
        "born 12, 4 siblings, 85 cousins",
        "The dob field has index 12, width 4, max 1985 chars",
        "stillborn rates 3.4 in 2010, 2.9 in 2015, 2.1 in 2020",
        "births: 120345 in 2019",
        "The Birth of Venus, 1484-1486, room 10-14",
        "born 1879, died 1955, Nobel 1921",
        "moved 03/04/2020, born in Kenya",
    ],
)
def test_no_date_is_read_into_prose(text: str) -> None:
    """A year, a day or a month alone is none."""
    assert found(text) == []
