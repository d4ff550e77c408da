"""``traffic.yml``: the user's entries over the shipped table."""

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from outwarden.rules import Rules

Load = Callable[..., Rules]
Problems = Callable[..., list[str]]


def test_a_host_of_the_users_own(load: Load, folder: Path) -> None:
    """With all its keys; the file of the CA is found beside the rules."""
    (folder / "ca.pem").touch()
    traffic = load(
        traffic="""\
            intercept:
              - hosts: [LLM.corp.example., "*.llm.corp.example"]
                provider: openai
                format: anthropic
                connect_to: 127.0.0.1:9443
                trust: ca.pem
            otherwise: refuse
            unknown_path: pass
            max_body_mib: 1.5
            on_error: open
            explain_headers: yes
            token_ids: refuse
            unread_body: refuse
            grpc: tunnel
            """
    ).traffic

    host = traffic.find("eu.llm.corp.example")
    assert host is not None
    assert (host.hosts, host.provider, host.format) == (
        ("llm.corp.example", "*.llm.corp.example"),
        "openai",
        "anthropic",
    )
    assert (host.connect_to, host.trust) == (("127.0.0.1", 9443), (folder / "ca.pem").resolve())
    assert (traffic.otherwise, traffic.unknown_path, traffic.max_body_mib) == ("refuse", "pass", 1.5)
    assert (traffic.on_error, traffic.explain_headers) == ("open", True)
    assert (traffic.token_ids, traffic.unread_body, traffic.grpc) == ("refuse", "refuse", "tunnel")
    assert traffic.find("api.openai.com"), "the shipped table stays"


def test_a_known_host_keeps_what_is_not_given(load: Load) -> None:
    """Each of several hosts keeps its own provider and format, by name or by pattern."""
    traffic = load(
        traffic="""\
            intercept:
              - hosts: [api.openai.com, api.anthropic.com, acme.openai.azure.com]
                connect_to: 127.0.0.1:9443
              - hosts: [api.openai.com]
                format: generic
            """
    ).traffic

    def shown(name: str) -> tuple[object, ...]:
        host = traffic.find(name)
        assert host is not None
        return host.provider, host.format, host.connect_to

    assert shown("api.openai.com") == ("openai", "generic", ("127.0.0.1", 9443))
    assert shown("api.anthropic.com") == ("anthropic", "anthropic", ("127.0.0.1", 9443))
    assert shown("acme.openai.azure.com") == ("azure", "openai", ("127.0.0.1", 9443))
    assert shown("other.openai.azure.com") == ("azure", "openai", None)


def test_a_host_may_be_left_alone(load: Load) -> None:
    """Known or not, it is not opened; and one that the table leaves alone may be opened, with what the table says."""
    traffic = load(
        traffic="""\
            intercept:
              - {hosts: [api.openai.com], tunnel: true}
              - {hosts: [acme.snowflakecomputing.com]}
            """
    ).traffic

    assert traffic.find("api.openai.com") is None
    assert traffic.find("other.snowflakecomputing.com") is None
    opened = traffic.find("acme.snowflakecomputing.com")
    assert opened is not None
    assert (opened.provider, opened.format) == ("snowflake", "generic")


def test_trust_is_looked_for_beside_the_rules_then_where_we_are(
    load: Load, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``certs/corp-ca.pem`` works in both places."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "certs").mkdir()
    (tmp_path / "certs" / "ca.pem").touch()
    entry = "intercept: [{hosts: [api.openai.com], trust: certs/ca.pem}]\n"
    host = load(traffic=entry).traffic.find("api.openai.com")
    assert host is not None
    assert host.trust == (tmp_path / "certs" / "ca.pem").resolve()

    (folder / "certs").mkdir()
    (folder / "certs" / "ca.pem").touch()
    host = load(traffic=entry).traffic.find("api.openai.com")
    assert host is not None
    assert host.trust == (folder / "certs" / "ca.pem").resolve()


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (
            "{hosts: [llm.corp.example]}",
            "host llm.corp.example is not in the shipped table: provider and format must be given",
        ),
        ("{hosts: [llm.corp.example], provider: x}", "host llm.corp.example is not in the shipped table"),
        ("{provider: openai, format: openai}", "key 'hosts' is missing"),
        ("{hosts: [], provider: openai, format: openai}", "hosts: expected at least one host"),
        ("{hosts: ['https://api.openai.com'], provider: a, format: openai}", "hosts: expected a host name"),
        ("{hosts: ['localhost:11434'], provider: a, format: ollama}", "hosts: expected a host name"),
        ("{hosts: [api.openai.com], format: opnai}", "format: expected anthropic, bedrock"),
        ("{hosts: [api.openai.com], connect_to: 127.0.0.1}", "connect_to: expected host:port"),
        ("{hosts: [api.openai.com], connect_to: 'a:99999'}", "connect_to: expected host:port"),
        ("{hosts: [api.openai.com], connect_to: 'u@a:1'}", "connect_to: expected host:port"),
        ("{hosts: [api.openai.com], trust: nowhere.pem}", "file nowhere.pem does not exist"),
        ("{hosts: [api.openai.com], provdier: x}", "unknown key 'provdier' (did you mean 'provider'?)"),
        ("api.openai.com", "intercept: expected keys and values, not a single value"),
    ],
)
def test_what_is_wrong_with_an_entry(entry: str, problem: str, problems: Problems) -> None:
    """Told with its line."""
    (told,) = problems(traffic=f"intercept:\n  - {entry}\n")

    assert told.startswith(f"traffic.yml:2: {problem}")


