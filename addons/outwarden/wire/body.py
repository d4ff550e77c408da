"""Rewrite the texts of a JSON body and leave every other byte alone.

Strings are found by parsing, edits go into the original bytes: numbers, key order, spacing and escapes stay as sent.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, compress
from typing import cast

from outwarden.wire.edits import Edit, FindKnown, KnownValues, PlacedRewriter, TextRewriter, apply_edits
from outwarden.wire.fields import MESSAGE, Places, fields_of
from outwarden.wire.format import TextRules
from outwarden.wire.json_document import Document
from outwarden.wire.json_elements import read_elements
from outwarden.wire.json_places import with_values
from outwarden.wire.json_text import Splice, escapes_non_ascii, scannable, spliced
from outwarden.wire.json_tree import BOM, read_json
from outwarden.wire.json_walk import OPENS, read_document, read_text
from outwarden.wire.memory import Answer, Memory
from outwarden.wire.ndjson import as_array
from outwarden.wire.offsets import Offsets, adjusted
from outwarden.wire.pieces import PIECE_BYTES_MIN, Piece, cut, skeleton
from outwarden.wire.splice import (
    Answers,
    Found,
    files_in,
    leaves,
    leaves_of,
    nested_edits,
    said_by,
    splice_document,
    text_after,
    text_edits,
)
from outwarden.wire.token_lists import TokenList, may_have_token_lists, token_lists

__all__ = ["Memory", "Rewritten", "read_json", "rewrite_json", "rewrite_text"]

# Added to the count of each piece (a message, the tool list, the rest of the body): chat templates wrap a message in
# 3 to 7 tokens (OpenAI cookbook "How to count tokens with tiktoken": 3 per message, 1 per name, 3 for the reply).
PIECE_TOKENS = 8

Count = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A body after its edits.

    ``edits``: how many replacements were made; ``tokens``: what ``count`` said of its texts after the edits, plus
    PIECE_TOKENS for each piece, without media; ``media_bytes``: characters of base64 media in it; ``unread``: parts of
    it that nobody here can read (sound, pictures, PDF, an unknown charset). ``has_files``: texts in base64 are in it,
    whose words do not stand in ``body`` as such.
    """

    body: bytes
    edits: int
    tokens: int = 0
    media_bytes: int = 0
    unread: int = 0
    has_files: bool = False


def rewrite_json(
    body: bytes,
    rules: TextRules,
    rewriter: TextRewriter,
    *,
    memory: Memory | None = None,
    memory_key: bytes = b"",
    count: Count | None = None,
    find_known: FindKnown | None = None,
) -> Rewritten:
    """Rewrite every text of ``body``; the same bytes object where nothing is to change.

    ``memory`` spares what was seen before; ``memory_key`` must differ wherever the answers may: detector version,
    direction, the encoding that ``count`` counts in. ``find_known``: what was found is looked for in all of the body.
    Raises BodyError for what is not JSON or too deep.
    """
    start = len(BOM) if body.startswith(BOM) else 0
    raw = body[start:] if start else body
    ascii_only = escapes_non_ascii(raw)
    context = (memory_key, rules, ascii_only, count is not None)
    if getattr(rewriter, "by_field", False):
        parts = _recall(raw, rules, memory, context, least=0)  # of one message a text has one field, nearly always
    else:
        parts = [_Part(raw)] if memory is None else _recall(raw, rules, memory, context)
    return _rewrite_parts(body, start, parts, rules, rewriter, ascii_only, memory, count, find_known)


def rewrite_lines(
    body: bytes,
    rules: TextRules,
    rewriter: TextRewriter,
    *,
    count: Count | None = None,
    find_known: FindKnown | None = None,
) -> Rewritten:
    """Rewrite every text of lines of JSON, each of which can be read; as `rewrite_json`, all lines at once."""
    part = _Part(as_array(body))
    done = _rewrite_parts(body, -1, [part], rules, rewriter, escapes_non_ascii(body), None, count, find_known)
    tokens = done.tokens + PIECE_TOKENS * body.count(b"\n") if count is not None else 0
    return replace(done, tokens=tokens)


