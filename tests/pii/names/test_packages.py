"""Any spaCy pipeline as a reader; one that cannot be used says why."""

import json
from pathlib import Path
from typing import Any

import pytest

from outwarden.pii import Allowance, ModelError, NerModel, NerPolicy, PiiPolicy, finders_for
from outwarden.pii.names.packages import SpacyReader, load, stop_words

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
