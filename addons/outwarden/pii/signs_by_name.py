"""Values of which somebody says the signs: `ghp underscore qlNE…`, `sk (underscore) live …`, `2a04 colon 992 colon …`.

Only words that say a sign and little else are looked for; what stands around them is read with all signs in their
place, and counts where what is found there has one of them inside.
"""

import re

from outwarden.pii.folding import rewrite, unchanged
from outwarden.pii.reading import DISCOUNT, VIEW, Look
from outwarden.pii.recognizer import LOOK_BACK, Recognizer, Verdict

_UNDERSCORE = (
    r"under[ \-]?(?:score|line)|unterstrich|gui[oó]n bajo|tiret bas|trattino basso|onderstrepingsteken|underline"
)
_COLONS = r"double colon|colon colon|doppelter doppelpunkt|doppel-doppelpunkt"
_COLON = r"colon|doppelpunkt|dos puntos|deux[ \-]points|due punti|dubbele ?punt|dois pontos"
_HYPHEN = r"hyphen|dash|minus|bindestrich|gui[oó]n|tiret|trattino|h[íi]fen|streepje"
_DOT = r"dot|period|punkt|punto|ponto|punt|point"
_SAID = r"(?: ?[(\[<{] ?WORD ?[)\]>}] ?| WORD )"
# What begins a row, and how it goes on.
_SIGN = rf"[A-Za-z0-9](?i:{_SAID.replace('WORD', f'(?:{_UNDERSCORE}|{_COLONS}|{_COLON})')})[A-Za-z0-9]"
_WORD = re.compile(
    _SAID.replace(
        "WORD",
        rf"(?:(?P<N>{_UNDERSCORE})|(?P<C>{_COLONS})|(?P<c>{_COLON})|(?P<h>{_HYPHEN})|(?P<d>{_DOT}))",
        1,
    ).replace(
        "WORD", rf"(?:(?P<N2>{_UNDERSCORE})|(?P<C2>{_COLONS})|(?P<c2>{_COLON})|(?P<h2>{_HYPHEN})|(?P<d2>{_DOT}))"
    ),
    re.IGNORECASE,
)
_SIGNS = {"N": "_", "C": "::", "c": ":", "h": "-", "d": "."}
_BEFORE, _REACH = 48, 200


def _check(look: Look, text: str, start: int, end: int) -> Verdict | None:
    low = max(0, start - _BEFORE)
    before = text[max(0, low - LOOK_BACK) : low]
    read = rewrite(unchanged(text[low : end + _REACH]), _WORD, lambda word: _SIGNS[str(word.lastgroup)[0]])
    for one in look(before + read.text):
        if one.start < len(before):
            continue
        first, last = read.span(one.start - len(before), one.end - len(before))
        if low + first < end and low + last > start + 1 and last - first > one.end - one.start:
            return Verdict(low + first, low + last, one.score * DISCOUNT, one.entity)
    return None


def named_sign_recognizers(look: Look) -> list[Recognizer]:
    """What finds all that ``look`` does where its signs are said."""
    return [Recognizer(VIEW, _SIGN, lambda text, start, end, more: _check(look, text, start, end), whole=True)]
