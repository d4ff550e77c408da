"""A line tells by itself whether it was changed, and which line it follows."""

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.audit.chain import LINE_BYTES_MAX, NO_HASH, link, seal, true_hash

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.dictionaries(st.text().filter(lambda key: key not in ("prev", "hash")), VALUES, max_size=5)


@given(RECORDS)
def test_any_record_comes_back_from_its_line(record: dict[str, Any]) -> None:
    """A sealed line is JSON that holds the record, its predecessor's hash, and its own."""
    line, digest = seal(record, NO_HASH)

    assert json.loads(line) == {**record, "prev": NO_HASH, "hash": digest}
    assert link(line) == (NO_HASH, digest)
    assert true_hash(line) == digest


@given(RECORDS, st.data())
def test_one_changed_byte_is_seen(record: dict[str, Any], data: st.DataObject) -> None:
    """A line with any byte changed is no whole line any more, or does not have its hash."""
    line, _ = seal(record, NO_HASH)
    at = data.draw(st.integers(0, len(line) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != line[at]))
    changed = line[:at] + bytes([other]) + line[at + 1 :]

    stated = link(changed)

    assert stated is None or true_hash(changed) != stated.hash


def test_the_hash_is_that_of_the_line_without_its_last_member() -> None:
    """The rule of the docstring holds, so that others can check a file without us."""
    line, digest = seal({"call_id": "c1"}, NO_HASH)

    assert digest == sha256(b'{"call_id":"c1","prev":"' + b"0" * 64 + b'"}').hexdigest()
    assert line.endswith(b',"hash":"' + digest.encode() + b'"}\n')


@pytest.mark.parametrize(
    "record", [{"prev": "x"}, {"hash": "x"}, {"cost": float("nan")}, {"text": "x" * LINE_BYTES_MAX}]
)
def test_what_would_break_the_chain_is_refused(record: dict[str, Any]) -> None:
    """A record that claims a place in the chain, is no JSON, or is too long, is a ValueError."""
    with pytest.raises(ValueError, match=r"record|JSON"):
        seal(record, NO_HASH)


def test_what_is_no_json_is_refused() -> None:
    """Amounts are written as text; an object that JSON has no word for is a TypeError."""
    with pytest.raises(TypeError):
        seal({"cost": object()}, NO_HASH)


def test_a_record_without_other_members_is_a_line_too() -> None:
    """The first member needs no comma before it."""
    line, digest = seal({}, NO_HASH)

    assert json.loads(line) == {"prev": NO_HASH, "hash": digest}
