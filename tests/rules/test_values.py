"""Each kind of value is read in every way it may be written, and refused in every other."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.rules.nodes import NodeError, Scalar, parse
from outwarden.rules.values import (
    Keys,
    decimal,
    duration,
    flag,
    list_of,
    map_of,
    number,
    one_of,
    shown,
    suggest,
    text,
    unique_list_of,
    whole,
)


def read(reader: Callable[..., Any], written: str) -> Any:
    node = parse(written)
    assert node is not None
    return reader(node)


def wrong(reader: Callable[..., Any], written: str) -> list[str]:
    with pytest.raises(NodeError) as caught:
        read(reader, written)
    return [f"{line}: {message}" for line, message in caught.value.problems]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("500ms", 0.5), ("5s", 5), ("1.5s", 1.5), ("10m", 600), ("2h", 7200), ("1d", 86400), ("'30s'", 30)],
)
def test_durations(written: str, seconds: float) -> None:
    """A number and a unit, at most a day."""
    assert read(duration, written) == seconds


@pytest.mark.parametrize(
    "written", ["5", "s", "-5s", "5 s", "5S", "0s", "25h", "2d", "1e3s", "five", "[5s]", "5s5s", "\u0665s"]
)
def test_what_is_no_duration(written: str) -> None:
    """A bare number has no unit, and nothing is guessed."""
    assert wrong(duration, written)[0].startswith("1: expected a")


@pytest.mark.parametrize("word", ["true", "yes", "on", "True", "ON", "'yes'"])
def test_flags_that_say_yes(word: str) -> None:
    """YAML 1.1's spellings, with quotes or without."""
    assert read(flag, word) is True


@pytest.mark.parametrize("word", ["false", "no", "off", "False", "OFF", '"off"'])
def test_flags_that_say_no(word: str) -> None:
    """YAML 1.1's spellings, with quotes or without."""
    assert read(flag, word) is False


@pytest.mark.parametrize("word", ["1", "0", "y", "maybe", "{}", "''"])
def test_what_is_no_flag(word: str) -> None:
    """A number is no answer."""
    assert wrong(flag, word)


@pytest.mark.parametrize("written", ["0.1", "200", "0", "1_000.5", "0.000000001", "'0.05'"])
def test_amounts_are_exact(written: str) -> None:
    """Money never becomes a float."""
    assert read(decimal, written) == Decimal(written.strip("'").replace("_", ""))


@pytest.mark.parametrize(
    "written", ["-1", ".5", "1e3", "nan", "inf", "0.0000000001", "1,5", "$5", "true", "1__0", "\u0661"]
)
def test_what_is_no_amount(written: str) -> None:
    """Neither negative, nor finer than a nano-dollar, nor in another notation."""
    assert wrong(decimal, written)[0].startswith("1: expected a number")


def test_numbers_have_bounds() -> None:
    """Both ends included."""
    assert read(number(0, 1), "1") == 1.0
    assert wrong(number(0, 1), "1.01") == ["1: expected a number from 0 to 1"]
    assert read(whole(0, 5), "5") == 5
    assert wrong(whole(0, 5), "6") == wrong(whole(0, 5), "1.0") == ["1: expected a whole number from 0 to 5"]


def test_one_of_suggests_the_nearest() -> None:
    """The word that was written is shown, because it is short and has no digits."""
    assert wrong(one_of(("closed", "open")), "clsoed") == [
        "1: expected closed or open, not 'clsoed' (did you mean 'closed'?)"
    ]


@pytest.mark.parametrize("written", ["off", "no", "false", "'off'", "Off"])
def test_off_is_off_in_all_its_spellings(written: str) -> None:
    """YAML 1.1 reads them as one boolean; so do we, where off is a choice."""
    assert read(one_of(("off", "buffer")), written) == "off"
    assert wrong(one_of(("refuse", "warn")), written)


def test_a_list_may_be_a_single_value_or_nothing() -> None:
    """But not a group of keys."""
    assert read(list_of(text), "[a, b]") == ("a", "b")
    assert read(list_of(text), "a") == ("a",)
    assert list_of(text)(Scalar(1, "", True)) == ()
    assert wrong(list_of(text), "a: b") == ["1: expected a list, not a group of keys"]


def test_a_list_tells_every_item_that_is_wrong() -> None:
    """Not only the first."""
    assert wrong(list_of(duration), "- 5s\n- 5\n- 6s\n- 7\n") == [
        "2: expected a duration such as 500ms, 5s or 10m",
        "4: expected a duration such as 500ms, 5s or 10m",
    ]


def test_names_in_a_list_are_unique() -> None:
    """The line of the first is told."""
    assert wrong(unique_list_of(text, str), "- a\n- b\n- a\n") == ["3: name 'a' was given before, in line 1"]
    assert wrong(unique_list_of(text, str), "[a, a]") == ["1: name 'a' was given before, in line 1"]


def test_a_map_may_be_closed() -> None:
    """With the nearest of its keys."""
    assert read(map_of(text, ("user", "team")), "team: a") == {"team": "a"}
    assert wrong(map_of(text, ("user", "team"), "field"), "tem: a") == ["1: unknown field 'tem' (did you mean 'team'?)"]


def test_keys_tell_everything_at_once() -> None:
    """What is wrong, what is missing, what is unknown: in one error."""
    node = parse("retires: 1\ntimeout: 5\n")
    assert node is not None
    keys = Keys(node)
    keys.get("retries", whole(0, 5), 0)
    keys.get("timeout", duration, 1.0)
    keys.need("name", text)

    with pytest.raises(NodeError) as caught:
        keys.done()
    assert sorted(caught.value.problems) == [
        (1, "key 'name' is missing"),
        (1, "unknown key 'retires' (did you mean 'retries'?)"),
        (2, "timeout: expected a duration such as 500ms, 5s or 10m"),
    ]


@pytest.mark.parametrize(
    "word", ["sk-proj-4f9a8b7c6d5e4f3a2b1c", "9f86d081884c7d659a2feaa0c55ad015", "a word with blanks", "x" * 33, ""]
)
def test_what_may_be_a_secret_is_not_shown(word: str) -> None:
    """A key in the wrong place does not end up in a log."""
    assert shown(word) == ""
    assert word == "" or word not in wrong(one_of(("keep",)), f"'{word}'")[0]


@given(st.text(max_size=50))
def test_a_suggestion_is_always_one_of_the_words(word: str) -> None:
    """Or nothing."""
    assert suggest(word, ("retries", "breaker")) in ("", " (did you mean 'retries'?)", " (did you mean 'breaker'?)")
