"""Planting: the sentence is in the body and nowhere else, and a reply says what stands for it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaying.exchanges import Exchange
from replaying.json_spans import follow, places
from replaying.planting import echo, in_some_spelling, planted, stand_ins, text_channels, values

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(TEXT, below, max_size=4),
    max_leaves=20,
)
STOOD = ("[EMAIL_ADDRESS_3f9a1c]", "[CREDIT_CARD_3f9a1c]", "[PHONE_NUMBER_3f9a1c]", "[IBAN_CODE_1]", "[API_KEY_2]")


def exchange(reply: bytes, **more: Any) -> Exchange:
    """An exchange with this reply."""
    facts: dict[str, Any] = {
        "id": "w1", "provider": "openai", "endpoint": "chat/completions", "scheme": "https", "host": "api.openai.com",
        "method": "POST", "target": "/", "headers": {}, "body": b"", "status": 200, "reply_headers": (),
    }  # fmt: skip
    return Exchange(**(facts | {"reply": reply} | more))


@given(JSON, st.booleans())
def test_every_string_value_is_found_where_it_stands(tree: Any, ascii_only: bool) -> None:
    """The path leads to the string whose bytes stand at the place."""
    raw = json.dumps(tree, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")

    for place in places(raw):
        assert follow(tree, place.path) == json.loads(b'"' + raw[place.start : place.end] + b'"')


@given(TEXT.map(lambda text: f"Please {text} read"), st.booleans())
def test_a_planted_sentence_only_adds_itself(text: str, ascii_only: bool) -> None:
    """Without the sentence the request is the same, and what stood in its place is read back."""
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}, ensure_ascii=ascii_only)
    raw = body.encode("utf-8", "surrogatepass")
    drawn = values(7)

    made = planted(raw, drawn.note())

    assert made is not None
    assert made.replace(drawn.note().encode(), b"") == raw
    assert drawn.note() in json.loads(made)["messages"][0]["content"]
    assert stand_ins(made) == tuple(drawn)


@pytest.mark.parametrize(
    "body", [b"", b"no json", b'{"content": 1}', b'{"content": "data:image/png;base64,AAAA"}', b'{"model": "gpt"}']
)
def test_a_body_without_text_is_left_alone(body: bytes) -> None:
    """No JSON, no text under a text's key, media: nothing is planted."""

    assert planted(body, "note") is None


def test_values_are_seen_in_every_spelling() -> None:
    """A leak with JSON escapes is one, too."""

    assert in_some_spelling("a@b.c", b"say a@b.c")
    assert in_some_spelling("DE1/2", rb'"DE1\/2"')
    assert not in_some_spelling("a@b.c", b"[EMAIL_ADDRESS]")


def test_a_stream_says_the_sentence_over_several_pieces() -> None:
    """Pieces say it between them, a text so far and the whole text at the end say it too."""
    words = ["One ", "two ", "three ", "four "]
    events = [json.dumps({"type": "t.delta", "index": 0, "delta": word}) for word in words]
    events.append(json.dumps({"type": "t.done", "text": "".join(words)}))
    reply = "".join(f"data: {event}\n\n" for event in events).encode()
    found = echo(exchange(reply, streaming=True, framing="sse"))
    assert found is not None

    body, focus = found.said(STOOD)

    texts = ["".join(text for _, text in pieces) for pieces in text_channels(body, streamed=True).values()]
    assert len(texts) == 2
    assert texts[0] == texts[1]
    assert stand_ins(texts[0].encode()) == STOOD
    assert focus < len(body)
