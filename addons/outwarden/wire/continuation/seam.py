"""Where one model's text ends and the next one's begins: nothing is said twice there, and nothing is lost.

What a model is asked to go on with has no white space at its end, because Anthropic refuses one ("final assistant
content cannot end with trailing whitespace"), and others take it off in their chat templates. So the next model begins
with white space of its own where the reader may have had some already: the part that is the same is dropped.
"""


class Seam:
    """Takes the pieces of a continuation's text. ``tail``: the white space behind what it was asked to go on with.

    ``echo``: what it was asked to go on with, if it repeats that first (Mistral does); else empty. A continuation that
    does not repeat it after all is passed on whole.
    """

    def __init__(self, tail: str, echo: str = "") -> None:
        self._tail = tail
        self._echo = echo
        self._echoed = 0
        self._held: list[str] = []

    def feed(self, text: str) -> str:
        """Take a piece; return what is new to the reader."""
        if not self._echo:
            return self._without_tail(text)
        common = self._echo[self._echoed : self._echoed + len(text)]
        if not text.startswith(common):
            return self._give_up(text)
        self._echoed += len(common)
        self._held.append(text)
        if self._echoed < len(self._echo):
            return ""
        self._echo = ""
        self._held.clear()
        return self._without_tail(text[len(common) :])

    def flush(self) -> str:
        """The text is over: return what was held as a possible echo."""
        return self._give_up("") if self._held else ""

    def _give_up(self, text: str) -> str:
        whole = "".join([*self._held, text])
        self._echo = ""
        self._held.clear()
        return self._without_tail(whole)

    def _without_tail(self, text: str) -> str:
        same = 0
        while same < min(len(text), len(self._tail)) and text[same] == self._tail[same]:
            same += 1
        if text:
            self._tail = self._tail[same:] if same == len(text) else ""
        return text[same:]
