"""What we read from the numbering plans is what phonenumbers says."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.numbering import is_assigned, is_assigned_with_trunk, is_possible, split_code


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_example_numbers_of_every_region_are_assigned(region: str) -> None:
    """The library's own example of each region, fixed and mobile."""
    for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is not None:
            digits = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)[1:]
            assert is_possible(digits)
            assert is_assigned(digits) or len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[example.country_code]) > 1


@given(st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True))
def test_what_the_library_calls_valid_is_assigned(digits: str) -> None:
    """Ours is the coarser net: it never lets a valid number of a country's main region go."""
    parsed = phonenumbers.parse(f"+{digits}") if split_code(digits) else None
    main = parsed and phonenumbers.COUNTRY_CODE_TO_REGION_CODE[parsed.country_code][0]

    if parsed and not parsed.italian_leading_zero and phonenumbers.is_valid_number_for_region(parsed, main):
        national = str(parsed.national_number)
        assert is_assigned(f"{parsed.country_code}{national}")


@pytest.mark.parametrize(
    ("digits", "assigned"),
    [("02079460018", True), ("0612345678", True), ("00000000000", False), ("0123", False), ("2079460018", False)],
)
def test_trunk_numbers(digits: str, assigned: bool) -> None:
    """With their 0, of a length that leaves no doubt."""

    assert is_assigned_with_trunk(digits) is assigned


@pytest.mark.parametrize("digits", ["999123456789", "2101234567", "0"])
def test_codes_that_nobody_has(digits: str) -> None:
    """Are no numbers."""

    assert split_code(digits) is None
    assert not is_assigned(digits)
    assert not is_possible(digits)
