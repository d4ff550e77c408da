"""Characters that somebody dictates one by one: in a phonetic alphabet, as capital and small letters, with signs by name.

"capital k, four, lowercase m, dash, nine", "five c, f three, seven zero", "mike alfa dot kilo at web dot de". A run of
such is read as a whole; half of it would say nothing to anybody.
"""

import re
from dataclasses import dataclass

from outwarden.pii.credentials import is_key
from outwarden.pii.passwords import WORDS as PASSWORD_WORDS
from outwarden.pii.reading import VIEW, Look, whole_run
from outwarden.pii.recognizer import Recognizer, Verdict
from outwarden.pii.spelled import is_count
from outwarden.pii.tongues import DIGIT_WORDS, PLAIN_UNITS

LETTERS = {
    word: word[0]
    for word in """
    alpha alfa bravo charlie delta echo foxtrot golf hotel india juliet juliett kilo lima mike november oscar papa
    quebec romeo sierra tango uniform victor whiskey whisky xray yankee zulu anton berta cäsar dora emil friedrich
    gustav heinrich ida julius kaufmann konrad ludwig martha nordpol otto paula quelle richard samuel siegfried theodor
    ulrich viktor wilhelm xanthippe ypsilon zacharias zeppelin
    """.split()  # one word each reads better than quotes
} | {"x-ray": "x"}
_SIGNS = {
    "@": "at|at[ -]sign|arroba|arobase|klammeraffe|chiocciola",
    ".": "dot|period|point|punkt|punto|full stop|ponto",
    "_": "underscore|unterstrich|guion bajo|tiret bas|underline",
    "-": "dash|hyphen|minus|bindestrich|guion|guión|tiret|trattino|streepje",
    "+": "plus(?: sign)?",
    "!": "exclamation(?: (?:mark|point))?|bang|ausrufezeichen|exclamación|point d'exclamation",
    "?": "question mark|fragezeichen|interrogación",
    "#": "hash(?: sign)?|pound(?: sign)?|number sign|raute|almohadilla|dièse|hashtag",
    "$": "dollar(?: sign)?|dólar",
    "%": "percent(?: sign)?|prozent|por ciento",
    "&": "ampersand|and sign|und-zeichen|kaufmännisches und|et commercial|e commerciale|y comercial",
    "*": "star|asterisk|stern|asterisco|astérisque",
    "=": "equals?(?: sign)?",
    "/": "slash|forward slash|schrägstrich|barra",
    ":": "colon|doppelpunkt|dos puntos|deux points",
    "~": "tilde",
    "^": "caret",
}
_BIG = "capital|cap|upper[ -]?case|uppercase|big|gro(?:ß|ss)(?:es|er|e)?|may[uú]scula|majuscule|maiuscol[ao]|hoofdletter|wielkie|duże"
_SMALL = "lower[ -]?case|small|little|klein(?:es|er|e)?|min[uú]scula|minuscule|minuscol[ao]|kleine letter|małe"
_ALPHABET = "|".join(sorted(LETTERS, key=len, reverse=True))
_UNITS = "|".join(sorted(PLAIN_UNITS, key=len, reverse=True))
_ANY_UNIT = "|".join(sorted(DIGIT_WORDS, key=len, reverse=True))
_NAMED = "|".join(f"(?P<sign{at}>{words})" for at, words in enumerate(_SIGNS.values()))
_TOKEN = re.compile(
    rf"(?:(?P<big>{_BIG})|(?P<small>{_SMALL}))?[ ]?(?:(?P<times>double|triple|doppel)[ ])?"
    rf"(?:(?P<alphabet>{_ALPHABET})|(?P<unit>{_ANY_UNIT})|(?P<letter>[A-Za-z])|(?P<digit>[0-9])|{_NAMED}|(?P<mark>[.@_+#$%&*!\-]))(?![^\W_])"
    rf"(?:[ ](?:(?P<later_big>{_BIG})|(?P<later_small>{_SMALL}))(?=[ ]?[,.;]|\Z))?",
    re.IGNORECASE,
)
_JOINT = re.compile(
    r"(?:[ ,;\-–]{1,3}|[ ]?\.\.\.[ ]?)(?:(?:and|then|and then|und|dann|y|et|puis)[ ])?|(?=[.@_+])|(?<=[.@_+])"
)
_HOST_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-]{1,40}(?![^\W_])")
_TOKENS_MAX, _LEAST = 120, 6
_SCORE = 0.85


@dataclass(slots=True)
class _Read:
    """What was dictated, where it ends, how many letters were told to be large or small, and how many words said it."""

    text: str
    end: int
    told: int
    words: int


def _read(text: str, start: int) -> _Read | None:
    """Read from ``start`` on, as far as it goes on one by one; behind an @ the words of a domain may follow."""
    said: list[str] = []
    told = words = 0
    at = end = start
    for _ in range(_TOKENS_MAX):
        token = _TOKEN.match(text, at)
        if token is None:
            word = _HOST_WORD.match(text, at) if "@" in said and said[-1] in "@.-" else None
            if word is None:
                break
            said.append(word[0])
            end = word.end()
        else:
            one = _character(token)
            if token["times"]:
                one *= 3 if token["times"].lower() == "triple" else 2
            large, small = token["big"] or token["later_big"], token["small"] or token["later_small"]
            told += bool(large or small)
            words += token["letter"] is None and token["digit"] is None and token["mark"] is None
            said.append(one.upper() if large else one.lower() if small or token["alphabet"] else one)
            end = token.end()
        joint = _JOINT.match(text, end)
        if joint is None:
            break
        at = joint.end()
    return _Read("".join(said), end, told, words) if len(said) >= _LEAST else None


