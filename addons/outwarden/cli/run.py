"""`outwarden run`: the interceptor itself."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from outwarden.cli.options import (
    DEFAULT_LISTEN,
    ListenOption,
    RulesOption,
    StateOption,
    fail,
    host_and_port,
    rules_folder,
)


def run(
    listen: ListenOption = DEFAULT_LISTEN,
    rules: RulesOption = None,
    state: StateOption = None,
    admin: Annotated[str, typer.Option(metavar="HOST:PORT", help="Serve the status page and metrics here.")] = "",
    web: Annotated[str, typer.Option(metavar="HOST:PORT", help="Run inside mitmweb, with its page here.")] = "",
    tui: Annotated[bool, typer.Option("--tui", help="Run inside mitmproxy's terminal interface.")] = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes; more than one is not built yet.")] = 1,
    option: Annotated[
        list[str] | None, typer.Option("--set", metavar="OPTION=VALUE", help="A mitmproxy option.")
    ] = None,
) -> None:
    """Start the interceptor; prints one line `listening on HOST:PORT` when it is ready."""
    if workers != 1:
        fail("--workers above 1 is not built yet", 2)
    if web and tui:
        fail("--web and --tui exclude each other", 2)
    options = settings(listen, rules, state, admin, web) + (option or [])

    from outwarden.chain import chain
    from outwarden.flow.master import serve

    sys.exit(asyncio.run(serve(options, "web" if web else "tui" if tui else "lean", chain)))


def settings(listen: str, rules: Path | None, state: Path | None, admin: str, web: str) -> list[str]:
    """The mitmproxy options for a run, as ``name=value``; loads rules and state once, so that mistakes end it here."""
    from outwarden.flow import authority
    from outwarden.rules import StateFolder, default_state_folder, load_rules

    folder = rules_folder(rules)
    load_rules(folder)
    state_folder = StateFolder(state or default_state_folder())
    authority.prepare(state_folder.ca)
    host, port = host_and_port(listen)
    chosen = [
        f"confdir={state_folder.ca}",
        f"listen_host={host}",
        f"listen_port={port}",
        f"outwarden_rules={folder.absolute()}",
        f"outwarden_state={state_folder.path}",
        f"outwarden_admin={admin}",
    ]
    if web:
        web_host, web_port = host_and_port(web)
        chosen += [f"web_host={web_host}", f"web_port={web_port}", "web_open_browser=false"]
    return chosen
