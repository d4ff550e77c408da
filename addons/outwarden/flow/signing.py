"""Calls that an AWS signature covers: what the caller signed, and the same call signed again with our credentials."""

from mitmproxy import http

from outwarden.flow.body import plain_headers
from outwarden.routing.aws import region_of, service_of, sign, without_signature
from outwarden.wire.aws_signature import AwsIdentity, Signature, read_signature
from outwarden.wire.format import Refusal

_CHECKSUMS = ("x-amz-checksum-", "x-amz-sdk-checksum-")  # of the body as it was


def signature_of(request: http.Request) -> Signature | None:
    """The signature that covers this request, or None."""
    return read_signature(request.method, request.path, _headers(request), request.raw_content or b"")


def still_fits(signature: Signature, request: http.Request) -> bool:
    """Whether nothing that the signature covers was changed since."""
    return signature.fits(request.method, request.path, _headers(request), request.raw_content or b"")


def sign_as(identity: AwsIdentity, request: http.Request, signature: Signature | None = None) -> None:
    """Sign ``request`` as it is now, in place of any signature on it.

    The old one says for which region and service, where ``identity`` does not. Raises StateError where there are no
    credentials.
    """
    request.path = without_signature(request.path)
    for name in {name for name in request.headers if name.lower().startswith(_CHECKSUMS)}:
        del request.headers[name]
    region = identity.region or (signature.region if signature else "") or region_of(request.host)
    service = identity.service or (signature.service if signature else "") or service_of(request.host)
    url = f"{request.scheme}://{request.host_header}{request.path}"
    body = request.raw_content or b""
    signed = sign(identity, request.method, url, _headers(request), body, region, service)
    for name, value in signed.items():
        if value is None:
            request.headers.pop(name, None)
        else:
            request.headers[name] = value


def cannot_change(what: str) -> Refusal:
    """The refusal of a signed call that would have to leave otherwise than it came."""
    message = (
        f"{what}, but the call is signed (AWS SigV4) and AWS would reject a changed one. Give the host credentials to "
        "sign it again (traffic.yml, sign), or call with a Bedrock API key."
    )
    return Refusal(403, "signed_request", message)


def _headers(request: http.Request) -> dict[str, str]:
    return plain_headers(request) | {"host": request.host_header or request.host}
