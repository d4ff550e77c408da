"""`outwarden explain` says what would become of a request, by which rule, and shows no value of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from outwarden.budget.callers import key_id
from outwarden.cli.app import app

KEY = "sk-invented-0123456789"
EMAIL = "jonas.weber@quarzbach-logistik.de"
RULES = {
    "callers.yml": f'callers:\n  - match: {{api_key: "{key_id(KEY)}"}}\n    team: support\n',
    "budgets.yml": "budgets:\n  - {name: team-day, scope: team, limit_usd: 5, window: day}\n",
    "routes.yml": "routes:\n  - {name: gpt, match: {model: 'gpt-4*'}, targets: [original]}\n",
    "content.yml": "rules:\n  - {name: aurora, pattern: 'Project Aurora', direction: request, action: refuse}\n",
    "traffic.yml": "intercept: []\nunknown_path: refuse\n",
}


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder of rules."""
    folder = tmp_path / "rules"
    folder.mkdir()
    for name, text in RULES.items():
        (folder / name).write_text(text)
    return folder


def explain(rules: Path, text: str = f"write to {EMAIL}", **changes: Any) -> dict[str, Any]:
    body = {"model": "gpt-4o", "max_tokens": 100, "stream": True, "messages": [{"role": "user", "content": text}]}
    request = {
        "url": "https://api.openai.com/v1/chat/completions",
        "headers": {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
        "body": body,
        **changes,
    }
    state = rules.parent / "state"
    arguments = ["explain", "-", "--json", "--rules", str(rules), "--state", str(state)]
    result = CliRunner().invoke(app, arguments, input=json.dumps(request))
    assert result.exit_code == 0, result.stderr
    assert EMAIL not in result.stdout
    assert KEY not in result.stdout
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def test_a_call_is_explained_from_host_to_route(rules: Path) -> None:
    """Provider, operation, caller, findings, price, budgets and route, each with the file that says so."""
    told = explain(rules)

    assert (told["provider"], told["format"], told["operation"], told["model"]) == (
        "openai",
        "openai",
        "chat",
        "gpt-4o",
    )
    assert told["caller"]["team"] == "support"
    assert told["redactions"] == ["1 x EMAIL_ADDRESS: pseudonymize (pii.yml, request: default)"]
    assert told["cost"].startswith("at most $0.00")
    assert told["cost"].endswith("100 output tokens")
    assert told["budgets"] == ["team-day: team support, day (budgets.yml)"]
    assert told["route"] == "original (routes.yml, gpt, matches model: gpt-4*)"
    assert told["verdict"] == "sent, if the budgets have room"


def test_a_metered_hold_is_explained(rules: Path) -> None:
    """What is held at first beside the worst case; of a call that does not stream, the worst case alone."""
    (rules / "budgets.yml").write_text(RULES["budgets.yml"] + "hold: metered\n")
    body = {"model": "gpt-4o", "max_tokens": 9000, "messages": [{"role": "user", "content": "hello"}]}
    streamed, whole = (explain(rules, body=body | {"stream": stream})["cost"] for stream in (True, False))

    assert streamed.startswith(f"{whole}; $0.0")
    assert streamed.endswith("is held at first, and more as the answer comes (budgets.yml, hold: metered)")


def test_a_value_that_only_its_words_tell_is_counted_wherever_it_stands(rules: Path) -> None:
    """As the interceptor takes it out everywhere in the request."""
    told = explain(rules, "my ssn is 281440067. Noted: 281440067")

    assert told["redactions"] == ["2 x US_SSN: mask (pii.yml, request: US_SSN)"]


def test_a_content_rule_refuses(rules: Path) -> None:
    """The rule is named, its text is not."""
    told = explain(rules, "all about Project Aurora")

    assert told["content"] == ["refuse: aurora (content.yml)"]
    assert told["verdict"] == "refused: content_refused (aurora)"


def test_a_secret_refuses(rules: Path) -> None:
    """An API key in the text may not leave, by the shipped rules."""
    told = explain(rules, "use sk-ant-api03-" + "Zq8xKw3v" * 11 + "-9fQd7gAA")

    assert told["verdict"] == "refused: pii_refused (API_KEY)"


def test_the_query_is_read_as_well(rules: Path) -> None:
    """Its values leave with the request; the ones that name a key or a mode are the API's own."""
    told = explain(rules, "hello", url=f"https://api.openai.com/v1/chat/completions?user={EMAIL}&key={KEY}")

    assert told["redactions"] == ["1 x EMAIL_ADDRESS: pseudonymize (pii.yml, request: default)"]


def test_other_hosts_and_unknown_paths_end_early(rules: Path) -> None:
    """What is not ours is not read; what is not described follows `unknown_path`."""
    assert explain(rules, url="https://www.example.org/")["verdict"] == "tunnelled unread (traffic.yml, otherwise)"
    assert (
        explain(rules, url="https://api.openai.com/v9/nothing-of-the-kind")["verdict"]
        == "refused (traffic.yml, unknown_path)"
    )


def test_a_body_that_cannot_be_read_is_refused(rules: Path) -> None:
    """As the interceptor would."""
    assert explain(rules, body="{broken")["verdict"].startswith("refused: ")


def test_a_raw_request_from_a_file_for_people(rules: Path) -> None:
    """One fact per line, the same facts."""
    body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": EMAIL}]})
    file = rules.parent / "request.http"
    file.write_text(
        f"POST /v1/chat/completions HTTP/1.1\nHost: api.openai.com\nContent-Type: application/json\n\n{body}"
    )
    result = CliRunner().invoke(app, ["explain", str(file), "--rules", str(rules), "--state", str(rules.parent / "s")])

    assert result.exit_code == 0
    assert "verdict      sent, if the budgets have room" in result.stdout
    assert EMAIL not in result.stdout


def test_a_file_that_is_no_request_is_one_sentence(rules: Path) -> None:
    """Exit code 1, and nothing of the file."""
    file = rules.parent / "letter.txt"
    file.write_text(f"Dear {EMAIL}")
    result = CliRunner().invoke(app, ["explain", str(file), "--rules", str(rules), "--state", str(rules.parent / "s")])

    assert result.exit_code == 1
    assert EMAIL not in result.stdout + result.stderr + str(result.exception)


def test_the_rule_that_decided_is_named(rules: Path) -> None:
    """By caller and field, with its line."""
    (rules / "pii.yml").write_text(
        "ner: off\nalways: [Bluebird]\nplaceholders: {EMAIL_ADDRESS: MAIL}\nfor:\n"
        "  - {team: sales, request: {default: refuse}}\n"
        "  - {field: system, request: {EMAIL_ADDRESS: mask}}\n"
        "  - {team: sup*, request: {LISTED_VALUE: hash}}\n"
    )
    messages = [{"role": "system", "content": f"of {EMAIL}"}, {"role": "user", "content": f"bluebird, {EMAIL}"}]
    told = explain(rules, body={"model": "gpt-4o", "max_tokens": 100, "messages": messages})

    assert told["redactions"] == [
        "1 x EMAIL_ADDRESS: mask (pii.yml:6, for, request: EMAIL_ADDRESS)",
        "1 x EMAIL_ADDRESS: pseudonymize (pii.yml, request: default)",
        "1 x LISTED_VALUE: hash (pii.yml:7, for, request: LISTED_VALUE)",
    ]


@pytest.mark.parametrize(
    ("format_", "verdict"),
    [
        ("bedrock", "refused: upstream_format (routes.yml, gpt: no target reads such calls)"),
        ("gemini", "sent, if the budgets have room"),
    ],
)
def test_a_route_that_nobody_on_it_reads_is_told(rules: Path, format_: str, verdict: str) -> None:
    """Such a call goes nowhere; one that is translated goes."""
    upstream = f"{{url: 'http://inside.example', provider: p, format: {format_}}}"
    route = "{name: gpt, match: {model: 'gpt-4*'}, targets: [inside]}"
    (rules / "routes.yml").write_text(f"upstreams: {{inside: {upstream}}}\nroutes: [{route}]\n")

    assert explain(rules)["verdict"] == verdict


def test_what_a_translation_cannot_say_is_told(rules: Path) -> None:
    """With the field, as the caller would be told; where another target reads the call, it is sent."""
    upstreams = "upstreams:\n  gem: {url: 'http://a.example', provider: google, format: gemini}\n"
    upstreams += "  vllm: {url: 'http://b.example/v1', provider: vllm, format: openai}\n"
    body = {"model": "gpt-4o", "max_tokens": 9, "logprobs": True, "messages": [{"role": "user", "content": "hello"}]}

    def verdict(targets: str) -> str:
        route = f"{{name: gpt, match: {{model: 'gpt-4*'}}, targets: {targets}}}"
        (rules / "routes.yml").write_text(f"{upstreams}routes: [{route}]\n")
        return str(explain(rules, body=body)["verdict"])

    assert verdict("[gem]") == (
        "refused: not_translatable (routes.yml, gpt: 'logprobs' of the request has no counterpart)"
    )
    assert verdict("[gem, vllm]") == verdict("[gem, original]") == "sent, if the budgets have room"


def test_what_an_upstream_refuses_or_is_not_sent_is_told(rules: Path) -> None:
    """By the rules of it, as the interceptor would decide."""
    upstreams = "upstreams:\n  gem: {url: 'http://a.example', provider: google, format: gemini, %s}\n"
    body = {"model": "gpt-4o", "max_tokens": 9, "logprobs": True, "messages": [{"role": "user", "content": "hello"}]}
    route = "routes: [{name: gpt, match: {model: 'gpt-4*'}, targets: [gem]}]\n"

    (rules / "routes.yml").write_text(upstreams % "drop: [logprobs]" + route)
    assert explain(rules, body=body)["verdict"] == "sent, if the budgets have room"
    (rules / "routes.yml").write_text(upstreams % "refuse: [logprobs]" + route)
    assert "gem does not take 'logprobs' (routes.yml)" in explain(rules, body=body)["verdict"]


def test_what_is_kept_is_told_with_its_one_place(rules: Path) -> None:
    """Whatever the strategy of its route."""
    upstreams = "upstreams: {vllm: {url: 'http://b.example/v1', provider: vllm, format: openai}}\n"
    route = "routes: [{name: all, strategy: weighted, targets: [vllm, original]}]\n"
    (rules / "routes.yml").write_text(upstreams + route)
    told = explain(rules, url="https://api.openai.com/v1/vector_stores", body={"name": "cases"})

    assert told["route"] == "original (routes.yml, all, matches everything, where it is kept, is not sent twice)"
