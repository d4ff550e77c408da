"""Which action holds: by entity, direction, caller and field, the first rule that says something."""

from typing import Any

import pytest

from outwarden.pii import ForRule, PiiEngine, PiiPolicy, Vault
from outwarden.wire.edits import apply_edits

SECRET = b"a secret for tests only"
TEXT = "jane@acme.com +49 1512 7340918"
POLICY = PiiPolicy(
    request={"default": "pseudonymize", "API_KEY": "refuse"},
    response={"default": "mask"},
    special=(
        ForRule(
            {"team": ("support", "care-*")}, request={"EMAIL_ADDRESS": "allow"}, response={"default": "flag"}, line=5
        ),
        ForRule({"user": ("bob",)}, frozenset({"tool_result"}), {"default": "mask"}, line=9),
        ForRule({}, frozenset({"system", "metadata"}), {"default": "hash"}, line=12),
        ForRule({"team": ("*",)}, request={"default": "flag", "PHONE_NUMBER": "mask"}, line=14),
    ),
)
SUPPORT, BOB, NOBODY = {"team": "support", "user": "eve"}, {"user": "bob"}, {"team": None}


@pytest.mark.parametrize(
    ("caller", "entity", "fields", "action", "rule"),
    [
        (NOBODY, "EMAIL_ADDRESS", "", "pseudonymize", ", request: default"),
        (NOBODY, "API_KEY", "", "refuse", ", request: API_KEY"),
        (NOBODY, "EMAIL_ADDRESS", "system", "hash", ":12, for, request: default"),
        (SUPPORT, "EMAIL_ADDRESS", "", "allow", ":5, for, request: EMAIL_ADDRESS"),
        (SUPPORT, "EMAIL_ADDRESS", "system", "allow", ":5, for, request: EMAIL_ADDRESS"),
        (SUPPORT, "PHONE_NUMBER", "", "mask", ":14, for, request: PHONE_NUMBER"),
        (SUPPORT, "PHONE_NUMBER", "metadata", "hash", ":12, for, request: default"),
        ({"team": "care-emea"}, "EMAIL_ADDRESS", "", "allow", ":5, for, request: EMAIL_ADDRESS"),
        ({"team": "carers"}, "EMAIL_ADDRESS", "", "flag", ":14, for, request: default"),
        (BOB, "API_KEY", "tool_result", "mask", ":9, for, request: default"),
        (BOB, "API_KEY", "tool_result message", "refuse", ", request: API_KEY"),
        (BOB, "EMAIL_ADDRESS", "tool_result system", "mask", ":9, for, request: default"),
    ],
)
def test_the_first_rule_that_says_something_decides(
    caller: dict[str, str | None], entity: str, fields: str, action: str, rule: str
) -> None:
    """In two fields the stricter; the rule is named by its line."""
    assert POLICY.for_caller(caller).decision(entity, "request", frozenset(fields.split())) == (action, rule)


def test_without_a_caller_only_rules_for_all_count() -> None:
    """`scan` and the like have none."""
    assert POLICY.action("EMAIL_ADDRESS", "request") == "pseudonymize"
    assert POLICY.decision("EMAIL_ADDRESS", "request", frozenset({"system"})).action == "hash"
    assert POLICY.for_caller(SUPPORT).decision("PERSON", "response").action == "flag"
    assert POLICY.decision("PERSON", "response").action == "mask"


def left(engine: PiiEngine, places: dict[str, Any]) -> str:
    edits = engine.request(Vault()).edits_in([TEXT], places)
    return apply_edits(TEXT, edits[0])


def test_engines_of_callers_differ_only_in_what_is_done() -> None:
    """The same rules give the same engine; what is remembered is kept apart for others."""
    engine = PiiEngine(POLICY, SECRET)
    support, again = engine.for_caller(SUPPORT), engine.for_caller({"team": "care-1"})

    assert support is again
    assert support.detector is engine.detector
    assert len({engine.version, support.version, engine.for_caller(BOB).version}) == 3
    assert PiiEngine(PiiPolicy(), SECRET).for_caller(SUPPORT).version == PiiEngine(PiiPolicy(), SECRET).version
    assert left(support, {}) == "jane@acme.com [PHONE_NUMBER]"
    assert left(engine, {}).startswith("[EMAIL_ADDRESS_")


def test_a_text_is_rewritten_as_its_field_says() -> None:
    """The same text in another field otherwise; in two fields as the stricter."""
    engine = PiiEngine(POLICY, SECRET).for_caller(BOB)

    assert left(engine, {TEXT: frozenset({"tool_result"})}) == "[EMAIL_ADDRESS] [PHONE_NUMBER]"
    assert len(left(engine, {TEXT: frozenset({"system"})})) > 80
    assert left(engine, {TEXT: frozenset({"system", "tool_result"})}) == "[EMAIL_ADDRESS] [PHONE_NUMBER]"


@pytest.mark.parametrize(("label", "action"), [("PATIENT_NAME", "pseudonymize"), ("KONTAKT", "mask")])
def test_placeholders_have_the_name_that_was_given(label: str, action: Any) -> None:
    """They are restored, also as models write them, and never scanned again; the hash stays that of the entity."""
    policy = PiiPolicy(request={"default": action}, placeholders={"EMAIL_ADDRESS": label})
    engine = PiiEngine(policy, SECRET)
    vault = Vault()
    rewriter = engine.request(vault)
    (edits,) = rewriter.edits([TEXT])
    rewriter.note([(edit, TEXT[edit.start : edit.end]) for edit in edits])
    name = apply_edits(TEXT, edits).partition(" ")[0]
    said = f"{name}, {name.lower()}, {name[1:-1].replace('_', ' ')}"
    (restored,) = engine.reply(vault).edits([said])

    assert name.startswith(f"[{label}")
    assert engine.request(Vault()).edits([said]) == [[]]
    if action == "pseudonymize":
        assert apply_edits(said, restored) == "jane@acme.com, jane@acme.com, jane@acme.com"
        assert {edit.entity for edit in restored} == {"EMAIL_ADDRESS"}
        plain = left(PiiEngine(PiiPolicy(), SECRET), {}).partition(" ")[0]
        assert name == plain.replace("EMAIL_ADDRESS", label)


@pytest.mark.parametrize(
    ("entity", "text"),
    [
        ("EMAIL_ADDRESS", "ask jane@example.com or root@sub.example.org or me@host.test"),
        ("PHONE_NUMBER", "call +1 212 555 0123 or (646) 555-0199"),
        ("CREDIT_CARD", "card 4242 4242 4242 4242, 378282246310005"),
        ("IP_ADDRESS", "host 192.0.2.7, 198.51.100.3, 2001:db8::17"),
    ],
)
def test_reserved_values_count_where_a_rule_says_so(entity: str, text: str) -> None:
    """Else they are nobody's: nothing of them is touched."""
    usual = PiiEngine(PiiPolicy(), SECRET)
    others = PiiEngine(PiiPolicy(find_reserved=frozenset({"IBAN_CODE"})), SECRET)
    strict = PiiEngine(PiiPolicy(find_reserved=frozenset({entity})), SECRET)

    assert not any((*usual.request(Vault()).edits([text]), *others.request(Vault()).edits([text])))
    edits = strict.request(Vault()).edits([text])[0]
    assert {edit.entity for edit in edits} == {entity}
    assert not any(c.isdigit() for c in "".join(p for p in apply_edits(text, edits).split("[") if "]" not in p))
    assert len(edits) == text.count(" or ") + text.count(",") + 1
