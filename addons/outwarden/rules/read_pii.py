"""``pii.yml``: which personal data is looked for, and what is done with it."""

from collections.abc import Collection
from typing import get_args

from outwarden.pii import (
    COUNTRIES,
    ENTITIES,
    NAME_ENTITIES,
    Action,
    CustomEntity,
    NerPolicy,
    PiiPolicy,
    check_allow,
    check_custom,
)
from outwarden.rules.files import compile_pattern, pattern
from outwarden.rules.nodes import Node, NodeError, Scalar
from outwarden.rules.read_ner import read_ner
from outwarden.rules.values import Keys, Reader, flag, list_of, one_of, shown, suggest, text

ACTIONS: tuple[Action, ...] = get_args(Action)


def read_pii(node: Node) -> PiiPolicy:
    """Read the file. Raises `NodeError`."""
    keys = Keys(node)
    defaults = PiiPolicy()
    custom = keys.get("custom", list_of(_read_custom), ())
    ner = keys.get("ner", read_ner, NerPolicy())
    entity = _one_entity_of({*ENTITIES, *(one.entity for one in custom), *(ner.entities if ner else ())})
    policy = PiiPolicy(
        request=keys.get("request", _actions_for(entity), defaults.request),
        response=keys.get("response", _actions_for(entity), defaults.response),
        restore=keys.get("restore", flag, defaults.restore),
        entities=keys.get("entities", _all_or(entity), defaults.entities),
        countries=keys.get("countries", _countries, defaults.countries),
        ner=ner,
        custom=custom,
        allow=keys.get("allow", list_of(_allowed), ()),
    )
    keys.done()
    return policy


def _countries(node: Node) -> frozenset[str] | None:
    """Read ``all``, or a list of countries (ISO 3166, two letters) whose national numbers are looked for."""
    if isinstance(node, Scalar) and text(node) == "all":
        return None
    return frozenset(list_of(one_of(sorted(COUNTRIES)))(node))


def _one_entity_of(known: Collection[str]) -> Reader[str]:
    def read(node: Node) -> str:
        name = text(node)
        if name in known:
            return name
        if name in NAME_ENTITIES:
            raise NodeError((node.line, f"entity {name} is looked for only where ner: entities names it"))
        raise NodeError((node.line, f"unknown entity{shown(name)}{suggest(name, {*known, 'default'})}"))

    return read


def _actions_for(entity: Reader[str]) -> Reader[dict[str, Action]]:
    """A table of entity (or ``default``) to action."""

    def read(node: Node) -> dict[str, Action]:
        table = Keys(node)
        actions: dict[str, Action] = {}
        for name in table.names:
            actions[name] = table.need(name, one_of(ACTIONS))
            if name != "default":
                table.check(name, entity)
        table.done()
        return actions

    return read


def _all_or(entity: Reader[str]) -> Reader[frozenset[str] | None]:
    def read(node: Node) -> frozenset[str] | None:
        if isinstance(node, Scalar) and text(node) == "all":
            return None
        return frozenset(list_of(entity)(node))

    return read


def _read_custom(node: Node) -> CustomEntity:
    keys = Keys(node)
    custom = CustomEntity(
        entity=keys.need("entity", text),
        pattern=keys.need("pattern", pattern),
        context=keys.get("context", list_of(text), ()),
        match=keys.get("match", list_of(text), ()),
        no_match=keys.get("no_match", list_of(text), ()),
    )
    keys.done()
    for problem in check_custom(custom):
        about = problem.partition(":")[0]
        keys.wrong(about if about in ("match", "no_match") else "pattern", problem)
    keys.done()
    return custom


def _allowed(node: Node) -> str:
    """Read an exact value, or a pattern after ``re:``."""
    value = text(node)
    if value.startswith("re:"):
        compile_pattern(value[3:], node.line)
    if problem := check_allow(value):
        raise NodeError((node.line, problem))
    return value
