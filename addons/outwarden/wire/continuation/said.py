"""What a streamed answer has said so far, and whether another model may go on with it: it is text, and nothing else."""

from typing import Any

from outwarden.errors import NotTranslatable
from outwarden.wire.formats.values import mapping, number, objects, text
from outwarden.wire.translation.deltas import Began, Called, Said, Stopped
from outwarden.wire.translation.tongue import TONGUES

# Of what an answer said so much is kept to be gone on with: some 64,000 tokens of English, which few models exceed.
SAID_BYTES_MAX = 256 * 1024
# What a chunk of a chat may say beside its text. Thoughts are for who thought them, and are left behind as the
# translation leaves them; those that are signed come in `reasoning_details`, which is not here.
_BESIDE_TEXT = frozenset({"role", "content", "tool_calls", "reasoning", "reasoning_content"})


class SaidSoFar:
    """``text`` as its provider said it; ``obstacle``: why nobody else may go on with it (None: somebody may).

    ``id``, ``model`` and ``created`` are the first event's. ``is_open``: the block of the text was begun (Anthropic).
    """

    def __init__(self, format_name: str) -> None:
        self.id = self.model = ""
        self.created = 0
        self.is_open = False
        self.obstacle: str | None = None
        self._texts: list[str] = []
        self._bytes = 0
        self._reader = TONGUES[format_name].reader()
        self._strange = {"openai": self._strange_chunk, "anthropic": self._strange_event}[format_name]

    @property
    def text(self) -> str:
        """All of it."""
        self._texts = ["".join(self._texts)]
        return self._texts[0]

    def say(self, more: str) -> None:
        """Add a piece of text."""
        self._bytes += len(more.encode("utf-8", "replace"))
        self._texts.append(more)
        if self._bytes > SAID_BYTES_MAX:
            self.hinder("the answer is too long to be gone on with")

    def hinder(self, reason: str) -> None:
        """Nobody may go on with it from here on; what was kept for that is forgotten."""
        self.obstacle = self.obstacle or reason
        self._texts.clear()

    def take(self, name: str | None, data: Any) -> None:
        """Take an event of the first stream; a literal such as ``[DONE]`` is a str."""
        if self.obstacle:
            return
        source = mapping(data)
        if strange := self._strange(source):
            self.hinder(strange)
            return
        self.created = self.created or number(source.get("created")) or 0
        try:
            for piece in self._reader.read(name, data):
                self._take_piece(piece)
        except NotTranslatable as reason:
            self.hinder(str(reason))

    def _take_piece(self, piece: object) -> None:
        match piece:
            case Began():
                self.id, self.model = piece.id, piece.model
            case Said():
                self.say(piece.text)
            case Called():
                self.hinder("a tool call has begun")
            case Stopped():
                self.hinder("the answer is over")

    def _strange_chunk(self, source: dict[str, Any]) -> str | None:
        for choice in objects(source.get("choices")):
            if choice.get("logprobs"):
                return "probabilities are told"
            if {key for key, value in mapping(choice.get("delta")).items() if value} - _BESIDE_TEXT:
                return "something was said beside the text"
        return None

    def _strange_event(self, source: dict[str, Any]) -> str | None:
        kind = source.get("type")
        if kind == "content_block_start":
            if self.is_open or text(mapping(source.get("content_block")).get("type")) != "text":
                return "something was said beside the text"
            self.is_open = True
        if kind == "content_block_delta" and mapping(source.get("delta")).get("type") != "text_delta":
            return "something was said beside the text"
        return "the text is over" if kind == "content_block_stop" else None
