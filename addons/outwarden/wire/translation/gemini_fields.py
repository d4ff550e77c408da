"""The JSON of Google's APIs: keys in camelCase or snake_case, enums by name or by number, whole numbers as strings too,
a list of one perhaps without its brackets (all that Google's own servers read).

Source: the proto3 JSON mapping (protobuf.dev), and the recorded requests of several clients.
"""

import re
from collections.abc import Sequence
from typing import Any

from outwarden.errors import NotTranslatable
from outwarden.wire.formats.values import number
from outwarden.wire.translation.neutral import array, need, obj

_SNAKE = re.compile(r"(?<=.)_([a-z0-9])")  # "_responseJsonSchema" is a name of Google's
# A name is shown only where it looks like one of the API's own: what a caller invents may be personal.
_FIELD = re.compile(r"[a-z][A-Za-z0-9]{0,39}")
_EMPTY: tuple[object, ...] = ([], {}, "")


def camel(name: str) -> str:
    """A key as Google's own documents spell it."""
    return _SNAKE.sub(lambda found: found[1].upper(), name)


def named(value: object, known: frozenset[str], where: str) -> dict[str, Any]:
    """The object ``value`` with its keys in camelCase; null says nothing, nor does what is empty and not known.

    Raises NotTranslatable where it says more than ``known``.
    """
    read: dict[str, Any] = {}
    for name, said in obj(value, where).items():
        key = camel(name)
        if said is None or (key not in known and said in _EMPTY):
            continue
        if key not in known:
            shown = f"'{key}'" if _FIELD.fullmatch(key) else "an unknown field"
            raise NotTranslatable(f"{shown} of {where} has no counterpart")
        need(key not in read, f"'{key}' of {where} is there in two spellings")
        read[key] = said
    return read


def listed(value: object, where: str) -> list[Any]:
    """A list, which may be one object without brackets."""
    return [value] if isinstance(value, dict) else array(value, where)


def enum(value: object, names: Sequence[str], where: str) -> str:
    """The name of an enum's value, which may be spelled in any case or be its number."""
    if isinstance(value, str):
        return value.upper()
    place = number(value)
    if place is None or not 0 <= place < len(names):
        raise NotTranslatable(f"this {where} has no counterpart")
    return names[place]


def integer(value: object, where: str) -> int | None:
    """A whole number or null."""
    found = number(value)
    need(value is None or found is not None, f"{where} is no whole number")
    return found
