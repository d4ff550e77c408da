"""National numbers, medical records, cards and accounts: right by their check digits, named as people name them."""

import random
import string
from collections.abc import Callable, Iterator
from importlib import import_module

from evaluating.invented.labelled import Invented, fill

_TRIES = 20_000
_FRAMES = (
    "{l}: {v}",
    "{l} {v}",
    "{l} is {v}.",
    "{l} no. {v}",
    "{l} #{v}",
    "{l}\n{v}\n",
    '{{"{l}": "{v}"}}',
    "{l} = {v}, please check",
    "Her {l} ({v}) was verified",
    "| {l} | {v} |",
    "{l} - {v}",
    "please update my {l} to {v} today",
    "- {l}: **{v}**",
)

# entity: (module of stdnum that checks it, shape: A letter, 9 digit, anything else as it is; names)
_SHAPES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "DE_TAX_ID": ("de.idnr", "99 999 999 999", ("Steuer-ID", "Steueridentifikationsnummer", "Steuerliche Identifikationsnummer", "IdNr.", "German tax ID")),
    "FR_NIR": ("fr.nir", "1 99 05 99 199 099 99", ("NIR", "numéro de sécurité sociale", "N° de sécu", "French social security number", "INSEE number")),
    "ES_NIF": ("es.dni", "99999999A", ("DNI", "NIF", "documento nacional de identidad", "Spanish DNI")),
    "ES_NIE": ("es.nie", "X9999999A", ("NIE", "número de extranjero", "Spanish NIE")),
    "IT_FISCAL_CODE": ("", "RSSMRT85H09H999X", ("codice fiscale", "Cod. Fiscale", "C.F.", "Italian tax code", "fiscal code")),
    "NL_BSN": ("nl.bsn", "999999999", ("BSN", "burgerservicenummer", "Dutch BSN", "citizen service number")),
    "PL_PESEL": ("pl.pesel", "85019999999", ("PESEL", "numer PESEL", "Polish PESEL")),
    "SE_PERSONNUMMER": ("se.personnummer", "850199-9999", ("personnummer", "Swedish personal number", "personal identity number")),
    "UK_NINO": ("", "JG 99 99 99 C", ("National Insurance number", "NI number", "NINO", "NI no.")),
    "UK_NHS": ("gb.nhs", "999 999 9999", ("NHS number", "NHS no", "NHS")),
    "IE_PPS": ("ie.pps", "9999999A", ("PPS number", "PPSN", "PPS no.")),
    "CA_SIN": ("ca.sin", "999-999-999", ("SIN", "social insurance number", "Canadian SIN", "NAS")),
    "AU_TFN": ("au.tfn", "999 999 999", ("TFN", "tax file number", "Australian TFN")),
    "IN_AADHAAR": ("in_.aadhaar", "9999 9999 9999", ("Aadhaar", "Aadhaar number", "aadhar no", "UIDAI")),
    "IN_PAN": ("in_.pan", "AAAPA9999A", ("PAN", "PAN card", "permanent account number")),
    "BR_CPF": ("br.cpf", "999.999.999-99", ("CPF", "CPF do cliente", "Brazilian CPF")),
    "SG_NRIC_FIN": ("", "S9999999A", ("NRIC", "FIN", "NRIC/FIN", "Singapore NRIC")),
    "ZA_ID_NUMBER": ("za.idnr", "8501999999089", ("ID number", "South African ID", "SA ID number", "RSA ID no")),
    "KR_RRN": ("kr.rrn", "850199-1999999", ("주민등록번호", "RRN", "resident registration number")),
    "JP_MY_NUMBER": ("jp.in_", "9999 9999 9999", ("マイナンバー", "個人番号", "My Number", "individual number")),
    "FI_PERSONAL_IDENTITY_CODE": ("fi.hetu", "019985-999A", ("henkilötunnus", "HETU", "personal identity code")),
    "DK_CPR": ("dk.cpr", "010185-9999", ("CPR-nummer", "CPR", "CPR number")),
    "NO_FODSELSNUMMER": ("no.fodselsnummer", "01018599999", ("fødselsnummer", "personnummer", "Norwegian national identity number")),
    "BE_NATIONAL_NUMBER": ("be.nn", "85.01.99-999.99", ("rijksregisternummer", "numéro national", "national register number", "NISS")),
    "CH_AHV": ("ch.ssn", "756.9999.9999.99", ("AHV-Nummer", "AHV", "numéro AVS", "Swiss social security number")),
    "AT_SVNR": ("at.vnr", "9999 010185", ("SVNR", "Sozialversicherungsnummer", "SV-Nummer")),
    "PT_NIF": ("pt.nif", "999 999 999", ("NIF", "número de contribuinte", "contribuinte")),
    "CZ_BIRTH_NUMBER": ("cz.rc", "850199/9999", ("rodné číslo", "Czech birth number")),
    "RO_CNP": ("ro.cnp", "1850199999999", ("CNP", "cod numeric personal")),
    "TR_TCKN": ("tr.tckimlik", "99999999999", ("TCKN", "T.C. Kimlik No", "TC kimlik")),
    "IL_ID_NUMBER": ("il.idnr", "999999999", ("תעודת זהות", "Israeli ID", "teudat zehut")),
    "CN_RESIDENT_ID": ("cn.ric", "110101198501999999", ("身份证号", "身份证", "resident ID", "Chinese ID card")),
    "MX_CURP": ("mx.curp", "AAAA850109HDFAAA99", ("CURP", "clave CURP")),
    "AR_CUIT": ("ar.cuit", "20-99999999-9", ("CUIT", "CUIL")),
    "CL_RUT": ("cl.rut", "99.999.999-9", ("RUT", "RUN", "Chilean RUT")),
    "TH_TNIN": ("th.pin", "9 9999 99999 99 9", ("เลขประจำตัวประชาชน", "Thai ID")),
    "MY_NRIC": ("my.nric", "850101-14-9999", ("MyKad", "NRIC", "IC number")),
    "ID_NIK": ("", "3171010101859999", ("NIK", "nomor KTP")),
    "US_ITIN": ("us.itin", "999-79-9999", ("ITIN", "individual taxpayer identification number")),
    "US_SSN": ("", "519-99-9999", ("SSN", "social security number", "Social Security No.", "SS#", "soc sec")),
    "US_PASSPORT": ("", "A99999999", ("passport", "passport number", "US passport", "Passport No")),
    "US_DRIVER_LICENSE": ("", "A9999999", ("driver's license", "driver license number", "DL number", "driving licence", "driver's licence no")),
    "US_BANK_NUMBER": ("", "999999999999", ("account number", "bank account", "checking account", "acct no")),
    "ABA_ROUTING_NUMBER": ("us.rtn", "999999999", ("routing number", "ABA", "ABA routing", "RTN")),
    "HEALTH_INSURANCE_NUMBER": ("", "AAA999999999", ("member ID", "insurance ID", "subscriber ID", "policy number", "health plan number")),
    "IMEI": ("imei", "999999999999999", ("IMEI", "IMEI number")),
}  # fmt: skip


