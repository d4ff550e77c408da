"""Database servers for tests and measurements: what `scripts/servers` starts, for as long as it is wanted."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

SERVERS = Path(__file__).parents[1] / "servers"


@contextmanager
def started(*kinds: str, durable: bool = False) -> Iterator[list[dict[str, Any]]]:
    """What `scripts/servers` says of each kind, in their order: its ``url`` and ``pid``, or what is ``missing``."""
    command = [sys.executable, str(SERVERS), *(["--durable"] if durable else []), *kinds]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
    assert process.stdout
    try:
        yield [json.loads(line) for line in islice(process.stdout, len(kinds))]
    finally:
        process.communicate("")
