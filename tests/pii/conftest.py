"""What the tests of personal data share: a detector for everything, and short ways to ask it."""

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from outwarden.pii import Detector, PiiEngine, PiiPolicy

sys.path.insert(0, str(Path(__file__).parent))  # `pii_texts` is shared; importlib mode adds no folder by itself

SECRET = b"a secret for tests only"


@cache
def detector() -> Detector:
    """A detector of every built-in entity; compiling one takes a tenth of a second."""
    return Detector(PiiPolicy())


@cache
def engine_for_all() -> PiiEngine:
    """An engine of the default policy: requests are pseudonymized, replies masked."""
    return PiiEngine(PiiPolicy(), SECRET)


def found_in(text: str) -> list[tuple[str, str]]:
    """Return (entity, value) of every finding in ``text``."""
    return [(span.entity, text[span.start : span.end]) for span in detector().find([text])[0]]


@pytest.fixture(scope="session")
def find() -> Callable[[str], list[tuple[str, str]]]:
    return found_in


@pytest.fixture(scope="session")
def everything() -> Detector:
    return detector()


@pytest.fixture(scope="session")
def engine() -> PiiEngine:
    return engine_for_all()
