"""The language of a unit, as far as models of several are there."""

import pytest

from outwarden.pii.names.languages import Languages, script_of, scripts_of

LANGUAGES = Languages(
    {
        "en": ["the", "and", "is", "of", "to", "was"],
        "de": ["der", "die", "und", "ist", "von", "was"],
        "fr": ["le", "et", "est", "de"],
        "ru": ["и", "в"],
        "uk": ["\u0456", "та"],
        "zh": ["的"],
        "ja": ["は"],
    }
)


@pytest.mark.parametrize(
    ("unit", "language"),
    [
        ("The house of Jane is old and big.", "en"),
        ("Die Katze ist auf der Matte.", "de"),
        ("le chat est sur la table et dort", "fr"),
        ("Иван и Мария живут в Москве", "ru"),
        ("Іван та Марія", "uk"),
        ("李小龍的家", "zh"),
        ("田中さんは東京に住んでいます", "ja"),
        ("Jane Doe", "en"),
        ("42 — !", "en"),
        ("ที่", "en"),
        ("", "en"),
        ("\ud800", "en"),
        ("was was", "en"),
    ],
)
def test_script_first_then_the_most_frequent_words(unit: str, language: str) -> None:
    """Where nothing speaks for another, it is the first."""
    assert LANGUAGES.of(unit) == language


def test_scripts() -> None:
    """Japanese is written in kana and Chinese characters; what is not in the table is written in Latin letters."""
    assert scripts_of("ja") == ("kana", "han")
    assert scripts_of("sv") == ("latin",)
    assert script_of("Привет, hi") == "cyrillic"
    assert script_of("hello, мир") == "latin"
