"""Mistral's conversations: what is posted to one is answered and billed, whole or streamed."""

from outwarden.wire.formats import format_named

mistral = format_named("mistral")
RUN = mistral.identify("POST", "/v1/conversations")


def test_a_request_says_model_limit_and_stream() -> None:
    """The limit stands in ``completion_args``; earlier entries are the provider's to add."""
    body = {
        "model": "mistral-medium-latest",
        "inputs": "hello",
        "stream": True,
        "completion_args": {"max_tokens": 50},
    }
    read = mistral.read_request(RUN, body)

    assert (read.model, read.stream, read.output_limit) == ("mistral-medium-latest", True, 50)
    assert read.output_limits == (("completion_args.max_tokens", 50),)
    assert read.unseen_input


def test_a_reply_says_usage() -> None:
    """As the chat API spells it."""
    usage = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17, "connector_tokens": None}
    reply = {
        "object": "conversation.response",
        "outputs": [{"type": "message.output", "content": "hi"}],
        "usage": usage,
    }
    read = mistral.read_reply(RUN, reply, {})

    assert read.usage is not None
    assert (read.usage.input_tokens, read.usage.output_tokens) == (12, 5)


def test_a_stream_says_its_pieces_and_its_end() -> None:
    """Text comes in message.output.delta, usage in conversation.response.done."""
    piece = {"type": "message.output.delta", "id": "msg_1", "output_index": 0, "content": "Hel"}
    done = {"type": "conversation.response.done", "usage": {"prompt_tokens": 12, "completion_tokens": 5}}
    first = mistral.read_event(RUN, "message.output.delta", piece)
    last = mistral.read_event(RUN, "conversation.response.done", done)

    assert [delta.key for delta in first.deltas] == ["content"]
    assert first.content
    assert last.end
    assert last.usage is not None
    assert last.usage.output_tokens == 5
