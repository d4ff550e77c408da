"""A folder of rule files is one set of rules, or every problem in them."""

import gzip
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from outwarden.budget.callers import CallerRules
from outwarden.budget.limits import BudgetRules
from outwarden.errors import RulesError
from outwarden.rules import RULE_FILES, Rules, load_rules, shipped_rules

Load = Callable[..., Rules]
Problems = Callable[..., list[str]]
CORPUS = Path(__file__).parents[2].parent / "shared" / "wire"


def examples(name: str) -> str:
    """The commented examples of a shipped file, with the comment signs taken off."""
    lines = (shipped_rules() / name).read_text(encoding="utf-8").splitlines()
    return "\n".join(line[2:] for line in lines if re.match(r"# ( |- |[a-z]+:($| \[))", line))


def test_an_empty_folder_has_the_shipped_rules(load: Load) -> None:
    """Every file is optional."""
    assert load() == load_rules(shipped_rules())


def test_the_shipped_rules_protect_without_limiting() -> None:
    """Personal data is replaced, keys are refused, nobody's money is capped, nothing is rerouted."""
    rules = load_rules(shipped_rules())

    assert rules.pii.action("EMAIL_ADDRESS", "request") == "pseudonymize"
    assert rules.pii.action("API_KEY", "request") == "refuse"
    assert rules.pii.action("EMAIL_ADDRESS", "response") == "mask"
    assert rules.pii.entities is None
    assert rules.pii.restore
    assert rules.budgets == BudgetRules()
    assert rules.routes.routes == rules.prices == rules.content.rules == ()
    assert rules.traffic.on_error == "closed"
    assert "x-claude-code-session-id" in rules.callers.session


@pytest.mark.parametrize("name", ["callers", "budgets", "prices", "content"])
def test_the_commented_examples_can_be_used(name: str, load: Load) -> None:
    """Whoever takes the comment signs off has rules that load, and more of them."""
    text = examples(f"{name}.yml")

    assert text.count("\n") > 4
    assert getattr(load(**{name: text}), name) != getattr(load_rules(shipped_rules()), name)


