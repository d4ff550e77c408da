"""A recorded session played: the server's side in the upstream, the client's through the proxy, and what differs."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, WebSocketException

from outwarden.simulate.exchange import Socket
from replaying.client import trusting
from replaying.comparing import Outcome, Variant, are_placeholders, is_restored, same_beside_texts
from replaying.planting import Echo, Values, echo_in, kinds_in, planted, stand_ins, values
from replaying.process import Process
from replaying.sessions import CLIENT, CLOSE, SERVER, Session, ends_turn, parsed, reported
from replaying.upstream import REPLAY_HEADER
from replaying.usage import total_tokens

SESSION_HEADER = "x-replay-session"  # the rules make it the audit's session: how a session's records are found
PATIENCE_S = 60.0  # a session that stands still must show as such; a busy machine is slow
BYTEWISE_MAX = 512  # longer messages come in random fragments where single bytes are asked for
GOING_AWAY = 1000


@dataclass
class SessionPlay:
    """One session to be played: what the client says, what the upstream says and hears, and how far it is."""

    session: Session
    cut: str
    texts: list[str]
    echo: "Said | None" = None
    seen: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    at: int = 0

    async def serve(self, socket: Socket) -> None:
        """Be the server: say and hear in the recorded order."""
        for number, (who, _) in enumerate(self.session.messages):
            if who == CLIENT:
                heard = await socket.receive()
                if heard is None:
                    return
                self._hear(number, heard)
            elif who == SERVER:
                self.sent.append(self.texts[number])
                await socket.send(self.texts[number], self._chunking(self.texts[number]))
            else:
                await socket.close(GOING_AWAY)
            self.at = number + 1
        while (heard := await socket.receive()) is not None:
            self._hear(len(self.session.messages), heard)

    def _hear(self, number: int, heard: str | bytes) -> None:
        text = heard if isinstance(heard, str) else heard.decode("utf-8", "replace")
        self.seen.append(text)
        if self.echo is not None and number == self.echo.asked and (stood := stand_ins(text.encode())):
            for place, said in self.echo.said(stood).items():
                self.texts[place] = said

    def _chunking(self, text: str) -> str:
        if self.cut == "1" and len(text) <= BYTEWISE_MAX:
            return "bytes:1"
        return "event" if self.cut == "recorded" else f"random:{len(text)}"


@dataclass(frozen=True)
class Said:
    """The server's messages that say the planted sentence again, once the client's message ``asked`` is there."""

    asked: int
    places: tuple[int, ...]
    echo: Echo

    def said(self, stood: tuple[str, ...]) -> dict[int, str]:
        """The messages by their number."""
        body, _ = self.echo.said(stood)
        return dict(zip(self.places, body.decode("utf-8", "surrogatepass").split("\n"), strict=True))


def plant(session: Session, note: str) -> tuple[list[str], int] | None:
    """All messages, one of the client's with the sentence in its longest text, and its number; None without text."""
    texts = [text for _, text in session.messages]
    asking = [
        (len(made) - len(text.encode()), len(text), number, made)
        for number, (who, text) in enumerate(session.messages)
        if who == CLIENT and (made := planted(text.encode(), note)) is not None
    ]
    if not asking:
        return None
    _, _, number, made = max(asking, key=lambda each: each[1])
    texts[number] = made.decode()
    return texts, number


def echoing(session: Session, asked: int) -> Said | None:
    """Where the server says the sentence: in the first answer with a text behind the client's message."""
    turn: list[int] = []
    for number in range(asked + 1, len(session.messages)):
        who, text = session.messages[number]
        if who != SERVER:
            continue
        turn.append(number)
        if not ends_turn(parsed(text)):
            continue
        if (said := _echo(session, turn)) is not None:
            return Said(asked, tuple(turn), said)
        turn = []
    return None


def _echo(session: Session, turn: list[int]) -> Echo | None:
    lines = [session.messages[number][1] for number in turn]
    return None if any("\n" in line for line in lines) else echo_in(joined(lines), session.id, streamed=True)


async def play_session(
    session: Session, number: int, variant: Variant, process: Process, expect: Callable[[str, SessionPlay], None]
) -> Outcome | None:
    """Play one session in one way; None where nothing can be planted. ``expect`` tells the upstream of the play."""
    drawn = values(number) if variant.planted else None
    play = SessionPlay(session, variant.cut, [text for _, text in session.messages])
    if drawn is not None:
        made = plant(session, drawn.note())
        if made is None:
            return None
        play.texts, asked = made
        play.echo = echoing(session, asked)
    name = f"{session.id}-{variant.cut}-{number}-{'planted' if variant.planted else 'plain'}"
    expect(name, play)
    client = _Client(play)
    problem = await client.talk(session, name, process)
    outcome = Outcome(session, variant, client.call_id, session=name)
    _compare(outcome, play, client.got, drawn, problem)
    if drawn is None:
        outcome.expected = total_tokens(reported(session.said_by(SERVER)))
    return outcome


