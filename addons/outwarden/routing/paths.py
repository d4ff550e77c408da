"""Where the same call lies at another upstream: the path an SDK would use with that upstream as its base URL."""

import re
from urllib.parse import quote, unquote

from outwarden.routing.routes import Upstream

# The first "/v1", "/v1beta", "/v4" … segment ends what SDKs call the base URL ("https://api.openai.com/v1"); at Google
# and DeepInfra an "/openai" follows it ("https://generativelanguage.googleapis.com/v1beta/openai").
_OPENAI_BASE = re.compile(r"^/openai/deployments/[^/]+(?=/)|^.*?/v\d+(?:beta\d*|alpha)?(?:/openai)?(?=/)")
_VERSION = re.compile(r"/v\d+(?:beta\d*|alpha)?$")
_BEDROCK_MODEL = re.compile(r"(?<=/model/).+(?=/(?:converse|invoke|count-tokens)[a-z-]*$)")
# Vertex AI: ``https://host/v1/projects/P/locations/L/publishers/google`` + ``/models/M:generateContent``.
_INSIDE_VERSION = re.compile(r"/v\d+(?:beta\d*|alpha)?/")
_GEMINI_BASE = re.compile(r"^.*(?=/(?:models|tunedModels|endpoints)(?:/|$))")
_GEMINI_MODEL = re.compile(r"(?<=/models/)[^/:]+(?=:)")


def upstream_path(upstream: Upstream, path: str, model: str | None) -> str:
    """Return the request target (path and query) of ``path`` at ``upstream``; ``model`` goes where the path names one.

    OpenAI's SDKs count the version into the base URL (``https://host/v1`` + ``/chat/completions``), the others
    do not (``https://host`` + ``/v1/messages``); an upstream of theirs may end in the version all the same, and one of
    Google's on in the project that its models are in.
    """
    bare, mark, query = path.partition("?")
    if upstream.format == "openai":
        rest = _OPENAI_BASE.sub("", bare, count=1)
    elif upstream.format == "gemini" and _INSIDE_VERSION.search(upstream.path):
        rest = _GEMINI_BASE.sub("", bare, count=1)
    elif _VERSION.search(upstream.path):
        rest = re.sub(r"^.*?/v\d+(?:beta\d*|alpha)?(?=/)", "", bare, count=1)
    else:
        rest = bare
    if model and upstream.format == "gemini":
        rest = _GEMINI_MODEL.sub(lambda _: quote(model, safe=""), rest)
    if model and upstream.format == "bedrock":
        rest = _BEDROCK_MODEL.sub(lambda spelled: _bedrock_model(spelled[0], model), rest)
    return upstream.path + rest + _query(upstream, mark + query)


def _query(upstream: Upstream, query: str) -> str:
    """The caller's query with the upstream's own parameters; Azure's version of its API is for Azure alone."""
    own = [part for part in upstream.query.split("&") if part]
    names = {_name(part) for part in own}
    if upstream.provider != "azure":
        names.add("api-version")
    if not own and not any(f"{name}=" in query.lower() for name in names):
        return query
    parts = [part for part in query.removeprefix("?").split("&") if part and _name(part) not in names]
    return "?" + "&".join(parts + own) if parts or own else ""


def _name(parameter: str) -> str:
    return unquote(parameter.partition("=")[0]).lower()


def _bedrock_model(spelled: str, model: str) -> str:
    """Another model in place of the one that the path spells, which may be an ARN that ends with its name."""
    name = unquote(spelled)
    return spelled if model in (name, name.rpartition("/")[2]) else quote(model, safe="")


# Google's callers may put their credentials into the query (the standard parameters of its discovery documents).
_KEY_PARAMETERS = frozenset({"key", "access_token", "oauth_token"})


def without_key(path: str) -> str:
    """Drop the parameters that carry a caller's credentials from a request target."""
    bare, _, query = path.partition("?")
    kept = [part for part in query.split("&") if part and not _is_key(part)]
    return bare + ("?" + "&".join(kept) if kept else "")


def _is_key(parameter: str) -> bool:
    return unquote(parameter.partition("=")[0]).lower().lstrip("$") in _KEY_PARAMETERS
