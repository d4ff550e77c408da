"""The hooks that mitmproxy has not."""

from dataclasses import dataclass

from mitmproxy import http
from mitmproxy.proxy import commands

from outwarden.flow.aside import Work


@dataclass
class CallEndHook(commands.StartHook):
    """A call of ours whose `response` hook ran has been answered, to its last byte, or its client has left.

    `response` is where a reply may still change, and its client waits meanwhile; here nobody waits. Runs once after
    each `response` of a call of ours; a flow that ends in `error` has no `call_end`.
    """

    name = "call_end"
    flow: http.HTTPFlow


@dataclass
class ReadAsideHook(commands.StartHook):
    """A long message of a WebSocket is to be read; its connection waits, in both directions, and no other does."""

    name = "read_aside"
    work: Work
