"""Numbers that states, banks and insurers give to one person, by country.

Most are plain digits: they count after a word that names them, also where a check digit fails (somebody mistyped it,
and it is still that person's). Those with letters or a strong check stand alone. Names are Presidio's where it has one.
"""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module

from outwarden.pii.person_numbers import is_of_a_thing
from outwarden.pii.recognizer import (
    CONTEXT_WIDTH,
    EDGE,
    Context,
    Recognizer,
    Verdict,
    joined_before,
    skip_edge,
    word_after,
    word_before,
)

NATIONAL = "(national)"
"""The entity of these recognisers: each of their verdicts names its own."""

_LABELLED, _VALID, _ALONE = 0.6, 0.9, 0.8


@dataclass(frozen=True, slots=True)
class Number:
    """One kind of number. ``shape``: a pattern of its whole; ``words`` name it; ``stdnum``: the module that checks it.

    ``alone``: a pattern (narrower, maybe) in which a valid one counts without a word before it; it needs a check.
    """

    entity: str
    country: str
    words: str
    shape: str
    stdnum: str = ""
    alone: str = ""
    named: re.Pattern[str] = field(init=False, repr=False, compare=False)
    whole: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "named", re.compile(rf"(?<![^\W_])(?:{self.words})", re.IGNORECASE))
        object.__setattr__(self, "whole", re.compile(self.shape))

    def is_valid(self, value: str) -> bool:
        """Whether the form and the check digits are right; False where nobody here can check them."""
        if not self.stdnum or self.whole.fullmatch(value) is None:
            return False
        try:
            return _checker(self.stdnum)(value)
        except Exception:  # a gap in a table of stdnum's, as `_ric` knows one: no digits may end the call
            return False


@cache
def _checker(name: str) -> Callable[[str], bool]:
    if name in _OWN_CHECKS:
        return _OWN_CHECKS[name]
    valid: Callable[[str], bool] = import_module(f"stdnum.{name}").is_valid
    return valid


def _nric(value: str) -> bool:
    """Singapore's NRIC and FIN: weights 2765432, and a letter of the series."""
    digits = [int(d) for d in value[1:8]]
    total = sum(d * w for d, w in zip(digits, (2, 7, 6, 5, 4, 3, 2), strict=True))
    total += {"T": 4, "G": 4, "M": 3}.get(value[0], 0)
    letters = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "F": "XWUTRQPNMLK", "G": "XWUTRQPNMLK", "M": "KLJNPQRTUWX"}
    at = total % 11
    return letters[value[0]][10 - at if value[0] == "M" else at] == value[8]


def _medicare(value: str) -> bool:
    """Australia's Medicare card: eight digits, weights 13791379, a check digit."""
    digits = [int(c) for c in value if c.isdigit()]
    weights = (1, 3, 7, 9, 1, 3, 7, 9)
    return len(digits) >= 9 and sum(d * w for d, w in zip(digits, weights, strict=False)) % 10 == digits[8]


def _nino(value: str) -> bool:
    """The prefixes that HMRC never gives out."""
    return value.replace(" ", "")[:2] not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")


