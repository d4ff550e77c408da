"""Sign calls to AWS with credentials of our own, by botocore, which is an extra (``outwarden[aws]``)."""

import logging
import re
import threading
import time
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, NamedTuple

from outwarden.errors import StateError
from outwarden.routing.match import resolve_secret
from outwarden.routing.routes import Auth
from outwarden.wire.aws_signature import AwsIdentity

# Temporary credentials are renewed by botocore in their last 15 minutes; asking this often is often enough.
FRESH_S = 60.0
# What AWS wants signed, beside the host; a trace id may be changed on the way.
_SIGNED = re.compile(r"(?!x-amzn-trace-id)(?:content-type|x-amz.*)")
_REPLACED = ("authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256", "date")
_REGION = re.compile(r"\.([a-z]{2,}(?:-[a-z]+)+-\d+)\.(?:vpce\.)?(?:amazonaws\.com(?:\.cn)?|api\.aws)$")
_QUERY_NAMES = "Algorithm|Credential|Date|Expires|SignedHeaders|Signature|Security-Token"
_IN_QUERY = re.compile(rf"(?:^|&)X-Amz-(?:{_QUERY_NAMES})=[^&]*")


class Keys(NamedTuple):
    """What a call is signed with; never shown."""

    access_key: str
    secret_key: str
    token: str | None

    def __repr__(self) -> str:
        return "Keys(…)"


def is_installed() -> bool:
    """Whether botocore is there."""
    return find_spec("botocore") is not None


def region_of(host: str) -> str:
    """The region that an AWS host name tells; empty for any other host."""
    found = _REGION.search(host.lower())
    return found[1] if found else ""


def service_of(host: str) -> str:
    """The service that a call to this host is signed for."""
    return "sagemaker" if "sagemaker" in host else "bedrock"


def find_keys(identity: AwsIdentity) -> Keys:
    """The keys of ``identity`` as they are now. Raises StateError, which names where they were looked for."""
    if identity.access_key_id:
        token = identity.session_token
        return Keys(
            resolve_secret(Auth("header", secret=identity.access_key_id)),
            resolve_secret(Auth("header", secret=identity.secret_access_key)),
            resolve_secret(Auth("header", secret=token)) if token else None,
        )
    with _lock:
        held = _held.setdefault(identity, _Held(identity))
    return held.keys()


def without_signature(target: str) -> str:
    """Drop the parameters of a presigned URL from a request target."""
    path, mark, query = target.partition("?")
    rest = _IN_QUERY.sub("", query).lstrip("&")
    return path + mark + rest if rest else path


def sign(
    identity: AwsIdentity, method: str, url: str, headers: Mapping[str, str], body: bytes, region: str, service: str
) -> dict[str, str | None]:
    """The headers that sign a call, by lower-case name; None: to be taken away.

    ``headers``: the call's, by lower-case name, with the ``host`` that it will be sent with; ``url``: with the target
    that will be sent. Raises StateError where there are no credentials.
    """
    from botocore.auth import SigV4Auth  # type: ignore[import-untyped]
    from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]

    kept = {name: headers[name] for name in headers if _SIGNED.fullmatch(name) and name not in _REPLACED}
    request = AWSRequest(method, url, {"host": headers["host"], **kept}, body)
    SigV4Auth(find_keys(identity), service, region).add_auth(request)
    signed = {name.lower(): str(value) for name, value in request.headers.items()}
    return {name: signed.get(name) for name in _REPLACED}


class _Held:
    """Credentials that botocore finds. The first time it may take its time; later they are renewed aside.

    A renewal asks the network (a role, single sign-on), and the one thread that serves all calls must not wait for it.
    """

    def __init__(self, identity: AwsIdentity) -> None:
        self._identity = identity
        self._lock = threading.Lock()
        self._credentials: Any = None
        self._keys: Keys | None = None
        self._asked_s = 0.0

    def keys(self) -> Keys:
        """The newest keys that are at hand."""
        now = time.monotonic()
        if self._keys is None:
            with self._lock:
                self._renew()
        elif now - self._asked_s > FRESH_S and self._lock.acquire(blocking=False):
            self._asked_s = now
            threading.Thread(target=self._renew_aside, name="aws-credentials", daemon=True).start()
        assert self._keys
        return self._keys

    def _renew_aside(self) -> None:
        try:
            self._renew()
        except StateError as error:
            logging.getLogger(__name__).warning("%s", error)  # the old ones serve until they end
        finally:
            self._lock.release()

    def _renew(self) -> None:
        from botocore.exceptions import BotoCoreError  # type: ignore[import-untyped]

        named = f"AWS profile {self._identity.profile}" if self._identity.profile else "AWS credentials"
        try:
            self._credentials = self._credentials or _session(self._identity).get_credentials()
            frozen = self._credentials.get_frozen_credentials() if self._credentials else None
        except BotoCoreError as error:
            raise StateError(f"{named}: {type(error).__name__}") from None
        if frozen is None or not frozen.access_key:
            raise StateError(f"{named}: none are found")
        self._keys, self._asked_s = Keys(frozen.access_key, frozen.secret_key, frozen.token), time.monotonic()


def _session(identity: AwsIdentity) -> Any:
    import botocore.session  # type: ignore[import-untyped]

    logging.getLogger("botocore").setLevel(logging.WARNING)  # at DEBUG it writes what it signs, tokens included
    return botocore.session.Session(profile=identity.profile or None)


_lock = threading.Lock()
_held: dict[AwsIdentity, _Held] = {}