def _rewrite_parts(
    body: bytes,
    start: int,
    parts: list["_Part"],
    rules: TextRules,
    rewriter: TextRewriter,
    ascii_only: bool,
    memory: Memory | None,
    count: Count | None,
    find_known: FindKnown | None,
) -> Rewritten:
    """``start``: where in ``body`` the bytes stand that the parts count from."""
    unknown = [part for part in parts if part.answer is None]
    documents = _read_all(unknown, rules)
    lists = [_lists(document) for document in documents]
    asked = _ask_all(rewriter, unknown, documents, lists)
    for part, document, pieces, answers in zip(unknown, documents, lists, asked, strict=True):
        part.document, part.answers = document, answers
        part.answer = _answer(document, pieces, answers, ascii_only, count, rules.offsets)
        if memory is not None and part.name is not None and _is_complete(rewriter):
            memory.put(part.name, part.answer)
    rewritten = _assemble(body, start, parts)
    if find_known is not None:
        known = find_known(pair for part in parts if part.answer for pair in part.answer.found)
        packed = any(part.answer.has_files for part in parts if part.answer)
        if known is not None and (packed or known.may_stand_in(rewritten.body)):
            _answer_known(parts, known, rules, ascii_only, count, memory, lambda: _is_complete(rewriter))
            rewritten = _assemble(body, start, parts)
    if found := [pair for part in parts if part.answer for pair in part.answer.found]:
        rewriter.note(found)
    return rewritten


def _read_all(parts: Sequence["_Part"], rules: TextRules) -> list[Document]:
    """Read each part; the elements of one list together."""
    lists: dict[str, list[_Part]] = {}
    for part in parts:
        if part.piece is not None and part.piece[3]:
            lists.setdefault(part.piece[2], []).append(part)
    read: dict[_Part, Document] = {}
    for key, elements in lists.items():
        read.update(zip(elements, read_elements([part.raw for part in elements], rules, key), strict=True))
    return [read.get(part) or part.read(rules) for part in parts]


def rewrite_text(text: str, rewriter: TextRewriter) -> str:
    """Rewrite one whole text; where it is itself a JSON object or array, the strings in it."""
    if not text or text[0] in OPENS:
        return rewrite_texts([text], rewriter)[0]
    said = text if text.isascii() else scannable(text)
    (edits,) = rewriter.edits([said])
    rewriter.note((edit, said[edit.start : edit.end]) for edit in edits)
    return apply_edits(text, edits)


def rewrite_texts(texts: Sequence[str], rewriter: TextRewriter) -> list[str]:
    """Rewrite whole texts, each as `rewrite_text` does; all are asked for at once."""
    different = list(dict.fromkeys(texts))
    may_nest = (text for text in different if text and text[0] in OPENS)
    documents = {text: inner for text in may_nest if (inner := read_text(text)) is not None}
    plain = [text for text in different if text not in documents] if documents else different
    clean = plain if "".join(plain).isascii() else list(map(scannable, plain))
    if clean is different:  # as nearly always: each of a hundred thousand is itself
        answers = _ask_each(rewriter, clean)
        edited = dict(zip(answers, answers, strict=True))
    else:
        answers = ask(rewriter, chain(clean, *map(leaves, documents.values())))
        edited = {text: said for text, said in zip(plain, clean, strict=True) if said in answers}
    found: Found = []

    def rewritten(text: str) -> str:
        if text in documents:
            return apply_edits(text, nested_edits(documents[text], answers, found))
        said = edited[text]
        found.extend((edit, said[edit.start : edit.end]) for edit in answers[said])
        return apply_edits(text, answers[said])

    touched = edited.keys() | documents.keys() if answers else ()
    new = list(texts)
    for at in compress(range(len(new)), map(touched.__contains__, new) if touched else ()):
        new[at] = rewritten(new[at])
    rewriter.note(found)
    return new


def ask(rewriter: TextRewriter | KnownValues, texts: Iterable[str]) -> Answers:
    """Ask for the edits of all texts at once, each different text once; only texts with edits are in the answer."""
    return _ask_each(rewriter, list(dict.fromkeys(texts)))


def _ask_each(rewriter: TextRewriter | KnownValues, different: Sequence[str]) -> Answers:
    """As `ask`, for texts of which no two are the same."""
    if not different:
        return {}
    found = rewriter.edits(different)
    return dict(compress(zip(different, found, strict=True), found))


