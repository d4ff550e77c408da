"""``pii.yml``: which personal data is looked for, and what is done with it."""

from collections.abc import Collection, Sequence
from typing import get_args

from outwarden.pii import (
    COUNTRIES,
    ENTITIES,
    NAME_ENTITIES,
    RESERVED_ENTITIES,
    Action,
    CustomEntity,
    ForRule,
    Listed,
    NerPolicy,
    PatternError,
    PiiPolicy,
    check_allow,
    check_custom,
    check_entity,
    check_listed,
)
from outwarden.rules.files import compile_pattern, pattern
from outwarden.rules.nodes import Mapping, Node, NodeError, Scalar
from outwarden.rules.read_callers import key_id
from outwarden.rules.read_ner import read_ner
from outwarden.rules.values import Keys, Reader, flag, is_off, list_of, one_of, shown, suggest, text
from outwarden.wire.fields import FIELDS

ACTIONS: tuple[Action, ...] = get_args(Action)
LISTED_ENTITY = "LISTED_VALUE"
"""What a value of the list ``always`` is, where no other entity is given."""
_WHO = ("user", "team", "project", "organization", "session")


def read_pii(node: Node) -> PiiPolicy:
    """Read the file. Raises `NodeError`."""
    keys = Keys(node)
    defaults = PiiPolicy()
    custom = keys.get("custom", list_of(_read_custom), ())
    ner = keys.get("ner", read_ner, NerPolicy())
    always = keys.get("always", _read_always, ())
    own = (*(one.entity for one in custom), *(one.entity for one in always))
    entity = _one_entity_of({*ENTITIES, *own, *(ner.entities if ner else ())})
    policy = PiiPolicy(
        request=keys.get("request", _actions_for(entity), defaults.request),
        response=keys.get("response", _actions_for(entity), defaults.response),
        special=keys.get("for", list_of(_for_rule(entity)), ()),
        restore=keys.get("restore", flag, defaults.restore),
        entities=keys.get("entities", _all_or(entity), defaults.entities),
        countries=keys.get("countries", _countries, defaults.countries),
        ner=ner,
        custom=custom,
        always=always,
        allow=keys.get("allow", list_of(_allowed), ()),
        placeholders=keys.get("placeholders", _labels(entity, {*ENTITIES, *NAME_ENTITIES, *own}), {}),
        find_reserved=keys.get("find_reserved", _reserved, frozenset()),
    )
    keys.done()
    return policy


def _reserved(node: Node) -> frozenset[str]:
    """Read ``off``, ``all``, or the entities whose values for examples and tests count as any other."""
    if is_off(node):
        return frozenset()
    if isinstance(node, Scalar) and text(node) == "all":
        return frozenset(RESERVED_ENTITIES)
    return frozenset(list_of(one_of(RESERVED_ENTITIES))(node))


def _labels(entity: Reader[str], entities: Collection[str]) -> Reader[dict[str, str]]:
    """A table of entity to what its placeholders are called: no two alike, and none like another entity."""

    def read(node: Node) -> dict[str, str]:
        table = Keys(node)
        labels: dict[str, str] = {}
        for name in table.names:
            label = table.need(name, _label)
            table.check(name, entity)
            if label in labels.values() or (label in entities and label != name):
                table.wrong(name, "expected a name that no other placeholder has")
            labels[name] = label
        table.done()
        return labels

    return read


def _label(node: Node) -> str:
    try:
        check_entity(text(node))
    except PatternError:
        raise NodeError((node.line, "expected an upper-case name such as PATIENT_NAME")) from None
    return text(node)


def _for_rule(entity: Reader[str]) -> Reader[ForRule]:
    """Other actions for some callers or fields of the body."""

    def read(node: Node) -> ForRule:
        keys = Keys(node)
        who = {name: keys.need(name, list_of(text)) for name in _WHO if name in keys}
        if "api_key" in keys:
            who["api_key_id"] = keys.need("api_key", list_of(key_id))
        fields = frozenset(keys.get("field", list_of(one_of(tuple(FIELDS))), ()))
        request = keys.get("request", _actions_for(entity), {})
        response = keys.get("response", _actions_for(entity), {})
        if "response" in keys and "field" in keys:
            keys.wrong("field", "fields are told apart in requests only, so a rule with a field has no 'response'")
        keys.done("key", (*_WHO, "api_key"))
        if not who and not fields:
            raise NodeError((node.line, "expected a caller or a field; what holds for all stands outside"))
        if not request and not response:
            raise NodeError((node.line, "expected 'request' or 'response', with actions"))
        return ForRule(who, fields, request, response, node.line)

    return read


def _read_always(node: Node) -> tuple[Listed, ...]:
    """Read values (all one entity), and groups of values with an entity of their own."""
    plain: list[str] = []

    def read(item: Node) -> Listed | None:
        if isinstance(item, Mapping):
            return _read_listed(item)
        plain.append(_checked(Listed(LISTED_ENTITY, (_listed_value(item),)), item.line).values[0])
        return None

    groups = [group for group in list_of(read)(node) if group is not None]
    return (*([Listed(LISTED_ENTITY, tuple(plain))] if plain else []), *groups)


def _read_listed(node: Node) -> Listed:
    keys = Keys(node)
    listed = Listed(
        entity=keys.get("entity", text, LISTED_ENTITY),
        values=keys.need("values", list_of(_listed_value)),
        match=keys.get("match", list_of(text), ()),
        no_match=keys.get("no_match", list_of(text), ()),
    )
    keys.done()
    _report(keys, check_listed(listed), "values")
    return listed


def _listed_value(node: Node) -> str:
    """Read an exact value, a pattern after ``re:``, or ``sha256:HEX/LENGTH``."""
    value = text(node)
    if value.startswith("re:"):
        compile_pattern(value[3:], node.line)
    return value


def _checked(listed: Listed, line: int) -> Listed:
    if problems := check_listed(listed):
        raise NodeError(*((line, problem) for problem in problems))
    return listed


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
    _report(keys, check_custom(custom), "pattern")
    return custom


def _report(keys: Keys, problems: Sequence[str], key: str) -> None:
    """Raise what is wrong with an entry: at its examples where they fail, else at ``key``."""
    for problem in problems:
        about = problem.partition(":")[0]
        keys.wrong(about if about in ("match", "no_match") else key, problem)
    keys.done()


def _allowed(node: Node) -> str:
    """Read a value as `_listed_value` does, and check its hash, too."""
    value = _listed_value(node)
    if problem := check_allow(value):
        raise NodeError((node.line, problem))
    return value