def _character(token: re.Match[str]) -> str:
    if token["alphabet"]:
        return LETTERS[token["alphabet"].lower()]
    if token["unit"]:
        return str(DIGIT_WORDS[token["unit"].lower()])
    if token["letter"] or token["digit"] or token["mark"]:
        return token["letter"] or token["digit"] or token["mark"]
    return next(sign for at, sign in enumerate(_SIGNS) if token[f"sign{at}"])


# How a run begins: a letter told to be large or small; words of an alphabet; pairs; letters by themselves.
_CASED = rf"(?i:{_BIG}|{_SMALL})[ \-](?:[A-Za-z]|(?i:{_ALPHABET}))[ ,;]"
_SOUND = rf"(?i:{_ALPHABET}|{_UNITS})"
_PAIRS = rf"\b(?:[A-Fa-f]|{_SOUND}) (?:[A-Fa-f]|{_SOUND}), (?:[A-Fa-f]|{_SOUND}) (?:[A-Fa-f]|{_SOUND}), "
_ONES = rf"\b[A-Za-z0-9] [A-Za-z] [A-Za-z] [A-Za-z] (?:[A-Za-z0-9.@_\-]|(?i:{_UNITS})) "
_LATER = "may[uú]scula|min[uú]scula|majuscule|minuscule|maiuscol[ao]|minuscol[ao]"
_LETTER_FIRST = rf"\b[A-Z] (?i:{_UNITS}|double|triple) (?i:{_UNITS}|double|triple) "
BEGINS = rf"\b{_CASED}|{_LETTER_FIRST}|\b(?i:{_ALPHABET})[ ,\-]{{1,2}}(?:{_SOUND}|[A-Za-z0-9]|(?i:dot|dash|at|underscore))[ ,\-]|{_PAIRS}|{_ONES}|\b[A-Za-z] (?i:{_LATER})\b"
_BACK_MAX = 60
_LABEL_WIDTH = 60
_SPELT_WIDTH = 24  # so near a word for a password spelled letters and figures are it


def _begin(text: str, start: int) -> int:
    """Where the run begins that goes on at ``start``: the first characters may not be told in the same way."""
    low = max(0, start - _BACK_MAX)
    for at in range(low, start):
        if (at and text[at - 1].isalnum()) or not text[at].isalnum():
            continue
        place = at
        while (
            place < start
            and (token := _TOKEN.match(text, place, start))
            and (joint := _JOINT.match(text, token.end(), start))
        ):
            place = joint.end()
        if place == start:
            return at
    return start


def check_dictated(look: Look, text: str, start: int, end: int) -> Verdict | None:
    """What is dictated from ``start`` on, or a little before."""
    if start and text[start - 1].isalnum():
        return None
    first = _begin(text, start)
    found = _check_from(look, text, first)
    if first < start and (
        found is None or not found.score
    ):  # "it's x-ray …": what stands before belongs to another word
        return _check_from(look, text, start) or found
    return found


def _check_from(look: Look, text: str, first: int) -> Verdict | None:
    read = _read(text, first)
    if read is None or len(read.text) < _LEAST:
        return None
    if is_count(read.text):
        return Verdict(read.end, read.end, 0.0)
    upper = read.text.upper()
    for said in dict.fromkeys((read.text, upper, upper.rstrip("."))):
        if found := whole_run(look, text, first, read.end, said):
            return found._replace(score=_SCORE)
    if read.told < 2 or read.told * 6 < len(read.text):
        mixed = any(map(str.isdecimal, read.text)) and any(map(str.isalpha, read.text))
        spelled = mixed or read.words == len(read.text)  # all of them words of an alphabet
        if spelled and PASSWORD_WORDS.before(text, first, _SPELT_WIDTH):
            return Verdict(first, read.end, _SCORE, "PASSWORD")
        return Verdict(read.end, read.end, 0.0)
    entity = _entity(text, first, read.text)
    return Verdict(first, read.end, _SCORE, entity) if entity else None


def _entity(text: str, start: int, said: str) -> str:
    """What a run is whose letters are told to be large and small: nobody does so but for a secret, or a name."""
    if is_key(said):
        return "API_KEY"
    named = PASSWORD_WORDS.before(text, start, _LABEL_WIDTH)
    return "PASSWORD" if named or any(not one.isalpha() for one in said) else ""


def dictated_recognizers(look: Look) -> list[Recognizer]:
    """What finds all that ``look`` does, and passwords, where they are dictated."""

    def check(text: str, start: int, end: int, more: bool) -> Verdict | None:
        return check_dictated(look, text, start, end)

    return [Recognizer(VIEW, BEGINS, check, whole=True)]
