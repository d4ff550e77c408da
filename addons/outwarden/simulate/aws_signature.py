"""Is a request signed as AWS wants it (Signature Version 4)? Written from its description, not with AWS's own library.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import re
from typing import NamedTuple
from urllib.parse import quote

from outwarden.simulate.exchange import Received


class Account(NamedTuple):
    """A key that the simulated AWS knows; all invented."""

    key_id: str
    secret: str
    token: str | None = None


CALLER = Account("AKIASIMULATEDCALLER1", "caller-secret-of-the-simulated-aws")
OWN = Account("ASIASIMULATEDPROXY01", "proxy-secret-of-the-simulated-aws", "proxy-session-token")
BEARER = "bedrock-api-key-of-the-simulated-aws"
_ACCOUNTS = {account.key_id: account for account in (CALLER, OWN)}
_FIELD = re.compile(r"(Credential|SignedHeaders|Signature)=([^,\s]+)")


def problem_of(received: Received) -> str | None:
    """What AWS would object to in a request's signature or key, or None. The time of signing is not looked at."""
    authorization = received.header("authorization") or ""
    if authorization.startswith("Bearer "):
        return None if authorization.removeprefix("Bearer ") == BEARER else "Invalid API Key format"
    fields = dict(_FIELD.findall(authorization))
    scope = fields.get("Credential", "").split("/")
    account = _ACCOUNTS.get(scope[0])
    if len(scope) != 5 or not authorization.startswith("AWS4-HMAC-SHA256 "):
        return "Missing Authentication Token"
    if account is None or received.header("x-amz-security-token") != account.token:
        return "The security token included in the request is invalid."
    signed = fields.get("SignedHeaders", "").split(";")
    present = {name.lower() for name, _ in received.headers if name.lower().startswith("x-amz-")}
    if not present | {"host"} <= set(signed):
        return "The request has headers that must be signed and are not"
    if not hmac.compare_digest(_signature(received, account, scope[1:], signed), fields.get("Signature", "")):
        return "The request signature we calculated does not match the signature you provided."
    return None


def _signature(received: Received, account: Account, scope: list[str], signed: list[str]) -> str:
    date = received.header("x-amz-date") or ""
    canonical = hashlib.sha256(_canonical_request(received, signed).encode()).hexdigest()
    message = "\n".join(("AWS4-HMAC-SHA256", date, "/".join(scope), canonical))
    key = f"AWS4{account.secret}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, message.encode(), "sha256").hex()


def _canonical_request(received: Received, signed: list[str]) -> str:
    path, _, query = received.path.partition("?")
    headers = {"host": received.host} | _joined(received)
    body = headers.get("x-amz-content-sha256") or hashlib.sha256(received.body).hexdigest()
    if body != "UNSIGNED-PAYLOAD":
        body = hashlib.sha256(received.body).hexdigest()
    return "\n".join(
        (
            received.method,
            quote(path, safe="/~"),  # what was percent-encoded once is encoded again
            "&".join(sorted(part if "=" in part else part + "=" for part in query.split("&") if part)),
            *(f"{name}:{' '.join(headers.get(name, '').split())}" for name in signed),
            "",
            ";".join(signed),
            body,
        )
    )


def _joined(received: Received) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in received.headers:
        key = name.lower()
        found[key] = f"{found[key]},{value}" if key in found else value
    return found
