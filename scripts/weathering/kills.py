"""Interceptors on one ledger, killed one after the other while they work: what they were paid for, and by whom.

Each round has a key of its own, with room for fewer calls than are sent with it through all interceptors at once, of
which one is killed at some moment. Then the books must say what the provider saw: every call that came in is charged,
no cap is passed, nothing stays held, and each balance is the sum of its lines.
"""

import asyncio
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from benchmarks.servers import started
from outwarden.budget import BudgetState, Ledger, key_id, open_store
from outwarden.simulate import Certificates, Received, Script, SimulatedProvider, make_certificates, provider_thread
from replaying.client import trusting
from replaying.process import Process
from weathering.books import nano

HOST = "api.openai.com"
PRICE = {"input_mtok": 2, "output_mtok": 8}
USAGE = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30}
COST = 10 * 2_000 + 20 * 8_000  # nano-dollars of that usage at that price
HOLD = 3_500_000  # what is held for a call, about: OVERHEAD_TOKENS and 40 tokens of output
MOMENT_S = 10.0  # a round's kill waits for some calls to come in, and no longer
SETTLE_S = 60.0  # until nothing is held: somebody has to see that the process is gone
SOON_DEAD = 0.2  # of the killed, so many are killed once more while they start
TALLY_S = 0.1


@dataclass(frozen=True, slots=True)
class Setting:
    """``leased``: whether the budgets say ``lease: true``, which takes room for more calls to be worth it."""

    store: str
    kills: int = 10
    seed: int = 0
    leased: bool = False
    interceptors: int = 3
    say: Callable[[str], None] = print

    @property
    def calls(self) -> int:
        """How many are sent through each interceptor in a round."""
        return 96 if self.leased else 32

    @property
    def room(self) -> int:
        """How many of them a key may have."""
        return self.calls * self.interceptors * 2 // 3


class Round(NamedTuple):
    """What is known of one key when its calls are over. ``answered``: how many got an answer of the provider."""

    key: str
    answered: int
    seen: int
    requests: BudgetState
    money: BudgetState


@dataclass(slots=True)
class Outcome:
    """What came of it. ``too_much``: how many calls were charged that never came in, as the dead may have sent them."""

    kills: int = 0
    seconds: float = 0.0
    rounds: list[Round] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def too_much(self) -> int:
        """Calls that were charged and never came in."""
        return sum(one.requests.posted - one.seen for one in self.rounds)


