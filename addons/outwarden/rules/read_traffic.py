"""``traffic.yml``: which hosts are ours, what they speak, and what happens to the rest."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Literal

from outwarden.rules.files import address, path_in
from outwarden.rules.nodes import Listing, Node, NodeError, Scalar
from outwarden.rules.read_aws import aws_identity
from outwarden.rules.values import Keys, each, flag, list_of, number, one_of, text
from outwarden.wire.formats import FORMAT_NAMES
from outwarden.wire.traffic import Host, Traffic

FORMATS = tuple(sorted(FORMAT_NAMES))
OTHERWISE: tuple[Literal["tunnel", "refuse"], ...] = ("tunnel", "refuse")
UNKNOWN_PATH: tuple[Literal["scan", "refuse", "pass"], ...] = ("scan", "refuse", "pass")
ON_ERROR: tuple[Literal["closed", "open"], ...] = ("closed", "open")
FLAG_OR_REFUSE: tuple[Literal["flag", "refuse"], ...] = ("flag", "refuse")
GRPC: tuple[Literal["refuse", "tunnel"], ...] = ("refuse", "tunnel")
BODY_MIB_MAX = 1024  # a body is held in memory while it is read
IN_FLIGHT_MIB_MAX = 1024 * 1024

_HOST = re.compile(r"[a-z0-9*]([a-z0-9*._-]*[a-z0-9*])?|[0-9a-f:]*:[0-9a-f:.]*")
_PROVIDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def read_traffic(node: Node, folder: Path, base: Traffic) -> Traffic:
    """Read the file; its entries come after those of ``base`` and so win over them. Raises `NodeError`."""
    keys = Keys(node)
    defaults = Traffic(())
    known = list(base.intercept)
    keys.get("intercept", lambda entries: _read_entries(entries, folder, known), None)
    traffic = Traffic(
        tuple(known),
        otherwise=keys.get("otherwise", one_of(OTHERWISE), defaults.otherwise),
        unknown_path=keys.get("unknown_path", one_of(UNKNOWN_PATH), defaults.unknown_path),
        max_body_mib=keys.get("max_body_mib", number(0.001, BODY_MIB_MAX), defaults.max_body_mib),
        max_in_flight_mib=keys.get("max_in_flight_mib", number(0.001, IN_FLIGHT_MIB_MAX), defaults.max_in_flight_mib),
        on_error=keys.get("on_error", one_of(ON_ERROR), defaults.on_error),
        explain_headers=keys.get("explain_headers", flag, defaults.explain_headers),
        token_ids=keys.get("token_ids", one_of(FLAG_OR_REFUSE), defaults.token_ids),
        unread_body=keys.get("unread_body", one_of(FLAG_OR_REFUSE), defaults.unread_body),
        grpc=keys.get("grpc", one_of(GRPC), defaults.grpc),
    )
    keys.done()
    return traffic


def _read_entries(node: Node, folder: Path, known: list[Host]) -> None:
    """Append the entries to ``known``, each seeing those before it."""
    if isinstance(node, Scalar) and node.null:
        return
    if not isinstance(node, Listing):
        raise NodeError((node.line, "expected a list of entries"))
    each(node.items, lambda entry: known.extend(_read_entry(entry, folder, Traffic(tuple(known)))))


def _read_entry(node: Node, folder: Path, known: Traffic) -> list[Host]:
    """Read one entry; keys it leaves out are those of the known host, so hosts of different providers part here."""
    keys = Keys(node)
    hosts = keys.need("hosts", list_of(host_name))
    provider = keys.get("provider", provider_name, None)
    format_name = keys.get("format", one_of(FORMATS), None)
    connect_to = keys.get("connect_to", address, None)
    trust = keys.get("trust", path_in(folder), None)
    tunnel = keys.get("tunnel", flag, False)
    sign = keys.get("sign", aws_identity(folder), None)
    if hosts == ():
        keys.wrong("hosts", "hosts: expected at least one host")
    for host in hosts or ():
        if known.known(host) is None and None in (provider, format_name):
            keys.wrong("hosts", f"host {host} is not in the shipped table: provider and format must be given")
    keys.done()
    groups: dict[Host, list[str]] = {}
    for host in hosts:
        before = known.known(host) or Host((), "", "")
        entry = Host(
            (),
            provider or before.provider,
            format_name or before.format,
            connect_to or before.connect_to,
            trust or before.trust,
            tunnel,
            sign or before.sign,
        )
        groups.setdefault(entry, []).append(host)
    return [replace(entry, hosts=tuple(names)) for entry, names in groups.items()]


def host_name(node: Node) -> str:
    """Read a host name, an address, or a name with ``*`` in it; without scheme or port."""
    name = text(node).lower().rstrip(".")
    if not _HOST.fullmatch(name):
        raise NodeError((node.line, "expected a host name such as api.openai.com, without scheme or port"))
    return name


def provider_name(node: Node) -> str:
    """Read a provider's id, as the price catalogue spells it."""
    if not _PROVIDER.fullmatch(text(node)):
        raise NodeError((node.line, "expected a provider's id such as openai"))
    return text(node)
