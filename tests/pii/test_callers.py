"""A caller's earlier values are restored for it, for nobody else, and not for ever."""

import pickle

import pytest

from outwarden.pii import CallerVaults

NAME = "[EMAIL_ADDRESS_3f9a1c]"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_later_call_of_the_same_caller_knows() -> None:
    """And a call of another, or of nobody, does not."""
    vaults = CallerVaults()
    first = vaults.open("sha256:a")
    first.add_own("EMAIL_ADDRESS", "Jane@acme.com")
    first.add("EMAIL_ADDRESS", NAME, "Jane@acme.com")

    assert vaults.open("sha256:a").value(NAME) == "Jane@acme.com"
    assert vaults.open("sha256:a").is_own("EMAIL_ADDRESS", "jane@acme.com")
    for other in (vaults.open("sha256:b"), vaults.open(None)):
        assert other.value(NAME) is None
        assert not other.is_own("EMAIL_ADDRESS", "jane@acme.com")


def test_what_stood_for_two_is_never_restored_again() -> None:
    """Better a placeholder than the wrong person, whichever came last."""
    vaults = CallerVaults()
    for value in ("jane@acme.com", "john@acme.com", "jane@acme.com"):
        vaults.open("a").add("EMAIL_ADDRESS", NAME, value)

    assert vaults.open("a").value(NAME) is None


def test_values_are_forgotten_when_they_are_not_used() -> None:
    """An hour without use is long here; a use keeps it."""
    clock = Clock()
    vaults = CallerVaults(age_max_s=3600, clock=clock)
    vaults.open("a").add("EMAIL_ADDRESS", NAME, "jane@acme.com")
    clock.now = 3000
    assert vaults.open("a").value(NAME) == "jane@acme.com"
    clock.now = 6000
    assert vaults.open("a").value(NAME) == "jane@acme.com"
    clock.now = 9601
    assert vaults.open("a").value(NAME) is None
    assert vaults.open("b").value(NAME) is None
    assert vaults.bytes == 0


def test_the_maps_are_bounded() -> None:
    """The oldest values of a caller go first, then the callers that were not seen for longest."""
    vaults = CallerVaults(bytes_max=40_000)
    for number in range(1000):
        vaults.open("a").add("EMAIL_ADDRESS", f"[EMAIL_ADDRESS_{number:06}]", f"p{number}@acme.com")
        assert vaults.bytes <= 10_000
    assert vaults.open("a").value("[EMAIL_ADDRESS_000999]") == "p999@acme.com"
    assert vaults.open("a").value("[EMAIL_ADDRESS_000000]") is None
    for number in range(1000):
        vaults.open(str(number)).add("EMAIL_ADDRESS", NAME, "x" * 100)
    assert vaults.bytes <= 41_000
    assert vaults.open("a").value("[EMAIL_ADDRESS_000999]") is None
    assert vaults.open("999").value(NAME) == "x" * 100


def test_nothing_is_shown_or_stored() -> None:
    """No value in a repr, no pickle."""
    vaults = CallerVaults()
    vaults.open("a").add("EMAIL_ADDRESS", NAME, "jane@acme.com")

    assert "jane" not in repr(vaults) + repr(vaults.open("a"))
    with pytest.raises(TypeError):
        pickle.dumps(vaults)
