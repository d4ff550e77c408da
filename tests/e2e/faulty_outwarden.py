"""`outwarden` with bugs on demand: run as a program, it patches the fault points and then is the real thing.

A control file (``OUTWARDEN_TEST_FAULT``) names the one fault that is armed, if any; the process reads it each time that
a fault point is passed, so that one process serves every case. ``passed`` beside it lists the faults that happened.
"""

import functools
import importlib
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

CONTROL = "OUTWARDEN_TEST_FAULT"
# An exception of ours may quote what it could not handle; the text must not come out anywhere.
QUOTED = "ada.quill@brightquill-mail.com"

# Stages and services that the hooks call, as module:class.method or module:function.
STAGES = [
    "outwarden.wire.stream:StreamRewriter.__init__",
    "outwarden.wire.stream:StreamRewriter.feed",
    "outwarden.wire.stream:StreamRewriter.flush",
    "outwarden.wire.formats.base:Mixed.identify",
    "outwarden.wire.formats.base:Mixed.unsupported",
    "outwarden.wire.formats.base:Mixed.framing",
    "outwarden.wire.formats.base:Mixed.text_rules",
    "outwarden.wire.formats.base:Mixed.read_request",
    "outwarden.wire.formats.base:Mixed.read_reply",
    "outwarden.wire.formats.base:Mixed.read_event",
    "outwarden.wire.formats.base:Mixed.refuse",
    "outwarden.wire.formats.base:Mixed.refuse_event",
    "outwarden.pii.detect:Detector.spans",
    "outwarden.pii.engine:PiiEngine.request",
    "outwarden.pii.engine:PiiEngine.reply",
    "outwarden.pii.rewriters:RequestRewriter.note",
    "outwarden.pii.rewriters:ReplyRewriter.edit",
    "outwarden.pii.rewriters:_Channel.feed",
    "outwarden.pii.rewriters:_Channel.finish",
    "outwarden.pricing.book:PriceBook.price",
    "outwarden.pricing.price:Price.upper_bound",
    "outwarden.pricing.price:Price.cost",
    "outwarden.pricing.tokens:TokenCounter.count",
    "outwarden.budget.ledger:Ledger.hold",
    "outwarden.budget.ledger:Ledger.post",
    "outwarden.budget.ledger:Ledger.void",
    "outwarden.content.inspect:Inspector.watches",
    "outwarden.audit.log:AuditLog.append",
    "outwarden.observe.metrics:Metrics.record",
    "outwarden.web.snapshot:RecentCalls.add",
    "outwarden.flow.money:Purse.__init__",
    "outwarden.flow.money:Purse.pay",
    "outwarden.flow.money:Purse.settle",
    "outwarden.flow.trip:Trip.__init__",
    "outwarden.flow.trip:Trip.begin",
    "outwarden.flow.trip:Trip.apply",
    "outwarden.flow.trip:Trip.target",
    "outwarden.flow.trip:Trip.succeed",
    "outwarden.flow.trip:Trip.fail",
    "outwarden.flow.trip:Trip.stop",
    "outwarden.flow.reply:ReplyStream.feed",
    "outwarden.flow.reply:ReplyStream.finish",
    "outwarden.flow.attempt:Attempt._start",
    "outwarden.flow.attempt:Attempt._on_dialled",
    "outwarden.flow.attempt:Attempt._send",
    "outwarden.flow.delivery:Delivery._on_head",
    "outwarden.flow.delivery:Delivery._on_data",
    "outwarden.flow.delivery:Delivery._commit",
    "outwarden.flow.delivery:Delivery._on_end",
    "outwarden.flow.delivery:Delivery._complete",
    "outwarden.flow.ending:Ending._on_upstream_lost",
    "outwarden.flow.ending:Ending._break_off",
    "outwarden.flow.ending:Ending._answer",
    "outwarden.flow.ending:Ending._send_whole",
    "outwarden.flow.upload:Upload.check_invalid",
    "outwarden.flow.upload:Upload._refuse_length",
    "outwarden.flow.upload:fault_of",
    "outwarden.flow.call_stream:CallStream.make_server_connection",
    "outwarden.flow.call_layer:CallLayer.make_stream",
    "outwarden.flow.call_layer:CallLayer.get_connection",
    "outwarden.identify_call:identify",
    "outwarden.identify_call:read_body",
    "outwarden.identify_call:begin",
    "outwarden.redact_pii:rewrite_body",
    "outwarden.redact_pii:rewrite_target",
    "outwarden.restore_pii:rewrite_body",
    "outwarden.restore_pii:read_reply",
    "outwarden.restore_pii:read_facts",
    "outwarden.route_call:match_route",
    "outwarden.charge_budget:ask_for_usage",
    "outwarden.write_audit:record",
    "outwarden.write_audit:hide_credentials",
    "outwarden.stream_reply:take_over",
]
# What only a WebSocket passes.
SOCKET_STAGES = [
    "outwarden.wire.formats.base:Mixed.talks",
    "outwarden.wire.formats.base:Mixed.read_message",
    "outwarden.wire.formats.base:Mixed.read_event",
    "outwarden.wire.stream:StreamRewriter.feed_message",
    "outwarden.wire.stream:StreamRewriter.forget",
    "outwarden.pii.known:KnownInSession.with_found",
    "outwarden.pii.rewriters:RequestRewriter.note",
    "outwarden.pii.rewriters:ReplyRewriter.part",
    "outwarden.pii.rewriters:_Channel.feed",
    "outwarden.flow.frames:Peer.message",
    "outwarden.flow.relay:Relay.__init__",
    "outwarden.flow.relay:Relay.from_client",
    "outwarden.flow.relay:Relay.from_server",
    "outwarden.flow.relay:Relay._show",
    "outwarden.flow.relay:read_message",
    "outwarden.flow.session:Session.from_client",
    "outwarden.flow.session:Session.from_server",
    "outwarden.flow.session:Session._begin",
    "outwarden.flow.trip:Trip.response",
    "outwarden.flow.upgrade:Upgraded.__init__",
    "outwarden.flow.upgrade:Upgraded._take",
    "outwarden.flow.delivery:Delivery._on_upgrade",
    "outwarden.flow.money:Purse.__init__",
    "outwarden.flow.money:Purse.pay",
    "outwarden.flow.money:Purse.settle",
    "outwarden.budget.ledger:Ledger.hold",
    "outwarden.redact_pii:rewrite_body",
    "outwarden.identify_call:read_message",
    "outwarden.identify_call:model_in_query",
    "outwarden.charge_budget:settle_response",
    "outwarden.route_call:rename_model",
    "outwarden.write_audit:record",
]
FLOW_HOOKS = ("http_connect", "requestheaders", "request", "responseheaders", "response", "call_end", "error")
SOCKET_HOOKS = ("websocket_start",)
OTHER_HOOKS = (
    "tls_clienthello",
    "tls_start_server",
    "server_connect_error",
    "server_disconnected",
    "client_disconnected",
)


