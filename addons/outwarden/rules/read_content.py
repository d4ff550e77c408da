"""``content.yml``: texts that are refused or flagged, and canary words."""

import re
from collections.abc import Collection
from typing import get_args

from outwarden.content.rules import ContentAction, ContentDirection, ContentRule, ContentRules
from outwarden.rules.files import compile_pattern, pattern
from outwarden.rules.nodes import Node, NodeError
from outwarden.rules.values import Keys, list_of, one_of, text, unique_list_of

ACTIONS: tuple[ContentAction, ...] = get_args(ContentAction)
DIRECTIONS: tuple[ContentDirection, ...] = get_args(ContentDirection)
CANARY_CHARS_MIN = 4  # a shorter word is found in everybody's text

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def read_content(node: Node) -> ContentRules:
    """Read the file. Raises `NodeError`."""
    keys = Keys(node)
    rules = keys.get("rules", unique_list_of(_read_rule, lambda rule: rule.name), ())
    canaries = keys.get("canaries", list_of(_canary), ())
    keys.done()
    return ContentRules(rules, canaries)


def _read_rule(node: Node) -> ContentRule:
    keys = Keys(node)
    rule = ContentRule(
        name=keys.need("name", _name),
        pattern=keys.need("pattern", pattern),
        direction=keys.get("direction", one_of(DIRECTIONS), "both"),
        action=keys.get("action", one_of(ACTIONS), "refuse"),
    )
    match = keys.get("match", list_of(text), ())
    no_match = keys.get("no_match", list_of(text), ())
    keys.done()
    _check_examples(keys, rule.pattern, match, no_match)
    return rule


def _check_examples(keys: Keys, written: str, match: Collection[str], no_match: Collection[str]) -> None:
    """Run the examples of a pattern. Raises `NodeError` at the line of the key that does not hold."""
    compiled = compile_pattern(written, keys.line_of("pattern"))
    if compiled.search(""):
        keys.wrong("pattern", "the pattern matches an empty text, so it would match everywhere")
    for count, example in enumerate(match, 1):
        if not compiled.search(example):
            keys.wrong("match", f"match: example {count} is not found")
    for count, example in enumerate(no_match, 1):
        if compiled.search(example):
            keys.wrong("no_match", f"no_match: example {count} is found")
    keys.done()


def _name(node: Node) -> str:
    """The name is shown to whoever is refused, so it is a plain word."""
    if not _NAME.fullmatch(text(node)) or text(node) == "canary":
        raise NodeError((node.line, "expected a name of letters, digits, '.', '_' and '-' (not 'canary')"))
    return text(node)


def _canary(node: Node) -> str:
    word = text(node)
    if len(word) < CANARY_CHARS_MIN:
        raise NodeError((node.line, f"a canary word needs at least {CANARY_CHARS_MIN} characters"))
    return word
