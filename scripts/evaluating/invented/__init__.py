"""Labelled texts, made up on the spot: telephones of the world, national numbers, records,
values written so that they do not look like ones, and harmless look-alikes.

They show what a change does to kinds of numbers that no recorded set has, and were written from the formats (numbering
plans, check digits, the words of each language) and not from the patterns. Recorded sets are the better judges.
"""

import random
from collections.abc import Callable, Iterator, Mapping

from evaluating.invented.harmless import harmless
from evaluating.invented.labelled import Invented
from evaluating.invented.numbers import national, records
from evaluating.invented.obfuscated import obfuscated
from evaluating.invented.phones import bare_phones, phones
from evaluating.invented.secrets import cards, ibans, keys, passwords
from evaluating.invented.technical import technical

SEED = 20261126
SETS: Mapping[str, Callable[[random.Random], Iterator[Invented]]] = {
    "phones": phones,
    "bare phones": bare_phones,
    "national": national,
    "records": records,
    "keys": keys,
    "passwords": passwords,
    "cards": cards,
    "ibans": ibans,
    "harmless": harmless,
    "obfuscated": obfuscated,
    "technical": technical,
}


def invent(name: str, seed: int = SEED) -> list[Invented]:
    """The texts of one set, the same for the same seed."""
    return list(SETS[name](random.Random(seed)))  # noqa: S311  # texts, not secrets
