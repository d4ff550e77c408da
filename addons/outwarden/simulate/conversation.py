"""A WebSocket conversation: what the client says goes to a session, what that answers is played, lane by lane."""

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from outwarden.simulate.exchange import Message, Received, Socket
from outwarden.simulate.faults import Lose, Wait, play
from outwarden.simulate.reply import Reply, compact
from outwarden.simulate.script import STALL_S, Script

DEFAULT_CLOSE_CODE = 1011  # RFC 6455, 7.4.1: the server met something unexpected
WAITING_TURNS = 100  # per lane; a client that asks for more waits with its next message


@dataclass(frozen=True, slots=True)
class Turn:
    """A response to be played. Those of one ``lane`` follow each other, lanes run side by side."""

    reply: Reply
    script: Script
    lane: str = ""


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop what a lane is playing or still has to play; ``then`` is sent where something was stopped."""

    then: Callable[[], Iterable[str]]
    lane: str = ""


Ask = Callable[[Any], Script]
Said = str | Turn | Stop  # a message to send at once, a response to play, one to stop


class Session(Protocol):
    """An API as it is spoken on one WebSocket."""

    headers: tuple[tuple[str, str], ...]
    binary: bool  # whether what is sent are bytes

    def opening(self) -> Iterable[str]:
        """What is sent unasked at the start."""

    def take(self, message: Any, ask: Ask) -> Iterable[Said]:
        """What a client's message brings about; ``ask`` gives the script for a response to the body it is given."""

    def wrong(self, problem: str) -> Said:
        """The answer to a message that is no JSON object."""


class Conversation:
    """One open WebSocket."""

    def __init__(
        self,
        socket: Socket,
        session: Session,
        received: Received,
        choose: Callable[[Received], Script],
        gate: asyncio.Event,
    ) -> None:
        """``choose`` gives the script for a message that asks for a response, ``gate`` holds answers while unset."""
        self._socket = socket
        self._session = session
        self._received = received
        self._choose = choose
        self._gate = gate
        self._lanes: dict[str, asyncio.Queue[Turn]] = {}
        self._players: dict[str, asyncio.Task[None]] = {}
        self._playing: dict[str, Turn] = {}
        self._sent = 0

    async def run(self) -> None:
        """Talk until either side ends it."""
        try:
            await self._send_all(self._session.opening(), Script())
            while (message := await self._socket.receive()) is not None:
                self._received.messages.append(message)
                await self._react(message)
        finally:
            players = list(self._players.values())
            for player in players:
                player.cancel()
            await asyncio.gather(*players, return_exceptions=True)

    async def _react(self, message: Message) -> None:
        try:
            told = json.loads(message)
            if not isinstance(told, dict):
                raise ValueError("not an object")
            said = list(self._session.take(told, self._ask))
        except ValueError as problem:
            said = [self._session.wrong(str(problem))]
        for each in said:
            if isinstance(each, str):
                await self._send_all([each], Script())
            elif isinstance(each, Stop):
                await self._stop(each)
            else:
                await self._lane(each.lane).put(each)

    def _ask(self, body: Any) -> Script:
        """The script for a response: scripts that are functions of a request are shown one with this body."""
        data = compact(body).encode("utf-8", "backslashreplace")
        return self._choose(replace(self._received, method="WEBSOCKET", body=data))

    def _lane(self, name: str) -> asyncio.Queue[Turn]:
        if name not in self._players or self._players[name].done():
            self._lanes.setdefault(name, asyncio.Queue(WAITING_TURNS))
            self._players[name] = asyncio.create_task(self._play_lane(name))
        return self._lanes[name]

    async def _stop(self, stop: Stop) -> None:
        player = self._players.pop(stop.lane, None)
        waiting = self._lanes.pop(stop.lane, None)
        busy = stop.lane in self._playing or (waiting is not None and not waiting.empty())
        if player is not None:
            player.cancel()
            await asyncio.gather(player, return_exceptions=True)
        if busy:
            await self._send_all(stop.then(), Script())

    async def _play_lane(self, name: str) -> None:
        while True:
            turn = await self._lanes[name].get()
            self._playing[name] = turn
            try:
                await self._play(turn)
            finally:
                del self._playing[name]

    async def _play(self, turn: Turn) -> None:
        script = turn.script
        self._received.complete = False
        await self._gate.wait()
        await asyncio.sleep(script.headers_delay_s)
        if script.silence:
            await asyncio.sleep(STALL_S)
        if script.reset:
            await self._socket.lose()
            return
        for step in play(turn.reply, script):
            if isinstance(step, Lose):
                await self._socket.lose()
                return
            if isinstance(step, Wait):
                await asyncio.sleep(step.seconds)
            else:
                await self._send_all([step.data.decode("utf-8")], script)
        if script.truncate_after is None:
            self._received.complete = True
        if script.truncate_after is not None or script.close_code is not None:
            await self._socket.close(script.close_code or DEFAULT_CLOSE_CODE)

    async def _send_all(self, messages: Iterable[str], script: Script) -> None:
        for text in messages:
            self._sent += 1
            if script.ping_every and self._sent % script.ping_every == 0:
                await self._socket.ping()
            await self._socket.send(text, script.chunking, binary=self._session.binary)
            self._received.sent_bytes += len(text.encode("utf-8"))
            await asyncio.sleep(0)  # let the messages leave one by one
