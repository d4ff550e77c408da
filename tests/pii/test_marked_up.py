"""Street addresses written in HTML are found over their marks; marks without an address are left alone."""

import pytest

from outwarden.pii import Detector, PiiPolicy

DETECTOR = Detector(PiiPolicy())


def found(text: str, detector: Detector = DETECTOR) -> list[tuple[str, str]]:
    return [(span.entity, text[span.start : span.end]) for span in detector.find([text])[0]]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("12 High Street<br>Leeds<br/>LS1 4AP", "12 High Street<br>Leeds<br/>LS1 4AP"),
        ("<p>221B&nbsp;Baker&nbsp;Street</p>", "221B&nbsp;Baker&nbsp;Street"),
        ("Lindenstra&szlig;e 12<br>10969 Berlin", "Lindenstra&szlig;e 12<br>10969 Berlin"),
        ("Lindenstra&#223;e 12", "Lindenstra&#223;e 12"),
        ("<div>12 rue de la Paix</div>\n<div>75002 Paris</div>", "12 rue de la Paix</div>\n<div>75002 Paris"),
        ("ship to <b>12</b> <i>High</i> Street today", "12</b> <i>High</i> Street"),
        (
            "<span>5 W. Main St</span>, <span>Boston</span>, MA 02115",
            "5 W. Main St</span>, <span>Boston</span>, MA 02115",
        ),
        ("<td>Hauptstr. 5a</td><td>12</td>", "Hauptstr. 5a"),
    ],
)
def test_an_address_in_html_is_found_whole(text: str, address: str) -> None:
    """With its town and post code behind the break."""
    assert found(text) == [("STREET_ADDRESS", address)]


@pytest.mark.parametrize(
    "text",
    [
        "<li>5 places</li><li>12 roads</li>",
        "<p>Chapter 5<br>Road maps</p>",
        "a &lt; b &amp;&amp; c &gt; 12",
        "<br>" * 200,
    ],
)
def test_marks_alone_are_left(text: str) -> None:
    """Lists, headings, code."""
    assert found(text) == []


def test_without_addresses_in_the_policy_there_are_none() -> None:
    """What nobody asked for is not looked for."""
    assert not found("12 High Street<br>Leeds", Detector(PiiPolicy(entities=frozenset({"EMAIL_ADDRESS"}))))
