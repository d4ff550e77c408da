"""Compare what was found with what was labelled."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from evaluating.texts import Label, Text

# Findings and labels that mean the same thing under several names count as found under any of them.
ALIKE: Sequence[frozenset[str]] = (
    frozenset({"STREET_ADDRESS", "LOCATION"}),
    frozenset({"API_KEY", "PASSWORD"}),
    frozenset({"DATE", "DATE_OF_BIRTH"}),
    frozenset({"PASSPORT", "US_PASSPORT"}),
    frozenset({"ID", "MEDICAL_RECORD_NUMBER"}),
)


def alike(one: str, other: str) -> bool:
    """Whether two names of entities mean the same."""
    return one == other or any(one in group and other in group for group in ALIKE)


@dataclass
class Score:
    """Counts of one entity. ``covered``: labels that findings of any entity cover: nothing of them would leave."""

    labels: int = 0
    found: int = 0
    covered: int = 0
    exact: int = 0
    findings: int = 0
    right: int = 0

    @property
    def recall(self) -> float:
        return self.found / self.labels if self.labels else 1.0

    @property
    def precision(self) -> float:
        return self.right / self.findings if self.findings else 1.0

    def f(self, beta: float) -> float:
        """The F score in which recall weighs ``beta`` times as much."""
        low = beta * beta * self.precision + self.recall
        return (1 + beta * beta) * self.precision * self.recall / low if low else 0.0

    def as_json(self) -> dict[str, float]:
        """All figures."""
        return {
            "labels": self.labels,
            "precision": round(self.precision, 4),
            "recall": round(self.recall, 4),
            "covered": round(self.covered / self.labels if self.labels else 1.0, 4),
            "exact": round(self.exact / self.labels if self.labels else 1.0, 4),
            "f1": round(self.f(1), 4),
            "f2": round(self.f(2), 4),
        }


@dataclass
class Report:
    """What came out for one set. ``missed`` and ``wrong``: examples (entity, text around it)."""

    scores: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    texts: int = 0
    harmless: int = 0
    hit: int = 0
    hits: Counter[str] = field(default_factory=Counter)
    categories: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    missed: list[tuple[str, str]] = field(default_factory=list)
    wrong: list[tuple[str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """All figures, no text."""
        return {
            "texts": self.texts,
            "entities": {name: score.as_json() for name, score in sorted(self.scores.items())},
            "categories": {name: round(score.recall, 4) for name, score in sorted(self.categories.items()) if name},
            "harmless": {"texts": self.harmless, "hit": self.hit, "entities": dict(self.hits)},
        }


def score(texts: Iterable[Text], found: Iterable[Sequence[Label]], known: frozenset[str]) -> Report:
    """Score the findings of each text. Labels of entities that are not ``known`` are nobody's miss, nor wrong."""
    report = Report()
    for text, findings in zip(texts, found, strict=True):
        report.texts += 1
        if text.harmless:
            report.harmless += 1
            report.hit += bool(findings)
            report.hits.update({finding.entity for finding in findings})
            report.wrong += [(f.entity, _around(text.text, f)) for f in findings]
            continue
        _score_labels(report, text, findings, known)
        _score_findings(report, text, findings)
    return report


def _score_labels(report: Report, text: Text, findings: Sequence[Label], known: frozenset[str]) -> None:
    for label in text.labels:
        if not any(alike(label.entity, entity) for entity in known):
            continue
        touching = [finding for finding in findings if _meet(label, finding)]
        same = [finding for finding in touching if alike(label.entity, finding.entity)]
        for score in (report.scores[label.entity], report.categories[text.category]):
            score.labels += 1
            score.found += bool(same)
            score.covered += _covers(label, touching)
            score.exact += any((f.start, f.end) == (label.start, label.end) for f in same)
        if not same:
            report.missed.append((label.entity, _around(text.text, label)))


def _score_findings(report: Report, text: Text, findings: Sequence[Label]) -> None:
    for finding in findings:
        touching = [label for label in text.labels if _meet(label, finding)]
        right = any(alike(label.entity, finding.entity) for label in touching)
        name = next((label.entity for label in touching if alike(label.entity, finding.entity)), finding.entity)
        score = report.scores[name]
        score.findings += 1
        score.right += right
        if not right:
            report.wrong.append((finding.entity, _around(text.text, finding)))


def _meet(one: Label, other: Label) -> bool:
    return one.start < other.end and other.start < one.end


def _covers(label: Label, findings: Sequence[Label]) -> bool:
    at = label.start
    for finding in sorted(findings, key=lambda f: f.start):
        if finding.start <= at:
            at = max(at, finding.end)
    return at >= label.end


def _around(text: str, label: Label) -> str:
    before = text[max(0, label.start - 30) : label.start]
    return f"{before}>>{text[label.start : label.end]}<<{text[label.end : label.end + 15]}".replace("\n", "⏎")


def table(report: Report, columns: Mapping[str, Report] = {}) -> list[Sequence[str]]:  # never changed
    """Rows of text: entity, labels, precision, recall, covered, exact, F1, F2, and F2 of each other column."""
    rows: list[Sequence[str]] = [("entity", "labels", "P", "R", "covered", "exact", "F1", "F2", *columns)]
    for name, one in sorted(report.scores.items()):
        figures = one.as_json()
        cells = [f"{figures[key]:.3f}" for key in ("precision", "recall", "covered", "exact", "f1", "f2")]
        others = [f"{other.scores[name].f(2):.3f}" if name in other.scores else "-" for other in columns.values()]
        rows.append((name, str(one.labels), *cells, *others))
    return rows
