"""Whether two requests ask the same: a form of the body that leaves out what changes from one try to the next."""

import orjson

from outwarden.wire.format import Json

# Fields beside the question: who asks, in which session, under which number. From the references of OpenAI (metadata,
# user, safety_identifier, prompt_cache_key), Anthropic (metadata), OpenRouter (trace, session_id), and from Codex.
VOLATILE = frozenset(
    {
        "client_metadata",
        "metadata",
        "prompt_cache_key",
        "request_id",
        "safety_identifier",
        "session_id",
        "trace",
        "user",
    }
)
_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


def same_request(data: bytes, document: Json) -> bytes:
    """The body in a form that is the same for the same question; ``document``: its JSON, or None.

    The order of keys, spaces and `VOLATILE` fields make no difference, nor does the boundary of a form, which is drawn
    anew each time.
    """
    if data.startswith(b"--"):
        boundary = data[2:].split(b"\r\n", 1)[0].rstrip()
        return data.replace(boundary, b"") if boundary else data
    if isinstance(document, dict):
        document = {key: value for key, value in document.items() if key not in VOLATILE}
    elif document is None:
        return data
    try:
        return orjson.dumps(document, option=_OPTIONS)
    except orjson.JSONEncodeError:  # nested deeper than it writes (254 levels): as it was sent
        return data
