"""What is measured: our detector, and Presidio's where it is installed."""

from collections.abc import Callable, Sequence
from pathlib import Path

from evaluating.texts import Label
from outwarden.pii import Detector, finders_for
from outwarden.rules import load_rules

Find = Callable[[Sequence[str]], list[list[Label]]]


def ours(rules: Path) -> tuple[Find, frozenset[str]]:
    """Our detector by the rules, and the entities that it finds."""
    policy = load_rules(rules).pii
    detector = Detector(policy, finders_for(policy))

    def find(texts: Sequence[str]) -> list[list[Label]]:
        return [[Label(s.start, s.end, s.entity) for s in spans] for spans in detector.find(texts)]

    return find, detector.entities


def presidio() -> Find | None:
    """Presidio's patterns (no model), all its countries off but the default ones; None where it is not installed."""
    try:
        from presidio_analyzer import AnalyzerEngine, RecognizerRegistry  # type: ignore[import-not-found]
        from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine  # type: ignore[import-not-found]
    except ImportError:
        return None

    class NoModel(NlpEngine):  # type: ignore[misc]
        def load(self) -> None: ...
        def is_loaded(self) -> bool:
            return True

        def process_text(self, text: str, language: str) -> NlpArtifacts:
            return NlpArtifacts([], [], [], [], self, language)

        def process_batch(self, texts, language, **more):  # type: ignore[no-untyped-def]
            return ((text, self.process_text(text, language)) for text in texts)

        def is_stopword(self, word: str, language: str) -> bool:
            return False

        def is_punct(self, word: str, language: str) -> bool:
            return False

        def get_supported_entities(self) -> list[str]:
            return []

        def get_supported_languages(self) -> list[str]:
            return ["en"]

    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=NoModel(), supported_languages=["en"])

    def find(texts: Sequence[str]) -> list[list[Label]]:
        return [
            [Label(r.start, r.end, r.entity_type) for r in analyzer.analyze(text, "en", score_threshold=0.35)]
            for text in texts
        ]

    return find