@pytest.mark.parametrize(
    "line", ["otherwise: off", "unknown_path: open", "on_error: refuse", "max_body_mib: 0", "max_body_mib: 5000",
             "explain_headers: 1", "token_ids: scan",
             "unread_body: pass", "grpc: flag", "intercept: {hosts: [a]}", "intercept: api.openai.com"],
)  # fmt: skip
def test_what_is_wrong_with_the_rest(line: str, problems: Problems) -> None:
    """Each key has its words."""
    (told,) = problems(traffic=line)

    assert told.startswith("traffic.yml:1: ")
    assert "expected" in told


def aws_hosts() -> set[str]:
    """The host of each endpoint that botocore can resolve for these services."""
    data = Path(pytest.importorskip("botocore").__file__).parent / "data"
    partitions = json.loads((data / "partitions.json").read_text())["partitions"]
    found = set()
    for service in ("bedrock-runtime", "bedrock-agent-runtime", "sagemaker-runtime"):
        packed = sorted((data / service).glob("*/endpoint-rule-set-1.json*"))[-1].read_bytes()
        rules = (gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed).decode()
        for url in re.findall(r'"url"\s*:\s*"https://([^"]+)"', rules):
            for one in (partition["outputs"] for partition in partitions):
                host = url.replace("{Region}", "xx-north-1")
                host = host.replace("{PartitionResult#dnsSuffix}", one["dnsSuffix"])
                found.add(host.replace("{PartitionResult#dualStackDnsSuffix}", one["dualStackDnsSuffix"]))
    return found


def test_every_endpoint_of_aws_is_opened(load: Load) -> None:
    """Dual stack, FIPS, other partitions but the secret ones: a client's setting must not lead around us."""
    traffic = load().traffic
    hosts = {host for host in aws_hosts() if not re.search(r"\.gov$|scloud$|adc-e\.uk$", host)}
    assert len(hosts) >= 30
    assert {host for host in hosts if (known := traffic.find(host)) is None or known.format != "bedrock"} == set()
    private = traffic.find("vpce-0a1b.bedrock-runtime.us-east-1.vpce.amazonaws.com")
    assert private is not None
    assert private.format == "bedrock"


@pytest.mark.parametrize(
    ("host", "format_"),
    [
        ("aws-external-anthropic.eu-west-1.api.aws", "anthropic"),  # anthropic.lib.aws
        ("bedrock-mantle.us-east-1.api.aws", "openai"),  # anthropic.lib.bedrock, openai.lib.bedrock
        ("my-resource.services.ai.azure.com", "openai"),  # anthropic.lib.foundry, under /anthropic
        ("my-resource.openai.azure.com", "openai"),
        ("westeurope.api.cognitive.microsoft.com", "openai"),
        ("us-east5-aiplatform.googleapis.com", "gemini"),  # anthropic.lib.vertex
        ("aiplatform.us.rep.googleapis.com", "gemini"),
        ("123.us-central1-456.prediction.vertexai.goog", "gemini"),  # an endpoint of one's own
        ("daily-cloudcode-pa.sandbox.googleapis.com", "gemini"),
        ("eu.api.openai.com", "openai"),
        ("api.us.elevenlabs.io", "generic"),
        ("api.jina.ai", "openai"),
        ("deepsearch.jina.ai", "openai"),
    ],
)
def test_other_names_of_known_providers_are_opened(load: Load, host: str, format_: str) -> None:
    """What the SDKs can be told to call instead."""
    known = load().traffic.find(host)
    assert known is not None
    assert known.format == format_
