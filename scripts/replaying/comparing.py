"""What became of an exchange: what is as it should be, what is not, and why."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from replaying import aws, faults
from replaying.client import Got
from replaying.exchanges import Exchange
from replaying.planting import Values, kinds_in, stand_ins, text_channels
from replaying.sessions import Session
from replaying.upstream import Play
from replaying.usage import Tokens, expected_tokens

CHECKS = ("request", "reply", "usage", "caught", "restored")
# Our own refusals that are meant, by the rule that the audit names, each with its reason.
MEANT = {
    "not_supported": "its stream cannot be read, so the call is refused and never sent",
    "signed_request": "signed by the caller (AWS SigV4), so it could not be changed and may not leave as it is",
}
REQUEST_UNREADABLE, REPLY_UNREADABLE = ("body",), ("error", "failed")
# OpenAI's log probabilities: objects of numbers, strings and one more such list.
_TOKENS = re.compile(rb'("logprobs":\s*)\[(?:[^\[\]]|\[(?:[^\[\]]|\[[^\[\]]*\])*\])*\]')
_OFFSET = re.compile(
    rb'("(?:start|end|start_?index|end_?index|(?:start|end)_char_index)"\s*:\s*|"filename"\s*:\s*"[^"]*"\s*,\s*"index"\s*:\s*)\d+',
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"\[[A-Z][A-Z0-9_]*_[0-9a-f]{6,64}\]")


@dataclass(frozen=True, slots=True)
class Variant:
    """How exchanges are played: the HTTP version on both sides, how replies are cut, with values planted or not."""

    http: str
    cut: str
    planted: bool = False

    @property
    def kind(self) -> str:
        """The way without its cut."""
        return f"HTTP/{self.http}{', planted' if self.planted else ''}"

    def __str__(self) -> str:
        return f"HTTP/{self.http}, cut {self.cut}{', planted' if self.planted else ''}"


@dataclass(slots=True)
class Outcome:
    """One exchange played in one way.

    ``checks``: of each check that applied, how many held of how many. ``reason``: why its problems are none;
    ``note``: what was done on purpose. ``expected``: the tokens that the audit is to name, None where nobody told any;
    ``session``: what the audit calls the session that it was, empty for what is one call; ``refused``: the rule that is
    to refuse it, empty for none.
    """

    exchange: Exchange | Session
    variant: Variant
    call_id: str
    checks: dict[str, tuple[int, int]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    reason: str = ""
    note: str = ""
    expected: Tokens | None = None
    session: str = ""
    refused: str = ""

    def check(self, name: str, held: bool | tuple[int, int], problem: str) -> None:
        """Note one check; ``problem`` says what is wrong, never a value."""
        good, of = held if isinstance(held, tuple) else (int(held), 1)
        before, before_of = self.checks.get(name, (0, 0))
        self.checks[name] = before + good, before_of + of
        if good < of:
            self.problems.append(f"{name}: {problem}")


def compare(exchange: Exchange, variant: Variant, play: Play, got: Got, values: Values | None) -> Outcome:
    """What the two ends got, against what was sent. ``values``: what was planted in the request, None for nothing."""
    outcome = Outcome(exchange, variant, got.call_id)
    if not variant.planted:
        outcome.expected = expected_tokens(exchange)
        if outcome.expected is not None and not faults.tells_usage(exchange):
            outcome.expected, outcome.note = None, "the usage that was recorded does not stand in its reply"
    if play.seen is None:
        outcome.check("request", held=False, problem=f"not sent on; answered {got.status} {got.problem}".strip())
        outcome.check("reply", held=False, problem=f"status {got.status} for {exchange.status}")
        return outcome
    if values is None:
        _compare_request(outcome, exchange, play)
    else:
        _compare_planted(outcome, play.seen, values)
    if values is not None and play.sent != exchange.reply and (stood := stand_ins(play.seen)):
        _compare_restored(outcome, play, got, dict(zip(stood, values, strict=True)))
    elif got.status != exchange.status or got.body != exchange.expected_reply:
        outcome.check("reply", held=False, problem=_difference(exchange, got))
    else:
        outcome.check("reply", held=True, problem="")
    return outcome


def compare_usage(outcome: Outcome, audit: Mapping[str, Any] | None) -> None:
    """The audit's tokens against the provider's own; and why the call was refused, if it was."""
    if audit and audit["verdict"] not in ("allowed", "flagged"):
        rule = audit["rule"] or audit["verdict"]
        if rule == outcome.refused:
            outcome.note = f"refused as the rules say: {rule}"
            return
        outcome.reason = outcome.reason or _why_refused(outcome.exchange, rule)
        outcome.problems.append(f"refused by us: {rule}")
        return
    if outcome.expected is not None:
        usage = (audit or {}).get("usage") or {}
        told = usage.get("input_tokens"), usage.get("output_tokens")
        outcome.check("usage", told == outcome.expected, f"{told} for {outcome.expected}")


def _why_refused(record: Exchange | Session, rule: str) -> str:
    """A rule that is meant, or what is wrong with the record itself; empty where there is no reason."""
    if rule in MEANT:
        return f"{rule}: {MEANT[rule]}"
    if isinstance(record, Session):
        return ""
    fault = faults.fault_of_request(record) if rule in REQUEST_UNREADABLE else ""
    return fault or (faults.fault_of_reply(record) if rule in REPLY_UNREADABLE else "")


def _compare_request(outcome: Outcome, exchange: Exchange, play: Play) -> None:
    sent, seen = exchange.body, play.seen or b""
    if play.path != exchange.target:
        outcome.check("request", held=False, problem="it arrived at another path")
        return
    if seen != sent and _usage_was_asked(sent, seen):
        outcome.note = "asked for the usage of a stream that would not have told it"
        outcome.check("request", held=True, problem="")
        return
    outcome.check("request", seen == sent, f"{len(seen)} bytes arrived for {len(sent)}")


def _usage_was_asked(sent: bytes, seen: bytes) -> bool:
    """Whether all that differs is an ``include_usage`` that was put in."""
    at = next((i for i, (a, b) in enumerate(zip(sent, seen, strict=False)) if a != b), len(sent))
    rest = len(sent) - at
    return seen[:at] + seen[len(seen) - rest :] == sent and b'"include_usage"' in seen[at : len(seen) - rest]


def _compare_planted(outcome: Outcome, seen: bytes, values: Values) -> None:
    kinds = kinds_in(values, seen)
    outcome.check("caught", (5 - len(kinds), 5), f"reached the provider: {', '.join(kinds)}")
    if not are_placeholders(stand_ins(seen)):
        outcome.check("restored", held=False, problem="the planted sentence arrived in another form")


def are_placeholders(stood: tuple[str, ...] | None) -> bool:
    """Whether what stands for the planted values are placeholders, each of them."""
    return stood is not None and all(_PLACEHOLDER.fullmatch(each) for each in stood)


def _compare_restored(outcome: Outcome, play: Play, got: Got, values: dict[str, str]) -> None:
    """The reply that says the sentence again: the caller's own values are back, and every other byte is the same."""
    sent, body = play.sent, got.body
    if play.exchange.framing == "aws-eventstream":
        if not aws.intact(body):
            outcome.check("restored", held=False, problem="a frame's checksum or length is wrong")
            return
        sent, body = aws.unwrap(sent), aws.unwrap(body)
    streamed = play.exchange.streaming
    restored = is_restored(sent, body, values, streamed=streamed)
    outcome.check("restored", restored, "the texts of the reply are others")
    same = got.status == play.exchange.status and same_beside_texts(sent, body, streamed=streamed)
    outcome.check("reply", same, "bytes outside the texts differ" if got.status else f"broken off: {got.problem}")


