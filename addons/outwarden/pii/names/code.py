"""Tell language from source code that stands in a text without a fence: files that an agent read, logs, tracebacks."""

import re
from itertools import islice

_LINE_NUMBER = re.compile(r"\s{0,8}\d{1,6}(?:→|\t|:|\|)")  # how agents number the lines of a file
_CODE_LINE = re.compile(
    r"\s*(?:"
    r"(?:async )?def \w+ ?\(|(?:func|fn) [\w(]+\(|(?:const|var) [\w{\[].*[=:;]|elif\b"
    r"|(?:namespace|struct|enum|impl) \w.*\{|typedef |pub (?:fn|struct|enum|mod|use|const)\b"
    r"|#(?:include|define)\b|println!"
    r"|(?:class|return|let|function|public|private|protected|static|package|using|interface|export|raise|throw|use|print|"
    r"if|for|while|switch|catch|with|case|SELECT|CREATE|ALTER|DROP|INSERT)\b"
    r"(?=.*(?:\w\(|[{;]\s*$|\s[=<>]=?\s|=>))"
    r"|(?:import|from) [\w.]+(?: as \w+| import .*)?;?\s*$|import [{*\"']"
    r"|(?:else|try|finally|do)(?::| ?\{)|except\b.*:"
    r"|@\w+(?:\.\w+)*(?:\(|\s*$)"  # a decorator
    r"|:\w{1,20}(?: [\w\\*]{1,40}){0,3}:(?:\s|$)"  # a field of a docstring
    r"|File \"[^\"]*\", line \d"
    r"|at [\w$.<>]+\([\w.]*:?\d*\)"
    r"|[\w.]{1,80} ?[+:-]?= ?(?:[\w.]+[(\[.]|[\[{\d(]|None\b|True\b|False\b|true\b|false\b|null\b|lambda|new |await )"
    r"|(?:- ?)?\{ ?[\w.-]+: "
    # YAML, but no heading of a note ("O: afebrile"), no sentence of one ("Comparison: none.")
    r"|(?:- )?(?![A-Z]:)[\w.-]{1,40}: (?!\S*[a-z]\.\s*$)[a-z0-9_./@:-]+\s*(?:#.*)?$"
    r"|[})\];,]+\s*$"
    r")"
)
_CODE_END = re.compile(r"(?:(?:\w\(.*\)|[{}=\[\]].*);|[\w)\s]\{|=>|\w\(\))\s*$")
_CODE_WORDS = re.compile(
    r"\w\(\)|\w\.\w+\(|::|=>|->|&&|\|\||\w ?[!=]=\s?\w|</|/>|\w\[\w|\b[a-z]++[A-Z]\w*+|\b\w[^\W_]*+_\w++"
)
# Every word of code holds one of these, of its own; counting them is cheaper than looking for the words.
_CODE_SIGNS = re.compile(r"[(:>&|=<\[_]|(?<=[a-z])[A-Z]")
_CODE_ENDS = (";", "{", ">", ")")
_LETTERS = re.compile(r"[^\W\d_]{2,}")
# Longer than any word: base64, a key, a token.
_BLOB = re.compile(r"[A-Za-z0-9+/=_-]{120,}")
# Lines that say who somebody is are no code.
_CREDIT = re.compile(
    r"(?i)\b(?:author|maintainer|owner|reviewer|contact|copyright|name|user|by|patient|customer|client|employee|guest|caller"
    r"|doctor|nurse|attn|dear)\b"
)
# Without any of these a unit is no code, whatever its words are.
_MAY_BE_CODE = re.compile(
    r"[(){}\[\]=<>;|&:@#\"`/\\\t→_]|[a-z][A-Z]|^\s*(?:import|from|class|return|def|else|try|pub)\b", re.M
)
# A line within code that is code's own: indented, or a comment.
_INSIDE = re.compile(r"\s{2,}\S|\t|\s*(?:#|//|/?\*|--|\"\"\"|<!--|;|:\w+)")
_SENTENCE = re.compile(r"(?:[^\W\d_]+[ ,'\u2019-]+){3,}.*[.!?:,][\"')\]*_]{0,3}\s*\Z", re.S)
# A text of one word that may be a name: it begins as names do.
_CAPITALISED = re.compile(r"\s*(?:[^\W\d_]['\u2019])?[^\W\d_a-z][^\W\d_A-Z]+(?:-[^\W\d_a-z][^\W\d_A-Z]+)?[,.!?:]*\s*")


class Judge:
    """Chooses the units of one text that are worth reading; lines among code are taken for code.

    What it decides of a unit depends on the units before it alone.
    """

    __slots__ = ("_code",)

    def __init__(self) -> None:
        self._code = 0.0  # from 0 to 1: how much code stands before

    def wants(self, unit: str) -> bool:
        """Whether a name in ``unit`` would be a person's."""
        among_code = self._code > 0.5  # two lines of code or more
        if len(unit.split(None, 1)) < 2:
            return not among_code and _CAPITALISED.fullmatch(unit) is not None
        if not is_prose(unit):
            self._code += 0.3 * (1 - self._code)
            return False
        if not among_code:
            self._code *= 0.7
            return True
        if _INSIDE.match(_LINE_NUMBER.sub("", unit)) or not _SENTENCE.match(unit):
            self._code *= 0.95
            return False
        self._code *= 0.5
        return True


def is_prose(text: str) -> bool:
    """Whether a unit is language rather than code, by itself; what is doubtful is."""
    if not _MAY_BE_CODE.search(text):
        return len(text) < 120 or not _BLOB.search(text)
    has_words = _LETTERS.search(text) is not None
    if not has_words or _BLOB.search(text):
        return has_words and " " in _BLOB.sub("", text).strip()
    lines = [_LINE_NUMBER.sub("", line) for line in text.split("\n") if line.strip()]
    code = sum(1 for line in lines if _CODE_LINE.match(line) or _ends_as_code(line))
    if 2 * code > len(lines) or _has_code_words(text):
        return _CREDIT.search(text) is not None
    return True


def _ends_as_code(line: str) -> bool:
    return line.rstrip().endswith(_CODE_ENDS) and _CODE_END.search(line) is not None


def _has_code_words(text: str) -> bool:
    """Whether more than two fifths of the words are code's."""
    signs = len(_CODE_SIGNS.findall(text))
    few = 5 * signs // 2 + 1  # words enough that none of them need be looked at
    words = sum(1 for _ in islice(_LETTERS.finditer(text), few))
    return 5 * signs > 2 * words and 5 * len(_CODE_WORDS.findall(text)) > 2 * words
