"""``ner`` of ``pii.yml``: which model looks for names, for which entities, how sure it must be, and for how long."""

from dataclasses import replace

from outwarden.pii import NAME_ENTITIES, ModelError, NerModel, NerPolicy, reader_of
from outwarden.rules.nodes import Node, NodeError, Scalar
from outwarden.rules.values import Keys, is_off, list_of, map_of, number, one_of, text, whole

BUDGET_MS_MAX = 60_000


def read_ner(node: Node) -> NerPolicy | None:
    """Read the group, None for off. Models are loaded here, so that a wrong name is an error in the rules."""
    if is_off(node):
        return None
    keys = Keys(node)
    default = NerPolicy()
    off = keys.get("model", is_off, False)
    ner = NerPolicy(
        model=keys.get("model", _model, default.model),
        languages=keys.get("languages", map_of(_model), {}),
        entities=frozenset(keys.get("entities", list_of(one_of(sorted(NAME_ENTITIES))), tuple(default.entities))),
        min_score=keys.get("min_score", number(0, 1), default.min_score),
        budget_ms=keys.get("budget_ms", whole(1, BUDGET_MS_MAX), default.budget_ms),
        on_timeout=keys.get("on_timeout", one_of(("flag", "refuse")), default.on_timeout),
    )
    labels = keys.get("labels", map_of(one_of(sorted(NAME_ENTITIES))), ner.model.labels)
    score = keys.get("score", number(0, 1), ner.model.score)
    keys.done()
    if off:
        return None
    ner = replace(
        ner,
        model=replace(ner.model, labels=labels, score=score),
        languages={code: replace(model, labels=labels, score=score) for code, model in ner.languages.items()},
    )
    for key, models in (("model", {"": ner.model}), ("languages", ner.languages)):
        for language, model in models.items():
            try:
                reader_of(model, ner, language)
            except ModelError as error:
                keys.wrong(key, f"{key}: {language + ': ' if language else ''}{error}")
    keys.done()
    return ner


def _model(node: Node) -> NerModel:
    name = text(node)
    if name == "bundled" or (isinstance(node, Scalar) and is_off(node)):
        return NerModel("bundled")
    if any(character in name for character in "\n\0") or len(name) > 1024:
        raise NodeError((node.line, "expected 'bundled', 'off', a spaCy package or a path"))
    return NerModel(name)
