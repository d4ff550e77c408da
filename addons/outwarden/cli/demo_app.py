"""The demo's application: an ordinary program that calls LLMs with the real SDKs and knows nothing of Outwarden.

It reads one JSON object per line (`api`, `model`, `key`, `text`, `stream`, `max_tokens`) and writes what it gets, one
JSON object per line: `{"piece": …}` for each piece, then `{"done": true}` or `{"status": …, "code": …, "message": …}`.
"""

import importlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

OUTPUT_TOKENS = 300


def main() -> None:
    """Answer lines until stdin ends."""
    importlib.import_module("anthropic")  # they take a second or more: begin before the first call is wanted
    importlib.import_module("openai")
    for line in sys.stdin:
        for event in call(json.loads(line)):
            print(json.dumps(event), flush=True)


def call(wish: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Make one call and yield what comes back."""
    import anthropic
    import openai

    try:
        for piece in APIS[wish["api"]](wish):
            yield {"piece": piece}
        yield {"done": True}
    except (openai.APIStatusError, anthropic.APIStatusError) as error:
        yield {"status": error.status_code, **_reason(error.body)}
    except (openai.APIError, anthropic.APIError) as error:
        yield {"status": None, "code": type(error).__name__, "message": str(error)}


def ask_openai(wish: Mapping[str, Any]) -> Iterator[str]:
    """Chat completions through the OpenAI SDK."""
    import openai

    client = openai.OpenAI(api_key=wish["key"])
    messages: Any = [{"role": "user", "content": wish["text"]}]
    limit = wish.get("max_tokens", OUTPUT_TOKENS)
    if not wish.get("stream"):
        answer = client.chat.completions.create(model=wish["model"], messages=messages, max_tokens=limit)
        yield answer.choices[0].message.content or ""
        return
    with client.chat.completions.create(
        model=wish["model"], messages=messages, max_tokens=limit, stream=True
    ) as stream:
        for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content


def ask_anthropic(wish: Mapping[str, Any]) -> Iterator[str]:
    """Messages through the Anthropic SDK, streamed."""
    import anthropic

    client = anthropic.Anthropic(api_key=wish["key"])
    limit = wish.get("max_tokens", OUTPUT_TOKENS)
    messages: Any = [{"role": "user", "content": wish["text"]}]
    with client.messages.stream(model=wish["model"], messages=messages, max_tokens=limit) as stream:
        yield from stream.text_stream


def _reason(body: object) -> dict[str, Any]:
    """Code and message of an error body; both SDKs may hand it over with or without its outer object."""
    inner = body.get("error", body) if isinstance(body, dict) else {}
    known = inner if isinstance(inner, dict) else {}
    return {"code": known.get("code") or known.get("type"), "message": known.get("message")}


APIS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {"openai": ask_openai, "anthropic": ask_anthropic}

if __name__ == "__main__":
    main()
