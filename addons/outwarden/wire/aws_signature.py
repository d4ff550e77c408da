"""What a caller's AWS signature (SigV4) covers, so that nobody sends on a call whose signature no longer fits."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

# Signature Version 4, and 4A, whose scope names no region.
_ALGORITHM = "AWS4-"
_FIELD = re.compile(r"(Credential|SignedHeaders)=([^,\s]+)")
UNSIGNED_BODY = "UNSIGNED-PAYLOAD"
_IN_QUERY = {"X-Amz-Credential": "Credential", "X-Amz-SignedHeaders": "SignedHeaders"}


@dataclass(frozen=True, slots=True)
class AwsIdentity:
    """Whose credentials sign a call: a ``profile``, keys by reference (``env:NAME``, ``file:PATH``), or, where all of
    these are empty, whatever AWS's own rules find (environment, files, the machine's role).

    ``region`` and ``service``: what the signature is for, where neither the caller's own nor the host says it.
    """

    profile: str = ""
    access_key_id: str = ""
    secret_access_key: str = ""
    session_token: str = ""
    region: str = ""
    service: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature as it arrived: the scope it was made for, and all that it covers.

    ``headers``: the signed ones (lower case), and the one that holds the signature. ``body``: None where it is not
    covered.
    """

    region: str
    service: str
    method: str
    target: str
    headers: tuple[tuple[str, str | None], ...]
    body: bytes | None

    def fits(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Tell whether a call is still the one that was signed."""
        return (
            (method, target) == (self.method, self.target)
            and all(headers.get(name) == value for name, value in self.headers)
            and (self.body is None or self.body == body)
        )

    def covers(self, header: str) -> bool:
        """Tell whether a change of this header breaks the signature."""
        return any(name == header for name, _ in self.headers)


def read_signature(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Signature | None:
    """Read the signature of a call, or None where it has none. ``headers``: by lower-case name, ``host`` among them."""
    authorization = headers.get("authorization", "")
    if authorization.startswith(_ALGORITHM):
        fields = dict(_FIELD.findall(authorization))
    elif "X-Amz-Signature=" in target:
        query = parse_qsl(target.partition("?")[2], keep_blank_values=True)
        fields = {_IN_QUERY[name]: value for name, value in query if name in _IN_QUERY}
    else:
        return None
    scope = fields.get("Credential", "").split("/")  # key id, date, region, service, "aws4_request"
    signed = fields.get("SignedHeaders", "").lower().split(";")
    return Signature(
        region=scope[2] if len(scope) == 5 else "",
        service=scope[-2] if len(scope) > 3 else "",
        method=method,
        target=target,
        headers=tuple((name, headers.get(name)) for name in {*signed, "authorization"}),
        body=None if headers.get("x-amz-content-sha256") == UNSIGNED_BODY else body,
    )


def signs_chunks(headers: Mapping[str, str]) -> bool:
    """Whether the body is a stream of chunks or events with a signature each, which nobody but the caller can make."""
    return headers.get("x-amz-content-sha256", "").startswith("STREAMING-")
