"""The evidence of a unit: what is counted, that it decides, and that without weights the network decides alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.names.cues import CUES, MASKS
from outwarden.pii.names.evidence import FEATURES, Calibration, Evidence
from outwarden.pii.names.model import bundled
from outwarden.pii.names.spans import Found
from outwarden.pii.names.words import WORD

EVIDENCE: Evidence = bundled().evidence


def described(text: str, name: str, score: float = 0.5) -> dict[str, float]:
    words = WORD.findall(text)
    first, last = words.index(name.split()[0]), words.index(name.split()[-1])
    return dict(zip(FEATURES, EVIDENCE.of(words, [Found(first, last, "PERSON", score)])[0].tolist(), strict=True))


def weights(**told: float) -> np.ndarray:
    return np.array([told.get(name, 0.0) for name in (*FEATURES, "bias")], np.float32)


def likelihoods(*persons: float) -> np.ndarray:
    rows = np.zeros((len(persons), 7), np.float32)
    rows[:, 1], rows[:, 0] = persons, 1 - np.array(persons)
    return rows


def test_a_unit_about_a_person_and_one_about_things() -> None:
    """The same word among people and among measurements."""
    told = described("His wife Iris said she called Dr Roe.", "Iris")
    thing = described("Iris 4 cm, Daphne 6 cm, fern 12 kg", "Iris")

    assert told["role"] == told["verb_after"] == 1
    assert told["words_others"] > 1
    assert (told["nothing"], thing["nothing"]) == (0, 1)
    assert thing["units"] > told["units"] == 0
    assert thing["digit_after"] == thing["starts"] == 1


def test_a_unit_in_another_language() -> None:
    """As many words in lower case as English does not have, without the name's own; what opens a sentence."""
    there = described("Numer zlecenia wynosi sto, czas trwania minuta. Zlecenie stoi", "Zlecenie")
    here = described("the order number is above. Zlecenie was there for some time", "Zlecenie")

    assert there["foreign"] > 0.5 > here["foreign"]
    assert there["opens"] == here["opens"] == 1
    assert there["unlisted"] == 1
    assert there["foreign_unlisted"] == there["foreign"]


def test_the_name_itself_is_no_evidence() -> None:
    """Only what stands around it is counted."""
    assert described("Nurse", "Nurse")["words_titles"] == 0
    assert described("QRS 92 ms", "QRS")["caps_short"] == 1


def test_what_a_list_is_one_of() -> None:
    """Words of kinds before the colon, beside the name, and items around it."""
    things = described("Varieties in stock: Gala, Linda, Nicola.", "Linda")
    people = described("Patients seen: Gala, Linda, Nicola.", "Linda")
    bare = described("He met Linda.", "Linda")

    assert (things["headed"], people["headed"], bare["headed"]) == (1, 0, 0)
    assert (things["headed_people"], people["headed_people"]) == (0, 1)
    assert things["items"] == people["items"] > bare["items"]
    assert (things["item"], bare["item"]) == (1, 0)


def test_words_of_kinds_beside() -> None:
    """Right before, right after; they do not speak of people."""
    assert described("broker Marlin lost", "Marlin")["kind_before"] == 1
    assert described("Marlin valve", "Marlin")["kind_after"] == 1
    assert described("Marlin valve", "Marlin")["nothing"] == 1


def test_parts_of_a_joined_name() -> None:
    """A hyphen to another word."""
    assert described("by Hahn-Banach we", "Hahn")["joined"] == 1
    assert described("by Hahn we", "Hahn")["joined"] == 0


def test_the_weights_decide() -> None:
    """Persons whose score falls below the floor go, others get theirs; places and organisations stay."""
    words = "Ask Ida in Oslo".split()
    likely = likelihoods(0.0, 0.6, 0.0, 0.0)
    found = [Found(1, 1, "PERSON", 0.6), Found(3, 3, "LOCATION", 0.9)]
    floors = {"PERSON": 0.5, "LOCATION": 0.5}

    surer = Calibration(EVIDENCE, weights(logit=1.0, bias=2.0)).judged(words, likely, found, floors)
    none = Calibration(EVIDENCE, weights(logit=1.0, bias=-2.0)).judged(words, likely, found, floors)

    assert [one.entity for one in surer] == ["PERSON", "LOCATION"]
    assert surer[0].score == pytest.approx(0.917, abs=0.01)
    assert none == [found[1]]
    assert Calibration(EVIDENCE, np.zeros(0, np.float32)).judged(words, likely, found, floors) == found


def test_unlikely_words_at_the_edges_are_left_out() -> None:
    """A floor this low takes neighbours with it; the stop of an initial stays."""
    words = "of Ida R .".split()
    calibration = Calibration(EVIDENCE, weights(logit=1.0))
    (one,) = calibration.candidates(words, likelihoods(0.2, 0.9, 0.8, 0.5), [Found(0, 3, "PERSON", 0.6)])
    assert (one.first, one.last) == (1, 3)


def test_the_network_is_asked_for_all_that_is_at_all_likely() -> None:
    """As far as persons are wanted, and no surer than who asks."""
    calibration = Calibration(EVIDENCE, weights())
    assert calibration.floors({"PERSON": 0.5, "LOCATION": 0.4}) == {"PERSON": Calibration.FLOOR, "LOCATION": 0.4}
    assert calibration.floors({"PERSON": 0.05}) == {"PERSON": 0.05}
    assert calibration.floors({"LOCATION": 0.4}) == {"LOCATION": 0.4}


def test_weights_for_other_evidence_are_an_error() -> None:
    """They would weigh the wrong things."""
    with pytest.raises(ValueError, match="other evidence"):
        Calibration(EVIDENCE, np.zeros(3, np.float32))


def test_masks_and_words_agree() -> None:
    """One bit for each kind."""
    assert all(
        (mask >> at & 1) == (word in words) for word, mask in MASKS.items() for at, words in enumerate(CUES.values())
    )


@given(
    st.lists(st.sampled_from("Ida roe , . 12 mm MAC dr said v1.2 a_b 's (".split()), min_size=1, max_size=12), st.data()
)
def test_every_unit_can_be_described(words: list[str], data: st.DataObject) -> None:
    """Finite numbers, whatever stands where."""
    places = [at for at, word in enumerate(words) if word[0].isalpha()]
    if places:
        first = data.draw(st.sampled_from(places))
        last = data.draw(st.sampled_from([at for at in places if at >= first]))
        row = EVIDENCE.of(words, [Found(first, last, "PERSON", data.draw(st.floats(0, 1)))])[0]
        assert len(row) == len(FEATURES)
        assert np.isfinite(row).all()
