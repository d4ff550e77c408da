"""What one call knows: which placeholder stands for which value, and which values the caller wrote itself."""

from typing import NoReturn, Protocol

from outwarden.pii.placeholders import canonical

# A call has a few, a session of a day some hundreds; beyond this the oldest are forgotten, and no longer restored.
VALUES_MAX = 50_000


class Earlier(Protocol):
    """What the same caller sent before. A key is ("", placeholder) or (entity, canonical value)."""

    def get(self, key: tuple[str, str]) -> str | None:
        """What was put under ``key`` last, if anything was."""

    def put(self, key: tuple[str, str], value: str | None) -> None:
        """Remember ``value`` under ``key``; None: the key stands for more than one."""


class Vault:
    """The values of one call, and ``earlier`` ones of the same caller; in memory only, never printed, never pickled."""

    __slots__ = ("_ambiguous", "_earlier", "_own", "_values", "surrogates")

    def __init__(self, earlier: Earlier | None = None) -> None:
        self._earlier = earlier
        self._values: dict[str, str] = {}
        self.surrogates: dict[str, str] = {}  # those of the placeholders that look like values, with their entities
        self._own: dict[tuple[str, str], None] = {}
        self._ambiguous: set[str] = set()

    def __repr__(self) -> str:
        return f"<Vault of {len(self._values)} placeholders>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a vault is never pickled")

    def __len__(self) -> int:
        return len(self._values)

    @property
    def restores(self) -> bool:
        """Whether there may be anything to restore."""
        return bool(self._values) or self._earlier is not None

    def add_own(self, entity: str, value: str) -> None:
        """Remember that the caller itself sent ``value``."""
        key = (entity, canonical(entity, value))
        if self._earlier is not None and key not in self._own:
            self._earlier.put(key, "")
        self._own[key] = None
        if len(self._own) > VALUES_MAX:
            del self._own[next(iter(self._own))]

    def is_own(self, entity: str, value: str) -> bool:
        """Whether the caller itself sent ``value``, in whatever spelling."""
        key = (entity, canonical(entity, value))
        return key in self._own or (self._earlier is not None and self._earlier.get(key) is not None)

    def add(self, entity: str, placeholder: str, value: str) -> None:
        """Remember what ``placeholder`` stands for. One that stood for two values is never restored again."""
        held = self._values.get(placeholder)
        if held is None:
            self._make_room()
            self._values[placeholder] = held = value
            self._remember(entity, placeholder, value)
        if held != value and canonical(entity, held) != canonical(entity, value):
            self._ambiguous.add(placeholder)

    def add_if_free(self, entity: str, placeholder: str, value: str) -> None:
        """As `add`, unless the placeholder stands for another value: that one has the better right to it."""
        if not self.stands_for_other(placeholder, value):
            self.add(entity, placeholder, value)

    def add_surrogate(self, entity: str, stand_in: str, value: str) -> None:
        """As `add`, for a stand-in that only a search for itself finds."""
        self.add(entity, stand_in, value)
        self.surrogates[stand_in] = entity

    def _make_room(self) -> None:
        if len(self._values) >= VALUES_MAX:
            oldest = next(iter(self._values))
            del self._values[oldest]
            self.surrogates.pop(oldest, None)
            self._ambiguous.discard(oldest)

    def _remember(self, entity: str, placeholder: str, value: str) -> None:
        if self._earlier is None:
            return
        before = self._earlier.get(("", placeholder))
        same = before is None or canonical(entity, before) == canonical(entity, value)
        self._earlier.put(("", placeholder), value if same else None)

    def value(self, placeholder: str) -> str | None:
        """Return the value that ``placeholder`` stands for in this call, or in an earlier one of the same caller."""
        if placeholder in self._ambiguous:
            return None
        found = self._values.get(placeholder)
        return self._earlier.get(("", placeholder)) if found is None and self._earlier is not None else found

    def stands_for_other(self, placeholder: str, value: str) -> bool:
        """Whether ``placeholder`` is taken by another text than ``value``."""
        return self._values.get(placeholder, value) != value
