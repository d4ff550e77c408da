"""``content.yml``: patterns that keep their examples, and canary words."""

from collections.abc import Callable

import pytest

from outwarden.content import ContentRule, ContentRules, Finding, Inspector
from outwarden.rules import Rules

Load = Callable[..., Rules]
Problems = Callable[..., list[str]]


def test_all_keys(load: Load) -> None:
    """And what is loaded can be used."""
    content = load(
        content=r"""
            rules:
              - name: aurora
                pattern: '(?i)project\s+aurora'
                direction: request
                action: flag
                match: ["Project Aurora"]
                no_match: ["aurora"]
              - {name: short, pattern: abc}
            canaries: [zebra-lantern]
            """
    ).content

    assert content == ContentRules(
        (
            ContentRule("aurora", r"(?i)project\s+aurora", "request", "flag"),
            ContentRule("short", "abc", "both", "refuse"),
        ),
        ("zebra-lantern",),
    )
    assert Inspector(content).inspect(["about project aurora"], "request") == Finding("aurora", "flag")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rules: [{pattern: a}]", "key 'name' is missing"),
        ("rules: [{name: a}]", "key 'pattern' is missing"),
        ("rules: [{name: 'a b', pattern: a}]", "name: expected a name of letters"),
        ("rules: [{name: canary, pattern: a}]", "name: expected a name of letters"),
        ("rules: [{name: a, pattern: '('}]", "not a pattern in RE2 syntax"),
        ("rules: [{name: a, pattern: 'a*'}]", "the pattern matches an empty text"),
        ("rules: [{name: a, pattern: a, action: allow}]", "action: expected refuse or flag"),
        ("rules: [{name: a, pattern: a, direction: reply}]", "direction: expected request, response or both"),
        ("rules: [{name: a, pattern: a, match: [b]}]", "match: example 1 is not found"),
        ("rules: [{name: a, pattern: a, no_match: [a]}]", "no_match: example 1 is found"),
        ("rules: [{name: a, pattern: a}, {name: a, pattern: b}]", "name 'a' was given before"),
        ("canaries: [cat]", "a canary word needs at least 4 characters"),
    ],
)
def test_what_is_wrong(text: str, problem: str, problems: Problems) -> None:
    """Told with its line; a canary word is not repeated."""
    assert [told.partition(": ")[2][: len(problem)] for told in problems(content=text)] == [problem]