def _taiwan(value: str) -> bool:
    """A letter as two digits, weights 1987654321, and the check digit."""
    code = 10 + "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(value[0])
    digits = [code // 10, code % 10, *map(int, value[1:])]
    return sum(d * w for d, w in zip(digits, (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1), strict=True)) % 10 == 0


def _ric(value: str) -> bool:
    """China's identity number. Where its table has a province without counties, python-stdnum 2.2 raises, after it has
    checked the digits and the date: such a place may be younger than the table, so the number counts.
    """
    try:
        return bool(import_module("stdnum.cn.ric").is_valid(value))
    except KeyError:
        return True


def _npi(value: str) -> bool:
    return import_module("stdnum.luhn").is_valid("80840" + value)  # type: ignore[no-any-return]


_OWN_CHECKS: dict[str, Callable[[str], bool]] = {
    "(nric)": _nric,
    "(medicare)": _medicare,
    "(nino)": _nino,
    "(taiwan)": _taiwan,
    "(npi)": _npi,
    "(ric)": _ric,
}

_PASSPORT = (
    r"passport|passeport|pasaporte|reisepass|passaporto|paspoort|passnummer|passnr|paszport|паспорт|护照|パスポート"
)
_LICENSE = (
    r"driver'?s?.?lic(?:en[cs]e|\b)|driving licen[cs]e|licen[cs]e (?:no|number|num|#)|dl ?(?:no|number|num|#|:)|dmv"
    r"|führerschein|permis de conduire|permiso de conducir|carnet de conducir|patente di guida|rijbewijs"
)

NUMBERS: tuple[Number, ...] = (
    Number("US_ITIN", "US", r"itin\b|individual taxpayer", r"9\d\d[- ]?\d\d[- ]?\d{4}", "us.itin", r"9\d\d-\d\d-\d{4}"),
    Number("US_PASSPORT", "US", _PASSPORT, r"[A-Z]?\d{8}|\d{9}"),
    Number("PASSPORT", "", _PASSPORT, r"[A-Z]{1,3} ?\d{5,8}[A-Z]?\d?|[A-Z]\d[A-Z0-9]{7}|\d{7,10}|\d\d ?\d\d ?\d{6}"),
    Number(
        "US_DRIVER_LICENSE",
        "US",
        _LICENSE,
        r"(?=(?:[A-Z -]{0,8}\d){5})[A-Z]{0,7}[- ]?\d[A-Z\d]{3,16}|[A-Z]?\d{3}(?:[- ]\d{2,4}){2,4}(?:-\d)?|[A-Z]{3,7}[\dA-Z]{5,11}",
    ),
    Number(
        "US_BANK_NUMBER",
        "US",
        r"account (?:no|num|number|#)|acct|acc\.? ?(?:#|no\b|nr\b|number)|bank account|checking|savings account|a/c\b|kontonummer|konto-?nr",
        r"\d{6,17}|\d{3,6}(?:-\d{3,9}){1,3}|\d{4}(?: \d{4}){1,3}",
    ),
    Number("ABA_ROUTING_NUMBER", "US", r"routing|aba\b|rtn\b|transit", r"\d{9}|\d{4}-\d{4}-\d", "us.rtn"),
    Number("US_NPI", "US", r"npi\b|national provider", r"\d{10}", "(npi)"),
    Number("MEDICAL_LICENSE", "US", r"dea\b|medical licen[cs]e", r"[A-Z][A-Z9]\d{7}"),
    Number(
        "US_MBI",
        "US",
        r"mbi\b|medicare",
        r"[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-?[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-?[AC-HJKMNP-RT-Y]{2}\d{2}",
    ),
    Number(
        "HEALTH_INSURANCE_NUMBER",
        "",
        r"member (?:id|no|number|#)|subscriber (?:id|no|number|#)|health (?:plan|insurance|card)|insurance (?:id|no|number|#)"
        r"|policy (?:id|no|number|#)|beneficiary|group (?:no|number|#)|krankenversicher\w*|versichertennummer|kvnr",
        r"(?=(?:[A-Z-]{0,6}\d){4})[A-Z]{0,5}-?\d[A-Z\d-]{4,15}",
    ),
    Number("UK_NHS", "GB", r"nhs\b", r"\d{3}[- ]?\d{3}[- ]?\d{4}", "gb.nhs"),
    Number(
        "UK_NINO",
        "GB",
        r"national insurance|nino\b|n\.?i\.? ?(?:no|number|#)",
        r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]",
        "(nino)",
        r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]",
    ),
    Number("UK_UTR", "GB", r"utr\b|unique taxpayer", r"\d{5} ?\d{5}", "gb.utr"),
    Number(
        "DE_TAX_ID",
        "DE",
        r"steuer(?:lich\w*)?.?(?:id|ident|nummer|nr)\w*|idnr|tax.?(?:id|number|no)|tin\b",
        r"\d\d ?\d{3} ?\d{3} ?\d{3}",
        "de.idnr",
    ),
    Number(
        "DE_SOCIAL_SECURITY_NUMBER",
        "DE",
        r"sozialversicherungs\w*|rentenversicherungs\w*|sv.?(?:nr|nummer)|rvnr|social (?:security|insurance)",
        r"\d\d ?[0-7]\d ?[01]\d ?\d\d ?[A-Z] ?\d{3}",
    ),
    Number("DE_ID_CARD", "DE", r"personalausweis\w*|ausweis\w*|id.?card", r"[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ0-9]{8}\d?"),
    Number(
        "FR_NIR",
        "FR",
        r"nir\b|insee|s[ée]curit[ée] sociale|num[ée]ro de s[ée]cu|s[ée]cu\b|carte vitale|social security|immatriculation",
        r"[12] ?\d\d ?[0-9]\d ?(?:\d\d|2[AB]) ?\d{3} ?\d{3}(?: ?\d\d)?",
        "fr.nir",
        r"[12] ?\d\d ?[01]\d ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d",
    ),
    Number("FR_TAX_ID", "FR", r"num[ée]ro fiscal|spi\b|r[ée]f[ée]rence fiscale|nif\b", r"[0-3]\d ?\d\d ?\d{3} ?\d{3} ?\d{3}", "fr.nif"),
    Number(
        "ES_NIF",
        "ES",
        r"dni\b|nif\b|d\.n\.i|documento nacional",
        r"\d{8}[- ]?[A-Z]|\d{1,2}\.\d{3}\.\d{3}[- ]?[A-Z]",
        "es.dni",
        r"\d{8}-?[A-Z]|\d\d\.\d{3}\.\d{3}-?[A-Z]",
    ),
    Number("ES_NIE", "ES", r"nie\b|extranjero", r"[XYZ][- ]?\d{7}[- ]?[A-Z]", "es.nie", r"[XYZ]-?\d{7}-?[A-Z]"),
    Number(
        "IT_FISCAL_CODE",
        "IT",
        r"codice fiscale|cod\.? ?fisc\w*|c\.?f\.?\b|fiscal code|tax code",
        r"[A-Z]{3} ?[A-Z]{3} ?[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2} ?[A-Z][0-9LMNP-V]{3} ?[A-Z]",
        "it.codicefiscale",
        r"[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]",
    ),
    Number("NL_BSN", "NL", r"bsn\b|burgerservice\w*|sofi\w*|citizen service", r"\d{9}|\d{4}[. ]\d\d[. ]\d{3}|\d{3}[. -]\d{3}[. -]\d{3}", "nl.bsn"),
    Number("PL_PESEL", "PL", r"pesel", r"\d{11}", "pl.pesel"),
    Number("SE_PERSONNUMMER", "SE", r"person(?:al)? ?n(?:umme)?r|personnummer|samordnings\w*|personal (?:identity|number)", r"(?:\d\d)?\d{6}[-+ ]?\d{4}", "se.personnummer"),
    Number("IE_PPS", "IE", r"pps\b|ppsn|personal public service", r"\d{7}[A-W][A-IW]?", "ie.pps"),
    Number("CA_SIN", "CA", r"sin\b|s\.i\.n|social insurance|nas\b|assurance sociale", r"\d{3}[- ]?\d{3}[- ]?\d{3}", "ca.sin"),
    Number("AU_TFN", "AU", r"tfn\b|tax file", r"\d{3}[- ]?\d{3}[- ]?\d{2,3}", "au.tfn"),
    Number("AU_MEDICARE", "AU", r"medicare", r"[2-6]\d{3}[- ]?\d{5}[- ]?\d(?:[ /-]?\d)?", "(medicare)"),
    Number("AU_ABN", "AU", r"abn\b|australian business", r"\d\d ?\d{3} ?\d{3} ?\d{3}", "au.abn"),
    Number("AU_ACN", "AU", r"acn\b|australian company", r"\d{3} ?\d{3} ?\d{3}", "au.acn"),
    Number("IN_AADHAAR", "IN", r"aadhaa?r|adhaar|uidai|uid\b|आधार", r"[2-9]\d{3}[- ]?\d{4}[- ]?\d{4}", "in_.aadhaar"),
    Number("IN_PAN", "IN", r"pan\b|permanent account", r"[A-Z]{5}\d{4}[A-Z]", "in_.pan", r"[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]"),
    Number("IN_VOTER", "IN", r"voter|epic\b", r"[A-Z]{3}\d{7}", "in_.epic"),
    Number("BR_CPF", "BR", r"cpf\b|cadastro de pessoa", r"\d{3}\.?\d{3}\.?\d{3}-?\d\d", "br.cpf", r"\d{3}\.\d{3}\.\d{3}-\d\d"),
    Number("BR_CNPJ", "BR", r"cnpj\b", r"\d\d\.?\d{3}\.?\d{3}/?\d{4}-?\d\d", "br.cnpj", r"\d\d\.\d{3}\.\d{3}/\d{4}-\d\d"),
    Number("SG_NRIC_FIN", "SG", r"nric|fin\b|identity card|ic (?:no|number)", r"[STFGM]\d{7}[A-Z]", "(nric)", r"[STFGM]\d{7}[A-Z]"),
    Number("ZA_ID_NUMBER", "ZA", r"id ?(?:no|number|nr|#)|identity (?:no|number)|said\b|(?:sa|za|rsa|south african) id", r"\d{6} ?\d{4} ?\d{3}", "za.idnr"),
    Number("KR_RRN", "KR", r"주민등록번호|주민번호|resident registration|rrn\b", r"\d{6}-?\d{7}", "kr.rrn", r"\d{6}-\d{7}"),
    Number("JP_MY_NUMBER", "JP", r"my ?number|マイナンバー|個人番号|individual number", r"\d{4}[- ]?\d{4}[- ]?\d{4}", "jp.in_"),
    Number("CN_RESIDENT_ID", "CN", r"身份证|身分證|resident id|identity card|id card|shenfenzheng", r"\d{17}[\dXx]", "(ric)", r"\d{17}[\dX]"),
    Number("TW_NATIONAL_ID", "TW", r"身分證|身份證|taiwan id|national id", r"[A-Z][12]\d{8}", "(taiwan)"),
    Number("HK_ID_CARD", "HK", r"hkid|香港身份證|身份證|identity card|id card", r"[A-Z]{1,2}\d{6}\(?[0-9A]\)?"),
    Number("FI_PERSONAL_IDENTITY_CODE", "FI", r"hetu\b|henkilötunnus|personal identity code", r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Z]", "fi.hetu", r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Z]"),
    Number("DK_CPR", "DK", r"cpr\b|cpr-?n\w*|personnummer", r"\d{6}[- ]?\d{4}", "dk.cpr"),
    Number("NO_FODSELSNUMMER", "NO", r"fødsels\w*|fodsels\w*|personnummer|national identity", r"\d{6} ?\d{5}", "no.fodselsnummer"),
    Number("IS_KENNITALA", "IS", r"kennitala", r"\d{6}-?\d{4}", "is_.kennitala"),
    Number("BE_NATIONAL_NUMBER", "BE", r"rijksregister\w*|registre national|national (?:register|number)|num[ée]ro national|nrn\b|insz|niss", r"\d\d\.?\d\d\.?\d\d[- ]?\d{3}[. ]?\d\d", "be.nn", r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d"),
    Number("CH_AHV", "CH", r"ahv\w*|avs\b|sozialversicherungs\w*|oasi\b|social security", r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d\d", "ch.ssn", r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d\d"),
    Number("AT_SVNR", "AT", r"svnr|sv.?(?:nr|nummer)|sozialversicherungs\w*|versicherungsnummer", r"\d{4} ?\d{6}", "at.vnr"),
    Number("PT_NIF", "PT", r"nif\b|contribuinte|identificação fiscal", r"\d{3} ?\d{3} ?\d{3}", "pt.nif"),
    Number("PT_CC", "PT", r"cart[ãa]o (?:de|do) cidad[ãa]o|bilhete de identidade|cc\b", r"\d{8} ?\d ?[A-Z0-9]{2}\d", "pt.cc"),
    Number("CZ_BIRTH_NUMBER", "CZ", r"rodn[ée] [čc][ií]slo|birth number|r\.?č\.?", r"\d{6}/?\d{3,4}", "cz.rc"),
    Number("RO_CNP", "RO", r"cnp\b|cod numeric personal", r"[1-9]\d{12}", "ro.cnp"),
    Number("BG_EGN", "BG", r"egn\b|егн", r"\d{10}", "bg.egn"),
    Number("HR_OIB", "HR", r"oib\b", r"\d{11}", "hr.oib"),
    Number("SI_EMSO", "SI", r"emšo|emso|jmbg|јмбг", r"\d{13}", "si.emso"),
    Number("EE_ISIKUKOOD", "EE", r"isikukood|personal code", r"[1-8]\d{10}", "ee.ik"),
    Number("LT_ASMENS_KODAS", "LT", r"asmens kodas|personal code", r"[1-8]\d{10}", "lt.asmens"),
    Number("LV_PERSONAS_KODS", "LV", r"personas kods|personal code", r"\d{6}-?\d{5}"),
    Number("HU_TAJ", "HU", r"taj\b|taj.?sz[áa]m", r"\d{3}[- ]?\d{3}[- ]?\d{3}"),
    Number("GR_AMKA", "GR", r"amka|αμκα", r"\d{11}", "gr.amka"),
    Number("GR_AFM", "GR", r"afm\b|αφμ", r"\d{9}", "gr.vat"),
    Number("TR_TCKN", "TR", r"tckn|t\.?c\.? ?(?:kimlik|no)|kimlik", r"[1-9]\d{10}", "tr.tckimlik"),
    Number("IL_ID_NUMBER", "IL", r"teudat zehut|תעודת זהות|ת\.ז|israeli id|id ?(?:no|number)", r"\d{9}|\d-?\d{7}-?\d", "il.idnr"),
    Number("RU_SNILS", "RU", r"снилс|snils", r"\d{3}-?\d{3}-?\d{3}[ -]?\d\d"),
    Number("RU_INN", "RU", r"инн\b|inn\b", r"\d{12}|\d{10}", "ru.inn"),
    Number("UA_RNTRC", "UA", r"ipn\b|іпн|рнокпп|rnokpp", r"\d{10}", "ua.rntrc"),
    Number("MX_CURP", "MX", r"curp\b", r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z\d]\d", "mx.curp", r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z\d]\d"),
    Number("MX_RFC", "MX", r"rfc\b|registro federal", r"[A-ZÑ&]{3,4}-?\d{6}-?[A-Z\d]{3}", "mx.rfc"),
    Number("AR_DNI", "AR", r"dni\b|documento", r"\d{1,2}\.?\d{3}\.?\d{3}", "ar.dni"),
    Number("AR_CUIT", "AR", r"cuit\b|cuil\b", r"\d\d-?\d{8}-?\d", "ar.cuit"),
    Number("CL_RUT", "CL", r"rut\b|run\b|rol [úu]nico", r"\d{1,2}\.?\d{3}\.?\d{3}-?[\dkK]", "cl.rut"),
    Number("CO_CEDULA", "CO", r"c[ée]dula|c\.c\.", r"\d{6,10}|\d{1,3}(?:\.\d{3}){2,3}"),
    Number("EC_CEDULA", "EC", r"c[ée]dula", r"\d{9}-?\d", "ec.ci"),
    Number("PE_DNI", "PE", r"dni\b", r"\d{8}"),
    Number("TH_TNIN", "TH", r"เลขประจำตัวประชาชน|thai id|national id", r"\d[- ]?\d{4}[- ]?\d{5}[- ]?\d\d[- ]?\d", "th.pin"),
    Number("MY_NRIC", "MY", r"mykad|nric|kad pengenalan|ic (?:no|number)", r"\d{6}-?\d\d-?\d{4}", "my.nric"),
    Number("ID_NIK", "ID", r"nik\b|ktp\b", r"\d{16}", "id.nik"),
    Number("VN_CCCD", "VN", r"cccd|cmnd|căn cước", r"\d{12}|\d{9}"),
    Number("PK_CNIC", "PK", r"cnic\b", r"\d{5}-?\d{7}-?\d", "pk.cnic"),
    Number("AE_EMIRATES_ID", "AE", r"emirates id|eid\b", r"784-?\d{4}-?\d{7}-?\d"),
    Number("NG_NIN", "NG", r"nin\b|national identification", r"\d{11}"),
    Number("EG_NATIONAL_ID", "EG", r"الرقم القومي|national id", r"[23]\d{13}"),
    Number("NZ_IRD", "NZ", r"ird\b", r"\d{2,3}[- ]?\d{3}[- ]?\d{3}", "nz.ird"),
    Number("IMEI", "", r"imei\b", r"\d{2}[- ]?\d{6}[- ]?\d{6}[- ]?\d", "imei"),
)  # fmt: skip

