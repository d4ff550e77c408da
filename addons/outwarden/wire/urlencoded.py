"""``a=1&b=2``, in a query or a form: rewrite values and names, and leave the spelling of every other one alone."""

from collections.abc import Callable, Sequence
from itertools import compress
from operator import is_not
from urllib.parse import quote_plus, unquote_plus


def rewrite_pairs(
    encoded: str, rewrite: Callable[[Sequence[str]], Sequence[str]], kept: frozenset[str] = frozenset()
) -> str:
    """Replace names and values by what ``rewrite`` makes of them, all at once; what is equal keeps its spelling.

    Values of names in ``kept`` stay.
    """
    pairs = encoded.split("&")
    parts = _names_and_values(encoded, pairs)
    said = parts.copy()
    for at, name in enumerate(parts[::2]) if kept else ():
        if _unquoted(name) in kept:
            said[2 * at + 1] = ""
    texts = list(filter(None, said))
    if "%" in encoded or "+" in encoded:
        texts = list(map(_unquoted, texts))
    new = rewrite(texts)
    places = compress(range(len(said)), said)
    for at, old, text in compress(zip(places, texts, new, strict=True), map(is_not, texts, new)):
        if text != old:
            parts[at] = quote_plus(text, errors="surrogateescape")
            mark = "=" if "=" in pairs[at // 2] else ""
            pairs[at // 2] = mark.join(parts[at & ~1 : (at & ~1) + 2])
    return "&".join(pairs)


# What separates nothing.
_OTHERS = bytes(set(range(256)) - set(b"&="))


def _names_and_values(encoded: str, pairs: Sequence[str]) -> list[str]:
    """Each name, and behind it its value.

    All at once where each pair has one sign of equality: to look at a hundred thousand one by one costs as much as to
    search them for personal data.
    """
    marks = encoded.encode("utf-8", "surrogatepass").translate(None, _OTHERS)
    if marks == b"&".join([b"="] * len(pairs)):
        return encoded.replace("&", "=").split("=")
    return [part for pair in pairs for part in pair.partition("=")[::2]]


def _unquoted(spelled: str) -> str:
    return unquote_plus(spelled, errors="surrogateescape") if "%" in spelled or "+" in spelled else spelled
