"""Content-Encoding: gzip, deflate, br, zstd, undone within a bound, whole or piece by piece; and who reads which."""

import zlib

import brotli  # type: ignore[import-untyped]
import zstandard

from outwarden.errors import BodyError

# A zstd block of 4 bytes can unfold to 128 KiB (RFC 8878 §3.1.1.2, RLE block), so 1 KiB stays below 32 MiB a step.
_ZSTD_SLICE = 1024


# A body encoded more often than this is no body but an attempt to keep us busy.
_CODINGS_MAX = 3
_READ_HERE = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd", "identity"})


class Decoder:
    """Undo a Content-Encoding header (perhaps a list, in the order of application) incrementally.

    Raises BodyError for what is not that encoding, and for more than ``max_bytes`` in all or ``step_bytes`` at once:
    a few bytes can unfold to thousands of times their number.
    """

    def __init__(self, encoding: str, max_bytes: int, step_bytes: int | None = None) -> None:
        names = codings(encoding)
        if len(names) > _CODINGS_MAX:
            raise BodyError("the body is encoded too many times")
        self._layers = [_Layer(name, max_bytes, step_bytes or max_bytes) for name in reversed(names)]
        self._left = max_bytes

    def feed(self, data: bytes) -> bytes:
        """Decode the next piece."""
        for layer in self._layers:
            data = layer.feed(data)
        self._left -= len(data)
        if self._left < 0:
            raise BodyError("the body is too long")
        return data

    def finish(self) -> None:
        """Raise BodyError if the data ended in the middle, or went on after its end: nobody would have read that."""
        for layer in self._layers:
            layer.finish()


class _Layer:
    """One coding."""

    def __init__(self, encoding: str, max_bytes: int, step_bytes: int) -> None:
        self._encoding = encoding
        self._total = max_bytes
        self._step = step_bytes
        self._fed = False
        self._head = b""
        self._zlib = None
        self._brotli = None
        self._zstd = None
        if encoding in ("gzip", "x-gzip"):
            self._zlib = zlib.decompressobj(31)
        elif encoding == "br":
            self._brotli = brotli.Decompressor()
        elif encoding == "zstd":
            self._zstd = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
        elif encoding != "deflate":
            raise BodyError(f"content-encoding {encoding[:40]!r} is not supported")

    def feed(self, data: bytes) -> bytes:
        if not data:
            return b""
        self._left = min(self._total, self._step)
        try:
            out = self._decode(data)
        except (zlib.error, brotli.error, zstandard.ZstdError) as error:
            raise BodyError(f"the body is not valid {self._encoding}") from error
        self._fed = True
        self._total -= len(out)
        if len(out) > self._left:
            raise BodyError("the decoded body is too long")
        return out

    def _decode(self, data: bytes) -> bytes:
        if self._brotli is not None:
            return self._unbrotli(data)
        if self._zstd is not None:
            return self._unzstd(data)
        return self._inflate(data)

    def _unbrotli(self, data: bytes) -> bytes:
        assert self._brotli is not None
        out = bytes(self._brotli.process(data, output_buffer_limit=self._left + 1))
        if len(out) > self._left or not self._brotli.can_accept_more_data():
            raise BodyError("the decoded body is too long")
        return out

    def _unzstd(self, data: bytes) -> bytes:
        assert self._zstd is not None
        out = bytearray()
        for at in range(0, len(data), _ZSTD_SLICE):
            out += self._zstd.decompress(data[at : at + _ZSTD_SLICE])
            if len(out) > self._left:
                raise BodyError("the decoded body is too long")
        return bytes(out)

    def _inflate(self, data: bytes) -> bytes:
        if self._zlib is None:  # deflate: some servers send it without the zlib header (RFC 9110 §8.4.1.2, note)
            data = self._head + data
            if len(data) < 2:
                self._head = data
                return b""
            wrapped = data[0] & 15 == 8 and (data[0] << 8 | data[1]) % 31 == 0  # RFC 1950 §2.2
            self._zlib = zlib.decompressobj(15 if wrapped else -15)
        out = self._zlib.decompress(data, self._left + 1)
        if self._zlib.unconsumed_tail:
            raise BodyError("the decoded body is too long")
        return out

    def finish(self) -> None:
        unread = self._zlib.unused_data if self._zlib else self._zstd.unused_data if self._zstd else b""
        if unread:  # brotli refuses it by itself
            raise BodyError(f"the {self._encoding} body goes on after its end")
        if self._fed and not self._brotli and not self._zstd and not (self._zlib and self._zlib.eof):
            raise BodyError(f"the {self._encoding} body is cut off")
        if self._brotli is not None and self._fed and not self._brotli.is_finished():
            raise BodyError("the br body is cut off")
        if self._zstd is not None and self._fed and not self._zstd.eof:
            raise BodyError("the zstd body is cut off")


def decode(data: bytes, encoding: str, max_bytes: int) -> bytes:
    """Undo ``encoding`` (a Content-Encoding header, perhaps a list) for a whole body."""
    decoder = Decoder(encoding, max_bytes)
    data = decoder.feed(data)
    decoder.finish()
    return data


def codings(encoding: str) -> list[str]:
    """The codings that a Content-Encoding header names, in the order of application, but for ``identity``."""
    names = (part.strip().lower() for part in encoding.split(","))
    return [name for name in names if name not in ("", "identity")]


def accepts(offer: str, encoding: str) -> bool:
    """Whether who sent ``offer`` (an Accept-Encoding header) reads a body of that Content-Encoding.

    An empty offer means none: by RFC 9110 it may mean any, but who can read an encoding says so.
    """
    weights = dict(map(_weight, offer.split(",")))
    return all(weights.get(name.removeprefix("x-"), weights.get("*", 0.0)) > 0 for name in codings(encoding))


def readable_offer(offer: str) -> str:
    """What of an Accept-Encoding header may be asked for, so that we can read the answer; unchanged where all of it."""
    parts = [part for part in offer.split(",") if _weight(part)[0] in _READ_HERE or _weight(part) == ("*", 0.0)]
    return offer if len(parts) == len(offer.split(",")) else ",".join(parts).strip() or "identity"


def _weight(part: str) -> tuple[str, float]:
    """The coding that a part of an offer names, and how welcome it is."""
    name, *parameters = part.lower().split(";")
    for parameter in parameters:
        key, _, value = parameter.strip().partition("=")
        if key == "q":
            try:
                return name.strip().removeprefix("x-"), float(value)
            except ValueError:
                return name.strip().removeprefix("x-"), 0.0
    return name.strip().removeprefix("x-"), 1.0