def run(setting: Setting) -> Outcome:
    """Kill as often as is asked, and look after each. Raises RuntimeError where something does not start."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        certificates = make_certificates(folder, [HOST])
        script = answers(setting.seed)
        provider = stack.enter_context(provider_thread(certificates, script=script))
        url = stack.enter_context(_database(setting.store, folder))
        rules = rules_for(provider, certificates, setting)
        several = [Process(folder / str(number), rules) for number in range(setting.interceptors)]
        stack.callback(_end, several)
        for one in several:
            one.variables = {"OUTWARDEN_DATABASE": url}
            one.start()
        return asyncio.run(_Played(setting, provider, url, several).play())


class _Played:
    """One run at work."""

    def __init__(self, setting: Setting, provider: SimulatedProvider, url: str, several: list[Process]) -> None:
        self._setting, self._provider, self._url, self._several = setting, provider, url, several
        self._drawn = random.Random(f"kills {setting.seed}")
        self._outcome = Outcome()

    async def play(self) -> Outcome:
        begin = time.monotonic()
        for number in range(self._setting.kills):
            victim = self._several[self._drawn.randrange(len(self._several))]
            await self._round(number, victim)
            if (number + 1) % 10 == 0:
                self._setting.say(f"  {number + 1} killed, {len(self._outcome.wrong)} wrong")
        await self._round(self._setting.kills, None)
        self._outcome.wrong += await asyncio.to_thread(self._at_the_end)
        self._outcome.seconds = time.monotonic() - begin
        return self._outcome

    async def _round(self, number: int, victim: Process | None) -> None:
        """Send a key's calls, kill one interceptor meanwhile, start it again, and look at the books."""
        key, after = f"sk-round-{number}", self._drawn.randrange(self._setting.room // 2)
        sent = asyncio.gather(*(self._ask(one, key) for one in self._several))
        if victim:
            await asyncio.to_thread(self._until_in, key, after)
            await asyncio.to_thread(self._kill_and_start, victim)
        statuses = Counter(status for found in await sent for status in found)
        self._outcome.statuses += statuses
        states = await asyncio.to_thread(self._settled, key)
        seen = self._seen(key)
        found = Round(key, statuses["200"], seen, states["calls"], states["money"])
        self._outcome.rounds.append(found)
        self._outcome.wrong += wrong_with(found, self._setting, statuses, killed=victim is not None)

    def _seen(self, key: str) -> int:
        return sum(_has(one, key) for one in list(self._provider.requests))

    def _until_in(self, key: str, count: int) -> None:
        """Wait until more than so many calls have come in at the provider."""
        end = time.monotonic() + MOMENT_S
        while self._seen(key) <= count and time.monotonic() < end:
            time.sleep(0.01)

    def _kill_and_start(self, victim: Process) -> None:
        victim.kill()
        self._outcome.kills += 1
        if self._drawn.random() < SOON_DEAD:
            victim.launch()
            time.sleep(self._drawn.uniform(0, 2))
            victim.kill()
            self._outcome.kills += 1
        victim.start()

    async def _ask(self, outwarden: Process, key: str) -> list[str]:
        """What becomes of each call: its status, or that nobody answered."""
        headers, limits = {"authorization": f"Bearer {key}"}, httpx.Limits(max_connections=None)
        context = trusting(outwarden.ca)
        async with httpx.AsyncClient(
            proxy=outwarden.url, verify=context, headers=headers, timeout=120, limits=limits, trust_env=False
        ) as client:
            return await asyncio.gather(*(_call(client, number) for number in range(self._setting.calls)))

    def _settled(self, key: str) -> dict[str, BudgetState]:
        """The accounts of a key, once nothing is held any more; or as they are after a while."""
        end = time.monotonic() + SETTLE_S
        while True:
            states, drifted = _books(self._url)
            own = {state.name: state for state in states if state.id == key_id(key)}
            if drifted or time.monotonic() > end or (own and not any(state.pending for state in states)):
                self._outcome.wrong += [f"{key}: the balance of {name} is not the sum of its lines" for name in drifted]
                return own
            time.sleep(TALLY_S)

    def _at_the_end(self) -> list[str]:
        """What is wrong with all of it together, with the records, and with what a clean end leaves."""
        wrong = [f"an interceptor ended with {code}" for one in self._several if (code := one.stop())]
        states, _ = _books(self._url)
        (total,) = (state for state in states if state.name == "all")
        posted = {one.key: one.money.posted for one in self._outcome.rounds}
        if total.posted != sum(posted.values()):
            wrong.append(f"{total.posted} posted on all, {sum(posted.values())} on the keys")
        wrong += [f"{state.pending} still held of {state.name}" for state in states if state.pending]
        recorded: Counter[str] = Counter()
        for record in (each for one in self._several for each in one.records()):
            recorded[record["caller"]["api_key_id"]] += nano(record["cost_usd"])
        wrong += [
            f"{key}: the records sum up to {recorded[key_id(key)]}, of {money} posted"
            for key, money in posted.items()
            if recorded[key_id(key)] > money
        ]
        for one in self._several:
            if "Traceback" in one.output:
                wrong.append("a traceback in the output:\n" + one.output[-2000:])
        return wrong


def wrong_with(found: Round, setting: Setting, statuses: Counter[str], *, killed: bool) -> list[str]:
    """What the books of one key say that cannot be. Without a kill they have to be what the provider saw."""
    requests, money, seen, wrong = found.requests, found.money, found.seen, list[str]()
    if not found.answered <= seen <= requests.posted <= setting.room:
        wrong.append(f"{found.answered} answered, {seen} came in, {requests.posted} charged, room for {setting.room}")
    if not seen * COST <= money.posted <= money.limit:
        wrong.append(f"{money.posted} nano-dollars charged for {seen} calls of {COST}; the cap is {money.limit}")
    if not killed and (requests.posted, money.posted) != (seen, seen * COST):
        wrong.append(f"nobody was killed: {requests.posted} calls at {money.posted} charged, of {seen} that came in")
    for state in (requests, money):
        if state.pending or state.debt:
            wrong.append(f"{state.name}: {state.pending} still held, {state.debt} in debt")
    if odd := statuses.keys() - {"200", "429", "gone"} or (not killed and statuses["gone"]):
        wrong.append(f"calls ended otherwise: {odd}")
    return [f"{found.key}: {each}" for each in wrong]


def rules_for(provider: SimulatedProvider, certificates: Certificates, setting: Setting) -> dict[str, Any]:
    """One host, one price, and three budgets: a key's calls, its money, and the money of all."""
    aim = {"connect_to": provider.address, "trust": str(certificates.ca)}
    lease = {"lease": True} if setting.leased else {}
    key: dict[str, Any] = {"scope": "api_key", "window": "lifetime"} | lease
    budgets = [
        {"name": "all", "scope": "all", "limit_usd": 1000, "window": "lifetime"} | lease,
        key | {"name": "calls", "limit_requests": setting.room},
        key | {"name": "money", "limit_usd": setting.room * HOLD * 0.75 / 10**9},
    ]
    return {
        "traffic": {"intercept": [{"hosts": [HOST], "provider": "openai", "format": "openai", **aim}]},
        "pii": {"entities": "all", "ner": {"model": "off"}},
        "prices": {"prices": [{"provider": "openai", "model": "*"} | PRICE]},
        "budgets": {"budgets": budgets},
    }


def answers(seed: int) -> Callable[[Received], Script]:
    """What the provider does with each call: it takes its time, in the end or before it begins."""
    drawn = random.Random(f"answers {seed}")

    def script(_: Received) -> Script:
        return Script(usage=USAGE, headers_delay_s=drawn.uniform(0, 0.3), event_delay_s=drawn.uniform(0, 0.02))

    return script


async def _call(client: httpx.AsyncClient, number: int) -> str:
    body: dict[str, Any] = {"model": "gpt-4o", "max_tokens": 40}
    body["messages"] = [{"role": "user", "content": f"call number {number}, please, if you have a moment"}]
    if number % 2:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    try:
        answer = await client.post(f"https://{HOST}/v1/chat/completions", json=body)
    except httpx.TransportError:
        return "gone"
    return str(answer.status_code)


@contextmanager
def _database(store: str, folder: Path) -> Iterator[str]:
    if store == "sqlite":
        yield f"sqlite:///{folder / 'shared.db'}"
        return
    with started(store) as (told,):
        if "missing" in told:
            raise RuntimeError(f"{store} does not start: {told['missing']}")
        yield told["url"]


def _books(url: str) -> tuple[list[BudgetState], list[str]]:
    """How all accounts stand, and of which the balance is not the sum of its lines."""
    ledger = Ledger(open_store(url))
    try:
        return ledger.states(), ledger.drift()
    finally:
        ledger.close()


def _has(received: Received, key: str) -> bool:
    return ("authorization", f"Bearer {key}") in ((name.lower(), value) for name, value in received.headers)


def _end(several: Iterable[Process]) -> None:
    for one in several:
        if one.alive:
            one.kill()
