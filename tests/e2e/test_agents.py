"""Coding agents as people run them: Codex and Claude Code read files full of planted values, and nothing of it leaves.

They talk to the providers' real host names, through exactly what `outwarden env` prints; ``connect_to`` aims those
names at the simulated provider, and every other host is refused, so no byte of theirs leaves this machine.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from agents import (
    CODEX_HOST,
    COMMAND,
    VALUES,
    Run,
    claude,
    codex,
    codex_tools,
    without_websocket,
)
from interceptor import HOSTS, Interceptor, assert_clean, pii_rules, rules_for, trusted, until

from outwarden.simulate import SimulatedProvider, ToolCall, make_certificates, provider_thread, use_tool


@pytest.fixture(scope="module")
def primary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedProvider]:
    """Where calls are aimed: also the host that Codex asks for its models."""
    certificates = make_certificates(tmp_path_factory.mktemp("certificates"), [*HOSTS, CODEX_HOST])
    with provider_thread(certificates) as provider:
        yield provider


@pytest.fixture(scope="module")
def interceptor(start: Callable[..., Interceptor], primary: SimulatedProvider) -> Interceptor:
    """An interceptor that names, but does not refuse, keys."""
    rules = rules_for(primary, pii=pii_rules(request={"default": "pseudonymize"}), traffic={"otherwise": "refuse"})
    aim = {"connect_to": primary.address, "trust": str(trusted(primary))}
    rules["traffic"]["intercept"].append({"hosts": [CODEX_HOST], **aim})
    one = start(rules)
    one.planted += VALUES
    return one


def assert_codex_answered(events: list[dict[str, Any]]) -> None:
    """It ran the tool, ended its turn, and its user sees every value as it is in the file."""
    items = [event["item"] for event in events if event["type"] == "item.completed"]
    answer = next(item["text"] for item in reversed(items) if item["type"] == "agent_message")
    commands = [item for item in items if item["type"] == "command_execution"]

    assert events[-1]["type"] == "turn.completed", events
    assert [command["exit_code"] for command in commands] == [0]
    assert [value for value in VALUES if value not in answer] == []


def assert_billed(interceptor: Interceptor, seen: int, operation: str, count: int) -> None:
    """Each call to the model is on record with its usage."""

    def calls() -> list[dict[str, Any]] | None:
        found = [record for record in interceptor.records()[seen:] if record["operation"] == operation]
        answered = [record for record in found if record["usage"]]
        return answered if len(answered) >= count else None

    assert all(record["usage"]["input_tokens"] > 0 for record in until(calls))


def paths(provider: SimulatedProvider, method: str) -> list[str]:
    """The paths asked for with a method, without their query."""
    return [seen.path.partition("?")[0] for seen in provider.requests if seen.method == method]


def assert_stayed_here(provider: SimulatedProvider) -> None:
    """No value reached the provider in any message or body, but what stands for each did."""
    sent = "".join(str(message) for seen in provider.requests for message in [seen.body, *seen.messages])

    assert_clean(provider, VALUES)
    for entity in ("EMAIL_ADDRESS", "CREDIT_CARD", "PHONE_NUMBER", "IBAN_CODE", "API_KEY"):
        assert f"[{entity}_" in sent, f"no {entity} was named to the provider"


def assert_named_alike(provider: SimulatedProvider) -> None:
    """Turn after turn, also of a resumed session, each value has one name: what the provider cached stays valid."""
    entities = ("CREDIT_CARD", "IBAN_CODE", "API_KEY")
    bodies = [seen.body.decode() for seen in provider.requests]
    told = [body for body in bodies if all(f"[{entity}_" in body for entity in entities)]

    assert told
    for entity in entities:  # among what an agent makes up for itself a number now and then passes for a card, too
        names = [set(re.findall(rf"\[{entity}_(\w+)\]", body)) for body in told]
        assert set.intersection(*names), f"one {entity}, in {len(names)} turns {len(set.union(*names))} names"


def unmarked(part: dict[str, Any]) -> dict[str, Any]:
    """A JSON object as it would be had Claude Code not set its mark, which says how far to cache, into it.

    A message is written as a plain text or, with the mark, as a list of one part; the mark moves on each turn.
    """
    plain = {key: value for key, value in part.items() if key != "cache_control"}
    match plain.get("content"):
        case [{"type": "text", "text": text, **others}] if not others:
            plain["content"] = text
    return plain


def assert_history_kept(provider: SimulatedProvider, path: str, key: str) -> None:
    """Each request begins with what the one before it said, value for value: a prompt cache goes on working."""
    bodies = [seen.body for seen in provider.requests if seen.path.startswith(path) and seen.body]
    said = [json.loads(body, object_hook=unmarked) for body in bodies]
    for before, after in itertools.pairwise(body[key] for body in said):
        assert [a for a, b in zip(before, after, strict=False) if a != b] == []


def test_codex_over_https(provider: SimulatedProvider, interceptor: Interceptor, run: Run) -> None:
    """Refused a WebSocket, Codex posts its turns; the file's values stay here and come back in its answer."""
    provider.script = without_websocket(use_tool(*codex_tools(COMMAND)))
    seen = interceptor.count_records()

    assert_codex_answered(codex(run))
    assert_codex_answered(codex(run, "resume", "--last"))
    assert paths(provider, "POST").count("/v1/responses") == 4
    assert_stayed_here(provider)
    assert_named_alike(provider)
    assert_history_kept(provider, "/v1/responses", "input")
    assert_billed(interceptor, seen, "responses", 4)


def test_codex_over_websocket(provider: SimulatedProvider, interceptor: Interceptor, run: Run) -> None:
    """Codex's first choice: every turn on one WebSocket, each with only what is new, and all of it clean."""
    provider.script = use_tool(*codex_tools(COMMAND))
    seen = interceptor.count_records()

    assert_codex_answered(codex(run))
    sockets = [request for request in provider.requests if request.upgrades]
    turns = [json.loads(message) for socket in sockets for message in socket.messages]
    asked = [turn for turn in turns if turn["type"] == "response.create" and turn.get("generate", True)]
    assert paths(provider, "POST").count("/v1/responses") == 0
    assert [socket.path for socket in sockets] == ["/v1/responses"]
    assert len(asked) == 2
    assert [item["type"] for item in asked[1]["input"]] == ["custom_tool_call_output"]
    assert_stayed_here(provider)
    assert_billed(interceptor, seen, "responses", 2)


def test_claude_code(provider: SimulatedProvider, interceptor: Interceptor, run: Run) -> None:
    """Claude Code reads the file with its own tool, twice in a session; what it sends, telemetry too, is clean."""
    look = ToolCall("Read", json.dumps({"file_path": "customer.txt"}))
    provider.script = use_tool(look, ToolCall("Bash", json.dumps({"command": COMMAND})))
    seen = interceptor.count_records()
    answers = [claude(run), claude(run, "--continue")]

    assert [(done["subtype"], done["is_error"], done["num_turns"]) for done in answers] == [("success", False, 2)] * 2
    assert [value for value in VALUES for done in answers if value not in done["result"]] == []
    assert paths(provider, "POST").count("/v1/messages") == 4
    assert_stayed_here(provider)
    assert_named_alike(provider)
    assert_history_kept(provider, "/v1/messages", "messages")
    assert_billed(interceptor, seen, "messages", 4)
