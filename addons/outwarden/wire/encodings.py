"""Content-Encoding: gzip, deflate, br, zstd, undone within a bound, whole or piece by piece."""

import zlib

import brotli  # type: ignore[import-untyped]
import zstandard

from outwarden.errors import BodyError

# A zstd block of 4 bytes can unfold to 128 KiB (RFC 8878 §3.1.1.2, RLE block), so 1 KiB stays below 32 MiB a step.
_ZSTD_SLICE = 1024


class Decoder:
    """Undo one Content-Encoding incrementally; raises BodyError for broken data or more than ``max_bytes`` in all."""

    def __init__(self, encoding: str, max_bytes: int) -> None:
        self._encoding = encoding
        self._left = max_bytes
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
        """Decode the next piece."""
        if not data:
            return b""
        try:
            out = self._decode(data)
        except (zlib.error, brotli.error, zstandard.ZstdError) as error:
            raise BodyError(f"the body is not valid {self._encoding}") from error
        self._fed = True
        self._left -= len(out)
        if self._left < 0:
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
        """Raise BodyError if the data ended in the middle, or went on after its end: nobody would have read that."""
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
    for name in reversed([part.strip().lower() for part in encoding.split(",")]):
        if name in ("", "identity"):
            continue
        decoder = Decoder(name, max_bytes)
        data = decoder.feed(data)
        decoder.finish()
    if len(data) > max_bytes:
        raise BodyError("the body is too long")
    return data
