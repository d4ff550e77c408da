import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.names.spans import Found
from outwarden.pii.names.things import WORDS_MAX, Things, phrase_key
from outwarden.pii.names.words import WORD

PHRASES = ("Amsel's disease", "black-eyed Hedda", "Amsel jay", "Hedda Quux")
THINGS = Things(phrase_key(WORD.findall(phrase)) for phrase in PHRASES)


def kept(text: str, name: str, entity: str = "PERSON") -> bool:
    """Whether ``name`` stays a finding in ``text``."""
    words, parts = WORD.findall(text), WORD.findall(name)
    first = next(at for at in range(len(words)) if words[at : at + len(parts)] == parts)
    found = [Found(first, first + len(parts) - 1, entity, 0.9)]
    return THINGS.without(words, found) == found


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("she has Amsel's disease since May", "Amsel"),
        ("she has AMSEL\u2019S DISEASE", "AMSEL\u2019S"),
        ("a black-eyed Hedda grows here", "Hedda"),
        ("two Amsel jays", "Amsel"),
        ("we watched Hedda Quux", "Hedda Quux"),
        ("we watched Hedda Quux", "Hedda"),
    ],
)
def test_a_part_of_a_known_phrase_is_no_person(text: str, name: str) -> None:
    """In any case, in singular or plural, the whole of it or a part."""
    assert not kept(text, name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Amsel has a disease", "Amsel"),
        ("Mr. Amsel's disease is worse", "Amsel"),
        ("nurse Hedda Quux", "Hedda Quux"),
        ("Patient: Hedda Quux", "Hedda Quux"),
        ("Dear Hedda Quux", "Hedda Quux"),
        ("we met Ida Hedda Quux", "Ida Hedda Quux"),
        ("Hedda and Quux", "Hedda"),
    ],
)
def test_whoever_is_addressed_is_a_person(text: str, name: str) -> None:
    """A title before it, or more of a name than the phrase has: nobody is lost."""
    assert kept(text, name)


def test_only_persons_are_left_out() -> None:
    """A place in a phrase stays a place, and without phrases all stays."""
    assert kept("two Amsel jays", "Amsel", "LOCATION")
    found = [Found(0, 0, "PERSON", 0.9)]
    assert Things().without(["Amsel", "jay"], found) == found


@given(
    st.lists(st.sampled_from(["Amsel", "jay", "'s", "Mr", ".", "x", "Hedda", "Quux"]), min_size=1, max_size=12),
    st.data(),
)
def test_a_phrase_that_stands_elsewhere_changes_nothing(words: list[str], data: st.DataObject) -> None:
    """What is decided of a name depends on the words within a phrase's length."""
    at = data.draw(st.integers(0, len(words) - 1))
    found = [Found(at, at, "PERSON", 0.9)]
    far = ["x"] * WORDS_MAX

    moved = [Found(at + WORDS_MAX + 2, at + WORDS_MAX + 2, "PERSON", 0.9)]
    around = ["Amsel", "jay", *far, *words, *far, "Amsel", "jay"]
    assert bool(THINGS.without(words, found)) == bool(THINGS.without(around, moved))
