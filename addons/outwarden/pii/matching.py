"""Run many patterns over texts with RE2: one gate that says which occur at all, then each of those.

Patterns are searched in one of four ways, all linear in the text and all with the same result wherever the search of a
stream resumes:

* plainly, leftmost match after leftmost match;
* near context words only, which are rare where digits are not;
* around signs only: what each match holds, and what is found much faster than the pattern itself;
* in windows, where a pattern has no upper length: a match that begins in one block of `BLOCK_BYTES` ends with the next
  block at the latest. Blocks count from the start of the text.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from outwarden.pii.page import SEPARATOR, Page, Ruler, count_points, encode
from outwarden.pii.recognizer import CONTEXT_WIDTH, PLACEHOLDER, UNDECIDED, WORD_EDGE, WORD_WIDTH, Recognizer, Verdict
from outwarden.pii.regexp import Alternatives, Leftmost, PatternSet, Regexp
from outwarden.pii.repeats import Repeats
from outwarden.pii.syntax import Shape, read_shape

BLOCK_BYTES = 2048
_LONG = 80  # code points
_OFTEN = 16  # candidates in one text, from which on it may be that they stand in the same surroundings
_DIGITS = b"0123456789"
_WORD = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_" + _DIGITS
_POINT_BYTES = 4  # the longest code point in UTF-8


class Candidate(NamedTuple):
    """A verdict for an entity in one text. Sorts by start, and there placeholders (``rest`` 0) before others (1).

    ``origin`` is where the pattern began to match; a check may move the start on.
    """

    start: int
    rest: int
    end: int
    entity: str
    score: float
    origin: int


@dataclass(slots=True)
class Sweep:
    """What one pattern found in one text, in code points.

    ``steps``: (origin, where the search went on) of every match, found or failed. ``undecided``: the first origin that
    more text may still turn either way; the search stopped there.
    """

    candidates: list[Candidate]
    steps: list[tuple[int, int]]
    undecided: int | None = None


@lru_cache(maxsize=512)  # there are some two hundred; in fewer places each would push out the next
def _regexp(pattern: str) -> Regexp:
    """Compiled once: the views of packed texts, level by level, have the same long patterns, which are our own."""
    return Regexp(pattern)


class Pattern:
    """A recogniser, compiled. ``windowed``: no (useful) upper length. ``alone``: the gate cannot judge it."""

    __slots__ = ("alone", "near", "recognizer", "regexp", "shape", "sign", "together", "windowed")

    def __init__(self, recognizer: Recognizer) -> None:
        self.recognizer = recognizer
        self.regexp = _regexp(recognizer.pattern) if recognizer.whole else Regexp(recognizer.pattern)
        self.together = Alternatives(recognizer.parts) if recognizer.parts else self.regexp
        self.near = None if recognizer.near is None else recognizer.near.regexp
        self.sign = None if recognizer.sign is None else Regexp(recognizer.sign.pattern)
        self.shape: Shape = read_shape(recognizer.pattern, streamed=not recognizer.whole)
        self.windowed = self.shape.width is None or self.shape.width > BLOCK_BYTES
        self.alone = self.windowed or self.shape.anchored  # matches depend on where a text begins and ends

    def __repr__(self) -> str:
        return f"<Pattern of {self.recognizer.entity}>"


class Matcher:
    """All patterns of a policy, compiled once; immutable."""

    def __init__(self, recognizers: Iterable[Recognizer | Pattern]) -> None:
        """Compile what is not compiled yet."""
        self.patterns = tuple(one if isinstance(one, Pattern) else Pattern(one) for one in recognizers)
        # What is searched near words only is let through by the words: digits are everywhere, phone words are not.
        all_of_them = [p.recognizer for p in self.patterns]
        gates = {at: r.hint or (r.near or r.sign or r).pattern for at, r in enumerate(all_of_them) if not r.ungated}
        self._gate = PatternSet(gates, together=[at for at, gate in gates.items() if _is_list(gate)])
        self._always = frozenset(at for at, p in enumerate(self.patterns) if p.alone or p.recognizer.ungated)
        self._without_others = [self.patterns[at] for at in sorted(self._always)]

    @cached_property
    def _tails(self) -> Leftmost:
        """What may have begun at the end of a text: long patterns each by itself, the others together.

        All in one automaton took 370 us for each piece of streamed code, and never settled; so they take 19, then 11.
        """
        patterns = [pattern for pattern in self.patterns if not pattern.windowed]
        short = [pattern for pattern in patterns if (pattern.shape.width or 0) <= _LONG]
        apart = [pattern for pattern in patterns if pattern not in short]
        together = [[pattern] for pattern in apart] + ([short] if short else [])
        return Leftmost(_ended(map(_opening, group)) for group in together)

    @cached_property
    def _signed_tails(self) -> list[tuple[Regexp, Regexp]]:
        """Per pattern whose `_opening` goes up to its sign: the sign, and how it goes on once there was one."""
        signed = [pattern for pattern in self.patterns if _opens_anywhere(pattern) and not pattern.windowed]
        return [
            (pattern.sign, Regexp(_ended([pattern.shape.prefixes]))) for pattern in signed if pattern.sign is not None
        ]

    @cached_property
    def reach(self) -> int | None:
        """So many code points back a match that may still grow has begun; None: as far as the text goes."""
        widths = [pattern.shape.width for pattern in self.patterns]
        return None if any(pattern.windowed for pattern in self.patterns) else max(filter(None, widths), default=0)

    @cached_property
    def _windowed_tail(self) -> Regexp | None:
        windowed = [pattern for pattern in self.patterns if pattern.windowed]
        return Regexp(_ended(pattern.shape.prefixes for pattern in windowed)) if windowed else None

    def present(self, data: bytes) -> list[Pattern]:
        """Return the patterns that occur in ``data``, and those that the gate cannot judge."""
        seen = self._gate.present(data)
        if seen is None:
            return list(self.patterns)
        if not seen:
            return list(self._without_others)
        return [self.patterns[index] for index in sorted(self._always | seen)]

    def open_from(self, data: bytes, start: int, block_offset: int) -> int:
        """Return the byte offset from which ``data`` may still grow into a match of any pattern.

        ``start``: nothing before it is asked for. ``block_offset``: how many bytes of the text stood before ``data``.
        """
        held = self._tails.begin(data, start)
        for sign, tail in self._signed_tails:
            if sign.search(data, start) is not None and (found := tail.search(data, start)) is not None:
                held = min(held, found[0])
        if self._windowed_tail is not None:
            # A window is complete when the byte after it is known, for the sake of assertions at its end.
            last_block = (len(data) - 1 + block_offset) // BLOCK_BYTES
            first = max(start, (last_block - 1) * BLOCK_BYTES - block_offset)
            if (found := self._windowed_tail.search(data, first)) is not None:
                held = min(held, found[0])
        return held


def _is_list(gate: str) -> bool:
    """Whether a gate is a list of words, as those of a `Context`, or several."""
    return gate.removeprefix("(?:").startswith(f"(?i){WORD_EDGE}(?:")


def _opens_anywhere(pattern: Pattern) -> bool:
    sign = pattern.recognizer.sign
    return sign is not None and sign.anywhere


def _opening(pattern: Pattern) -> str:
    """How a pattern begins; where that can be said without it, up to its sign: beyond it there is another search."""
    sign = pattern.recognizer.sign
    if sign is None or not sign.anywhere:
        return pattern.shape.prefixes
    inside = _class_of(sign.before)
    first = _class_of(bytes(byte for byte in sign.before if byte not in sign.inside))
    return rf"(?:{first}{inside}{{0,{sign.most - 1}}})?(?:{read_shape(sign.pattern).prefixes})"


def _class_of(characters: bytes) -> str:
    return "[" + "".join(f"\\x{byte:02x}" for byte in characters) + "]"


def _ended(prefixes: Iterable[str]) -> str:
    return "(?:" + "|".join(prefixes) + r")\z"


Judge = Callable[[int, int], int]
"""Take a match (bytes from, to); return where to search on."""


def sweep(
    pattern: Pattern, page: Page, start: int = 0, *, more: bool = False, block_offset: int = 0
) -> dict[int, Sweep]:
    """Search a page from byte ``start`` on and judge every match; only the texts with a match are answered."""
    found: dict[int, Sweep] = {}
    locate, texts = Ruler(page).locate, page.texts
    check, entity, retry = pattern.recognizer.check, pattern.recognizer.entity, pattern.recognizer.retry
    rest = int(entity != PLACEHOLDER)
    repeats: dict[int, Repeats[Verdict | list[Verdict] | None]] = {}

    def checked(index: int, low: int, high: int, before: int) -> Verdict | list[Verdict] | None:
        text = texts[index]
        if before < _OFTEN or more:
            return check(text, low, high, more)
        if (known := repeats.get(index)) is None:
            known = repeats[index] = Repeats(text, lambda start, end: check(text, start, end, False), _moved)
        return known.judge(low, high)

    def judge(low_byte: int, high_byte: int) -> int:
        index, low, high = locate(low_byte, high_byte)
        if (result := found.get(index)) is None:
            result = found[index] = Sweep([], [])
        text = texts[index]
        verdict = checked(index, low, high, len(result.steps))
        if isinstance(verdict, list):
            *others, verdict = verdict
            result.candidates += (Candidate(o.start, rest, o.end, o.entity or entity, o.score, low) for o in others)
        if verdict is None and retry:
            result.steps.append((low, low + 1))
            return low_byte + 1
        if verdict is UNDECIDED:
            result.undecided = low
            return len(page.data)  # only streams leave anything undecided, and their page is one text
        if verdict is not None:
            if verdict.score > 0:
                named = verdict.entity or entity
                result.candidates.append(Candidate(verdict.start, rest, verdict.end, named, verdict.score, low))
            if low < verdict.end < high:  # what the check cut off may hold the next one
                high_byte -= len(encode(text[verdict.end : high]))
                high = verdict.end
            elif verdict.end > high:  # the pattern proposes a beginning only, and the check has followed it
                high_byte += len(encode(text[high : verdict.end]))
                high = verdict.end
        result.steps.append((low, high))
        return high_byte

    if pattern.windowed:
        _search_windows(pattern, page.data, start, block_offset, judge)
    elif pattern.near is not None:
        _search_near(pattern, pattern.near, page.data, start, judge)
    elif pattern.sign is not None:
        _search_signs(pattern, pattern.sign, page.data, start, judge)
    else:
        _search_plainly(pattern, page.data, start, judge)
    return found


def sweep_all(patterns: Iterable[Pattern], page: Page) -> Iterator[tuple[int, list[Candidate]]]:
    """Yield what each pattern finds in each text of a page; where edges of texts matter, one by one."""
    for pattern in patterns:
        pages = enumerate(Page((text,)) for text in page.texts) if pattern.alone else ((0, page),)
        for first, one in pages:
            yield from ((first + index, result.candidates) for index, result in sweep(pattern, one).items())


def _moved(verdict: Verdict | list[Verdict] | None, by: int) -> Verdict | list[Verdict] | None:
    if verdict is None:
        return None
    if isinstance(verdict, list):
        return [one._replace(start=one.start + by, end=one.end + by) for one in verdict]
    return verdict._replace(start=verdict.start + by, end=verdict.end + by)


def _search_plainly(pattern: Pattern, data: bytes, position: int, judge: Judge) -> None:
    search = pattern.together.searcher(data)
    while (match := search(position)) is not None:
        position = judge(*match)


def _search_near(pattern: Pattern, near: Regexp, data: bytes, position: int, judge: Judge) -> None:
    search = pattern.regexp.search
    reach = _POINT_BYTES * (CONTEXT_WIDTH + (pattern.shape.width or 0))
    after = max(0, position - _POINT_BYTES * (CONTEXT_WIDTH + WORD_WIDTH))
    while (word := near.search(data, after)) is not None:
        after = word[1]
        position = max(position, after)
        while (match := search(data, position, after + reach)) is not None:
            if not _within_context(data, after, match[0]):
                break
            position = judge(*match)


def _search_signs(pattern: Pattern, sign: Regexp, data: bytes, position: int, judge: Judge) -> None:
    """Search on from sign to sign, for the leftmost match that holds it.

    A sign without a match is left behind by its first byte only: in its others ("1.+" before 4929) one may begin. So
    each beginning is tried once, and what is found from there on is the same wherever the search began.
    """
    reach = _POINT_BYTES * (pattern.shape.width or 0)
    while (found := sign.search(data, position)) is not None:
        match = _around(pattern, data, position, found[0], found[1] + reach)
        position = found[0] + 1 if match is None else judge(*match)


def _around(pattern: Pattern, data: bytes, position: int, sign: int, end: int) -> tuple[int, int] | None:
    """The first match from ``position`` on that begins at the sign or right before it, and goes on over it."""
    rule = pattern.recognizer.sign
    assert rule is not None
    before = data[max(position, sign - rule.most) : sign]
    run = before[len(before.rstrip(rule.before)) :]
    for start in range(sign - len(run), sign + 1):
        if start < sign and data[start] in rule.inside:
            continue
        if rule.edge and start and data[start] in _DIGITS and data[start - 1] in _WORD:
            continue
        if (match := pattern.regexp.match(data, start, end)) is not None and match[1] > sign:
            return match
    return None


def _within_context(data: bytes, start: int, end: int) -> bool:
    """Whether at most `CONTEXT_WIDTH` code points of one text lie between."""
    if data.find(SEPARATOR, start, end) >= 0:
        return False
    return end - start <= CONTEXT_WIDTH or count_points(data[start:end]) <= CONTEXT_WIDTH


def _search_windows(pattern: Pattern, data: bytes, position: int, block_offset: int, judge: Judge) -> None:
    while position < len(data):
        next_block = ((position + block_offset) // BLOCK_BYTES + 1) * BLOCK_BYTES - block_offset
        match = pattern.regexp.search(data, position, next_block + BLOCK_BYTES)
        if match is None or match[0] >= next_block:
            position = next_block
            continue
        position = judge(*match)
