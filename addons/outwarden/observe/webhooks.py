"""Tell somebody: JSON that Slack, and whatever reads its incoming webhooks, understands. No call ever waits for it.

Each address has a queue and a thread of its own. What does not fit the queue, or is not taken after some tries, is
dropped and counted in the log; addresses are secrets and are named by their reference alone.
"""

import json
import logging
import random
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from outwarden.budget.webhooks import Event, Webhook, is_address
from outwarden.errors import StateError

logger = logging.getLogger(__name__)

QUEUE_MAX = 1000  # messages of some 500 bytes that wait while nobody takes them
WAITS_S = (1.0, 2.0, 4.0, 8.0)  # between five tries, with jitter; Slack asks for a second after a message too many
RETRY_AFTER_MAX_S = 30.0
TIMEOUT_S = 5.0
DRAIN_S = 5.0  # at the end, for all that still waits


class Webhooks:
    """The webhooks of the rules in force. ``resolve`` turns a reference into an address, or raises StateError."""

    def __init__(self, resolve: Callable[[str], str]) -> None:
        self._resolve = resolve
        self._lines: dict[Webhook, _Line] = {}

    def configure(self, webhooks: Sequence[Webhook]) -> None:
        """Take other webhooks into force; what waits for one that is gone is still sent."""
        for gone in set(self._lines) - set(webhooks):
            self._lines.pop(gone).end()
        for webhook in webhooks:
            if webhook not in self._lines:
                self._lines[webhook] = _Line(webhook.name, self._address(webhook))

    def tell(self, event: Event, text: str, fields: Mapping[str, Any]) -> None:
        """Send ``{"text": …, "event": …, fields}`` to whom it concerns; returns at once."""
        concerned = [line for webhook, line in self._lines.items() if event in webhook.on]
        if concerned:
            body = json.dumps({"text": escaped(text), "event": event, **fields}).encode("ascii")
            for line in concerned:
                line.put(body)

    def close(self, within_s: float = DRAIN_S) -> None:
        """Send what waits, for so long at most, and stop."""
        deadline = time.monotonic() + within_s
        for line in self._lines.values():
            line.end()
        for line in self._lines.values():
            line.join(deadline)
        self._lines.clear()

    def _address(self, webhook: Webhook) -> str:
        if not webhook.url.startswith(("env:", "file:")):
            return webhook.url
        try:
            url = self._resolve(webhook.url)
        except StateError as error:
            logger.error("webhook: %s; nothing is told there", error)
            return ""
        if not is_address(url):
            logger.error("webhook %s: no http or https address; nothing is told there", webhook.name)
            return ""
        return url


def escaped(text: str) -> str:
    """Slack reads ``<!channel>`` and links in angle brackets; names that others chose must not write any.

    Source: https://docs.slack.dev/messaging/formatting-message-text, "Escaping text".
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class _Line:
    """The queue of one address and the thread that empties it, which begins with the first message."""

    def __init__(self, name: str, url: str) -> None:
        self._name = name
        self._url = url
        self._waiting: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._ending = False
        self._stopped = threading.Event()  # set when there is no time left: tries and waits end
        self._thread: threading.Thread | None = None

    def put(self, body: bytes) -> None:
        if not self._url:
            return
        with self._changed:
            if len(self._waiting) >= QUEUE_MAX:
                self._waiting.popleft()  # the newest say more of what is going on
                logger.error("webhook %s: too much waits, the oldest message is dropped", self._name)
            self._waiting.append(body)
            self._changed.notify()
            if self._thread is None and not self._ending:
                self._thread = threading.Thread(target=self._work, name="webhook", daemon=True)
                self._thread.start()

    def end(self) -> None:
        """Take nothing more once the queue is empty."""
        with self._changed:
            self._ending = True
            self._changed.notify()

    def join(self, deadline: float) -> None:
        """Wait until all is sent or the deadline is there."""
        if self._thread is None:
            return
        self._thread.join(max(0.0, deadline - time.monotonic()))
        if self._thread.is_alive():
            self._stopped.set()
            logger.error("webhook %s: %s messages were not sent before the end", self._name, len(self._waiting) + 1)

    def _work(self) -> None:
        while not self._stopped.is_set():
            with self._changed:
                while not self._waiting:
                    if self._ending:
                        return
                    self._changed.wait()
                body = self._waiting.popleft()
            self._send(body)

    def _send(self, body: bytes) -> None:
        """Try until it is taken, refused for good, or tried often enough."""
        said, pause_s = "", 0.0
        for wait_s in (*WAITS_S, 0.0):
            if pause_s and self._stopped.wait(pause_s):
                return
            pause_s = wait_s * (1 + random.random() / 4)  # noqa: S311 - jitter
            try:
                status, retry_after = post(self._url, body)
            except (OSError, HTTPException, ValueError) as error:  # their texts may show the address
                said = type(error).__name__
                continue
            if status < 300:
                return
            said = f"status {status}"
            if status != 429 and status < 500:
                break
            pause_s = min(RETRY_AFTER_MAX_S, retry_after) if retry_after else pause_s
        logger.error("webhook %s: a message was not taken: %s", self._name, said)


def post(url: str, body: bytes) -> tuple[int, float | None]:
    """Post JSON; the status, and the seconds that the other side asks to wait. Follows no redirect, asks no proxy."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection: HTTPConnection = HTTPSConnection(host, port, timeout=TIMEOUT_S, context=context)
    else:
        connection = HTTPConnection(host, port, timeout=TIMEOUT_S)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body, {"content-type": "application/json", "user-agent": "outwarden"})
        answer = connection.getresponse()
        after = answer.headers.get("retry-after", "")
        return answer.status, float(after) if after.isdecimal() else None
    finally:
        connection.close()
