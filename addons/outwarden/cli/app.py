"""Every command, in the order `outwarden --help` shows them."""

import sys

import typer

from outwarden.cli.audit import audit
from outwarden.cli.budgets import budgets_app
from outwarden.cli.check import check
from outwarden.cli.demo import demo
from outwarden.cli.doctor import doctor
from outwarden.cli.environment import env
from outwarden.cli.explain import explain
from outwarden.cli.key_ring import keys_app
from outwarden.cli.keys import hash_value, key_id
from outwarden.cli.later import later
from outwarden.cli.options import RulesOption, StateOption
from outwarden.cli.report import report
from outwarden.cli.run import run
from outwarden.cli.scan import scan
from outwarden.cli.trust import trust, untrust
from outwarden.cli.upstreams import drain, enable, upstreams
from outwarden.cli.version import installed_version
from outwarden.errors import OutwardenError

app = typer.Typer(
    name="outwarden",
    help="Read what leaves for LLM providers: take personal data out, hold budgets, fail over, keep an audit.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables, and those hold what people sent
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command()(run)
app.command()(demo)
app.command()(check)
app.command()(explain)
app.command()(scan)
app.add_typer(budgets_app)
app.command()(upstreams)
app.command()(drain)
app.command()(enable)
app.command()(audit)
app.command()(report)
app.command()(env)
app.command()(trust)
app.command()(untrust)
app.command()(doctor)
app.command("key-id")(key_id)
app.command("hash")(hash_value)
app.add_typer(keys_app)
for _name in ("top", "setup"):
    app.command(_name, hidden=True)(later(_name))


@app.command()
def version(rules: RulesOption = None, state: StateOption = None) -> None:
    """Print the version."""
    print(installed_version())


def run_app() -> None:
    """Run the command line; an error raised on purpose is one sentence on stderr and exit code 1."""
    try:
        app(prog_name="outwarden")
    except OutwardenError as error:
        print(f"outwarden: {error}", file=sys.stderr)
        sys.exit(1)
