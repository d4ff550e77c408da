"""What the provider writes down of what a caller says over a WebSocket: a call of its own, by a model of its own.

OpenAI bills it apart from the responses, by tokens or by seconds, and tells its usage when a piece of speech is written
down (Realtime guide, "Realtime transcription"). The hold is taken with the first sound, each piece that the provider
commits gets its own, and no piece is settled twice.
"""

from collections.abc import Callable

from outwarden.flow.state import CallState, begin_alone
from outwarden.wire.format import SessionFacts, Transcription

# xAI tells no usage of it (as recorded with grok-voice) and sells the whole session by its minutes.
INCLUDED = frozenset({"x-ai"})
# PCM of 24 kHz and 16 bit, where a session says nothing else (Realtime guide).
DEFAULT_SOUND_BYTES_PER_S = 48_000
# Pieces that are committed and not yet written down; real sessions have one or two.
ASKED_MAX = 64


class Transcriptions:
    """The transcriptions of one connection, from the first sound to the last word.

    ``pay`` takes the hold of a call, or notes on it why there is none (None: they are not billed apart); ``end``
    settles and records it.
    """

    def __init__(self, new_call: Callable[[str], CallState], end: Callable[[CallState], None]) -> None:
        self.pay: Callable[[CallState], None] | None = None
        self._new_call = new_call
        self._end = end
        self._model = ""  # empty: nobody writes anything down
        self._sound_bytes_per_s = DEFAULT_SOUND_BYTES_PER_S
        self._heard: CallState | None = None  # of sound that the provider has not committed
        self._asked: dict[str, CallState] = {}  # by item, oldest first

    @property
    def is_awaited(self) -> bool:
        """Whether the provider writes something down: its true cost is still to come."""
        return bool(self._asked)

    def learn(self, facts: SessionFacts) -> None:
        """Take over what was said of the session."""
        if facts.transcriber is not None:
            self._model = facts.transcriber
        self._sound_bytes_per_s = facts.sound_bytes_per_s or self._sound_bytes_per_s

    def hear(self, message_bytes: int) -> CallState | None:
        """Sound in base64 is about to be sent: hold for its transcription. Returns the call that was refused, if so."""
        if self._heard is None and self._model and self.pay:
            call = self._begin()
            if call.refusal:
                return call
            self._heard = call
        if self._heard is not None:
            self._heard.sound_s += message_bytes * 3 / 4 / self._sound_bytes_per_s
        return None

    def take(self, event: Transcription) -> CallState | None:
        """Take what the provider says of a piece. Returns the call whose hold was refused, if it had none before."""
        if self.pay is None:
            return None
        if event.state == "asked":
            return self._ask(event.item)
        call = self._asked.pop(event.item, None)
        if call is None and not (self._model or event.usage):
            return None
        call = call or self._taken()
        if call.refusal:
            return call
        call.answered = True
        call.usage, call.output_text_bytes = event.usage, event.text_bytes
        call.reply_error = "transcription_failed" if event.state == "failed" else None
        self._end(call)
        return None

    def _ask(self, item: str) -> CallState | None:
        if not self._model or item in self._asked:
            return None
        call = self._taken()
        if call.refusal:
            return call
        call.answered = True
        self._asked[item] = call
        if len(self._asked) > ASKED_MAX:
            self._end(self._asked.pop(next(iter(self._asked))))
        return None

    def _taken(self) -> CallState:
        """The call whose sound came, or one for sound that came in another way."""
        call, self._heard = self._heard, None
        return call or self._begin()

    def _begin(self) -> CallState:
        assert self.pay
        call = self._new_call(self._model)
        self.pay(call)
        return call if call.refusal else begin_alone(call)

    def finish(self, *, client_gone: bool) -> list[CallState]:
        """The connection is over: return what is open, to be ended."""
        left = [*self._asked.values(), *([self._heard] if self._heard else [])]
        self._asked.clear()
        self._heard = None
        for call in left:
            call.client_gone = client_gone
        return left
