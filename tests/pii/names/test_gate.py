"""The first look spares the network units that hold no name, and only where that was measured."""

from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.names.gate import GATE_SCORE, Gate
from outwarden.pii.names.model import bundled
from outwarden.pii.names.reader import NetworkReader
from outwarden.pii.names.words import WORD

GATE = Gate(frozenset({"the", "The", "letter", "is", "don", "t"}))


def test_every_word_must_be_known() -> None:
    """As it is written; numbers and signs are no names."""
    assert not GATE.may_name(WORD.findall("The letter is the letter."))
    assert not GATE.may_name(WORD.findall("don't: 42 — §!"))
    assert not GATE.may_name(WORD.findall(""))
    assert GATE.may_name(WORD.findall("the Letter"))
    assert GATE.may_name(WORD.findall("the letter_x"))
    assert GATE.may_name(WORD.findall("is łukasz the letter"))


@given(st.lists(st.sampled_from(["the", " ", ".", "1", "_", "letter", "Jane", "\u0301"])).map("".join))
def test_a_word_that_is_not_known_opens_it(text: str) -> None:
    """Wherever it stands."""
    assert GATE.may_name(WORD.findall(f"{text} Zqxw {text}"))


def test_the_bundled_gate_spares_plain_prose() -> None:
    """And lets whatever may be a name through, in any case."""
    gate = bundled().gate

    assert not gate.may_name(WORD.findall("Please send the report to the customer by Friday, it is not ready yet."))
    for name in ("Marta", "marta", "MARTA", "Zqxwlo", "zqxwlo"):
        assert gate.may_name(["please", "tell", name, "about", "it"])
    assert gate.knows("Report")
    assert not gate.knows("Kowalczyk")


def test_who_asks_for_more_is_not_gated() -> None:
    """Places and unsure findings were not measured: every unit is read, whatever the gate takes for ordinary."""
    unit = "Ask Marta Kowalczyk now."
    model = bundled()._replace(gate=Gate(frozenset({"Ask", "Marta", "Kowalczyk", "now"})))

    for floors in ({"PERSON": GATE_SCORE / 2}, {"PERSON": 0.5, "LOCATION": 0.5}):
        assert NetworkReader(model, floors).read([unit])[0]
    assert not NetworkReader(model, {"PERSON": 0.5}).read([unit])[0]
