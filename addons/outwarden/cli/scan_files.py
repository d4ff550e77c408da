"""Files and folders, scanned as a request would be: what would be taken out, line by line, and how long it took."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from outwarden.cli.scanner import LINE_BYTES_MAX, Scanner
from outwarden.pii import Direction
from outwarden.wire.edits import Edit, apply_edits

# Folders that hold what a tool made or fetched, and nobody wrote.
_SKIPPED = frozenset(
    {".git", ".hg", ".venv", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
)


@dataclass
class FileScan:
    """What would become of one file. ``problem``: why it was not read; then nothing else is said."""

    path: Path
    problem: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    lines: list[tuple[int, str, str]] = field(default_factory=list, repr=False)  # number, before, after
    text: str = field(default="", repr=False)
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Counts and places; no text."""
        told: dict[str, Any] = {"path": str(self.path)}
        if self.problem:
            return told | {"error": self.problem}
        return told | {"entities": dict(self.counts), "lines": [number for number, _, _ in self.lines]}


def files_in(paths: Iterable[Path]) -> Iterator[Path]:
    """Every file that the paths are or hold, in order; links are not followed into folders."""
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            inner = sorted(path.iterdir())
            yield from files_in(one for one in inner if one.name not in _SKIPPED)
        else:
            yield path


def scan_file(scanner: Scanner, path: Path, direction: Direction) -> FileScan:
    """Scan one file as one text."""
    try:
        if path.stat().st_size > LINE_BYTES_MAX:
            return FileScan(path, f"larger than {LINE_BYTES_MAX} bytes")
        text = path.read_bytes().decode()
    except UnicodeDecodeError:
        return FileScan(path, "no text in UTF-8")
    except OSError as error:
        return FileScan(path, error.strerror or "cannot be read")
    began = time.perf_counter()
    edits = [edit for edit, _ in scanner.edits(text, direction)]
    scan = FileScan(path, text=text, seconds=time.perf_counter() - began)
    scan.counts.update(edit.entity for edit in edits if edit.action != "allow")
    scan.lines = list(_changed(text, [edit for edit in edits if edit.replacement is not None]))
    return scan


def _changed(text: str, edits: Sequence[Edit]) -> Iterator[tuple[int, str, str]]:
    """The lines in which something is replaced, as they are and as they would leave; one that reaches over several
    counts as one."""
    left = list(edits)
    at = 0
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        start, at = at, at + len(line)
        inside: list[Edit] = []
        while left and left[0].start < at:
            inside.append(left.pop(0))
        if inside:
            end = max(at, inside[-1].end)
            moved = [replace(edit, start=edit.start - start, end=edit.end - start) for edit in inside]
            before = text[start:end]
            yield number, before.rstrip("\r\n"), apply_edits(before, moved).rstrip("\r\n")


def show(console: Console, scans: Sequence[FileScan], slowest: Sequence[tuple[str, float]], *, diff: bool) -> None:
    """Print counts, with ``diff`` the lines before and after, and what took longest."""
    table = Table("file", "lines", "found", "ms")
    for scan in scans:
        found = ", ".join(f"{entity} {count}" for entity, count in scan.counts.most_common()) or scan.problem
        if found:
            table.add_row(str(scan.path), str(len(scan.lines)), found, f"{scan.seconds * 1000:.1f}")
    console.print(table if table.row_count else "nothing found")
    if diff:
        for scan in scans:
            for number, before, after in scan.lines:
                console.print(Text(f"{scan.path}:{number}", style="bold"))
                console.print(Text(f"- {before}", style="red"))
                console.print(Text(f"+ {after}", style="green"))
    read = [scan for scan in scans if not scan.problem]
    total = sum(scan.seconds for scan in read)
    took = ", ".join(f"{entity} {seconds * 1000:.1f} ms" for entity, seconds in slowest)
    console.print(f"{len(read)} files read in {total * 1000:.0f} ms; slowest: {took or 'nothing'}")
