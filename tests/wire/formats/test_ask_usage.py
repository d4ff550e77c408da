"""Asking for usage adds one member to a body and leaves every other byte alone."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.wire.formats import ask_for_usage, may_be_asked, sends_usage

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        (b'{"stream": true}', b'{"stream_options":{"include_usage":true},"stream": true}'),
        (b" \n{}\n", b' \n{"stream_options":{"include_usage":true}}\n'),
        (b'{ "a" : 1 }', b'{"stream_options":{"include_usage":true}, "a" : 1 }'),
        (
            b'{"a":1,"stream_options" : null , "n":1e999}',
            b'{"a":1,"stream_options" : {"include_usage":true} , "n":1e999}',
        ),
        (b'{"stream_options":{}}', b'{"stream_options":{"include_usage":true}}'),
        (b'{"stream_options":{"include_usage":false}}', b'{"stream_options":{"include_usage":true}}'),
        (
            b'{"stream_options":{"include_obfuscation":false},"seed":12345678901234567890}',
            b'{"stream_options":{"include_obfuscation":false,"include_usage":true},"seed":12345678901234567890}',
        ),
        (
            b'{"x":"\\"stream_options\\":{}","s":{"stream_options":1}}',
            b'{"stream_options":{"include_usage":true},"x":"\\"stream_options\\":{}","s":{"stream_options":1}}',
        ),
        (
            b'{"stream_options":null,"stream_options":{}}',
            b'{"stream_options":null,"stream_options":{"include_usage":true}}',
        ),
        (b'{"\\u0073tream_options":{"include_usage":false}}', b'{"\\u0073tream_options":{"include_usage":true}}'),
        ('{"ä":"\\u00e4/é"}'.encode(), '{"stream_options":{"include_usage":true},"ä":"\\u00e4/é"}'.encode()),
    ],
)
def test_insertion(body: bytes, asked: bytes) -> None:
    """Exactly these bytes."""
    assert ask_for_usage(body) == asked


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"text"',
        b"\xff{}",
        b'{"stream_options":{"include_usage":true}}',
        b'{"stream_options":{"include_usage": true, "x": 1}}',
        b'{"a":1,"stream_options":{"include_usage"',
        b'{"stream_options":"yes"}',
        b'{"stream_options":[{"include_usage":false}]}',
    ],
)
def test_nothing_to_ask(body: bytes) -> None:
    """Asked already, or no JSON object; what the provider would refuse is left for it to refuse."""
    assert ask_for_usage(body) is None


@given(
    st.dictionaries(st.text(max_size=6) | st.just("stream_options"), _JSON, max_size=5),
    st.sampled_from([None, 2]),
    st.booleans(),
)
def test_only_that_member_changes(body: dict[str, object], indent: int | None, ascii_only: bool) -> None:
    """The asked body means the same, but for the option; what remains of its bytes is a subsequence of the original."""
    raw = json.dumps(body, indent=indent, ensure_ascii=ascii_only)
    asked = ask_for_usage(raw.encode(errors="surrogatepass") if ascii_only else raw.encode())
    options = body.get("stream_options") if body.get("stream_options") is not None else {}
    if not isinstance(options, dict) or options.get("include_usage") is True:
        assert asked is None
        return

    assert asked is not None
    assert json.loads(asked) == body | {"stream_options": options | {"include_usage": True}}
    if "stream_options" not in body:
        assert asked.decode().replace('"stream_options":{"include_usage":true},', "", 1).replace(
            '"stream_options":{"include_usage":true}', "", 1
        ) == (raw)


def test_providers_that_need_no_asking() -> None:
    """Mistral refuses the option (422), so it must never be asked; OpenAI and Azure must."""
    assert sends_usage("mistral")
    assert sends_usage("huggingface_together")
    assert not any(sends_usage(provider) for provider in ("openai", "azure", "x-ai", "ovhcloud"))


DEPLOYED = "/openai/deployments/d/chat/completions?api-version="


@pytest.mark.parametrize(
    ("provider", "target", "body", "may"),
    [
        ("openai", "/v1/chat/completions", b"{}", True),
        ("azure", DEPLOYED + "2024-02-01", b"{}", False),
        ("azure", DEPLOYED + "2024-08-01-preview", b"{}", False),
        ("azure", DEPLOYED + "2024-09-01-preview", b"{}", True),
        ("azure", DEPLOYED + "2024-10-21", b"{}", True),
        ("azure", DEPLOYED + "2025-01-01-preview", b'{"data_sources": [{"type": "azure_search"}]}', False),
        ("azure", DEPLOYED + "2025-01-01-preview", b'{"content": "the \\"data_sources\\" key"}', True),
        ("azure", "/openai/v1/chat/completions?api-version=preview", b"{}", True),
        ("azure", "/openai/v1/chat/completions", b"{}", True),
        ("azure", "/models/chat/completions?api-version=2025-04-01", b"{}", False),
        ("azure", "/v1/chat/completions", b"{}", False),  # Mistral, Llama … without a server of one's own
        ("gateway", "/azure" + DEPLOYED + "2023-05-15", b"{}", False),
    ],
)
def test_who_would_refuse_the_option_is_not_asked(provider: str, target: str, body: bytes, may: bool) -> None:
    """Azure answers 400 or 422 to an option that it does not know there."""
    assert may_be_asked(provider, target, body) is may
