"""The money of one call: a bound before it, one hold over all its attempts, its true cost at the end."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from outwarden.budget import Account, Amounts, BudgetState, Denied, Held, Paused
from outwarden.budget import accounts as accounts_of
from outwarden.errors import PriceUnknown, StoreUnavailable
from outwarden.flow.bounds import body_id, counted_tokens, input_bound, output_bound, unit_bound, unseen_of
from outwarden.flow.denial import refusal_of, refusal_of_pause, stopped
from outwarden.flow.guard import broken, where
from outwarden.flow.left import NOTHING, Left, Taken, waived
from outwarden.flow.metering import Metering, metering_of
from outwarden.flow.services import Engines, Services
from outwarden.flow.tariff import Tariff
from outwarden.pricing import BYTES, LearntOf, Price, context_window, thinks_beyond_limit
from outwarden.wire.format import Refusal
from outwarden.wire.usage import Usage

if TYPE_CHECKING:
    from outwarden.flow.state import CallState
    from outwarden.routing import Upstream

logger = logging.getLogger(__name__)

# The least output worth clamping to: OpenAI's Responses API refuses less.
CLAMP_MIN_TOKENS = 16
# Of a text whose tokens nobody can count here: tokenizers make at least three bytes of English or code to a token.
BYTES_PER_TOKEN = 3


class Purse:
    """Pays for one call. `pay` before each attempt; `settle` exactly once at the end, however the call ends.

    ``output_tokens`` is the worst case of its output; ``metering``: how much of it is held so far (None: all of it).
    In between, `follow` a stream whose hold is metered.
    """

    def __init__(self, state: CallState, engines: Engines, services: Services, now: datetime | None = None) -> None:
        self._state = state
        self._services = services
        self.accounts: tuple[Account, ...] = accounts_of(
            engines.rules.budgets,
            state.caller,
            provider=state.host.provider,
            model=state.model,
            call_id=state.call_id,
            at=now or datetime.now(UTC),
            body_id=lambda: body_id(state, services.digest),
        )
        self.counted_tokens = counted_tokens(state)
        more = unseen_of(state)
        self.input_tokens = input_bound(state, more)
        self.output_tokens = output_bound(state, state.host.provider, state.model)
        self.units = unit_bound(state, more)
        self._tariff = Tariff(state, engines.prices, self.units)
        self.metering = self._begin_metering(None)
        self._rounds = 1  # how often the output bound may be written: a response goes on behind each tool's answer
        self.held: Amounts | None = None
        self.denied: Denied | None = None
        self.refusal: Refusal | None = None
        self._resolved = False
        self._left = Amounts(0, 0, 0)  # what answers cost that were left after they had begun
        self.taken = Taken()  # what the current attempt goes on with

    @property
    def settled(self) -> bool:
        """Whether the cost is final."""
        return self._resolved

    def pay(self, upstream: Upstream | None) -> bool:
        """Hold what an attempt at ``upstream`` (None: where the caller aimed) may cost at most; False: not affordable.

        The first attempt takes the hold; a later one tops it up by the difference, or is not taken.
        """
        try:
            self._measure(upstream)
            return self._hold(self._tariff.at(upstream, must_know=self._counts_dollars), upstream)
        except PriceUnknown as error:
            self.refusal = Refusal(403, "price_unknown", f"The call was refused: {error} (budgets.yml, unknown_price).")
        except StoreUnavailable as error:
            self._store_is_silent(error)
        return False

    def _store_is_silent(self, error: StoreUnavailable) -> None:
        logger.error("the budget store does not answer; calls are refused until it does: %s", error)
        self.denied, self.refusal = None, Refusal(503, "budget_store_unavailable", "The budget store does not answer.")

    def follow(self, counted: int) -> bool:
        """So much output has come (see `count`): hold the next slice where it is due. False: there is no money for it.

        Then `refusal` says why, and the answer is to end here: half a slice is still held for what is on its way.
        """
        metering = self.metering
        if metering is None or metering.kind != "metered":
            return True
        metering.counted = counted
        return self._keep_ahead(metering)

    def wait(self, now_s: float) -> bool:
        """The provider says nothing (yet), which of some models is thinking that is billed: as `follow`."""
        metering = self.metering
        if metering is None or metering.kind != "metered":
            return True
        metering.hear(now_s, said=False)
        return self._keep_ahead(metering)

    def _keep_ahead(self, metering: Metering) -> bool:
        if not metering.needs_more(self.output_tokens):
            return True
        return self._cover(metering, min(self.output_tokens, metering.used + metering.slice_tokens))

    def hold_whole(self) -> bool:
        """An answer that was to be streamed comes whole: nobody could follow it, so its worst case is held."""
        metering = self.metering
        return metering is None or metering.kind != "metered" or self._cover(metering, self.output_tokens)

    def _cover(self, metering: Metering, output_tokens: int) -> bool:
        before, metering.covered = metering.covered, max(metering.covered, output_tokens)
        try:
            paid = self._hold(self._tariff.price, self._tariff.upstream)
        except StoreUnavailable as error:
            self._store_is_silent(error)
            paid = False
        if paid:
            metering.steps += 1
        else:
            metering.covered = before
        return paid

    def count(self, text: str) -> int:
        """The tokens of a piece of output, from above, as `follow` takes them: bytes where nobody can count them."""
        return self._services.tokens.count(self.metering.encoding if self.metering else BYTES, text)

    def used_output(self, counted: int) -> int:
        """The output tokens that so much output is, from above and within the worst case."""
        metering = self.metering
        if metering and metering.kind == "metered":
            counted = replace(metering, counted=counted).used
        return min(counted, self.output_tokens)

    def _of(self, upstream: Upstream | None) -> LearntOf:
        provider, model = self._tariff.asked(upstream)
        return LearntOf(provider, model or "", self._services.tokens.encoding(provider, model))

    def _begin_metering(self, upstream: Upstream | None) -> Metering | None:
        if self._state.rules.budgets.metered is None:
            return None
        return metering_of(self._state, self._of(upstream), self._services.learnt)

    def cost_at(self, upstream: Upstream | None) -> int | None:
        """The most the call may cost at ``upstream`` in nano-dollars, to compare with others; None: nobody knows."""
        try:
            price = self._tariff.at(upstream, must_know=self._counts_dollars)
        except PriceUnknown:
            return None
        return price.upper_bound(self.input_tokens, self.output_tokens, units=self.units) if price else None

    def fits(self, upstream: Upstream | None) -> bool:
        """Whether the call goes into the context window of the model there, as far as one can tell before."""
        window = context_window(*self._tariff.asked(upstream))
        body = len(self._state.body.data) if self._state.body else 0
        tokens = min(self.counted_tokens, body // BYTES_PER_TOKEN)
        return window is None or tokens + (self._state.facts.output_limit or 0) <= window

    def pay_more(self, call: CallState) -> bool:
        """Hold for another round of the same response: what ``call`` adds to it, and as much output again."""
        before = self.counted_tokens, self.input_tokens, self.output_tokens, self._rounds
        more = counted_tokens(call)
        self.counted_tokens += more
        self.input_tokens += (
            max(more, len(call.body.data)) if call.body and self._cuts_otherwise(self._tariff.upstream) else more
        )
        self._rounds += 1
        self.output_tokens += output_bound(self._state, *self._tariff.asked(self._tariff.upstream))
        if self.pay(self._tariff.upstream):
            return True
        self.counted_tokens, self.input_tokens, self.output_tokens, self._rounds = before
        return False

    def _cuts_otherwise(self, upstream: Upstream | None) -> bool:
        """Whether the model of an attempt may cut text into more tokens than the one that was counted for."""
        encoding, host = self._services.tokens.encoding, self._state.host
        return encoding(*self._tariff.asked(upstream)) != encoding(host.provider, self._state.model)

    def _measure(self, upstream: Upstream | None) -> None:
        """Another model may cut the same text into more tokens, and may write more."""
        state = self._state
        if state.body and self._cuts_otherwise(upstream):
            self.input_tokens = max(self.input_tokens, len(state.body.data))  # a token is a byte at least
        if state.facts.output_limit is None:
            self.output_tokens = output_bound(state, *self._tariff.asked(upstream)) * self._rounds
        if self.metering:
            self.metering = self._begin_metering(upstream)

    @property
    def _counts_dollars(self) -> bool:
        return any(account.budget.unit == "usd" for account in self.accounts)

    def _bound(self, price: Price | None) -> Amounts:
        taken = self.taken
        output_tokens = self.output_tokens if taken.output_limit is None else taken.output_limit
        return self._amounts(price, min(output_tokens, self.metering.covered) if self.metering else output_tokens)

    def _amounts(self, price: Price | None, output_tokens: int) -> Amounts:
        input_tokens = self.input_tokens + self.taken.input_bound
        cost = price.upper_bound(input_tokens, output_tokens, units=self.units) if price else 0
        left = self._left
        return Amounts(cost + left.usd, input_tokens + output_tokens + left.tokens, 1)

    @property
    def sent_tokens(self) -> int:
        """The input tokens that an attempt is known to bring: what the body holds, and what it is to go on with."""
        return self.counted_tokens + self.taken.input_tokens

    def leave(self, usage: Usage | None, counted: int) -> Left:
        """An answer is left after so much of it came: what it cost is held, and posted, beside the next one's.

        Returns what it was, for `stay` and `take_up`.
        """
        output_tokens = self.used_output(counted)
        used = usage or Usage(input_tokens=self.sent_tokens)
        used = replace(used, output_tokens=max(used.output_tokens, output_tokens))
        cost = Amounts(self._tariff.priced(used), used.whole.input_tokens + used.whole.output_tokens, 0)
        self._left = Amounts(self._left.usd + cost.usd, self._left.tokens + cost.tokens, 0)
        return Left(cost, used)

    def stay(self, left: Left) -> None:
        """No other attempt follows the one that was to be left: it is settled as the last."""
        self._left = Amounts(self._left.usd - left.cost.usd, self._left.tokens - left.cost.tokens, 0)

    def take_up(self, said: str, used: Usage) -> Taken:
        """The next attempt goes on with what was ``said`` so far: it is part of what it is sent, and of the limit.

        ``used``: by the attempt that said the last of it; it is shown as the call's. Returns what was there before, for
        `put_back`.
        """
        before = self.taken
        encoding, size = self._of(self._tariff.upstream).encoding, len(said.encode("utf-8", "replace"))
        tokens = self._services.tokens.count(encoding, said)
        output = size // BYTES_PER_TOKEN if encoding == BYTES else tokens
        limit = self._state.facts.output_limit
        left = None if limit is None else max(1, limit - output)
        self.taken = Taken(tokens, size, left, before.used.plus(used))
        return before

    def put_back(self, before: Taken) -> None:
        """Nobody goes on."""
        self.taken = before

    def _hold(self, price: Price | None, upstream: Upstream | None) -> bool:
        ledger, amounts, key_id = self._services.ledger, self._bound(price), self._state.caller.api_key_id
        if not self.accounts and key_id and (paused := ledger.is_paused(key_id)):
            self.refusal = refusal_of_pause(paused)
            return False
        if not self.accounts or (self.held and amounts.usd <= self.held.usd and amounts.tokens <= self.held.tokens):
            self._tariff.price, self._tariff.upstream = price, upstream
            return True
        if self.held is None:
            answer = ledger.hold(self._state.call_id, self.accounts, amounts, key_id)
        else:
            amounts = Amounts(max(amounts.usd, self.held.usd), max(amounts.tokens, self.held.tokens), 1)
            answer = ledger.grow(self._state.call_id, amounts)
        if self.held is None or isinstance(answer, Held):
            # A denied attempt leaves the price of the one before, which may have billed.
            self._tariff.price, self._tariff.upstream = price, upstream
        if isinstance(answer, Held):
            self.held, self._state.budgets = amounts, answer.states
            self.denied = None
            self._flag(answer.states)
            return True
        if isinstance(answer, Paused):
            self.denied, self.refusal = None, refusal_of_pause(answer)
            return False
        self.denied = answer
        self.refusal = refusal_of(answer)
        return False

    def _flag(self, states: Sequence[BudgetState]) -> None:
        """Note in the record what a budget that only warns would have refused."""
        for budget in states:
            if budget.warned or budget.runs_out != "no":
                self._note("budget_exceeded" if budget.warned else "budget_running_out", budget.name)

    def reroute_to(self) -> str | None:
        """Where all calls go by now, of the first budget that is spent so far (``reroute_at``)."""
        try:
            for account in self.accounts:
                budget = account.budget
                if budget.reroute_at is not None and account.rate_of is None:
                    state = self._services.ledger.state(account)
                    if state.posted + state.debt >= budget.reroute_at * state.limit:
                        self._note("budget_rerouted", budget.name)
                        return budget.reroute_to
        except StoreUnavailable:
            logger.error("the budget store does not answer; who goes elsewhere is not known")  # the hold refuses
        return None

    def waive(self) -> str | None:
        """Where the call goes instead, after a denial of a budget that says so (``on_exceeded: reroute``), or None.

        From then on the call counts in all budgets that send it there and is refused by none of them.
        """
        budget = self.denied.account.budget if self.denied else None
        if budget is None or budget.on_exceeded != "reroute" or self.held:
            return None
        self.accounts = tuple(waived(account, budget.reroute_to) for account in self.accounts)
        self.denied = self.refusal = None
        self._note("budget_rerouted", budget.name)
        return budget.reroute_to

    def _note(self, flag: str, rule: str) -> None:
        self._state.flagged[flag] += 1
        self._state.rule = self._state.rule or rule

    def refused(self) -> None:
        """The call is refused for want of money: those who are to know are told."""
        if self.denied:
            self._services.notices.denied(self.denied)

    @property
    def denied_by(self) -> str | None:
        """The name of the budget that has no room; None where nothing is refused, or for another reason."""
        return self.denied.account.budget.name if self.denied else None

    def stop(self, call: CallState) -> Refusal:
        """There is no money for more of the answer to ``call``: note why, and return what its client is told."""
        self.refused()
        refusal = self.refusal or broken("purse")
        call.rule = self.denied_by or refusal.code
        return stopped(refusal)

    def affordable_output(self) -> int | None:
        """How many output tokens what is left would pay for, after a denial; None: clamping cannot help."""
        if thinks_beyond_limit(self._tariff.asked(self._tariff.upstream)[1]):
            return None
        price, unit = self._tariff.price, self.denied.account.budget.unit if self.denied else "requests"
        if self.denied is None or unit == "requests" or (unit == "usd" and price is None):
            return None
        low, high = 0, self.output_tokens
        while low < high:
            middle = (low + high + 1) // 2
            fits = self._amounts(price, middle).of(unit) <= self.denied.left
            low, high = (middle, high) if fits else (low, middle - 1)
        return low if CLAMP_MIN_TOKENS <= low < self.output_tokens else None

    def settle(self, usage: Usage | None, *, may_be_billed: bool, estimate: Usage) -> None:
        """Post the true cost, or an estimate where the provider may have billed and did not say; else give all back.

        What raises (a price that cannot be computed, say) leaves the hold to `charge_held`.
        """
        if self._resolved:
            return
        state = self._state
        tariff, before = self._tariff, self.taken.used
        final = tariff.counted(usage, estimate) if usage else tariff.guessed(estimate) if may_be_billed else None
        state.usage_source = "" if final is None else "provider" if usage else "estimate"
        state.usage = final
        if before != NOTHING:  # nobody reported what broke off
            state.usage_source, state.usage = "estimate", before.plus(final or NOTHING)
        state.priced = self._tariff.priced(final) if final else 0
        state.cost, state.cost_source = self._tariff.cost(final)
        tokens = final.whole.input_tokens + final.whole.output_tokens if final else 0
        tokens += self._left.tokens
        if self._left.usd:
            state.cost, state.cost_source = state.cost + self._left.usd, state.cost_source or "price"
        state.overshoot = max(0, state.cost - self.held.usd) if self.held else 0
        if usage and state.rules.budgets.metered:
            self._learn(usage)
        self._resolve(Amounts(state.cost, tokens, 1) if final or tokens else None)

    def _learn(self, usage: Usage) -> None:
        """What the model used is what holds for it go by from now on."""
        counted = self.metering.counted if self.metering and self.metering.kind == "metered" else None
        model = self._of(self._tariff.upstream)
        self._services.learnt.note(model, usage.output_tokens, reasoning_tokens=usage.reasoning_tokens, counted=counted)

    def let_go(self) -> None:
        """It is paid, and the call that it was paid for is not asked any more."""
        if self._resolved:
            del self._state
            self._tariff.let_go()

    def charge_held(self, error: Exception) -> None:
        """What the call cost could not be told, by an error of ours: it cost what was held. Never raises."""
        if self._resolved:
            return
        state = self._state
        state.flagged["cost_unknown"] += 1
        logger.error("the cost of call %s could not be told, its hold is charged: %s", state.call_id, where(error))
        state.cost, state.cost_source = (self.held.usd, "hold") if self.held else (0, "")
        self._resolve(self.held)

    def _resolve(self, amounts: Amounts | None) -> None:
        """Post ``amounts`` on the hold, or give it back; what cannot be done now is tried again."""
        self._resolved = True
        if self.held is None:
            return
        state = self._state
        try:
            state.budgets = self._services.resolve(state.call_id, amounts)
        except StoreUnavailable:
            logger.error("the budget store does not answer; the cost of call %s is posted later", state.call_id)
        except Exception as error:  # the reply is the caller's whatever happens to our books
            state.flagged["cost_not_posted"] += 1
            logger.error("the cost of call %s could not be posted: %s", state.call_id, where(error))
