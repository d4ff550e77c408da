"""Any spaCy pipeline as a reader; one that cannot be used says why."""

import json
from pathlib import Path
from typing import Any

import pytest

from outwarden.pii import Allowance, ModelError, NerModel, NerPolicy, PiiPolicy, finders_for
from outwarden.pii.names.packages import SpacyReader, load, stop_words
from outwarden.rules import load_rules

spacy = pytest.importorskip("spacy")

PERSON = frozenset({"PERSON"})


def written(folder: Path, language: str, patterns: dict[str, str]) -> Path:
    nlp = spacy.blank(language)
    if patterns:
        nlp.add_pipe("entity_ruler").add_patterns([{"label": label, "pattern": p} for p, label in patterns.items()])
    nlp.to_disk(folder)
    return folder


@pytest.fixture(scope="module")
def german(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("de") / "m", "de", {"Ulrike Maier": "PER", "Köln": "LOC", "Zug": "MISC"})


def found(policy: NerPolicy, *texts: str) -> list[list[tuple[str, str, float]]]:
    (finder,) = finders_for(PiiPolicy(ner=policy))
    spans = finder.find(list(texts), Allowance())
    return [[(t[s.start : s.end], s.entity, s.score) for s in one] for t, one in zip(texts, spans, strict=True)]


def test_a_path(german: Path) -> None:
    """Its labels become our entities, those that are asked for; half of a surrogate pair moves no offset."""
    policy = NerPolicy(model=NerModel(str(german), score=0.7), entities=frozenset({"PERSON", "LOCATION"}))

    assert found(policy, "\ud800 Gestern war Ulrike Maier in Köln im Zug.", "```\nUlrike Maier\n```") == [
        [("Ulrike Maier", "PERSON", 0.7), ("Köln", "LOCATION", 0.7)],
        [],
    ]


def test_labels_are_mapped_by_rule(german: Path) -> None:
    """Whatever a package calls them."""
    model = NerModel(str(german), labels={"MISC": "PERSON"})

    assert found(NerPolicy(model=model), "Ulrike Maier im Zug") == [[("Zug", "PERSON", 0.85)]]


def test_a_language_has_a_model_of_its_own(german: Path) -> None:
    """The rest is read by the bundled one."""
    policy = NerPolicy(languages={"de": NerModel(str(german))})

    assert found(policy, "Gestern war die Ulrike Maier in der Stadt.", "Please ask Marta Kowalczyk about it.") == [
        [("Ulrike Maier", "PERSON", 0.85)],
        [("Marta Kowalczyk", "PERSON", pytest.approx(0.9, abs=0.11))],
    ]


def test_nothing_of_a_text_stays(german: Path) -> None:
    """A proxy lives for months: what it read must not pile up in spaCy's tables."""
    reader = SpacyReader(str(german), {"PER": "PERSON"}, 0.8, PERSON)
    nlp, _ = load(str(german))
    reader.read(["Ulrike Maier schreibt etwas."])
    before = len(nlp.vocab.strings)
    reader.read([f"Unbekanntwort{number} und noch etwas." for number in range(50)])

    assert len(nlp.vocab.strings) == before
    assert reader.language == "de"
    assert "und" in reader.stop_words


def test_what_cannot_be_loaded(tmp_path: Path, german: Path) -> None:
    """No such package, no recogniser, another version, no such label, broken files."""

    def problem(name: Any, labels: dict[str, str] | None = None) -> str:
        with pytest.raises(ModelError) as caught:
            SpacyReader(str(name), labels or {"PER": "PERSON"}, 0.8, PERSON)
        return str(caught.value)

    assert problem("no_such_package") == "neither an installed package nor the path of a spaCy pipeline"
    assert problem(written(tmp_path / "blank", "en", {})) == "the model has no component that finds entities"
    assert "has no label for PERSON (key labels); it has LOC, MISC, PER" in problem(german, {"X": "PERSON"})
    old = written(tmp_path / "old", "en", {"Jane": "PER"})
    meta = json.loads((old / "meta.json").read_text())
    (old / "meta.json").write_text(json.dumps(meta | {"spacy_version": ">=2.0,<2.1"}))
    assert "the model is for spaCy >=2.0,<2.1" in problem(old)
    broken = written(tmp_path / "broken", "en", {"Jane": "PER"})
    (broken / "config.cfg").write_text("[nlp]\nlang = 7\n")
    assert "cannot be loaded" in problem(broken)


