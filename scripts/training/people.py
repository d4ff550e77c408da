"""Write the names that invented persons have: by culture and gender, from Faker (MIT).

    PYTHONPATH=addons:scripts python -m training.people addons/outwarden/pii/people.txt

Each line is a culture, a kind (``f``, ``m``: first names; ``lf``, ``lm``, ``l``: last names of women, men, all), and
names. Of long lists as many are taken as are asked for, the most frequent where Faker knows how frequent they are, else
evenly from the alphabet.
"""

import importlib
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

NAMES_MAX = 600
# Of the cultures that know a word the first is meant; those whose names came to other countries stand before them.
LOCALES = (
    "fr_DZ en_PK de_DE fr_FR es_ES it_IT pt_BR nl_NL pl_PL cs_CZ sv_SE no_NO da_DK fi_FI hu_HU ro_RO tr_TR hr_HR el_GR"
    " ru_RU uk_UA ar_AA he_IL fa_IR ja_JP ko_KR zh_CN id_ID en_IN en_GB en_US"
)
KINDS = {
    "f": ("first_names_female", "first_names"),
    "m": ("first_names_male", "first_names"),
    "lf": ("last_names_female",),
    "lm": ("last_names_male", "male_last_names"),
    "l": ("last_names", "unisex_last_names"),
}
IN_LATIN_LETTERS = {
    "f": ("first_romanized_names_female", "first_romanized_names"),
    "m": ("first_romanized_names_male", "first_romanized_names"),
    "l": ("last_romanized_names",),
}


def lines(locale: str) -> Iterator[str]:
    """The lines of one culture, and those of its names in Latin letters."""
    provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
    yield from _lines(provider, locale, KINDS)
    yield from _lines(provider, f"{locale}_latin", IN_LATIN_LETTERS)


def _lines(provider: object, culture: str, kinds: Mapping[str, Sequence[str]]) -> Iterator[str]:
    found = {}
    for kind, attributes in kinds.items():
        lists = (getattr(provider, attribute, ()) for attribute in attributes)
        found[kind] = next((names for each in lists if len(names := taken(each)) > 10), [])
    if found.get("lf") and found.get("lm"):
        del found["l"]
    yield from (f"{culture} {kind} {' '.join(names)}" for kind, names in found.items() if names)


def taken(names: object) -> list[str]:
    """At most NAMES_MAX single words of ``names``, sorted."""
    if isinstance(names, dict):
        ordered: Iterable[str] = sorted(names, key=lambda name: (-names[name], name))
        return sorted([name for name in ordered if is_word(name)][:NAMES_MAX])
    words = sorted({name for name in names if is_word(name)})  # type: ignore[attr-defined]
    step = max(1.0, len(words) / NAMES_MAX)
    return [words[int(at * step)] for at in range(min(len(words), NAMES_MAX))]


def is_word(name: object) -> bool:
    """Whether a name is one word, of letters (and O'Brien's apostrophe)."""
    return isinstance(name, str) and name.replace("'", "").isalpha()


def without_wrong_genders(found: Sequence[str]) -> Iterator[str]:
    """The lines without first names that most cultures give to the other gender (Ahmed among Swedish women)."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for line in found:
        _, kind, *names = line.split(" ")
        for name in names:
            counts[name.lower()][kind] += 1
    for line in found:
        culture, kind, *names = line.split(" ")
        other = {"f": "m", "m": "f"}.get(kind, "")
        kept = [name for name in names if counts[name.lower()][other] <= counts[name.lower()][kind]]
        yield " ".join([culture, kind, *kept])


if __name__ == "__main__":
    found = [line for one in LOCALES.split() for line in lines(one)]
    Path(sys.argv[1]).write_text("".join(f"{line}\n" for line in without_wrong_genders(found)), "utf-8")
