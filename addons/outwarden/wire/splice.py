"""Carry edits of texts back into the bytes of the document that the texts stand in."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain, compress

import numpy as np

from outwarden.wire.edits import Edit, apply_edits
from outwarden.wire.json_document import Document, File, Joined, Nested
from outwarden.wire.json_fragments import Fragments
from outwarden.wire.json_text import Splice, escape, raw_offsets, scannable
from outwarden.wire.json_walk import read_text

Answers = Mapping[str, Sequence[Edit]]
"""text -> its edits, only for texts that have any."""
Found = list[tuple[Edit, str]]
Edited = tuple[Sequence[Edit], Found]
"""The edits of a token, and what was found in it."""

_STRETCH, _SHORT_STRETCH = 256, 16  # tokens


def leaves(nested: Nested) -> Iterable[str]:
    """List every text that is to be scanned, those of nested documents in place of the text they stand in."""
    if isinstance(nested, Fragments):
        return nested.texts if nested.begun is None else chain(leaves(nested.begun), nested.texts)
    if isinstance(nested, File):
        return leaves(nested.inner) if nested.inner is not None else (nested.packed.text,)
    if isinstance(nested, Joined):
        return leaves(nested.document)
    if not nested.nested:
        return filter(None, nested.tokens)
    return chain.from_iterable(_stretches(nested))


def _stretches(document: Document) -> Iterator[Iterable[str]]:
    """The texts between two nested documents, and those in each: there may be thousands of either."""
    tokens, lone = document.tokens, document.lone
    last = -1
    for index in (*sorted(document.nested), len(tokens)):
        if between := tokens[last + 1 : index]:
            yield filter(None, compress(between, lone[last + 1 : index]) if lone else between)
        if index < len(tokens):
            yield leaves(document.nested[index])
        last = index


def splice_document(document: Document, answers: Answers, *, ascii_only: bool, found: Found) -> list[Splice]:
    """Turn the edits of a document's texts into splices of its bytes; add what was found to ``found``."""
    splices: list[Splice] = []
    for index, (edits, said) in sorted(_edited(document, answers).items()):
        splices += _splices(document, index, edits, ascii_only=ascii_only)
        found += said
    return splices


def _splices(document: Document, index: int, edits: Sequence[Edit], *, ascii_only: bool) -> Iterable[Splice]:
    """Those of one token."""
    if not edits:
        return ()
    text = document.tokens[index] or ""
    return splice_token(document.raw, document.spans()[index], text, edits, ascii_only=ascii_only)


def _edited(document: Document, answers: Answers) -> dict[int, Edited]:
    """The tokens that have edits, or documents in them."""
    tokens, nested, edited = document.tokens, document.nested, dict[int, Edited]()
    wanted = frozenset(answers) if len(tokens) > len(answers) else answers.keys()
    places = _places(tokens, wanted)
    for index in sorted({*places, *nested}) if nested else places:
        text, inner = tokens[index], nested.get(index)
        if isinstance(inner, Joined):
            edited.update(_edited_in(inner, answers))
        elif text and inner is not None:
            said: Found = []
            if (edits := nested_edits(inner, answers, said)) or said:
                edited[index] = (edits, said)
        elif text and (not document.lone or document.lone[index]):
            edited[index] = (answers[text], [(edit, text[edit.start : edit.end]) for edit in answers[text]])
    return edited


def _edited_in(joined: Joined, answers: Answers) -> dict[int, Edited]:
    """Those of each document in which something was found, by every token that holds it."""
    document, starts = joined.document, joined.starts
    splices: dict[int, list[Splice]] = {}
    found: dict[int, Found] = {}
    inner = sorted(_edited(document, answers).items())
    begin = [document.spans()[index][0] for index, _ in inner]
    numbers = (np.searchsorted(starts, begin, "right") - 1).tolist()
    for number, (index, (edits, said)) in zip(numbers, inner, strict=True):
        splices.setdefault(number, []).extend(_splices(document, index, edits, ascii_only=False))
        found.setdefault(number, []).extend(said)
    edited: dict[int, Edited] = {}
    for number, those in splices.items():
        first, end = starts[number : number + 2].tolist()
        edited[number] = _as_edits(document.raw[first : end - 1], those, first), found[number]
    touched = np.isin(joined.numbers, list(edited))
    pairs = zip(joined.places[touched].tolist(), joined.numbers[touched].tolist(), strict=True)
    return {place: edited[number] for place, number in pairs}


def _places(tokens: Sequence[str | None], wanted: AbstractSet[str]) -> Iterator[int]:
    """Where the ``wanted`` tokens stand. Of half a million few are: whole stretches are passed over at once."""
    for start in range(0, len(tokens), _STRETCH):
        if wanted.isdisjoint(tokens[start : start + _STRETCH]):
            continue
        for first in range(start, min(start + _STRETCH, len(tokens)), _SHORT_STRETCH):
            short = tokens[first : first + _SHORT_STRETCH]
            if not wanted.isdisjoint(short):
                yield from (at for at, token in enumerate(short, first) if token in wanted)


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
    texts = list(document.tokens)
    for index, (edits, _) in _edited(document, answers).items() if answers else ():
        texts[index] = apply_edits(texts[index] or "", edits)
    for index, nested in document.nested.items():
        if isinstance(nested, File):
            texts[index] = said_by(nested, answers)
    return "\n".join(chain(filter(None, texts), document.skipped))


def files_in(nested: Nested) -> Iterator[File]:
    """Find the files in a document: in its strings, in documents that stand in these, and in one another."""
    if isinstance(nested, File):
        yield nested
    inner = _inside(nested)
    for one in inner.nested.values() if inner is not None else ():
        yield from files_in(one)


def _inside(nested: Nested) -> Document | None:
    """The document that is in it, as far as it is one."""
    if isinstance(nested, File):
        return _inside(nested.inner) if nested.inner is not None else None
    if isinstance(nested, Joined):
        return nested.document
    return nested.begun if isinstance(nested, Fragments) else nested


def said_by(file: File, answers: Answers) -> str:
    """What a file says after the edits."""
    return apply_edits(file.packed.text, _file_edits(file, answers, []))


def nested_edits(nested: Document | Fragments | File, answers: Answers, found: Found) -> list[Edit]:
    """Fold the edits of a document that is a text back into edits of that text."""
    if isinstance(nested, Fragments):
        begun = nested_edits(nested.begun, answers, found) if nested.begun is not None else []
        return begun + nested.edits(answers, found)
    if isinstance(nested, File):
        return _repacked(nested, _file_edits(nested, answers, found))
    return _as_edits(nested.raw, splice_document(nested, answers, ascii_only=False, found=found))


def _as_edits(raw: bytes, splices: Iterable[Splice], at: int = 0) -> list[Edit]:
    """Splices of a document as edits of it as a text; ``at``: where it begins for them."""
    edits: list[Edit] = []
    seen = point = 0
    for start, end, replacement in ((first - at, last - at, new) for first, last, new in splices):
        first = point + len(raw[seen:start].decode())
        point = first + len(raw[start:end].decode())
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
