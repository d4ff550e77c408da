"""Commands that are promised and not built: refused in one sentence, never half done."""

from collections.abc import Callable

from outwarden.cli.options import fail


def later(name: str) -> Callable[[], None]:
    """A command that says it is not built and ends with exit code 2."""

    def refuse() -> None:
        fail(f"`{name}` is not built yet", 2)

    refuse.__doc__ = "Not built yet."
    return refuse