def hooks(*names: str) -> list[str]:
    """Every hook of every addon of the chain, found by asking the chain; ``names``: only these."""
    from outwarden.chain import chain

    kinds = [type(addon) for addon in chain()]
    return [
        f"{kind.__module__}:{kind.__name__}.{name}"
        for kind in kinds
        for name in names or (*FLOW_HOOKS, *OTHER_HOOKS)
        if hasattr(kind, name)
    ]


def arm(point: str, control: Path) -> None:
    """Make a fault point raise while the control file names it."""
    owner, name = place_of(point)
    original = owner.__dict__[name]

    def fail(*args: Any, **kwargs: Any) -> None:
        if control.read_text() == point:
            with control.with_name("passed").open("a") as passed:
                passed.write(f"{point}\n")
            raise RuntimeError("" if name in OTHER_HOOKS else QUOTED)  # those see no text that they could quote

    guarded = getattr(original, "__wrapped__", None) if name in (*FLOW_HOOKS, *SOCKET_HOOKS) else None
    if guarded is None:
        setattr(owner, name, before(original, fail))
        return
    from outwarden.flow.guard import fail_closed  # a hook fails inside of its guard, as a bug in it would

    setattr(owner, name, fail_closed(before(guarded, fail)))


def place_of(point: str) -> tuple[Any, str]:
    """The object that has a fault point as an attribute, and the attribute's name."""
    module, _, path = point.partition(":")
    owner: Any = importlib.import_module(module)
    *outer, name = path.split(".")
    for each in outer:
        owner = getattr(owner, each)
    return next(kind for kind in getattr(owner, "__mro__", [owner]) if name in kind.__dict__), name


def before(work: Callable[..., Any], first: Callable[..., None]) -> Callable[..., Any]:
    """``work``, with ``first`` called before it; what yields commands fails when it is asked for the first one."""
    if inspect.isgeneratorfunction(work):

        @functools.wraps(work)
        def steps(*args: Any, **kwargs: Any) -> Iterator[Any]:
            first()
            return (yield from work(*args, **kwargs))

        return steps
    if inspect.iscoroutinefunction(work):

        @functools.wraps(work)
        async def waiting(*args: Any, **kwargs: Any) -> Any:
            first()
            return await work(*args, **kwargs)

        return waiting

    @functools.wraps(work)
    def step(*args: Any, **kwargs: Any) -> Any:
        first()
        return work(*args, **kwargs)

    return step


def main() -> None:
    """Patch, then be `outwarden`; called with what the interpreter would be called with."""
    from outwarden.cli import main as outwarden

    control = Path(os.environ[CONTROL])
    for point in dict.fromkeys([*hooks(), *hooks(*SOCKET_HOOKS), *STAGES, *SOCKET_STAGES]):
        arm(point, control)
    sys.argv = ["outwarden", *sys.argv[sys.argv.index("outwarden") + 1 :]]
    outwarden()


if __name__ == "__main__":
    main()
