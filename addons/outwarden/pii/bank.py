"""Payment card numbers and IBANs."""

import re
from collections.abc import Iterator

from stdnum import numdb

from outwarden.pii.recognizer import (
    EDGE,
    GAP,
    UNDECIDED,
    Context,
    Recognizer,
    Verdict,
    digits_of,
    joined_after,
    joined_before,
    skip_edge,
    word_after,
    word_before,
)
from outwarden.pii.reserved import CARDS

# Issuer ranges and lengths (ISO/IEC 7812 as the networks publish them): Visa, Mastercard, Amex, Diners, Discover, JCB,
# UnionPay, Maestro.
_ISSUER = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"
    r"|(?=\d{16}\Z)(?:5[1-5]|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d*"
    r"|3[47]\d{13}"
    r"|(?=\d{14}(?:\d\d)?\Z)3(?:0[0-5]|095|[689]\d)\d*"
    r"|(?=\d{16}(?:\d{3})?\Z)(?:6011|65|64[4-9]|35(?:2[89]|[3-8]\d))\d*|(?:1800|2131)\d{11}"
    r"|(?:62|81)\d{14,17}"
    r"|(?:50|5[6-9]|6\d)\d{10,17}"
)
_CARD_NAMES = (
    r"cards?|credit|debit|visa|master ?card|amex|american express|maestro|diners|jcb|discover|union ?pay"
    r"|pan\b|cc(?:\b|_)|karte|kreditkarte|tarjeta|carte"
)
CARD_WORDS = Context(_CARD_NAMES)
# Words of a payment: beside a right check digit they tell a card where the number alone could be another.
PAY_WORDS = Context(f"{_CARD_NAMES}|charged?\\b|payment|paid with|cvv|cvc|num[ée]ro de carte|kartennummer")
# Words that name another kind of number; they count only where no check digit speaks for a card.
_OTHER_WORDS = Context(r"order|transaction|invoice|tracking|reference|ref|uuid|guid|id\b")
_NEAR = 24  # code points between a card word and a number whose check digit fails
_DOUBLED = {str(digit): digit * 2 - 9 * (digit > 4) for digit in range(10)}
_LETTER_VALUES = {ord(letter): str(10 + at) for at, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ")}
_CARD_GAP = GAP[:-1] + ".]"
_CARD_GROUPS = (
    EDGE + rf"\d{{4}}{_CARD_GAP}"
    rf"(?:\d{{4}}{_CARD_GAP}\d{{4}}{_CARD_GAP}\d{{4}}(?:{_CARD_GAP}?\d{{1,3}})?|\d{{6}}{_CARD_GAP}\d{{4,5}})"
)
_CARD_SOLID = EDGE + r"\d{12,19}"
_CARD_LOOSE = EDGE + rf"\d(?:{_CARD_GAP}?\d){{11,18}}"

_IBAN_GAP = r"[ \-\x{A0}]"
IBAN_WORDS = Context(r"iban|account|acct|bank|konto|compte|cuenta|conto|rekening|bic|swift|sepa")


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the right check digit (ISO/IEC 7812-1); six times as fast as stdnum's."""
    return (sum(map(int, digits[-1::-2])) + sum(map(_DOUBLED.__getitem__, digits[-2::-2]))) % 10 == 0


def is_card(digits: str) -> bool:
    """Whether an issuer may have given this number out: range, length, check digit; no published test number."""
    return _ISSUER.fullmatch(digits) is not None and passes_luhn(digits) and digits not in CARDS


def passes_mod_97(compact: str) -> bool:
    """Whether the check digits of an IBAN (compact, upper case) are right (ISO 7064); with other signs none are."""
    digits = (compact[4:] + compact[:4]).translate(_LETTER_VALUES)
    return digits.isdecimal() and int(digits) % 97 == 1


def _check_card(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    tied = joined_after(text, end, "-", more)
    if tied is None:
        return UNDECIDED
    if text[end : end + 1].isdecimal():
        return None
    tied = tied or word_before(text, start) or word_after(text, end) or joined_before(text, start, "-.")
    if tied and not CARD_WORDS.before(text, start):
        return None
    score = -0.9 if digits_of(text[start:end]) in CARDS else _card_score(text, start, end)
    return Verdict(start, end, score) if score else None


def _card_score(text: str, start: int, end: int) -> float:
    digits = digits_of(text[start:end])
    if digits == digits[0] * len(digits):
        return 0.0
    right, solid = passes_luhn(digits), len(digits) == end - start
    usual = len(digits) not in (12, 13) or not solid  # not an EAN-13 barcode or a sequence number
    if right and usual and _ISSUER.fullmatch(digits):
        return 0.9
    if right and PAY_WORDS.before(text, start):
        return 0.7
    if right:
        return 0.0 if solid else 0.6
    named = CARD_WORDS.before(text, start, _NEAR) and not _OTHER_WORDS.before(text, start, _NEAR)
    return 0.55 if named and len(digits) >= 13 else 0.0


def _check_loose_card(text: str, start: int, end: int, more: bool) -> Verdict | None:
    """Judge digits grouped in an unusual way: only with a card word, an issuer and a right check digit."""
    start = skip_edge(text, start)
    digits = digits_of(text[start:end])
    if text[end : end + 1].isdecimal() or not _ISSUER.fullmatch(digits) or not passes_luhn(digits):
        return None
    return Verdict(start, end, -0.8 if digits in CARDS else 0.8)


def _structures() -> Iterator[tuple[str, str]]:
    """Yield (country, what each character of an IBAN is: a letter, n a digit, c either) from stdnum's registry."""
    for _, country, _, properties, _ in numdb.get("iban").prefixes:
        if structure := properties.get("bban"):
            yield country, "aann" + "".join(k * int(count) for count, k in re.findall(r"(\d+)!([nac])", structure))


IBAN_STRUCTURES = dict(_structures())
IBAN_DIGITS_ONLY = frozenset(country for country, kinds in IBAN_STRUCTURES.items() if set(kinds[2:]) == {"n"})
IBAN_LENGTHS = {country: len(kinds) for country, kinds in IBAN_STRUCTURES.items()}


def _iban_pattern() -> str:
    """Return the pattern of an IBAN that may go on too long: the check cuts it to the length of its country."""
    numeric = "|".join(country for country in IBAN_STRUCTURES if country in IBAN_DIGITS_ONLY)
    mixed = "|".join(country for country in IBAN_STRUCTURES if country not in IBAN_DIGITS_ONLY)
    least, most = min(IBAN_LENGTHS.values()) - 4, max(IBAN_LENGTHS.values()) - 4
    rest = f"{{{least},{most}}}"
    return rf"(?i:{EDGE}(?:(?:{numeric})\d\d(?:{_IBAN_GAP}?\d){rest}|(?:{mixed})\d\d(?:{_IBAN_GAP}?[A-Z0-9]){rest}))"


def _check_iban(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    end = _cut(text, start, end, IBAN_LENGTHS[text[start : start + 2].upper()])
    if end < 0 or word_before(text, start) or word_after(text, end):
        return None
    compact = "".join(filter(str.isalnum, text[start:end])).upper()
    if passes_mod_97(compact):
        return Verdict(start, end, 0.97)
    return Verdict(start, end, 0.6) if IBAN_WORDS.before(text, start) else None


def _cut(text: str, start: int, end: int, length: int) -> int:
    """Return where ``length`` letters and digits from ``start`` on end; -1 if there are not so many."""
    for at in range(start, end):
        length -= text[at].isalnum()
        if length == 0:
            return at + 1
    return -1


RECOGNIZERS = (
    Recognizer("CREDIT_CARD", _CARD_GROUPS, _check_card, retry=True),
    Recognizer("CREDIT_CARD", _CARD_SOLID, _check_card),
    Recognizer("CREDIT_CARD", _CARD_LOOSE, _check_loose_card, near=PAY_WORDS),
    Recognizer("IBAN_CODE", _iban_pattern(), _check_iban, retry=True),
)
