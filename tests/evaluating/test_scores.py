"""Findings against labels: what counts as found, right, exact, covered, and what harmless texts tell."""

import gzip
import json
from pathlib import Path

import pytest

from evaluating.scores import score
from evaluating.streams import profile
from evaluating.texts import Label, Text, files_in, read_texts
from outwarden.pii import PiiEngine, PiiPolicy

KNOWN = frozenset({"EMAIL_ADDRESS", "PHONE_NUMBER", "API_KEY"})


def text(*labels: tuple[int, int, str], harmless: bool = False) -> Text:
    return Text("x" * 40, tuple(Label(*label) for label in labels), "c", harmless)


def test_overlap_is_found_and_equal_is_exact() -> None:
    """Of the same entity; what lies over a label of another is wrong, and the label is covered all the same."""
    texts = [text((0, 10, "EMAIL_ADDRESS"), (20, 30, "PHONE_NUMBER"))]
    report = score(texts, [[Label(0, 10, "EMAIL_ADDRESS"), Label(18, 31, "API_KEY")]], KNOWN)
    email, phone, key = (report.scores[name] for name in ("EMAIL_ADDRESS", "PHONE_NUMBER", "API_KEY"))

    assert (email.recall, email.precision, email.exact) == (1.0, 1.0, 1)
    assert (phone.recall, phone.covered) == (0.0, 1)
    assert key.precision == 0.0
    assert [entity for entity, _ in report.missed] == ["PHONE_NUMBER"]


def test_f_weighs_recall() -> None:
    """Half found without a wrong finding: F1 .667, F2 .556."""
    texts = [text((0, 10, "EMAIL_ADDRESS")), text((0, 10, "EMAIL_ADDRESS"))]
    one = score(texts, [[Label(0, 5, "EMAIL_ADDRESS")], []], KNOWN).scores["EMAIL_ADDRESS"]

    assert (round(one.f(1), 3), round(one.f(2), 3)) == (0.667, 0.556)
    assert (one.covered, one.exact) == (0, 0)


def test_labels_that_nobody_looks_for_are_no_miss() -> None:
    """What cannot be found at all is not in the figures."""
    report = score([text((0, 10, "GENE"))], [[]], KNOWN)

    assert not report.scores
    assert not report.missed


def test_harmless_texts_are_counted_by_text() -> None:
    """Two findings in one text are one hit."""
    texts = [text(harmless=True), text(harmless=True)]
    report = score(texts, [[Label(0, 1, "API_KEY"), Label(3, 4, "API_KEY")], []], KNOWN)

    assert (report.harmless, report.hit, dict(report.hits)) == (2, 1, {"API_KEY": 1})


def test_files_are_read_packed_or_not(tmp_path: Path) -> None:
    """Types become our names; what is no labelled text says in which line."""
    line = json.dumps({"text": "a@b.co", "spans": [{"start": 0, "end": 6, "type": "EMAIL"}], "polarity": "pos"})
    (tmp_path / "a.jsonl").write_text(line + "\n\n")
    with gzip.open(tmp_path / "b.jsonl.gz", "wt") as file:
        file.write(line)
    (tmp_path / "notes.txt").write_text("no")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "c.jsonl").write_text(line + '\n{"text": "x", "spans": [{"start": 5, "end": 9, "type": "A"}]}')

    names = [file.name for file in files_in([tmp_path])]
    assert names == ["a.jsonl", "b.jsonl.gz"]
    for name in names:
        (one,) = read_texts(tmp_path / name)
        assert one.labels == (Label(0, 6, "EMAIL_ADDRESS"),)
    with pytest.raises(ValueError, match=r"c\.jsonl:2"):
        list(read_texts(tmp_path / "bad" / "c.jsonl"))


def test_a_stream_leaks_nothing_and_gives_all_back() -> None:
    """The profile of a text with two values."""
    engine = PiiEngine(PiiPolicy(), b"a secret for tests only")
    one = Text("write to ada.quill@brightquill.com or +49 1512 7340918, please", (), "", False)
    result = profile(engine, [one])

    assert (result.values, result.leak, result.fidelity, result.different) == (2, 0.0, 1.0, 0)
    assert (result.fidelity_in_arguments, result.same_next_turn) == (1.0, 1.0)
