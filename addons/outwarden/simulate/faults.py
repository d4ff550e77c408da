"""How a reply is played: which bytes, which pauses, and where it breaks. Pure: the server only does as told."""

import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import brotli  # type: ignore[import-untyped]
import zstandard

from outwarden.simulate.reply import Reply
from outwarden.simulate.script import Script

ENCODINGS = ("gzip", "deflate", "br", "zstd")
_DEFAULT_RANDOM_MAX = 64  # bytes, as in the recorded traffic's replay


@dataclass(frozen=True, slots=True)
class Send:
    """Send these bytes of the body."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Lose:
    """Lose the connection, as a crash would: nothing more is sent, nothing is closed properly."""


Step = Send | Wait | Lose


def play(reply: Reply, script: Script) -> Iterator[Step]:
    """The steps that send a reply's body the way the script wants, faults included."""
    return _streamed(reply, script) if reply.streamed else _whole(reply, script)


def _streamed(reply: Reply, script: Script) -> Iterator[Step]:
    said = 0
    sent = False
    for part in reply.parts:
        if part.kind == "content":
            if (broken := _break(reply, script, said, sent)) is not None:
                yield from broken
                return
            yield from _pause(reply, script, said)
            said += 1
        elif part.kind == "end":
            break
        yield Send(part.data)
        sent = True
    if (broken := _break(reply, script, said, sent, at_end=True)) is not None:
        yield from broken
    elif script.end_marker:
        yield from (Send(part.data) for part in reply.parts if part.kind == "end")


def _break(reply: Reply, script: Script, said: int, sent: bool, *, at_end: bool = False) -> tuple[Step, ...] | None:
    """The steps that end the stream here, None where it goes on; a fault set beyond the end comes at the end."""

    def due(after: int | None) -> bool:
        return after is not None and (after == said or (at_end and after > said))

    if due(script.error_after):
        first = reply.first_error_data
        return (Send(reply.error_data if sent or first is None else first),)
    if due(script.cut_after):
        return (Lose(),)
    return () if due(script.truncate_after) else None


def _pause(reply: Reply, script: Script, said: int) -> Iterator[Step]:
    if said == script.malformed_after:
        yield Send(reply.malformed_data)
    if said == script.stall_after:
        yield Wait(script.stall_s)
    if delay := script.event_delay_s if said else script.first_content_delay_s:
        yield Wait(delay)


def _whole(reply: Reply, script: Script) -> Iterator[Step]:
    data = b"".join(part.data for part in reply.parts)
    half = len(data) // 2
    if script.malformed_after is not None:
        yield Send(data[:-2])  # no closing brace
        return
    if script.first_content_delay_s:
        yield Wait(script.first_content_delay_s)
    if script.cut_after is None and script.truncate_after is None and script.stall_after is None:
        yield Send(data)
        return
    yield Send(data[:half])
    if script.cut_after is not None:
        yield Lose()
    elif script.stall_after is not None:
        yield Wait(script.stall_s)
        yield Send(data[half:])


def cut(data: bytes, chunking: str) -> Iterator[bytes]:
    """Cut bytes as ``event`` or ``whole`` (not at all here), ``bytes:N`` or ``random:SEED[:MAX]`` say."""
    how, _, rest = chunking.partition(":")
    if how in ("event", "whole"):
        yield data
        return
    size = _sizes(how, rest)
    start = 0
    while start < len(data):
        end = start + size()
        yield data[start:end]
        start = end


def _sizes(how: str, rest: str) -> Callable[[], int]:
    if how == "bytes" and int(rest) > 0:
        return lambda: int(rest)
    if how == "random":
        seed, _, top = rest.partition(":")
        draw, most = random.Random(int(seed)), int(top or _DEFAULT_RANDOM_MAX)  # noqa: S311 (looks, not secrets)
        return lambda: draw.randint(1, most)
    raise ValueError(f"unknown chunking {how!r}")


class Encoder:
    """Compress a body piece by piece, each piece flushed so that a stream stays one."""

    def __init__(self, name: str | None) -> None:
        """``name``: one of ENCODINGS, or None for none. Raises ValueError for others."""
        if name is not None and name not in ENCODINGS:
            raise ValueError(f"unknown encoding {name!r}")
        self._name = name
        self._deflate = zlib.compressobj(wbits=31 if name == "gzip" else 15)
        self._brotli = brotli.Compressor()
        self._zstd = zstandard.ZstdCompressor().compressobj()

    def feed(self, data: bytes) -> bytes:
        """Compress one piece."""
        if self._name is None:
            return data
        if self._name == "br":
            return bytes(self._brotli.process(data) + self._brotli.flush())
        if self._name == "zstd":
            return self._zstd.compress(data) + self._zstd.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
        return self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        """The last bytes."""
        if self._name is None:
            return b""
        if self._name == "br":
            return bytes(self._brotli.finish())
        return self._zstd.flush() if self._name == "zstd" else self._deflate.flush()


def decoded(body: bytes, encoding: str) -> bytes:
    """Undo a request's content-encoding, which may be a list. Raises ValueError where it is not what it says."""
    for name in reversed(encoding.split(",")):
        body = _decoded_once(body, name.strip())
    return body


def _decoded_once(body: bytes, encoding: str) -> bytes:
    try:
        if encoding in ("", "identity"):
            return body
        if encoding in ("gzip", "deflate"):
            return zlib.decompress(body, 47)  # 47: gzip or zlib, by its header
        if encoding == "br":
            return bytes(brotli.decompress(body))
        if encoding == "zstd":
            return zstandard.ZstdDecompressor().decompressobj().decompress(body)
    except (zlib.error, brotli.error, zstandard.ZstdError) as error:
        raise ValueError(f"the body is not {encoding}") from error
    raise ValueError(f"unknown content-encoding {encoding!r}")
