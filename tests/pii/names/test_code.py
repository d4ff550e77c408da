"""Source code without a fence is told from language, by itself and by what stands around it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.pii.names import code
from outwarden.pii.names.code import Judge, is_prose


@pytest.mark.parametrize(
    "unit",
    [
        "Please ask Jane Doe about it.",
        "let maria know that john is late",
        "use the card of Mr. Osei",
        "from jane to john",
        "various authors and maria",
        "def gonna ask jane",
        "if you need jane, call her",
        "for those who know Maria: she left",
        "pub quiz with jane tonight",
        "Jane Doe (1880-1918);",
        "Yu Darvish (TEX):",
        "return the book to Maria",
        "name: Kofi Mbeki",
        '{"name": "Jane Doe", "city": "Oslo"}',
        "# author: Jane Doe",
        "Patient: Jane Doe; DOB 1970",
        "user.full_name = 'Jane Doe'",
        "O: afebrile",
        "Comparison: none. ",
    ],
)
def test_language_is_prose(unit: str) -> None:
    """In doubt it is, and a line that says who somebody is always is."""
    assert is_prose(unit)


@pytest.mark.parametrize(
    "unit",
    [
        "import numpy as np",
        "from mark import Grant",
        "def grant(self, mark):",
        "    12→    const frank = new Frank();",
        "class Jordan(Base):",
        'File "app/grant.py", line 3, in mark',
        "at com.example.Grant.mark(Grant.java:42)",
        "if (grant && mark) {",
        "return self.grant(mark);",
        "x = Frank(mark.grant, 3)",
        "QUFB" * 40,
        "    :param metaclass: Defaults to the type",
        "getUserName setLastName isFrank",
    ],
)
def test_code_is_none(unit: str) -> None:
    """Whatever names are in it."""
    assert not is_prose(unit)


CODE = ["def grant(self):\n", "    return self.mark(1);\n", "    if (x) {\n", "x = Frank(2)\n"]


def wanted(*units: str) -> list[str]:
    judge = Judge()
    return [unit for unit in units if judge.wants(unit)]


def test_lines_among_code_are_code() -> None:
    """A comment, a docstring, a call of one word; a sentence that stands at the margin is none."""
    inside = [
        "    Mark this instance.\n",
        "# ask Frank about it\n",
        "    :param rose: the rose\n",
        "Frank\n",
        "raise Error\n",
    ]

    assert wanted(*CODE, *inside) == []
    assert wanted(*CODE, "Please ask Marta about this function. ") == ["Please ask Marta about this function. "]
    assert wanted(*inside) == [unit for unit in inside if not unit.startswith("    :param")]


def test_after_code_comes_language_again() -> None:
    """Two sentences later a short line is language."""
    said = ["Please ask Marta about this one. ", "Then tell Femi that it is done. ", "Thanks, Marta\n"]

    assert wanted(*CODE, *said) == said


@pytest.mark.parametrize(
    ("unit", "worth"),
    [
        ("Maria", True),
        ("Maria\n", True),
        ("Maria,", True),
        ("O'Brien", True),
        ("Jean-Luc", True),
        ("maria", False),
        ("gpt-4o", False),
        ("get_weather", False),
        ("MARIA", False),
        ("42", False),
        ("", False),
        ("\n", False),
    ],
)
def test_one_word(unit: str, worth: bool) -> None:
    """It must begin as names do."""
    assert bool(wanted(unit)) is worth


@pytest.mark.parametrize(
    "line",
    [
        "  - {hosts: [api.arcee.ai], provider: arcee, format: openai}",
        "provider: sambanova",
        "image: alpine # the small one",
    ],
)
def test_settings_are_code(line: str) -> None:
    """YAML: lower-case words after a key are names of things."""
    assert not is_prose(line)


@pytest.mark.parametrize("line", ["patient: jonas", "name: Zoë Müller", "To: Marta Kowalczyk", "dear marta,"])
def test_forms_are_prose(line: str) -> None:
    """Keys that ask for a person, and values that are written as people are."""
    assert is_prose(line)


@settings(max_examples=300)
@given(st.lists(st.sampled_from([*"aZ9_ .:=&|!<>/([)-", "::", "=>", "->", "a_b", "aB", "f()", "x[y"])).map("".join))
def test_each_word_of_code_has_a_sign(text: str) -> None:
    """So where there are few signs nobody need look for the words."""
    assert len(code._CODE_WORDS.findall(text)) <= len(code._CODE_SIGNS.findall(text))
