"""Texts against patterns and canary words: one pass over each text, whatever the number of rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import re2  # type: ignore[import-untyped]

from outwarden.content.rules import ContentAction, ContentRule, ContentRules

CANARY = "canary"  # the name under which a canary word is reported: its own text must not appear anywhere
_MEMORY_BYTES = 64 * 1024 * 1024  # for the automaton's states; RE2's default of 8 MiB is for a single pattern


@dataclass(frozen=True, slots=True)
class Finding:
    """Which rule was met, and what it asks for. Never says what the text was."""

    rule: str
    action: ContentAction


class Inspector:
    """The rules of ``content.yml``, compiled. Immutable, shared by all calls and threads."""

    def __init__(self, rules: ContentRules) -> None:
        canaries = [ContentRule(CANARY, f"(?i){re2.escape(word)}") for word in rules.canaries]
        self._gates = {
            "request": _Gate([rule for rule in (*rules.rules, *canaries) if rule.direction != "response"]),
            "response": _Gate([rule for rule in (*rules.rules, *canaries) if rule.direction != "request"]),
        }

    def watches(self, direction: Literal["request", "response"]) -> bool:
        """Whether there is any rule for this direction."""
        return self._gates[direction].armed

    def inspect(self, texts: Sequence[str], direction: Literal["request", "response"]) -> Finding | None:
        """The first rule met, in the order of the file; one that refuses goes before one that flags."""
        met = self._gates[direction].met(texts)
        chosen = next((rule for rule in met if rule.action == "refuse"), None) or next(iter(met), None)
        return Finding(chosen.name, chosen.action) if chosen else None


class _Gate:
    """The rules of one direction as one RE2 set."""

    def __init__(self, rules: Sequence[ContentRule]) -> None:
        self._rules = rules
        self._patterns = [re2.compile(rule.pattern, _options()) for rule in rules]
        self._set = re2.Set.SearchSet(_options())
        for rule in rules:
            self._set.Add(rule.pattern)
        # Always matches: no match at all means that the set ran out of memory, which RE2 does not tell otherwise.
        self._set.Add("")
        self._set.Compile()

    @property
    def armed(self) -> bool:
        """Whether the gate holds any rule."""
        return bool(self._rules)

    def met(self, texts: Sequence[str]) -> list[ContentRule]:
        """The rules whose pattern is found in any of ``texts``, in order."""
        if not self._rules:
            return []
        found: set[int] = set()
        for text in texts:
            found.update(self._search(text.encode("utf-8", "replace")))  # a lone surrogate has no UTF-8
        return [rule for index, rule in enumerate(self._rules) if index in found]

    def _search(self, data: bytes) -> list[int]:
        if indexes := self._set.Match(data):
            return list(indexes)
        return [index for index, pattern in enumerate(self._patterns) if pattern.search(data)]


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY_BYTES
    return options
