"""A cell is what its column is called: commas, semicolons, tabs and pipes, quotes and Markdown."""

import re

from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.columns import cells

HEADS = re.compile(r"(?i)mrn|number")


def found(text: str) -> list[str]:
    return [text[cell.start : cell.end] for cell in cells(text, HEADS)]


def test_each_delimiter_and_quotes() -> None:
    """The wanted columns alone, without space and quotes around; a quoted cell may hold the delimiter."""
    assert found("bed,mrn\n4,4411\n5,4412") == ["4411", "4412"]
    assert found('who;"Number"\n"Roe; Ida";"77-1"\nx;2') == ["77-1", "2"]
    assert found("a\tMRN\n1\t2\n") == ["2"]
    assert found("| bed | MRN |\n|-----|:---:|\n| 4 | 4411 |\n\nafter, all") == ["4411"]


def test_what_is_no_table() -> None:
    """Prose, a row of another width, a head with digits, a name alone on its line."""
    assert found("the mrn, as always, is missing\nyes, it is, really, so") == []
    assert found("bed,mrn\n4,4411\nno more of it\n5,4412") == ["4411"]
    assert found("bed 4,mrn\n1,2") == []
    assert found("mrn\n4411") == []


@given(
    st.lists(st.tuples(st.integers(0, 99), st.integers(0, 10**7)), min_size=1, max_size=20), st.sampled_from(",;\t|")
)
def test_every_row_is_read(rows: list[tuple[int, int]], delimiter: str) -> None:
    """As many cells as rows, each what was written."""
    text = "\n".join([f"bed{delimiter}mrn", *(f"{bed}{delimiter}{mrn}" for bed, mrn in rows)])
    assert found(text) == [str(mrn) for _, mrn in rows]
