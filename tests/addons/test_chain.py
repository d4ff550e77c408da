"""The docstring of the chain is true: it names every addon in its order, with the hooks that its class has."""

import re

from mitmproxy import hooks

from outwarden import chain as chain_module
from outwarden.chain import chain


def table() -> dict[str, set[str]]:
    """The addons and hooks that the docstring names, in its order."""
    rows = re.findall(r"^\| `(\w+)` \| ([a-z_, ]+) \|", chain_module.__doc__ or "", flags=re.MULTILINE)
    return {name: {hook.strip() for hook in named.split(",")} for name, named in rows}


def test_the_table_is_the_chain() -> None:
    """Same addons, same order, same hooks; no hook is forgotten, none is made up."""
    known = set(hooks.all_hooks)
    built = {type(addon).__name__: {name for name in known if hasattr(addon, name)} for addon in chain()}

    assert list(table()) == list(built)
    assert table() == built


def test_every_chain_is_its_own() -> None:
    """Two chains share nothing; the addons of one share their shelf."""
    first, second = chain(), chain()

    assert not set(map(id, first)) & set(map(id, second))
    shelves = {id(addon._shelf) for addon in first if hasattr(addon, "_shelf")}
    assert len(shelves) == 1
    assert shelves != {id(addon._shelf) for addon in second if hasattr(addon, "_shelf")}


def test_money_is_settled_before_it_is_put_on_record() -> None:
    """The order that the addons rely on."""
    names = [type(addon).__name__ for addon in chain()]

    before = ["IdentifyCall", "EnforceContent", "RedactPii", "RestorePii", "ChargeBudget", "RouteCall", "WriteAudit"]
    assert [name for name in names if name in before] == before
