"""What a request says outside its body: path, query and headers. Their texts are read as the body's are."""

import re
from functools import lru_cache
from urllib.parse import quote, unquote

from outwarden.pii import RequestRewriter
from outwarden.wire.body import rewrite_text, rewrite_texts
from outwarden.wire.edits import TextRewriter, within
from outwarden.wire.urlencoded import rewrite_pairs

type Fields = tuple[tuple[bytes, bytes], ...]

# Credentials go to the provider they are meant for, and nowhere else; what is taken for one without need is missed by
# nobody. Providers invent new names for them all the time.
CREDENTIAL_NAME = re.compile(
    r"auth|api.?key|(^|[^a-z])key|token|secret|cookie|passw|credential|signature|^sig$|^sec-websocket-protocol$", re.I
)
# Headers whose values HTTP, a provider or its SDK defines, never a caller: changed, they break the call.
_DEFINED_HEADER = re.compile(
    r"accept.*|content-.*|transfer-encoding|te|trailer|expect|host|connection|keep-alive|upgrade.*|http2-settings|range"
    r"|if-.*|cache-control|pragma|date|origin|priority|dnt|sec-.*|user-agent|x-requested-with|x-http-method-override"
    r"|traceparent|tracestate|x-stainless-.*|x-amz.*|x-goog-(?:api-client|request-params|user-project)"
    r"|openai-(?:beta|organization|project)|anthropic-(?:beta|version|client-.*|dangerous-.*)|api-version|x-ms-.*",
    re.I,
)
# Parameters that name a key or a mode of the API, never text of the caller's.
_DEFINED_PARAMETERS = frozenset({"key", "alt", "$alt", "api-version", "beta", "prettyPrint"})
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/_.:~-]*")
_PLAIN_HEADER = re.compile(r"[A-Za-z0-9/_.:;,=*()-]*")
# A shorter value holds no key of an API (20 characters: AWS, the shortest), a number with fewer digits no person's.
_SECRET_CHARACTERS_MIN, _PERSONAL_DIGITS_MIN = 20, 7
_NUMBER = re.compile(rf"(?:[0-9][.:_~-]?){{{_PERSONAL_DIGITS_MIN},}}")


@lru_cache(1000)
def is_credential(name: str) -> bool:
    """Whether a header or parameter of this name holds a credential."""
    return CREDENTIAL_NAME.search(name) is not None


def rewrite_target(target: str, rewriter: RequestRewriter) -> str:
    """Rewrite a request target: segments of the path that are no plain names, names and values of the query.

    What holds nothing stays as it is spelled.
    """
    reader = within(rewriter, "url")
    path, mark, query = target.partition("?")
    if mark:
        query = rewrite_pairs(query, lambda texts: rewrite_texts(texts, reader), _DEFINED_PARAMETERS)
    return _rewrite_path(path, reader) + mark + query


def rewrite_headers(fields: Fields, rewriter: RequestRewriter) -> Fields:
    """Rewrite the values of headers that callers fill (gateways' metadata, titles, baggage)."""
    reader = within(rewriter, "header")
    return tuple((name, _rewritten(name, value, reader)) for name, value in fields)


def _rewrite_path(path: str, rewriter: TextRewriter) -> str:
    if _PLAIN_PATH.fullmatch(path) and not _NUMBER.search(path):
        return path
    segments = [unquote(segment) for segment in path.split("/")]
    rewritten = [segment if _is_name(segment) else rewrite_text(segment, rewriter) for segment in segments]
    return path if rewritten == segments else "/".join(quote(segment, safe=":@") for segment in rewritten)


def _is_name(segment: str) -> bool:
    """Whether a segment is an id or a word of the API; one of digits alone may be a person's number."""
    return _PLAIN_PATH.fullmatch(segment) is not None and _NUMBER.fullmatch(segment) is None


def _rewritten(name: bytes, value: bytes, rewriter: TextRewriter) -> bytes:
    text = value.decode("utf-8", "surrogateescape")
    if not _may_be_text(text) or _is_defined(name.decode("latin-1")):
        return value
    return rewrite_text(text, rewriter).encode("utf-8", "surrogateescape")


@lru_cache(1000)
def _is_defined(header: str) -> bool:
    """Whether others than the caller say what the header holds."""
    return is_credential(header) or _DEFINED_HEADER.fullmatch(header) is not None


def _may_be_text(value: str) -> bool:
    if len(value) >= _SECRET_CHARACTERS_MIN or not _PLAIN_HEADER.fullmatch(value):
        return True
    return sum(map(str.isdigit, value)) >= _PERSONAL_DIGITS_MIN
