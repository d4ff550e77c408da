"""The simulated provider itself: listens, records every request, answers by script."""

import asyncio
import contextlib
import ssl
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from email.utils import formatdate
from types import TracebackType
from typing import Any, Self

from outwarden.simulate.certificates import Certificates
from outwarden.simulate.conversation import Conversation
from outwarden.simulate.exchange import Received, Responder, Upgrader
from outwarden.simulate.faults import Encoder, Lose, Wait, cut, play
from outwarden.simulate.http1 import serve_http1
from outwarden.simulate.http2 import Http2Connection
from outwarden.simulate.paths import refusal, reply_to, script_error, session_for
from outwarden.simulate.reply import Reply
from outwarden.simulate.script import HEADER, STALL_S, Script

REMEMBERED_REQUESTS = 10_000
BACKLOG = 1024
START_S = 10.0


class SimulatedProvider:
    """A provider of OpenAI, Anthropic, Gemini, Bedrock and Ollama APIs on one port, for all names of its certificate.

    Calls to Bedrock must be signed with a key that `aws_signature` knows, or bring its bearer key.

    ``script`` is what it does with a call unless the request has its own (header ``x-simulate``) or one is queued;
    it may be a function of the request. What asks for a response on a WebSocket is given to it as a request of method
    ``WEBSOCKET`` with everything said so far as its body. ``requests`` holds what came in, oldest first, the last
    10,000. Without ``certificates`` it speaks plain HTTP/1.1. Use as an async context manager, or by `provider_thread`.
    """

    def __init__(
        self,
        certificates: Certificates | None = None,
        *,
        script: Script | Callable[[Received], Script] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        http2: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``port`` 0 takes a free one; ``clock`` gives the seconds that replies name as their creation time."""
        self.certificates = certificates
        self.script: Script | Callable[[Received], Script] = script or Script()
        self.host = host
        self.port = port
        self.requests: deque[Received] = deque(maxlen=REMEMBERED_REQUESTS)
        self._queued: deque[Script] = deque()
        self.thread: ProviderThread | None = None
        self._clock = clock
        self._names: weakref.WeakKeyDictionary[Any, str | None] = weakref.WeakKeyDictionary()
        self._tls = None if certificates is None else self._context(certificates, http2)
        self._server: asyncio.Server | None = None
        self._gate = asyncio.Event()
        self._gate.set()
        self._connections: set[asyncio.Task[Any]] = set()

    @property
    def address(self) -> str:
        """``HOST:PORT``, as ``connect_to`` wants it."""
        return f"{self.host}:{self.port}"

    def queue(self, *scripts: Script) -> None:
        """Use these scripts, one each, for the next requests that bring none of their own."""
        self._queued.extend(scripts)

    def clear(self) -> None:
        """Forget requests and queued scripts."""
        self.requests.clear()
        self._queued.clear()

    def hold_answers(self) -> None:
        """Record requests, but answer none until `release_answers`. From the provider's own thread only."""
        self._gate.clear()

    def release_answers(self) -> None:
        """Answer what was held. From the provider's own thread only."""
        self._gate.set()

    async def start(self) -> None:
        """Listen. May be called again after `stop`: the port stays the same."""
        self._server = await asyncio.start_server(
            self._connected, self.host, self.port, ssl=self._tls, backlog=BACKLOG, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening (new connections are refused) and drop every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def __aenter__(self) -> Self:
        """Listen."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        await self.stop()

    def _context(self, certificates: Certificates, http2: bool) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.chain, certificates.key)
        context.set_alpn_protocols(["h2", "http/1.1"] if http2 else ["http/1.1"])
        context.sni_callback = lambda connection, name, _: self._names.__setitem__(connection, name)
        return context

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a connection is served by a task")
        self._connections.add(task)
        tls = writer.get_extra_info("ssl_object")
        name = self._names.get(tls) if tls else None
        try:
            if tls and tls.selected_alpn_protocol() == "h2":
                await Http2Connection(reader, writer, self.handle, name).serve()
            else:
                await serve_http1(reader, writer, self.handle, self.converse, name)
        except (ConnectionError, ssl.SSLError, asyncio.CancelledError):
            writer.transport.abort()  # the client is gone, or we stop
        finally:
            self._connections.discard(task)
            writer.close()

    async def handle(self, received: Received, responder: Responder) -> None:
        """Answer one request; a subclass may answer otherwise."""
        self.requests.append(received)
        try:
            script = self._script_for(received)
            reply = reply_to(received, script, self._clock())
            encoder = Encoder(script.encoding)
            next(cut(b"", script.chunking), None)
        except ValueError as problem:
            script, reply, encoder = Script(), script_error(received, str(problem)), Encoder(None)
        await self._gate.wait()
        await asyncio.sleep(script.headers_delay_s)
        if script.silence:
            await asyncio.sleep(STALL_S)
        if script.silence or script.reset:
            await responder.lose()
            return
        await self._answer(received, responder, reply, script, encoder)

    async def converse(self, received: Received, upgrader: Upgrader) -> None:
        """Answer a request for a WebSocket and talk; a subclass may answer otherwise.

        The handshake takes no queued script: those are for responses.
        """
        self.requests.append(received)
        try:
            script = self._script_for(received, queued=False)
            session = session_for(received, self._clock)
            if session is None or script.upgrade != 101:
                refused = refusal(received, script, 404 if session is None else script.upgrade)
                await self._answer(received, upgrader, refused, Script(), Encoder(None))
                return
            socket = await upgrader.upgrade(received, list(session.headers), deflate=script.deflate)
        except ValueError as problem:
            wrong = script_error(received, str(problem))
            await self._answer(received, upgrader, wrong, Script(), Encoder(None))
            return
        await Conversation(socket, session, received, self._script_for, self._gate).run()

    def _script_for(self, received: Received, *, queued: bool = True) -> Script:
        if (own := received.header(HEADER)) is not None:
            return Script.from_json(own)
        if self._queued and queued:
            return self._queued.popleft()
        return self.script if isinstance(self.script, Script) else self.script(received)

    async def _answer(
        self, received: Received, responder: Responder, reply: Reply, script: Script, encoder: Encoder
    ) -> None:
        headers = [("date", formatdate(usegmt=True)), *reply.headers]
        if script.encoding:
            headers.append(("content-encoding", script.encoding))
        await responder.head(reply.status, headers, _length(reply, script))
        gathered = b""
        for step in play(reply, script):
            if isinstance(step, Lose):
                await responder.lose()
                return
            if isinstance(step, Wait):
                await asyncio.sleep(step.seconds)
            elif script.chunking == "whole":
                gathered += encoder.feed(step.data)
            else:
                await _send(received, responder, encoder.feed(step.data), script.chunking)
        await _send(received, responder, gathered + encoder.finish(), script.chunking)
        received.complete = True
        await responder.end()


async def _send(received: Received, responder: Responder, data: bytes, chunking: str) -> None:
    for piece in cut(data, chunking):
        if piece:
            await responder.send(piece)
            received.sent_bytes += len(piece)
            await asyncio.sleep(0)  # let the pieces leave one by one


def _length(reply: Reply, script: Script) -> int | None:
    """The body's length where the reply states one: whole, as it is, not cut short on purpose."""
    if reply.streamed or script.encoding or script.truncate_after is not None or script.malformed_after is not None:
        return None
    return sum(len(part.data) for part in reply.parts)


@contextlib.contextmanager
def provider_thread(certificates: Certificates | None = None, **options: Any) -> Iterator[SimulatedProvider]:
    """Run a `SimulatedProvider` with these options in a thread of its own; its ``thread`` can pause and resume it."""
    thread = ProviderThread(SimulatedProvider(certificates, **options))
    thread.start()
    try:
        yield thread.provider
    finally:
        thread.end()


class ProviderThread:
    """A thread with an event loop for one provider."""

    def __init__(self, provider: SimulatedProvider) -> None:
        """The thread starts with `start`."""
        self.provider = provider
        provider.thread = self
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="simulated provider", daemon=True)

    def start(self) -> None:
        """Start the thread and wait until the provider listens."""
        self._thread.start()
        self.resume()

    def pause(self) -> None:
        """Stop listening and drop every connection: from here on connections are refused."""
        asyncio.run_coroutine_threadsafe(self.provider.stop(), self._loop).result(START_S)

    def resume(self) -> None:
        """Listen again on the same port."""
        asyncio.run_coroutine_threadsafe(self.provider.start(), self._loop).result(START_S)

    def hold_answers(self) -> None:
        """Let the provider record requests, but answer none until `release_answers`."""
        self._loop.call_soon_threadsafe(self.provider.hold_answers)

    def release_answers(self) -> None:
        """Answer what was held."""
        self._loop.call_soon_threadsafe(self.provider.release_answers)

    def end(self) -> None:
        """Stop the provider and the thread."""
        self.pause()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()
