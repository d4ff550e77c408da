"""`outwarden version`. Needs no typer, so that the answer is there at once."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of


def installed_version() -> str:
    """The version of the installed package; a tree that was never installed says so."""
    try:
        return version_of("outwarden")
    except PackageNotFoundError:
        return "0+not-installed"
