"""What an AWS signature covers: any change of that is seen, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.wire.aws_signature import Signature, read_signature, signs_chunks

SCOPE = "AKIAINVENTED00000000/20260101/eu-central-1/bedrock/aws4_request"
AUTHORIZATION = f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=content-type;host;x-amz-date, Signature=00ff"
HEADERS = {
    "authorization": AUTHORIZATION,
    "host": "bedrock-runtime.eu-central-1.amazonaws.com",
    "content-type": "application/json",
    "x-amz-date": "20260101T000000Z",
    "accept-encoding": "gzip",
}
TARGET = "/model/m%3A0/converse"


def read(target: str = TARGET, **headers: str) -> Signature:
    found = read_signature("POST", target, HEADERS | headers, b"{}")
    assert found
    return found


def test_the_scope_is_read() -> None:
    """Region and service are those that the caller signed for."""
    signature = read()

    assert (signature.region, signature.service) == ("eu-central-1", "bedrock")
    assert signature.fits("POST", TARGET, HEADERS, b"{}")
    assert signature.covers("content-type")
    assert not signature.covers("accept-encoding")


def test_spaces_and_4a() -> None:
    """Without spaces after the commas, and with version 4A, whose scope has no region."""
    assert read(authorization=AUTHORIZATION.replace(", ", ",")).service == "bedrock"
    other = "AWS4-ECDSA-P256-SHA256 Credential=A/20260101/bedrock/aws4_request, SignedHeaders=host, Signature=0"
    assert (read(authorization=other).region, read(authorization=other).service) == ("", "bedrock")


@given(st.sampled_from(sorted(HEADERS)), st.text(min_size=1, max_size=5))
def test_every_signed_header_counts(name: str, value: str) -> None:
    """A signed header that changes breaks the signature; one that is not signed may change."""
    signature = read()
    changed = HEADERS | {name: HEADERS[name] + value}
    without = {key: HEADERS[key] for key in HEADERS if key != name}

    for headers in (changed, without):
        assert signature.fits("POST", TARGET, headers, b"{}") == (name == "accept-encoding")


def test_method_target_and_body_count() -> None:
    """So do the method, the path, the query and the body, unless it was left out."""
    signature = read()

    assert not signature.fits("GET", TARGET, HEADERS, b"{}")
    assert not signature.fits("POST", TARGET + "?a=b", HEADERS, b"{}")
    assert not signature.fits("POST", TARGET, HEADERS, b"{ }")
    open_body = {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    assert read(**open_body).fits("POST", TARGET, HEADERS | open_body, b"anything")


def test_a_presigned_url() -> None:
    """The signature may stand in the query."""
    target = f"/x?X-Amz-Credential={SCOPE.replace('/', '%2F')}&X-Amz-SignedHeaders=host&X-Amz-Signature=0"
    signature = read_signature("GET", target, {"host": "h"}, b"")

    assert signature
    assert (signature.region, signature.service) == ("eu-central-1", "bedrock")
    assert not signature.fits("GET", target, {"host": "other"}, b"")


@pytest.mark.parametrize("authorization", ["", "Bearer AWS4-HMAC-SHA256", "Basic x"])
def test_no_signature(authorization: str) -> None:
    """A bearer key covers nothing."""
    assert read_signature("POST", TARGET, HEADERS | {"authorization": authorization}, b"") is None


@pytest.mark.parametrize("authorization", ["AWS4-HMAC-SHA256", "AWS4-X Credential=a/b, Signature=", "AWS4-X ,=,"])
def test_an_odd_signature_is_one(authorization: str) -> None:
    """What cannot be read is still a signature: the call must stay as it is."""
    signature = read(authorization=authorization)

    assert signature.fits("POST", TARGET, HEADERS | {"authorization": authorization}, b"{}")
    assert not signature.fits("POST", TARGET, HEADERS | {"authorization": authorization}, b"")


def test_signed_chunks() -> None:
    """Streaming signatures are told by the place of the body's hash."""
    assert signs_chunks({"x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"})
    assert signs_chunks({"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"})
    assert not signs_chunks({"x-amz-content-sha256": "e3b0"})
    assert not signs_chunks({})
