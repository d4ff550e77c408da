"""Things that are called as persons are."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.known import HEADS, KINDS, eponym, phrases_of, read_known

NAMES = frozenset({"hedda", "amsel", "ida"})
NOUNS = (
    "  1 This is the licence",
    "00000001 26 n 02 Hedda's_disease 0 palsy_of_the_feet 0 001 @ 00000000 n 0000 | words",
    "00000002 05 n 01 Amsel's_jay 0 001 @ 00000000 n 0000 | words",
    "00000003 18 n 01 Hedda_Amsel 0 001 @i 00000000 n 0000 | a person",
    "00000004 05 n 01 genus_Hedda 0 001 @ 00000000 n 0000 | words",
    "00000005 20 n 01 Ida_vulgaris 0 001 @ 00000000 n 0000 | Latin, the only one that ends so",
    "00000007 20 n 01 black-eyed_Ida 0 001 @ 00000000 n 0000 | the only one that ends so",
    "00000006 13 n 01 Udo's_cake 0 001 @ 00000000 n 0000 | nobody's name",
)


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder with a little of each package."""
    for name, text in (
        ("faker.json", json.dumps({"creature": ["Hedda's finch", "bee"], "title": ["Amsel"]})),
        ("icons/package/data/simple-icons.json", json.dumps([{"title": "Heddabase"}, {"title": "Ω"}])),
        ("wordnet/package/dict/data.noun", "\n".join(NOUNS)),
        (
            "packages/simple_icd_10_cm/data/icd10c-tabular-x.xml",
            "<a><desc>Ida&#39;s ulcer, left</desc><desc>Fever</desc></a>",
        ),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_what_packages_know(packages: Path) -> None:
    """Phrases with a name in them by kind; no persons, no Latin, nothing that looks like nobody's name."""
    known = read_known(packages, NAMES)

    assert set(known) == set(KINDS)
    assert "Heddabase" in known["software"]
    assert "Ω" not in known["software"]
    assert known["disease"] == ["Hedda's disease", "Ida's ulcer"]
    assert known["creature"] == ["Amsel's jay"]
    assert "Udo's cake" not in known["food"]
    assert not any("Hedda Amsel" in some for some in known.values())


def test_rare_things(packages: Path) -> None:
    """Asked for, there are Faker's and rarer phrases besides: all that were there before, and still no Latin."""
    usual, rare = read_known(packages, NAMES), read_known(packages, NAMES, rare=True)

    assert all(set(usual[kind]) <= set(rare[kind]) for kind in KINDS)
    assert rare["creature"] == ["Hedda's finch", "Amsel's jay", "black-eyed Ida"]
    assert set(rare["title"]) - set(usual["title"]) == {"Amsel"}


def test_known_things_are_written_once(packages: Path) -> None:
    """`known.txt` has each thing once under its kind, and every kind of it is one."""
    known = read_known(packages, NAMES)

    assert all(len(set(some)) == len(some) and all(map(str.strip, some)) for some in known.values())
    assert all(known[kind] for kind in ("software", "title", "shop", "ship", "font", "codename", "eponym"))


def test_phrases_that_nobody_is_called() -> None:
    """A phrase needs a word that is no name, or a last word in small letters, and two words."""
    known = {"food": ["Hedda Amsel", "Hedda cake", "Hedda Quux", "Hedda"], "eponym": ["Ida Quux"]}

    assert list(phrases_of(known, NAMES)) == [["Hedda", "cake"], ["Hedda", "Quux"]]


@given(st.integers(), st.sampled_from(sorted(HEADS)))
def test_an_eponym_begins_with_its_name(seed: int, kind: str) -> None:
    """The name stands first, and a word that is no name last."""
    said = eponym(random.Random(seed), kind, "Amsel", "Specht")

    assert said.startswith("Amsel")
    assert said.split()[-1] in HEADS[kind]
