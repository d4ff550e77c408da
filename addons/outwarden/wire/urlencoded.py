"""``a=1&b=2``, in a query or a form: rewrite values and names, and leave the spelling of every other one alone."""

from collections.abc import Callable
from urllib.parse import quote_plus, unquote_plus


def rewrite_pairs(encoded: str, rewrite: Callable[[str, str], str]) -> str:
    """Replace each value by ``rewrite(name, value)`` and each name by ``rewrite("", name)``; what is equal stays."""
    return "&".join(_rewrite_pair(pair, rewrite) for pair in encoded.split("&"))


def _rewrite_pair(pair: str, rewrite: Callable[[str, str], str]) -> str:
    name, mark, value = pair.partition("=")
    plain = unquote_plus(name)
    return _spelled(name, lambda text: rewrite("", text)) + mark + _spelled(value, lambda text: rewrite(plain, text))


def _spelled(encoded: str, rewrite: Callable[[str], str]) -> str:
    text = unquote_plus(encoded, errors="surrogateescape")
    rewritten = rewrite(text) if text else text
    return encoded if rewritten == text else quote_plus(rewritten, errors="surrogateescape")
