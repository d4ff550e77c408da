"""Values that are taken apart: every character by itself, backwards, in a phonetic alphabet, an account in words."""

import re

from outwarden.pii.accounts import account_recognizers, read_account
from outwarden.pii.bank import IBAN_DIGITS_ONLY, IBAN_LENGTHS, passes_mod_97
from outwarden.pii.dictated import dictated_recognizers
from outwarden.pii.folding import Folded, fold
from outwarden.pii.reading import VIEW, Look, first_in, whole_run
from outwarden.pii.recognizer import Check, Recognizer, Verdict, word_after
from outwarden.pii.saying import goes_on, listen
from outwarden.pii.spelled import is_count
from outwarden.pii.tongues import PLAIN_UNITS

# --- every character by itself: 4 1 1 1, 4-1-1-1, a d a @ …

_ONE = r"[A-Za-z0-9.@_+\-]"
_JOINTS = (" ", r"\.", "-", r"\*", ",", ", ", "_", r"\|", r" \| ", "/", r"\t")
_LEAST = 7  # characters
_MOST = 80
SINGLE = "|".join(rf"\b[A-Za-z0-9](?:{joint}{_ONE}){{{_LEAST - 1},{_MOST}}}" for joint in _JOINTS)
_SINGLE_HINT = "|".join(rf"\b[A-Za-z0-9]{joint}{_ONE}{joint}{_ONE}{joint}{_ONE}{joint}{_ONE}" for joint in _JOINTS)
_JOINT = re.compile(r"[A-Za-z0-9]([ ,|\t./*_\-]{1,3}?)(?=[A-Za-z0-9.@_+\-])")


def check_single(look: Look, text: str, start: int, end: int) -> Verdict | None:
    """A run that `SINGLE` found: what its characters say without what stands between them."""
    if start and text[start - 1].isalnum():
        return None
    joint = _JOINT.match(text, start, end)
    assert joint is not None
    step = 1 + len(joint[1])
    last = end - 1
    if text[end : end + 1].isalnum():  # the first letter of a word that follows
        last -= step
    places = range(start, last + 1, step)
    said = "".join(text[at] for at in places)
    if len(said) < _LEAST or is_count(said):
        return None
    offsets = [at - start for at in places]
    return first_in(look, text, start, last + 1, Folded(said, offsets, [at + 1 for at in offsets]))


# --- an IBAN with anything between its characters, digits in words as well

_COUNTRIES = "|".join(sorted(f"{one[0]}[ .,*_/|\\-]{{0,3}}{one[1]}" for one in IBAN_LENGTHS))
_WORDS = "|".join(sorted(PLAIN_UNITS, key=len, reverse=True))
_SIGNS = r"(?:[^A-Za-z0-9]|</?[a-z]{1,6}/?>){0,4}"
_ACCOUNT = rf"\b(?:{_COUNTRIES}){_SIGNS}(?:[0-9]{_SIGNS}(?:[0-9]|(?:{_WORDS})\b)|(?:{_WORDS})\b)"
# Most beginnings end within the first; only what still goes on at its end is read in the second.
_ACCOUNT_WINDOWS, _COUNTRY_WINDOW = (48, 480), 12
# What ends right behind its first digits, at a glance: DE12 DE12.
_AT_ONCE = re.compile(r"(?P<country>[A-Z]{2})[ .\-]?[0-9]{2,6}[ ,;.\n\-]{1,3}(?P<word>[A-Za-z]+)")
_NEEDS_READING = re.compile(r"[^\x00-\x7f]|[a-z<&%\\]|[0-9][OISBZ]|(?<![A-Z])[OISBZ][0-9]|=\r?\n")
_CAPITALS = re.compile("[A-Z]")
# The same in characters that only look like these.
_INVISIBLE = r"[ .\-\x{AD}\x{200B}-\x{200F}\x{2060}-\x{2064}\x{FEFF}\x{300}-\x{36F}]{0,2}"
_CAPITAL = r"[A-Z\p{Greek}\p{Cyrillic}\x{FF21}-\x{FF3A}\x{24B6}-\x{24CF}\x{1D400}-\x{1D7CB}]"
_FIGURE = r"[\p{Nd}\x{B2}\x{B3}\x{B9}\x{2070}-\x{2089}\x{2460}-\x{2468}\x{24EA}]"
_ODD_ACCOUNT = rf"{_CAPITAL}{_INVISIBLE}{_CAPITAL}{_INVISIBLE}{_FIGURE}{_INVISIBLE}{_FIGURE}"
_ACCOUNT_SCORE = 0.97  # its check digits are right: what stands between them changes nothing


