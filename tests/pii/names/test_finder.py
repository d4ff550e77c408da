"""Names in texts as agents and people send them: found in prose, at every cut, within time; code stays as it is."""

import re
import time
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pii_texts import cuts

from outwarden.pii import Allowance, Detector, NerPolicy, PiiPolicy, Scanner, Span, finders_for
from outwarden.pii.names.finder import BLOCK_CHARACTERS, SEEN_CHARACTERS_MIN, NameFinder, Seen

POLICY = PiiPolicy(ner=NerPolicy(entities=frozenset({"PERSON", "LOCATION", "ORGANIZATION"})))
FINDER = finders_for(POLICY)[0]
DETECTOR = Detector(POLICY, [FINDER])


def persons(text: str) -> list[str]:
    (spans,) = FINDER.find([text], Allowance())
    return [text[span.start : span.end] for span in spans if span.entity == "PERSON"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Please book a table for Marta Kowalczyk and Femi Adebayo.", ["Marta Kowalczyk", "Femi Adebayo"]),
        ("Patient: Okonkwo, Chidi\nAttending: Dr. Helga Brandt", ["Okonkwo, Chidi", "Helga Brandt"]),
        ("Discussed with Dr. Lindqvist, who agrees.", ["Lindqvist"]),
        ("can you tell priya patel that im late", ["priya patel"]),
        ("WITNESS: SVETLANA MOROZOVA", ["SVETLANA MOROZOVA"]),
        ("J. R. Whitmore signed it.", ["J. R. Whitmore"]),
        ("Thanks,\n\nSiobhan O'Leary", ["Siobhan O'Leary"]),
        ('{"assignee": "Hiroshi Tanaka", "priority": "high"}', ["Hiroshi Tanaka"]),
        ("| Lena Vogel | Berlin | active |", ["Lena Vogel"]),
        ("Maria", ["Maria"]),
        ("Maria Lopez", ["Maria Lopez"]),
    ],
)
def test_names_of_many_cultures_and_spellings(text: str, names: list[str]) -> None:
    """In sentences, notes, chats, forms, JSON and tables."""
    assert persons(text) == names


@pytest.mark.parametrize(
    "text",
    [
        "```python\nauthor = 'Marta Kowalczyk'\n```",
        "diff --git a/x b/x\n@@ -1 +1 @@\n-Marta Kowalczyk\n+Femi Adebayo\n",
        "-----BEGIN CERTIFICATE-----\nMarta Kowalczyk\n-----END CERTIFICATE-----",
        "def grant(self, mark: Frank) -> Will:\n    return self.rose.chase(mark)\n",
        "  1→import frank\n  2→from mark import Grant\n",
        'Traceback (most recent call last):\n  File "grant.py", line 3, in mark\nKeyError: frank',
        "Bash", "Read", "string", "gpt-4o-mini", "mistral-small-latest", "claude-sonnet-4", "get_weather", "call_maria",
        "jane.doe@acme.com", "@marta", "https://acme.com/marta/kowalczyk", "src/marta/kowalczyk.py",
        "李小龍在北京", "Иван Петров", "مرحبا", "", " ", "\n", "\ud800", "42",
        "Summarize the following text in three bullet points.",
        "You are a helpful assistant.",
        "Dear customer, thank you for your patience.",
        "Terms and Conditions",
        "Deploy with Jenkins, monitor with Grafana and Prometheus.",
    ],
)  # fmt: skip
def test_what_is_no_name_in_prose(text: str) -> None:
    """Code in any dress, identifiers, other scripts, and words that only look like names."""
    assert persons(text) == []


def test_other_entities_only_where_they_are_asked_for() -> None:
    """PERSON alone is the default."""
    text = "Marta Kowalczyk moved from Lisbon to the University of Vienna."
    (alone,) = finders_for(PiiPolicy(ner=NerPolicy()))[0].find([text], Allowance())
    (spans,) = FINDER.find([text], Allowance())

    assert {span.entity for span in alone} == {"PERSON"}
    assert {span.entity for span in spans} >= {"PERSON", "LOCATION"}
    assert all(0.5 <= span.score <= 1 for span in spans)


SENTENCES = [
    "Ask Marta Kowalczyk. ", "Dr. Lindqvist called! ", "```\nMarta Kowalczyk\n```\n", "Thanks,\n", "Femi\n", "J. ",
    "x = 1\n", "\n", "jane@acme.com ", "Oslo, ", "word " * 25, "A sentence about nothing. ", "\ud83d",
    "@@ -1 +1 @@\n", "-----BEGIN X-----\n",
]  # fmt: skip
prose = st.lists(st.sampled_from(SENTENCES), max_size=14).map("".join)


def streamed(pieces: Sequence[str]) -> Iterator[Span]:
    scanner = Scanner(DETECTOR)
    for piece in pieces:
        yield from (found.span for found in scanner.feed(piece)[1])
    yield from (found.span for found in scanner.finish())


@settings(max_examples=150)
@given(prose, st.data())
def test_a_stream_has_the_names_of_the_whole(text: str, data: st.DataObject) -> None:
    """At every cut."""
    whole = list(DETECTOR.spans([text])[0])

    assert list(streamed(cuts(text, data))) == whole
    assert list(streamed(list(text))) == whole


