"""The admin port serves the status app over real HTTP, and survives what a client may do to it."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from outwarden.web import Snapshot, StatusApp, start_admin


def working() -> Snapshot:
    return Snapshot("1", datetime.now(UTC), datetime.now(UTC))


def broken() -> Snapshot:
    raise RuntimeError("secret detail")


async def exchange(request: bytes, snapshot: Callable[[], Snapshot] = working) -> bytes:
    server, port = start_admin("127.0.0.1", 0, StatusApp(snapshot, lambda: "", Path("/nowhere")))
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        return answer
    finally:
        server.stop()
        await server.close_all_connections()


def ask(method: str, path: str, host: str = "localhost") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()


def test_a_page_is_served() -> None:
    """A real request gets the page with its headers."""
    head, _, body = asyncio.run(exchange(ask("GET", "/?refresh=1"))).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200")
    assert b"Content-Security-Policy: default-src 'none'" in head
    assert body.startswith(b"<!doctype html>")


def test_head_is_served_without_a_body() -> None:
    """The length of the page, and not the page."""
    head, _, body = asyncio.run(exchange(ask("HEAD", "/"))).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200")
    assert body == b""


def test_a_foreign_name_is_refused() -> None:
    """DNS rebinding ends at the port."""
    assert asyncio.run(exchange(ask("GET", "/", "evil.example"))).startswith(b"HTTP/1.1 421")


def test_a_page_that_breaks_answers_500_without_detail() -> None:
    """The client is not left waiting, and learns nothing of what broke."""
    answer = asyncio.run(exchange(ask("GET", "/"), broken))

    assert answer.startswith(b"HTTP/1.1 500")
    assert b"secret detail" not in answer


def test_a_large_body_is_not_read() -> None:
    """No page takes a body; a large one ends the connection or is refused, and the page is not shown for it."""
    request = (
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\nConnection: close\r\n\r\n" + b"x" * 4096
    )

    assert not asyncio.run(exchange(request)).startswith(b"HTTP/1.1 200")
