"""Telephone numbers are found by country code, shape, numbering plan or a phone word; ids and times are left."""

from collections.abc import Callable

import pytest

Find = Callable[[str], list[tuple[str, str]]]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("reach +1 646 526 1482 today", "+1 646 526 1482"),
        ("+1-303-576-2920", "+1-303-576-2920"),
        ("+19197136527", "+19197136527"),
        ("(+8613888989012)", "+8613888989012"),
        ("+49 (0)30 901820", "+49 (0)30 901820"),
        ("T: +44 (0)161 832 2231", "+44 (0)161 832 2231"),
        ("T: +44 (0) 161 832 2231", "+44 (0) 161 832 2231"),
        ("+33 6 76 96 51 86, please", "+33 6 76 96 51 86"),
        ("+44 20 8366 1177 4 people", "+44 20 8366 1177"),
        ("dial 0044 20 8366 1177", "0044 20 8366 1177"),
        ("646.613.5259", "646.613.5259"),
        ("(415) 806-5568", "(415) 806-5568"),
        ("1-212-419-5611", "1-212-419-5611"),
        ("312 903 8466", "312 903 8466"),
        ("415-806-5568 x123", "415-806-5568 x123"),
        (r"tel:\n312-903-8466\n", "312-903-8466"),
        ("020 7946 0018 is mine", "020 7946 0018"),
        ("06 12 34 56 78", "06 12 34 56 78"),
        ("You can call 9320 7126", "9320 7126"),
        ("call (022) 0793-176 now", "(022) 0793-176"),
        ("my phone is 6466135259", "6466135259"),
        ("user_phone=6466135259", "6466135259"),
        ("Telefon: 450 550 500", "450 550 500"),
        ("Fax: (617) 880 - 3457", "(617) 880 - 3457"),
    ],
)
def test_numbers_are_found_whole(find: Find, text: str, number: str) -> None:
    """From the country code or area code to the last digit or extension, and no further."""

    entities = find(text)

    assert [entity for entity, _ in entities] == ["PHONE_NUMBER"]
    assert entities[0][1] == number


@pytest.mark.parametrize(
    "text",
    [
        "555-0123",
        "call 415-555-0123",
        "+1 (415) 555-0199",
        "order 6466135259",
        "at 1700322025123 ms",
        "2024-01-02 10:22:33",
        "call me on 2024-01-02",
        "called 8 times in 2003 and 2007",
        "from server_tool_caller_20260120_param import x",
        "# gh-118201: mobile",
        "x = 0.5 + 14285714.286",
        "96 192 384 768 1536 3072",
        "123e4567-e89b-12d3-a456-426614174000",
        "Boston, MA 02111-1307",
        "call ticket 12345678",
        "call?id=6466135259",
        "DE75 8501 0510 3738 8815 16",
        "the phone was off, x=6466135259",
        "phone app costs $1234567",
        "'08/30/04 08/31/04 09/01/04'",
        "IMG_20240102_123456",
    ],
)
def test_ids_times_and_fiction_are_left(find: Find, text: str) -> None:
    """Digits are no phone number without a reason; 555-01xx is kept for films."""

    assert find(text) == []


def test_a_phone_word_reaches_forty_characters(find: Find) -> None:
    """The context window is as wide as measured, and no wider."""

    assert find("phone " + "." * 40 + " 6466135259") == []
    assert len(find("phone " + "." * 30 + " 6466135259")) == 1


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Ada Quill, 70 18 92 27, Mill Lane", "70 18 92 27"),
        ("Ada Quill\nSales\n612 955 383", "612 955 383"),
        ("ada.quill@brightquill.com,02 237 7574,active", "02 237 7574"),
        ("from (11) 2365-0847 at nine", "(11) 2365-0847"),
        ("3604 1767", "3604 1767"),
        ("3604 1767 (mobile)", "3604 1767"),
        ("it was (+61) 2 1270 9939", "(+61) 2 1270 9939"),
        ("電話は03-1296-7059です", "03-1296-7059"),
        ("번호는 010-2345-6789입니다", "010-2345-6789"),
        ("Callback requested, 043021999, any time", "043021999"),
        ("SĐT: 0912345678", "0912345678"),
    ],
)
def test_numbers_are_found_as_countries_group_them(find: Find, text: str, number: str) -> None:
    """Beside a name, an address or a bracket, in a field of its own, and where words touch them."""

    assert ("PHONE_NUMBER", number) in find(text)


@pytest.mark.parametrize(
    "text",
    [
        "Grand Total, 18 200 377",
        "Bauke Vermaas (1837\u20131930)",
        "Width Height Depth\n451 219 752",
        "Meeting id: 533 329 3026",
        "Coupe de la Ligue 2009 10 20",
        "from 3604 1767 to the end",
        "Ada Quill, 2025 580",
        "Ada Quill, 612 955 383 120",
        "Ada Quill, 1,612 955 383",
    ],
)
def test_grouped_digits_that_are_no_number_are_left(find: Find, text: str) -> None:
    """Sums, spans of years, measures, rows, meetings, and groups that nothing introduces."""

    assert [entity for entity, _ in find(text) if entity == "PHONE_NUMBER"] == []
