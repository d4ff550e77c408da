"""Who is told of what: the webhooks of ``budgets.yml``. How they are sent is `observe`'s business."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

Event = Literal["warn", "exceeded", "paused", "breaker"]


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where which events are told. ``url`` is an address, or ``env:NAME`` or ``file:PATH`` of one."""

    url: str
    on: frozenset[Event]

    @property
    def name(self) -> str:
        """The address as logs may show it: a reference, else its host."""
        return self.url if self.url.startswith(("env:", "file:")) else f"to {urlsplit(self.url).hostname}"


def is_address(url: str) -> bool:
    """Whether one can post to it."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False
