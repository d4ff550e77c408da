"""Texts that a reply says once more as a list of pieces: log probabilities, timed words, output in parts.

A finding that is cut into tokens is in none of them, and a client that joins them can still read it. So the pieces are
scanned as the text that they join to, and edited as the pieces of a stream are: the replacement where the found span
begins, nothing in the other pieces. What stands beside a changed piece follows it: its bytes are those of the new
piece, its alternatives are left out, for they are other ways to spell the same value.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from outwarden.wire.edits import Edit
from outwarden.wire.json_places import Path, Said
from outwarden.wire.json_text import escapes_letters

# The lists, by key, and what joins their pieces. `content` and `refusal` are OpenAI's log probabilities (their pieces
# have a `token`), `output` Replicate's (strings), `words` those of transcriptions.
_JOINED_BY = {
    "tokens": "",
    "content": "",
    "refusal": "",
    "logprobs": "",
    "chosenCandidates": "",
    "chosen_candidates": "",
    "output": "",
    "words": " ",
}
_PIECE_KEYS = ("token", "word", "text")
_OF_STRINGS = frozenset({"tokens", "output"})
_NEED_TOKEN = frozenset({"content", "refusal"})
# Beside a list: the alternatives for each of its pieces, and the key of one that holds them.
_BESIDE = (("top_logprobs", None), ("topCandidates", "candidates"), ("top_candidates", "candidates"))


@dataclass(frozen=True, slots=True)
class TokenList:
    """``text`` is what the pieces join to; piece ``i`` is ``text[starts[i]:][:len]`` and stands at ``paths[i]``."""

    text: str
    pieces: Sequence[str]
    starts: Sequence[int]
    paths: Sequence[Path]
    elements: Sequence[Any]
    beside: Sequence[tuple[Path, Said]]

    def changes(self, edits: Sequence[Edit]) -> Iterator[tuple[Path, Said]]:
        """What must be said instead, for edits of ``text``."""
        done = [edit for edit in edits if edit.replacement is not None]
        first = 0
        for number, (start, piece) in enumerate(zip(self.starts, self.pieces, strict=True)):
            end = start + len(piece)
            while first < len(done) and done[first].end <= start:
                first += 1
            new, at = "", start
            for edit in done[first:]:
                if edit.start >= end:
                    break
                new += self.text[at : max(edit.start, at)] + (edit.replacement or "" if edit.start >= start else "")
                at = min(edit.end, end)
            if at > start or new:
                yield from self._changed(number, new + self.text[at:end])

    def _changed(self, number: int, new: str) -> Iterator[tuple[Path, Said]]:
        path, element = self.paths[number], self.elements[number]
        yield path, new
        if isinstance(element, dict):
            values: dict[str, Said] = {"bytes": list(new.encode("utf-8", "replace")), "top_logprobs": []}
            yield from (((*path[:-1], key), said) for key, said in values.items() if isinstance(element.get(key), list))
            if isinstance(element.get("punctuated_word"), str):
                yield (*path[:-1], "punctuated_word"), new
        if number < len(self.beside):
            yield self.beside[number]


def token_lists(tree: Any, pieces_min: int = 2) -> Iterator[TokenList]:
    """Find the lists of pieces in a document. One piece alone is a string like any other, but in a stream."""
    found: list[TokenList] = []
    _walk(tree, [], found)
    return (tokens for tokens in found if len(tokens.pieces) >= pieces_min)


def may_have_token_lists(raw: bytes) -> bool:
    """Tell, at next to no cost, whether there can be one."""
    # A word without its quotes is looked for faster by far where there are many strings.
    return (
        (b"token" in raw and b'"token' in raw)
        or (b"words" in raw and b'"words"' in raw)
        or (b"output" in raw and b'"output"' in raw)
        or escapes_letters(raw)
    )


def _walk(node: Any, path: list[str | int], found: list[TokenList]) -> None:
    """``path`` grows and shrinks with the walk: a document may be as deep as it is long."""
    if not isinstance(node, dict | list):
        return
    for step, child in node.items() if isinstance(node, dict) else enumerate(node):
        if not isinstance(child, dict | list):
            continue
        path.append(step)
        if (tokens := _list_of(node, step, child, path)) is not None:
            found.append(tokens)
        else:
            _walk(child, path, found)
        path.pop()


def _list_of(parent: Any, key: str | int, elements: Any, steps: Sequence[str | int]) -> TokenList | None:
    if key not in _JOINED_BY or not isinstance(key, str):
        return None
    path = tuple(steps)
    if not isinstance(elements, list):
        # Cohere streams one piece with the ids of its tokens.
        is_piece = isinstance(elements, dict) and "token_ids" in elements and isinstance(elements.get("text"), str)
        said = elements["text"] if is_piece else ""
        return TokenList(said, [said], [0], [(*path, "text")], [None], []) if said else None
    pieces: list[str] = []
    paths: list[Path] = []
    for index, element in enumerate(elements):
        if isinstance(element, str) and key in _OF_STRINGS:
            pieces.append(element)
            paths.append((*path, index))
            continue
        names = _PIECE_KEYS[:1] if key in _NEED_TOKEN else _PIECE_KEYS
        name = next((n for n in names if isinstance(element, dict) and isinstance(element.get(n), str)), None)
        if name is None:
            return None
        pieces.append(element[name])
        paths.append((*path, index, name))
    if not pieces:
        return None
    joint = _JOINED_BY[key]
    starts, at = [], 0
    for piece in pieces:
        starts.append(at)
        at += len(piece) + len(joint)
    return TokenList(joint.join(pieces), pieces, starts, paths, elements, _beside(parent, path, len(pieces)))


def _beside(parent: dict[str, Any], path: Path, count: int) -> list[tuple[Path, Said]]:
    for key, inner in _BESIDE:
        found = parent.get(key)
        if isinstance(found, list) and len(found) == count:
            empty: Said = {} if inner is None else []
            step: Path = () if inner is None else (inner,)
            return [((*path[:-1], key, index, *step), empty) for index in range(count)]
    return []