def is_restored(sent: bytes, got: bytes, values: dict[str, str], *, streamed: bool) -> bool:
    """Whether the texts are those sent, with the caller's own values in place of what stood for them."""
    expected = {key: _restored(text, values) for key, text in _texts(sent, streamed=streamed).items()}
    return _texts(got, streamed=streamed) == expected


def same_beside_texts(sent: bytes, got: bytes, *, streamed: bool) -> bool:
    """Whether every byte outside the texts is the same."""
    return _without_texts(sent, streamed=streamed) == _without_texts(got, streamed=streamed)


def _texts(body: bytes, *, streamed: bool) -> dict[Any, str]:
    return {key: "".join(text for _, text in pieces) for key, pieces in text_channels(body, streamed=streamed).items()}


def _restored(text: str, values: dict[str, str]) -> str:
    for stood, value in values.items():
        text = text.replace(stood, value)
    return text


def _without_texts(body: bytes, *, streamed: bool) -> bytes:
    """All bytes but those of the texts, and but what follows what was put back: offsets, and lists of their tokens.

    We planted in the text alone, so the tokens beside it do not spell it; such lists are emptied with their piece.
    """
    places = [place for pieces in text_channels(body, streamed=streamed).values() for place, _ in pieces]
    out, at = bytearray(), 0
    for place in sorted(places, key=lambda each: each.start):
        out += body[at : place.start]
        at = place.end
    return _TOKENS.sub(rb"\1[]", _OFFSET.sub(rb"\1", bytes(out + body[at:])))


def _difference(exchange: Exchange, got: Got) -> str:
    if got.status != exchange.status:
        return f"status {got.status} for {exchange.status} {got.problem}".strip()
    want = exchange.expected_reply
    at = next(
        (i for i, (a, b) in enumerate(zip(got.body, want, strict=False)) if a != b), min(len(got.body), len(want))
    )
    return f"{len(got.body)} bytes for {len(want)}, other from byte {at} on"
