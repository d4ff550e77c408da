"""What the addons share: the long-lived stores, and the engines that the rules in force are compiled into."""

import asyncio
import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from outwarden.audit import AuditLog
from outwarden.budget import Amounts, BudgetState, Caller, LeasingLedger, keyed_digest, open_store
from outwarden.content import Inspector
from outwarden.errors import LedgerError, RulesError, StoreUnavailable
from outwarden.observe import Metrics, Notices, Webhooks
from outwarden.pii import CallerVaults, Echoes, PiiEngine, Vault, finders_for
from outwarden.pricing import Learnt, PriceBook, TokenCounter
from outwarden.routing import Health, resolve_reference
from outwarden.routing.shared import Moment, SharedHealth
from outwarden.rules import KeyRing, Rules, RulesFile, StateFolder
from outwarden.web import RecentCalls
from outwarden.wire.body import Memory
from outwarden.wire.edits import apply_edits

logger = logging.getLogger(__name__)

# Remembered messages: about 100 conversations of 400 KB; a machine that runs a proxy has this to spare.
MEMORY_BYTES = 64 * 1024 * 1024
UNRESOLVED_MAX = 10_000
# Threads that read long texts beside the event loop. Python runs one at a time, so more would only wait.
READERS = 2
NAME_CHARACTERS_MAX = 200
# More models than one fleet uses; what comes beyond them is looked at each time.
PLAIN_NAMES_MAX = 1000
# Old rows go in batches of some 5 ms, as many at a time as a busy machine makes between two rounds.
PRUNE_BATCH = 500
PRUNE_ROUNDS = 20


@dataclass(frozen=True)
class Engines:
    """One set of rules and what they compile into; swapped whole."""

    rules: Rules
    pii: PiiEngine
    inspector: Inspector
    prices: PriceBook
    _plain_names: set[str] = field(default_factory=set, compare=False, repr=False)

    @classmethod
    def of(cls, rules: Rules, secret: bytes, retired: Sequence[bytes] = (), echoes: Echoes | None = None) -> "Engines":
        """Compile ``rules``; the rest as `PiiEngine` takes it."""
        return cls(
            rules=rules,
            pii=PiiEngine(rules.pii, secret, finders_for(rules.pii), retired=retired, echoes=echoes),
            inspector=Inspector(rules.content),
            prices=PriceBook(rules.prices, rules.budgets.unknown_price),
        )

    def pii_for(self, caller: Caller) -> PiiEngine:
        """The engine with the actions of one caller."""
        return self.pii.for_caller(asdict(caller)) if self.rules.pii.special else self.pii

    def shown(self, name: str | None) -> str | None:
        """A name that somebody else chose (a model), fit for records, counters and the database: nothing personal."""
        if name is None or name in self._plain_names:
            return name
        edits = self.pii.request(Vault()).edits([name])[0]
        shown = apply_edits(name, edits)[:NAME_CHARACTERS_MAX]
        if shown == name and len(self._plain_names) < PLAIN_NAMES_MAX:  # those with something personal are not kept
            self._plain_names.add(name)
        return shown


