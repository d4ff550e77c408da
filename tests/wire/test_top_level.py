"""Top-level values are found and replaced in place: one span changes, every other byte stays."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.errors import BodyError
from outwarden.wire.top_level import replace_inside, replace_string, replace_value, value_spans, without

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8
)
KEYS = st.text(max_size=8) | st.sampled_from(["model", "max_tokens", 'a "quoted" key', "{", "}", ":", ",", "\\", "é"])
SPACES = st.sampled_from(["", " ", "\n", "\t", "\r\n  "])


@st.composite
def objects(draw: st.DrawFn) -> tuple[dict[str, Any], bytes]:
    """An object and a body that spells it, with any spacing and either spelling of non-ASCII."""
    tree = draw(st.dictionaries(KEYS, VALUES, max_size=5))
    ascii_only = draw(st.booleans())
    parts = []
    for key, value in tree.items():
        spelled = json.dumps(value, ensure_ascii=ascii_only, indent=draw(st.sampled_from([None, 2])))
        name = json.dumps(key, ensure_ascii=ascii_only)
        parts.append(f"{draw(SPACES)}{name}{draw(SPACES)}:{draw(SPACES)}{spelled}{draw(SPACES)}")
    text = draw(SPACES) + "{" + (",".join(parts) or draw(SPACES)) + "}" + draw(SPACES)
    return tree, text.encode("utf-8", "surrogatepass")


@given(objects())
def test_each_span_is_its_value(drawn: tuple[dict[str, Any], bytes]) -> None:
    """The spans name every top-level key once, in order, and each span parses to its value."""
    tree, body = drawn

    spans = value_spans(body)

    assert list(spans) == list(tree)
    assert {key: json.loads(body[start:end]) for key, (start, end) in spans.items()} == tree


@given(objects(), KEYS, VALUES)
def test_replacing_changes_only_that_span(drawn: tuple[dict[str, Any], bytes], key: str, value: Any) -> None:
    """After a replacement the key has the value; every byte outside its span, or of the whole, is as it was."""
    tree, body = drawn
    spelled = json.dumps(value).encode()

    changed = replace_value(body, key, spelled)

    assert json.loads(changed) == tree | {key: value}
    if key in tree:
        start, end = value_spans(body)[key]
        assert changed == body[:start] + spelled + body[end:]
    else:
        opened = body.index(b"{") + 1
        assert changed.startswith(body[:opened])
        assert changed.endswith(body[opened:])


@given(objects(), st.text())
def test_a_string_is_spelled_as_json(drawn: tuple[dict[str, Any], bytes], text: str) -> None:
    """A string value is escaped, whatever is in it."""
    tree, body = drawn

    assert json.loads(replace_string(body, "model", text)) == tree | {"model": text}


def test_numbers_and_spelling_stay() -> None:
    """Big numbers, escapes, key order and spacing outlive a replacement of their neighbour."""
    body = b'{ "seed" : 12345678901234567890123 , "model":"gpt-4o", "n":1.0, "x" :"\\u00e9\\/", "z": 1e2 }'

    assert replace_string(body, "model", "b") == body.replace(b'"gpt-4o"', b'"b"')
    assert replace_value(body, "z", b"7") == body.replace(b"1e2", b"7")


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        (b'{ "a": {"b" : 1.0, "c":2 } }', b'{ "a": {"b" : 7, "c":2 } }'),
        (b'{"a":{"c":2}}', b'{"a":{"b":7,"c":2}}'),
        (b'{"a": null, "c":[1e2]}', b'{"a": {"b":7}, "c":[1e2]}'),
        (b'{"c":[1e2]}', b'{"a":{"b":7},"c":[1e2]}'),
        (b"{}", b'{"a":{"b":7}}'),
    ],
)
def test_a_value_inside(body: bytes, changed: bytes) -> None:
    """A dotted path leads into objects, which are made where there are none; every other byte stays."""
    assert replace_inside(body, "a.b", b"7") == changed


def test_there_is_no_inside_of_a_number() -> None:
    """What is no object is not overwritten."""
    with pytest.raises(BodyError):
        replace_inside(b'{"a":1}', "a.b", b"7")


def test_a_key_inside_a_value_is_not_the_key() -> None:
    """Only the top level counts, however alike a deeper key or a text looks."""
    body = b'{"tools":[{"model":"inner"}],"text":"\\"model\\":\\"no\\"","model":"outer"}'

    assert replace_string(body, "model", "new") == body.replace(b'"outer"', b'"new"')


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"a","model":"b"}',
        b'{"model":"a","x":1,"model":"a"}',
        b'{"model":"a","mod\\u0065l":"b"}',
        b'{"x":{},"x":{}}',
        b'{"a":1,"b":2,"a":1}',
        b'{"a":1,"a":1}',
        b'{"a":1,"b":1,"b":1}',
    ],
)
def test_repeated_keys_are_refused(body: bytes) -> None:
    """An object that repeats a key means different things to different readers: no span is right."""

    with pytest.raises(BodyError, match="repeats a key"):
        value_spans(body)
    with pytest.raises(BodyError, match="repeats a key"):
        replace_string(body, "model", "c")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"model"',
        b"null",
        b"1",
        b'{"a":1',
        b'{"a":1}}',
        b'{"a":1} x',
        b"{a:1}",
        b'{"a":\xff}',
        b'{"\xff":1}',
    ],
)
def test_what_is_no_object_is_refused(body: bytes) -> None:
    """A body that is not one JSON object raises BodyError and nothing else."""

    with pytest.raises(BodyError):
        value_spans(body)


@given(st.binary(max_size=60) | st.text(alphabet='{}[]":,\\ a1', max_size=40).map(str.encode))
def test_odd_bodies_have_an_answer(body: bytes) -> None:
    """Whatever comes: spans that parse, or a BodyError."""
    try:
        spans = value_spans(body)
    except BodyError:
        return
    assert {key: json.loads(body[start:end]) for key, (start, end) in spans.items()} == json.loads(body)


THREE = b' {"a" : 1.0,\n"b":"x,\\"}", "c":[1, {"b":2}] } '


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["b"], b' {"a" : 1.0,"c":[1, {"b":2}] } '),
        (["a"], b' {"b":"x,\\"}","c":[1, {"b":2}] } '),
        (["c"], b' {"a" : 1.0,"b":"x,\\"}" } '),
        (["a", "b", "c"], b" { } "),
        (["d"], THREE),
        ([], THREE),
    ],
)
def test_without_takes_keys_out_and_leaves_the_rest(keys: list[str], expected: bytes) -> None:
    """What is left is an object with the same bytes for each value; what lies deeper stays."""
    left = without(THREE, keys)

    assert left == expected
    assert json.loads(left) == {key: value for key, value in json.loads(THREE).items() if key not in keys}
