"""Which counters a call counts in: one account per budget that applies, for whom and for which window."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import translate
from functools import lru_cache
from hashlib import sha256
from re import Pattern
from re import compile as compile_pattern

from outwarden.budget.callers import Caller
from outwarden.budget.limits import Budget, BudgetRules, Projected
from outwarden.budget.windows import window_at

UNKNOWN = "unknown"  # the id of whoever does not say: one counter for all of them, never none
EVERYONE = "all"

_ID_CHARACTERS_MAX = 200  # ids come from headers and keys; a longer one keeps its start and a digest
_DIGEST_CHARACTERS = 16

_UNKEPT = compile_pattern("[\x00\ud800-\udfff]")
_OF_BODY = " body:"  # between an owner and the name of what is asked

_SCOPE_FIELDS = {
    "session": "session",
    "api_key": "api_key_id",
    "user": "user",
    "team": "team",
    "project": "project",
    "organization": "organization",
}


@dataclass(frozen=True, slots=True)
class Account:
    """One counter of a budget: ``id`` says for whom within its scope; the window is [start, end) in UTC, or None.

    ``rate_of``: this one only measures how fast that one is spent (`Projected`); it stands right behind it.
    """

    budget: Budget
    id: str
    window_start: datetime | None
    window_end: datetime | None
    rate_of: "Account | None" = None


def accounts(
    rules: BudgetRules,
    caller: Caller,
    *,
    provider: str,
    model: str | None,
    call_id: str,
    at: datetime,
    body_id: Callable[[], str] = lambda: UNKNOWN,
) -> tuple[Account, ...]:
    """List the accounts a call counts in, in the order of the rules. ``at`` is aware.

    ``body_id`` names what is asked without telling it (`keyed_digest`); it is called where a budget counts identical
    calls. A scope the call says nothing about counts under the id ``unknown``: no budget is ever skipped for want of a
    name.
    """
    found = []
    for budget in rules.budgets:
        if _applies(budget, caller, provider, model):
            found.append(Account(budget, _id(budget, caller, model, call_id, body_id), *_window(budget, at)))
            if budget.projected:
                found.append(_rate_of(found[-1], budget.projected))
    return tuple(found)


def account_of(budget: Budget, id_: str, at: datetime) -> Account:
    """The account of a budget that counts for ``id_`` at a time."""
    return Account(budget, id_as_counted(budget, id_), *_window(budget, at))


def id_as_counted(budget: Budget, written: str) -> str:
    """An id that a person wrote, as accounts have it."""
    return bounded_id(written.lower() if budget.scope == "model" else written)


def owner_of(account: Account) -> str:
    """Whom an account counts for; of one that counts a body, whose."""
    return account.id.partition(_OF_BODY)[0] if account.budget.identical else account.id


def _rate_of(account: Account, rule: Projected) -> Account:
    """A rolling account beside another one; it never refuses by its own limit."""
    window = f"rate {rule.over_s}s"
    budget = replace(account.budget, window=window, burst=None, warn_at=(), on_exceeded="warn")
    return Account(budget, account.id, None, None, account)


def _window(budget: Budget, at: datetime) -> tuple[datetime | None, datetime | None]:
    return (None, None) if budget.scope == "request" else window_at(budget.window, budget.timezone, at)


def _id(budget: Budget, caller: Caller, model: str | None, call_id: str, body_id: Callable[[], str]) -> str:
    owner = _owner(budget, caller, model, call_id)
    return f"{owner}{_OF_BODY}{body_id()}" if budget.identical else owner


def _owner(budget: Budget, caller: Caller, model: str | None, call_id: str) -> str:
    match budget.scope:
        case "request":
            return call_id
        case "all":
            return EVERYONE
        case "model":
            value = model.lower() if model else None  # providers differ on case; a limit must not
        case scope:
            value = getattr(caller, _SCOPE_FIELDS[scope])
    return bounded_id(value) if value else UNKNOWN


def keyed_digest(secret: bytes, *parts: bytes) -> str:
    """Name something without telling it: a keyed hash of ``parts``, 96 bits of it in hex."""
    framed = b"".join(len(part).to_bytes(8, "big") + part for part in (b"budget", *parts))
    return hmac.digest(secret, framed, "sha256")[:12].hex()


def bounded_id(value: str) -> str:
    """Keep an id short, and such that every database keeps it: else its start and a digest of the whole.

    PostgreSQL keeps no NUL, and no database a lone surrogate; JSON may hold both.
    """
    if len(value) <= _ID_CHARACTERS_MAX and not _UNKEPT.search(value):
        return value
    digest = sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_CHARACTERS]
    return f"{_UNKEPT.sub('?', value[: _ID_CHARACTERS_MAX - _DIGEST_CHARACTERS - 1])}~{digest}"


def _applies(budget: Budget, caller: Caller, provider: str, model: str | None) -> bool:
    for field, pattern in budget.only.items():
        match field:
            case "model":
                value, pattern = (model or "").lower(), pattern.lower()
            case "provider":
                value, pattern = provider.lower(), pattern.lower()
            case _:
                value = getattr(caller, _SCOPE_FIELDS.get(field, field)) or ""
        if not _compiled(pattern).match(value):
            return False
    return True


@lru_cache(1024)
def _compiled(pattern: str) -> Pattern[str]:
    return compile_pattern(translate(pattern))
