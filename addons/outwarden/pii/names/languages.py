"""Which language a unit is in, as far as it matters: by its script, then by its most frequent words."""

import re
from collections.abc import Mapping, Sequence

# Letters of a script, and the languages (ISO 639-1) written in it; all others are written in Latin letters.
_SCRIPTS = {
    "cyrillic": (r"[\u0400-\u052f]", "ru uk bg sr mk be ky tt"),
    "greek": (r"[\u0370-\u03ff\u1f00-\u1fff]", "el grc"),
    "hebrew": (r"[\u0590-\u05ff]", "he"),
    "arabic": (r"[\u0600-\u06ff\u0750-\u077f]", "ar fa ur"),
    "devanagari": (r"[\u0900-\u097f]", "hi mr ne sa"),
    "thai": (r"[\u0e00-\u0e7f]", "th"),
    "hangul": (r"[\uac00-\ud7af\u1100-\u11ff]", "ko"),
    "kana": (r"[\u3040-\u30ff]", "ja"),
    "han": (r"[\u4e00-\u9fff\u3400-\u4dbf]", "zh ja"),
}
_PATTERNS = {script: re.compile(letters) for script, (letters, _) in _SCRIPTS.items()}
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W\d_]+")
# Enough to tell a language; a unit is short anyway.
_WORDS_MAX = 60


def script_of(unit: str) -> str:
    """The script of most letters; Japanese counts as kana however many characters are Chinese."""
    if unit.isascii():
        return "latin"
    counts = {script: len(pattern.findall(unit)) for script, pattern in _PATTERNS.items()}
    if counts["kana"]:
        counts["kana"] += counts["han"]
    script, count = max(counts.items(), key=lambda item: item[1])
    return script if 2 * count > len(_LETTER.findall(unit)) else "latin"


def scripts_of(language: str) -> tuple[str, ...]:
    """The scripts that a language is written in."""
    found = tuple(script for script, (_, languages) in _SCRIPTS.items() if language in languages.split())
    return found or ("latin",)


class Languages:
    """Tells which of some languages a unit is in; the first one where nothing speaks for another."""

    def __init__(self, stop_words: Mapping[str, Sequence[str]]) -> None:
        self._by_script: dict[str, list[str]] = {}
        self._stop_words = {language: frozenset(words) for language, words in stop_words.items()}
        self._first = next(iter(stop_words))
        for language in stop_words:
            for script in scripts_of(language):
                self._by_script.setdefault(script, []).append(language)

    def of(self, unit: str) -> str:
        """The language of ``unit``."""
        candidates = self._by_script.get(script_of(unit))
        if not candidates:
            return self._first
        if len(candidates) == 1:
            return candidates[0]
        words = [found[0].lower() for _, found in zip(range(_WORDS_MAX), _WORD.finditer(unit), strict=False)]
        counts = {language: sum(word in self._stop_words[language] for word in words) for language in candidates}
        best = max(counts.values())
        if self._first in counts and counts[self._first] == best:
            return self._first
        return next(language for language in candidates if counts[language] == best)
