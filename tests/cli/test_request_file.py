"""A request file is read in either form, and a broken one is refused without showing what is in it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.cli.request_file import read_request, read_request_file
from outwarden.errors import BodyError

BODY = b'{"model": "gpt-4o"}'


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_a_raw_request_is_read(end: bytes) -> None:
    """Request line, headers, an empty line, the body as it is."""
    head = [b"POST /v1/chat%20x?a=1 HTTP/1.1", b"Host: api.openai.com:443", b"Authorization: Bearer sk", b"", b""]
    request = read_request(end.join(head) + BODY)

    assert (request.method, request.host, request.path, request.query) == (
        "POST",
        "api.openai.com",
        "/v1/chat x",
        "a=1",
    )
    assert request.headers["authorization"] == "Bearer sk"
    assert request.body == BODY


def test_an_empty_line_in_the_body_stays_in_the_body() -> None:
    """The first empty line ends the head, whichever line ends the file uses elsewhere."""
    request = read_request(b"POST http://h.example/ HTTP/1.1\n\na\r\n\r\nb")

    assert request.body == b"a\r\n\r\nb"


def test_a_json_request_is_read() -> None:
    """URL, method, headers in any case, body as an object or a string."""
    told = {"url": "https://api.anthropic.com/v1/messages", "headers": {"X-Api-Key": "k"}, "body": {"model": "ä"}}
    request = read_request(json.dumps(told).encode())

    assert (request.method, request.host, request.path) == ("POST", "api.anthropic.com", "/v1/messages")
    assert request.headers == {"x-api-key": "k"}
    assert json.loads(request.body) == {"model": "ä"}
    assert read_request(b'{"url": "https://h.example", "body": "x"}').body == b"x"
    assert read_request(b'{"url": "https://h.example"}').method == "GET"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello erika.muster",
        b"POST / HTTP/1.1\n\n",  # no host
        b"POST / HTTP/1.1\nHost\n\n",
        b"{broken erika.muster",
        b'{"url": 3}',
        b'{"url": "https://h.example", "headers": [1]}',
        b'{"url": "http://[broken"}',
        b"POST / HTTP/1.1\nHost: h.example\nContent-Encoding: gzip\n\nx",
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_a_broken_file_is_refused(content: bytes) -> None:
    """What is no request is one BodyError, and its message holds nothing of the file."""
    with pytest.raises(BodyError) as caught:
        read_request(content)
    assert "erika" not in str(caught.value)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """No other exception comes out, whatever the file holds."""
    for head in (b"", b"POST / HTTP/1.1\n", b"{"):
        try:
            read_request(head + content)
        except BodyError:
            continue


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    """The path and the reason, no traceback."""
    with pytest.raises(BodyError, match=r"nothing\.http cannot be read: No such file"):
        read_request_file(tmp_path / "nothing.http")


def test_headers_and_body_stay_out_of_the_repr() -> None:
    """A request in a log shows neither key nor text."""
    shown = repr(read_request(b"POST https://h.example/ HTTP/1.1\nAuthorization: Bearer sk-secret\n\nerika"))

    assert "sk-secret" not in shown
    assert "erika" not in shown
