"""Redis or Valkey through redis-py's own connection: commands of a step travel together, as one round trip.

A transaction is Redis's own: what is read is watched, and ``EXEC`` does all of what is written, or nothing where
anything that was watched has changed. That takes no script, and the append-only file holds it as a whole, too.
"""

from collections.abc import Sequence
from typing import Any

from redis import Connection, RedisError
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.exceptions import ConnectionError, ReadOnlyError, ResponseError, TimeoutError
from redis.retry import Retry
from sqlalchemy import URL

from outwarden.budget.server_connection import ANSWER_S, BEGIN, COMMIT, CONNECT_S, Lost, Refused, ServerConnection
from outwarden.budget.sql_connection import Done, Step

_ROLLBACK = "ROLLBACK"
# Read as one of these, an error says nothing of what was asked: "unknown command 'X', with args beginning with: …".
_BEFORE_VALUES = ", with args"


class RedisConnection(ServerConnection):
    """A connection to Redis 6.2 or later, or to Valkey. A `Step` is a command, its rows the answer."""

    pipelines = True

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        self._options = parse_url(url.render_as_string(hide_password=False).replace("valkey", "redis", 1))
        self.place = f"{url.get_backend_name()} at {url.host or 'localhost'}:{url.port or 6379}"

    def open(self, turn_s: int = 0) -> Connection:
        options = {key: value for key, value in self._options.items() if key != "connection_class"}
        kind = self._options.get("connection_class", Connection)
        bounds = {"socket_connect_timeout": CONNECT_S, "socket_timeout": CONNECT_S}
        own = {"protocol": 2, "client_name": "outwarden", "retry": Retry(NoBackoff(), 0), "decode_responses": True}
        try:
            raw: Connection = kind(**(bounds | options | own))
            raw.connect()
            assert raw._sock
            raw._sock.settimeout(ANSWER_S)
            raw.socket_timeout = ANSWER_S
        except (RedisError, OSError, UnicodeError) as error:
            raise Lost(self.said(error)) from None
        except (TypeError, ValueError):
            raise Lost("an option of its URL cannot be used") from None
        return raw

    def send(self, raw: Connection, steps: Sequence[Step]) -> list[Done]:
        commits = bool(steps) and steps[-1] == COMMIT
        commands = [_command(step) for step in steps if step not in (BEGIN, COMMIT)]
        if commits:
            commands = [("MULTI",), *commands, ("EXEC",)]
        elif steps[0] == BEGIN:
            commands.insert(0, ("UNWATCH",))
        try:
            raw.send_packed_command(raw.pack_commands(commands))
            answers = [_answer(raw) for _ in commands]
        except (RedisError, OSError, UnicodeError) as error:
            raise Lost(self.said(error), hangs=isinstance(error, TimeoutError)) from None
        for answer in answers:
            if isinstance(answer, Exception):
                raise (Lost if isinstance(answer, ReadOnlyError) else Refused)(self.said(answer))
        if commits and answers[-1] is None:
            raise Refused("others have written meanwhile", undone=True)
        return [Done(answer, 0) for answer in answers]

    def discard(self, raw: Connection) -> None:
        raw.disconnect()

    def said(self, error: BaseException) -> str:
        """The server's or the driver's words, without arguments."""
        if isinstance(error, UnicodeError):
            return "a name cannot be written in UTF-8"
        return " ".join(str(error).split()).partition(_BEFORE_VALUES)[0] or type(error).__name__


def _command(step: Step) -> tuple[Any, ...]:
    name, arguments = step
    return ("UNWATCH",) if name == _ROLLBACK else (name, *arguments)


def _answer(raw: Connection) -> Any:
    try:
        return raw.read_response()
    except ConnectionError:
        raise
    except ResponseError as error:
        return error
