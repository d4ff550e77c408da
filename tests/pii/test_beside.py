"""Numbers of persons are found beside what names them, before it and behind, in any groups."""

from collections.abc import Callable

import pytest

Find = Callable[[str], list[tuple[str, str]]]

# Right by their check digits, invented.
NUMBERS = (
    ("PESEL", ("71", "1210", "90124")),
    ("CURP", ("LESC", "9707", "17MD", "FMCL", "05")),
    ("CPF", ("704", "489", "634", "00")),
    ("TC kimlik no", ("955", "162", "782", "72")),
    ("rijksregisternummer", ("74", "06", "06", "126", "29")),
    ("身份证", ("310104", "19811123", "3916")),
    ("national id", ("756", "0916", "8933", "47")),
    ("SSN", ("473", "66", "7554")),
)
LAYOUTS: tuple[Callable[[tuple[str, ...]], str], ...] = (
    "".join,
    lambda groups: "".join(groups).lower(),
    "/".join,
    " . ".join,
    "=".join,
    "\n- ".join,
    "\\".join,
    "#".join,
    " then ".join,
    "... uh ".join,
    " point ".join,
    "\nAgent: ok\nCaller: ".join,
    lambda groups: " ".join("".join(groups)),
    lambda groups: "|".join("".join(groups)),
    lambda groups: '" + "'.join(groups),
    lambda groups: "', '".join(groups),
    lambda groups: "</td><td>".join(groups),
    lambda groups: " | ".join(groups),
    lambda groups: '","p2":"'.join(["".join(groups)[:4], "".join(groups)[4:]]),
    lambda groups: "".join(f'<input value="{group}">' for group in groups),
    lambda groups: "\u200b".join("".join(groups)),
    lambda groups: "".join(f"&#{ord(one)};" for one in "".join(groups)),
    lambda groups: "".join(2 * one for one in "".join(groups)),
)


def is_found(find: Find, text: str, value: str) -> bool:
    return max((len(said) for entity, said in find(text) if entity != "PERSON"), default=0) >= len(value) / 2


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "template", ['{label} = "{value}"', "the {label} is {value}, ok", "it is {value} - that is the {label}"]
)
@pytest.mark.parametrize(("label", "groups"), NUMBERS)
def test_every_layout_on_both_sides(
    find: Find, label: str, groups: tuple[str, ...], template: str, layout: Callable[[tuple[str, ...]], str]
) -> None:
    """Signs, words, cells, strings, fields, marks, escapes between the groups."""
    value = layout(groups)

    assert is_found(find, template.format(label=label, value=value), value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("for the W-4 put 647,95,2289", "647,95,2289"),
        ("i-9 section one: 33 97201 46", "33 97201 46"),
        ("background check wants it, so 064307774", "064307774"),
        ("Applicant SSN 062 83 no sorry 49 8532 did not match", "062 83 no sorry 49 8532"),
        ('tmp = "".join(["117-59", "-9025"])\nprint(irs.submit_w2(tmp))', '117-59", "-9025'),
        ("her social is AB2ABAT9o, the employer needs it", "AB2ABAT9o"),
        ("SSN IV-VII-I-V-IV-VI-IX-VI-II did not match", "IV-VII-I-V-IV-VI-IX-VI-II"),
        ("SET taxpayer_ssn = CONCAT('36', '8-56', '-21', '71')", "36', '8-56', '-21', '71"),
        ("[OCR] CNP 187O 2242 OZb5 l [stamp]", "187O 2242 OZb5 l"),
        ("henkilötunnus 160/383/140/N", "160/383/140/N"),
        ("codice fiscale: N G P D N F 6-1 P 6-seven A 9 four 4 D", "N G P D N F 6-1 P 6-seven A 9 four 4 D"),
        ("/srv/upload/citizen_id-CIGT710307HPLRDL06/front.jpg", "CIGT710307HPLRDL06"),
        ("<li>610<wbr>21<wbr>0916</li><!-- taxpayer_ssn -->", "610<wbr>21<wbr>0916"),
        ("| national id | | | |\n|---|---|---|---|\n| 756 | 0916 | 8933 | 47 |", "756 | 0916 | 8933 | 47"),
    ],
)
def test_odd_ways(find: Find, text: str, value: str) -> None:
    """What a stranger wrote, with other numbers."""
    assert is_found(find, text, value)


@pytest.mark.parametrize(
    "text",
    [
        "| run | step | lr | loss |\n|---|---|---|---|\n| 900646 | 3e-4 | 6.2523 | 57.42 |",
        "addr +0 +1 +2 +3\n18085829  18 c9 e7 cc 60 59 cf d7",
        "national_number_pattern='11(?:[25]|313|6(?:00[06]|1(?:1[17]|23)))', possible_length=(3, 6)",
        "IRS EIN 12-3456789 of the company",
        "W-4 due on 2024-04-15, W-2 copies: 3, 4 and 12",
        "the IRS notice 123456780 came",
        "tax form 1040 line 12: 45,300 of 2023",
        "background check took 3 days, 12 hours and 45 minutes; 6789 words",
        "social media posts: 473 likes, 66 shares, 7554 views",
        "national identity politics in 1990, 2001 and 2015",
        "kyc_step = 3; retries = 12; timeout = 4500",
        "PAN: see page 12, 34 and 5678",
    ],
)
def test_other_numbers_are_none(find: Find, text: str) -> None:
    """Tables, patterns, dates, counts."""
    assert find(text) == []
