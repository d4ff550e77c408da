"""OpenAI embeddings and models: answers that never stream."""

import base64
import hashlib
import random
import struct
from typing import Any

from outwarden.simulate.openai_errors import HEADERS
from outwarden.simulate.reply import Call, Part, Reply, overlaid, pretty
from outwarden.simulate.text import count_tokens

DIMENSIONS = 1536  # text-embedding-3-small
MAX_DIMENSIONS = 3072  # text-embedding-3-large
MODELS = ("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-5", "text-embedding-3-small")


def vector(text: str, dimensions: int) -> list[float]:
    """A vector that depends on the text alone."""
    draw = random.Random(hashlib.sha256(text.encode("utf-8", "backslashreplace")).digest())  # noqa: S311
    return [round(draw.uniform(-0.1, 0.1), 9) for _ in range(dimensions)]


def embeddings(call: Call) -> Reply:
    """Answer POST /v1/embeddings; input is a string, strings, or token ids."""
    given = call.body.get("input")
    inputs = given if isinstance(given, list) and given and not isinstance(given[0], int) else [given]
    tokens = sum(len(each) if isinstance(each, list) else count_tokens(str(each)) for each in inputs)
    data = [{"object": "embedding", "index": n, "embedding": _embedding(call, x)} for n, x in enumerate(inputs)]
    counted = overlaid({"prompt_tokens": tokens, "total_tokens": tokens}, call.script)
    answer: dict[str, Any] = {"object": "list", "data": data, "model": call.script.model or call.body.get("model")}
    if not call.script.no_usage:
        answer["usage"] = counted
    return _json(answer)


def models(call: Call) -> Reply:
    """Answer GET /v1/models."""
    data = [{"id": m, "object": "model", "created": int(call.now), "owned_by": "system"} for m in MODELS]
    return _json({"object": "list", "data": data})


def _embedding(call: Call, given: Any) -> list[float] | str:
    wanted = call.body.get("dimensions")
    dimensions = min(wanted, MAX_DIMENSIONS) if isinstance(wanted, int) and wanted > 0 else DIMENSIONS
    numbers = vector(str(given), dimensions)
    if call.body.get("encoding_format") == "base64":
        return base64.b64encode(struct.pack(f"<{dimensions}f", *numbers)).decode()
    return numbers


def _json(answer: dict[str, Any]) -> Reply:
    return Reply(200, (*HEADERS, ("content-type", "application/json")), (Part(pretty(answer), "content"),))