ENTITIES = frozenset(number.entity for number in NUMBERS)
COUNTRIES = frozenset(number.country for number in NUMBERS if number.country)

# Where any of them may begin and end: letters, then digits and letters in groups. The check looks closer.
_CANDIDATE = (
    EDGE + r"(?:(?:[A-Z]{1,7}[ \-]?)?[0-9]|[A-Z]{3} [A-Z]{3} [0-9])[ \-]?[A-Z0-9](?:[ .\-/+]?[A-Z0-9(kx]){3,22}\)?"
)


def national_recognizers(wanted: Collection[str] | None, countries: Collection[str] | None) -> list[Recognizer]:
    """The recognisers of the entities and countries that are asked for (None: all)."""
    numbers = [
        number
        for number in NUMBERS
        if (wanted is None or number.entity in wanted)
        and (countries is None or not number.country or number.country in countries)
    ]
    if not numbers:
        return []
    names = frozenset(number.entity for number in numbers)
    found = [
        Recognizer(
            NATIONAL,
            _CANDIDATE,
            lambda text, start, end, more: _check_labelled(numbers, text, start, end),
            retry=True,
            near=context_of(numbers),
            names=names,
        )
    ]
    if "PASSPORT" in names:
        found.append(Recognizer("PASSPORT", _MRZ, _check_mrz))
    alone = [number for number in numbers if number.alone]
    if alone:
        pattern = EDGE + "(?:" + "|".join(number.alone for number in alone) + ")"
        found.append(
            Recognizer(
                NATIONAL,
                pattern,
                lambda text, start, end, more: _check_alone(alone, text, start, end),
                retry=True,
                names=frozenset(number.entity for number in alone),
            )
        )
    return found


