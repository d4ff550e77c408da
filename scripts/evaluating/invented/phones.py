"""Telephone numbers of every country, as people write them and say whose they are, in many languages."""

import random
from collections.abc import Iterator

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

from evaluating.invented.labelled import Invented, fill

_KINDS = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE)
_TRIES = 30
# Islands have numbers of four to six digits, which nothing tells from any other count.
_DIGITS_MIN = 7

# What people write around a number, by the languages of its country; {v} is the number.
_SENTENCES: dict[str, tuple[str, ...]] = {
    "en": (
        "Phone: {v}",
        "please call me at {v} after six",
        "My number is {v}, text me when you arrive.",
        "Tel. {v}",
        "You can reach him on {v}.",
        "Her cell is {v} and she usually answers",
        "WhatsApp {v}",
        "Contact number - {v}",
        "mobile: {v}\nemail: ada.quill@brightquill.com",
        '{{"name": "Ada Quill", "phone": "{v}", "plan": "gold"}}',
        "phone_number={v}",
        "Ada Quill\n12 Mill Lane\n{v}\nada.quill@brightquill.com",
        "Ada Quill,ada.quill@brightquill.com,{v},active",
        "Kind regards,\nAda Quill\nSales\n{v}",
        "give Ada a ring: {v}",
        "{v} (mobile)",
        "Emergency contact: Ada Quill, {v}",
        "I called {v} twice and nobody picked up.",
        "Fax {v}",
        "Callback requested, {v}, any time",
    ),
    "de": ("Tel.: {v}", "Telefonnummer {v}", "Handy: {v}", "Sie erreichen mich unter {v}.", "Mobil {v}", "Rufen Sie {v} an", "Rückruf bitte unter {v}"),
    "fr": ("Tél : {v}", "Téléphone : {v}", "Portable : {v}", "Vous pouvez me joindre au {v}", "appelez le {v}", "mon numéro : {v}"),
    "es": ("Teléfono: {v}", "Móvil: {v}", "llámame al {v}", "Celular {v}", "mi número es {v}", "Tfno. {v}"),
    "it": ("Tel: {v}", "Cellulare: {v}", "chiamami al {v}", "numero di telefono {v}", "cell. {v}"),
    "pt": ("Telefone: {v}", "Telemóvel: {v}", "Celular: {v}", "ligue para {v}", "meu número é {v}", "Fone {v}"),
    "nl": ("Telefoon: {v}", "Mobiel: {v}", "bel me op {v}", "telefoonnummer {v}", "06-nummer: {v}"),
    "pl": ("tel. {v}", "Telefon: {v}", "zadzwoń pod {v}", "kom. {v}", "numer telefonu {v}"),
    "sv": ("Telefon: {v}", "Mobil: {v}", "ring mig på {v}", "mobilnummer {v}"),
    "da": ("Tlf. {v}", "Mobil: {v}", "ring til mig på {v}", "telefonnummer {v}"),
    "no": ("Tlf: {v}", "Mobil {v}", "ring meg på {v}"),
    "fi": ("Puh. {v}", "puhelin {v}", "puhelinnumero: {v}", "soita {v}"),
    "cs": ("Telefon: {v}", "mobil {v}", "volejte {v}", "tel. č. {v}"),
    "hu": ("Telefonszám: {v}", "Mobil: {v}", "hívjon: {v}"),
    "ro": ("Telefon: {v}", "sunați la {v}", "mobil {v}"),
    "tr": ("Telefon: {v}", "Cep: {v}", "GSM {v}", "beni arayın {v}"),
    "ru": ("Телефон: {v}", "тел. {v}", "моб. {v}", "звоните {v}", "мой номер {v}"),
    "uk": ("Телефон: {v}", "моб. {v}", "дзвоніть {v}"),
    "el": ("Τηλέφωνο: {v}", "Τηλ. {v}", "Κινητό: {v}"),
    "ar": ("هاتف: {v}", "جوال: {v}", "رقم الهاتف {v}", "اتصل على {v}"),
    "he": ("טלפון: {v}", "נייד {v}", "טל' {v}"),
    "hi": ("फ़ोन: {v}", "मोबाइल नंबर {v}", "mobile no. {v}"),
    "ja": ("電話番号：{v}", "携帯 {v}", "TEL: {v}", "電話は{v}です"),
    "ko": ("전화번호: {v}", "휴대폰 {v}", "연락처: {v}", "번호는 {v}입니다, 전화 주세요"),
    "zh": ("电话：{v}", "手机号 {v}", "联系电话: {v}", "電話 {v}"),
    "th": ("โทร. {v}", "เบอร์โทร {v}", "มือถือ {v}"),
    "vi": ("Điện thoại: {v}", "SĐT: {v}", "gọi số {v}"),
    "id": ("Telepon: {v}", "No. HP: {v}", "hubungi {v}", "WA {v}"),
}  # fmt: skip

