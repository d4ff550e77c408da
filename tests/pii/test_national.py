"""National numbers: found after a word that names them, alone where they can be told, and nowhere else."""

from collections.abc import Callable

import pytest

from outwarden.pii import Detector, PiiPolicy, national
from outwarden.pii.national import COUNTRIES, ENTITIES, NUMBERS, _checker

Find = Callable[[str], list[tuple[str, str]]]

# Invented, with right check digits where there are any.
LABELLED = [
    ("US_ITIN", "ITIN: 912-70-1234", "912-70-1234"),
    ("US_PASSPORT", "Passport no. W37418349, contact", "W37418349"),
    ("PASSPORT", "Reisepass C01X00T47", "C01X00T47"),
    ("US_DRIVER_LICENSE", "driver's license number D1234567", "D1234567"),
    ("US_BANK_NUMBER", "account number 000123456789", "000123456789"),
    ("ABA_ROUTING_NUMBER", "routing 021000021", "021000021"),
    ("HEALTH_INSURANCE_NUMBER", "Member ID: XYZ123456789", "XYZ123456789"),
    ("UK_NHS", "NHS number 943 476 5919", "943 476 5919"),
    ("UK_NINO", "national insurance AB123456C", "AB123456C"),
    ("DE_TAX_ID", "Steuer-ID 36 574 261 809", "36 574 261 809"),
    ("FR_NIR", "sécurité sociale 1 85 05 78 006 084 91", "1 85 05 78 006 084 91"),
    ("ES_NIF", "DNI 12345678Z", "12345678Z"),
    ("ES_NIE", "NIE X-1234567-L", "X-1234567-L"),
    ("IT_FISCAL_CODE", "codice fiscale RSSMRA85T10A562S", "RSSMRA85T10A562S"),
    ("NL_BSN", "BSN: 111222333", "111222333"),
    ("PL_PESEL", "PESEL 44051401359", "44051401359"),
    ("SE_PERSONNUMMER", "personnummer 811218-9876", "811218-9876"),
    ("IE_PPS", "PPS number 6433435F", "6433435F"),
    ("CA_SIN", "SIN 046 454 286", "046 454 286"),
    ("AU_TFN", "TFN 123 456 782", "123 456 782"),
    ("IN_AADHAAR", "Aadhaar 2345 6789 0124", "2345 6789 0124"),
    ("IN_PAN", "PAN ABCPE1234F", "ABCPE1234F"),
    ("BR_CPF", "CPF 52998224725", "52998224725"),
    ("SG_NRIC_FIN", "NRIC S1234567D", "S1234567D"),
    ("ZA_ID_NUMBER", "ID number 8001015009087", "8001015009087"),
    ("KR_RRN", "주민등록번호 9710139019902", "9710139019902"),
    ("JP_MY_NUMBER", "マイナンバー 6214 9832 0257", "6214 9832 0257"),
    ("CN_RESIDENT_ID", "身份证 11010519491231002X", "11010519491231002X"),
    ("FI_PERSONAL_IDENTITY_CODE", "hetu 131052-308T", "131052-308T"),
    ("CH_AHV", "AHV 756.9217.0769.85", "756.9217.0769.85"),
    ("MX_CURP", "CURP BOXW310820HNERXN09", "BOXW310820HNERXN09"),
    ("IMEI", "IMEI 49-015420-323751-8", "49-015420-323751-8"),
]


@pytest.mark.parametrize(("entity", "text", "value"), LABELLED, ids=[entity for entity, *_ in LABELLED])
def test_a_named_number_is_found(find: Find, entity: str, text: str, value: str) -> None:
    """Whole, by its own name."""
    assert find(text) == [(entity, value)]


@pytest.mark.parametrize(
    ("entity", "text", "value"),
    [
        ("PL_PESEL", "PESEL 44051401350", "44051401350"),
        ("IN_AADHAAR", "Aadhaar 2345 6789 0123", "2345 6789 0123"),
        ("DE_TAX_ID", "Steuernummer 36574261800", "36574261800"),
    ],
)
def test_a_wrong_check_digit_beside_the_name_is_found_too(find: Find, entity: str, text: str, value: str) -> None:
    """Somebody mistyped it: it is still somebody's."""
    assert find(text) == [(entity, value)]


