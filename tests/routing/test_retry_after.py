"""What an upstream asks for is understood in every way that providers say it, and what makes no sense is not."""

import math

import pytest

from outwarden.routing import retry_after

NOW = 1_795_860_000.0  # Sat, 28 Nov 2026 10:00:00 GMT


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": " 3 "}, 3.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "250.5", "retry-after": "1"}, 0.2505),
        ({"retry-after-ms": "soon", "retry-after": "1"}, 1.0),
        ({"retry-after": "Sat, 28 Nov 2026 10:00:07 GMT"}, 7.0),
        ({"retry-after": "Sat, 28 Nov 2026 09:59:00 GMT"}, 0.0),
        ({"retry-after": "Saturday, 28-Nov-26 10:00:07 GMT"}, 7.0),
        ({"retry-after": "9" * 400}, math.inf),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1_0"}, None),
        ({"retry-after": "٣"}, None),
        ({"retry-after": "."}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Sat, 99 Nov 2026 10:00:07 GMT"}, None),
        ({"retry-after": "Fri, 31 Dec 99999 23:59:59 GMT"}, None),
    ],
)
def test_how_long_an_upstream_asks_us_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds, milliseconds or a date; never less than nothing."""
    assert retry_after(headers, NOW) == seconds
