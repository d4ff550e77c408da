"""YAML becomes a tree with lines, or a list of what is wrong, and never anything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.rules.nodes import DEPTH_MAX, FILE_BYTES_MAX, NODES_MAX, Listing, Mapping, NodeError, Scalar, parse


def wrong(text: str) -> list[str]:
    with pytest.raises(NodeError) as caught:
        parse(text)
    return [f"{line}: {message}" for line, message in caught.value.problems]


def test_every_node_has_its_line() -> None:
    """Keys, values and items, counted from 1."""
    root = parse("a: 1\nb:\n  - x\n  -   y: z\n")

    assert root == Mapping(
        1,
        {
            "a": (1, Scalar(1, "1", True)),
            "b": (2, Listing(3, [Scalar(3, "x", True), Mapping(4, {"y": (4, Scalar(4, "z", True))})])),
        },
    )


@pytest.mark.parametrize("written", ["off", "no", "On", "0.1", "1e3", "2026-11-01", "0x1F", "012", "1_000", "1:30"])
def test_a_value_stays_as_it_was_written(written: str) -> None:
    """No boolean, number or date is made of it here."""
    assert parse(written) == Scalar(1, written, True)


def test_null_is_only_what_has_no_quotes() -> None:
    """A quoted null is a word."""
    root = parse("a:\nb: ~\nc: null\nd: 'null'\ne: ''\n")

    assert isinstance(root, Mapping)
    assert [node.null for _, node in root.entries.values() if isinstance(node, Scalar)] == [
        True,
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing but a comment\n", "---\n", "null\n"])
def test_an_empty_file_is_none(text: str) -> None:
    """A file may be nothing but comments."""
    assert parse(text) is None


def test_a_key_given_twice_is_told_with_both_lines() -> None:
    """The second one would win silently elsewhere."""
    assert wrong("a: 1\nb: 2\na: 3\n") == ["3: key 'a' was given before, in line 1"]


def test_aliases_and_anchors_are_refused() -> None:
    """Nine lines of them would be a gigabyte."""
    assert wrong("a: [x]\nb: *a\n") == ["2: aliases (*name) are not supported; write the value out"]
    assert wrong("a: &bomb [x, x]\n") == ["1: anchors (&name) are not supported; write the value out"]


def test_tags_are_refused() -> None:
    """Nothing is constructed from a rule file."""
    assert wrong("a: !!python/object/apply:os.system [ls]\n") == ["1: tags (!name) are not supported"]


def test_a_second_document_is_refused() -> None:
    """It would be read by nobody."""
    assert wrong("a: 1\n---\nb: 2\n") == ["2: a second document; one file holds one"]


def test_a_key_that_is_no_word_is_refused() -> None:
    """YAML would allow a list as a key."""
    assert wrong("? [a, b]\n: 1\n") == ["1: a key must be a single word"]


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: [1, 2\nb: 3\n", 2), ("a: 'x\n", 2), ("a:\n  b: 1\n c: 2\n", 3), ("\ta: 1\n", 1), ("a: b: c\n", 1)],
)
def test_what_is_no_yaml_is_told_with_its_line(text: str, line: int) -> None:
    """A file that is half written, or has a slip in it."""
    (problem,) = wrong(text)

    assert problem.startswith(f"{line}: not YAML")


def test_what_is_too_much_is_refused() -> None:
    """Depth, number and bytes have a bound."""
    assert wrong("[" * 5000) == [f"1: nested deeper than {DEPTH_MAX} levels"]
    assert wrong("[" + "x," * NODES_MAX + "x]") == [f"1: more than {NODES_MAX} values in one file"]
    assert wrong("a" * (FILE_BYTES_MAX + 1)) == [f"0: the file is longer than {FILE_BYTES_MAX} bytes"]


@given(st.text(st.characters(codec="utf-8") | st.sampled_from("[]{}:,-?&*!|>'\"%@`\n\t #ab"), max_size=60))
def test_any_text_is_a_tree_or_a_list_of_problems(text: str) -> None:
    """No other error ever comes out."""
    try:
        root = parse(text)
    except NodeError as error:
        problems = error.problems
        assert all(line >= 0 and message for line, message in problems)
        assert problems
    else:
        assert root is None or root.line >= 1
