"""Addresses of cryptocurrencies: Bitcoin, Litecoin, Dogecoin and Tron by their check sums, Ethereum by its shape."""

import hashlib

WALLET = (
    r"(?:0x[0-9a-fA-F]{40}|(?:bc|ltc)1[ac-hj-np-z02-9]{11,71}"
    r"|[13][1-9A-HJ-NP-Za-km-z]{25,34}|[LMTD][1-9A-HJ-NP-Za-km-z]{33})"
)
_BASE58 = {one: at for at, one in enumerate("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")}
_BECH32 = {one: at for at, one in enumerate("qpzry9x8gf2tvdw0s3jn54khce6mua7l")}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32_ENDS = frozenset({1, 0x2BC830A3})  # BIP 173, BIP 350
_KINDS_MIN = 5  # different digits: no 0x000…


def is_wallet(value: str) -> bool:
    """Whether ``value`` is the address of a wallet."""
    if value.startswith("0x"):
        rest = value[2:].lower()
        return len(rest) == 40 and not rest.strip("0123456789abcdef") and len(set(rest)) >= _KINDS_MIN
    prefix, one, rest = value.partition("1")
    if one and prefix in ("bc", "ltc"):
        return len(rest) >= 11 and _is_bech32(prefix, rest)
    return value[:1] in frozenset("13LMTD") and 26 <= len(value) <= 35 and _is_base58(value)


def _is_base58(value: str) -> bool:
    number = 0
    for one in value:
        if (digit := _BASE58.get(one)) is None:
            return False
        number = number * 58 + digit
    if number >= 1 << 200:
        return False
    data = number.to_bytes(25, "big")
    return hashlib.sha256(hashlib.sha256(data[:21]).digest()).digest()[:4] == data[21:]


def _is_bech32(prefix: str, rest: str) -> bool:
    check = 1
    values = [ord(one) >> 5 for one in prefix] + [0] + [ord(one) & 31 for one in prefix]
    for value in [*values, *(_BECH32.get(one, 99) for one in rest)]:
        if value == 99:
            return False
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate(_GENERATOR):
            check ^= term if top >> bit & 1 else 0
    return check in _BECH32_ENDS
