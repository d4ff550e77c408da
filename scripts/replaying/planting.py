"""Values planted in recorded requests, and echoed in the replies to them; `forms` does so in multipart bodies.

A sentence with values of several kinds goes into the longest text of a request. The replay upstream finds the sentence
in what arrives, takes what stands for the values there and says it again in the recorded reply, in a stream spread over
consecutive pieces of a text. Told by the JSON alone: nothing here knows a provider.
"""

import json
import random
import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from replaying.aws import unwrap, wrap
from replaying.exchanges import Exchange
from replaying.json_spans import Path, Place, follow, places

TEXT_KEYS = {
    "content",
    "text",
    "prompt",
    "input",
    "inputs",
    "query",
    "message",
    "inputText",
    "question",
    "texts",
    "instructions",
    "output",
    "value",
}
REPLY_KEYS = {
    "content",
    "text",
    "delta",
    "output_text",
    "outputText",
    "response",
    "generation",
    "completion",
    "transcript",
}
# Beside a text, these say that the provider verifies or owns it: it is sent back byte for byte.
SIGNED = ("thought", "signature", "encrypted_content", "redacted")
# What tells apart the texts that grow side by side in one stream.
CHANNEL_KEYS = ("index", "output_index", "content_index", "summary_index", "item_id", "contentBlockIndex", "type")
SLOTS_MAX = 12
_RUN = re.compile(rb"[A-Za-z0-9 ,.]+")
_NOT_PROSE = re.compile(r"^(data:|https?:|[A-Za-z0-9+/_=-]{80})")
Json = Any


@dataclass(frozen=True, slots=True)
class Values:
    """Invented values of five kinds, different for every number."""

    email: str
    card: str
    phone: str
    iban: str
    key: str

    def __iter__(self) -> Iterator[str]:
        return iter((self.email, self.card, self.phone, self.iban, self.key))

    def named(self) -> Iterator[tuple[str, str]]:
        """Each value with its kind."""
        return zip(self.__slots__, self, strict=True)

    def note(self) -> str:
        """The sentence that holds them; no character of it needs an escape in JSON."""
        return NOTE.format(*self)


NOTE = " (A note: e-mail {}; card {}; phone {}; IBAN {}; key {}; end of note.) "
_FOUND = re.compile(re.escape(NOTE.strip()).replace(r"\{\}", "(.{1,200}?)").encode())


