"""``ner`` of ``pii.yml``: who looks for names, for which, and for how long; an unusable model is told at load."""

from collections.abc import Callable
from pathlib import Path

import pytest

from outwarden.pii import NerModel, NerPolicy, finders_for
from outwarden.rules import Rules

Load = Callable[..., Rules]
Problems = Callable[..., list[str]]

ENTITIES = frozenset({"PERSON", "LOCATION", "ORGANIZATION"})


@pytest.fixture(scope="module")
def german(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spaCy pipeline of another language, with labels of its own."""
    import spacy

    folder = tmp_path_factory.mktemp("models") / "german"
    nlp = spacy.blank("de")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PER", "pattern": "Ulrike"}])  # type: ignore[attr-defined]
    nlp.to_disk(folder)
    return folder


def test_persons_are_looked_for_without_a_word_about_it(load: Load) -> None:
    """The shipped rules, and rules that say nothing of it."""
    for rules in (load(), load(pii="entities: all")):
        assert rules.pii.ner == NerPolicy()
        assert rules.pii.ner.entities == {"PERSON"}


def test_all_keys(load: Load, german: Path) -> None:
    """What the file says is what the policy says."""
    ner = load(
        pii=f"""
            ner:
              model: bundled
              languages: {{de: {german}}}
              entities: [PERSON, LOCATION, ORGANIZATION]
              min_score: 0.4
              budget_ms: 150
              on_timeout: refuse
              labels: {{PER: PERSON, ORT: LOCATION, FIRMA: ORGANIZATION}}
              score: 0.7
            """.replace("PERSON, LOCATION, ORGANIZATION]", "PERSON]")
    ).pii.ner
    labels = {"PER": "PERSON", "ORT": "LOCATION", "FIRMA": "ORGANIZATION"}

    assert ner == NerPolicy(
        model=NerModel("bundled", labels, 0.7),
        languages={"de": NerModel(str(german), labels, 0.7)},
        entities=frozenset({"PERSON"}),
        min_score=0.4,
        budget_ms=150,
        on_timeout="refuse",
    )


def test_the_example_of_the_contract(load: Load) -> None:
    """As the design writes it."""
    pii = load(
        pii="""
            request:  {default: pseudonymize, CREDIT_CARD: mask, US_SSN: mask, API_KEY: refuse}
            response: {default: mask}
            restore: true
            entities: [EMAIL_ADDRESS, PHONE_NUMBER, CREDIT_CARD, US_SSN, IBAN_CODE, IP_ADDRESS, PERSON, API_KEY]
            ner: {model: bundled, entities: [PERSON, LOCATION, ORGANIZATION], min_score: 0.5}
            custom:
              - entity: MEDICAL_RECORD_NUMBER
                pattern: 'MRN-\\d{7}'
                context: [patient, record]
                match: ["MRN-1234567"]
                no_match: ["MRN-12"]
            allow: ["support@acme.example", "re:^ticket-[0-9]+@acme\\\\.example$"]
            """
    ).pii

    assert pii.ner is not None
    assert pii.ner.entities == ENTITIES
    assert finders_for(pii)[0].entities == {"PERSON"}  # what `entities` leaves of them


@pytest.mark.parametrize(
    "written", ["ner: off", "ner: no", "ner: {model: off}", "ner: {model: no, entities: [PERSON]}"]
)
def test_off(written: str, load: Load) -> None:
    """In any of YAML's spellings."""
    pii = load(pii=written).pii

    assert pii.ner is None
    assert finders_for(pii) == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ner: {model: no_such_package}", "model: neither an installed package nor the path of a spaCy pipeline"),
        ("ner: {model: " + "a" * 2000 + "}", "model: expected 'bundled', 'off', a spaCy package or a path"),
        ("ner: {languages: {de: no_such_package}}", "languages: de: neither an installed package nor the path"),
        ("ner: {languages: {de: bundled}}", "languages: de: the bundled model reads English only"),
        ("ner: {languages: {klingon: no_such_package}}", "languages: klingon: this language is none that spaCy knows"),
        ("ner: {budget_ms: 0}", "budget_ms: expected a whole number from 1 to 60000"),
        ("ner: {on_timeout: shrug}", "on_timeout: expected flag or refuse"),
        ("ner: {labels: {PER: HUMAN}}", "PER: expected LOCATION, ORGANIZATION or PERSON"),
        ("ner: {modle: bundled}", "unknown key 'modle' (did you mean 'model'?)"),
    ],
)
def test_what_is_wrong(text: str, problem: str, problems: Problems) -> None:
    """Told with its line and key."""
    (told,) = problems(pii=f"\n{text}\n")

    assert told.startswith(f"pii.yml:2: {problem}")


def test_what_is_wrong_with_a_model(problems: Problems, german: Path) -> None:
    """It has no such label; it is less sure than is asked for."""
    assert problems(pii=f"ner:\n  model: {german}\n  entities: [LOCATION]") == [
        "pii.yml:2: model: the model has no label for LOCATION (key labels); it has PER"
    ]
    assert problems(pii=f"ner:\n  min_score: 0.9\n  model: {german}") == [
        "pii.yml:3: model: its score is below min_score, so nothing it finds would count"
    ]
