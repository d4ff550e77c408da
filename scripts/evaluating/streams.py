"""What a stream leaks, and what it puts back: each labelled text said by a model, in pieces of random size."""

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass

from evaluating.texts import Text
from outwarden.pii import PiiEngine, Vault
from outwarden.wire.edits import ChannelRewriter, Edit, apply_edits
from outwarden.wire.json_channel import JsonChannel

SEED = 11
PIECE_MAX = 9  # code points; providers send 3 to 9 at the median


@dataclass
class Profile:
    """``texts`` were streamed, ``different`` came out other than whole; of ``values`` found ``leaked`` left in clear on
    the way out, ``kept`` came back to the letter, ``kept_in_arguments`` in arguments of tools too. ``said_again``:
    texts that reach the provider in the next turn byte for byte as it said them."""

    texts: int = 0
    different: int = 0
    values: int = 0
    leaked: int = 0
    kept: int = 0
    kept_in_arguments: int = 0
    said_again: int = 0

    @property
    def leak(self) -> float:
        return self.leaked / self.values if self.values else 0.0

    @property
    def fidelity(self) -> float:
        return self.kept / self.values if self.values else 1.0

    @property
    def fidelity_in_arguments(self) -> float:
        return self.kept_in_arguments / self.values if self.values else 1.0

    @property
    def same_next_turn(self) -> float:
        return self.said_again / self.texts if self.texts else 1.0


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
        back = _streamed(engine.reply(vault).channel(), left, rng)
        arguments = json.dumps({"text": left, "send": True}, ensure_ascii=rng.random() < 0.5)
        done = json.loads(_streamed(JsonChannel(engine.reply(vault)), arguments, rng))["text"]
        whole = engine.reply(vault)
        (restored,) = whole.edits([left])
        values = [value for edit, value in found if edit.action == "pseudonymize" and len(value) > 3]
        result.texts += 1
        result.different += back != apply_edits(left, restored)
        result.values += len(values)
        result.leaked += sum(value in left for value in values)
        result.kept += sum(value in back for value in values)
        result.kept_in_arguments += sum(value in done for value in values)
        result.said_again += apply_edits(back, engine.request(Vault()).edits([back])[0]) == left
    return result


def _streamed(channel: ChannelRewriter, said: str, rng: random.Random) -> str:
    edits: list[Edit] = []
    at = 0
    while at < len(said):
        size = rng.randint(1, PIECE_MAX)
        edits += channel.feed(said[at : at + size])[1]
        at += size
    return apply_edits(said, [*edits, *channel.finish()])
