"""Values of each kind in their plain form, in the pieces that people know them by, and the sentences they stand in."""

import random
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from stdnum import luhn
from stdnum.iban import calc_check_digits

_GIVEN = ("amara", "tobias", "lucia", "henrik", "priya", "marcel", "ingrid", "dario", "noor", "elise", "kofi", "wanda")
_FAMILY = (
    "okafor",
    "lindqvist",
    "moreau",
    "brandt",
    "iyer",
    "castell",
    "novak",
    "haugen",
    "pereira",
    "walsh",
    "tanaka",
)
_DOMAINS = ("gmail.com", "brightquill.com", "posteo.de", "outlook.com", "orange.fr", "nordhaven.io", "correo.es", "mail.harrowgate.co.uk")  # fmt: skip
_BANKS = {"DE": "{d18}", "FR": "{d23}", "ES": "{d20}", "GB": "NWBK{d14}", "NL": "ABNA{d10}", "AT": "{d16}"}


@dataclass(frozen=True, slots=True)
class Value:
    """One value: ``text`` as a form would show it, ``groups`` its pieces without what joins them."""

    entity: str
    text: str
    groups: tuple[str, ...]

    @property
    def bare(self) -> str:
        """The pieces with nothing between."""
        return "".join(self.groups)


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices(string.digits, k=count))


def _email(rng: random.Random) -> Value:
    given, family = rng.choice(_GIVEN), rng.choice(_FAMILY)
    local = rng.choice(
        (f"{given}.{family}", f"{given}_{family}", f"{given[0]}{family}{rng.randint(1, 99)}", given + family)
    )
    domain = rng.choice(_DOMAINS)
    return Value("EMAIL_ADDRESS", f"{local}@{domain}", (local, domain))


def _phone(rng: random.Random) -> Value:
    area, exchange = (
        rng.choice(("415", "212", "617", "713", "206", "312")),
        f"{rng.choice('234678')}{rng.randint(20, 99)}",
    )
    styles: tuple[tuple[str, ...], ...] = (
        (area, exchange, _digits(rng, 4)),
        (area, exchange, _digits(rng, 4)),
        ("+44", "20", f"7{_digits(rng, 3)}", _digits(rng, 4)),
        ("+49", rng.choice(("151", "171", "160")), _digits(rng, 4), _digits(rng, 4)),
        ("06", *(_digits(rng, 2) for _ in range(4))),
        ("+34", f"6{_digits(rng, 2)}", _digits(rng, 3), _digits(rng, 3)),
    )
    groups = rng.choice(styles)
    return Value("PHONE_NUMBER", ("-" if groups[0] == area else " ").join(groups), groups)


def _card(rng: random.Random) -> Value:
    start, length = rng.choice((("4", 16), ("5" + rng.choice("12345"), 16), ("37", 15), ("4", 16)))
    body = start + _digits(rng, length - 1 - len(start))
    number = body + luhn.calc_check_digit(body)
    cuts = (0, 4, 10, 15) if length == 15 else (0, 4, 8, 12, 16)
    groups = tuple(number[a:b] for a, b in pairwise(cuts))
    return Value("CREDIT_CARD", " ".join(groups), groups)


def _iban(rng: random.Random) -> Value:
    country, form = rng.choice(tuple(_BANKS.items()))
    letters, _, count = form.rstrip("}").partition("{d")
    account = letters + _digits(rng, int(count))
    number = country + calc_check_digits(f"{country}00{account}") + account
    groups = tuple(number[at : at + 4] for at in range(0, len(number), 4))
    return Value("IBAN_CODE", " ".join(groups), groups)


def _ssn(rng: random.Random) -> Value:
    groups = (str(rng.randint(100, 665)), f"{rng.randint(1, 99):02d}", f"{rng.randint(1, 9999):04d}")
    return Value("US_SSN", "-".join(groups), groups)


def _ip(rng: random.Random) -> Value:
    first = rng.choice((31, 46, 62, 77, 81, 93, 109, 151, 185, 212))
    groups = (str(first), *(str(rng.randint(1, 254)) for _ in range(3)))
    return Value("IP_ADDRESS", ".".join(groups), groups)


def _key(rng: random.Random) -> Value:
    alphabet = string.ascii_letters + string.digits
    prefix, characters, count = rng.choice((("AKIA", string.ascii_uppercase + "234567", 16), ("ghp_", alphabet, 36), ("sk_live_", alphabet, 24), ("sk-ant-api03-", alphabet, 93), ("glpat-", alphabet, 20)))  # fmt: skip
    body = "".join(rng.choices(characters, k=count))
    return Value("API_KEY", prefix + body, (prefix, body[: count // 2], body[count // 2 :]))


def _record(rng: random.Random) -> Value:
    groups = (_digits(rng, 3), _digits(rng, rng.choice((3, 4, 5))))
    return Value("MEDICAL_RECORD_NUMBER", "".join(groups), groups)


MAKERS: Mapping[str, Callable[[random.Random], Value]] = {
    "email": _email,
    "phone": _phone,
    "card": _card,
    "iban": _iban,
    "ssn": _ssn,
    "ip": _ip,
    "key": _key,
    "record": _record,
}

# About one in four says nothing of what the value is, where its form alone can tell (e-mail, key, card, IBAN).
SENTENCES: Mapping[str, tuple[str, ...]] = {
    "email": ("write to {v} and I will answer", "my email is {v}", "E-Mail: {v}", "cc {v} on the thread please", "{v}", "lead: {v}, met at the fair", "user said: {v}"),
    "phone": ("call me on {v} tonight", "my number is {v}", "Phone: {v}", "tel {v} (ask for Noor)", "text {v} when you land", "caller: my cell is {v} thanks", "whatsapp {v}"),
    "card": ("card number {v}", "charge it to {v} exp 04/29", "Visa: {v}", "please pay with my card {v} today", "cc {v}", "customer reads out the card: {v}", "{v}"),
    "iban": ("IBAN: {v}", "transfer the rent to {v}", "my bank account is {v}", "refund to {v} please", "iban {v} thanks", "Kontonummer {v}", "{v}"),
    "ssn": ("ssn {v}", "my social security number is {v}", "SSN: {v}", "social: {v}", "tax form, SSN {v}, filed jointly", "the applicant's ssn is {v}"),
    "ip": ("ip {v}", "the visitor's IP address is {v}", "client_ip={v}", "login from IP {v} last night", "blocked host {v}", "ping {v}"),
    "key": ("api key {v}", "token: {v}", "here is my key {v} don't share it", "use {v} for staging", "secret = {v}", "{v}"),
    "record": ("MRN {v}", "patient record number {v}", "MRN: {v}, admitted Tuesday", "medical record number is {v}", "mrn {v} follow up", "Patient MRN # {v}"),
}  # fmt: skip
