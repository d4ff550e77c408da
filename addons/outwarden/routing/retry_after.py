"""How long an upstream asks to be left alone, by the headers of its refusal."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime


def retry_after(headers: Mapping[str, str], now_s: float) -> float | None:
    """The seconds that are asked for; None: nothing is, or nothing that can be read. ``now_s``: as `time.time` says it.

    Milliseconds (OpenAI, Azure) are the more exact, and their SDKs go by them first. ``Retry-After`` is seconds, with a
    fraction at some, or a date (RFC 9110 §10.2.3).
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "").strip()
    seconds = _number(value)
    return _until(value, now_s) if seconds is None else seconds


def _number(value: str) -> float | None:
    """A number that is a wait: ``inf``, ``nan``, ``1_0`` and what lies before now are none."""
    if not value.isascii() or not value.strip().replace(".", "", 1).isdigit():
        return None
    return float(value)


def _until(value: str, now_s: float) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now_s)
    except (ValueError, OverflowError, TypeError):
        return None
