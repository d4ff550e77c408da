"""The bundled model: small, there at once, without spaCy and without a network."""

import subprocess
import sys
import time
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pytest

from outwarden.pii.names.model import FOLDER, bundled, read_model

ADDONS = Path(__file__).parents[3] / "addons"


def test_it_is_small() -> None:
    """At most 10 MB in the wheel."""
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) <= 10_000_000


def test_it_is_loaded_within_a_second() -> None:
    """Once; then it is there."""
    started = time.process_time()
    read_model(FOLDER / "names")

    assert time.process_time() - started < 1
    assert bundled() is bundled()
    assert len(bundled().version) == 16


def test_it_needs_no_spacy_and_no_network() -> None:
    """Importing spaCy takes a second, which only those pay who configure a package of it."""
    program = (
        "import socket, sys\n"
        "from outwarden.pii import Allowance, NerPolicy, PiiPolicy, finders_for\n"
        "def refuse(*_, **__): raise OSError('no network here')\n"
        "socket.socket = socket.getaddrinfo = refuse\n"
        "(finder,) = finders_for(PiiPolicy(ner=NerPolicy()))\n"
        "assert finder.find(['Ask Marta Kowalczyk.'], Allowance())[0]\n"
        "print('spacy' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(ADDONS)}, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", None])
def test_a_broken_file_is_an_error(content: bytes | None, tmp_path: Path) -> None:
    """Not a model that finds nothing."""
    if content is not None:
        (tmp_path / "weights.npz").write_bytes(content)

    with pytest.raises((OSError, ValueError, EOFError, BadZipFile)):
        read_model(tmp_path)


def test_a_file_without_its_parts_is_an_error(tmp_path: Path) -> None:
    """Likewise."""
    np.savez(tmp_path / "weights.npz", keys=np.zeros(1, np.uint32))
    with pytest.raises(KeyError):
        read_model(tmp_path)
