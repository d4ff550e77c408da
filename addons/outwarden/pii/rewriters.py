"""Findings become edits: what is taken out of a request, what comes back into its reply and what is taken out there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from itertools import compress
from typing import TYPE_CHECKING

from outwarden.pii.actions import Actions
from outwarden.pii.detect import literal_placeholders
from outwarden.pii.finder import Span
from outwarden.pii.known import KnownValues, known_values, where_shown
from outwarden.pii.matching import Matcher
from outwarden.pii.placeholders import meant, spelled_like, value_spelled_like
from outwarden.pii.policy import Action, Decision, Direction
from outwarden.pii.recognizer import PLACEHOLDER
from outwarden.pii.stream import Scanner
from outwarden.pii.vault import Vault
from outwarden.wire.edits import Edit, apply_edits
from outwarden.wire.fields import MESSAGE, Places

if TYPE_CHECKING:
    from outwarden.pii.echoes import Listener
    from outwarden.pii.engine import PiiEngine

_ANYWHERE: frozenset[str] = frozenset()
_REVERSIBLE = ("pseudonymize", "surrogate")


class _Rewriter(ABC):
    """What requests and replies share: findings become edits by the policy of one direction."""

    _direction: Direction

    def __init__(self, engine: PiiEngine, vault: Vault) -> None:
        self._engine = engine
        self._vault = vault
        self._allowance = engine.allowance()
        self.counts: Counter[str] = Counter()
        self.decided: Counter[tuple[str, Action, str]] = Counter()
        """(entity, action, rule) -> how often, for those who want to know why."""
        self.refused: str | None = None
        self.refused_by = ""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {dict(self.counts)}>"

    @property
    def complete(self) -> bool:
        """Whether the finders have looked at all texts so far; if not, the edits are not to be remembered."""
        return not self._allowance.missed

    def edits(self, texts: Sequence[str]) -> list[Sequence[Edit]]:
        """Per text its edits, sorted, not overlapping. Reads the vault, changes nothing in it."""
        return self._edits(texts, self._engine.actions(self._direction, _ANYWHERE))

    def _edits(self, texts: Sequence[str], actions: Actions) -> list[Sequence[Edit]]:
        named: dict[str, str] = {}
        found = self._spans(texts, actions)
        edits: list[Sequence[Edit]] = [()] * len(texts)
        for at in compress(range(len(texts)), found):  # few, of what may be a hundred thousand
            text = texts[at]
            made = (self.edit(span, text[span.start : span.end], named, actions) for span in found[at])
            edits[at] = list(filter(None, made))
        return edits

    def _spans(self, texts: Sequence[str], actions: Actions) -> list[Sequence[Span]]:
        whole = self._direction == "request"
        return self._engine.detector.spans(texts, actions.strictness, self._allowance, whole=whole, also=self._also())

    def channel(self) -> _Channel:
        """Open a channel for a text that arrives in pieces."""
        actions = self._engine.actions(self._direction, _ANYWHERE)
        scanner = Scanner(self._engine.detector, actions.strictness, self._also())
        return _Channel(scanner, partial(self.edit, actions=actions), self.note, self._listener())

    def _also(self) -> Matcher | None:
        """Patterns of this call's own."""
        return None

    def _listener(self) -> Listener | None:
        """Who takes in a text as it leaves."""
        return None

    @abstractmethod
    def edit(self, span: Span, value: str, named: dict[str, str], actions: Actions | None = None) -> Edit | None:
        """Return what is done with one finding; ``named``: the names given before the vault learns of them."""

    def note(self, found: Iterable[tuple[Edit, str]]) -> None:
        """Count edits that apply and remember a refusal."""
        for edit, _ in found:
            self.decided[edit.entity, edit.action, edit.rule] += 1  # type: ignore[index]  # those of our own
            if edit.action != "allow":
                self.counts[edit.entity] += 1
            if edit.action == "refuse" and self.refused is None:
                self.refused, self.refused_by = edit.entity, edit.rule

    def mask(self, entity: str) -> str:
        """Return the placeholder that says only what was there."""
        return self._engine.names.mask(entity)

    def _act(self, span: Span, value: str, named: dict[str, str], actions: Actions | None) -> Edit:
        decision = (actions or self._engine.actions(self._direction, _ANYWHERE)).of(span.entity)
        return self._done(Edit(span.start, span.end, None, span.entity), value, decision, named)

    def _done(self, found: Edit, value: str, decision: Decision, named: dict[str, str]) -> Edit:
        replacement = self._replacement(decision.action, found.entity, value, named)
        return Edit(found.start, found.end, replacement, found.entity, decision.action, decision.rule)

    def _replacement(self, action: Action, entity: str, value: str, named: dict[str, str]) -> str | None:
        if action in ("flag", "allow"):
            return None
        if action == "pseudonymize":
            return self._free(self._engine.names.candidates(entity, value), entity, value, named)
        if action == "surrogate":
            others = (other for other in self._engine.names.surrogates(entity, value) if other != value)
            return self._free(others, entity, value, named)
        if action == "hash":
            return self._engine.names.hashed(entity, value)
        return self.mask(entity)  # refuse as well: should a refused call ever be sent, it carries no value

    def _free(self, names: Iterable[str], entity: str, value: str, named: dict[str, str]) -> str:
        for name in names:
            if not self._vault.stands_for_other(name, value) and named.setdefault(name, value) == value:
                return name
        return self.mask(entity)  # all its names are taken: safe, only not restored


