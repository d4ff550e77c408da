"""What medicine calls after somebody is nobody, unless a title or the words around say so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.names.eponyms import is_eponym


def told(unit: str, said: str) -> bool:
    start = unit.index(said)
    return is_eponym(unit, start, start + len(said))


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("Mallampati II, NPO", "Mallampati II"),
        ("Kimmelstiel-Wilson on bx", "Kimmelstiel-Wilson"),
        ("Braxton Hicks only", "Braxton Hicks"),
        ("Widal neg", "Widal neg"),
        ("Gleason 4+3, PSA 18", "Gleason"),
        ("Braden 14.", "Braden"),
        ("Addison's, hydrocort", "Addison"),
        ("Bell palsy day 2", "Bell"),
        ("POD2 Whipple", "Whipple"),
        ("56 Fr Maloney dilator", "Maloney"),
        ("Murphy's sign", "Murphy"),
        ("Foley catheter out", "Foley catheter"),
        ("Morbus Basedow", "Morbus Basedow"),
        ("Signe de Babinski négatif.", "Signe de Babinski négatif"),
        ("Ziekte van Crohn stabiel", "van Crohn stabiel"),
    ],
)
def test_nobody(unit: str, said: str) -> None:
    """Rare names anywhere; those that many have before a thing, a result or a score, or behind an operation."""
    assert told(unit, said)


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("Dr Parkinson saw him", "Parkinson"),
        ("pt Murphy sign here", "Murphy"),
        ("Bell 70F chest pain", "Bell"),
        ("Graves called back", "Graves"),
        ("spoke with Foley", "Foley"),
        ("Jane Murphy", "Jane Murphy"),
        ("P. Ott, S. Foley", "S. Foley"),
        ("Murphy 5519203 today", "Murphy"),
        ("Murphy's wife rang", "Murphy"),
        ("Osei", "Osei"),
    ],
)
def test_somebody(unit: str, said: str) -> None:
    """With a title, an age, a number of a record, a first name or a verb."""
    assert not told(unit, said)


@given(st.text("Gleason 4+'s Bell", max_size=100), st.integers(0, 50))
def test_any_text(unit: str, at: int) -> None:
    """Whatever it holds."""
    assert is_eponym(unit, at, at) is False