def _ask_all(
    rewriter: TextRewriter | KnownValues,
    parts: Sequence["_Part"],
    documents: Sequence[Document],
    lists: Sequence[Sequence[TokenList]],
) -> Sequence[Answers]:
    """Ask for the texts of all parts at once."""
    if not getattr(rewriter, "by_field", False):
        answers = ask(rewriter, chain.from_iterable(map(_texts, documents, lists)))
        if len(parts) == 1 or not answers:
            return [answers] * len(parts)
        return [
            {} if answers.keys().isdisjoint(_texts(*one)) else answers for one in zip(documents, lists, strict=True)
        ]
    return _ask_by_field(rewriter, parts, documents, lists)


def _ask_by_field(
    rewriter: TextRewriter | KnownValues,
    parts: Sequence["_Part"],
    documents: Sequence[Document],
    lists: Sequence[Sequence[TokenList]],
) -> list[Answers]:
    """As `_ask_all`, where it matters in which field a text stands; of all parts, those of the same fields at once."""
    placed: list[list[tuple[str, frozenset[str]]]] = []
    for part, document, pieces in zip(parts, documents, lists, strict=True):
        places = _places(part, document, pieces)
        placed.append([(text, places.get(text, MESSAGE)) for text in dict.fromkeys(_texts(document, pieces))])
    groups: dict[frozenset[str], dict[str, None]] = {}
    for text, fields in chain.from_iterable(placed):
        groups.setdefault(fields, {})[text] = None
    found: dict[tuple[str, frozenset[str]], Sequence[Edit]] = {}
    for fields, texts in groups.items():
        answers = cast(PlacedRewriter, rewriter).edits_in(list(texts), dict.fromkeys(texts, fields))
        found.update(((text, fields), edits) for text, edits in zip(texts, answers, strict=True) if edits)
    return [{one[0]: found[one] for one in those if one in found} for those in placed]


def _places(part: "_Part", document: Document, lists: Sequence[TokenList]) -> Places:
    """The fields of each text of a part; what a list of pieces says stands where they do."""
    places = fields_of(document, part.key)
    if not lists:
        return places
    joined = dict(places)
    for one in lists:
        fields = frozenset[str]().union(*(places.get(scannable(piece), MESSAGE) for piece in one.pieces))
        joined.update((text, joined.get(text, frozenset[str]()) | fields) for text in leaves_of(one.text))
    return joined


def _is_complete(rewriter: TextRewriter) -> bool:
    """Whether the rewriter had the time to look at all it was asked for."""
    return bool(getattr(rewriter, "complete", True))


class _Part:
    """A piece of the body, or what is left of it without its pieces (the skeleton), on its way to an answer."""

    __slots__ = ("answer", "answers", "cuts", "document", "name", "piece", "raw")

    def __init__(self, raw: bytes, *, cuts: Sequence[Piece] = (), piece: Piece | None = None, name: Hashable = None):
        self.raw, self.cuts, self.piece, self.name = raw, cuts, piece, name
        self.answer: Answer | None = None
        self.document: Document | None = None  # where the answer was not remembered
        self.answers: Answers = {}

    @property
    def key(self) -> str | None:
        """What it is the value of, or an element of the list of."""
        return None if self.piece is None else self.piece[2]

    def read(self, rules: TextRules) -> Document:
        if self.piece is None:
            return read_document(self.raw, rules)
        _, _, key, is_element = self.piece
        return read_document(self.raw, rules, inside=key) if is_element else read_document(self.raw, rules, key=key)

    def may_hold(self, known: KnownValues) -> bool:
        """Whether a value can still be read in it, or (as far as is known) in one of its files."""
        assert self.answer
        if known.may_stand_in(spliced(self.raw, self.answer.splices)):
            return True
        if self.document is None:
            return self.answer.has_files
        files = files_in(self.document) if self.answer.has_files else ()
        said = (said_by(file, self.answers).encode("utf-8", "surrogatepass") for file in files)
        return any(map(known.may_stand_in, said))

    def splices(self) -> list[Splice]:
        """The answer's splices, in offsets of the body."""
        splices = self.answer.splices if self.answer else ()
        if self.piece is not None:
            start = self.piece[0]
            return [(start + first, start + last, new) for first, last, new in splices]
        return list(_unskeleton(splices, self.cuts))


