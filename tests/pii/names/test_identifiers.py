import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.names.identifiers import is_identifier


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("com.acme.ida.Hedda.start(Hedda.java:17)", "ida"),
        ("backup01.hedda.internal: disk full", "hedda"),
        ("ping hedda.lan loses packets", "hedda"),
        ("feat(hedda): retry", "hedda"),
        ("rsync from hedda:/srv to the tape", "hedda"),
        ("root@hedda is up", "hedda"),
        ("Tag v0.9.0-hedda was pushed", "hedda"),
        ("in src/Hedda.kt and lib/b.rs", "Hedda"),
        ("merge feature/hedda-x", "hedda"),
        ("`Hedda::new` leaks", "Hedda"),
    ],
)
def test_machines_branches_and_modules_are_no_persons(text: str, name: str) -> None:
    """What a name is written into tells that it is a thing's."""
    at = text.index(name)

    assert is_identifier(text, at, at + len(name))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("seen by Dr.Amsel.He left", "Amsel"),
        ("Ida/Udo called", "Ida"),
        ("see CV_Amsel.pdf", "Amsel"),
        ("(Amsel) was told", "Amsel"),
        ("Amsel,Ida;Specht,Udo", "Ida"),
        ("i.amsel said", "amsel"),
        ("name=Amsel", "Amsel"),
        ("pt:amsel", "amsel"),
        ("Amsel-Specht", "Amsel"),
        ("J.R.R.Amsel", "Amsel"),
        ("nurse/ida", "ida"),
        ("Amsel", "Amsel"),
        ("husband(Udo)", "Udo"),
    ],
)
def test_signs_beside_a_name_make_no_identifier(text: str, name: str) -> None:
    """Commas, slashes, colons and missing spaces are how people write names, too; so are files that are called so."""
    at = text.index(name)

    assert not is_identifier(text, at, at + len(name))


@given(
    st.text("aA.1-/:(_ \n", max_size=60), st.integers(0, 60), st.integers(1, 5), st.text(" ", min_size=1, max_size=3)
)
def test_only_the_run_counts(text: str, start: int, size: int, gap: str) -> None:
    """What stands beyond a space changes nothing."""
    end = min(len(text), start + size)
    if start >= end or any(map(str.isspace, text[start:end])):
        return
    around = "feature/x" + gap + text + gap + "com.acme.x"
    moved = len("feature/x" + gap)

    assert is_identifier(text, start, end) == is_identifier(around, start + moved, end + moved)
