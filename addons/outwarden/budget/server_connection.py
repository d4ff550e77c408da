"""A ledger on a database server: one connection, lost and made anew, with a bound on every wait.

Whether a step that failed has happened is the question here. Before its commit was sent it has not: the server undoes
what a lost connection left open (`StepUndone`). Once the commit was sent and no answer came, nobody knows
(`StepUnknown`). Who asked tries again, or looks (`retrying`, `Ledger`).
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from sqlalchemy import URL

from outwarden.budget.dialects import Kind
from outwarden.budget.sql_connection import Done, Step
from outwarden.errors import StepUndone, StepUnknown, StoreUnavailable

CONNECT_S = 2  # a server that is there accepts at once; an interceptor waits for it with all its calls
LOCK_S = 2  # as SQLite's: how long a writer waits for the others
ANSWER_S = 4  # for one round trip, waits for locks included; then the server hangs and the connection is given up
STOPPED_S = 10  # then the server undoes what a process that stands still (stopped, swapped out) has locked
AWAY_S = 1.0  # how often a server that does not answer is tried, by a thread of its own: no call waits for it

BEGIN: Step = ("BEGIN", ())
COMMIT: Step = ("COMMIT", ())


class Lost(Exception):
    """The connection is gone or useless. ``hangs``: the server took the bytes and gave no answer.

    Useless is one to a server that became a replica: behind the same name there may be a new primary.
    """

    def __init__(self, reason: str, *, hangs: bool = False) -> None:
        super().__init__(reason)
        self.hangs = hangs


class Refused(Exception):
    """The server said no and goes on. ``undone``: for the sake of another transaction, so it is worth a new try."""

    def __init__(self, reason: str, *, undone: bool = False) -> None:
        super().__init__(reason)
        self.undone = undone


class ServerConnection(ABC):
    """A connection to a server. Threads take turns; processes wait for each other's row locks."""

    pipelines = False  # whether several statements go in one round trip

    def __init__(self, url: URL) -> None:
        self.place = f"{url.get_backend_name()} at {url.host or 'this machine'}{f':{url.port}' if url.port else ''}"
        self._url = url
        self._lock = threading.RLock()
        self._raw: Any = None
        self._within = False  # a transaction was asked for
        self._begun = False  # and the server was told
        self._away = False  # a thread waits for the server to come back
        self._closed = threading.Event()

    @abstractmethod
    def open(self, turn_s: int = 0) -> Any:
        """Connect through the driver, with bounds on each wait and transactions off. Raises Lost.

        ``turn_s``: longer waits than those for a call, while tables are made.
        """

    @abstractmethod
    def send(self, raw: Any, steps: Sequence[Step]) -> list[Done]:
        """Run statements in order; the first that fails ends it. Raises Lost or Refused."""

    @abstractmethod
    def discard(self, raw: Any) -> None:
        """Close what may be broken, without a word to the server."""

    @abstractmethod
    def said(self, error: BaseException) -> str:
        """What the database or the driver says of a failure, without SQL and values."""

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Done:
        return self.batch([(sql, values)])[0]

    def batch(self, steps: Sequence[Step]) -> list[Done]:
        """Run statements, in one round trip where the driver can; within the transaction if there is one."""
        with self._lock:
            if not self._within:
                return self._apart(steps)
            if self._begun:
                return self._send(steps)
            done = self._send([BEGIN, *steps])
            return done[1:]

    def begin(self) -> None:
        """Keep other threads out. The server is told with the first statement, which saves a round trip."""
        self._lock.acquire()
        self._within, self._begun = True, False

    def finish(self, *, commit: bool, last: Sequence[Step] = ()) -> None:
        """Run the ``last`` statements and commit, or roll back.

        Raises StepUnknown where the commit was sent and no answer came.
        """
        try:
            if commit and (self._begun or last):
                self._commit(last)
            elif self._begun:
                self._roll_back()
        except StoreUnavailable:
            self._roll_back()  # a server that only refused keeps the rest; MariaDB would commit it with the next BEGIN
            raise
        finally:
            self._within = self._begun = False
            self._lock.release()

    def close(self) -> None:
        self._closed.set()
        with self._lock:
            self._give_up()

    def _commit(self, last: Sequence[Step]) -> None:
        if self.pipelines:
            begin = () if self._begun else (BEGIN,)
            self._send([*begin, *last, COMMIT], commits=True)
            return
        if last:
            self.batch(last)
        self._send([COMMIT], commits=True)

    def _roll_back(self) -> None:
        if self._raw is None:
            return  # lost: the server rolls back by itself
        try:
            self.send(self._raw, [("ROLLBACK", ())])
        except (Lost, Refused):
            self._give_up()

    def _apart(self, steps: Sequence[Step]) -> list[Done]:
        """Without a transaction. A connection that was cut while it was idle is no news: once more on a new one."""
        was_open = self._raw is not None
        try:
            return self._send(steps)
        except StepUndone:
            if not was_open:
                raise
            return self._send(steps)

    def _send(self, steps: Sequence[Step], *, commits: bool = False) -> list[Done]:
        raw = self._connected()
        try:
            done = self.send(raw, steps)
        except Refused as error:
            self._begun = self._within
            kind = StepUndone if error.undone else StoreUnavailable
            raise kind(f"the database ({self.place}) refuses: {error}") from None
        except Lost as error:
            self._give_up()
            if error.hangs:
                self._wait_for_server()
            kind = StepUnknown if commits else StoreUnavailable if error.hangs else StepUndone
            raise kind(f"the database ({self.place}) does not answer: {error}") from None
        except BaseException:
            self._give_up()  # interrupted in between: nobody knows what the server is about to say
            raise
        self._begun = self._within
        return done

    def _connected(self) -> Any:
        if self._raw is not None:
            return self._raw
        if self._begun:  # what was begun is gone with its connection
            raise StepUndone(f"the database ({self.place}) does not answer: the connection was lost")
        if self._away:
            raise StoreUnavailable(f"the database ({self.place}) does not answer")
        try:
            self._raw = self.open()
        except Lost as error:
            self._wait_for_server()
            raise StoreUnavailable(f"the database ({self.place}) does not answer: {error}") from None
        return self._raw

    def _wait_for_server(self) -> None:
        """Refuse at once from now on, and let a thread find out when the server answers again."""
        self._away = True
        threading.Thread(target=self._come_back, name="database", daemon=True).start()

    def _come_back(self) -> None:
        while not self._closed.wait(AWAY_S):
            try:
                raw = self.open()
            except Lost:
                continue
            with self._lock:
                self._raw, self._away = raw, False
                if self._closed.is_set():
                    self._give_up()
            return

    def _give_up(self) -> None:
        raw, self._raw = self._raw, None
        if raw is not None:
            self.discard(raw)


class SqlServerConnection(ServerConnection):
    """A `SqlConnection` to a server."""

    kind: Kind
    returns = False  # whether an update can tell what it wrote
