"""Carry edits of texts back into the bytes of the document that the texts stand in."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain

from outwarden.wire.edits import Edit, apply_edits
from outwarden.wire.json_fragments import Fragments
from outwarden.wire.json_text import Splice, escape, raw_offsets, scannable
from outwarden.wire.json_walk import Document, File, Nested, read_text

Answers = Mapping[str, Sequence[Edit]]
"""text -> its edits, only for texts that have any."""
Found = list[tuple[Edit, str]]

_STRETCH = 256  # tokens


def leaves(nested: Nested) -> Iterable[str]:
    """List every text that is to be scanned, those of nested documents in place of the text they stand in."""
    if isinstance(nested, Fragments):
        return nested.texts if nested.begun is None else chain(leaves(nested.begun), nested.texts)
    if isinstance(nested, File):
        return leaves(nested.inner) if nested.inner is not None else (nested.packed.text,)
    if not nested.nested:
        return filter(None, nested.tokens)
    return _leaves_around(nested)


def _leaves_around(document: Document) -> Iterator[str]:
    for index, text in enumerate(document.tokens):
        if index in document.nested:
            yield from leaves(document.nested[index])
        elif text:
            yield text


def splice_document(document: Document, answers: Answers, *, ascii_only: bool, found: Found) -> list[Splice]:
    """Turn the edits of a document's texts into splices of its bytes; add what was found to ``found``."""
    splices: list[Splice] = []
    nested = document.nested
    wanted = frozenset(answers) if len(document.tokens) > len(answers) else answers.keys()
    edited = _places(document.tokens, wanted)
    for index in sorted({*edited, *nested}) if nested else edited:
        text = document.tokens[index]
        if not text:
            continue
        edits = _edits_of(document, index, text, answers, found)
        if edits:
            splices += splice_token(document.raw, document.spans()[index], text, edits, ascii_only=ascii_only)
    return splices


def _places(tokens: Sequence[str | None], wanted: AbstractSet[str]) -> Iterator[int]:
    """Where the ``wanted`` tokens stand. Of half a million few are: whole stretches are passed over at once."""
    for start in range(0, len(tokens), _STRETCH):
        stretch = tokens[start : start + _STRETCH]
        if not wanted.isdisjoint(stretch):
            yield from (start + at for at, token in enumerate(stretch) if token in wanted)


def splice_token(
    raw: bytes, span: tuple[int, int], text: str, edits: Iterable[Edit], *, ascii_only: bool
) -> Iterator[Splice]:
    """Turn the edits of one string (or number) token into splices of ``raw``."""
    done = [edit for edit in edits if edit.replacement is not None]
    start, end = span
    if raw[start : start + 1] != b'"':  # a number: what replaces it is a string
        if done:
            yield (start, end, b'"' + escape(apply_edits(text, done), ascii_only=ascii_only) + b'"')
        return
    points = [point for edit in done for point in (edit.start, edit.end)]
    offsets = raw_offsets(raw[start + 1 : end - 1], text, points)
    for number, edit in enumerate(done):
        first, last = offsets[2 * number : 2 * number + 2]
        yield (start + 1 + first, start + 1 + last, escape(edit.replacement or "", ascii_only=ascii_only))


def leaves_of(text: str) -> Iterable[str]:
    """List what is to be scanned of one text: itself, or the texts in it where it is a document."""
    nested = read_text(text)
    return leaves(nested) if nested is not None else (scannable(text),)


def text_edits(text: str, answers: Answers, found: Found | None = None) -> Sequence[Edit]:
    """Return the edits of one text of a document; where it is itself a document, those of the texts in it."""
    found = [] if found is None else found
    if text in answers:
        found += [(edit, text[edit.start : edit.end]) for edit in answers[text]]
        return answers[text]
    nested = read_text(text)
    return nested_edits(nested, answers, found) if nested is not None else ()


def text_after(document: Document, answers: Answers) -> str:
    """Return all texts as they are after the edits, a line each, for counting tokens; media is left out."""
    texts = list(filter(None, document.tokens))
    if answers or any(isinstance(nested, File) for nested in document.nested.values()):
        texts = [_after(document, i, t, answers) for i, t in enumerate(document.tokens) if t]
    return "\n".join(texts + document.skipped)


def _after(document: Document, index: int, text: str, answers: Answers) -> str:
    nested = document.nested.get(index)
    if isinstance(nested, File):
        return apply_edits(nested.packed.text, _file_edits(nested, answers, []))
    if text not in answers and nested is None:
        return text
    return apply_edits(text, _edits_of(document, index, text, answers, []))


def _edits_of(document: Document, index: int, text: str, answers: Answers, found: Found) -> Sequence[Edit]:
    nested = document.nested.get(index)
    if nested is not None:
        return nested_edits(nested, answers, found)
    edits = answers.get(text, ())
    found += [(edit, text[edit.start : edit.end]) for edit in edits]
    return edits


def nested_edits(nested: Nested, answers: Answers, found: Found) -> list[Edit]:
    """Fold the edits of a document that is a text back into edits of that text."""
    if isinstance(nested, Fragments):
        begun = nested_edits(nested.begun, answers, found) if nested.begun is not None else []
        return begun + nested.edits(answers, found)
    if isinstance(nested, File):
        return _repacked(nested, _file_edits(nested, answers, found))
    edits: list[Edit] = []
    seen = point = 0
    for start, end, replacement in splice_document(nested, answers, ascii_only=False, found=found):
        first = point + len(nested.raw[seen:start].decode())
        point = first + len(nested.raw[start:end].decode())
        seen = end
        edits.append(Edit(first, point, replacement.decode()))
    return edits


def _file_edits(file: File, answers: Answers, found: Found) -> Sequence[Edit]:
    """The edits of what a file says."""
    if file.inner is not None:
        return nested_edits(file.inner, answers, found)
    text = file.packed.text
    edits = answers.get(text, ())
    found += [(edit, text[edit.start : edit.end]) for edit in edits]
    return edits


def _repacked(file: File, edits: Sequence[Edit]) -> list[Edit]:
    """One edit for the whole file: what is behind the first change is spelled anew."""
    if all(edit.replacement is None for edit in edits):
        return []
    packed = file.packed
    return [Edit(packed.start, packed.end, packed.spell(apply_edits(packed.text, edits)))]
