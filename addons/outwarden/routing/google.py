"""Tokens for Google Cloud (Vertex AI), by google-auth, which is an extra (``outwarden[google]``).

They last an hour and come from the network, for which the one thread that serves all calls must not wait: they are
fetched aside, ahead of their end, from the moment that the rules name them.
"""

import http.client
import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Any, NamedTuple

from outwarden.errors import StateError

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
RENEW_BEFORE_S = 300.0
AGAIN_S = 10.0  # so long after one that failed
FIRST_WAIT_S = 3.0  # how long the first call may wait for the first token
TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class GoogleIdentity:
    """Whose tokens sign in: those of the key ``file`` (service account, or workload identity federation), else of what
    Google's own rules find (environment, gcloud, the machine's account).
    """

    file: str = ""


def is_installed() -> bool:
    """Whether google-auth is there."""
    try:
        return find_spec("google.auth") is not None
    except ModuleNotFoundError:  # not even the package around it
        return False


def find_token(identity: GoogleIdentity) -> str:
    """A token that is good now. Raises StateError where there is none, at once but for the first time."""
    return _held_of(identity).token()


def prepare(identity: GoogleIdentity) -> None:
    """Read the credentials and begin to fetch a token. Raises StateError where there are none, or no valid ones."""
    _held_of(identity).prepare()


class _Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    data: bytes


class _Transport:
    """How google-auth asks the network (`google.auth.transport.Request`): by the standard library."""

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> _Answer:
        from google.auth.exceptions import TransportError

        data = body.encode() if isinstance(body, str) else body
        request = urllib.request.Request(url, data, dict(headers or {}), method=method)  # noqa: S310 - Google's own URLs
        try:
            with urllib.request.urlopen(request, timeout=timeout or TIMEOUT_S) as answer:  # noqa: S310
                return _Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            return _Answer(error.code, dict(error.headers), error.read())
        except (OSError, http.client.HTTPException) as error:
            raise TransportError(type(error).__name__) from None  # type: ignore[no-untyped-call]


class _Held:
    """The credentials of one identity, and the token that they gave last."""

    def __init__(self, identity: GoogleIdentity) -> None:
        self._identity = identity
        self._lock = threading.Lock()
        self._credentials: Any = None
        self._token = ""
        self._ends_s = 0.0  # by the clock of the world, as Google says it
        self._asked_s = float("-inf")
        self._came = threading.Event()  # a first token, or that there is none

    def prepare(self) -> None:
        if self._credentials is None:
            self._credentials = _load(self._identity)
        self._renew_if_due()

    def token(self) -> str:
        self.prepare()
        if not self._token:
            self._came.wait(FIRST_WAIT_S)
            self._came.set()  # nobody waits a second time
        if not self._token or time.time() >= self._ends_s:
            raise StateError(f"{_named(self._identity)}: no token came")
        return self._token

    def _renew_if_due(self) -> None:
        now = time.monotonic()
        if time.time() < self._ends_s - RENEW_BEFORE_S or now - self._asked_s < AGAIN_S:
            return
        if self._lock.acquire(blocking=False):
            self._asked_s = now
            threading.Thread(target=self._renew, name="google-token", daemon=True).start()

    def _renew(self) -> None:
        from google.auth.exceptions import GoogleAuthError

        try:
            self._credentials.refresh(_Transport())
            expiry = self._credentials.expiry or datetime.now(UTC)
            self._token = str(self._credentials.token)
            self._ends_s = expiry.replace(tzinfo=UTC).timestamp()  # google-auth keeps UTC without saying so
        except (GoogleAuthError, ValueError) as error:  # its words may quote what it was given
            logging.getLogger(__name__).warning("%s: %s", _named(self._identity), type(error).__name__)
        finally:
            self._lock.release()
            self._came.set()


def _named(identity: GoogleIdentity) -> str:
    return f"Google credentials {identity.file}".rstrip()


def _load(identity: GoogleIdentity) -> Any:
    import google.auth
    from google.auth.exceptions import GoogleAuthError

    logging.getLogger("google.auth").setLevel(logging.WARNING)
    try:
        if identity.file:
            load: Any = google.auth.load_credentials_from_file
            credentials, _ = load(identity.file, scopes=[_SCOPE])
        else:
            find: Any = google.auth.default
            credentials, _ = find(scopes=[_SCOPE], request=_Transport())
    except (GoogleAuthError, OSError, ValueError, KeyError) as error:
        raise StateError(f"{_named(identity)}: {type(error).__name__}") from None
    return credentials


def _held_of(identity: GoogleIdentity) -> _Held:
    with _table_lock:
        return _table.setdefault(identity, _Held(identity))


_table_lock = threading.Lock()
_table: dict[GoogleIdentity, _Held] = {}