def test_a_reply_waits_for_the_end_of_a_sentence_only() -> None:
    """Then all before it is decided; within a fence nothing waits but a line that may end it."""
    scanner = Scanner(DETECTOR)

    assert scanner.feed("Ask Marta Kowal")[0] == 0
    assert scanner.feed("czyk now. And then")[0] == len("Ask Marta Kowalczyk now. ")
    assert scanner.feed("\n```py\nx = Marta(1)\ny = 2")[0] >= len(
        "Ask Marta Kowalczyk now. And then\n```py\nx = Marta(1)\n"
    )


class Clock:
    """Each look takes a second."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def test_time_runs_out() -> None:
    """What was read by then is found, what was not is told to be missing."""
    text = "Ask Marta Kowalczyk. " * (3 * BLOCK_CHARACTERS // 20)
    (finder,) = finders_for(POLICY)
    enough, short = Allowance(1000, Clock()), Allowance(2.5, Clock())
    some = finder.find([text], short)[0]
    all_of_it = finder.find([text], enough)[0]

    assert not enough.missed
    assert short.missed
    assert 0 < len(some) < len(all_of_it)
    assert some == all_of_it[: len(some)]


def test_the_time_of_a_call_is_that_of_all_its_texts() -> None:
    """Not of each."""
    allowance = Allowance(3.5, Clock())
    for _ in range(5):
        FINDER.find(["Ask Marta Kowalczyk."], allowance)

    assert allowance.missed
    assert "left" in repr(allowance)


@pytest.mark.parametrize(
    "piece", ["Ask Marta Kowalczyk now. ", "word ", "x", "\n", "```\n", "a.b/", "- Marta\n", "字", "Dr. "]
)
def test_time_grows_with_the_text(piece: str) -> None:
    """Whatever is in it."""
    seconds = []
    for size in (20_000, 160_000):
        started = time.process_time()
        FINDER.find([piece * (size // len(piece))], Allowance())
        seconds.append(time.process_time() - started)

    assert seconds[1] < 24 * seconds[0] + 0.5


def test_what_was_read_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its content, for a while; not what was read in part, and not a text so short that reading it is as cheap."""
    (fresh,) = finders_for(POLICY)
    read: list[str] = []
    inner = fresh._reader.read
    monkeypatch.setattr(fresh._reader, "read", lambda units: read.extend(units) or inner(units))
    text = "Ask Marta Kowalczyk about item 7. " * 10
    first = fresh.find([text, "Ask Femi Adebayo."], Allowance())
    (again,) = fresh.find([text], Allowance())

    assert again == first[0] != []
    assert len(read) == 11
    long = "Ask Marta Kowalczyk. " * (3 * BLOCK_CHARACTERS // 20)
    fresh.find([text + "1", long, text + "2"], Allowance(1.5, Clock()))
    read.clear()
    fresh.find([long], Allowance())
    assert read


def test_memory_is_bounded() -> None:
    """The least used are forgotten."""
    seen = Seen(texts_max=2)
    texts = [letter * SEEN_CHARACTERS_MIN for letter in "abc"]
    for text in texts[:2]:
        seen.put(text, [])
    seen.get(texts[0])
    seen.put(texts[2], [Span(0, 1, "PERSON", 0.9)])

    assert [seen.get(text) for text in texts] == [[], None, [Span(0, 1, "PERSON", 0.9)]]
    assert repr(seen) == "<Seen 2 texts>"


def test_a_finder_shows_nothing() -> None:
    """No text, no name."""
    assert re.fullmatch(r"<NameFinder \[[A-Z', ]+\]>", repr(FINDER))


def test_the_version_tells_the_floors_apart() -> None:
    """What is remembered of texts is not taken for another model's."""
    stricter = finders_for(PiiPolicy(ner=NerPolicy(min_score=0.9)))[0]

    assert isinstance(stricter, NameFinder)
    assert stricter.version != FINDER.version
    assert FINDER.version == finders_for(POLICY)[0].version


class FullNames:
    """A reader that sees full names only."""

    entities = frozenset({"PERSON"})
    version = b"1"

    def read(self, units: Sequence[str]) -> list[list[Span]]:
        return [[Span(*m.span(), "PERSON", 0.9) for m in re.finditer("Zorba Quxley", unit)] for unit in units]

    def is_first_name(self, word: str) -> bool:
        return False

    def is_last_name(self, word: str) -> bool:
        return False

    def is_word(self, part: str) -> bool:
        return part == "Zorba"


def test_a_name_given_in_full_is_known_later_at_every_cut() -> None:
    """Its parts are found where the model by itself sees no name; whole and in pieces alike, in no other text."""
    text = "Quxley? The claim of Zorba Quxley is open.\n\nQuxley has called. Zorba too. Mr. Zorba, Quxley!\n"
    finder = NameFinder(FullNames())
    whole, other = finder.find([text, "Quxley has called."], Allowance())

    assert [text[s.start : s.end] for s in whole] == ["Zorba Quxley", "Quxley", "Zorba", "Quxley"]
    assert other == []
    for cut in range(1, len(text)):
        channel = finder.channel()
        settled, found = channel.feed(text[:cut], more=True)
        rest = channel.feed(text[settled:], more=False)[1]
        moved = [span._replace(start=span.start + settled, end=span.end + settled) for span in rest]
        assert [*found, *moved] == whole