def values(number: int) -> Values:
    """Draw the values of a number."""
    draw = random.Random(number)  # noqa: S311 (looks, not secrets)
    digits = "4" + "".join(str(draw.randrange(10)) for _ in range(14))
    account = f"{draw.randrange(10**8):08d}{draw.randrange(10**10):010d}"
    letters = "".join(draw.choices("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=48))
    return Values(
        email=f"pat.{number}x{draw.randrange(1000)}@brightquill-mail.com",
        card=digits + luhn_digit(digits),
        phone=f"+49 30 {draw.randrange(2_000_000, 9_999_999)}",
        iban=f"DE{98 - int(account + '131400') % 97:02d}{account}",
        key=f"sk-proj-{letters}",
    )


def in_some_spelling(value: str, data: bytes) -> bool:
    """Whether a body holds a value, plain or with JSON escapes."""
    return value.encode() in data or (
        b"\\" in data and value in re.sub(r"\\(.)", r"\1", data.decode("utf-8", "replace"))
    )


def kinds_in(values: Values, data: bytes) -> list[str]:
    """The kinds of the values that a body holds."""
    return sorted(kind for kind, value in values.named() if in_some_spelling(value, data))


def planted(body: bytes, note: str) -> bytes | None:
    """The JSON with the sentence in its longest text; None where it holds no JSON text."""
    if body.lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        tree = json.loads(body)
    except (ValueError, RecursionError):
        return None
    found = [place for place in places(body) if _is_text(tree, place.path, TEXT_KEYS) and place.end > place.start]
    if not found:
        return None
    longest = max(found, key=lambda place: place.end - place.start)
    at = _gap(body, longest)
    return body[:at] + note.encode() + body[at:]


def stand_ins(body: bytes) -> tuple[str, ...] | None:
    """What stands in the place of the planted values; None where the sentence is not to be found."""
    found = _FOUND.search(body)
    return tuple(group.decode("utf-8", "replace") for group in found.groups()) if found else None


@dataclass(frozen=True)
class Echo:
    """A recorded reply and the pieces of a text in it among which a sentence is put.

    ``first``: the piece behind which it begins. ``repeats``: other strings that say some of the pieces again, with
    the numbers of the first of these and of the one behind the last.
    """

    body: bytes
    pieces: tuple[tuple[Place, str], ...]
    first: int
    repeats: tuple[tuple[Place, int, int], ...]
    seed: str

    def said(self, stand_ins: tuple[str, ...]) -> tuple[bytes, int]:
        """The reply with the sentence, cut anywhere among some consecutive pieces, and where it begins."""
        texts = [text for _, text in self.pieces]
        last = min(len(texts), self.first + SLOTS_MAX)
        after = NOTE.format(*stand_ins) + "".join(texts[self.first + 1 : last])
        draw = random.Random(self.seed)  # noqa: S311 (looks, not secrets)
        cuts = sorted(draw.randint(0, len(after)) for _ in range(self.first + 1, last))
        if any(a == 0 and b < len(texts) for _, a, b in self.repeats):
            cuts = [len(after)] * len(
                cuts
            )  # a text so far that ends inside a stand-in: nobody can say what that is to be
        cut = [after[a:b] for a, b in zip([0, *cuts], [*cuts, len(after)], strict=True)]
        texts[self.first : last] = [texts[self.first] + cut[0], *cut[1:]]
        changed = range(self.first, last)
        new = [(self.pieces[n][0], texts[n]) for n in changed]
        new += [(place, "".join(texts[a:b])) for place, a, b in self.repeats if b > self.first and a < last]
        return replaced(self.body, new), self.pieces[self.first][0].start


def replaced(body: bytes, new: list[tuple[Place, str]]) -> bytes:
    """The body with these strings in place of others, escaped in its own manner."""
    escape = not any(byte > 127 for byte in body)
    out, at = bytearray(), 0
    for place, text in sorted(new, key=lambda each: each[0].start):
        out += body[at : place.start] + json.dumps(text, ensure_ascii=escape)[1:-1].encode("utf-8", "surrogatepass")
        at = place.end
    return bytes(out + body[at:])


def echo(exchange: Exchange) -> Echo | None:
    """Where a reply may say the sentence; None where it has no text."""
    body = unwrap(exchange.reply) if exchange.framing == "aws-eventstream" else exchange.reply
    return echo_in(body, exchange.id, streamed=exchange.streaming)


def echo_in(body: bytes, seed: str, *, streamed: bool) -> Echo | None:
    """The same for a body; ``seed`` decides where the sentence is cut."""
    channels = text_channels(body, streamed=streamed)
    if not channels:
        return None
    pieces = max(channels.values(), key=_rank)
    first = random.Random(seed).randrange(len(pieces))  # noqa: S311 (looks, not secrets)
    others = [each for each in channels.values() if each is not pieces]
    return Echo(body, tuple(pieces), first, tuple(_repeats(pieces, others)), seed)


def _rank(pieces: list[tuple[Place, str]]) -> tuple[bool, int, bool]:
    """Best a text in pieces, not one that is repeated as it grows; then the longest; then what is called a delta."""
    texts = [text for _, text in pieces]
    grows = len(texts) > 1 and all(b.startswith(a) for a, b in pairwise(texts))
    return not grows, sum(map(len, texts)), "delta" in pieces[0][0].path


def _repeats(
    pieces: list[tuple[Place, str]], others: list[list[tuple[Place, str]]]
) -> Iterator[tuple[Place, int, int]]:
    """Strings that say again what the pieces said so far (or all of it), and texts that are the same in each piece."""
    texts = [text for _, text in pieces]
    if len(texts) == 1:
        return
    whole, counts = "".join(texts), {size: n for n, size in enumerate(accumulate(map(len, texts)), 1)}
    for other in others:
        if [text for _, text in other] == texts:
            yield from ((place, n, n + 1) for n, (place, _) in enumerate(other))
            continue
        for place, text in other:
            if (count := counts.get(len(text), 0)) > 1 and whole.startswith(text):
                yield place, 0, count


def reply_bytes(exchange: Exchange, body: bytes) -> bytes:
    """The body as it goes over the wire: AWS frames around it again."""
    return wrap(exchange.reply, body) if exchange.framing == "aws-eventstream" else body


def text_channels(body: bytes, *, streamed: bool) -> dict[Hashable, list[tuple[Place, str]]]:
    """The texts of a reply by what they belong to: pieces with one key are one text, in order.

    A whole reply is one document and each text stands alone; a stream is many, one after the other.
    """
    channels: dict[Hashable, list[tuple[Place, str]]] = {}
    for tree, start, end in _documents(body, streamed=streamed):
        for place in places(body, start, end):
            if _is_text(tree, place.path, REPLY_KEYS) and (text := follow(tree, place.path)):
                channels.setdefault(_channel(tree, place.path), []).append((place, text))
    return channels


def _documents(body: bytes, *, streamed: bool) -> Iterator[tuple[Json, int, int]]:
    """Every JSON document of a body: the whole, the elements of a streamed array, each line of SSE or NDJSON."""
    try:
        yield json.loads(body), 0, len(body)
        return
    except ValueError:
        if not streamed:
            return
    at = 0
    for line in body.splitlines(keepends=True):
        start = at + (len(line) - len(line[5:].lstrip()) if line.startswith(b"data:") else 0)
        try:
            tree = json.loads(body[start : at + len(line)])
        except ValueError:
            tree = None
        if isinstance(tree, dict | list):
            yield tree, start, at + len(line)
        at += len(line)


def _channel(tree: Json, path: Path) -> Hashable:
    marks: list[Hashable] = []
    for depth in range(len(path)):
        parent = follow(tree, path[:depth])
        if isinstance(parent, dict):
            marks += [parent.get(key) for key in CHANNEL_KEYS if isinstance(parent.get(key), str | int)]
    at_top = isinstance(tree, list)  # a streamed array: its elements are the events
    return tuple(path[1:] if at_top else path), tuple(marks)


def _is_text(tree: Json, path: Path, keys: set[str]) -> bool:
    """Whether a string is a text: it, or the list it stands in, has a text's key, and nobody has signed it."""
    names = [key for key in path if isinstance(key, str)]
    if not names or names[-1] not in keys or any(key in SIGNED for key in names):
        return False
    parent = follow(tree, path[:-1])
    kind = str(tree.get("type", "")) if isinstance(tree, dict) else ""
    if "transcript" not in kind and any(word in kind for word in ("arguments", "input", "audio", "reasoning")):
        return False  # JSON and audio have their own deltas under the same key
    if any("reasoning" in key or "thinking" in key for key in names):
        return False  # providers verify it: it goes back and forth byte for byte
    signed = isinstance(parent, dict) and (any(parent.get(key) for key in SIGNED) or _is_media(parent))
    text = follow(tree, path)
    if not isinstance(text, str) or signed or _NOT_PROSE.match(text):
        return False
    return names[-1] != "output" or text[:1] not in ("{", "[")  # a tool's JSON, which has to stay some


def _is_media(parent: dict[str, Any]) -> bool:
    return any(value == "base64" for key, value in parent.items() if key != "encoding_format")


def _gap(body: bytes, place: Place) -> int:
    """Where a sentence may go in a string's bytes: behind a space of its longest plain run, so between two words.

    At the end of one without any.
    """
    runs = _RUN.finditer(body, place.start, place.end)
    run = max(runs, key=lambda each: each.end() - each.start(), default=None)
    if run is None:
        return place.end
    before = body[place.start : run.start()]
    in_escape = (len(before) - len(before.rstrip(b"\\"))) % 2  # the run begins inside one: \n, \u00e9
    run_start = min(run.start() + 5 * in_escape, run.end())
    space = body.find(b" ", run_start + (run.end() - run_start) // 2, run.end())
    return space + 1 if space >= 0 else run.end()


def luhn_digit(digits: str) -> str:
    """The check digit that makes a card number of ``digits``."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if position % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)
