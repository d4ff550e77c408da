"""Invented persons have the culture and gender of the real ones, as far as names tell them."""

import random
import re
import time

import pytest

from outwarden.pii.people import FIRST, _people, _Sense, invented_person, is_name, last_name, plain
from outwarden.pii.surrogates import surrogate

PEOPLE = _people()


def other(name: str, key: bytes = b"k" * 32) -> str:
    return surrogate("PERSON", name, key, key)


def senses(word: str) -> set[tuple[str, str]]:
    return {(sense.culture, sense.kind) for sense in PEOPLE.senses.get(plain(word), ())}


@pytest.mark.parametrize(
    ("name", "culture", "gender"),
    [
        ("María García", "es_ES", "f"),
        ("Björn Svensson", "sv_SE", "m"),
        ("Priya Sharma", "en_IN", "f"),
        ("Анна Петрова", "ru_RU", "f"),
        ("Иван Петров", "ru_RU", "m"),
        ("Jürgen Müller", "de_DE", "m"),
        ("Jessica Smith", "en_US", "f"),
    ],
)
def test_culture_and_gender_stay(name: str, culture: str, gender: str) -> None:
    """Of both names; of women's last names, where there are such."""
    for number in range(20):
        first, last = other(name, bytes([number]) * 32).split()
        assert (culture, gender) in senses(first)
        assert senses(last) & {(culture, "l"), (culture, f"l{gender}")}
        assert {first, last}.isdisjoint(name.split())


def test_most_of_what_the_lists_know_stays() -> None:
    """Drawn from the lists themselves: what several cultures call people is taken for the first of them."""
    rng = random.Random(1)
    names = PEOPLE.names
    pairs = []
    for culture, kind in sorted(names):
        lasts = names.get(_Sense(culture, f"l{kind}")) or names.get(_Sense(culture, "l"))
        if kind in FIRST and lasts and culture not in ("ja_JP", "zh_CN", "ko_KR"):
            pairs += [(culture, kind, rng.choice(names[_Sense(culture, kind)]), rng.choice(lasts)) for _ in range(30)]
    others = [other(f"{first} {last}").split() for _, _, first, last in pairs]

    gender = [any(k == kind for _, k in senses(o[0])) for (_, kind, _, _), o in zip(pairs, others, strict=True)]
    culture = [
        any(c == culture for c, _ in senses(o[0])) and any(c == culture for c, _ in senses(o[-1]))
        for (culture, *_), o in zip(pairs, others, strict=True)
    ]
    assert sum(gender) / len(pairs) > 0.97
    assert sum(culture) / len(pairs) > 0.93


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("Dr. Jane Doe", r"Dr\. \w+ \w+"),
        ("WEBER, Jonas", r"[A-ZÀ-Ü]+, \w+"),
        ("J. Weber", r"[A-Z]\. \w+"),
        ("Anna Maria de Souza", r"\w+ \w+ de \w+"),
        ("Marie-Claire Dubois", r"\w+-\w+ [\w']+"),
        ("jane doe", r"[^A-Z]+ [^A-Z]+"),
        ("Sean O'Brien Jr.", r"\w+ [\w']+ Jr\."),
        ("王伟", r"[\u4e00-\u9fff]{2,3}"),
        ("田中太郎", r"[\u3040-\u30ff\u4e00-\u9fff]{3,5}"),
        ("김민준", r"[\uac00-\ud7a3]{2,4}"),
        ("", ""),
        ("Mr.", r"Mr\."),
        ("42", "42"),
    ],
)
def test_form_stays(name: str, shape: str) -> None:
    """Titles, particles, initials, order, case and script."""
    assert re.fullmatch(shape, other(name))


def test_a_last_name_is_told() -> None:
    """By its place; one word by what it is."""
    assert last_name(["Jonas", "Weber"]) == 1
    assert last_name(["Svensson"]) == 0
    assert last_name(["Jonas"]) == -1
    assert is_name("jürgen", FIRST)
    assert plain("Müßø-Ł") == "musso-l"


def test_any_text_is_answered_in_time() -> None:
    """Whatever somebody takes for a name."""
    began = time.process_time()
    for text in ("a" * 10_000, "Jonas " * 2_000, "\ud800 x", "一" * 5_000, ",,,,", "I. " * 500):
        assert isinstance(invented_person(text, lambda word, options: options[len(word) % len(options)]), str)
    assert time.process_time() - began < 5
