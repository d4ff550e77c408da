"""Where the same call lies at another upstream: the path an SDK would use with that upstream as its base URL."""

import re
from urllib.parse import quote

from outwarden.routing.routes import Upstream

# The last "/v1", "/v1beta", "/v4" … segment ends what SDKs call the base URL ("https://api.openai.com/v1").
_OPENAI_BASE = re.compile(r"^.*?/v\d+(?:beta\d*|alpha)?(?=/)|^/openai/deployments/[^/]+(?=/)")
_VERSION = re.compile(r"/v\d+(?:beta\d*|alpha)?$")
_GEMINI_MODEL = re.compile(r"(?<=/models/)[^/:]+(?=:)")


def upstream_path(upstream: Upstream, path: str, model: str | None) -> str:
    """Return the request target (path and query) of ``path`` at ``upstream``; ``model`` goes where the path names one.

    OpenAI's SDKs count the version into the base URL (``https://host/v1`` + ``/chat/completions``), the others
    do not (``https://host`` + ``/v1/messages``); an upstream of theirs may end in the version all the same.
    """
    bare, mark, query = path.partition("?")
    if upstream.format == "openai":
        rest = _OPENAI_BASE.sub("", bare, count=1)
    elif _VERSION.search(upstream.path):
        rest = re.sub(r"^.*?/v\d+(?:beta\d*|alpha)?(?=/)", "", bare, count=1)
    else:
        rest = bare
    if model and upstream.format == "gemini":
        rest = _GEMINI_MODEL.sub(lambda _: quote(model, safe=""), rest)
    return upstream.path + rest + mark + query


def without_key(path: str) -> str:
    """Drop the ``key`` parameter, where Google's callers put their API key, from a request target."""
    bare, _, query = path.partition("?")
    kept = [part for part in query.split("&") if part and not part.startswith("key=")]
    return bare + ("?" + "&".join(kept) if kept else "")
