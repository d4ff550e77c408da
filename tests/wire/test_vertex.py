"""Claude is asked the same at Vertex AI as at Anthropic, there and back."""

import pytest

from outwarden.wire.vertex import from_vertex, is_vertex, to_vertex

BASE = "/v1/projects/p/locations/us-east5/publishers/anthropic"
ASKED = b'{ "model":"claude-sonnet-4-5", "max_tokens":9, "stream":true, "messages":[{"role":"user","content":"1.0"}]}'


def test_a_message_goes_to_vertex() -> None:
    """The model goes into the path, the version into the body, all else stays."""
    path, body = to_vertex("/v1/messages?beta=true", ASKED, "claude-sonnet-4-5@20250929")

    assert path == "/models/claude-sonnet-4-5@20250929:streamRawPredict"
    assert body == (
        b'{"anthropic_version":"vertex-2023-10-16","max_tokens":9,"stream":true,'
        b'"messages":[{"role":"user","content":"1.0"}]}'
    )


def test_a_message_that_does_not_stream_goes_to_vertex() -> None:
    """By its own name."""
    path, body = to_vertex("/v1/messages", b'{"model":"m","messages":[]}', "c d")

    assert path == "/models/c%20d:rawPredict"
    assert body == b'{"anthropic_version":"vertex-2023-10-16","messages":[]}'


def test_tokens_are_counted_at_vertex() -> None:
    """There the body keeps the model."""
    path, body = to_vertex("/v1/messages/count_tokens", b'{"model":"m","messages":[]}', "c")

    assert path == "/models/count-tokens:rawPredict"
    assert body == b'{"anthropic_version":"vertex-2023-10-16","model":"c","messages":[]}'
    assert from_vertex(BASE + path, body, "m").path == "/v1/messages/count_tokens"


def test_a_message_goes_from_one_project_to_another() -> None:
    """With the version that it names."""
    body = b'{"anthropic_version":"vertex-x","messages":[]}'

    assert to_vertex(f"{BASE}/models/c:streamRawPredict", body, "d") == ("/models/d:streamRawPredict", body)


@pytest.mark.parametrize(
    ("verb", "body", "expected"),
    [
        ("rawPredict", b'{"anthropic_version":"v","messages":[]}', b'{"model":"c","messages":[]}'),
        ("streamRawPredict", b'{"messages":[],"stream":true}', b'{"model":"c","messages":[],"stream":true}'),
        ("streamRawPredict", b'{"messages":[]}', b'{"stream":true,"model":"c","messages":[]}'),
    ],
)
def test_a_message_comes_from_vertex(verb: str, body: bytes, expected: bytes) -> None:
    """What the path said is in the body."""
    assert from_vertex(f"{BASE}/models/claude@1:{verb}", body, "c") == ("/v1/messages", expected)


def test_which_paths_are_vertex() -> None:
    """Not those of other publishers."""
    assert is_vertex(BASE)
    assert is_vertex(f"{BASE}/models/c:rawPredict")
    assert not is_vertex("/v1/messages")
    assert not is_vertex("/v1/projects/p/locations/l/publishers/anthropics")
