"""``pii.yml``: entities, actions, patterns with their examples."""

from collections.abc import Callable

import pytest

from outwarden.pii import CustomEntity, ForRule, Listed, NerPolicy, PiiPolicy, hash_of
from outwarden.rules import Rules

Load = Callable[..., Rules]
Problems = Callable[..., list[str]]


def test_all_keys(load: Load) -> None:
    """What the file says is what the policy says."""
    policy = load(
        pii=r"""
            request:  {default: pseudonymize, CREDIT_CARD: mask, API_KEY: refuse, CLAIM: hash, EMAIL_ADDRESS: allow}
            response: {default: flag}
            restore: no
            entities: [EMAIL_ADDRESS, CREDIT_CARD, CLAIM]
            ner: {model: bundled, min_score: 0.5}
            custom:
              - entity: CLAIM
                pattern: 'CLM-\d{7}'
                context: [claim, record]
                match: ["CLM-1234567"]
                no_match: ["CLM-12"]
            allow: ["support@acme.example", "re:^ticket-[0-9]+@acme\\.example$"]
            """
    ).pii

    assert policy == PiiPolicy(
        request={
            "default": "pseudonymize",
            "CREDIT_CARD": "mask",
            "API_KEY": "refuse",
            "CLAIM": "hash",
            "EMAIL_ADDRESS": "allow",
        },
        response={"default": "flag"},
        restore=False,
        entities=frozenset({"EMAIL_ADDRESS", "CREDIT_CARD", "CLAIM"}),
        ner=NerPolicy(),
        custom=(CustomEntity("CLAIM", r"CLM-\d{7}", ("claim", "record"), ("CLM-1234567",), ("CLM-12",)),),
        allow=("support@acme.example", r"re:^ticket-[0-9]+@acme\.example$"),
    )


def test_who_and_where(load: Load) -> None:
    """Other actions for callers and fields, values that are always found, names of placeholders, reserved values."""
    key, hashed = "sha256:" + "0" * 64, hash_of("Zephyr")
    policy = load(
        pii=f"""
            always: [Project Bluebird, {{entity: CUSTOMER, values: ['re:KD-[0-9]+', '{hashed}'], match: [zephyr]}}]
            for:
              - team: [support, care-*]
                request: {{CUSTOMER: allow, LISTED_VALUE: mask}}
              - api_key: {key}
                field: [system, tool_result]
                request: {{default: refuse}}
              - {{user: bob, response: {{default: allow}}}}
            placeholders: {{PERSON: PATIENT_NAME, CUSTOMER: CLIENT}}
            find_reserved: [CREDIT_CARD]
            """
    ).pii

    assert policy.always == (
        Listed("LISTED_VALUE", ("Project Bluebird",)),
        Listed("CUSTOMER", ("re:KD-[0-9]+", hashed), ("zephyr",)),
    )
    assert policy.special == (
        ForRule({"team": ("support", "care-*")}, frozenset(), {"CUSTOMER": "allow", "LISTED_VALUE": "mask"}),
        ForRule({"api_key_id": (key,)}, frozenset({"system", "tool_result"}), {"default": "refuse"}),
        ForRule({"user": ("bob",)}, response={"default": "allow"}),
    )
    assert [rule.line for rule in policy.special] == [4, 6, 9]
    assert policy.placeholders == {"PERSON": "PATIENT_NAME", "CUSTOMER": "CLIENT"}
    assert policy.find_reserved == {"CREDIT_CARD"}
    assert len(load(pii="find_reserved: all").pii.find_reserved) == 4
    assert load(pii="find_reserved: no").pii.find_reserved == frozenset()


