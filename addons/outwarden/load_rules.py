"""Addon: options, rules, and the stores that live as long as the process."""

import asyncio
import logging
import threading
from collections.abc import Callable
from inspect import isawaitable
from pathlib import Path

from mitmproxy import ctx, exceptions
from mitmproxy.addonmanager import Loader

from outwarden.errors import OutwardenError
from outwarden.flow.guard import where
from outwarden.flow.services import Services
from outwarden.rules import default_state_folder, shipped_rules

logger = logging.getLogger(__name__)

RELOAD_EVERY_S = 1.0  # the contract promises that a changed file counts within 2 s
HEARTBEAT_EVERY_S = 10.0
SETTLE_EVERY_S = 1.0  # how late `budgets`, pauses and other processes see what is paid from leases


class Shelf:
    """Where the addons find the services; filled once the options are known."""

    def __init__(self) -> None:
        self._services: Services | None = None

    @property
    def services(self) -> Services:
        """The services; an error (and so a refused call) while there are none."""
        if self._services is None:
            raise RuntimeError("rules are not loaded")
        return self._services

    @property
    def filled(self) -> bool:
        """Whether the services are open."""
        return self._services is not None

    def fill(self, services: Services | None) -> None:
        """Put the services on the shelf, or clear it."""
        self._services = services


class LoadRules:
    """Open the rules and the state, keep the rules fresh, close at the end."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._opened: tuple[Path, Path] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def load(self, loader: Loader) -> None:
        loader.add_option("outwarden_rules", str, "", "Folder of rule files; empty: ./rules, else the shipped ones.")
        loader.add_option("outwarden_state", str, "", "Folder for database, audit log and keys; empty: per user.")
        # A dead primary must not fail at CONNECT, before a call can choose another upstream (DESIGN.md §3.3).
        ctx.options.update_defer(connection_strategy="lazy")

    def configure(self, updated: set[str]) -> None:
        if not {"outwarden_rules", "outwarden_state"} & updated:
            return
        folders = chosen_folders(ctx.options.outwarden_rules, ctx.options.outwarden_state)
        if folders == self._opened:
            return
        try:
            services = Services(*folders)
        except OutwardenError as error:
            raise exceptions.OptionsError(str(error)) from error
        if self._shelf.filled:
            self._shelf.services.close()
        self._shelf.fill(services)
        self._opened = folders
        threading.Thread(target=services.warm, name="warm", daemon=True).start()

    def running(self) -> None:
        ctx.options.update(connection_strategy="lazy")
        self._tasks = [
            asyncio.create_task(every(RELOAD_EVERY_S, lambda: self._shelf.services.reload())),
            asyncio.create_task(every(RELOAD_EVERY_S, lambda: self._shelf.services.notify())),
            asyncio.create_task(every(SETTLE_EVERY_S, lambda: self._shelf.services.settle_leases())),
            asyncio.create_task(every(HEARTBEAT_EVERY_S, lambda: self._shelf.services.tend())),
        ]

    def done(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._shelf.filled:
            self._shelf.services.close()
            self._shelf.fill(None)


def chosen_folders(rules: str, state: str) -> tuple[Path, Path]:
    """Apply the defaults of the contract to the two folder options."""
    local = Path("rules")
    chosen = Path(rules) if rules else local if local.is_dir() else shipped_rules()
    return chosen, Path(state).expanduser() if state else default_state_folder()


async def every(seconds: float, work: Callable[[], object]) -> None:
    """Do ``work`` every ``seconds``, and wait for it where it is a coroutine's; an error is logged and ends nothing."""
    while True:
        await asyncio.sleep(seconds)
        try:
            done = work()
            if isawaitable(done):
                await done
        except Exception as error:  # the next round may succeed; nothing here may stop the proxy
            logger.error("periodic work failed: %s", where(error))
