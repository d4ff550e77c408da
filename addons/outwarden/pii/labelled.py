"""Numbers right after the word that says what they are, whatever stands between their digits.

`ssn [2, 8, 1 …`, a card in the cells of a table, a telephone number over three lines of a chat, digits in words with
"uh" between: with the label before it a number needs no usual form. It must have the right count of digits, and pass
the check that its kind has: check digits of cards, numbering plans of telephones, ranges of SSNs.
"""

import re
from collections.abc import Callable

from outwarden.pii.bank import PAY_WORDS, is_card
from outwarden.pii.national import NUMBERS, context_of
from outwarden.pii.numbering import is_assigned, is_assigned_with_trunk
from outwarden.pii.person_numbers import SSN_WORDS, is_valid_area
from outwarden.pii.phone_words import PHONE_WORDS
from outwarden.pii.reading import VIEW
from outwarden.pii.recognizer import Recognizer, Verdict, digits_of
from outwarden.pii.record_numbers import RECORD_WORDS
from outwarden.pii.reserved import is_reserved_phone
from outwarden.pii.saying import TOGETHER, Said, best_end, goes_on, goes_on_told, hear, told_from
from outwarden.pii.spelled import is_count
from outwarden.pii.tongues import WORD

_NATIONAL_MIN = 7  # digits
# Between a label and its number: some signs and a few words ("number is", "of the patient").
_BEFORE_FIRST = 28
_KEY = r"(?:[^0-9]{0,12}?[\"'][A-Za-z_]{1,16}[0-9]?[\"'] ?:)?"
_NUMBER = (
    r"[+0-9]|[\p{Nd}\p{No}\x{1D7CE}-\x{1D7FF}\x{AD}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}]|&#|%[0-9]|\\[ux]|=[0-9]"
    rf"|{WORD}|\b[OlISBZ][0-9OlISBZ]"
)
# The label of a number, and where the number begins.
_LABELLED = rf"(?:{{label}}){_KEY}(?:[^0-9\x{{0}}]{{0,{_BEFORE_FIRST}}}?)(?:{_NUMBER}|(?i:{TOGETHER}))"
_NEXT_WORD = re.compile(r"(?P<digits>[0-9.,]{1,5})[^\w]{0,3}(?P<word>[^\W\d_]{2,})(?!\w*[\"'] ?:)")
_PLAIN = re.compile(r"\+?[0-9]+(?:[ .\-][0-9]+)*|[0-9]+")
_USUAL = re.compile(r"\+?[0-9]+(?:[ .\-][0-9]+)*(?=[.,;!?)]?(?:\s[A-Za-z]|\Z))")
_GAPPED = re.compile(r"\+?[0-9]+(?:[ .\-][0-9]+)+")
_ONE_BY_ONE = re.compile(r"[0-9](?:[ .\-][0-9]){6,}")
_SCANNED = "OlISBZ"  # letters that a scanner takes for digits
_IN_WORD = re.compile(r"[^\W\d_]|[\u0900-\u094F]")
_SCORE = 0.95  # label and check digits, or label and count
_RECORD_DIGITS, _RECORD_DIGITS_SAID = range(6, 13), range(4, 13)
_NANP = re.compile(r"1?[2-9][0-9]{2}[2-9][0-9]{6}")


def _card(said: Said, end: int) -> float:
    digits = said.text[:end]
    return _SCORE if end >= 13 and (is_card(digits) or is_card(digits[::-1])) else 0.0


def _ssn(said: Said, end: int) -> float:
    return _SCORE if end == 9 == len(said.text) and is_valid_area(said.text) and _is_regular(said, end) else 0.0


def _record(said: Said, end: int) -> float:
    usual = _RECORD_DIGITS_SAID if said.words else _RECORD_DIGITS
    return _SCORE if end in usual and end == len(said.text) and _is_regular(said, end) else 0.0


def _phone(said: Said, end: int) -> float:
    digits = said.text[:end]
    if is_reserved_phone(digits) or not _is_regular(said, end):
        return 0.0
    if said.plus or digits.startswith("00"):
        right = is_assigned(digits if said.plus else digits[2:])
    elif digits.startswith("0"):
        right = is_assigned_with_trunk(digits)
    else:
        right = _NANP.fullmatch(digits) is not None and is_assigned(digits if len(digits) == 11 else f"1{digits}")
    return _SCORE if right else 0.0


def _is_regular(said: Said, end: int) -> bool:
    """Whether the groups are those of a number that is read out or laid out, not those of a list of counts."""
    sizes = [size for at, size in zip(said.groups, said.sizes(), strict=True) if at < end]
    return said.words > 0 or len(sizes) == 1 or set(sizes) == {1} or (min(sizes) >= 2 and len(sizes) <= 6)


def _numbers(names: frozenset[str]) -> Callable[[Said, int, str], tuple[float, str]]:
    """The judge of national numbers: the kind that its label names, where the check digits are right."""
    checked = [number for number in NUMBERS if number.entity in names and number.stdnum]

    def judge(said: Said, end: int, label: str) -> tuple[float, str]:
        digits = said.text[:end]
        for number in checked:
            if number.named.search(label) and number.is_valid(digits):
                return _SCORE, number.entity
        return 0.0, ""

    return judge