def check_account(text: str, start: int, end: int, more: bool) -> Verdict | None:
    """Characters that make up a right IBAN from here on, whatever stands between."""
    found = _read_account(text, start) or read_account(text, start)
    return None if found is None or _DIALLED.search(text, found.start, found.end) else found


_DIALLED = re.compile(r"[A-Z]{2} ?\+[0-9]")  # FR +33, ES +34: countries and their codes


def _read_account(text: str, start: int) -> Verdict | None:
    ended = _AT_ONCE.match(text, start)
    if ended is not None and ended["country"] in IBAN_DIGITS_ONLY and not goes_on(ended["word"]):
        return None
    if _is_plainly_none(text[start : start + _ACCOUNT_WINDOWS[0]]):
        return None
    for window in _ACCOUNT_WINDOWS:
        read = fold(text[start : start + window])
        country = "".join(_CAPITALS.findall(read.text, 0, _COUNTRY_WINDOW)[:2])
        size = IBAN_LENGTHS.get(country, 0)
        said = listen(read, 0, size, letters=2 if country in IBAN_DIGITS_ONLY else size)
        if not size or not said.text[2:4].isdecimal():
            return None
        if said.end < len(read.text):
            break
    if len(said.text) < size or not passes_mod_97(said.text[:size]):
        return None
    high = start + said.places[size - 1][1]
    return None if word_after(text, high) else Verdict(start, high, _ACCOUNT_SCORE, "IBAN_CODE")


def _is_plainly_none(text: str) -> bool:
    """Whether a text of capitals, digits and signs is too short or has other check digits, without being read."""
    if _NEEDS_READING.search(text):
        return False
    compact = "".join(filter(str.isalnum, text))
    size = IBAN_LENGTHS.get(compact[:2], 0)
    return len(compact) >= size and not (size and passes_mod_97(compact[:size]))


def check_odd_account(text: str, start: int, end: int, more: bool) -> Verdict | None:
    """The same from a beginning that `_ODD_ACCOUNT` found."""
    return None if text[start : start + 2 * len(_EXAMPLE)].isascii() else _read_account(text, start)


_EXAMPLE = "DE75 8501 0510 3738 8815 15"


# --- an IBAN from its end to its beginning

_ENDS = "|".join(sorted(one[::-1] for one in IBAN_LENGTHS))
_TURNED_ACCOUNT = rf"\b[0-9A-Z](?:[ \-]?[0-9A-Z]){{9,32}}[ \-]?[0-9][ \-]?[0-9][ \-]?(?:{_ENDS})\b"

_TURNED_HINT = rf"[0-9][ \-]?[0-9][ \-]?(?:{_ENDS})\b"


def check_turned_account(text: str, start: int, end: int, more: bool) -> Verdict | None:
    """A run that is a right IBAN backwards."""
    compact = "".join(filter(str.isalnum, reversed(text[start:end])))
    right = IBAN_LENGTHS.get(compact[:2]) == len(compact) and passes_mod_97(compact)
    return Verdict(start, end, 0.8, "IBAN_CODE") if right else None


# --- between marks that turn the direction of writing, which a screen shows the right way round

_TURNED = r"[\x{202E}\x{2067}][^\x{202C}\x{2069}\r\n]{6,120}"


def check_turned(look: Look, text: str, start: int, end: int) -> Verdict | None:
    """What a screen shows of a run that goes from right to left."""
    return whole_run(look, text, start, end, text[start + 1 : end][::-1])


def apart_recognizers(look: Look, wanted: frozenset[str]) -> list[Recognizer]:
    """All of this file; an IBAN only where it is in ``wanted``."""
    found = [
        _whole(SINGLE, lambda text, start, end, more: check_single(look, text, start, end), _SINGLE_HINT),
        *dictated_recognizers(look),
        _whole(_TURNED, lambda text, start, end, more: check_turned(look, text, start, end)),
    ]
    if "IBAN_CODE" in wanted:
        found += [
            _whole(_ACCOUNT, check_account, retry=True),
            _whole(_ODD_ACCOUNT, check_odd_account, retry=True),
            _whole(_TURNED_ACCOUNT, check_turned_account, _TURNED_HINT),
            *account_recognizers(wanted),
        ]
    return found


def _whole(pattern: str, check: Check, hint: str = "", *, retry: bool = False) -> Recognizer:
    return Recognizer(VIEW, pattern, check, whole=True, hint=hint, retry=retry)
