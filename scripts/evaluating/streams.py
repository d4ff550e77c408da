"""What a stream leaks, and what it puts back: each labelled text said by a model, in pieces of random size."""

import random
from collections.abc import Iterable
from dataclasses import dataclass

from evaluating.texts import Text
from outwarden.pii import PiiEngine, Vault
from outwarden.wire.edits import Edit, apply_edits

SEED = 11
PIECE_MAX = 9  # code points; providers send 3 to 9 at the median


@dataclass
class Profile:
    """``texts`` were streamed, ``different`` came out other than whole; of ``values`` found ``leaked`` left in clear on
    the way out, ``kept`` came back to the letter."""

    texts: int = 0
    different: int = 0
    values: int = 0
    leaked: int = 0
    kept: int = 0

    @property
    def leak(self) -> float:
        return self.leaked / self.values if self.values else 0.0

    @property
    def fidelity(self) -> float:
        return self.kept / self.values if self.values else 1.0


def profile(engine: PiiEngine, texts: Iterable[Text]) -> Profile:
    """Send each text as a request, let the model say back what left, and restore it in a stream."""
    rng = random.Random(SEED)  # noqa: S311  # where to cut
    result = Profile()
    for text in texts:
        vault = Vault()
        request = engine.request(vault)
        (edits,) = request.edits([text.text])
        found = [(edit, text.text[edit.start : edit.end]) for edit in edits]
        request.note(found)
        left = apply_edits(text.text, edits)
        back = _streamed(engine, vault, left, rng)
        whole = engine.reply(vault)
        (restored,) = whole.edits([left])
        values = [value for edit, value in found if edit.action == "pseudonymize" and len(value) > 3]
        result.texts += 1
        result.different += back != apply_edits(left, restored)
        result.values += len(values)
        result.leaked += sum(value in left for value in values)
        result.kept += sum(value in back for value in values)
    return result


def _streamed(engine: PiiEngine, vault: Vault, said: str, rng: random.Random) -> str:
    channel = engine.reply(vault).channel()
    edits: list[Edit] = []
    at = 0
    while at < len(said):
        size = rng.randint(1, PIECE_MAX)
        edits += channel.feed(said[at : at + size])[1]
        at += size
    return apply_edits(said, [*edits, *channel.finish()])
