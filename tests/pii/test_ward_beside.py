"""Record numbers are found beside a name and behind any word for a number, where a text speaks of a ward."""

from collections.abc import Callable

import pytest

Find = Callable[[str], list[tuple[str, str]]]


def numbers(find: Find, text: str) -> list[str]:
    return [value for entity, value in find(text) if entity == "MEDICAL_RECORD_NUMBER"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("I-PASS sign-out\nNakamura (70833668) - DKA, gap closing", "70833668"),
        ("Night handover\nBed 21: Tattersall, 5769659, #NOF for theatre, NBM", "5769659"),
        ("Lung MDT 4. LLEWELLYN, NIGEL / 2281091 / PS1. CT T2aN0", "2281091"),
        ("pt: brayden pettway / 6659042 / rm 18\ncalled by RN for SBP 74", "6659042"),
        ("Adeyemi F. [7730012] desat to 84, on 4L, physio review", "7730012"),
        ("SBAR: S - Patel, 338 1029, BP 80/40, sepsis six started", "338 1029"),
        ("B. Pemberton, physio. P: stairs tmrw. Ref UHB5628404", "UHB5628404"),
        ("identity confirmed with record number 87-1585-67. Refill lisinopril, call back", "87-1585-67"),
        ("VILLALOBOS, YOLANDA, HC Nº 50.689.027. Cursa 2do día de internación, fiebre", "50.689.027"),
        ("paciente luciene, nº pront. 8705666, aceitou dieta", "8705666"),
        ("pacjent Gawron (ID pacjenta 12250614) po zabiegu CABG", "12250614"),
        ("Dossier résident R-8871. IDE Jean, relève: refuse le dîner", "R-8871"),
        ("Szczepańska, nr kartoteki K/2212, choroba Hashimoto, TSH 6,1", "K/2212"),
        ("ANC card ANC/1982/25: antenatal, BP 140/90", "ANC/1982/25"),
        ("BN Bùi Đức Thịnh, Số vào viện 25.865299, sốt 39 độ", "25.865299"),
        ("N° de séjour 5501982, patiente Girard, pansement refait", "5501982"),
        ("Aufn.-Nr. 20231188, Herr Brandt, Visite, Fieber 39", "20231188"),
        ("Pront. nº 4471/22, sr. Almeida, dieta zero, cirurgia", "4471/22"),
        ('{"resourceType":"Patient","identifier":[{"system":"https://k.local/fall","value":"52703323"}]}', "52703323"),
        ("Number on the wristband reads 4482917, matches the requisition", "4482917"),
        ("This belongs to patient 6650129, please refile", "6650129"),
        ("chart misfiled under 551029, dr aware", "551029"),
        ("[label] ROE IDA / F / 71Y / A613589 / 6E / attg OTT", "A613589"),
        ("pt ida roe seen by dr ott, 5519203 on the lab slip, trop sent", "5519203"),
        ("Agnes Ott #5519203 here for INR. RTC 4 wks, PharmD", "5519203"),
        ("0730 Gutierrez 5519203 appy", "5519203"),
        ("5519203 Gutierrez a-fib 130s", "5519203"),
        ("pls add Gutierrez (5519203) to the list, seen in clinic", "5519203"),
        ("opnamenr 5519203, mw geen pijn, dochter komt", "5519203"),
        ("Gutierrez, Emi | 88-41-207 | 3W-12 | CHF | Dr Ott", "88-41-207"),
        ("re: Lopez, M #551920 - pls call, dr told", "551920"),
        ("Protokollzahl 551920/26; Pat. mit Gattin, Verband gew.", "551920/26"),
        ("Theatre list: 1. CALLUM QUXLEY 551920388 Lap chole Mr Ott", "551920388"),
        ("Theatre list: 2. MARTIN QUXLEY QX551920 TURP Miss Ott", "QX551920"),
        ("Bed 9 QUXA QUXLEY 70F  RXH551920\nObs: NEWS 3, chest clear", "RXH551920"),
        ("Census 7E\n2 Quxihana 55192038 MRI\n3 Roe pending transfer, dr Ott accepting", "55192038"),
        ("ran out of insulin. ok 1 refill per Dr Ott. 5519203", "5519203"),
        ("B: me. she's 5519203\nA: says k+ is 6.1", "5519203"),
        ("Your visit with Dr. Ott is on 12 Dec. Please quote 551920 when you call.", "551920"),
        ("This belongs to patient 8041093, not to 2176322", "2176322"),
    ],
)
def test_on_a_ward(find: Find, text: str, number: str) -> None:
    """Names in any case, a sign on both sides; numbers, cards and files of many languages; FHIR."""
    assert number in numbers(find, text)


@pytest.mark.parametrize(
    "text",
    [
        "the anemometer logged 39.64 m/s (10-min mean, id 388792383).",
        "Johnson (70833668) won the race",
        "Tel, 5550123 - ward clerk, nurse station",
        "WBC (123456) platelets, 250000, patient stable, doctor told",
        "Meeting with Brown, 2024-05-01, on the ward, nurse present",
        '{"resourceType":"Device","identifier":[{"value":"52703323"}]}',
        "order no 4471920 shipped, card 99281 declined",
        "echo 1234567, cat (7654321) | tee log",
        "cost per patient 250000 on the ward, nurse hours, dose",
        "the trial had 1204410 admissions to wards, doctor visits, doses",
        "patient on ward, dr told, serial 5519203, lot 8812044",
        "client 5519203 disconnected",
        "ward, nurse, dr, chart\rIN1|1|A357|1234|BCMD||||551920",
        "Gutierrez 5519203 votes, Mallory 441902 votes",
        "Gutierrez 20251104 on the ward",
        "the bench, Quxley 5519203 on the ward",
        "All done. 5519203",
        "CT HEAD   ACC: R-164471\nward, nurse, dr told",
        "order 8041093, not to 2176322",
        "ward, nurse, dr seen 20251104 with the chart",
    ],
)
def test_elsewhere_none(find: Find, text: str) -> None:
    """Other texts, other numbers of a ward."""
    assert numbers(find, text) == []