def context_of(numbers: Iterable[Number]) -> Context:
    """The words of all, as RE2 takes them."""
    words: dict[str, None] = {}
    for number in numbers:
        words |= dict.fromkeys(alternatives(number.words))
    return Context(
        "|".join(word for word in words if word[0].isascii()), wide="|".join(w for w in words if not w[0].isascii())
    )


def alternatives(words: str) -> list[str]:
    """Split at the bars that stand in no bracket."""
    parts, depth = [""], 0
    for character in words:
        depth += (character == "(") - (character == ")")
        if character == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _check_labelled(numbers: Sequence[Number], text: str, start: int, end: int) -> Verdict | None:
    start = skip_edge(text, start)
    if word_before(text, start) or joined_before(text, start, ".,"):
        return None
    before = text[max(0, start - CONTEXT_WIDTH) : start]
    best: tuple[bool, int, int, str] | None = None
    regrouped: Verdict | None = None
    value, stop = _in_groups(text, start)
    for number in numbers:
        found = number.whole.match(text, start, end)
        regroups = bool(value) and number.whole.fullmatch(value) is not None
        if found is None and not regroups:
            continue  # of no form of it; to look for its words takes longer
        word = max((named.start() for named in number.named.finditer(before)), default=-1)
        if word < 0:
            continue
        if found is None or word_after(text, found.end()) or text[found.end() : found.end() + 1] == "-":
            regrouped = regrouped or (_regrouped(number, value, text, start, stop) if regroups else None)
            continue
        said = (number.is_valid(found[0]), word, found.end(), number.entity)
        if best is None or said[:3] > best[:3]:
            best = said
    if best is None:
        return regrouped
    valid, _, stop, entity = best
    return Verdict(start, stop, _VALID if valid else _LABELLED, entity)


