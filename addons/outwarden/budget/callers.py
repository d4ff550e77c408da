"""Who calls: from what a request shows to the fields that fill the budget scopes."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Caller:
    """Who made a call. ``api_key_id`` is ``sha256:<hex>`` of the key, never the key; empty fields are None."""

    api_key_id: str | None = None
    user: str | None = None
    team: str | None = None
    project: str | None = None
    organization: str | None = None
    session: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a request shows of its sender. Header names are lower-case."""

    api_key: str | None
    source: str
    proxy_user: str | None
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CallerRule:
    """One entry of ``callers.yml``: all conditions of ``match`` must hold; ``fields`` are set then.

    ``match`` keys: ``api_key`` (``sha256:…``), ``source`` (CIDR), ``proxy_user`` (``*`` pattern), and
    ``header`` as a mapping of name to a regular expression whose named groups fill fields.
    """

    api_key: str | None = None
    source: str | None = None
    proxy_user: str | None = None
    header: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CallerRules:
    """``callers.yml`` as a whole."""

    callers: tuple[CallerRule, ...] = ()
    default: Mapping[str, str] = field(default_factory=dict)
    session: tuple[str, ...] = ()
