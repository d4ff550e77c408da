"""Same value, same name; different values, different names; names look alike for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.placeholders import Names, canonical, is_placeholder, mask, meant, placeholder_pattern, spelled_like
from outwarden.pii.regexp import Regexp

names = Names(b"a secret for tests only")


@pytest.mark.parametrize(
    ("entity", "one", "other"),
    [
        ("EMAIL_ADDRESS", "Jane@Acme.com", "jane@acme.com"),
        ("CREDIT_CARD", "4013-6018-6191-1289", "4013601861911289"),
        ("PHONE_NUMBER", "+1 (415) 806-5568", "+14158065568"),
        ("PHONE_NUMBER", "0044 20 8366 1177", "+442083661177"),
        ("US_SSN", "281-44-0067", "281 44 0067"),
        ("IBAN_CODE", "de75 8501 0510 3738 8815 15", "DE75850105103738881515"),
        ("IP_ADDRESS", "2A02:0::1", "2a02::1"),
    ],
)
def test_spellings_of_one_value_agree(entity: str, one: str, other: str) -> None:
    """Case and separators make no other person."""

    assert canonical(entity, one) == canonical(entity, other)
    assert next(iter(names.candidates(entity, one))) == next(iter(names.candidates(entity, other)))


def test_a_name_is_the_same_for_ever() -> None:
    """Prompt caches stay warm over restarts and releases: this very name must not change."""

    assert next(iter(names.candidates("EMAIL_ADDRESS", "jane@acme.com"))) == "[EMAIL_ADDRESS_b9621d]"
    assert mask("EMAIL_ADDRESS") == "[EMAIL_ADDRESS]"


def test_a_name_depends_on_entity_and_secret() -> None:
    """Nobody without the secret can test a guess, and entities do not share names."""
    usual = next(iter(names.candidates("EMAIL_ADDRESS", "jane@acme.com")))

    assert usual != next(iter(Names(b"another").candidates("EMAIL_ADDRESS", "jane@acme.com")))
    assert usual[-7:] != next(iter(names.candidates("API_KEY", "jane@acme.com")))[-7:]


@given(st.text(st.characters()))
def test_longer_names_begin_like_the_usual_one_and_differ(value: str) -> None:
    """They are for values that fall together; every one is a placeholder by shape."""
    offered = list(names.candidates("API_KEY", value))
    shape = Regexp(placeholder_pattern(["API_KEY"]))

    assert len(set(offered)) == len(offered) >= 3
    assert all(name.startswith(offered[0][:-1]) for name in offered)
    assert all(shape.matches(name.encode()) for name in [*offered, names.hashed("API_KEY", value), mask("API_KEY")])


@pytest.mark.parametrize(
    "text",
    [
        "[API_KEY_]",
        "api_key_3f9a1c",
        "[OTHER_3f9a1c]",
        "[API_KEY_4013601861911289]",
        "[API_KEY_3f9a1]",
    ],
)
def test_other_texts_are_no_placeholders(text: str) -> None:
    """Wrong entity, wrong length, a name of somebody's code."""

    shaped = Regexp(placeholder_pattern(["API_KEY"])).matches(text.encode())

    assert not (shaped and is_placeholder(text))


def test_the_secret_is_not_shown() -> None:
    """Not in a repr."""

    assert "secret" not in repr(names)


@pytest.mark.parametrize(
    "written",
    [
        "[EMAIL_ADDRESS_3f9a1c]",
        "[email_address_3f9a1c]",
        "[Email_Address_3F9A1C]",
        "EMAIL_ADDRESS_3f9a1c",
        "[EMAIL_ADDRESS_3f9a1c",
        "EMAIL_ADDRESS_3f9a1c]",
        "[EMAIL ADDRESS 3f9a1c]",
        "[EMAIL-ADDRESS-3f9a1c]",
        "[EMAIL_ADDRESS _3f9a1c]",
        "[ EMAIL_ADDRESS_3f9a1c ]",
        r"\[EMAIL\_ADDRESS\_3f9a1c\]",
        "%5BEMAIL_ADDRESS_3f9a1c%5D",
    ],
)
def test_what_models_make_of_a_placeholder_is_read(written: str) -> None:
    """Another case, lost brackets, escapes of Markdown, spaces, a link."""
    assert Regexp(placeholder_pattern(["EMAIL_ADDRESS", "API_KEY"])).matches(written.encode())
    assert is_placeholder(written)
    assert meant(written) == "[EMAIL_ADDRESS_3f9a1c]"


def test_a_value_in_a_link_is_encoded_like_it() -> None:
    """mailto:%5B...%5D has no place for a bare @."""
    assert spelled_like("%5BEMAIL_ADDRESS_3f9a1c%5D", "jane@acme.com") == "jane%40acme.com"
    assert spelled_like("[EMAIL_ADDRESS_3f9a1c]", "jane@acme.com") == "jane@acme.com"
