"""``callers.yml``: how a request tells who sent it."""

import re

from outwarden.budget.callers import FIELDS, CallerRule, CallerRules, header_pattern
from outwarden.rules.files import compile_pattern, network
from outwarden.rules.nodes import Node, NodeError
from outwarden.rules.values import Keys, list_of, map_of, text

_KEY_ID = re.compile(r"sha256:[0-9a-f]{64}")
_HEADER_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,100}")  # RFC 9110, 5.6.2, in lower case


def read_callers(node: Node) -> CallerRules:
    """Read the file. Raises `NodeError`."""
    keys = Keys(node)
    callers = keys.get("callers", list_of(_read_caller), ())
    default = keys.get("default", map_of(text, FIELDS, "field"), {})
    session = keys.get("session", list_of(header_name), ())
    keys.done()
    return CallerRules(callers, default, session)


def _read_caller(node: Node) -> CallerRule:
    keys = Keys(node)
    match = keys.need("match", _read_match)
    fields = {field: keys.need(field, text) for field in FIELDS if field in keys}
    keys.done("key", FIELDS)
    return CallerRule(match.api_key, match.source, match.proxy_user, match.header, fields)


def _read_match(node: Node) -> CallerRule:
    keys = Keys(node)
    api_key = keys.get("api_key", key_id, None)
    source = keys.get("source", network, None)
    proxy_user = keys.get("proxy_user", text, None)
    header = keys.get("header", _read_headers, {})
    if not keys.names:
        raise NodeError((keys.line, "expected a condition; what holds for everyone else goes under 'default'"))
    keys.done("condition")
    return CallerRule(api_key, source, proxy_user, header)


def _read_headers(node: Node) -> dict[str, str]:
    headers = map_of(_field_pattern)(node)
    wrong = [name for name in headers if not _HEADER_NAME.fullmatch(name.lower())]
    if wrong or not headers:
        raise NodeError((node.line, "expected names of headers, each with a pattern"))
    return {name.lower(): written for name, written in headers.items()}


def _field_pattern(node: Node) -> str:
    """Read a pattern whose named groups fill fields."""
    written = text(node)
    compile_pattern(written, node.line)
    try:
        header_pattern(written)
    except ValueError as error:
        raise NodeError((node.line, str(error))) from None
    return written


def key_id(node: Node) -> str:
    """Read the id of an API key; a key itself is refused, and not repeated."""
    if not _KEY_ID.fullmatch(text(node)):
        raise NodeError((node.line, "expected sha256: and 64 hex digits, as `outwarden key-id` prints, not a key"))
    return text(node)


def header_name(node: Node) -> str:
    """Read the name of a header, in lower case."""
    name = text(node).lower()
    if not _HEADER_NAME.fullmatch(name):
        raise NodeError((node.line, "expected the name of a header"))
    return name
