"""Connections to upstreams: asked for without waiting, opened under the target's name, never shared between targets."""

from mitmproxy.connection import Connection
from mitmproxy.proxy.layer import Layer
from mitmproxy.proxy.layers.http import GetHttpConnection

from outwarden.flow.aiming import Target

_targets: dict[str, Target] = {}


def note_target(connection: Connection, target: Target) -> None:
    """A connection to ``target`` is about to be opened: show its name, and remember what it is for."""
    connection.sni = target.sni if target.tls else None
    _targets[connection.id] = target


def target_of(connection: Connection) -> Target | None:
    """The target that a server connection was opened for, if a call of ours opened it."""
    return _targets.get(connection.id)


def forget_target(connection: Connection) -> None:
    """The connection is gone."""
    _targets.pop(connection.id, None)


class Dial(GetHttpConnection):
    """Ask for a connection to a target; with ``stream`` answered by an event instead of pausing the stream, so that it
    can time out.
    """

    def __init__(self, target: Target, stream: Layer | None) -> None:
        super().__init__(address=target.dial, tls=target.tls, via=None)
        self.target = target
        if stream is not None:
            self.blocking = stream  # type: ignore[assignment]  # a layer: nobody above has to wait, and neither do we

    # mitmproxy's are equal where they ask for the same. Of two calls that wait for one connection the one that gives up
    # is to be taken off, and not the first that looks like it.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def connection_spec_matches(self, connection: Connection) -> bool:
        """A failed connection is never asked again, and no connection serves two names."""
        return (
            super().connection_spec_matches(connection)
            and not connection.error
            and target_of(connection) == self.target
        )
