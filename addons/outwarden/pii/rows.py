"""Numbers in words, digit by digit, in any of many languages, also mixed, misspelled, run together or with digits.

What seven such words in a row say is read in the language of most of them.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from outwarden.pii.digit_words import DIGITS_OF, GLUED, LONGEST, RUN_TOGETHER, TELLING, WEAK, plainly
from outwarden.pii.reading import VIEW
from outwarden.pii.recognizer import Recognizer, Verdict
from outwarden.pii.regexp import quoted
from outwarden.pii.spelled import Digits, is_count

_LEAST = 7  # digits
_MOST = 24
_SCORE = 0.5
_PHONE_MOST = 15
_WORDS_MIN = 4  # so many of them in words, and a third of all, without anything that says what it is
_HAN_MIN = 10  # where each sign is a digit: a row of two years has eight
_WINDOW = 420
_MARKS = (
    "\u0300-\u036f\u0900-\u0903\u093a-\u094f\u0981-\u0983\u09bc-\u09cd\u0a01-\u0a03\u0a3c-\u0a51\u0a70\u0a71"
    "\u0a81-\u0a83\u0abc-\u0acd\u0b82\u0bbe-\u0bcd\u0c00-\u0c04\u0c3c-\u0c4d\u0c81-\u0c83\u0cbc-\u0ccd"
    "\u0d00-\u0d03\u0d3b-\u0d4d\u0d81-\u0d83\u0dca-\u0ddf\u0e31-\u0e3a\u0e47-\u0e4e\u0eb1-\u0ebc\u0ec8-\u0ece"
    "\u102b-\u103e\u17b6-\u17d3"
)
_APOSTROPHE = "'’ʼ‘ʻ"
# Between two of a row; no mark that ends a sentence or a clause in Chinese, where the digits of years stand alone.
_GAP = r"[^\p{L}\p{N}\p{M}、。，；！？]"


def _any(words: Iterable[str]) -> str:
    return "|".join(map(quoted, words))


_ASCII = rf"(?:\b|_)(?i:{_any(word for word in TELLING if word.isascii())})(?:\b|_)"
_WIDE = f"(?i:{_any(word for word in TELLING if not word.isascii() and len(word) > 1)})"
_SIGN = f"[{''.join(word for word in TELLING if len(word) == 1)}]"
_TOGETHER = f"(?i:{_any(RUN_TOGETHER)})"
# One word of a row, two signs, or two words without a gap. (Two words are a pattern that RE2 has not the memory for.)
ROW = rf"(?:{_ASCII}|{_WIDE}|{_SIGN}(?:{_GAP}{{0,4}}|[0-9 ]{{1,4}}){_SIGN}|{_TOGETHER}[0-9]?{_TOGETHER})"
_LEFT_WIDTH = 120
_TOKEN = re.compile(
    rf"(?P<run>(?:[^\W_]|[{_MARKS}]|[\U0001f010-\U0001f0ff\U0001f550-\U0001f55b\u2680-\u2685])+(?:[{_APOSTROPHE}][^\W\d_]+)?)"
    r"|(?P<gap>[×x*]1(?![0-9])|[^、。，；！？\n]|\n)"
)
_GAPS_MAX = 4

Judge = Callable[[str, int, int, Digits], Verdict | None]
"""What a number is that was read between two places of a text."""


class _Word(NamedTuple):
    said: str
    start: int
    end: int


def _words(text: str, start: int) -> Iterator[_Word]:
    """The words and digits of a row from ``start`` on, to what is none."""
    gaps = 0
    for token in _TOKEN.finditer(text, start, start + _WINDOW):
        if token.lastgroup == "gap":
            gaps += 1
            if gaps > _GAPS_MAX:
                return
            continue
        gaps = 0
        known = [*_parts(token[0], token.start())]
        yield from known
        if not known or known[-1].end != token.end():
            return


def _parts(run: str, start: int) -> Iterator[_Word]:
    """The digit words that a run of letters is made of, up to what is none."""
    if plainly(run) in DIGITS_OF:
        yield _Word(plainly(run), start, start + len(run))
        return
    sizes = _cut(run)
    at = 0
    while at < len(run) and sizes[at]:
        said = run[at : at + sizes[at]]
        yield _Word(said if said.isdecimal() and said.isascii() else plainly(said), start + at, start + at + len(said))
        at += len(said)


@lru_cache(maxsize=1024)
def _cut(run: str) -> list[int]:
    """How long the word is that begins at each place, so that as much as possible is read from there on; 0: none."""
    end = len(run)
    sizes, reach = [0] * end, [*range(end + 1)]
    for at in range(end - 1, -1, -1):
        if run[at].isdecimal() and run[at].isascii():
            sizes[at], reach[at] = 1, reach[at + 1]
        for size in range(2 - (not run[at].isascii()), min(LONGEST, end - at) + 1):
            if (reach[at + size], size) > (reach[at], sizes[at]) and plainly(run[at : at + size]) in GLUED:
                sizes[at], reach[at] = size, reach[at + size]
    return sizes


def _of_one_tongue(words: list[_Word]) -> list[_Word]:
    """Without those before and behind a row that say a digit in another language: "three two one, go"."""
    counts = _counts(words)
    main = max(counts, key=counts.__getitem__, default="")
    if counts.get(main, 0) < max(_LEAST - 2, 0.8 * sum(word.said in DIGITS_OF for word in words)):
        return words
    own = [at for at, word in enumerate(words) if word.said not in DIGITS_OF or main in DIGITS_OF[word.said]]
    return words[own[0] : own[-1] + 1]


def _counts(words: list[_Word]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for word in words:
        for tongue in DIGITS_OF.get(word.said, ()):
            counts[tongue] = counts.get(tongue, 0) + 1
    return counts


def _read(words: list[_Word]) -> str:
    """The digits that they say, in the language of the most."""
    counts = _counts(words)
    digits = []
    for word in words:
        values = DIGITS_OF.get(word.said)
        digits.append(word.said if values is None else str(values[max(values, key=counts.__getitem__)]))
    return "".join(digits)


def _begin(text: str, start: int) -> int:
    """Where the row begins of which a word stands at ``start``: weaker ones and digits may stand before it."""
    begin, low = start, max(0, start - _LEFT_WIDTH)
    runs = [run for run in _TOKEN.finditer(text, low, start) if run.lastgroup == "run"]
    while runs:
        run = runs.pop()
        parts = [*_parts(run[0], run.start())]
        if (
            begin - run.end() > _GAPS_MAX
            or not parts
            or parts[-1].end != run.end()
            or (begin > run.end() and "\n" in text[run.end() : begin])
        ):
            break
        begin = run.start()
    while begin < start and text[begin - 1 : begin].isalnum() and begin:
        begin += 1
    return begin


# What stands beside a word, at a glance.
_RIGHT = re.compile(
    rf"_?[^\w]{{0,{_GAPS_MAX}}}(?P<run>(?:[^\W_]|[{_MARKS}]|[\U0001f010-\U0001f55b\u2680-\u2685]){{1,12}})"
)
_RIGHT_REACH = 40


def _goes_on(text: str, start: int, end: int) -> bool:
    """Whether another digit, in words or not, stands before or behind."""
    right = _RIGHT.match(text, end, end + _RIGHT_REACH)
    if right is not None and _is_known(right["run"]):
        return True
    left = text[max(0, start - 2 * _GAPS_MAX - LONGEST) : start].rstrip("_ -–—,.;:·|/*+\n\t()")
    runs = _RUNS.findall(left)
    return bool(runs) and _is_known(runs[-1])


_RUNS = re.compile(rf"(?:[^\W_]|[{_MARKS}]|[\U0001f010-\U0001f55b\u2680-\u2685'’])+")


@lru_cache(maxsize=4096)
def _is_known(run: str) -> bool:
    return run[0].isdecimal() or plainly(run) in DIGITS_OF or next(_parts(run, 0), None) is not None


def check_row(judge: Judge, text: str, start: int, end: int) -> Verdict | None:
    """A row of words that each say a digit; without one that is somebody's number the search goes on behind it."""
    if not _goes_on(text, start, end):
        return None
    words = [*_words(text, _begin(text, start))]
    if words and text[words[-1].end : words[-1].end + 1].isalpha() and words[-1].said.isascii():
        words.pop()  # the beginning of a longer word
    stop = max(end, words[-1].end if words else 0)
    words = words[:_MOST]
    own = _of_one_tongue(words)
    found = _number_in(judge, text, own) or _number_in(judge, text, words)
    if found is None and _is_told(own):
        found = Verdict(own[0].start, own[-1].end, _SCORE, "PHONE_NUMBER")
    return found or Verdict(stop, stop, 0.0)


