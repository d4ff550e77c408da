"""Which hosts are ours, and what they speak."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from outwarden.wire.aws_signature import AwsIdentity


@dataclass(frozen=True, slots=True)
class Host:
    """One entry of ``traffic.yml``: the hosts (exact names or ``*`` patterns) and how they are read.

    ``connect_to``: dial this (host, port) instead; Host and SNI stay. ``trust``: CA file to verify the upstream with.
    ``tunnel``: known, but not ours to open; the rule ``otherwise`` holds for it. ``sign``: whose credentials sign a
    call anew that was signed for AWS and had to be changed; without, such a call is refused.
    """

    hosts: tuple[str, ...]
    provider: str
    format: str
    connect_to: tuple[str, int] | None = None
    trust: Path | None = None
    tunnel: bool = False
    sign: AwsIdentity | None = None


@dataclass(frozen=True)
class Traffic:
    """``traffic.yml`` as a whole; later entries win over earlier ones, so that a user's file overrides the table.

    ``token_ids``: what becomes of a prompt given as numbers; ``unread_body``: of files and charsets that nobody here
    reads; ``grpc``: of calls whose bytes are protobuf.
    """

    intercept: tuple[Host, ...]
    otherwise: Literal["tunnel", "refuse"] = "tunnel"
    unknown_path: Literal["scan", "refuse", "pass"] = "scan"
    max_body_mib: float = 32
    max_in_flight_mib: float = 256
    on_error: Literal["closed", "open"] = "closed"
    explain_headers: bool = False
    token_ids: Literal["flag", "refuse"] = "flag"  # noqa: S105  # no password
    unread_body: Literal["flag", "refuse"] = "flag"
    grpc: Literal["refuse", "tunnel"] = "refuse"

    @property
    def max_body_bytes(self) -> int:
        """The longest body that is read, decoded, in bytes."""
        return int(self.max_body_mib * 1024 * 1024)

    @property
    def max_in_flight_bytes(self) -> int:
        """How much all calls of a process may hold of bodies at once, in bytes."""
        return int(self.max_in_flight_mib * 1024 * 1024)

    def find(self, host: str) -> Host | None:
        """The entry for a host that is ours to open, or None."""
        entry = self.known(host)
        return None if entry is None or entry.tunnel else entry

    def known(self, host: str) -> Host | None:
        """The entry for a host name (any case, a trailing dot allowed), or None. An exact name beats a pattern."""
        name = host.lower().rstrip(".")
        pattern: Host | None = None
        for entry in reversed(self.intercept):
            if name in entry.hosts:
                return entry
            if pattern is None and any("*" in h and fnmatchcase(name, h) for h in entry.hosts):
                pattern = entry
        return pattern
