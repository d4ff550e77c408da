"""The commands: `outwarden check`, `run`, `budgets`, `env` and the rest.

Knows how a person or a script asks and how the answer is printed. Leaves every decision to the rooms: a command loads
rules, asks a room and prints. Heavy modules are imported inside the command that needs them, so that `outwarden
version` or a refusal does not wait for them. Exit codes: 0 done, 1 a problem was found and said, 2 asked wrongly.
"""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line of this process."""
    if sys.argv[1:] in (["version"], ["--version"]):
        from outwarden.cli.version import installed_version  # typer alone takes 0.2 s to import

        print(installed_version())
        return
    from outwarden.cli.app import run_app

    run_app()
