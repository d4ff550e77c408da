"""Source code, logs and tracebacks without a person: the standard library's own files, cut into pieces."""

import re
import sysconfig
from pathlib import Path

from training.sources import Example

_LINES = 14
# Lines that may name somebody.
_CREDIT = re.compile(
    r"(?i)author|written by|contribut|copyright|thanks|originally|@|\bby [A-Z]|[A-Z][a-z]+ [A-Z][a-z]+"
)


def code_examples() -> list[Example]:
    """Pieces of code; lines that may credit somebody are left out."""
    library = Path(sysconfig.get_paths()["stdlib"])
    pieces = []
    for path in sorted(
        [*library.glob("*.py"), *library.glob("json/*.py"), *library.glob("http/*.py"), *library.glob("asyncio/*.py")]
    ):
        lines = [
            line for line in path.read_text(encoding="utf-8", errors="ignore").split("\n") if not _CREDIT.search(line)
        ]
        pieces += ["\n".join(lines[at : at + _LINES]) for at in range(0, len(lines), _LINES)]
    return [Example(piece, ()) for piece in pieces if piece.strip()]
