"""Passwords and secrets by what stands around them: in a URL, in HTTP's Basic scheme, behind any name for a secret."""

import base64
import re

from outwarden.pii import logins, passwords
from outwarden.pii.recognizer import UNDECIDED, Context, Recognizer, Sign, Verdict

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

# --- in a URL

_AFTER_SCHEME = r"://[^\s:@/'\"<>]{0,64}:[^\s@/'\"<>]{1,128}@[A-Za-z0-9\[]"
_URL_LOGIN = rf"[a-zA-Z][a-zA-Z0-9+.\-]{{1,20}}{_AFTER_SCHEME}"
# Every letter begins what may be a scheme: searched from its end, not from each of them.
SCHEME_SIGN = Sign(_AFTER_SCHEME, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+.-", most=21)
_LOGIN = re.compile(r"://[^:@/]*:(?P<password>[^@]+)@.\Z", re.DOTALL)
# What else names a secret: its value must look like one all the more.
_SECRET_WORDS = (
    r"secret|(?:api|access|account|signing|encryption|storage|private).?key|token|credentials?|passcode|p a s s w o r d"
    r"|api[\- ]?schlüssel|zugriffsschlüssel|clé|chiave|chave|sleutel|klucz"
)
_SECRETS = Context(_SECRET_WORDS, inside=True, wide=r"ключ|токен|密钥|密鑰|キー|トークン|키|토큰|مفتاح")
_SECRET = re.compile(_SECRET_WORDS, re.IGNORECASE)
_ASSIGNED = re.compile(
    r"(?:[\"']?\s{0,3}(?:=>|:=|[=:：])\s{0,3}| is | ist | est | es | )[\"'`]?[^\s\"'`<>{}()\[\],;]{6,128}"
)
_ASSIGNED_MAX = 160
_ASSIGNED_TRIES = 4
_VALUE = re.compile(r"(?:[\"']?\s{0,3}(?:=>|:=|[=:：])\s{0,3}| is | ist | est | es | )[\"'`]?")
# What stands where a password would and is none: a placeholder, a variable, a call, a type, a path.
_NO_PASSWORD = re.compile(
    r"(?i)\$|%|\*{3}|x{4}|\.\.\.|env|none|null|true|false|undefined|string|bytes|required|optional|example|placeholder"
    r"|changeme|change_me|your|my_|password|secret|token|redacted|hidden|<|\[|self\.|this\.|config|settings|request|response"
    r"|https?:|file:|/|\\"
)


def _check_login(text: str, start: int, end: int, more: bool) -> Verdict | None:
    """The password of ``scheme://user:password@host`` alone: what remains is still a URL."""
    found = _LOGIN.search(text, start, end)
    if found is None or _is_stand_in(found["password"]):
        return None
    rest = _REST.match(text, end)
    assert rest is not None
    if more and rest.end() == len(text) < end + _REST_MAX:
        return UNDECIDED
    hosts = list(_HOST.finditer(rest[0]))
    stop = end + hosts[-1].start() if hosts else found.end("password")
    return Verdict(found.start("password"), stop, 0.85)


# A password may have signs that end it by the rules of a URL: what stands before the last host is part of it.
_REST_MAX = 64
_REST = re.compile(rf"[^\s'\"<>]{{0,{_REST_MAX}}}")
_HOST = re.compile(r"@(?=[\w.\-\[\]]+(?::\d{2,5})?(?:[/?]|\Z))")


# HTTP's Basic scheme (RFC 7617): a name and a password in base64.
_BASIC = r"\b(?i:basic)[ \t]{1,4}[A-Za-z0-9+/_\-]{8,240}={0,2}"


def _check_basic(text: str, start: int, end: int, more: bool) -> Verdict | None:
    at = max(text.rfind(" ", start, end), text.rfind("\t", start, end)) + 1
    if end == len(text) and more:
        return UNDECIDED
    try:
        login = base64.urlsafe_b64decode(text[at:end].replace("+", "-").replace("/", "_") + "==").decode("ascii")
    except ValueError:
        return None
    name, colon, password = login.partition(":")
    right = colon and login.isprintable() and len(password) >= _BASIC_MIN and not _is_stand_in(password)
    return Verdict(at, end, 0.85) if right and " " not in name else None


_BASIC_MIN = 3


def _is_stand_in(value: str) -> bool:
    """Whether a variable or a word for a password stands there: ${DB_PASSWORD}, <password>, ****."""
    return value.startswith(("$", "{", "<", "%", "[")) or value.lower() in (
        "password",
        "pass",
        "pwd",
        "secret",
        "x-oauth-basic",
    )


def _check_named(text: str, start: int, end: int, more: bool) -> Verdict | list[Verdict] | None:
    """The password or secret behind a word for one, or in a place that needs none."""
    if _SECRET.match(text, start, end):
        return _in_sight(text, end) or logins.check_login(text, start, end)
    if passwords.is_word(text, start, end):
        return passwords.check_named(text, start, end) or _in_sight(text, end) or logins.check_login(text, start, end)
    return logins.check_login(text, start, end)


def _in_sight(text: str, end: int) -> Verdict | None:
    for count, found in enumerate(_ASSIGNED.finditer(text, end, end + _ASSIGNED_MAX)):
        between = text[end : found.start()]
        if count >= _ASSIGNED_TRIES or len(between) > _NAME_WIDTH or "," in between or "\n" in between:
            return None  # what the next line assigns has a name of its own
        if verdict := _check_assigned(text, *found.span()):
            return verdict
    return None


def _check_assigned(text: str, start: int, end: int) -> Verdict | None:
    """What somebody calls a password and what looks like one: letters with digits or signs, no word of a program."""
    value = _VALUE.match(text, start, end)
    if value is None:
        return None
    at, stop = value.end(), end
    while stop > at and text[stop - 1] in ".!?:":
        stop -= 1
    said = text[at:stop]
    if is_random_run(said) and text[end : end + 1] != "(":
        return Verdict(at, stop, 0.7)
    if value[0] == " " and not (len(said) > _PASSWORD_MIN and _MIXED.fullmatch(said)):
        return None  # "the password Reset2 form"
    if (
        len(said) < _PASSWORD_MIN
        or said[0] == ":"
        or passwords.CODE.search(said)
        or _NO_PASSWORD.search(said)
        or text[end : end + 1] == "("
    ):
        return None
    kinds = sum(map(bool, (re.search("[a-z]", said), re.search("[A-Z]", said), re.search(r"\d", said))))
    odd = re.search(r"[^\w.\-]", said) is not None
    if kinds + odd < 3 or (said.isidentifier() and kinds < 3) or _is_a_dotted_name(said):
        return None
    return Verdict(at, stop, 0.6)


def is_random_run(said: str) -> bool:
    """Whether no word of a language or program looks so: 32 hexadecimal digits, 24 characters of all kinds."""
    if _HEX_RUN.fullmatch(said):
        return len(set(said)) > _HEX_KINDS_MIN
    digits = sum(map(str.isdecimal, said))
    mixed = said.upper() != said and said.lower() != said
    return _BASE64_RUN.fullmatch(said) is not None and mixed and digits >= len(said) // 16 + 1


def _is_a_dotted_name(said: str) -> bool:
    if _DOTTED_NAME.fullmatch(said) is None:
        return False
    return sum(map(str.isdecimal, said)) < 2 or sum(map(str.isupper, said)) < 2


_NAME_WIDTH = 24
_PASSWORD_MIN = 6
_HEX_RUN = re.compile(rf"[0-9a-f]{{32,128}}|[0-9A-F]{{32,128}}|{_UUID}")
_HEX_KINDS_MIN = 6
_BASE64_RUN = re.compile(r"[A-Za-z0-9+/_\-]{24,128}={0,2}")
# Letters in both cases, digits, and a sign that no name has.
_MIXED = re.compile(
    r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d.*\d)(?=.*[^\w.\-/:]).*|(?=.*[a-z].*[a-z])(?=.*[A-Z].*[A-Z])(?=.*\d.*\d)[^/:()]{10,}"
)
_DOTTED_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")

RECOGNIZERS = (
    Recognizer("PASSWORD", _URL_LOGIN, _check_login, hint="://", sign=SCHEME_SIGN),
    Recognizer("PASSWORD", _BASIC, _check_basic),
    Recognizer(
        "PASSWORD", f"{passwords.WORDS.pattern}|{_SECRETS.pattern}|{logins.BEGINNINGS}", _check_named, whole=True
    ),
)
