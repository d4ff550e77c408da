"""``pii.yml``: which personal data is looked for, and what is done with it."""

import re
from collections.abc import Collection
from typing import get_args

from outwarden.pii.policy import Action, CustomEntity, PiiPolicy
from outwarden.rules.files import compile_pattern, pattern
from outwarden.rules.nodes import Node, NodeError, Scalar
from outwarden.rules.values import Keys, Reader, flag, is_off, list_of, number, one_of, shown, suggest, text

ACTIONS: tuple[Action, ...] = get_args(Action)
NEED_NER = frozenset({"PERSON", "LOCATION", "ORGANIZATION"})  # no pattern finds these
UNSUPPORTED_ACTIONS = frozenset({"surrogate"})

_ENTITY = re.compile(r"[A-Z][A-Z0-9_]{1,63}")


def read_pii(node: Node, built_in: Collection[str]) -> PiiPolicy:
    """Read the file; ``built_in`` are the entities that can be named besides the custom ones. Raises `NodeError`."""
    keys = Keys(node)
    defaults = PiiPolicy()
    custom = keys.get("custom", list_of(_read_custom), ())
    entity = _one_entity_of({*built_in, *(one.entity for one in custom)})
    policy = PiiPolicy(
        request=keys.get("request", _actions_for(entity), defaults.request),
        response=keys.get("response", _actions_for(entity), defaults.response),
        restore=keys.get("restore", flag, defaults.restore),
        entities=keys.get("entities", _all_or(entity), defaults.entities),
        custom=custom,
        allow=keys.get("allow", list_of(_allowed), ()),
    )
    keys.get("ner", _check_ner, None)
    keys.done()
    return policy


def _one_entity_of(known: Collection[str]) -> Reader[str]:
    def read(node: Node) -> str:
        name = text(node)
        if name in NEED_NER:
            raise NodeError((node.line, f"entity {name} is not supported yet: it needs a model (ner)"))
        if name not in known:
            raise NodeError((node.line, f"unknown entity{shown(name)}{suggest(name, {*known, 'default'})}"))
        return name

    return read


def _actions_for(entity: Reader[str]) -> Reader[dict[str, Action]]:
    """A table of entity (or ``default``) to action."""

    def read(node: Node) -> dict[str, Action]:
        table = Keys(node)
        actions: dict[str, Action] = {}
        for name in table.names:
            actions[name] = table.need(name, _action)
            try:
                name == "default" or entity(Scalar(table.line_of(name), name, True))
            except NodeError as error:
                table.wrong(name, error.problems[0][1])
        table.done()
        return actions

    return read


def _action(node: Node) -> Action:
    action: Action = one_of(ACTIONS)(node)
    if action in UNSUPPORTED_ACTIONS:
        raise NodeError((node.line, f"action '{action}' is not supported yet"))
    return action


def _all_or(entity: Reader[str]) -> Reader[frozenset[str] | None]:
    def read(node: Node) -> frozenset[str] | None:
        if isinstance(node, Scalar) and text(node) == "all":
            return None
        return frozenset(list_of(entity)(node))

    return read


def _read_custom(node: Node) -> CustomEntity:
    keys = Keys(node)
    custom = CustomEntity(
        entity=keys.need("entity", _entity_name),
        pattern=keys.need("pattern", pattern),
        context=keys.get("context", list_of(text), ()),
        match=keys.get("match", list_of(text), ()),
        no_match=keys.get("no_match", list_of(text), ()),
    )
    keys.done()
    check_examples(keys, custom.pattern, custom.match, custom.no_match)
    return custom


def check_examples(keys: Keys, written: str, match: Collection[str], no_match: Collection[str]) -> None:
    """Run the examples of a pattern. Raises `NodeError` at the line of the key that does not hold."""
    compiled = compile_pattern(written, keys.line_of("pattern"))
    if compiled.search(""):
        keys.wrong("pattern", "the pattern matches the empty text, so it would be found everywhere")
    for count, example in enumerate(match, 1):
        if not compiled.search(example):
            keys.wrong("match", f"example {count} under 'match' is not matched by the pattern")
    for count, example in enumerate(no_match, 1):
        if compiled.search(example):
            keys.wrong("no_match", f"example {count} under 'no_match' is matched by the pattern")
    keys.done()


def _entity_name(node: Node) -> str:
    if not _ENTITY.fullmatch(text(node)):
        raise NodeError((node.line, "expected a name in capitals, such as MEDICAL_RECORD_NUMBER"))
    return text(node)


def _allowed(node: Node) -> str:
    """An exact value, or a pattern after ``re:``."""
    value = text(node)
    if value.startswith("re:"):
        compile_pattern(value[3:], node.line)
    return value


def _check_ner(node: Node) -> None:
    """Check the model for names; only those keys pass that ask for nothing a pattern cannot do."""
    if is_off(node):
        return
    keys = Keys(node)
    model = keys.get("model", text, "bundled")
    if model.lower() not in ("bundled", "off", "no", "false"):
        keys.wrong("model", "a model other than 'bundled' or 'off' is not supported yet")
    entities = keys.get("entities", list_of(one_of(sorted(NEED_NER))), ())
    if entities and model == "bundled":
        keys.wrong("entities", "finding PERSON, LOCATION and ORGANIZATION is not supported yet")
    keys.get("min_score", number(0, 1), 0.5)
    keys.done()