def _filled(rng: random.Random, shape: str) -> str:
    letter = {"A": string.ascii_uppercase, "9": string.digits}
    return "".join(rng.choice(letter.get(character, character)) for character in shape)


def _right(rng: random.Random, module: str, shape: str) -> str:
    valid: Callable[[str], bool] = import_module(f"stdnum.{module}").is_valid if module else bool
    for _ in range(_TRIES):
        if valid(value := _filled(rng, shape)):
            return value
    raise ValueError(f"no right number of the shape {shape} for {module}")


def national(rng: random.Random, each: int = 26) -> Iterator[Invented]:
    """Numbers of some fifty kinds after one of their names, so many of each; some written without their gaps."""
    for entity, (module, shape, names) in _SHAPES.items():
        for _ in range(each):
            value = _right(rng, module, shape)
            if rng.random() < 0.3 and entity not in ("FI_PERSONAL_IDENTITY_CODE",):
                value = "".join(filter(str.isalnum, value))
            name = rng.choice(names)
            frame = rng.choice(_FRAMES).replace("{l}", name if rng.random() < 0.8 else name.lower())
            yield fill(frame, value, entity, "national")


_RECORD_NAMES = (
    "MRN", "mrn", "MR#", "MRN#", "MRN number", "Medical Record Number", "medical record no.", "Medical record #", "Med Rec No",
    "med rec #", "Patient MRN", "Hospital MRN", "M.R.N.", "patient ID", "Patient Number", "Patient No", "Pt ID", "chart #",
    "Chart number", "Hospital number", "hospital no", "medical_record_number", "mrn_id", "patient_id", "patientId", "MR No.",
    "Unit number", "Record number", "EMR number", "EHR ID", "UHID",
)  # fmt: skip
_RECORD_SHAPES = (
    "9999999", "99999999", "999999", "9999999999", "A9999999", "AA999999", "99-99-99", "999-99-9999", "99-999999", "E9999999",
    "000999999", "MRN9999999", "H-9999999", "999 999 999", "99999",
)  # fmt: skip
_RECORD_FRAMES = (
    "{l}: {v}", "{l} {v}", "{l}: {v}\nDOB: 04/02/1961", "Pt seen today, {l} {v}, NAD.", "({l} {v})", "{l}={v}", "{l} - {v}",
    "{l}\n{v}", "{l} is {v}", '"{l}": "{v}"', "{l}:{v}", "{l} | {v} |", "Discharge summary, {l}: {v}. Follow up in 2 weeks", "[{l}: {v}]",
    "{l}.: {v}", "**{l}:** {v}", "<td>{l}</td><td>{v}</td>", "{l}\t{v}",
)  # fmt: skip


def records(rng: random.Random, count: int = 1500) -> Iterator[Invented]:
    """Medical record numbers in the many ways that notes, systems and forms write them."""
    for _ in range(count):
        value = _filled(rng, rng.choice(_RECORD_SHAPES))
        frame = rng.choice(_RECORD_FRAMES).replace("{l}", rng.choice(_RECORD_NAMES))
        yield fill(frame, value, "MEDICAL_RECORD_NUMBER", "records")
