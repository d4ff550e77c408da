"""Personal data and secrets in text: what is found, what is put in its place, and the way back.

This room knows text only: strings in, spans and edits out, offsets in code points. Where text is in a request (and that
JSON must stay JSON) is the wire's business; reading ``pii.yml`` is that of rules.
"""

from outwarden.pii.callers import CallerVaults
from outwarden.pii.custom import check_entity
from outwarden.pii.detect import ENTITIES, Detector
from outwarden.pii.echoes import Echoes
from outwarden.pii.engine import (
    PiiEngine,
    check_allow,
    check_custom,
    check_listed,
    unknown_entities,
)
from outwarden.pii.finder import Allowance, Finder, FinderChannel, Span
from outwarden.pii.known import KnownInSession
from outwarden.pii.listed import hash_of
from outwarden.pii.names import ModelError, NameFinder, finders_for, reader_of
from outwarden.pii.national import COUNTRIES
from outwarden.pii.policy import (
    NAME_ENTITIES,
    RESERVED_ENTITIES,
    Action,
    CustomEntity,
    Direction,
    ForRule,
    Listed,
    NerModel,
    NerPolicy,
    PiiPolicy,
)
from outwarden.pii.rewriters import ReplyRewriter, RequestRewriter
from outwarden.pii.stream import HOLD_MAX, Scanner
from outwarden.pii.syntax import PatternError
from outwarden.pii.vault import Vault

__all__ = [
    "COUNTRIES",
    "ENTITIES",
    "HOLD_MAX",
    "NAME_ENTITIES",
    "RESERVED_ENTITIES",
    "Action",
    "Allowance",
    "CallerVaults",
    "CustomEntity",
    "Detector",
    "Direction",
    "Echoes",
    "Finder",
    "FinderChannel",
    "ForRule",
    "KnownInSession",
    "Listed",
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
    "check_entity",
    "check_listed",
    "finders_for",
    "hash_of",
    "reader_of",
    "unknown_entities",
]
