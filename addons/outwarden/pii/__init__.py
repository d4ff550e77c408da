"""Personal data and secrets in text: what is found, what is put in its place, and the way back.

This room knows text only: strings in, spans and edits out, offsets in code points. Where text is in a request (and that
JSON must stay JSON) is the wire's business; reading ``pii.yml`` is that of rules.
"""

from outwarden.pii.callers import CallerVaults
from outwarden.pii.detect import ENTITIES, Allowance, Detector, Finder, FinderChannel, Span
from outwarden.pii.engine import (
    PiiEngine,
    ReplyRewriter,
    RequestRewriter,
    check_allow,
    check_custom,
    unknown_entities,
)
from outwarden.pii.known import KnownInSession
from outwarden.pii.names import ModelError, NameFinder, finders_for, reader_of
from outwarden.pii.national import COUNTRIES
from outwarden.pii.policy import NAME_ENTITIES, Action, CustomEntity, Direction, NerModel, NerPolicy, PiiPolicy
from outwarden.pii.stream import HOLD_MAX, Scanner
from outwarden.pii.syntax import PatternError
from outwarden.pii.vault import Vault

__all__ = [
    "COUNTRIES",
    "ENTITIES",
    "HOLD_MAX",
    "NAME_ENTITIES",
    "Action",
    "Allowance",
    "CallerVaults",
    "CustomEntity",
    "Detector",
    "Direction",
    "Finder",
    "FinderChannel",
    "KnownInSession",
    "ModelError",
    "NameFinder",
    "NerModel",
    "NerPolicy",
    "PatternError",
    "PiiEngine",
    "PiiPolicy",
    "ReplyRewriter",
    "RequestRewriter",
    "Scanner",
    "Span",
    "Vault",
    "check_allow",
    "check_custom",
    "finders_for",
    "reader_of",
    "unknown_entities",
]
