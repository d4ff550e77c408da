"""What a token costs where nobody publishes a price: from an hour of the machines, or as somebody's own code reckons.

A plug-in is a callable under the entry point group ``outwarden.cost_models``: ``(model, options) -> {"input_mtok": …,
"output_mtok": …}``, USD per million tokens. It is asked while the rules are loaded, never while a call waits.
"""

import math
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from importlib.metadata import entry_points
from pathlib import Path
from typing import NamedTuple

from outwarden.errors import CostModelError

GROUP = "outwarden.cost_models"
_PLACES = 9  # as finely as rule files state a price
_MTOK_MAX = 10**15  # and as high


class TokenPrice(NamedTuple):
    """USD per million tokens, read and written."""

    input_mtok: Decimal
    output_mtok: Decimal


def by_gpu_hour(gpu_hour_usd: Decimal, tokens_per_s: Decimal) -> TokenPrice:
    """What a token costs of machines that cost ``gpu_hour_usd`` together and handle ``tokens_per_s``, read and written.

    Rounded up. Raises ZeroDivisionError.
    """
    usd = Fraction(gpu_hour_usd) * 1_000_000 / (3600 * Fraction(tokens_per_s))
    each = _rounded_up(usd)
    return TokenPrice(each, each)


def ask(name: str, model: str, options: Mapping[str, str]) -> TokenPrice:
    """What the installed cost model ``name`` says of ``model``, the pattern of the rule that names it.

    Raises CostModelError: there is none or more than one of that name, it cannot be loaded, it fails, or what it
    answers is no price.
    """
    found = tuple(entry_points(group=GROUP, name=name))
    if len(found) != 1:
        raise CostModelError(name, f"{len(found) or 'none'} of that name installed (entry points '{GROUP}')")
    try:
        said = found[0].load()(model, dict(options))
    except Exception as error:
        raise CostModelError(name, f"fails with {type(error).__name__}{_place(error)}") from None
    if not isinstance(said, Mapping) or set(said) != set(TokenPrice._fields):
        raise CostModelError(name, "answers something else than input_mtok and output_mtok")
    return TokenPrice(*(_amount(name, key, said[key]) for key in TokenPrice._fields))


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""


def _amount(name: str, key: str, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise CostModelError(name, f"answers {key} that is no number but {type(value).__name__}")
    try:
        usd = Fraction(value)
    except (OverflowError, ValueError):  # infinite, or not a number
        usd = Fraction(-1)
    if not 0 <= usd < _MTOK_MAX:
        raise CostModelError(name, f"answers {key} that is below 0, absurdly high or not a number")
    return _rounded_up(usd)


def _rounded_up(usd: Fraction) -> Decimal:
    return Decimal(f"{math.ceil(usd * 10**_PLACES)}E-{_PLACES}")  # exact, where arithmetic would keep 28 digits