def test_the_commented_routes_can_be_used(load: Load, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given the key and the certificate that they name."""
    monkeypatch.setenv("VLLM_KEY", "invented-key")
    (folder / "certs").mkdir()
    (folder / "certs" / "corp-ca.pem").touch()

    rules = load(routes=examples("routes.yml"), pii=examples("pii.yml"))

    assert rules.routes.routes[0].targets == ("original", "onprem")
    assert rules.routes.upstreams["onprem"].trust == (folder / "certs" / "corp-ca.pem").resolve()
    assert rules.pii.custom[0].entity == "CLAIM_NUMBER"
    assert len(rules.pii.allow) == 2


def test_every_problem_of_every_file_is_told(problems: Problems) -> None:
    """With its file and line, so that one round of mending is enough."""
    assert problems(
        budgets="""\
            budgets:
              - name: a
                scope: tem
                limit_usd: 5
                window: rolling
            clamp: true
            """,
        pii="restore: perhaps\nentities: [EMIAL_ADDRESS]\n",
        prices="prices: [",
    ) == [
        "pii.yml:1: restore: expected true or false",
        "pii.yml:2: unknown entity 'EMIAL_ADDRESS' (did you mean 'EMAIL_ADDRESS'?)",
        "budgets.yml:3: scope: expected request, session, api_key, user, team, project, organization, model or all,"
        " not 'tem' (did you mean 'team'?)",
        "budgets.yml:5: window: expected rolling and a length of 1s to 366d, such as rolling 10m (s, m, h, d)",
        "budgets.yml:6: unknown key 'clamp' (did you mean 'clamp_output'?)",
        "prices.yml:2: not YAML: did not find expected node content",
    ]


@pytest.mark.parametrize("name", [name.removesuffix(".yml") for name in RULE_FILES])
def test_an_unknown_key_is_refused_in_every_file(name: str, problems: Problems) -> None:
    """A word that nobody reads would be a rule that nobody keeps."""
    assert problems(**{name: "zebra: 1\n"}) == [f"{name}.yml:1: unknown key 'zebra'"]


@pytest.mark.parametrize("name", [name.removesuffix(".yml") for name in RULE_FILES])
@pytest.mark.parametrize("content", ["[]\n", "just words\n", "- a\n- b\n"])
def test_a_file_is_a_group_of_keys(name: str, content: str, problems: Problems) -> None:
    """Nothing else is taken for an empty one."""
    (problem,) = problems(**{name: content})

    assert problem.startswith(f"{name}.yml:1: expected keys and values, not a")


def test_a_file_of_comments_has_the_defaults(load: Load) -> None:
    """It is there, so it is not the shipped one."""
    assert load(callers="# nobody yet\n").callers == CallerRules()


def test_a_folder_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    """A wrong --rules must not mean the shipped rules."""
    with pytest.raises(RulesError, match="nowhere: no such folder"):
        load_rules(tmp_path / "nowhere")


def test_what_is_no_text_is_a_problem(folder: Path) -> None:
    """UTF-8 with or without a byte order mark, and nothing else."""
    (folder / "pii.yml").write_bytes(b"\xef\xbb\xbfrestore: false\n")
    assert load_rules(folder).pii.restore is False

    (folder / "pii.yml").write_bytes(b"restore: \xff\n")
    (folder / "prices.yml").mkdir()
    with pytest.raises(RulesError) as caught:
        load_rules(folder)
    assert [problem.message for problem in caught.value.problems] == [
        "the file is not UTF-8",
        "the file cannot be read",
    ]


def test_no_problem_repeats_a_secret(problems: Problems) -> None:
    """A key that was written in the wrong place does not reach a log, wherever that was."""
    key = "sk-invented-4f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c"

    told = problems(
        callers=f"callers: [{{match: {{api_key: {key}}}}}, {{match: {{{key}: 1}}}}]\nsession: ['{key} x']\n",
        routes=f"upstreams: {{a: {{url: 'https://{key}@h', auth: {{bearer: {key}}}}}, b: {{auth: {key}, url: {key}}}}}",
        pii=f"request: {{{key}: mask, default: {key}}}\nentities: [{key}]\nner: {{model: {key}}}\n",
        budgets=f"budgets: [{{name: a, scope: {key}, limit_usd: {key}, window: {key}}}]\nhold: {key}\n",
        traffic=f"intercept: [{{hosts: ['{key} x'], provider: '{key} x', connect_to: {key}}}]\n",
        content=f"rules: [{{name: '{key} x', pattern: '({key}', action: {key}}}]\n",
        prices=f"prices: [{{provider: '{key} x', input_mtok: {key}}}]\n{key}: 1\n",
    )

    assert len(told) > 25
    assert [problem for problem in told if key in problem] == []


def corpus_hosts() -> Iterator[tuple[str, str]]:
    for path in sorted(CORPUS.glob("http-*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            yield from {(path.name, urlsplit(json.loads(line)["request"]["url"]).hostname or "") for line in lines}


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the recorded traffic is not here")
def test_every_recorded_provider_is_known() -> None:
    """Every host of the recorded traffic is in the shipped table, but those on the local machine."""
    traffic = load_rules(shipped_rules()).traffic

    missing = {host for _, host in corpus_hosts() if traffic.known(host) is None}

    assert missing <= {"localhost", "127.0.0.1"}


@pytest.mark.parametrize(
    ("host", "provider", "format_name"),
    [
        ("api.openai.com", "openai", "openai"),
        ("API.OpenAI.com.", "openai", "openai"),
        ("api.anthropic.com", "anthropic", "anthropic"),
        ("generativelanguage.googleapis.com", "google", "gemini"),
        ("us-central1-aiplatform.googleapis.com", "google", "gemini"),
        ("bedrock-runtime.eu-central-1.amazonaws.com", "aws", "bedrock"),
        ("acme-east.openai.azure.com", "azure", "openai"),
        ("api.cohere.com", "cohere", "cohere"),
        ("ollama.com", "ollama", "ollama"),
        ("api.x.ai", "x-ai", "openai"),
        ("firebasevertexai.googleapis.com", "google", "gemini"),
        ("acme-serverless.eastus2.inference.ai.azure.com", "azure", "openai"),
        ("acme.openai.azure.cn", "azure", "openai"),
        ("ark.cn-beijing.volces.com", "volcengine", "openai"),
        ("api.siliconflow.cn", "siliconflow", "openai"),
        ("openai.inference.de-txl.ionos.com", "ionos", "openai"),
        ("llm.api.cloud.yandex.net", "yandex", "generic"),
    ],
)
def test_well_known_hosts(host: str, provider: str, format_name: str) -> None:
    """What the table says of the hosts that matter most."""
    known = load_rules(shipped_rules()).traffic.find(host)

    assert known is not None
    assert (known.provider, known.format) == (provider, format_name)


@pytest.mark.parametrize(
    "host",
    ["example.com", "storage.googleapis.com", "s3.us-east-1.amazonaws.com",
     "api.openai.com.evil.example", "notapi.openai.com",
     "login.microsoftonline.com", "github.com", "api.datadoghq.com", "huggingface.co",
     "api.cloudflare.com", "aip.baidubce.com", "www.volces.com", "oauth.api.cloud.yandex.net"],
)  # fmt: skip
def test_other_hosts_are_left_alone(host: str) -> None:
    """No pattern is wider than the providers it stands for."""
    assert load_rules(shipped_rules()).traffic.find(host) is None
