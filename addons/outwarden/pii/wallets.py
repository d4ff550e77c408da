"""Addresses of wallets: Bitcoin and what is built like it, Ethereum, Tron, XRP."""

import hashlib

from stdnum import bitcoin

from outwarden.pii.recognizer import Context, Recognizer, Verdict, skip_edge, word_before

# By shape alone: no word or hash has these beginnings, and so many characters of bech32 behind them.
_BECH32 = r"(?:bc|tb|ltc|bnb|cosmos|osmo|addr|lnbc)1[ac-hj-np-z02-9]"
_EDGE = r"(?:\b|\\[nrtbf]|\\u[0-9A-Fa-f]{4})"
_WALLET = _EDGE + (
    r"(?:0x[0-9a-fA-F]{40}|bc1[ac-hj-np-z02-9]{11,71}"
    rf"|{_BECH32}{{38,103}}|[13LMDXTr][1-9A-HJ-NP-Za-km-z]{{25,34}})"
)
_WALLET_WORDS = Context(
    r"\w*wallet|crypto|btc|bitcoin|eth\b|ethereum|tron|trx|usdt|doge|ltc|litecoin|xrp|ripple|donation addr|payout addr"
)
_DIGITS_58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_CHECKED_BYTES = 25  # a version, 20 bytes of a hash, 4 of a check sum


def _is_base58_checked(value: str) -> bool:
    number = 0
    for digit in value:
        number = number * 58 + _DIGITS_58.index(digit)
    data = number.to_bytes((number.bit_length() + 7) // 8, "big").rjust(_CHECKED_BYTES, b"\0")
    body, check = data[:-4], data[-4:]
    return len(data) == _CHECKED_BYTES and hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4] == check


def _check_wallet(text: str, start: int, end: int, more: bool) -> Verdict | None:
    """By a checksum, by a shape that nothing else has, or after a word for one."""
    start = skip_edge(text, start)
    if word_before(text, start) or text[end : end + 1].isalnum():
        return None
    value = text[start:end]
    if value.startswith("0x"):
        return Verdict(start, end, 0.7) if len(set(value[2:].lower())) > 4 else None
    if "1" in value[2:7] and value.islower():
        right = not value.startswith("bc1") or bitcoin.is_valid(value) or _WALLET_WORDS.before(text, start)
        return Verdict(start, end, 0.9) if right else None
    if _is_base58_checked(value):
        return Verdict(start, end, 0.95)
    mixed = value.upper() != value and value.lower() != value and any(map(str.isdecimal, value[1:]))
    return Verdict(start, end, 0.7) if mixed and len(value) > 32 and _WALLET_WORDS.before(text, start) else None


RECOGNIZERS = (Recognizer("CRYPTO", _WALLET, _check_wallet),)
