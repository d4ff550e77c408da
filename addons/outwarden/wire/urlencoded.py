"""``a=1&b=2``, in a query or a form: rewrite values and names, and leave the spelling of every other one alone."""

from collections.abc import Callable, Sequence
from itertools import chain
from urllib.parse import quote_plus, unquote_plus


def rewrite_pairs(
    encoded: str, rewrite: Callable[[Sequence[str]], Sequence[str]], kept: frozenset[str] = frozenset()
) -> str:
    """Replace names and values by what ``rewrite`` makes of them, all at once; what is equal keeps its spelling.

    Values of names in ``kept`` stay.
    """
    spelled = encoded.split("&")
    pairs = [pair.partition("=") for pair in spelled]
    are_kept = [_unquoted(name) in kept for name, _, _ in pairs] if kept else [False] * len(pairs)
    said = chain.from_iterable((n, "" if k else v) for (n, _, v), k in zip(pairs, are_kept, strict=True))
    asked = list(filter(None, said))
    texts = list(map(_unquoted, asked)) if "%" in encoded or "+" in encoded else asked
    rewritten = zip(asked, texts, rewrite(texts), strict=True)
    changed = {one: quote_plus(new, errors="surrogateescape") for one, old, new in rewritten if new != old}
    if not changed:
        return encoded
    for at, (name, mark, value) in enumerate(pairs):
        if name in changed or value in changed:
            spelled[at] = changed.get(name, name) + mark + (value if are_kept[at] else changed.get(value, value))
    return "&".join(spelled)


def _unquoted(spelled: str) -> str:
    return unquote_plus(spelled, errors="surrogateescape") if "%" in spelled or "+" in spelled else spelled
