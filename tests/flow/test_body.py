"""A body is what it is, not what its content-type says: text is found where it may be, broken claims are refused."""

import gzip
import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import http

from outwarden.errors import BodyError
from outwarden.flow.body import classify, is_lines, is_media, is_scalar, is_text, plain_headers, read_body
from outwarden.wire.traffic import Traffic

JSON = "application/json"


@pytest.mark.parametrize(
    ("data", "content_type", "kind"),
    [
        (b"", JSON, "empty"),
        (b" \r\n", JSON, "empty"),
        (b'{"a": 1}', JSON, "json"),
        (b'\xef\xbb\xbf {"a": 1}', JSON, "json"),
        (b"[1]", "application/x-amz-json-1.1", "json"),
        (b'{"a": 1}', "text/plain", "json"),
        (b'{"a": 1}', "", "json"),
        (b'{"a": 1}', "audio/mpeg", "json"),
        (b'{"a": 1}\n{"b": 2}\n', "application/jsonl", "lines"),
        (b'{"a": 1}\r\n\r\n{"b": 2}', "application/octet-stream", "lines"),
        (b'{"a": 1}\n{"b": 2}', JSON, "lines"),
        (b'"text"', JSON, "text"),
        (b" 12.5e3 ", JSON, "text"),
        (b"null", JSON, "text"),
        (b"a plain text", "text/plain", "text"),
        (b"a=1&b=2", "application/x-www-form-urlencoded", "form"),
        (b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n", "text/plain", "sdp"),
        (b"%PDF-1.4\n1 0 obj", "application/pdf", "binary"),
        (b"<svg/>", "image/svg+xml", "text"),
        ("text".encode("utf-16"), "text/plain", "text"),
        ('{"a": 1}'.encode("utf-16-le"), "", "json"),
        ('{"é": 1}'.encode("utf-32-be"), JSON, "json"),
        ("café".encode("latin-1"), "text/plain; charset=ISO-8859-1", "text"),
        (b"+AGoAYQ-", "text/plain; charset=utf-7", "binary"),
        (b'{"a": 1}', "application/json; charset=utf-16", "json"),
        (b'{"a": 10}', "application/json; charset=UTF-16LE", "json"),
        (b'{"a": 1}', "application/json; charset=utf-7", "json"),
        (b"{not json", "text/plain", "text"),
        (b"<html>", "", "text"),
        (b"--b\r\n", "multipart/form-data; boundary=b", "multipart"),
        (b'{"a": 1}', "Multipart/Mixed; boundary=b", "multipart"),
        (b"\xff\xd8\xff\xe0", "image/jpeg", "binary"),
        (b"plain", "audio/mpeg", "binary"),
        (b"a\0b", "", "binary"),
        (b"\xff\xfe{\0\0\xd8", "application/octet-stream", "binary"),
    ],
)
def test_what_a_body_is(data: bytes, content_type: str, kind: str) -> None:
    """A table of bodies and what they are."""
    body = classify(data, content_type)

    assert body.kind == kind
    assert body.data == data or body.data.decode().encode(body.charset) == data
    if kind == "json":
        assert body.json == json.loads(data.removeprefix(b"\xef\xbb\xbf"))


@pytest.mark.parametrize(
    "data",
    [b"{", b'{"a": 1', b"text", b'{"a": 1} x', b"{}{}", b"true false", b"'a'"],
)
def test_json_that_is_none_is_refused(data: bytes) -> None:
    """What says JSON and is not cannot be read safely; the upstream might read it in its own way."""
    with pytest.raises(BodyError):
        classify(data, JSON)


@given(st.binary(max_size=100), st.sampled_from([JSON, "", "text/plain", "audio/wav", "multipart/form-data"]))
def test_every_body_has_an_answer(data: bytes, content_type: str) -> None:
    """Whatever comes: a kind, or BodyError, and the bytes are the same."""
    try:
        body = classify(data, content_type)
    except BodyError:
        assert content_type in (JSON, "multipart/form-data")
        return
    assert body.data == data or body.data.decode().encode(body.charset) == data


def state(max_body_mib: float = 1) -> Any:
    """What `read_body` needs of a call."""
    return SimpleNamespace(rules=SimpleNamespace(traffic=Traffic(intercept=(), max_body_mib=max_body_mib)))


def message(data: bytes, **headers: str) -> http.Request:
    """A request with exactly these bytes."""
    request = http.Request.make("POST", "http://h/")
    request.headers = http.Headers(**headers)
    request.data.content = data
    return request


def test_a_body_is_decoded_first() -> None:
    """The kind is that of the decoded bytes."""
    body = read_body(message(gzip.compress(b'{"a": 1}'), content_encoding="gzip", content_type=JSON), state())

    assert (body.kind, body.json) == ("json", {"a": 1})


@pytest.mark.parametrize(
    ("data", "encoding"), [(b"{}", "gzip"), (gzip.compress(b"{}")[:-1], "gzip"), (b"{}", "exi"), (b"{}", "gzip, exi")]
)
def test_what_cannot_be_decoded_is_refused(data: bytes, encoding: str) -> None:
    """An encoding that is not what it says, or that nobody here knows."""
    with pytest.raises(BodyError):
        read_body(message(data, content_encoding=encoding), state())


def test_the_limit_counts_decoded_bytes() -> None:
    """A small body that unfolds beyond the limit is refused."""
    packed = gzip.compress(b" " * 5000)

    assert read_body(message(packed, content_encoding="gzip"), state(5000 / 2**20)).kind == "empty"
    with pytest.raises(BodyError, match="too long"):
        read_body(message(packed, content_encoding="gzip"), state(4999 / 2**20))


def test_no_body_is_empty() -> None:
    """A message without a body has one that is empty."""
    request = message(b"")
    request.data.content = None

    assert read_body(request, state()).kind == "empty"


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b'{"a":1}\n[2]', True),
        (b'{"a":1}', False),
        (b'{"a":1}\nx', False),
        (b"", False),
        (b'\n\n{"a":1}\n\n', False),
        (b'{"a":\n1}\n{"b":2}', False),
    ],
)
def test_lines_of_json(data: bytes, lines: bool) -> None:
    """Two lines at least, and every one of them JSON."""
    assert is_lines(data) is lines


def test_small_questions() -> None:
    """Media by its type, text by its bytes, scalars by their form."""
    assert is_media("Audio/MPEG; rate=1")
    assert not is_media("application/audio")
    assert is_text("é".encode())
    assert not is_text(b"\xe9")
    assert not is_text("text".encode("utf-16"))
    assert is_text(b"a text that a stray \xff byte or a \0 does not hide")
    assert is_scalar(b' "a\\"b" ')
    assert not is_scalar(b'"a" "b"')


def test_headers_that_repeat_are_joined() -> None:
    """Names in lower case, values in their order, odd bytes kept."""
    request = http.Request.make("GET", "http://h/")
    request.headers = http.Headers([(b"X-A", b"1"), (b"x-b", b"\xe9"), (b"x-a", b"2")])

    assert plain_headers(request) == {"x-a": "1, 2", "x-b": b"\xe9".decode("utf-8", "surrogateescape")}
