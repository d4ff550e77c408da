"""Recognise operations by the end of a path: gateways put prefixes before it, the end stays the provider's."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from outwarden.wire.format import Operation


@dataclass(frozen=True, slots=True)
class Path:
    """One kind of path. ``end`` must match up to the end of the path, from a slash (or the start) on.

    A group named ``model`` is read. ``billed``: the methods that cost tokens; any other reads, lists or deletes.
    ``keeps``: see `Operation`. ``only``: the methods that the path exists for (empty: any), so that a POST to it is
    no free ride.
    """

    name: str
    end: re.Pattern[str]
    billed: frozenset[str]
    only: frozenset[str] = frozenset()
    stream: bool | None = None
    keeps: bool = False


def path(
    name: str, end: str, *, billed: str = "", only: str = "", stream: bool | None = None, keeps: bool = False
) -> Path:
    """Describe one kind of path; ``billed`` and ``only`` list methods (``"GET DELETE"``)."""
    pattern = re.compile(rf"(?:^|/){end}/?$", re.IGNORECASE)
    return Path(name, pattern, frozenset(billed.split()), frozenset(only.split()), stream, keeps)


def recognise(paths: Sequence[Path], method: str, target: str, dialect: str) -> Operation | None:
    """The operation of the first kind that matches, or None. Case does not count: Azure ignores it as well."""
    method = method.upper()
    target = unquote(target) if "%" in target else target
    for kind in paths:
        if kind.only and method not in kind.only:
            continue
        if (match := kind.end.search(target)) is not None:
            groups = match.groupdict()
            return Operation(
                name=kind.name,
                billable=method in kind.billed,
                model=groups.get("model"),
                stream=kind.stream,
                dialect=dialect,
                keeps=kind.keeps,
            )
    return None