# The languages of the countries, where they are not English alone; what is not here is labelled in English.
_LANGUAGES: dict[str, str] = {
    "DE": "de", "AT": "de", "CH": "de fr it", "LI": "de", "LU": "fr de", "FR": "fr", "BE": "nl fr", "MC": "fr", "SN": "fr",
    "CI": "fr", "MA": "fr ar", "DZ": "fr ar", "TN": "fr ar", "CM": "fr", "HT": "fr", "CA": "fr", "ES": "es", "MX": "es",
    "AR": "es", "CO": "es", "CL": "es", "PE": "es", "VE": "es", "EC": "es", "GT": "es", "CU": "es", "BO": "es", "UY": "es",
    "PY": "es", "CR": "es", "PA": "es", "DO": "es", "IT": "it", "SM": "it", "PT": "pt", "BR": "pt", "AO": "pt", "MZ": "pt",
    "NL": "nl", "SR": "nl", "PL": "pl", "SE": "sv", "DK": "da", "NO": "no", "FI": "fi", "CZ": "cs", "SK": "cs", "HU": "hu",
    "RO": "ro", "MD": "ro", "TR": "tr", "RU": "ru", "BY": "ru", "KZ": "ru", "KG": "ru", "UA": "uk", "GR": "el", "CY": "el",
    "EG": "ar", "SA": "ar", "AE": "ar", "IQ": "ar", "JO": "ar", "KW": "ar", "QA": "ar", "LB": "ar", "IL": "he", "IN": "hi",
    "JP": "ja", "KR": "ko", "CN": "zh", "TW": "zh", "HK": "zh", "TH": "th", "VN": "vi", "ID": "id",
}  # fmt: skip


def numbers(rng: random.Random, region: str) -> Iterator[PhoneNumber]:
    """A mobile and a fixed number that the region's plan would give out."""
    for kind in _KINDS:
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None or len(digits := str(example.national_number)) < _DIGITS_MIN:
            continue
        for _ in range(_TRIES):
            keep = max(3, len(digits) - 6)
            tail = "".join(rng.choice("0123456789") for _ in digits[keep:])
            number = PhoneNumber()
            number.merge_from(example)
            number.national_number = int(digits[:keep] + tail)
            if phonenumbers.is_valid_number(number) and phonenumbers.region_code_for_number(number) == region:
                yield number
                break


def spellings(number: PhoneNumber) -> dict[str, str]:
    """How people write it: {style: text}."""
    international = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    rest = international.removeprefix(f"+{number.country_code} ")
    return {
        "e164": e164,
        "international": international,
        "national": national,
        "rfc3966": phonenumbers.format_number(number, PhoneNumberFormat.RFC3966).removeprefix("tel:"),
        "dots": international.replace(" ", ".").replace("-", "."),
        "hyphens": international.replace(" ", "-"),
        "no-break": international.replace(" ", "\xa0"),
        "double zero": f"00{e164[1:]}",
        "double zero spaced": f"00{international[1:]}",
        "bracketed code": f"(+{number.country_code}) {rest}",
        "national dots": national.replace(" ", ".").replace("-", "."),
        "national hyphens": national.replace(" ", "-"),
        "national solid": "".join(filter(str.isdecimal, national)),
    }


def phones(rng: random.Random) -> Iterator[Invented]:
    """Every region, each way to write a number, said in the languages of its country."""
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        languages = ("en", *_LANGUAGES.get(region, "").split())
        for number in numbers(rng, region):
            for style, value in spellings(number).items():
                said = rng.choice(_SENTENCES[rng.choice(languages)])
                where = "national" if style.startswith("national") else "international"
                yield fill(said, value, "PHONE_NUMBER", f"phone {where}")


def bare_phones(rng: random.Random) -> Iterator[Invented]:
    """Numbers as their own country writes them, where no word says what they are."""
    frames = (
        "{v}",
        "Ada Quill, {v}, Mill Lane",
        "Ada Quill\n{v}",
        "from {v} at 9 pm",
        "| Ada Quill | {v} | open |",
        "then Ada said: {v}. I wrote it down",
    )
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for number in numbers(rng, region):
            value = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
            yield fill(rng.choice(frames), value, "PHONE_NUMBER", "phone bare")
