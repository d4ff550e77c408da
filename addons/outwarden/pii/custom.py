"""Entities of the user's own: RE2 patterns from the rules, so a rule can never hang the proxy."""

import re

from outwarden.pii.policy import CustomEntity
from outwarden.pii.recognizer import Check, Context, Recognizer, Verdict
from outwarden.pii.regexp import Regexp
from outwarden.pii.syntax import PatternError, read_shape

_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
# A longer one costs more to compile than a rule is worth.
_PATTERN_CHARACTERS_MAX = 8_000
_SCORE = 0.7
_SCORE_IN_CONTEXT = 0.95


def custom_recognizer(custom: CustomEntity) -> Recognizer:
    """Return the recogniser for ``custom``. Raises PatternError, with the reason, for one that cannot be used."""
    check_entity(custom.entity)
    check_pattern(custom.pattern)
    return Recognizer(custom.entity, custom.pattern, _check(custom))


def check_entity(name: str) -> None:
    """Raise PatternError for what cannot be the name of an entity, or of its placeholders."""
    if not _NAME.fullmatch(name):
        raise PatternError(f"entity {name!r} must be an upper-case name such as CUSTOMER_ID")


def check_pattern(pattern: str) -> None:
    """Raise PatternError for a pattern RE2 cannot take, that matches nothing at all, or that cannot be streamed."""
    if len(pattern) > _PATTERN_CHARACTERS_MAX:
        raise PatternError(f"the pattern is longer than {_PATTERN_CHARACTERS_MAX} characters")
    compiled = Regexp(pattern)
    if compiled.search(b"") is not None or compiled.matches(b" "):
        raise PatternError("the pattern matches an empty text or a space, so it would match everywhere")
    try:
        Regexp(read_shape(pattern).prefixes)
    except PatternError as error:
        raise PatternError(f"the pattern cannot be used on streams: {error}") from None


def _check(custom: CustomEntity) -> Check:
    context = Context("|".join(map(re.escape, custom.context))) if custom.context else None

    def check(text: str, start: int, end: int, more: bool) -> Verdict | None:
        named = context is not None and context.before(text, start)
        return Verdict(start, end, _SCORE_IN_CONTEXT if named else _SCORE)

    return check