class RequestRewriter(_Rewriter):
    """Takes personal data out of what a call sends, and fills the call's vault."""

    _direction = "request"

    def __init__(self, engine: PiiEngine, vault: Vault) -> None:
        super().__init__(engine, vault)
        self.by_field = engine.policy.by_field("request")
        # Of this request, until it is noted: `known` asks for its texts again.
        self._read: dict[Actions, _Read] = {}

    def edits(self, texts: Sequence[str]) -> list[Sequence[Edit]]:
        """As those of texts that stand in no special field."""
        return self._in_fields(texts, MESSAGE)

    def edits_in(self, texts: Sequence[str], places: Places) -> list[Sequence[Edit]]:
        """As `edits`; ``places``: text -> the fields that it stands in."""
        groups: dict[frozenset[str], list[str]] = {}
        for text in texts:
            groups.setdefault(places.get(text, MESSAGE), []).append(text)
        found: dict[str, Sequence[Edit]] = {}
        for fields, group in groups.items():
            found.update(zip(group, self._in_fields(group, fields), strict=True))
        return [found[text] for text in texts]

    def _in_fields(self, texts: Sequence[str], fields: frozenset[str]) -> list[Sequence[Edit]]:
        actions = self._engine.actions("request", fields if self.by_field else _ANYWHERE)
        if not len(self._engine.echoes):
            return self._edits(texts, actions)
        heard = [self._heard(text, actions) for text in texts]
        said = [apply_edits(text, places) if places else text for text, places in zip(texts, heard, strict=True)]
        found = zip(said, self._edits(said, actions), heard, strict=True)
        return [where_shown(text, edits, places, self.mask) if places else edits for text, edits, places in found]

    def _heard(self, text: str, actions: Actions) -> Sequence[Edit]:
        """Where the provider said this text itself: its values, with what it said for each."""
        return [
            Edit(echo.start, echo.end, echo.said, echo.entity, *decision)
            for echo in self._engine.echoes.of(self._engine.version, text)
            if (decision := actions.of(echo.entity)).action in _REVERSIBLE
        ]

    def _spans(self, texts: Sequence[str], actions: Actions) -> list[Sequence[Span]]:
        if (read := self._read.get(actions)) is None:
            found = super()._spans(texts, actions)
            self._read[actions] = _Read(texts, found)
            return found
        known = read.spans
        new = [text for text in dict.fromkeys(texts) if text not in known]
        known.update(zip(new, super()._spans(new, actions), strict=True))
        return [known[text] for text in texts]

    def edit(self, span: Span, value: str, named: dict[str, str], actions: Actions | None = None) -> Edit | None:
        """Return what is done with one finding; placeholders of ours stay as they are."""
        return None if span.entity == PLACEHOLDER else self._act(span, value, named, actions)

    def again(self, edit: Edit, value: str, fields: frozenset[str]) -> Edit | None:
        """What is done with a value that was found elsewhere, where it stands in ``fields``; None: nothing."""
        if not self.by_field:
            return edit
        done = self._done(edit, value, self._engine.actions("request", fields).of(edit.entity), {})
        return None if done.replacement is None else done

    def known(self, found: Iterable[tuple[Edit, str]]) -> KnownValues | None:
        """Take what was found in a request; the answer finds the same values where nothing else tells them."""
        known = known_values(found, self)
        if known is None:
            self._read.clear()
        return known

    def note(self, found: Iterable[tuple[Edit, str]]) -> None:
        """Count, remember a refusal, and put names and the caller's own values into the vault."""
        noted = list(found)
        super().note(noted)
        self._read.clear()
        for edit, text in noted:
            if edit.replacement is None:
                self._vault.add_own(edit.entity, text)
                continue
            value = value_spelled_like(edit.replacement, text)
            self._vault.add_own(edit.entity, value)
            if edit.action in _REVERSIBLE and edit.replacement != self.mask(edit.entity):
                self._keep(edit.action, edit.entity, edit.replacement, value)

    def _keep(self, action: str, entity: str, replacement: str, value: str) -> None:
        """Remember what stands for a value, and what stood for it under keys that were rotated out."""
        if action == "pseudonymize":
            self._vault.add(entity, meant(replacement), value)
            for names in self._engine.retired:
                self._vault.add_if_free(entity, next(iter(names.candidates(entity, value))), value)
        else:
            self._vault.add_surrogate(entity, replacement, value)
            for names in self._engine.retired:
                former = next(iter(names.surrogates(entity, value)))
                if former != value and not self._vault.stands_for_other(former, value):
                    self._vault.add_surrogate(entity, former, value)