class _Client:
    """The client's side of a play, through the proxy."""

    def __init__(self, play: SessionPlay) -> None:
        self._play = play
        self.got: list[str] = []
        self.call_id = ""

    async def talk(self, session: Session, name: str, process: Process) -> str:
        """Say what the client said, each once the upstream is as far; return what went wrong, empty for nothing."""
        try:
            async with asyncio.timeout(PATIENCE_S), self._connected(session, name, process) as socket:
                self.call_id = (socket.response.headers if socket.response else {}).get("x-outwarden-call-id", "")
                hearing = asyncio.create_task(self._hear(socket))
                try:
                    await self._speak(socket, hearing)
                    await self._until(lambda: self._play.at >= len(session.messages), hearing)
                    await self._passed_on(socket, hearing)
                finally:
                    await socket.close()
                    await hearing
        except ConnectionClosed as closed:
            return f"closed with {closed.rcvd.code if closed.rcvd else 'no word'}"
        except TimeoutError:
            return "it stood still"
        except (InvalidHandshake, WebSocketException, OSError) as problem:
            return type(problem).__name__
        return ""

    def _connected(self, session: Session, name: str, process: Process) -> connect:
        headers = {REPLAY_HEADER: name, SESSION_HEADER: name}
        return connect(
            f"wss://{session.host}{session.target}",
            proxy=process.url,
            ssl=trusting(process.ca),
            additional_headers=headers,
            open_timeout=PATIENCE_S,
            close_timeout=5,
            max_size=None,
            ping_interval=None,
        )

    async def _speak(self, socket: ClientConnection, hearing: asyncio.Task[None]) -> None:
        after_server = False
        for number, (who, _) in enumerate(self._play.session.messages):
            if who == CLIENT:
                if after_server:  # a client answers what it got; what is held back is not waited for
                    await self._until(lambda at=number: self._play.at >= at, hearing)  # type: ignore[misc]
                    await self._passed_on(socket, hearing)
                await socket.send(self._play.texts[number])
            after_server = who in (SERVER, CLOSE)

    async def _hear(self, socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in socket:
                self.got.append(message if isinstance(message, str) else message.decode("utf-8", "replace"))

    async def _passed_on(self, socket: ClientConnection, hearing: asyncio.Task[None]) -> None:
        """Wait until all is here that the proxy does not hold back: the pong comes behind what was said before it."""
        with contextlib.suppress(ConnectionClosed):
            pong = await socket.ping()
            await asyncio.wait(
                [asyncio.ensure_future(pong), hearing], timeout=PATIENCE_S, return_when="FIRST_COMPLETED"
            )

    async def _until(self, holds: Callable[[], bool], hearing: asyncio.Task[None]) -> None:
        """Wait until something holds, the time is up, or nothing more can come."""
        end = asyncio.get_running_loop().time() + PATIENCE_S
        while not holds() and not hearing.done() and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.002)  # the upstream is in another thread


def _compare(outcome: Outcome, play: SessionPlay, got: list[str], drawn: Values | None, problem: str) -> None:
    said = [play.texts[n] for n, (who, _) in enumerate(play.session.messages) if who == CLIENT]
    heard = joined(play.seen)
    if drawn is None or len(play.seen) != len(said):
        outcome.check("request", play.seen == said, _difference(play.seen, said, problem))
    if drawn is not None:
        kinds = kinds_in(drawn, heard)
        outcome.check("caught", (5 - len(kinds), 5), f"reached the provider: {', '.join(kinds)}")
    stood = stand_ins(heard)
    if drawn is not None and not are_placeholders(stood):
        outcome.check("restored", held=False, problem="the planted sentence arrived in another form")
    elif drawn is not None and stood is not None and play.echo is not None:
        sent, came = joined(play.sent), joined(got)
        restored = is_restored(sent, came, dict(zip(stood, drawn, strict=True)), streamed=True)
        outcome.check("restored", restored, f"the texts of the messages are others {problem}".strip())
        same = same_beside_texts(sent, came, streamed=True)
        outcome.check("reply", same and not problem, _difference(got, play.sent, problem))
        return
    outcome.check("reply", got == play.sent and not problem, _difference(got, play.sent, problem))


def joined(messages: list[str]) -> bytes:
    """Messages as the lines of one body."""
    return "\n".join(messages).encode("utf-8", "surrogatepass")


def _difference(found: list[str], wanted: list[str], problem: str) -> str:
    at = next((n for n, (a, b) in enumerate(zip(found, wanted, strict=False)) if a != b), min(len(found), len(wanted)))
    return f"{len(found)} messages for {len(wanted)}, other from message {at} on {problem}".strip()
