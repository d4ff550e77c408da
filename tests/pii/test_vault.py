"""A vault knows the values of one call, tells nobody else, and restores nothing that is not sure."""

import copy
import pickle

import pytest

from outwarden.pii import Vault


def test_a_placeholder_gives_its_value_back() -> None:
    """Only the one it stands for, exactly as written."""
    vault = Vault()
    vault.add("EMAIL_ADDRESS", "[EMAIL_ADDRESS_3f9a1c]", "Jane@acme.com")

    assert vault.value("[EMAIL_ADDRESS_3f9a1c]") == "Jane@acme.com"
    assert vault.value("[EMAIL_ADDRESS_000000]") is None
    assert vault.value("[email_address_3f9a1c]") is None
    assert len(vault) == 1


def test_the_first_spelling_is_kept() -> None:
    """A later spelling of the same value does not change what is restored."""
    vault = Vault()
    vault.add("EMAIL_ADDRESS", "[EMAIL_ADDRESS_3f9a1c]", "Jane@acme.com")
    vault.add("EMAIL_ADDRESS", "[EMAIL_ADDRESS_3f9a1c]", "jane@acme.com")

    assert vault.value("[EMAIL_ADDRESS_3f9a1c]") == "Jane@acme.com"


def test_an_ambiguous_placeholder_is_never_restored() -> None:
    """Two persons under one name: better a placeholder than the wrong person."""
    vault = Vault()
    vault.add("EMAIL_ADDRESS", "[EMAIL_ADDRESS_3f9a1c]", "jane@acme.com")
    vault.add("EMAIL_ADDRESS", "[EMAIL_ADDRESS_3f9a1c]", "john@acme.com")

    assert vault.value("[EMAIL_ADDRESS_3f9a1c]") is None


def test_own_values_are_known_in_every_spelling() -> None:
    """Of that entity."""
    vault = Vault()
    vault.add_own("CREDIT_CARD", "4013-6018-6191-1289")

    assert vault.is_own("CREDIT_CARD", "4013601861911289")
    assert not vault.is_own("CREDIT_CARD", "4013601861911280")
    assert not vault.is_own("API_KEY", "4013601861911289")


def test_a_vault_shows_and_stores_nothing() -> None:
    """Its repr has no value, and it cannot be pickled or copied."""
    vault = Vault()
    vault.add("EMAIL_ADDRESS", "[EMAIL_ADDRESS_3f9a1c]", "jane@acme.com")
    vault.add_own("EMAIL_ADDRESS", "jane@acme.com")

    assert "jane" not in f"{vault!r} {vault}"
    with pytest.raises(TypeError):
        pickle.dumps(vault)
    with pytest.raises(TypeError):
        copy.deepcopy(vault)
