"""HTTP/2 on one connection, through h2: streams side by side, with flow control both ways."""

import asyncio
import contextlib
from collections.abc import Sequence

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

from outwarden.simulate.exchange import MAX_BODY_BYTES, Handler, Received

READ_BYTES = 64 * 1024
WINDOW_BYTES = 1024 * 1024


class Http2Connection:
    """One client connection."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handle: Handler, server_name: str | None
    ) -> None:
        """``server_name`` is what the client named in its TLS hello."""
        self._reader = reader
        self._writer = writer
        self._handle = handle
        self._server_name = server_name
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self._requests: dict[int, tuple[list[tuple[str, str]], bytearray]] = {}
        self._answers: dict[int, tuple[asyncio.Task[None], Received]] = {}
        self._room = asyncio.Condition()

    async def serve(self) -> None:
        """Serve until the connection ends; answers still under way are stopped then."""
        self.h2.initiate_connection()
        self.h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: WINDOW_BYTES})
        self.h2.increment_flow_control_window(WINDOW_BYTES)
        await self.flush()
        try:
            while data := await self._reader.read(READ_BYTES):
                for event in self.h2.receive_data(data):
                    await self._on(event)
                await self.flush()
        except h2.exceptions.ProtocolError:
            await self.flush()  # the GOAWAY that h2 has made
        finally:
            for stream in list(self._answers):
                self._stop(stream)

    async def flush(self) -> None:
        """Write what h2 has to say."""
        if data := self.h2.data_to_send():
            self._writer.write(data)
            await self._writer.drain()

    async def wait_for_room(self, stream: int) -> int:
        """Wait until some bytes may be sent on a stream; return how many."""
        while True:
            window = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)
            if window > 0:
                return window
            async with self._room:
                await self._room.wait()

    async def _on(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived(stream_id=int(stream), headers=list(headers)):
                self._requests[stream] = [(_text(key), _text(value)) for key, value in headers], bytearray()
            case h2.events.DataReceived(stream_id=int(stream), data=bytes(data)):
                self._on_data(stream, data, event.flow_controlled_length or 0)
            case h2.events.StreamEnded(stream_id=int(stream)) if stream in self._requests:
                self._answer(stream)
            case h2.events.StreamReset(stream_id=int(stream)):
                self._requests.pop(stream, None)
                self._stop(stream)
            case h2.events.WindowUpdated() | h2.events.RemoteSettingsChanged():
                async with self._room:
                    self._room.notify_all()

    def _on_data(self, stream: int, data: bytes, window_bytes: int) -> None:
        self.h2.acknowledge_received_data(window_bytes, stream)
        if (request := self._requests.get(stream)) is None:
            return
        request[1].extend(data)
        if len(request[1]) > MAX_BODY_BYTES:
            del self._requests[stream]
            self.h2.reset_stream(stream, h2.errors.ErrorCodes.REFUSED_STREAM)

    def _answer(self, stream: int) -> None:
        headers, body = self._requests.pop(stream)
        received = _received(headers, bytes(body), self._server_name)
        task = asyncio.ensure_future(self._run(stream, received))
        self._answers[stream] = task, received

    async def _run(self, stream: int, received: Received) -> None:
        try:
            await self._handle(received, Http2Responder(self, stream))
        except (h2.exceptions.ProtocolError, ConnectionError):
            received.left = not received.complete
        finally:
            self._answers.pop(stream, None)

    def _stop(self, stream: int) -> None:
        if (answer := self._answers.pop(stream, None)) is not None:
            task, received = answer
            received.left = not received.complete
            task.cancel()


class Http2Responder:
    """Answers one stream."""

    def __init__(self, connection: Http2Connection, stream: int) -> None:
        """``stream`` is the number of a stream whose request is complete."""
        self._connection = connection
        self._stream = stream

    async def head(self, status: int, headers: list[tuple[str, str]], length: int | None) -> None:
        """Send the headers."""
        more = [] if length is None else [("content-length", str(length))]
        self._connection.h2.send_headers(self._stream, [(":status", str(status)), *headers, *more])
        await self._connection.flush()

    async def send(self, data: bytes) -> None:
        """Send a piece of the body, in as many frames as there is room for."""
        while data:
            room = await self._connection.wait_for_room(self._stream)
            self._connection.h2.send_data(self._stream, data[:room])
            data = data[room:]
            await self._connection.flush()

    async def end(self, trailers: Sequence[tuple[str, str]] = ()) -> None:
        """End the stream."""
        if trailers:
            self._connection.h2.send_headers(self._stream, list(trailers), end_stream=True)
        else:
            self._connection.h2.end_stream(self._stream)
        await self._connection.flush()

    async def lose(self) -> None:
        """Reset the stream."""
        with contextlib.suppress(h2.exceptions.ProtocolError):  # the client was faster
            self._connection.h2.reset_stream(self._stream, h2.errors.ErrorCodes.INTERNAL_ERROR)
        await self._connection.flush()


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def _received(headers: list[tuple[str, str]], body: bytes, server_name: str | None) -> Received:
    pseudo = dict(pair for pair in headers if pair[0].startswith(":"))
    plain = tuple(pair for pair in headers if not pair[0].startswith(":"))
    host = pseudo.get(":authority") or next((value for key, value in plain if key == "host"), "")
    return Received(pseudo[":method"], pseudo[":path"], host, plain, body, "HTTP/2", server_name)