# Right behind its word a number may have any groups, with the same sign between them.
_RIGHT_BEHIND = re.compile(
    r"\W{0,3}(?:(?:no|nr|num(?:ber|mer)?|n[uú]mero|n[º°]|code|id|is|ist|est|es|er|är)\b\W{0,3}|\([a-z]{1,12}\) ?){0,2}"
)
_GROUPS = re.compile(
    r"(?:[A-Za-z]{1,3}|[A-Za-z]{0,3}[0-9]{1,9}[A-Za-z]{0,2})(?P<sign>[ .\-/])"
    r"(?:[0-9]{1,9}[A-Za-z]{0,2})(?:(?P=sign)(?:[0-9]{1,9}[A-Za-z]{0,2}|[A-Za-z]{1,2})){0,8}(?![A-Za-z0-9])"
)
_A_DATE = re.compile(r"[0-9]{1,4}[./\- ][0-9]{1,2}[./\- ][0-9]{1,4}")
_GROUPED_DIGITS_MIN = 6


def _in_groups(text: str, start: int) -> tuple[str, int]:
    """What groups say that may be a number of some kind, and where they end; nothing for others."""
    found = _GROUPS.match(text, start)
    if found is None or sum(map(str.isdecimal, found[0])) < _GROUPED_DIGITS_MIN or _A_DATE.fullmatch(found[0]):
        return "", start
    return found[0].replace(found["sign"], "").upper(), found.end()


