"""``callers.yml``: conditions and fields, never a key."""

from collections.abc import Callable

import pytest

from outwarden.budget.callers import CallerRule, Evidence, identify
from outwarden.rules import Rules

Load = Callable[..., Rules]
Problems = Callable[..., list[str]]
KEY_ID = "sha256:" + "9f" * 32


def test_the_contracts_example(load: Load) -> None:
    """Each kind of condition, the default, and the headers of a session in lower case."""
    callers = load(
        callers=f"""\
            callers:
              - match: {{api_key: "{KEY_ID}"}}
                user: alice
                team: support
                project: chatbot
                organization: acme
              - match: {{source: 10.1.0.0/16}}
                team: research
              - match: {{header: {{X-Team: "^(?P<team>[a-z-]+)$"}}}}
              - match: {{proxy_user: ci}}
                project: ci
            default: {{team: unassigned}}
            session: [X-Claude-Code-Session-Id, session-id]
            """
    ).callers

    assert callers.callers == (
        CallerRule(KEY_ID, fields={"user": "alice", "team": "support", "project": "chatbot", "organization": "acme"}),
        CallerRule(source="10.1.0.0/16", fields={"team": "research"}),
        CallerRule(header={"x-team": "^(?P<team>[a-z-]+)$"}),
        CallerRule(proxy_user="ci", fields={"project": "ci"}),
    )
    assert callers.default == {"team": "unassigned"}
    assert callers.session == ("x-claude-code-session-id", "session-id")


def test_what_is_loaded_can_be_used(load: Load) -> None:
    """The budget room tells the caller by it."""
    rules = load(callers="callers:\n  - match: {header: {x-team: '^(?P<team>[a-z-]+)$'}}\n    user: bot\n").callers

    caller, stripped = identify(rules, Evidence(None, "10.0.0.1", None, {"x-team": "sales"}))

    assert (caller.team, caller.user) == ("sales", "bot")
    assert stripped == {"x-team"}


@pytest.mark.parametrize(
    ("match", "problem"),
    [
        ("{api_key: sk-invented-1234567890}", "api_key: expected sha256: and 64 hex digits"),
        ("{api_key: 'sha256:9f86d081884c7d65...'}", "api_key: expected sha256: and 64 hex digits"),
        ("{source: 10.1.0.0/33}", "source: expected an address or a network"),
        ("{source: 10.1.2.3/16}", "source: expected an address or a network"),
        ("{header: {x-team: '(?P<team>'}}", "not a pattern in RE2 syntax: missing )"),
        ("{header: {x-team: '(?P<taem>.*)'}}", "the pattern names 'taem'"),
        ("{header: {x-team: '(?=a)'}}", "not a pattern in RE2 syntax: invalid perl operator: (?="),
        ("{header: {'x team': 'a'}}", "header: expected names of headers"),
        ("{header: {}}", "header: expected names of headers"),
        ("{}", "match: expected a condition"),
        ("{users: alice}", "unknown condition 'users'"),
    ],
)
def test_what_is_wrong_with_a_condition(match: str, problem: str, problems: Problems) -> None:
    """Told with its line, and without the key that somebody pasted."""
    (told,) = problems(callers=f"callers:\n  - match: {match}\n    team: a\n")

    assert told.startswith(f"callers.yml:2: {problem}")
    assert "sk-invented" not in told


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("callers:\n  - team: a\n", "callers.yml:2: key 'match' is missing"),
        (
            "callers:\n  - match: {proxy_user: ci}\n    taem: a\n",
            "callers.yml:3: unknown key 'taem' (did you mean 'team'?)",
        ),
        (
            "callers:\n  - match: {proxy_user: ci}\n    team:\n",
            "callers.yml:3: team: expected a value, but it is empty",
        ),
        ("default: {tem: a}\n", "callers.yml:1: unknown field 'tem' (did you mean 'team'?)"),
        ("session: ['a b']\n", "callers.yml:1: session: expected the name of a header"),
    ],
)
def test_what_is_wrong_with_the_rest(text: str, problem: str, problems: Problems) -> None:
    """Told with its line."""
    assert problems(callers=text) == [problem]
