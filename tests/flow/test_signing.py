"""Signed calls: nothing leaves under a signature that no longer fits, and what is signed again is signed last."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from mitmproxy import http

from outwarden.flow.signing import sign_as, signature_of, still_fits
from outwarden.flow.trip import Trip
from outwarden.routing import Auth, Health, Route, Upstream
from outwarden.simulate import Received
from outwarden.simulate.aws_signature import CALLER, OWN, problem_of
from outwarden.wire.aws_signature import AwsIdentity
from outwarden.wire.traffic import Host

AWS = "bedrock-runtime.eu-central-1.amazonaws.com"
HOST = Host((AWS,), "aws", "bedrock")
MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
PATH = f"/model/{MODEL.replace(':', '%3A')}/converse"
FAILS = frozenset({"5xx"})


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> AwsIdentity:
    """The proxy's own credentials."""
    monkeypatch.setenv("OWN_ID", OWN.key_id)
    monkeypatch.setenv("OWN_SECRET", OWN.secret)
    monkeypatch.setenv("OWN_TOKEN", str(OWN.token))
    return AwsIdentity("", "env:OWN_ID", "env:OWN_SECRET", "env:OWN_TOKEN")


@pytest.fixture
def signed(monkeypatch: pytest.MonkeyPatch) -> http.Request:
    """A call as its caller signed it."""
    monkeypatch.setenv("CALLER_ID", CALLER.key_id)
    monkeypatch.setenv("CALLER_SECRET", CALLER.secret)
    request = http.Request.make("POST", f"https://{AWS}{PATH}?a=b", b"{}", {"content-type": "application/json"})
    request.headers["host"] = AWS
    sign_as(AwsIdentity("", "env:CALLER_ID", "env:CALLER_SECRET"), request)
    return request


def second(**more: object) -> Upstream:
    """Another region, or another place."""
    place = "bedrock-runtime.us-west-2.amazonaws.com"
    return replace(Upstream("second", "https", place, 443, "", "aws", "bedrock"), **more)  # type: ignore[arg-type]


def trip_of(request: http.Request, host: Host = HOST, *upstreams: Upstream) -> Trip:
    """A trip that begins where the caller aimed."""
    trip = Trip(
        request=request,
        host=host,
        format_name="bedrock",
        model=MODEL,
        route=Route("r", targets=("original", *(each.name for each in upstreams)), fail_over_on=FAILS, retries=0),
        upstreams={each.name: each for each in upstreams},
        health=Health(),
        may_take=lambda upstream: True,
        signature=signature_of(request),
    )
    trip.begin()
    return trip


def problem(request: http.Request) -> str | None:
    """What AWS says of a request as it is now."""
    fields = tuple((name.decode(), value.decode()) for name, value in request.headers.fields)
    host = request.host_header or ""
    return problem_of(Received(request.method, request.path, host, fields, request.raw_content or b"", "1.1"))


CHANGES: list[Callable[[http.Request], None]] = [
    lambda request: setattr(request, "content", b'{"messages":[]}'),
    lambda request: setattr(request, "path", request.path + "&c=d"),
    lambda request: setattr(request, "method", "PUT"),
    lambda request: request.headers.__setitem__("content-type", "text/plain"),
    lambda request: request.headers.pop("x-amz-date") and None,
]


def test_what_is_unchanged_is_sent_as_it_came(signed: http.Request, own: AwsIdentity) -> None:
    """Also where we could sign: the caller's own signature holds."""
    before = signed.copy()
    assert trip_of(signed, replace(HOST, sign=own)).apply(signed) is None

    assert (signed.headers, signed.path, signed.content) == (before.headers, before.path, before.content)
    assert problem(signed) is None


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_refused_or_signed(
    signed: http.Request, own: AwsIdentity, change: Callable[[http.Request], None]
) -> None:
    """Whatever a rule changes after the call arrived: never sent as it is, sent again signed where a rule says so."""
    signature = signature_of(signed)
    assert signature
    trip, signing = trip_of(signed), trip_of(signed, replace(HOST, sign=own))
    change(signed)
    assert not still_fits(signature, signed)
    assert problem(signed) is not None
    refusal = trip.apply(signed)

    assert refusal is not None
    assert (refusal.status, refusal.code) == (403, "signed_request")
    assert "traffic.yml, sign" in refusal.message
    assert signing.apply(signed) is None
    assert problem(signed) is None
    assert OWN.key_id in signed.headers["authorization"]
    assert "/eu-central-1/bedrock/" in signed.headers["authorization"]


def test_a_checksum_of_the_old_body_goes(signed: http.Request, own: AwsIdentity) -> None:
    """AWS's SDKs may add a checksum of the body, which would be wrong after a change."""
    signing = trip_of(signed, replace(HOST, sign=own))
    signed.headers["x-amz-checksum-crc32"] = "AAAAAA=="
    signed.content = b"{ }"

    assert signing.apply(signed) is None
    assert "x-amz-checksum-crc32" not in signed.headers
    assert problem(signed) is None


def test_a_call_that_moves(signed: http.Request, own: AwsIdentity) -> None:
    """Another region and another model: both are in what is signed, for that region."""
    there = second(model={"*": "eu.m-v1:0"}, auth=Auth("aws", identity=own))
    trip = trip_of(signed, HOST, there)
    assert trip.apply(signed) is None
    trip.fail("5xx", 503)
    assert trip.apply(signed) is None

    assert signed.path == "/model/eu.m-v1%3A0/converse?a=b"
    assert signed.host == there.host
    assert "/us-west-2/bedrock/" in signed.headers["authorization"]
    assert problem(signed) is None


@pytest.mark.parametrize("auth", [None, Auth()])
def test_a_callers_signature_cannot_move(signed: http.Request, auth: Auth | None) -> None:
    """It covers the host: without credentials for the other place the call ends there."""
    trip = trip_of(signed, HOST, second(auth=auth))
    trip.fail("5xx", 503)
    refusal = trip.apply(signed)

    assert refusal is not None
    assert "second" in refusal.message


def test_another_providers_upstream_gets_no_signature(signed: http.Request) -> None:
    """The caller's signature, token and presigned parameters stay here; the upstream's own key goes along."""
    signed.path += "&X-Amz-Signature=0"
    trip = trip_of(signed, HOST, second(provider="other", auth=None))
    trip.fail("5xx", 503)

    assert trip.apply(signed) is None
    assert "authorization" not in signed.headers
    assert "X-Amz-Signature" not in signed.path


def test_a_bearer_call_is_not_signed(own: AwsIdentity) -> None:
    """Its key covers nothing, so nothing is to be signed again."""
    request = http.Request.make("POST", f"https://{AWS}{PATH}", b"{}", {"authorization": "Bearer k", "host": AWS})
    trip = trip_of(request, replace(HOST, sign=own))
    request.content = b'{"a":1}'

    assert trip.apply(request) is None
    assert request.headers["authorization"] == "Bearer k"
