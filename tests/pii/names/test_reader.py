"""The bundled network as a reader: units by themselves, in several threads, of one script."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from outwarden.pii.names.model import bundled
from outwarden.pii.names.reader import NetworkReader, is_latin

READER = NetworkReader(bundled(), {"PERSON": 0.5})


def test_units_are_read_by_themselves() -> None:
    """Together, alone and in threads: the same spans."""
    units = [f"Ask Marta Kowalczyk about item {number} of Oslo{number}. " for number in range(60)] + ["", "42"]
    alone = [READER.read([unit])[0] for unit in units]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda _: READER.read(units), range(8)))

    assert all([[s[:3] for s in one] for one in spans] == [[s[:3] for s in one] for one in alone] for spans in together)
    assert alone[0][0][:3] == (4, 19, "PERSON")
    assert alone[-2:] == [[], []]


@pytest.mark.parametrize(
    ("unit", "latin"),
    [("hello", True), ("Zoë Łódź", True), ("Привет мир", False), ("字 a", True), ("字字 a", False), ("", True)],
)
def test_scripts(unit: str, latin: bool) -> None:
    """The network learned Latin letters."""
    assert is_latin(unit) is latin
