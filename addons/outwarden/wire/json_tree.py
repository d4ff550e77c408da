"""Parse JSON bytes into a tree that hides nothing: repeated keys, odd numbers and lone surrogates included."""

import json
from typing import Any, NoReturn

import orjson

from outwarden.errors import BodyError
from outwarden.wire.format import Json

# Real bodies stay below 30 levels (tool schemas); orjson itself stops at 1024, far below Python's recursion limit.
MAX_DEPTH = 200
# JSON in a string in a string: recorded traffic goes two levels deep; deeper ones are read as plain text.
MAX_NESTING = 4
BOM = b"\xef\xbb\xbf"
# Python refuses longer integer literals (sys.set_int_max_str_digits); no number in any API comes near.
_INT_DIGITS_MAX = 4000


class Repeated(dict[str, Any]):
    """An object with repeated keys: a dict whose last value wins, plus every pair as it was sent."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


class Integer(int):
    """An integer that knows how it was spelled; only ``parse_all`` makes them."""

    spelled: str


class Float(float):
    """A float that knows how it was spelled; only ``parse_all`` makes them."""

    spelled: str


def read_json(body: bytes) -> Json:
    """Parse ``body``; the last of repeated keys wins. Raises BodyError (position only, never content)."""
    raw = body[len(BOM) :] if body.startswith(BOM) else body
    try:
        return orjson.loads(raw)  # type: ignore[no-any-return]
    except orjson.JSONDecodeError:
        tree = parse_all(raw)
    _check_depth(tree)
    return tree


def parse_all(raw: bytes) -> Json:
    """Parse what Python's own parser accepts: repeated keys kept as ``Repeated``, numbers with their spelling.

    NaN and the infinities are plain floats. Slower than orjson. Raises BodyError.
    """
    try:
        return json.loads(  # type: ignore[no-any-return]
            raw.decode("utf-8"), object_pairs_hook=_object, parse_int=_integer, parse_float=_float
        )
    except json.JSONDecodeError as error:
        _refuse(f"not JSON at character {error.pos}: {error.msg}")
    except UnicodeDecodeError as error:
        _refuse(f"not UTF-8 at byte {error.start}")
    except RecursionError:
        _refuse(f"JSON deeper than {MAX_DEPTH} levels")


def _refuse(message: str) -> NoReturn:
    raise BodyError(message) from None  # the parsers' own exceptions carry the whole document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    return plain if len(plain) == len(pairs) else Repeated(pairs)


def _integer(digits: str) -> Integer | Float:
    if len(digits) > _INT_DIGITS_MAX:
        return _float(digits)
    number = Integer(digits)
    number.spelled = digits
    return number


def _float(digits: str) -> Float:
    number = Float(digits)
    number.spelled = digits
    return number


def _check_depth(tree: Json) -> None:
    level: list[Any] = [tree]
    for _ in range(MAX_DEPTH + 1):
        containers = [node for node in level if isinstance(node, dict | list)]
        level = [v for node in containers for v in (node.values() if isinstance(node, dict) else node)]
        if not level:
            return
    raise BodyError(f"JSON deeper than {MAX_DEPTH} levels")