class ReplyRewriter(_Rewriter):
    """Puts the caller's own values back into a reply, and takes out personal data that is new in it."""

    _direction = "response"

    def __init__(self, engine: PiiEngine, vault: Vault) -> None:
        super().__init__(engine, vault)
        self.restored = 0
        self._literal: tuple[int, Matcher] | None = None

    def _also(self) -> Matcher | None:
        """The call's surrogates: only a search for themselves tells them from values that are new."""
        stand_ins = self._vault.surrogates
        if not stand_ins or not self._engine.policy.restore:
            return None
        if self._literal is None or self._literal[0] != len(stand_ins):
            self._literal = len(stand_ins), literal_placeholders(stand_ins)
        return self._literal[1]

    def part(self) -> ReplyRewriter:
        """Return what was counted since the last part, and count anew: one connection brings many replies."""
        part = ReplyRewriter(self._engine, self._vault)
        part.counts, part.restored, part.refused = self.counts, self.restored, self.refused
        part.decided, part.refused_by = self.decided, self.refused_by
        self.counts, self.restored, self.refused = Counter(), 0, None
        self.decided, self.refused_by = Counter(), ""
        self._allowance = self._engine.allowance()
        return part

    def _edits(self, texts: Sequence[str], actions: Actions) -> list[Sequence[Edit]]:
        found = super()._edits(texts, actions)
        for text, edits in zip(texts, found, strict=True):
            if any(edit.action == "restore" for edit in edits) and (listener := self._listener()) is not None:
                listen_to(listener, text, 0, len(text), edits)
                listener.finish()
        return found

    def _listener(self) -> Listener | None:
        if not self._engine.policy.restore or not self._vault.restores:
            return None
        return self._engine.echoes.listen(self._engine.version)

    def edit(self, span: Span, value: str, named: dict[str, str], actions: Actions | None = None) -> Edit | None:
        """Return what is done with one finding: restore it, leave the caller's own, or act by policy."""
        if span.entity == PLACEHOLDER:
            entity = self._vault.surrogates.get(value)
            placeholder = meant(value) if entity is None else value
            own = self._vault.value(placeholder) if self._engine.policy.restore else None
            if own is None:
                return None
            entity = entity or self._engine.names.entity_in(placeholder)
            return Edit(span.start, span.end, spelled_like(value, own), entity, "restore")
        return None if self._vault.is_own(span.entity, value) else self._act(span, value, named, actions)

    def note(self, found: Iterable[tuple[Edit, str]]) -> None:
        """Count what was new and what was restored."""
        noted = list(found)
        restored = sum(edit.action == "restore" for edit, _ in noted)
        self.restored += restored
        super().note((edit, value) for edit, value in noted if edit.action != "restore")


class _Read:
    """Texts with what was found in them; most are never asked for again, so the table is made when one is."""

    def __init__(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> None:
        self._pairs = texts, spans

    @cached_property
    def spans(self) -> dict[str, Sequence[Span]]:
        """By text."""
        return dict(zip(*self._pairs, strict=True))


def listen_to(listener: Listener, text: str, at: int, end: int, edits: Iterable[Edit]) -> None:
    """Tell ``listener`` what ``edits`` make of ``text[at:end]``."""
    for edit in edits:
        if edit.replacement is None:
            continue
        listener.take(text[at : edit.start])
        if edit.action == "restore":
            listener.take_restored(text[edit.start : edit.end], edit.replacement, edit.entity)
        else:
            listener.take(edit.replacement)
        at = edit.end
    listener.take(text[at:end])


class _Channel:
    """Rewrites one text that arrives in pieces, and takes note itself."""

    def __init__(
        self,
        scanner: Scanner,
        edit: Callable[[Span, str, dict[str, str]], Edit | None],
        note: Callable[[Iterable[tuple[Edit, str]]], None],
        listener: Listener | None,
    ) -> None:
        self._scanner = scanner
        self._edit = edit
        self._note = note
        self._listener = listener
        self._held = ""  # what the listener has not taken in
        self._base = 0

    def feed(self, text: str) -> tuple[int, Sequence[Edit]]:
        """Take the next piece; return (offset up to which all is decided, edits newly decided, in order)."""
        decided, found = self._scanner.feed(text)
        edits = self._decide(found)
        if self._listener is not None:
            self._held += text
            self._listen(self._listener, decided - self._base, edits)
        return decided, edits

    def finish(self) -> Sequence[Edit]:
        """No more text: decide the rest."""
        edits = self._decide(self._scanner.finish())
        if self._listener is not None:
            self._listen(self._listener, len(self._held), edits)
            self._listener.finish()
        return edits

    def _listen(self, listener: Listener, end: int, edits: Sequence[Edit]) -> None:
        here = [Edit(e.start - self._base, e.end - self._base, e.replacement, e.entity, e.action) for e in edits]
        listen_to(listener, self._held, 0, end, here)
        self._held, self._base = self._held[end:], self._base + end

    def _decide(self, found: Sequence[tuple[Span, str]]) -> list[Edit]:
        if not found:  # as after nearly every event of a stream
            return []
        named: dict[str, str] = {}
        noted = [(edit, text) for span, text in found if (edit := self._edit(span, text, named))]
        self._note(noted)
        return [edit for edit, _ in noted]