def _regrouped(number: Number, value: str, text: str, start: int, end: int) -> Verdict | None:
    """A number of this kind in groups that nobody else writes, right behind its word; one that has a check passes it."""
    label = max(
        (named.end() for named in number.named.finditer(text, max(0, start - CONTEXT_WIDTH), start)), default=-1
    )
    if label < 0 or _RIGHT_BEHIND.fullmatch(text, label, start) is None:
        return None
    if number.stdnum and not number.is_valid(value):
        return None
    return Verdict(start, end, _LABELLED, number.entity)


# The second line of a passport's machine-readable zone (ICAO 9303-4): number, state, birth, sex, expiry.
_MRZ = r"\b[A-Z][A-Z0-9<]{8}[0-9<]{1,2}[A-Z]{3}[0-9]{6}[0-9<][MFX<][0-9]{6}[0-9<]"


def _check_mrz(text: str, start: int, end: int, more: bool) -> Verdict | None:
    return None if word_before(text, start) else Verdict(start, end, _ALONE)


def _check_alone(numbers: Sequence[Number], text: str, start: int, end: int) -> Verdict | None:
    start = skip_edge(text, start)
    if word_before(text, start) or word_after(text, end) or text[end : end + 1] in ("-", "_"):
        return None
    if (start and text[start - 1] in "-_.@/") or is_of_a_thing(text, start):
        return None
    value = text[start:end]
    for number in numbers:
        if re.fullmatch(number.alone, value) and number.is_valid(value):
            return Verdict(start, end, _ALONE, number.entity)
    return None
