"""What the world's telephone numbering plans know, from the metadata of phonenumbers.

`phonenumbers.parse` takes some 90 us a number; a candidate needs only the country code's lengths and pattern, which are
compiled once (they hold no number).
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneMetadata

_NON_GEOGRAPHIC = "001"
# Where a number written with a trunk 0 is looked up: large plans that write one (Italy's 0 belongs to the number).
_TRUNK_REGIONS = ("GB", "DE", "FR", "NL", "AU", "BE", "CH", "AT", "IN", "JP", "SE", "ZA", "IE", "NZ")
_TRUNK_DIGITS_MIN = 9


class _Plan(NamedTuple):
    lengths: frozenset[int]
    local: frozenset[int]  # without an area code
    national: re.Pattern[str]


@cache
def _plan(code: int) -> _Plan | None:
    """Return the plan of a country code, None for one that nobody has."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code)
    if not regions:
        return None
    if regions[0] == _NON_GEOGRAPHIC:
        metadata = PhoneMetadata.metadata_for_nongeo_region(code)
    else:
        metadata = PhoneMetadata.metadata_for_region(regions[0])
    general = metadata and metadata.general_desc
    if not general:
        return None
    lengths, local = frozenset(general.possible_length), frozenset(general.possible_length_local_only)
    return _Plan(lengths, local, re.compile(general.national_number_pattern or ""))


def split_code(digits: str) -> tuple[int, str] | None:
    """Split international digits into (country code, national number); no code is the beginning of another."""
    for length in (1, 2, 3):
        if (code := int(digits[:length] or 0)) and _plan(code) is not None:
            return code, digits[length:]
    return None


def lengths_of(digits: str) -> frozenset[int]:
    """How long numbers are, with their country code, that begin as ``digits`` do; no number is of another length."""
    if (parts := split_code(digits)) is None or (plan := _plan(parts[0])) is None:
        return frozenset()
    return _with_code(parts[0], plan.lengths | plan.local)


@cache
def _with_code(code: int, lengths: frozenset[int]) -> frozenset[int]:
    return frozenset(len(str(code)) + length for length in lengths)


def is_assigned(digits: str) -> bool:
    """Whether ``digits`` (country code first) lie in a range that the country's plan uses."""
    if (parts := split_code(digits)) is None or (plan := _plan(parts[0])) is None:
        return False
    return plan.national.fullmatch(parts[1]) is not None


def is_possible(digits: str) -> bool:
    """Whether ``digits`` (country code first) have a length that the country's plan knows."""
    if (parts := split_code(digits)) is None or (plan := _plan(parts[0])) is None:
        return False
    return len(parts[1]) in plan.lengths


@cache
def _trunk() -> re.Pattern[str]:
    patterns = []
    for region in _TRUNK_REGIONS:
        metadata = PhoneMetadata.metadata_for_region(region)
        kinds = (metadata.fixed_line, metadata.mobile) if metadata else ()
        patterns += [kind.national_number_pattern for kind in kinds if kind and kind.national_number_pattern]
    return re.compile(f"0(?:{'|'.join(patterns)})")


def is_assigned_with_trunk(digits: str) -> bool:
    """Whether ``digits``, beginning with the trunk 0, are a fixed or mobile number of one of the larger plans."""
    return len(digits) >= _TRUNK_DIGITS_MIN and _trunk().fullmatch(digits) is not None


_Layout = tuple[int, ...]
_GROUP = re.compile(r"\(\\d(?:\{(\d+)(?:,(\d+))?\})?\)")  # of a format's pattern: (\d{3}), (\d{2,4}), (\d)


@cache
def _layouts() -> dict[_Layout, list[str]]:
    """Return which regions write their numbers in groups of these lengths, with the trunk prefix if they write one."""
    found: dict[_Layout, list[str]] = {}
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for layout in set(_layouts_of(region)):
            found.setdefault(layout, []).append(region)
    return found


def _layouts_of(region: str) -> Iterator[_Layout]:
    metadata = PhoneMetadata.metadata_for_region(region)
    for one in metadata.number_format if metadata else ():
        groups = [range(int(low or 1), int(high or low or 1) + 1) for low, high in _GROUP.findall(one.pattern or "")]
        written, rule = one.format or "", one.national_prefix_formatting_rule
        if rule:
            written = written.replace(r"\1", rule, 1)
        for lengths in product(*groups):
            shown = written
            for number, length in enumerate(lengths, 1):
                shown = shown.replace(f"\\{number}", "9" * length)
            yield tuple(map(len, re.findall(r"\d+", shown)))


@cache
def _numbers_in(layout: _Layout) -> re.Pattern[str]:
    numbers = []
    for region in _layouts()[layout]:
        if (metadata := PhoneMetadata.metadata_for_region(region)) is not None:
            kinds = (metadata.fixed_line, metadata.mobile)
            patterns = filter(None, (kind.national_number_pattern for kind in kinds if kind))
            numbers.append(f"(?:{metadata.national_prefix or ''})?(?:{'|'.join(patterns)})")
    return re.compile("|".join(numbers))


def is_written_nationally(value: str) -> bool:
    """Whether some country writes a fixed or mobile number of its plan in just these groups of digits."""
    groups = re.findall(r"\d+", value)
    layout = tuple(map(len, groups))
    return layout in _layouts() and _numbers_in(layout).fullmatch("".join(groups)) is not None


def kind_of(digits: str) -> int | None:
    """The kind (mobile, fixed line …) of ``digits`` (country code first) as phonenumbers tells it; None: no number."""
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return None
    kind: int = phonenumbers.number_type(number)
    return None if kind == phonenumbers.PhoneNumberType.UNKNOWN else kind
