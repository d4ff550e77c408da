"""What the tests of the simulation share: one database for all of them, which every history empties."""

from collections.abc import Iterator

import pytest

from outwarden.budget import Store
from simulating.playing import opened


@pytest.fixture(scope="module")
def stores() -> Iterator[list[Store]]:
    with opened() as found:
        yield found
