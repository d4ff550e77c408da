"""Signing for AWS: with which keys, for which region, and what of the call is covered."""

import threading
from pathlib import Path
from typing import Any

import pytest

from outwarden.errors import StateError
from outwarden.routing import aws
from outwarden.routing.aws import Keys, find_keys, region_of, service_of, sign, without_signature
from outwarden.wire.aws_signature import AwsIdentity

URL = "https://bedrock-runtime.eu-central-1.amazonaws.com/model/m%3A0/converse"
HEADERS = {
    "host": "bedrock-runtime.eu-central-1.amazonaws.com",
    "content-type": "application/json",
    "authorization": "AWS4-HMAC-SHA256 Credential=old",
    "x-amz-date": "20200101T000000Z",
    "x-amz-security-token": "old-token",
    "x-amz-content-sha256": "old-hash",
    "x-amzn-bedrock-trace": "ENABLED",
    "x-amzn-trace-id": "Root=1",
    "user-agent": "sdk",
}


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An environment without credentials; the folder of the files that AWS looks into."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setattr(aws, "_held", {})
    return tmp_path


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> AwsIdentity:
    """Keys named by reference."""
    monkeypatch.setenv("KEY_ID", "AKIAINVENTED00000001")
    monkeypatch.setenv("SECRET", "invented-secret")
    monkeypatch.setenv("TOKEN", "invented-token")
    return AwsIdentity(access_key_id="env:KEY_ID", secret_access_key="env:SECRET", session_token="env:TOKEN")


def signed(identity: AwsIdentity, **changes: Any) -> dict[str, str | None]:
    arguments = {"headers": HEADERS, "body": b"{}"} | changes
    return sign(identity, "POST", URL, region="eu-central-1", service="bedrock", **arguments)


def test_every_old_header_is_replaced(keys: AwsIdentity) -> None:
    """Date, token, hash and signature are new or gone; what AWS wants signed is, a trace id is not."""
    new = signed(keys)

    assert new["x-amz-security-token"] == "invented-token"
    assert new["x-amz-content-sha256"] is None
    assert new["x-amz-date"] != HEADERS["x-amz-date"]
    assert new["authorization"] is not None
    names = new["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert names == ["content-type", "host", "x-amz-date", "x-amz-security-token", "x-amzn-bedrock-trace"]


def test_the_body_is_covered(keys: AwsIdentity) -> None:
    """Another body, another signature."""
    assert signed(keys)["authorization"] != signed(keys, body=b"{ }")["authorization"]


def test_a_profile(no_credentials: Path) -> None:
    """A profile of AWS's own files; one that is not there is told by name."""
    (no_credentials / "credentials").write_text("[team]\naws_access_key_id = AKIAX\naws_secret_access_key = s\n")

    assert find_keys(AwsIdentity(profile="team")) == Keys("AKIAX", "s", None)
    with pytest.raises(StateError, match="AWS profile other: ProfileNotFound"):
        find_keys(AwsIdentity(profile="other"))


def test_whatever_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS's own rules: the environment here; nothing at all is an error."""
    with pytest.raises(StateError, match="AWS credentials: none are found"):
        find_keys(AwsIdentity())
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    assert find_keys(AwsIdentity()) == Keys("AKIAY", "s", None)


def test_a_secret_that_is_gone(keys: AwsIdentity, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the reference and no value."""
    monkeypatch.delenv("SECRET")

    with pytest.raises(StateError, match=r"^env:SECRET: not set"):
        signed(keys)


def test_keys_are_renewed_aside(monkeypatch: pytest.MonkeyPatch, no_credentials: Path) -> None:
    """A renewal that takes its time keeps nobody waiting: the old keys serve until it is done, or when it fails."""
    file = no_credentials / "credentials"
    file.write_text("[team]\naws_access_key_id = OLD\naws_secret_access_key = s\n")
    team = AwsIdentity(profile="team")
    assert find_keys(team).access_key == "OLD"
    may_end, renewed = threading.Event(), threading.Event()

    class Slow:
        def get_frozen_credentials(self) -> Keys:
            assert may_end.wait(10)
            renewed.set()
            return Keys("NEW", "s", None)

    held = aws._held[team]
    held._credentials = Slow()
    monkeypatch.setattr(aws, "FRESH_S", -1.0)
    assert [find_keys(team).access_key for _ in range(3)] == ["OLD"] * 3
    monkeypatch.setattr(aws, "FRESH_S", 60.0)
    may_end.set()
    assert renewed.wait(10)
    with held._lock:
        assert find_keys(team).access_key == "NEW"


def test_keys_are_never_shown() -> None:
    """Their repr is masked."""
    assert "s3cret" not in repr(Keys("AKIA", "s3cret", "t0ken"))


@pytest.mark.parametrize(
    ("host", "region", "service"),
    [
        ("bedrock-runtime.us-east-1.amazonaws.com", "us-east-1", "bedrock"),
        ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1", "bedrock"),
        ("bedrock-agent-runtime.ap-south-1.amazonaws.com", "ap-south-1", "bedrock"),
        ("bedrock-runtime.cn-north-1.amazonaws.com.cn", "cn-north-1", "bedrock"),
        ("vpce-0a-x.bedrock-runtime.eu-west-3.vpce.amazonaws.com", "eu-west-3", "bedrock"),
        ("runtime.sagemaker.us-east-2.amazonaws.com", "us-east-2", "sagemaker"),
        ("bedrock.corp.example", "", "bedrock"),
        ("us-east-1.amazonaws.com.evil.example", "", "bedrock"),
    ],
)
def test_regions(host: str, region: str, service: str) -> None:
    """AWS's own host names tell their region."""
    assert (region_of(host), service_of(host)) == (region, service)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/a", "/a"),
        ("/a?b=1", "/a?b=1"),
        ("/a?X-Amz-Signature=0", "/a"),
        ("/a?b=1&X-Amz-Credential=x%2Fy&c=2&X-Amz-Signature=0", "/a?b=1&c=2"),
        ("/a?X-Amz-Date=1&b=1", "/a?b=1"),
    ],
)
def test_a_presigned_target(target: str, expected: str) -> None:
    """Only the signature's own parameters go."""
    assert without_signature(target) == expected