@pytest.mark.parametrize(
    "written", ["entities: all", "entities: [EMAIL_ADDRESS]\n", "ner: off", "ner: {model: no}", "ner:"]
)
def test_what_asks_for_nothing_new_is_accepted(written: str, load: Load) -> None:
    """No model is needed for these."""
    assert load(pii=written).pii.custom == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("entities: [EMIAL_ADDRESS]", "unknown entity 'EMIAL_ADDRESS' (did you mean 'EMAIL_ADDRESS'?)"),
        ("entities:", "entities: expected a value, but it is empty"),
        ("request: {defualt: mask}", "unknown entity 'defualt' (did you mean 'default'?)"),
        ("request: {EMIAL_ADDRESS: mask}", "unknown entity 'EMIAL_ADDRESS'"),
        ("response: {default: maks}", "default: expected mask, pseudonymize, surrogate, hash, refuse, flag or allow"),
        ("request: mask", "request: expected keys and values"),
        ("restore: maybe", "restore: expected true or false"),
        ("allow: ['re:(']", "not a pattern in RE2 syntax: missing )"),
        ("ner: {min_score: 2}", "min_score: expected a number from 0 to 1"),
        ("ner: {entities: [PERSONS], model: off}", "entities: expected LOCATION, ORGANIZATION or PERSON"),
        ("request: {LOCATION: mask}", "entity LOCATION is looked for only where ner: entities names it"),
        ("entities: [PERSON]\nner: off", "entity PERSON is looked for only where ner: entities names it"),
        ("custom: [{entity: A_B}]", "key 'pattern' is missing"),
        ("custom: [{entity: lower, pattern: a}]", "entity 'lower' must be an upper-case name"),
        ("custom: [{entity: A_B, pattern: '('}]", "not a pattern in RE2 syntax"),
        ("custom: [{entity: A_B, pattern: '(?<=x)y'}]", "not a pattern in RE2 syntax"),
        ("custom: [{entity: A_B, pattern: 'x*'}]", "the pattern matches an empty text"),
        (r"custom: [{entity: A_B, pattern: 'x\d', match: [x1, xx]}]", "match: example 2 is not found"),
        (r"custom: [{entity: A_B, pattern: 'x\d', no_match: [x1]}]", "no_match: example 1 is found"),
        ("custom: [{entity: A_B, pattern: 'x', contxt: [a]}]", "unknown key 'contxt' (did you mean 'context'?)"),
        ("for: [{team: a}]", "for: expected 'request' or 'response', with actions"),
        ("for: [{request: {default: mask}}]", "for: expected a caller or a field"),
        ("for: [{field: tool_results, request: {default: mask}}]", "field: expected system, message, tool_definition"),
        ("for: [{field: system, response: {default: mask}}]", "fields are told apart in requests only"),
        ("for: [{taem: a, request: {default: mask}}]", "unknown key 'taem' (did you mean 'team'?)"),
        ("for: [{api_key: sk-1, request: {default: mask}}]", "api_key: expected sha256: and 64 hex digits"),
        ("for: [{team: a, request: {EMIAL_ADDRESS: mask}}]", "unknown entity 'EMIAL_ADDRESS'"),
        ("for: [{team: a, request: {default: burn}}]", "default: expected mask"),
        ("for: {team: a}", "for: expected a list"),
        ("always: [abc]", "a value has 4 to 256 characters"),
        ("always: ['re:(']", "not a pattern in RE2 syntax"),
        ("always: ['sha256:12']", "always: expected sha256:, 64 hex digits, a slash and the value's length"),
        ("always: [{entity: lower, values: [abcd]}]", "entity 'lower' must be an upper-case name"),
        ("always: [{values: [Bluebird], match: [bluebird, x]}]", "match: example 2 is not found"),
        ("always: [{values: [Bluebird], no_match: [bluebird]}]", "no_match: example 1 is found"),
        ("always: [{entity: A_B}]", "key 'values' is missing"),
        ("allow: ['sha256:12']", "allow: expected sha256:, 64 hex digits"),
        ("placeholders: {EMAIL_ADDRESS: mail}", "EMAIL_ADDRESS: expected an upper-case name such as PATIENT_NAME"),
        ("placeholders: {EMAIL_ADDRESS: PHONE_NUMBER}", "placeholders: expected a name that no other"),
        (
            "placeholders: {EMAIL_ADDRESS: A_B, IBAN_CODE: A_B}",
            "placeholders: expected a name that no other",
        ),
        ("placeholders: {EMIAL_ADDRESS: A_B}", "unknown entity 'EMIAL_ADDRESS'"),
        (
            "find_reserved: [IBAN_CODE]",
            "find_reserved: expected EMAIL_ADDRESS, PHONE_NUMBER, CREDIT_CARD",
        ),
    ],
)
def test_what_is_wrong(text: str, problem: str, problems: Problems) -> None:
    """Told with its line."""
    told = problems(pii=f"\n{text}\n")

    assert len(told) == 1
    assert told[0].startswith(f"pii.yml:2: {problem}")


def test_an_example_is_told_at_its_own_key(problems: Problems) -> None:
    """The line of the list it stands in."""
    assert problems(pii="custom:\n  - entity: A_B\n    pattern: 'x'\n    no_match: [x]\n    match: [y]\n") == [
        "pii.yml:4: no_match: example 1 is found",
        "pii.yml:5: match: example 1 is not found",
    ]


def test_countries_are_two_letters_or_all(load: Load, problems: Problems) -> None:
    """A list of those that are known, or all of them."""
    assert load(pii="countries: [DE, US]").pii.countries == {"DE", "US"}
    assert load(pii="countries: all").pii.countries is None
    assert load(pii="{}").pii.countries is None
    assert any("ZZ" in problem for problem in problems(pii="countries: [ZZ]"))