class Services:
    """Everything with a life longer than a call. Opening raises RulesError or StateError."""

    def __init__(self, rules_folder: Path, state_folder: Path) -> None:
        self._file = RulesFile(rules_folder)
        self.state = StateFolder(state_folder)
        self._keys_stamp, self._keys = self._read_keys()
        self._secrets: tuple[bytes, ...] = ()
        self._echoes = Echoes()
        self.engines = self._compiled()
        self.memory = Memory(MEMORY_BYTES)
        self.readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self.vaults = CallerVaults()
        self.tokens = TokenCounter()
        self.learnt = Learnt()
        self.health = Health()
        self.audit = AuditLog(self.state.audit)
        store = open_store(self.state.database_url)
        self.ledger = LeasingLedger(store)
        self.shared = SharedHealth(self.health, store, self.ledger.owner, self.may_tell)
        self._sharing = ThreadPoolExecutor(1, thread_name_prefix="shared-health")
        self._is_sharing = True
        self.metrics = Metrics()
        self.webhooks = Webhooks(resolve_reference)
        self.webhooks.configure(self.engines.rules.budgets.webhooks)
        self.notices = Notices(self.webhooks.tell, time.monotonic)
        self._open_breakers: frozenset[str] = frozenset()
        self.recent = RecentCalls()
        self._unresolved: list[tuple[str, Amounts | None]] = []
        self.started_at = datetime.now(UTC)
        resolved = self.ledger.recover()
        if resolved:
            logger.warning("%d holds of a process that died were resolved", resolved)
        self.shared.take_in(self.shared.exchange({}, moment()), moment())  # what is drained, before the first call

    async def share_health(self) -> None:
        """Tell other processes what was found of upstreams, and hear what they found; no call waits for it.

        While the store does not answer, each process goes on with what it knows.
        """
        found, asked = self.shared.found(), moment()
        try:
            loop = asyncio.get_running_loop()
            heard = await loop.run_in_executor(self._sharing, self.shared.exchange, found, asked)
        except StoreUnavailable as error:
            if self._is_sharing:
                logger.error("what other processes know of upstreams cannot be read: %s", error)
            self._is_sharing = False
            return
        self._is_sharing = True
        self.shared.take_in(heard, moment())

    def may_tell(self, name: str) -> bool:
        """Whether a name that a caller may have chosen holds nothing personal."""
        return self.engines.shown(name) == name

    def digest(self, *parts: bytes) -> str:
        """Name something without telling it; see `keyed_digest`."""
        return keyed_digest(self._secrets[0], *parts)

    def reload(self) -> None:
        """Take changed rule files into force; broken ones leave the last good rules in force and are logged."""
        changed = self._file.reload_if_changed()
        if isinstance(changed, RulesError):
            logger.error("rules not reloaded, the last good ones stay in force:\n%s", changed)
        elif changed:
            self.engines = self._compiled()
            self.webhooks.configure(self.engines.rules.budgets.webhooks)
            logger.warning("rules reloaded")
        self._follow_keys()

    def _compiled(self) -> Engines:
        first, *others = secrets = self._keys.secrets(datetime.now(UTC))
        engines = Engines.of(self._file.current, first, others, self._echoes)
        self._secrets = secrets
        return engines

    def _follow_keys(self) -> None:
        """Take in keys that another process wrote, and change over when it is time."""
        if self.state.keys_stamp() != self._keys_stamp:
            self._keys_stamp, self._keys = self._read_keys()
        now = datetime.now(UTC)
        if self._secrets != self._keys.secrets(now):
            self.engines = self._compiled()
            logger.warning("placeholders are made with key %s", self._keys.current(now).id)

    def _read_keys(self) -> tuple[tuple[int, int], KeyRing]:
        keys = self.state.keys()
        return self.state.keys_stamp(), keys

    def notify(self) -> None:
        """Tell of orders that were given, and of upstreams that began to fail since the last look."""
        if not self.engines.rules.budgets.webhooks:
            return
        for order in self.ledger.untold():
            self.notices.ordered(order)
        is_open = self.health.discovered()  # what others found, they tell
        for name in sorted(is_open - self._open_breakers):
            self.notices.opened(self.engines.shown(name) or "")
        self._open_breakers = is_open

    def resolve(self, hold_id: str, amounts: Amounts | None) -> tuple[BudgetState, ...]:
        """Post ``amounts`` on a hold, or void it (None).

        Raises StoreUnavailable and whatever else may go wrong in a store, after which `tend` tries again; or another
        LedgerError, where the hold is over.
        """
        try:
            if amounts is None:
                self.ledger.void(hold_id)
                return ()
            states = self.ledger.post(hold_id, amounts)
        except Exception as error:
            is_over = isinstance(error, LedgerError) and not isinstance(error, StoreUnavailable)
            if not is_over and len(self._unresolved) < UNRESOLVED_MAX:  # beyond, the next start posts the holds in full
                self._unresolved.append((hold_id, amounts))
            raise

        for state in states:
            self.notices.settled(state)
        return states

    def settle_leases(self) -> None:
        """Post what was paid from leases, and tell which marks that crossed."""
        for state in self.ledger.settle():
            self.notices.settled(state)

    def tend(self) -> None:
        """Show that this process lives, and resolve what the store would not take before."""
        self.ledger.heartbeat()
        self.ledger.recover()
        for _ in range(PRUNE_ROUNDS):
            if self.ledger.prune(PRUNE_BATCH) < PRUNE_BATCH:
                break
        unresolved, self._unresolved = self._unresolved, []
        for at, (hold_id, amounts) in enumerate(unresolved):
            try:
                self.resolve(hold_id, amounts)
            except StoreUnavailable:
                self._unresolved += unresolved[at + 1 :]
                raise
            except Exception as error:  # resolved elsewhere meanwhile, or tried again the next time
                logger.error("hold %s could not be resolved: %s", hold_id, type(error).__name__)

    def warm(self) -> None:
        """Load what takes a second to load, so that no call waits for it."""
        self.engines.prices.warm()
        self.tokens.warm()

    def close(self) -> None:
        """Release the stores; what the ledger would not take before is offered to it for a last time."""
        try:
            if self._unresolved:
                self.tend()
        except StoreUnavailable:
            logger.error("the budget store does not answer; %s holds stay for the next start", len(self._unresolved))
        self.webhooks.close()
        self.readers.shutdown(wait=False)  # what is being read is answered yet
        self._sharing.shutdown()
        self.ledger.close()


def moment() -> Moment:
    """Now, by both clocks."""
    return Moment(datetime.now(UTC), time.monotonic())
