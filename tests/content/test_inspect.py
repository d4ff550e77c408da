"""A text that meets a rule is found, and the finding names the rule, never the text."""

import re
from typing import Literal

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from outwarden.content import CANARY, ContentRule, ContentRules, Finding, Inspector

AURORA = ContentRule("aurora", r"(?i)\bproject\s+aurora\b", "request", "refuse")
ROADMAP = ContentRule("roadmap", r"road\s?map", "both", "flag")
LEAK = ContentRule("leak", r"internal only", "response", "refuse")
RULES = ContentRules((ROADMAP, AURORA, LEAK), ("zebra-lantern-4471",))


@pytest.mark.parametrize(
    ("text", "direction", "finding"),
    [
        ("tell me about Project  Aurora", "request", Finding("aurora", "refuse")),
        ("tell me about Project Aurora", "response", None),
        ("this is internal only", "response", Finding("leak", "refuse")),
        ("this is internal only", "request", None),
        ("the road map", "request", Finding("roadmap", "flag")),
        ("the road map", "response", Finding("roadmap", "flag")),
        ("the aurora borealis", "request", None),
        ("so: ZEBRA-lantern-4471.", "request", Finding(CANARY, "refuse")),
        ("so: ZEBRA-lantern-4471.", "response", Finding(CANARY, "refuse")),
        ("zebra lantern 4471", "request", None),
        ("", "request", None),
    ],
)
def test_each_rule_holds_in_its_direction(
    text: str, direction: Literal["request", "response"], finding: Finding | None
) -> None:
    """Request, response or both; a canary word in both, in any case."""
    assert Inspector(RULES).inspect([text], direction) == finding


def test_a_rule_that_refuses_goes_first() -> None:
    """Though the one that flags stands before it, and in an earlier text."""
    assert Inspector(RULES).inspect(["the road map", "of project aurora"], "request") == Finding("aurora", "refuse")


def test_no_rules_find_nothing() -> None:
    """The shipped file is empty: off."""
    inspector = Inspector(ContentRules())

    assert inspector.inspect(["anything"], "request") is None
    assert not inspector.watches("request")
    assert Inspector(ContentRules(rules=(AURORA,))).watches("request")
    assert not Inspector(ContentRules(rules=(AURORA,))).watches("response")


def test_no_finding_shows_the_text() -> None:
    """Neither its name nor its repr holds the canary word."""
    finding = Inspector(RULES).inspect(["zebra-lantern-4471"], "request")

    assert "zebra" not in repr(finding)


def test_a_lone_surrogate_hides_nothing() -> None:
    """Text that has no UTF-8 is searched all the same."""
    assert Inspector(RULES).inspect(["\ud800 project aurora \udfff"], "request") == Finding("aurora", "refuse")


def test_a_canary_is_no_pattern() -> None:
    """Its characters stand for themselves."""
    inspector = Inspector(ContentRules(canaries=("a.b(c",)))

    assert inspector.inspect(["xa.b(cx"], "request")
    assert inspector.inspect(["axb(c"], "request") is None


def test_a_set_that_gives_up_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """RE2's set answers nothing when it runs out of memory: then each pattern is searched by itself."""
    monkeypatch.setattr(re2.Set, "Match", lambda *_: None)

    assert Inspector(RULES).inspect(["project aurora"], "request") == Finding("aurora", "refuse")
    assert Inspector(RULES).inspect(["nothing here"], "request") is None


@given(st.lists(st.text("project aurora map", max_size=30), max_size=4))
def test_one_pass_finds_what_single_searches_find(texts: list[str]) -> None:
    """The set is only a faster way to the same answer."""
    rules = [rule for rule in (AURORA, ROADMAP) if any(re.search(rule.pattern, text) for text in texts)]
    expected = next((Finding(rule.name, rule.action) for rule in rules), None)

    assert Inspector(RULES).inspect(texts, "request") == expected
