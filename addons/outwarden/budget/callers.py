"""Who calls: from what a request shows to the fields that fill the budget scopes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import translate
from functools import cached_property, lru_cache
from hashlib import sha256
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from re import Pattern
from re import compile as compile_glob
from typing import Any

import re2  # type: ignore[import-untyped]

FIELDS = ("user", "team", "project", "organization", "session")  # what a rule or a named group may fill
_VALUE_CHARACTERS_MAX = 1024  # of a header that is matched: a longer one matches nothing

# Headers that a call cannot do without, or that say nothing of a caller: matched, but forwarded all the same.
_KEPT = frozenset(
    {
        "accept",
        "api-key",
        "authorization",
        "content-encoding",
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "x-api-key",
        "x-goog-api-key",
    }
)


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

    @cached_property
    def matcher(self) -> "Matcher":
        """The rules made ready to match, once."""
        return Matcher(self)


def key_id(key: str) -> str:
    """Name a key without telling it: ``sha256:`` and 64 hex digits, as ``outwarden key-id`` prints."""
    return f"sha256:{sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"


def identify(rules: CallerRules, evidence: Evidence) -> tuple[Caller, frozenset[str]]:
    """Say who calls, and which headers of ours must not be forwarded.

    The first rule whose conditions all hold fills its fields and those its patterns name; ``default`` fills what is
    still empty; the first header of ``session`` that is there names the session. Every header that any rule matches on
    is taken off, whichever rule won (but none that the call needs).
    """
    return rules.matcher.identify(evidence)


def header_pattern(pattern: str) -> Any:
    """Compile a header's pattern, to be searched in linear time. Raises ValueError saying what is wrong with it."""
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        raise ValueError(f"the pattern cannot be used: {_text(error)}") from None
    if strange := set(compiled.groupindex) - set(FIELDS):
        raise ValueError(f"the pattern names {sorted(strange)[0]!r}; a caller has only {', '.join(FIELDS)}")
    return compiled


def _text(error: Exception) -> str:
    """RE2 speaks bytes."""
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


class Matcher:
    """`CallerRules`, compiled: rules that want a key are found by that key, the others are tried in order."""

    def __init__(self, rules: CallerRules) -> None:
        self._rules = [_Rule(rule) for rule in rules.callers]
        self._networks = any(rule.network for rule in self._rules)
        self._any_key = [n for n, rule in enumerate(rules.callers) if rule.api_key is None]
        self._by_key: dict[str, list[int]] = {}
        for number, rule in enumerate(rules.callers):
            if rule.api_key is not None:
                self._by_key.setdefault(rule.api_key.lower(), []).append(number)
        self._default = {name: value for name, value in rules.default.items() if value}
        self._session = tuple(name.lower() for name in rules.session)
        self._strip = frozenset(name.lower() for rule in rules.callers for name in rule.header) - _KEPT

    def identify(self, evidence: Evidence) -> tuple[Caller, frozenset[str]]:
        """See `identify`."""
        api_key_id = key_id(evidence.api_key) if evidence.api_key else None
        fields = {**self._default, **self._first_match(api_key_id, evidence)}
        if "session" not in fields and (session := self._session_of(evidence)):
            fields["session"] = session
        caller = Caller(api_key_id=api_key_id, source=evidence.source, **fields)
        return caller, self._strip & evidence.headers.keys()

    def _first_match(self, api_key_id: str | None, evidence: Evidence) -> dict[str, str]:
        address = _address(evidence.source) if self._networks else None
        for number in sorted((*self._by_key.get(api_key_id or "", ()), *self._any_key)):
            found: dict[str, str] | None = self._rules[number].match(evidence, address)
            if found is not None:
                return found
        return {}

    def _session_of(self, evidence: Evidence) -> str | None:
        return next((value for name in self._session if (value := evidence.headers.get(name))), None)


class _Rule:
    """One `CallerRule`, compiled; its key is looked at by the `Matcher`."""

    def __init__(self, rule: CallerRule) -> None:
        self.network = ip_network(rule.source, strict=False) if rule.source else None
        self._proxy_user = compile_glob(translate(rule.proxy_user)) if rule.proxy_user else None
        self._headers = [(name.lower(), header_pattern(pattern)) for name, pattern in rule.header.items()]
        self._fields = {name: value for name, value in rule.fields.items() if value}

    def match(self, evidence: Evidence, address: IPv4Address | IPv6Address | None) -> dict[str, str] | None:
        """The fields this rule fills, or None where it does not match."""
        if self.network is not None and not _within(address, self.network):
            return None
        if self._proxy_user is not None and not _like(self._proxy_user, evidence.proxy_user):
            return None
        found: dict[str, str] = dict(self._fields)
        for name, pattern in self._headers:
            value = evidence.headers.get(name)
            if value is None or len(value) > _VALUE_CHARACTERS_MAX or (match := pattern.search(value)) is None:
                return None
            found.update((group, text) for group, text in match.groupdict().items() if text)
        return found


def _like(pattern: Pattern[str], value: str | None) -> bool:
    return value is not None and pattern.match(value) is not None


def _within(address: IPv4Address | IPv6Address | None, network: IPv4Network | IPv6Network) -> bool:
    return address is not None and address in network


@lru_cache(4096)
def _address(source: str) -> IPv4Address | IPv6Address | None:
    """Read an address; IPv4 dressed as IPv6 counts as IPv4. None for what is no address."""
    try:
        address = ip_address(source)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
