"""`outwarden scan`: JSON lines in, redacted JSON lines out."""

import sys
from collections.abc import Iterator
from typing import IO

import typer

from outwarden.cli.options import RulesOption, StateOption, open_rules, open_state

READ_BYTES = 1 << 20  # one read; what has arrived by then is scanned in one pass
LINE_BYTES_MAX = 64 * 1024 * 1024  # twice the largest body the proxy takes


def scan(rules: RulesOption = None, state: StateOption = None) -> None:
    """Redact texts: stdin has lines `{"text": ..., "direction": "request"}`, stdout one line for each, in order.

    A line that cannot be read gives `{"error": ...}`, and the exit code is 1 at the end.
    """
    from outwarden.cli.scanner import Scanner

    scanner = Scanner(open_rules(rules).pii, open_state(state).secret())
    for lines in batches(sys.stdin.buffer):
        sys.stdout.buffer.write(b"".join(scanner.answer(lines)))
        sys.stdout.buffer.flush()
    if scanner.failed:
        raise typer.Exit(1)


def batches(stream: IO[bytes]) -> Iterator[list[bytes]]:
    """Whole lines as they arrive, many at once where many have arrived; blank lines are left out."""
    read = getattr(stream, "read1", stream.read)
    kept: list[bytes] = []
    kept_bytes = 0
    while piece := read(READ_BYTES):
        first, *lines = piece.split(b"\n")
        kept.append(first)
        kept_bytes += len(first)
        if kept_bytes > LINE_BYTES_MAX:
            raise typer.BadParameter(f"a line is longer than {LINE_BYTES_MAX} bytes")
        if lines:
            whole = [b"".join(kept), *lines[:-1]]
            kept, kept_bytes = [lines[-1]], len(lines[-1])
            if filled := [line for line in whole if line.strip()]:
                yield filled
    if (last := b"".join(kept)).strip():
        yield [last]
