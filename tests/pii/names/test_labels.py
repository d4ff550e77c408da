"""A label or a title alone is no name; whoever stands beside it is."""

import pytest

from outwarden.pii import NerPolicy, PiiPolicy, finders_for
from outwarden.pii.finder import Allowance
from outwarden.pii.names.labels import is_label

FINDER = finders_for(PiiPolicy(ner=NerPolicy()))[0]


def persons(text: str) -> list[str]:
    return [text[s.start : s.end] for s in FINDER.find([text], Allowance())[0] if s.entity == "PERSON"]


@pytest.mark.parametrize(
    "text",
    [
        "Hosp No: Q204511",
        "Hosp.no. 44821",
        "Hosp ref 88/213",
        "Resting in hosp bed.",
        "Neurology f/u in 2 wks.",
        "Dietitian to call.",
        "Patient seen. Hosp No 123. Plan: discharge.",
        "Referred: Dra.\nPlan: rest.",
        "Attending Smt: ok to discharge.",
        "Contact: Sra., 4421",
        "Seen by Rev. on call, stable.",
        "Referred: Dott.ssa\nPlan: rest.",
        "Attending Sig.ra: ok to discharge.",
    ],
)
def test_a_label_or_title_alone_is_no_name(text: str) -> None:
    """Whatever the model takes it for."""
    assert persons(text) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Hosp.no. 44821 Smt. Lakshmi Devi", "Lakshmi Devi"),
        ("Dra. Elena Ruiz ordered a scan.", "Elena Ruiz"),
        ("Rev. John Smith visited.", "John Smith"),
        ("Attending Don: ok to discharge.", "Don"),
        ("Attending Tuan: ok to discharge.", "Tuan"),
        ("Patient Smith ref 88/213, Hosp No 4471", "Smith"),
    ],
)
def test_who_stands_beside_one_is_found(text: str, name: str) -> None:
    """Also who is called as others are addressed."""
    assert name in persons(text)


@pytest.mark.parametrize(
    "text", ["Pizarro", "Smith", "Drake", "Revathi", "Hospers", "Sra. Ruiz", "Dott.Rossi", "Ms Roe"]
)
def test_a_name_is_no_label(text: str) -> None:
    """Nor one that begins like a title, or has one in it."""
    assert not is_label(text, 0, len(text))
