"""What one call knows: which placeholder stands for which value, and which values the caller wrote itself."""

from typing import NoReturn

from outwarden.pii.placeholders import canonical

# A call has a few, a session of a day some hundreds; beyond this the oldest are forgotten, and no longer restored.
VALUES_MAX = 50_000


class Vault:
    """The values of one call; in memory only, never printed, never pickled."""

    __slots__ = ("_ambiguous", "_own", "_values")

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._own: dict[tuple[str, str], None] = {}
        self._ambiguous: set[str] = set()

    def __repr__(self) -> str:
        return f"<Vault of {len(self._values)} placeholders>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a vault is never pickled")

    def __len__(self) -> int:
        return len(self._values)

    def add_own(self, entity: str, value: str) -> None:
        """Remember that the caller itself sent ``value``."""
        self._own[entity, canonical(entity, value)] = None
        if len(self._own) > VALUES_MAX:
            del self._own[next(iter(self._own))]

    def is_own(self, entity: str, value: str) -> bool:
        """Whether the caller itself sent ``value``, in whatever spelling."""
        return (entity, canonical(entity, value)) in self._own

    def add(self, entity: str, placeholder: str, value: str) -> None:
        """Remember what ``placeholder`` stands for. One that stood for two values is never restored again."""
        if len(self._values) >= VALUES_MAX and placeholder not in self._values:
            oldest = next(iter(self._values))
            del self._values[oldest]
            self._ambiguous.discard(oldest)
        held = self._values.setdefault(placeholder, value)
        if held != value and canonical(entity, held) != canonical(entity, value):
            self._ambiguous.add(placeholder)

    def value(self, placeholder: str) -> str | None:
        """Return the value that ``placeholder`` stands for in this call, None for one it did not create."""
        return None if placeholder in self._ambiguous else self._values.get(placeholder)

    def stands_for_other(self, placeholder: str, value: str) -> bool:
        """Whether ``placeholder`` is taken by another text than ``value``."""
        return self._values.get(placeholder, value) != value
