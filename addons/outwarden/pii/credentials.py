"""Credentials: keys with a known beginning, AWS secrets next to their name, JSON web tokens, private keys.

Tokens and key blocks have no upper length, so their patterns propose the beginning only and the checks follow them for
at most `SECRET_MAX` code points; a longer one is found up to there.
"""

import re

from outwarden.pii.recognizer import (
    UNDECIDED,
    Context,
    Recognizer,
    Verdict,
    skip_edge,
    word_before,
)

# Longer than an RSA key of 8192 bits in PEM (6.4 kB) and than the header lines servers accept for a token (8 kB).
SECRET_MAX = 8192

_EDGE = r"(?:\b|\\[nrtbf]|\\u[0-9A-Fa-f]{4})"
# The beginnings of keys, and what follows each; the pattern takes them together (every counter is a state that a
# stream's tail has to carry), the check one by one.
_BEGINNINGS = (
    r"sk-[A-Za-z0-9_\-]{16,}",  # OpenAI (sk-proj-, sk-svcacct-), Anthropic (sk-ant-), OpenRouter, DeepSeek
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])",  # AWS access key ids
    r"gh[oprsu]_[A-Za-z0-9]{30,}",  # GitHub
    r"github_pat_[A-Za-z0-9_]{20,}",
    r"glpat-[A-Za-z0-9_\-]{20,}",  # GitLab
    r"AIza[A-Za-z0-9_\-]{35}",  # Google
    r"GOCSPX-[A-Za-z0-9_\-]{20,}",
    r"ya29\.[A-Za-z0-9_\-]{20,}",
    r"xox[abeoprs]-[A-Za-z0-9\-]{10,}",  # Slack
    r"xapp-[A-Za-z0-9\-]{20,}",
    r"[rs]k_(?:live|test)_[A-Za-z0-9]{10,}",  # Stripe
    r"whsec_[A-Za-z0-9+/=]{24,}",
    r"hf_[A-Za-z0-9]{30,}",  # Hugging Face
    r"npm_[A-Za-z0-9]{36}",
    r"SG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}",  # SendGrid
    r"gsk_[A-Za-z0-9]{30,}",  # Groq
    r"xai-[A-Za-z0-9]{30,}",
    r"pplx-[A-Za-z0-9]{30,}",
)
_KEY = _EDGE + (
    r"(?:sk-|A[KSBC][IC]A|gh[oprsu]_|github_pat_|glpat-|AIza|GOCSPX-|ya29\.|xox[abeoprs]-|xapp-|[rs]k_(?:live|test)_"
    r"|whsec_|hf_|npm_|SG\.|gsk_|xai-|pplx-)[A-Za-z0-9_\-+/=.]{10,250}"
)
_KEY_KINDS = re.compile("|".join(_BEGINNINGS))
_NAMED_PREFIX = re.compile(r"sk-(?:ant|proj|svcacct|admin|or)-")
_DUMMY = re.compile(r"(.)\1{11}\Z")  # ghp_xxxxxxxxxxxx: nobody's key
_PLAIN_RUN = re.compile(r"[A-Za-z0-9]{16,}")  # what tells sk-<key> from the class name sk-fading-circle-12-child

_AWS_SECRET = _EDGE + r"[A-Za-z0-9/+]{40}"
_AWS_WORDS = Context(r"aws|secret.?(?:access.?)?key|secretaccesskey", inside=True)
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/+=")

_JWT = _EDGE + "eyJ"
_TOKEN_PART = re.compile(r"[A-Za-z0-9_-]*")
_PART_MIN = 8
_PARTS_MAX = 5  # an encrypted token (JWE) has five parts, a signed one three

_BEGIN = r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
# What tells a key from source that names its first and last lines; DER begins with MI in base64.
_KEY_MATERIAL = re.compile(r"[A-Za-z0-9+/=]{16,}|(?<![A-Za-z0-9])MI[A-Za-z0-9]")
_END_WITHIN = 200  # code points that may stand between the last line that looks like a key and the END line
_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
# Lines of a key: base64, or a header such as "DEK-Info: AES-128-CBC,1F5A". Separators may be escapes (source, JSON).
_BREAK = r"(?:\s|\\[nrt]|[\"'+,>|])"
_BODY = re.compile(
    rf"(?:{_BREAK}+|[A-Za-z0-9+/=.…*]{{16,}}|(?:Proc-Type|DEK-Info|Version|Comment):[^\n\\]{{0,80}}"
    rf"|(?<=[\nnr\"'\t >-])[A-Za-z0-9+/=.…*\-_]{{1,15}}(?=[ \t]{{0,4}}(?:[\n\r\"'\\]|-----|\Z)))*"
)


def _check_key(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    key = _KEY_KINDS.match(text, start, end)
    if key is None or word_before(text, start) or _DUMMY.search(key[0]):
        return None
    if key[0].startswith("sk-") and not _NAMED_PREFIX.match(key[0]) and not _PLAIN_RUN.search(key[0], 3):
        return None
    return Verdict(start, key.end(), 0.97)


def _check_aws_secret(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    if text[start - 1 : start] in _BASE64 and word_before(text, start):
        return None
    if text[end : end + 1] in _BASE64 and end < len(text):
        return None
    return Verdict(start, end, 0.9) if _looks_random(text[start:end]) else None


def _looks_random(value: str) -> bool:
    """Tell 30 random bytes in base64 from a long name or a path."""
    digits = sum(map(str.isdecimal, value))
    mixed = value.upper() != value and value.lower() != value
    return mixed and (digits >= 2 or (digits >= 1 and ("/" in value or "+" in value)))


def _check_token(text: str, start: int, end: int, more: bool) -> Verdict | None:
    """Follow the dotted parts of a token; a header alone is no token."""
    start = skip_edge(text, start)
    if word_before(text, start) or text[start - 1 : start] in ("-", "_"):
        return None
    limit = min(len(text), start + SECRET_MAX)
    open_end = more and limit < start + SECRET_MAX
    at, parts = start, 0
    while parts < _PARTS_MAX:
        stop = _TOKEN_PART.match(text, at, limit).end()  # type: ignore[union-attr]  # matches always, maybe nothing
        if stop == limit and open_end:
            return UNDECIDED
        if stop - at < _PART_MIN and stop < limit:
            break
        at, parts = stop, parts + 1
        if at == limit or text[at] != ".":
            break
        at += 1
    if text[at - 1] == ".":
        at -= 1
    whole = parts >= 3 or (at == limit and parts >= 2 and limit == start + SECRET_MAX)
    return Verdict(start, at, 0.95) if whole else None


def _check_private_key(text: str, start: int, end: int, more: bool) -> Verdict | None:
    """Take the block to its END line; where that is missing, the lines that still look like a key."""
    limit = min(len(text), start + SECRET_MAX)
    body = _BODY.match(text, end, limit).end()  # type: ignore[union-attr]  # matches always, maybe nothing
    horizon = min(start + SECRET_MAX, body + _END_WITHIN)
    if found := _END.search(text, end, horizon):
        return Verdict(start, found.end(), 0.99) if _KEY_MATERIAL.search(text, end, found.start()) else None
    if more and len(text) < horizon:
        return UNDECIDED
    return Verdict(start, body, 0.9) if _KEY_MATERIAL.search(text, end, body) else None


RECOGNIZERS = (
    Recognizer("API_KEY", _KEY, _check_key),
    Recognizer("API_KEY", _AWS_SECRET, _check_aws_secret, near=_AWS_WORDS),
    Recognizer("API_KEY", _JWT, _check_token),
    Recognizer("API_KEY", _BEGIN, _check_private_key),
)
