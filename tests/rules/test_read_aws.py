"""Credentials for AWS in traffic.yml and routes.yml: checked where they are written, kept as references."""

from collections.abc import Callable
from pathlib import Path

import pytest

from outwarden.routing import Auth
from outwarden.rules import Rules, read_aws
from outwarden.wire.aws_signature import AwsIdentity

Load = Callable[..., Rules]
Problems = Callable[..., list[str]]
HOST = "bedrock-runtime.eu-central-1.amazonaws.com"
KEYS = "{access_key_id: env:KEY_ID, secret_access_key: env:SECRET}"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two secrets, one profile, and no other credentials."""
    monkeypatch.setenv("KEY_ID", "AKIAINVENTED00000002")
    monkeypatch.setenv("SECRET", "invented-secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    (tmp_path / "credentials").write_text("[aws-rules]\naws_access_key_id = AKIAX\naws_secret_access_key = s\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)


def traffic(sign: str, hosts: str = HOST) -> str:
    return f"intercept:\n  - hosts: [{hosts}]\n    sign: {sign}\n"


def upstream(aws: str, url: str = f"https://{HOST}") -> str:
    return f"upstreams:\n  two:\n    url: {url}\n    provider: aws\n    format: bedrock\n    auth: {{aws: {aws}}}\n"


@pytest.mark.parametrize(
    ("sign", "identity"),
    [
        ("{profile: aws-rules}", AwsIdentity("aws-rules")),
        (KEYS, AwsIdentity(access_key_id="env:KEY_ID", secret_access_key="env:SECRET")),
        (
            "{profile: aws-rules, region: eu-west-1, service: x}",
            AwsIdentity("aws-rules", region="eu-west-1", service="x"),
        ),
    ],
)
def test_where_they_stand(load: Load, sign: str, identity: AwsIdentity) -> None:
    """As ``sign`` of a host, whose other keys stay, and as ``auth`` of an upstream."""
    rules = load(traffic=traffic(sign), routes=upstream(sign))
    host = rules.traffic.find(HOST)

    assert host
    assert (host.provider, host.format, host.sign) == ("aws", "bedrock", identity)
    assert rules.routes.upstreams["two"].auth == Auth("aws", identity=identity)
    assert "invented-secret" not in repr(rules)


def test_nobody_signs_by_default(load: Load) -> None:
    """Without a rule a signed call is left alone or refused."""
    host = load().traffic.find(HOST)

    assert host
    assert host.sign is None


@pytest.mark.parametrize(
    ("sign", "problem"),
    [
        ("{profile: nobody-has-it}", "AWS profile nobody-has-it: ProfileNotFound"),
        ("default", "AWS credentials: none are found"),
        ("later", "expected default"),
        ("{access_key_id: env:KEY_ID}", "key 'secret_access_key' is missing"),
        ("{session_token: env:KEY_ID}", "key 'access_key_id' is missing"),
        ("{access_key_id: AKIA, secret_access_key: env:SECRET}", "expected env:NAME or file:PATH"),
        ("{access_key_id: env:KEY_ID, secret_access_key: env:NOT_SET_ANYWHERE}", "NOT_SET_ANYWHERE is not set"),
        ("{profile: aws-rules, access_key_id: env:KEY_ID, secret_access_key: env:SECRET}", "expected either 'profile'"),
        ("{profil: aws-rules}", "unknown key 'profil' (did you mean 'profile'?)"),
    ],
)
@pytest.mark.parametrize(("file", "line"), [("traffic", 3), ("routes", 6)])
def test_what_is_wrong(problems: Problems, sign: str, problem: str, file: str, line: int) -> None:
    """Every mistake is told at its line, in both files."""
    told = problems(**{file: traffic(sign) if file == "traffic" else upstream(sign)})

    assert told[0].startswith(f"{file}.yml:{line}: ")
    assert problem in told[0]


def test_a_region_must_be_known(problems: Problems, load: Load) -> None:
    """The url of an upstream tells it, or the rule does."""
    told = problems(routes=upstream(KEYS, "https://bedrock.corp.example"))

    assert told == ["routes.yml:6: key 'region' is missing: the url names no AWS region"]
    assert load(routes=upstream(KEYS[:-1] + ", region: eu-west-1}", "https://bedrock.corp.example"))


def test_without_botocore(problems: Problems, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named at the line that needs it."""
    monkeypatch.setattr(read_aws, "is_installed", lambda: False)

    assert problems(traffic=traffic(KEYS)) == ["traffic.yml:3: signing for AWS needs botocore: install outwarden[aws]"]
