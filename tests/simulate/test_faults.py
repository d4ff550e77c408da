"""What a script promises about how a reply is played, checked on the steps themselves and over the wire."""

import json
import ssl
import time
import zlib
from collections.abc import Iterator
from typing import Any

import brotli
import httpx
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from outwarden.simulate import HEADER, Script, SimulatedProvider
from outwarden.simulate.faults import Encoder, Lose, Send, Wait, cut, decoded, play
from outwarden.simulate.reply import Part, Reply

STREAM = Reply(
    200,
    (),
    (Part(b"start "), Part(b"a ", "content"), Part(b"b ", "content"), Part(b"c ", "content"), Part(b"end", "end")),
    streamed=True,
    error_data=b"error",
    malformed_data=b"bad ",
)
BODY = {"model": "gpt-4o", "stream": True, "messages": [{"role": "user", "content": "one two three four"}]}


def sent(script: Script, reply: Reply = STREAM) -> str:
    """The steps as text: bytes as they are, ``*`` for a loss, ``_`` for a wait."""
    marks = {Lose: "*", Wait: "_ "}
    return "".join(s.data.decode() if isinstance(s, Send) else marks[type(s)] for s in play(reply, script))


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (Script(), "start a b c end"),
        (Script(error_after=0), "start error"),
        (Script(error_after=2), "start a b error"),
        (Script(error_after=99), "start a b c error"),
        (Script(cut_after=0), "start *"),
        (Script(cut_after=3), "start a b c *"),
        (Script(truncate_after=1), "start a "),
        (Script(end_marker=False), "start a b c "),
        (Script(malformed_after=1), "start a bad b c end"),
        (Script(stall_after=1), "start a _ b c end"),
        (Script(first_content_delay_s=1), "start _ a b c end"),
        (Script(event_delay_s=1), "start a _ b _ c end"),
    ],
)
def test_faults_happen_at_their_place(script: Script, expected: str) -> None:
    """Counting starts at the first content event; lifecycle events before it are sent."""

    assert sent(script) == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (Script(), '{"a":1}'),
        (Script(cut_after=0), '{"a*'),
        (Script(truncate_after=0), '{"a'),
        (Script(stall_after=0), '{"a_ ":1}'),
        (Script(malformed_after=0), '{"a":'),
    ],
)
def test_faults_of_a_whole_answer(script: Script, expected: str) -> None:
    """A whole answer breaks in its middle."""

    assert sent(script, Reply(200, (), (Part(b'{"a":1}', "content"),))) == expected


@given(st.binary(max_size=300), st.sampled_from(["event", "whole", "bytes:1", "bytes:7", "random:3", "random:9:5"]))
def test_cuts_keep_every_byte(data: bytes, chunking: str) -> None:
    """However bytes are cut, together they are what they were, and cut the same way each time."""

    assert b"".join(cut(data, chunking)) == data
    assert list(cut(data, chunking)) == list(cut(data, chunking))


@pytest.mark.parametrize("chunking", ["", "bytes:0", "lines", "bytes:x", "random:x"])
def test_an_unknown_chunking_is_refused(chunking: str) -> None:
    """A typing error in a test's script does not pass as a default."""

    with pytest.raises(ValueError, match=r".*"):
        list(cut(b"abc", chunking))


@given(st.lists(st.binary(max_size=50), max_size=8), st.sampled_from(["gzip", "deflate", "br", "zstd"]))
def test_encodings_round_trip(chunks: list[bytes], name: str) -> None:
    """What the encoder writes piece by piece decodes to the same bytes."""
    encoder = Encoder(name)
    encoded = b"".join(encoder.feed(chunk) for chunk in chunks) + encoder.finish()

    assert decoded(encoded, name) == b"".join(chunks)


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd", "rot13"])
def test_what_is_not_encoded_as_it_says_is_told(name: str) -> None:
    """Plain text under a content-encoding is an error, not an answer."""

    with pytest.raises(ValueError, match=name):
        decoded(b"plain text, surely", name)


@pytest.fixture(params=[False, True], ids=["http1", "http2"])
def client(request: pytest.FixtureRequest, base: str, trust: ssl.SSLContext) -> Iterator[httpx.Client]:
    """A client of either HTTP version."""
    with httpx.Client(verify=trust, http2=request.param, base_url=base, timeout=5) as client:
        yield client


def post(client: httpx.Client, body: Any = BODY, path: str = "/v1/chat/completions", **script: Any) -> httpx.Response:
    return client.post(path, json=body, headers={HEADER: json.dumps(script)})


@pytest.mark.parametrize("script", [{"cut_after": 2}, {"reset": True}, {"cut_after": 0}])
def test_a_lost_connection_is_seen_as_one(client: httpx.Client, script: dict[str, Any]) -> None:
    """A client never takes a lost answer for a whole one."""

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        post(client, **script)


def test_a_truncated_stream_looks_clean_to_http(client: httpx.Client) -> None:
    """The body ends properly, but the API's own end is missing."""
    text = post(client, truncate_after=2).text

    assert text.count('"content":') == 3  # the opening delta and two pieces
    assert "[DONE]" not in text
    assert 'finish_reason":"stop' not in text