@pytest.mark.parametrize(
    ("entity", "value"),
    [
        ("US_ITIN", "912-70-1234"),
        ("IT_FISCAL_CODE", "RSSMRA85T10A562S"),
        ("UK_NINO", "AB 12 34 56 C"),
        ("BR_CPF", "529.982.247-25"),
        ("ES_NIF", "12345678Z"),
        ("SG_NRIC_FIN", "S1234567D"),
        ("CH_AHV", "756.9217.0769.85"),
        ("IN_PAN", "ABCPE1234F"),
    ],
)
def test_a_number_that_can_be_told_stands_alone(find: Find, entity: str, value: str) -> None:
    """Letters, or a strong check in its usual form."""
    assert find(f"it is {value}, thanks") == [(entity, value)]


@pytest.mark.parametrize(
    "text",
    [
        "order id 123456789 was shipped",
        "12345678A",
        "RSSMRA85T10A562X",
        "GB123456A",
        "x = sin(7.101753784 * t)",
        "see RFC 4291 section 2.5",
        "build 20240101123456789",
        "sha S1234567D9f8e7",
        "commit 3f786850e387550fdab836ed7e6dc881de23001b",
        "the passport office opens at 9",
        "PAN is short for primary account number",
    ],
)
def test_other_numbers_are_left(find: Find, text: str) -> None:
    """Plain digits without a name, wrong check letters, versions, hashes, functions."""
    assert find(text) == []


@pytest.mark.parametrize("value", ["367099950907093903", "11999919800101123X"])
def test_a_place_that_no_table_knows_stops_nothing(find: Find, value: str) -> None:
    """A Chinese number of a county that python-stdnum does not list: it raises there, and the call would be refused."""
    assert find(f"it is {value}, thanks") == [("CN_RESIDENT_ID", value)]


def test_countries_can_be_chosen() -> None:
    """Only theirs, and what belongs to none."""
    detector = Detector(PiiPolicy(countries=frozenset({"PL"})))
    text = "PESEL 44051401359, BSN 111222333, IMEI 49-015420-323751-8"

    assert [span.entity for span in detector.find([text])[0]] == ["PL_PESEL", "IMEI"]
    assert "PL_PESEL" in detector.entities
    assert "NL_BSN" not in detector.entities


def test_entities_can_be_chosen() -> None:
    """One of the table alone."""
    detector = Detector(PiiPolicy(entities=frozenset({"NL_BSN"})))

    assert detector.entities == {"NL_BSN"}
    assert [s.entity for s in detector.find(["BSN 111222333, PESEL 44051401359"])[0]] == ["NL_BSN"]


def test_the_table_is_sound() -> None:
    """Every check is there, every narrower form is of its shape, and no name is given twice."""
    assert len(ENTITIES) == len(NUMBERS)
    assert len(COUNTRIES) > 45
    for number in NUMBERS:
        assert not number.stdnum or callable(_checker(number.stdnum))
        assert number.stdnum or not number.alone


def test_a_gap_in_a_table_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """python-stdnum raises KeyError for a Chinese county that its table does not list; no text may raise."""

    def gap(value: str) -> bool:
        raise KeyError("county")

    monkeypatch.setattr(national, "_checker", lambda name: gap)

    assert not any(number.is_valid("110101199003074477") for number in NUMBERS)


@pytest.mark.parametrize(
    ("entity", "text"),
    [
        ("US_PASSPORT", "passport number A05-831-483"),
        ("US_DRIVER_LICENSE", "drivers lic. S13.356.458.236.3"),
        ("US_DRIVER_LICENSE", "license no (driver) M83.354.797.553.5"),
        ("US_BANK_NUMBER", "bank acct 9219-6322-69"),
        ("US_BANK_NUMBER", "ABA 026009593 ACC#83969318153"),
        ("FR_NIR", "NIR : 2-55-08-14-168-025-38"),
        ("ZA_ID_NUMBER", "SA ID 8001015009087"),
        ("PASSPORT", "P<UTOERIKSSON<<ANNA<MARIA<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"),
    ],
)
def test_other_groups(entity: str, text: str) -> None:
    """Right behind its word a number may have any groups, and a passport's machine-readable line needs none."""
    assert entity in {span.entity for span in Detector(PiiPolicy()).find([text])[0]}


@pytest.mark.parametrize("text", ["passport issued 12.05.2019", "passport no 2019-05-12", "BSN 12-34-56-789-1"])
def test_other_groups_that_are_none(text: str) -> None:
    """Dates, and numbers that fail their check."""
    assert Detector(PiiPolicy()).find([text]) == [[]]
