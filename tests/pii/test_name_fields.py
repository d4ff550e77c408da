"""Names in tables, JSON and XML, by what their column or field is called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.detect import Detector
from outwarden.pii.name_fields import NameFields
from outwarden.pii.names import finders_for
from outwarden.pii.page import Page
from outwarden.pii.policy import NerPolicy, PiiPolicy


def names(text: str) -> list[str]:
    return [text[span.start : span.end] for span in sorted(NameFields().find(Page([text])).get(0, []))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("bed,surname,nurse\n1,Obi,Pia\n2,De Wit,Tove", ["Obi", "Pia", "De Wit", "Tove"]),
        ("name;dob\nIda Roe;2001-01-02", ["Ida Roe"]),
        ("| Vorname | Nachname | Ort |\n|---|---|---|\n| Uwe | Brandt | Ulm |", ["Uwe", "Brandt"]),
        ('{"name":[{"family":"Lund","given":["Ida","Mae"]}]}', ["Lund", "Ida", "Mae"]),
        ("<PID.5><XPN.1>Obi</XPN.1><XPN.2>Ada</XPN.2></PID.5>", ["Obi", "Ada"]),
        ("first_name\temail\nSunil\ts@x.test", ["Sunil"]),
        ('{"resourceType":"Patient","contact":[{"name":{"text":"Ida Roe"}}]}', ["Ida Roe"]),
        ("GET /fhir/Patient?identifier=1&family=Lund", ["Lund"]),
        ("URN;Surname;Given;Operator\n551920;Obi;Pia;Lund", ["Obi", "Pia", "Lund"]),
        ("SELECT 1 FROM e WHERE pt_last = 'Obi' AND pt_first='Pia'", ["Obi", "Pia"]),
        ('{"lastName": "Obi", "consultant": "Lund"}', ["Obi", "Lund"]),
        ("NM1*IL*1*OBI*PIA*M***MI*W1234~REF*EA*4553970~", ["OBI*PIA*M"]),
    ],
)
def test_columns_and_fields_of_persons(text: str, found: list[str]) -> None:
    """A name needs nothing of its own to be found."""
    assert names(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "name,price\nWidget,3\nGadget,4",  # nothing else speaks of persons
        "owner,repo\nplatform,web",
        'font: {"family": "Lato", "size": 3}',
        '{"name": {"text": "Ida Roe"}}',
        "GET /fonts?family=Lato",
        "surname,ward\nn/a,4\nnone,5\nX3,6",
        "the surname, as written\nis, of course, wrong, too",
        "<given>3 units</given>",
        '{"lastName": "string", "surname": ""}',
        "consultant = get('Lund')",
        "NM1*PR*2*ACME INSURANCE*****PI*12345~",
    ],
)
def test_other_columns(text: str) -> None:
    """Of things, of nobody, and prose."""
    assert names(text) == []


def test_only_who_asks_for_persons_is_shown_them() -> None:
    """Without a model for names nobody asked for names; and a stream is not looked at."""
    text = "bed,surname\n1,Obi"
    asked = PiiPolicy(entities=frozenset({"PERSON"}), ner=NerPolicy())
    detector = Detector(asked, finders_for(asked))
    assert "Obi" in {text[span.start : span.end] for span in detector.find([text])[0]}
    assert not detector.spans([text])[0]
    assert not Detector(PiiPolicy()).find([text])[0]


@given(st.text(alphabet='surname,dob\n|;\t"Roe{}[]:given family<XPN.1>/', max_size=300))
def test_spans_lie_in_the_text(text: str) -> None:
    """Whatever the text is."""
    for span in NameFields().find(Page([text])).get(0, []):
        assert 0 <= span.start < span.end <= len(text)