_KINDS = (
    ("CREDIT_CARD", PAY_WORDS, _card),
    ("US_SSN", SSN_WORDS, _ssn),
    ("MEDICAL_RECORD_NUMBER", RECORD_WORDS, _record),
    ("PHONE_NUMBER", PHONE_WORDS, _phone),
)
# Those of which nothing else looks at plain digits in other groups than the usual, as when they stand backwards.
_ANY_GROUPS = frozenset({"CREDIT_CARD", "US_SSN"})


def labelled_recognizers(wanted: frozenset[str]) -> list[Recognizer]:
    """Those of the entities in ``wanted``."""
    found = [
        Recognizer(
            VIEW,
            _LABELLED.replace("{label}", words.pattern),
            _checker(entity, judge),
            whole=True,
            names=frozenset({entity}),
            hint=words.pattern,
        )
        for entity, words, judge in _KINDS
        if entity in wanted
    ]
    if numbers := [number for number in NUMBERS if number.entity in wanted and number.stdnum]:
        words = context_of(numbers)
        pattern = _LABELLED.replace("{label}", words.pattern.replace(r"\w*", r"\w{0,24}"))
        names = frozenset(number.entity for number in numbers)
        check = _national_checker(names)
        found.append(Recognizer(VIEW, pattern, check, whole=True, names=names, hint=words.pattern))
    return found


def _national_checker(names: frozenset[str]) -> Callable[[str, int, int, bool], Verdict | None]:
    judge = _numbers(names)

    def check(text: str, start: int, end: int, more: bool) -> Verdict | None:
        first = _first(text, start, end)
        if _USUAL.match(text, first) and not _GAPPED.match(text, first):
            return None  # others look at those
        for told in (False, True):
            begin = told_from(text, start, first) if told else first
            said, heard = hear(text, begin, told=told)
            for stop in [len(said.text), *reversed(said.groups[1:])] if said.text else []:
                score, entity = judge(said, stop, text[start:first]) if stop >= _NATIONAL_MIN else (0.0, "")
                if score and not is_count(said.text[:stop]):
                    low, high = said.places[0][0], said.places[stop - 1][1]
                    return None if text[high : high + 1].isdecimal() else Verdict(low, high, score, entity)
        return _behind(heard, begin, end)

    return check


def _behind(heard: int, first: int, end: int) -> Verdict | None:
    """Where to search on after a reading without a finding: half of it is not read again, if it has other labels."""
    middle = (first + heard) // 2
    return Verdict(middle, middle, 0.0) if middle > end else None


def _first(text: str, start: int, end: int) -> int:
    """Where the digit or the word begins at whose end a label's pattern ends."""
    first = end - 1
    while first > start and _IN_WORD.match(text, first) and _IN_WORD.match(text, first - 1):
        first -= 1
    scanned = first - 1 > start and text[first].isdecimal() and text[first - 1] in _SCANNED
    return first - 1 if scanned and not text[first - 2].isalnum() else first


def _checker(entity: str, judge: Callable[[Said, int], float]) -> Callable[[str, int, int, bool], Verdict | None]:
    def check(text: str, start: int, end: int, more: bool) -> Verdict | None:
        first = _first(text, start, end)
        word = _NEXT_WORD.match(text, first)
        if word is not None and not goes_on(word["word"], told=True) and not goes_on_told(text, word.end("digits")):
            return None
        if _others_look(entity, text, first):
            return None
        said, heard = hear(text, first)
        length, score = best_end(said, judge)
        if not score:
            first = told_from(text, start, first)
            said, heard = hear(text, first, told=True)
            length, score = best_end(said, judge)
        if not score or is_count(said.text[:length]):
            return _behind(heard, first, end)
        low, high = said.places[0][0], said.places[length - 1][1]
        usual = entity not in _ANY_GROUPS and _is_usual(text[low:high])
        return None if usual or text[high : high + 1].isdecimal() else Verdict(low, high, score, entity)

    return check


# From so many digits on a number in its usual form is all of it.
_WHOLE = {"CREDIT_CARD": 13, "US_SSN": 9, "MEDICAL_RECORD_NUMBER": 6, "PHONE_NUMBER": 10}


def _others_look(entity: str, text: str, first: int) -> bool:
    """Whether a number in its usual form stands there, at a glance: most do."""
    usual = _USUAL.match(text, first)
    if usual is None or _ONE_BY_ONE.match(usual[0]):
        return False
    digits = digits_of(usual[0])
    if len(digits) < _WHOLE[entity]:
        return False
    backwards = entity == "CREDIT_CARD" and is_card(digits[::-1])
    return not backwards and not (entity == "US_SSN" and len(digits) == _WHOLE[entity])


def _is_usual(run: str) -> bool:
    """Whether others look at a number in this form: what they decline is none."""
    return _PLAIN.fullmatch(run) is not None and _ONE_BY_ONE.fullmatch(run) is None
