"""``a=1&b=2``, in a query or a form: rewrite values and names, and leave the spelling of every other one alone."""

from collections.abc import Callable, Sequence
from urllib.parse import quote_plus, unquote_plus


def rewrite_pairs(
    encoded: str, rewrite: Callable[[Sequence[str]], Sequence[str]], kept: frozenset[str] = frozenset()
) -> str:
    """Replace names and values by what ``rewrite`` makes of them, all at once; what is equal keeps its spelling.

    Values of names in ``kept`` stay.
    """
    pairs = [pair.partition("=") for pair in encoded.split("&")]
    different = {spelled for pair in pairs for spelled in pair}
    plain = {spelled: unquote_plus(spelled, errors="surrogateescape") for spelled in different}
    asked = [one for name, _, value in pairs for one in ((name,) if plain[name] in kept else (name, value)) if one]
    rewritten = iter(rewrite([plain[spelled] for spelled in asked]))

    def spelled(one: str) -> str:
        new = next(rewritten) if one else one
        return one if new == plain[one] else quote_plus(new, errors="surrogateescape")

    return "&".join(
        spelled(name) + mark + (value if plain[name] in kept else spelled(value)) for name, mark, value in pairs
    )