def _recall(
    raw: bytes, rules: TextRules, memory: Memory | None, context: Hashable, least: int = PIECE_BYTES_MIN
) -> list[_Part]:
    pieces = cut(raw, rules, least)
    parts = [_Part(skeleton(raw, pieces), cuts=pieces)]
    for piece in pieces:
        start, end, key, is_element = piece
        text = raw[start:end]
        part = _Part(text, piece=piece)
        if memory is not None and len(text) >= PIECE_BYTES_MIN:
            part.name = (context, key, is_element, memory.digest(text))
            part.answer = memory.get(part.name)
        parts.append(part)
    return parts


def _lists(document: Document) -> Sequence[TokenList]:
    return list(token_lists(read_json(document.raw))) if may_have_token_lists(document.raw) else ()


def _texts(document: Document, lists: Sequence[TokenList]) -> Iterable[str]:
    """All that is to be scanned of a document."""
    return chain(leaves(document), *(leaves_of(one.text) for one in lists)) if lists else leaves(document)


def _answer(
    document: Document,
    lists: Sequence[TokenList],
    answers: Answers,
    ascii_only: bool,
    count: Count | None,
    offsets: Offsets | None,
) -> Answer:
    found: Found = []
    splices = splice_document(document, answers, ascii_only=ascii_only, found=found) if answers else []
    if answers and lists:
        said = (change for one in lists for change in one.changes(text_edits(scannable(one.text), answers, found)))
        splices = with_values(document.raw, splices, dict(said))
    if splices and offsets is not None and offsets.may_stand_in(document.raw):
        splices = adjusted(document.raw, splices, read_json(document.raw), offsets, lambda t: text_edits(t, answers))
    tokens = 0
    if count is not None:
        tokens = count(text_after(document, answers)) + document.number_tokens + PIECE_TOKENS
    has_files = next(files_in(document), None) is not None
    return Answer(tuple(splices), tuple(found), tokens, document.media_bytes, document.unread, has_files)


def _answer_known(
    parts: Sequence[_Part],
    known: KnownValues,
    rules: TextRules,
    ascii_only: bool,
    count: Count | None,
    memory: Memory | None,
    is_complete: Callable[[], bool],
) -> None:
    """Answer again for the parts in which a value can still be read; remembered for these values alone."""
    for part in parts:
        name = None if memory is None or part.name is None else (part.name, known.key)
        answer = memory.get(name) if memory is not None and name is not None else None
        if answer is None and part.answer is not None:
            answer = part.answer
            if part.may_hold(known):
                document = part.document or part.read(rules)
                lists = _lists(document)
                (answers,) = _ask_all(known, [part], [document], [lists])
                answer = _answer(document, lists, answers, ascii_only, count, rules.offsets)
            if memory is not None and name is not None and is_complete():
                memory.put(name, answer)
        part.answer = answer


def _assemble(body: bytes, start: int, parts: Sequence[_Part]) -> Rewritten:
    answers = [part.answer for part in parts if part.answer is not None]
    splices = sorted(
        ((start + first, start + last, new) for part in parts for first, last, new in part.splices()),
        key=lambda splice: splice[0],
    )
    return Rewritten(
        spliced(body, splices),
        len(splices),
        sum(answer.tokens for answer in answers),
        sum(answer.media_bytes for answer in answers),
        sum(answer.unread for answer in answers),
        any(answer.has_files for answer in answers),
    )


def _unskeleton(splices: Sequence[Splice], cuts: Sequence[Piece]) -> Iterator[Splice]:
    """Carry splices of the skeleton (ascending) over to the body; none ever lies inside what was cut out."""
    left = deque(cuts)
    by = 0  # so much later a byte stands in the body

    def place(at: int) -> int:
        nonlocal by
        while left and at + by > left[0][0]:
            start, end, _, _ = left.popleft()
            by += end - start - len(b"null")
        return at + by

    return ((place(first), place(last), new) for first, last, new in splices)