def test_silence_outlasts_the_client(client: httpx.Client, provider: SimulatedProvider) -> None:
    """No byte comes back, and the provider notices that the client left."""

    with pytest.raises(httpx.ReadTimeout):
        client.post("/v1/chat/completions", json=BODY, headers={HEADER: '{"silence": true}'}, timeout=0.3)

    client.close()
    deadline = time.monotonic() + 3
    while not provider.requests[-1].left and time.monotonic() < deadline:
        time.sleep(0.02)
    assert provider.requests[-1].left
    assert provider.requests[-1].sent_bytes == 0


@pytest.mark.parametrize("chunking", ["whole", "bytes:1", "bytes:13", "random:5:90"])
def test_chunking_changes_no_byte(client: httpx.Client, chunking: str) -> None:
    """The same request gets the same bytes, however they are cut."""

    assert post(client, chunking=chunking).content == post(client).content


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_encoded_streams_stream(client: httpx.Client, encoding: str) -> None:
    """A compressed stream is announced, decodes to the plain one, and its first event comes at once."""
    decoder = {
        "gzip": lambda: zlib.decompressobj(31).decompress,
        "deflate": lambda: zlib.decompressobj().decompress,
        "br": lambda: brotli.Decompressor().process,
        "zstd": lambda: zstandard.ZstdDecompressor().decompressobj().decompress,
    }[encoding]()
    headers = {HEADER: json.dumps({"encoding": encoding, "stall_after": 1, "stall_s": 0.5})}
    with client.stream("POST", "/v1/chat/completions", json=BODY, headers=headers) as response:
        raw = [decoder(chunk) for chunk in response.iter_raw()]

    assert response.headers["content-encoding"] == encoding
    assert raw[0].startswith(b"data: {")
    assert b"".join(raw) == post(client).content


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
def test_request_bodies_may_be_encoded(client: httpx.Client, provider: SimulatedProvider, encoding: str) -> None:
    """A compressed request is understood, and recorded as it came."""
    encoder = Encoder(encoding)
    body = encoder.feed(json.dumps(BODY | {"stream": False}).encode()) + encoder.finish()

    answer = client.post("/v1/chat/completions", content=body, headers={"content-encoding": encoding})

    assert answer.json()["choices"][0]["message"]["content"] == "one two three four"
    assert provider.requests[-1].body == body


def test_an_error_in_a_200(client: httpx.Client) -> None:
    """A whole answer may be an error under status 200, as OpenRouter sends it."""
    answer = post(client, BODY | {"stream": False}, error_after=0)

    assert answer.status_code == 200
    assert answer.json()["error"]["type"] == "server_error"


def test_an_error_as_the_first_element_of_a_gemini_array(client: httpx.Client) -> None:
    """Whether anything was said before or not, the array stays JSON."""
    body = {"contents": [{"role": "user", "parts": [{"text": "one two three"}]}]}
    path = "/v1beta/models/gemini-2.5-flash:streamGenerateContent"

    first = post(client, body, path, error_after=0).json()
    third = post(client, body, path, error_after=2).json()

    assert [list(each) for each in first] == [["error"]]
    assert ["error" in each for each in third] == [False, False, True]


@pytest.mark.parametrize("usage", [{"prompt_tokens": -9}, {"prompt_tokens_details": {"cached_tokens": 161}}])
def test_usage_can_be_wrong(client: httpx.Client, usage: dict[str, Any]) -> None:
    """Scripted figures are laid over the computed ones, the others stay."""
    told = post(client, BODY | {"stream": False}, usage=usage).json()["usage"]
    right = post(client, BODY | {"stream": False}).json()["usage"]

    assert told != right
    assert told["completion_tokens"] == right["completion_tokens"]
    assert told["prompt_tokens_details"]["audio_tokens"] == 0


@pytest.mark.parametrize("script", ["[]", '{"tekst": "x"}', "{", '{"chunking": "lines"}', '{"encoding": "rot13"}'])
def test_a_wrong_script_is_told(client: httpx.Client, script: str) -> None:
    """A script that cannot be played is a 400 that says so, whatever API was asked."""
    answer = client.post("/v1/messages", json={}, headers={HEADER: script})

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "bad_script"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe{}", b"null"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1beta/models/x:generateContent"])
def test_bad_bodies_are_bad_requests(client: httpx.Client, path: str, body: bytes) -> None:
    """Broken or strange JSON gets the API's own 400."""
    answer = client.post(path, content=body)

    assert answer.status_code == 400
    assert "error" in answer.json()


def test_unknown_paths_are_not_found(client: httpx.Client) -> None:
    """What no API has is a 404 in the shape of the API asked."""
    openai = client.get("/v1/nothing")
    anthropic = client.post("/v1/nothing", headers={"anthropic-version": "2023-06-01"}, json={})

    assert [openai.status_code, anthropic.status_code] == [404, 404]
    assert anthropic.json()["error"]["type"] == "not_found_error"
