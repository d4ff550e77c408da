"""Keys, tokens and wallets in pieces: strings that a program puts together, fields, lines, halves that are told.

From where one begins (by its own beginning, or behind a word that names it) its pieces are put together, whatever
stands between; what it is then is told by its shape or check sum, so that nothing else has to.
"""

import re
from collections.abc import Iterator

from outwarden.pii.credentials import KEY_BEGINS, is_secret
from outwarden.pii.reading import VIEW
from outwarden.pii.recognizer import Context, Recognizer, Verdict
from outwarden.pii.wallets import is_wallet

_SCORE = 0.9
_TOKEN = re.compile(r"[A-Za-z0-9_\-][A-Za-z0-9_\-+/.:]*")
_NAME_AFTER = re.compile(r"[\"'\])]{0,2} ?[:=]")
_WORD = re.compile(r"[A-Z]?[a-z]+(?:[_\-.][a-z]+)*|[A-Z]+(?:_[A-Z]+)*|[0-9:.\-]+|[0-9]+(?:st|nd|rd|th)")
_EVEN_GAPS = frozenset({" ", "  ", "\u00a0", "\u2009", "\u202f", "\n", " \n"})
_SIGN_WORDS = {"underscore": "_", "dash": "-", "hyphen": "-", "dot": ".", "minus": "-"}
_START_WITHIN, _STARTS_MAX = 48, 5
_READ, _LABELS_MAX = 200, 5  # the same word so often again within so many code points names no secret
_GAP_MAX, _PIECES_MAX, _LENGTH_MAX = 44, 16, 700
_LABEL = Context(
    r"(?:(?:api|access|secret|private|auth|bot|deploy|service|signing)[_ \-]?)?(?:key|token|secret|schlüssel|clé)s?\b"
    r"|bearer|jwt\b|wallet"
    r"|btc|eth(?:ereum)?\b|bitcoin|crypto|payout|donat|withdraw|tips|ransom|clé|clave|chiave|chave|sleutel|klucz|credential"
    r"|(?:key|token|secret|wallet)_?\w{0,12}[ =]",
    wide=r"ключ|токен|кошел|密钥|钱包|キー|トークン|ウォレット|키|토큰|지갑|مفتاح|محفظة",
)
_BEGINS = (
    rf"{KEY_BEGINS}[A-Za-z0-9_\-+/.]{{0,120}}[^A-Za-z0-9_\-+/.]|\beyJ[A-Za-z0-9_\-]{{3}}"
    r"|\b0x[0-9a-fA-F]{2,38}[^A-Za-z0-9,]|\b0[xX][ :_\-]{1,2}[0-9a-fA-F]{4}|\b(?i:zero[ \-]?x) ?[0-9a-fA-F]{4}|\b(?:bc|ltc)1[a-z0-9]{1,60}[^A-Za-z0-9]|\b(?:BC|LTC)1[A-Z0-9]{1,60}[^A-Za-z0-9]"
    r"|\b[13][A-HJ-NP-Za-km-z1-9]{5,32}[^A-Za-z0-9]|\bA[KSBC][IC]A"
)

_BEGINS_HINT = rf"{KEY_BEGINS}|\beyJ|\b(?i:zero[ \-]?x) |\b0x[0-9a-fA-F]{{2}}|\b(?i:bc|ltc)1[A-Za-z0-9]|\b[13][A-HJ-NP-Za-km-z1-9]{{5}}"


def _kind(value: str) -> str | None:
    if is_secret(value):
        return "API_KEY"
    return "CRYPTO" if is_wallet(value.lower() if value.isupper() and value.startswith(_BECH32) else value) else None


_BECH32 = ("BC1", "LTC1")


def _is_opaque(piece: str) -> bool:
    """Whether no word of a language, number or time looks so."""
    return len(piece) > 1 and _WORD.fullmatch(piece) is None