def test_a_language_that_spacy_does_not_know() -> None:
    """Told as such."""
    with pytest.raises(ModelError, match="none that spaCy knows"):
        stop_words("klingon")


NAMES = ("Ulrike Maier", "Jonas Weber", "Anke Vogt", "Jens Krüger", "Sabine Hartmann", "Dirk Lehmann")
SENTENCES = (
    "Gestern hat {} das Paket in der Stadt abgeholt.",
    "Bitte schicken Sie die Rechnung an {} und nicht an mich.",
    "Der Vertrag wurde von {} unterschrieben.",
    "Ich habe mit {} über die Wohnung gesprochen.",
    "Wir haben das Paket in der Stadt abgeholt.",
    "Die Rechnung wurde nicht bezahlt und der Vertrag ist alt.",
)
PACKAGE = """
from pathlib import Path
from spacy.util import load_model_from_init_py
def load(**overrides): return load_model_from_init_py(__file__, **overrides)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A German package as pip leaves one: its recogniser was trained just now, on a few sentences."""
    from spacy.training import Example

    site = tmp_path_factory.mktemp("site")
    spacy.util.fix_random_seed(5)
    nlp = spacy.blank("de", meta={"name": "tiny_ner", "version": "0.1.0"})
    nlp.add_pipe("ner")
    examples = []
    for sentence in SENTENCES:
        for name in NAMES:
            text, start = sentence.format(name), sentence.find("{}")
            entities = [(start, start + len(name), "PER")] if start >= 0 else []
            examples.append(Example.from_dict(nlp.make_doc(text), {"entities": entities}))
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(8):
        for start in range(0, len(examples), 4):
            nlp.update(examples[start : start + 4], sgd=optimizer)
    (site / "de_tiny_ner").mkdir()
    nlp.to_disk(site / "de_tiny_ner" / "de_tiny_ner-0.1.0")
    (site / "de_tiny_ner" / "__init__.py").write_text(PACKAGE)
    (site / "de_tiny_ner" / "meta.json").write_text(json.dumps(nlp.meta))
    (site / "de_tiny_ner-0.1.0.dist-info").mkdir()
    (site / "de_tiny_ner-0.1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: de_tiny_ner\nVersion: 0.1.0\n"
    )
    return site


def test_an_installed_package_of_another_language_by_rule(
    installed: Path, german: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule names it; German goes to it by its words, Russian to another by its script, English to the bundled."""
    monkeypatch.syspath_prepend(installed)
    russian = written(tmp_path / "ru", "ru", {"Мария Орлова": "PER"})
    (tmp_path / "pii.yml").write_text(
        f"ner: {{entities: [PERSON], languages: {{de: de_tiny_ner, ru: {russian}}}}}\n", "utf-8"
    )
    policy = load_rules(tmp_path).pii
    (finder,) = finders_for(policy)
    texts = [
        "Gestern hat Jens Krüger über die Wohnung gesprochen und der Vertrag wurde bezahlt.",
        "Вчера Мария Орлова получила письмо.",
        "Please ask Marta Kowalczyk about the letter that was sent.",
        "Die Rechnung ist nicht in der Stadt.",
    ]
    spans = finder.find(texts, Allowance())

    assert [[text[s.start : s.end] for s in one] for text, one in zip(texts, spans, strict=True)] == [
        ["Jens Krüger"],
        ["Мария Орлова"],
        ["Marta Kowalczyk"],
        [],
    ]


def test_an_installed_package_reads_everything_by_rule(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the model itself, in place of the bundled one."""
    monkeypatch.syspath_prepend(installed)
    (tmp_path / "pii.yml").write_text("ner: {model: de_tiny_ner, entities: [PERSON]}\n", "utf-8")
    (finder,) = finders_for(load_rules(tmp_path).pii)
    text = "Der Vertrag wurde von Anke Vogt unterschrieben."

    assert [text[s.start : s.end] for s in finder.find([text], Allowance())[0]] == ["Anke Vogt"]
