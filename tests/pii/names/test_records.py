from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii import Detector, PiiPolicy, finders_for
from outwarden.pii.finder import Allowance, Span
from outwarden.pii.names.finder import NameFinder
from outwarden.pii.names.records import is_record, names_in, prose_of
from outwarden.pii.policy import NerPolicy

WORDS = frozenset(("spouse", "blood", "white", "surgery", "primary", "next", "brother"))


def _is_word(part: str) -> bool:
    return part.lower() in WORDS


def _named(unit: str) -> list[str]:
    return [unit[span.start : span.end] for span in names_in(unit, _is_word)]


@pytest.mark.parametrize(
    ("unit", "names"),
    [
        ("PID|1||88112^^^GHH^MR||EZENWA^ADAORA^P^^MS||19670412|F|||9 OAK ST^^DAYTON^OH^45402", ["EZENWA^ADAORA^P^^MS"]),
        ("NK1|1|Ezenwa^Obi|SPO^Spouse|||||NK^NEXT OF KIN", ["Ezenwa^Obi"]),
        ("PV1|1|I|2000^2012^01||||004777^LEROUX^SIDNIE^J.|||SUR||||1|A0", ["LEROUX^SIDNIE^J."]),
        ("PV1|1|I|W1||||7^Amsel^Ida~8^Specht^Udo|^Krähe^Ole", ["Amsel^Ida", "Specht^Udo", "Krähe^Ole"]),
        ("PID|1||5||SINGLENAME||19800131", ["SINGLENAME"]),
        ('PID|1||5||""||19800131', []),
        ("PID|1||5||||19800131", []),
        ("OBR|1||7|15545^GLUCOSE" + "|" * 28 + "0123&AMSEL&HEDDA&H&&DR^202602", ["AMSEL&HEDDA&H&&DR"]),
        ("OBX|1|NM|1554-5^GLUCOSE^POST 12H||182|mg/dl", []),
        ("MSH|^~\\&|ADT1|GOOD HEALTH|LAB|GHH|202603021430||ADT^A01|MSG1|P|2.5", []),
    ],
)
def test_names_stand_where_the_standard_puts_them(unit: str, names: list[str]) -> None:
    """The fields of a segment that name persons are found, whole, without the id before them; no other field is."""
    assert _named(unit) == names


@pytest.mark.parametrize(
    ("unit", "names"),
    [
        ("OBR|1||7|15545^GLUCOSE|||||||||||55-5^PRIMARY^PATRICE P^^^^MD", ["PRIMARY^PATRICE P^^^^MD"]),
        ("IN1|1|A357|1234|BCMD|||||132987||||||||AMSEL^HEDDA^^^|18", ["AMSEL^HEDDA"]),
        ("NK1|1|Ezenwa^Obi|SPO^Spouse|X|BLD^Blood", ["Ezenwa^Obi"]),
        ("PID|1||5||Amsel^Ida|||||W^White", ["Amsel^Ida"]),
    ],
)
def test_a_field_too_many_hides_no_name(unit: str, names: list[str]) -> None:
    """A name one field off is found, and further off if none of its parts is a word; a code with its meaning is not."""
    assert _named(unit) == names


@pytest.mark.parametrize(
    ("unit", "names"),
    [
        ("Patient Name: AMSEL^HEDDA", ["AMSEL^HEDDA"]),
        ("please merge O'Hedda^Ida^M^^Dr. with VAN DER LEEUW^ANNA^^", ["O'Hedda^Ida^M^^Dr.", "VAN DER LEEUW^ANNA"]),
        ("x^2 + y^2 = z^2, a^b, e^x, 2^Max, M^T", []),
        ("10^Mbit foo^Bar Foo^bar", []),
    ],
)
def test_the_form_alone_is_a_name(unit: str, names: list[str]) -> None:
    """LAST^FIRST counts anywhere, as in DICOM; powers and single letters do not."""
    assert _named(unit) == names


def test_only_sentences_of_segments_are_prose() -> None:
    """Notes and results in a segment are read as prose, at their places; ids, codes and addresses are not."""
    unit = "NTE|1|L|Seen by the night team, no change.|X\nOBX|2|TX|A^B||fine"
    prose = prose_of(unit)

    assert len(prose) == len(unit)
    assert [line.strip() for line in prose.split("\n")] == ["Seen by the night team, no change.|", ""]
    assert prose.index("Seen") == unit.index("Seen")
    assert "Dr. Amsel informed" in prose_of("OBX|3|TX|||Dr. Amsel informed|")


@pytest.mark.parametrize(
    "text",
    ["| Bed | Name |\n|---|---|", "grep foo|wc|sort", "a|b", "no fields", "ICU|Amsel, Hedda|CVA\nB12|Ida Specht|MI"],
)
def test_a_table_is_no_record(text: str) -> None:
    """Columns and pipes of a shell are left to the reader of prose."""
    assert not is_record(text)
    assert prose_of(text) == text


@given(st.text("PIDNK1|^~&aB \r\n3'", max_size=120))
def test_names_lie_in_the_unit_and_do_not_overlap(unit: str) -> None:
    """Whatever a unit holds: spans in order, within it, that begin and end with something."""
    end = 0
    for span in sorted(names_in(unit, _is_word)):
        assert end <= span.start < span.end <= len(unit)
        assert any(map(str.isalpha, unit[span.start : span.end]))
        end = span.end


class _Nothing:
    """A reader that finds nothing."""

    entities = frozenset({"PERSON"})
    version = b""

    def read(self, units: Sequence[str]) -> list[list[Span]]:
        return [[] for _ in units]

    def is_first_name(self, word: str) -> bool:
        return False

    def is_last_name(self, word: str) -> bool:
        return False

    def is_word(self, part: str) -> bool:
        return _is_word(part)


MESSAGE = (
    "MSH|^~\\&|A|B|C\rPID|1||5||AMSEL^HEDDA^I||19670412\rNK1|1|Specht^Udo^^|BRO^Brother\r" + "Z" * 700 + "\rPV1|1|I"
)


def test_segments_are_read_without_a_model_at_every_cut() -> None:
    """A message with carriage returns is found whole, and in pieces cut anywhere, whatever the reader knows."""
    finder = NameFinder(_Nothing())
    whole = finder.find([MESSAGE], Allowance())[0]
    assert [MESSAGE[span.start : span.end] for span in whole] == ["AMSEL^HEDDA^I", "Specht^Udo"]

    for cut in range(1, len(MESSAGE)):
        channel = finder.channel()
        settled, found = channel.feed(MESSAGE[:cut], more=True)
        _, rest = channel.feed(MESSAGE[settled:], more=False)
        assert [*found, *(s._replace(start=s.start + settled, end=s.end + settled) for s in rest)] == whole


def test_the_bundled_model_reads_messages() -> None:
    """What a policy's own finder finds in a message, and only where persons are asked for."""
    policy = PiiPolicy(entities=frozenset({"PERSON"}), ner=NerPolicy())
    text = "PID|1||5||AMSEL^HEDDA^I||19670412|F"
    found = Detector(policy, finders_for(policy)).find([text])[0]
    assert [(text[s.start : s.end], s.entity) for s in found] == [("AMSEL^HEDDA^I", "PERSON")]

    places = PiiPolicy(entities=frozenset({"LOCATION"}), ner=NerPolicy(entities=frozenset({"LOCATION"})))
    assert not any(s.entity == "PERSON" for s in Detector(places, finders_for(places)).find([text])[0])