def _pieces(text: str, start: int, *, alike: bool) -> tuple[list[str], list[int]]:
    """The pieces from ``start`` on, and where each ends.

    ``alike``: all tokens with the same between count; else only those that look like no word, with anything between.
    """
    pieces: list[str] = []
    ends: list[int] = []
    gap, at, sign, even = "", start, "", True
    limit = start + _LENGTH_MAX
    while len(pieces) < _PIECES_MAX and (token := _TOKEN.search(text, at, min(limit, at + _GAP_MAX + 1))):
        low, high = token.span()
        high = _TOKEN.match(text, low, limit).end()  # type: ignore[union-attr]  # it has just matched
        said = text[low:high].rstrip(".:")
        if not pieces:
            if low != start:
                break
        elif alike:
            gap = gap or text[ends[-1] : low]
            if gap != text[ends[-1] : low] or (gap.strip() in ("", ",", ".") and not (gap in _EVEN_GAPS and even)):
                break
            even = even and len(said) == len(pieces[0])  # groups of one length, but for the last
        elif low - ends[-1] > _GAP_MAX:
            break
        elif not _is_opaque(said) or text[high - 1] == ":" or _NAME_AFTER.match(text, high):
            sign = _SIGN_WORDS.get(said.lower(), sign)
            at = high
            continue
        if text[high : high + 1] in "\r\n" and high < len(text):
            said = said.rstrip("-")
        if said in pieces and len(said) > 1:
            break  # over and over the same
        pieces.append(sign + said)
        ends.append(low + len(said))
        at, sign = high, ""
    return pieces, ends


def _whole(text: str, start: int) -> Verdict | None:
    """The secret that begins at ``start`` and has more than one piece."""
    read: list[str] = []
    for alike in (False, True):
        pieces, ends = _pieces(text, start, alike=alike)
        if len(pieces) < 2 or pieces == read or _kind(pieces[0]):
            continue
        read = pieces
        for count in range(len(pieces), 1, -1):
            for joint in ("", "."):
                if (joint == "" or count == 3) and (entity := _kind(joint.join(pieces[:count]))):
                    return Verdict(start, ends[count - 1], _SCORE, entity)
    return None


_SAID_WALLET = re.compile(r"zero[ \-]?x[ ,:]{0,2}([0-9a-fA-F]{40})\b", re.IGNORECASE)


_SPACED_WALLET = re.compile(
    r"0[xX][ :_\-]{1,2}(?P<hex>[0-9a-fA-F]{4,40}(?:[ :_\-][0-9a-fA-F]{1,20}){0,19})(?![A-Za-z0-9])"
)


def _check_begun(text: str, start: int, end: int, more: bool) -> Verdict | None:
    if said := _SAID_WALLET.match(text, start):
        return Verdict(*said.span(), _SCORE, "CRYPTO") if is_wallet(f"0x{said[1]}") else None
    if spaced := _SPACED_WALLET.match(text, start):
        wallet = "0x" + re.sub("[^0-9a-fA-F]", "", spaced["hex"])
        return Verdict(*spaced.span(), _SCORE, "CRYPTO") if is_wallet(wallet) else None
    token = _TOKEN.search(text, start)
    if token is None or (token.start() and text[token.start() - 1].isalnum()):
        return None
    return _whole(text, token.start())


# Random characters have digits among letters, or capitals behind small ones.
_RANDOM = re.compile(r"[0-9][A-Za-z]|[A-Za-z][0-9]|[a-z][A-Z][A-Za-z0-9]*[a-z][A-Z]")


def _starts(text: str, end: int) -> Iterator[int]:
    """Where what a label names may begin: the first tokens that look like no word, and the first of all."""
    for count, token in enumerate(_TOKEN.finditer(text, end, end + _START_WITHIN)):
        if count >= _STARTS_MAX:
            return
        if count == 0 or _is_opaque(token[0]) or len(token[0]) <= 5:
            yield token.start()


def _check_named(text: str, start: int, end: int, more: bool) -> Verdict | None:
    if _RANDOM.search(text, end, end + _READ) is None:
        return None
    if text.count(text[start:end], end, end + _READ) >= _LABELS_MAX:
        return None
    for begin in _starts(text, end):
        if found := _whole(text, begin):
            return found
    return None


def pieced_recognizers(wanted: frozenset[str]) -> list[Recognizer]:
    """What finds secrets in pieces, where they are in ``wanted``."""
    names = wanted & {"API_KEY", "CRYPTO"}
    if not names:
        return []

    def only(verdict: Verdict | None) -> Verdict | None:
        return verdict if verdict is not None and verdict.entity in names else None

    return [
        Recognizer(
            VIEW, pattern, lambda *of, check=check: only(check(*of)), whole=True, names=frozenset(names), hint=hint
        )
        for pattern, check, hint in ((_BEGINS, _check_begun, _BEGINS_HINT), (_LABEL.pattern, _check_named, ""))
    ]
