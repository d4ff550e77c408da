"""Reading a text as it is meant: what is undone, and that every character knows where it came from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.folding import fold

MEANT = "jane.doe@acme.com"


@pytest.mark.parametrize(
    "written",
    [
        "jane\u200b.d\u00adoe@acme\u2060.com",
        "ｊａｎｅ．ｄｏｅ＠ａｃｍｅ．ｃｏｍ",
        "𝐣𝐚𝐧𝐞.𝐝𝐨𝐞@𝐚𝐜𝐦𝐞.𝐜𝐨𝐦",
        "jаnе.dое@асmе.соm",  # Cyrillic letters
        "jane.doe&#64;acme&#x2e;com",
        "jane.doe&commat;acme&period;com",
        "jane%2Edoe%40acme.com",
        "jane.doe%2540acme.com",
        "jane.doe&amp;#64;acme.com",
        r"jane.doe\u0040acme.com",
        r"jane.doe\u{40}acme.com",
        r"jane.doe\x40acme.com",
        "jane.<b>doe</b>@acme<wbr>.com",
        "jane.doe@acme<!-- -->.com",
        "jane.doe@acme。com",
        "jane.doe+AEA-acme.com",
        "ʲᵃⁿᵉ.ᵈᵒᵉ@ᵃᶜᵐᵉ.ᶜᵒᵐ",
        "🅙🅐🅝🅔.🅳🅾🅴@🄰🄲🄼🄴.⒞⒪⒨",
        "".join(chr(0xE0000 + ord(letter)) for letter in "jane.doe@acme.com"),
        "j\u0336a\u0336n\u0336e\u0336.doe@acme.com",
    ],
)
def test_what_is_written_is_read_as_it_is_meant(written: str) -> None:
    """One spelling, escape or look-alike each; also one escape in another."""
    assert fold(written).text == MEANT


@pytest.mark.parametrize("written", ["jane.doe=40acme.com", "jane=2Edoe@ac=\nme.com"])
def test_quoted_printable_is_read_where_asked(written: str) -> None:
    """Else key=66 would be a letter."""
    assert fold(written, quoted=True).text == MEANT
    assert fold(written).text == written


@pytest.mark.parametrize("text", ["", "plain", "100 % = =3 & \\u12 %zz &#; <p> été", "\ud800", "&#xD800;x", "中文"])
def test_what_is_no_escape_stays(text: str) -> None:
    """Nothing is invented for what only looks like one, and nothing is raised."""
    assert len(fold(text).text) <= max(len(text), 1)


def test_digits_of_other_scripts_are_digits() -> None:
    """Every digit of Unicode has a value, in circles and on discs too."""
    assert fold("٤९๒９𝟗❹➈²").text == "49299492"


def test_a_span_leads_back_to_all_that_was_written() -> None:
    """The whole escape belongs to the character that was made of it."""
    written = "x jane&#64;acme.com y"
    folded = fold(written)
    at = folded.text.index("e@a")

    assert written[slice(*folded.span(at, at + 3))] == "e&#64;a"


@given(st.text("a1@. \u200b&#64;%40\\u０<b>é\ud800=\n", max_size=60), st.booleans())
def test_every_character_knows_where_it_came_from(text: str, quoted: bool) -> None:
    """Starts and ends never go back, stay in the text, and hold one character at least."""
    folded = fold(text, quoted=quoted)

    assert len(folded.text) == len(folded.starts) == len(folded.ends)
    assert list(folded.starts) == sorted(folded.starts)
    assert list(folded.ends) == sorted(folded.ends)
    assert all(0 <= start < end <= len(text) for start, end in zip(folded.starts, folded.ends, strict=True))


@given(st.text(st.characters(codec="ascii", exclude_characters="&%\\<=\x00\x08\x1b"), max_size=60))
def test_plain_text_is_left_alone(text: str) -> None:
    """Offsets and all."""
    folded = fold(text)

    assert folded.text == text
    assert list(folded.starts) == list(range(len(text)))