def _number_in(judge: Judge, text: str, words: list[_Word]) -> Verdict | None:
    """What a row says."""
    if not _says_digits(words):
        return None
    start, end = words[0].start, words[-1].end
    plus = "+" if "+" in text[max(0, start - 2) : start] else ""
    signs = [plus, *[""] * (len(words) - 1)]
    number = Digits(_read(words), [(word.start, word.end) for word in words], signs, len(_named(words)))
    return judge(text, start, end, number)


def _named(words: list[_Word]) -> list[str]:
    return [word.said for word in words if word.said in DIGITS_OF]


def _says_digits(words: list[_Word]) -> bool:
    """Whether enough words say nothing else, and do not only count."""
    named = _named(words)
    strong = sum(word not in WEAK for word in named)
    return len(words) >= _LEAST and strong >= max(len(named) / 3, _WORDS_MIN - 1) and not is_count(_read(words))


def _is_told(words: list[_Word]) -> bool:
    """Whether nobody writes so what is no number of somebody's."""
    if not _says_digits(words):
        return False
    named = _named(words)
    signs = all(len(word.said) == 1 and word.end - word.start == 1 for word in words)
    least = _HAN_MIN if signs else _LEAST
    romans = any(set(word) <= set("ivx") for word in named)
    return least <= len(words) <= _PHONE_MOST and len(named) >= max(_WORDS_MIN, len(words) / 3) and not romans


def row_recognizers(judge: Judge) -> list[Recognizer]:
    """What finds all that ``judge`` knows."""

    def check(text: str, start: int, end: int, more: bool) -> Verdict | None:
        return check_row(judge, text, start, end)

    return [Recognizer(VIEW, ROW, check, whole=True, ungated=True)]
