"""Medical record numbers are found by the words before them, in many languages, and by their place in HL7."""

from collections.abc import Callable

import pytest

Find = Callable[[str], list[tuple[str, str]]]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Leila (MRN-4225650), born", "MRN-4225650"),
        ("mrn 4225650", "4225650"),
        ("MRN: 4225650", "4225650"),
        ("MR# 42-25-65", "42-25-65"),
        ("MR No. E4225650", "E4225650"),
        ('"mrn_id": "4225"', "4225"),
        ("MRN4225650", "MRN4225650"),
        ("seen for SOB (MRN 198-69-96) today", "198-69-96"),
        ("Medical Record Number: 335-84-55", "335-84-55"),
        ("MRN=224 7123, s/p CABG", "224 7123"),
        ("Med. Rec. #: 188 7956", "188 7956"),
        ('{"mrn": "473 5923"}', "473 5923"),
        ("UNIT NO: 976 5412", "976 5412"),
        ("Patient number (MRN) 127-84-97.", "127-84-97"),
        ("Chart no. 12 34 56 78", "12 34 56 78"),
        ("PID|1||CT711564^^^HOSP^MR||", "CT711564"),
        ("PID|1||666-64-34^^^HOSP^MR||", "666-64-34"),
        ("medical record number 4225650", "4225650"),
        ("Patient ID: AB4225650", "AB4225650"),
        ("patient seen today, accession 4225650", "4225650"),
    ],
)
def test_medical_record_numbers_are_found(find: Find, text: str, number: str) -> None:
    """After MRN, or after the words in full."""

    assert find(text) == [("MEDICAL_RECORD_NUMBER", number)]


@pytest.mark.parametrize(
    "text",
    [
        "MRN-12",
        "xMRN-4225650",
        "4225650",
        "patient waited 4225650ms",
        "encounter: 2024-03-12",
        "chart: 12 34",
        "amplicon 602 bp, accession NM_608207.59",
        "accession number for the deposited map is EMD-22014",
    ],
)
def test_other_ids_are_left(find: Find, text: str) -> None:
    """Too short, part of a word, or without a word."""

    assert find(text) == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Hosp No. Q204511 | drain out", "Q204511"),
        ("hosp. ref. EYE/25/0377.", "EYE/25/0377"),
        ("Hospital number: 30 2291 4", "30 2291 4"),
        ("casualty card CC-88112", "CC-88112"),
        ("Case notes: OT-0755", "OT-0755"),
        ("hospital record PW220316;", "PW220316"),
        ("Chart # 4-8821", "4-8821"),
        ("MRN K-220-31-07", "K-220-31-07"),
        ("mr# 8-8-2-1-5", "8-8-2-1-5"),
        ("Fallnummer 2025-223771", "2025-223771"),
        ("Krankenaktennummer KA-25-0811", "KA-25-0811"),
        ("N° dossier 1800234610", "1800234610"),
        ("IPP 7002281033, entré hier", "7002281033"),
        ("NHC 3380526", "3380526"),
        ("processo clínico n.º 220615", "220615"),
        ("cartella clinica n. 2025002207", "2025002207"),
        ("patiëntnummer 3360917", "3360917"),
        ("potilasnro 40-2291", "40-2291"),
        ("nr hist. choroby 2025/00316", "2025/00316"),
        ("читал история болезни № 22371/25", "22371/25"),
        ("住院号 20250422981", "20250422981"),
        ("患者ID：0037-1185", "0037-1185"),
        ("등록번호 20336071", "20336071"),
        ("no. RM 00-31-76-22", "00-31-76-22"),
        ("patient seen, folder no GSH3360815", "GSH3360815"),
        ("ward 4, chart DX-2280", "DX-2280"),
        ("Hosp No. 118822-PG, theatre 2", "118822-PG"),
        ("hosp no 1188220/bed 4", "1188220"),
        ("MRN 4225650/x", "4225650"),
    ],
)
def test_whatever_a_hospital_calls_it(find: Find, text: str, number: str) -> None:
    """By a name of the thing; by one that any file may have where the ward is spoken of."""
    assert ("MEDICAL_RECORD_NUMBER", number) in find(text)


@pytest.mark.parametrize(
    "text",
    [
        "Case No. 2025-03317 v. State",  # no ward
        "chart: 12.5 and folder 2025",
        "hospital record of 2025",
        "medical record 2025-11-21",  # a date
        "hosp no 12/11/2025",
        "patient took 2200 steps; notes 12",
        "see case notes 4 to 9",
        "the file number 1234x",
        "hospital beds 220341",
        "Dr told by Dawn, RN at 0650",
        "hosp no for 44182 unknown",
    ],
)
def test_what_only_looks_so(find: Find, text: str) -> None:
    """Dates, years, small counts, and files of other kinds."""
    assert [found for found in find(text) if found[0] == "MEDICAL_RECORD_NUMBER"] == []
