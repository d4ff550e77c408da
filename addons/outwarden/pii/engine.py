"""Redact requests and replies: the policy's actions on what is found, and the way back for the caller's own values."""

import hashlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from outwarden.pii.detect import (
    ENTITIES,
    Allowance,
    Detector,
    Finder,
    Span,
    Strictness,
    literal_placeholders,
)
from outwarden.pii.known import KnownValues, known_values
from outwarden.pii.matching import Matcher
from outwarden.pii.placeholders import Names, mask, meant, spelled_like
from outwarden.pii.policy import Action, CustomEntity, Direction, PiiPolicy
from outwarden.pii.recognizer import PLACEHOLDER
from outwarden.pii.stream import Scanner
from outwarden.pii.syntax import PatternError
from outwarden.pii.vault import Vault
from outwarden.wire.edits import Edit

# Bump when the same policy and secret give other edits than before: remembered edits depend on it.
_REVISION = b"2"
# Where findings of two entities overlap, the stricter action holds for both.
_STRICTNESS: Mapping[Action, int] = {
    "allow": 0,
    "flag": 1,
    "surrogate": 2,
    "pseudonymize": 2,
    "hash": 3,
    "mask": 4,
    "refuse": 5,
}


def unknown_entities(policy: PiiPolicy, finders: Sequence[Finder] = ()) -> list[str]:
    """Return the entity names in ``policy`` that nothing here finds, sorted."""
    known = ENTITIES.union((custom.entity for custom in policy.custom), *(finder.entities for finder in finders))
    named = {*policy.request, *policy.response, *(policy.entities or ())} - {"default"}
    return sorted(named - known)


def check_custom(custom: CustomEntity) -> list[str]:
    """Return what is wrong with a custom entity: a pattern that cannot be used, examples that it does not keep."""
    try:
        detector = Detector(PiiPolicy(entities=frozenset(), custom=(custom,)))
    except PatternError as error:
        return [str(error)]
    found = [bool(spans) for spans in detector.find([*custom.match, *custom.no_match])]
    missed = [f"match: example {at + 1} is not found" for at, hit in enumerate(found[: len(custom.match)]) if not hit]
    wrong = [f"no_match: example {at + 1} is found" for at, hit in enumerate(found[len(custom.match) :]) if hit]
    return missed + wrong


def check_allow(entry: str) -> str | None:
    """Return what is wrong with an entry of the allow list, None for nothing."""
    try:
        Detector(PiiPolicy(entities=frozenset(), allow=(entry,)))
    except PatternError as error:
        return str(error)
    return None


class PiiEngine:
    """One policy, ready to work. Immutable; serves all calls."""

    def __init__(self, policy: PiiPolicy, secret: bytes, finders: Sequence[Finder] = ()) -> None:
        """Prepare ``policy``; ``secret`` keys the names. Raises ValueError for what cannot be done."""
        if not secret:
            raise ValueError("names need a secret")
        self.policy = policy
        self.detector = Detector(policy, finders)
        self.names = Names(secret)
        self.strictness: Mapping[Direction, Strictness] = {
            "request": {e: _STRICTNESS[policy.action(e, "request")] for e in self.detector.entities},
            "response": {e: _STRICTNESS[policy.action(e, "response")] for e in self.detector.entities},
        }
        self.version = _version(policy, secret, finders)

    def __repr__(self) -> str:
        return "<PiiEngine>"

    def allowance(self) -> Allowance:
        """How long the finders may look at one call."""
        return Allowance(self.policy.ner.budget_ms / 1000) if self.policy.ner else Allowance()

    def request(self, vault: Vault) -> "RequestRewriter":
        """Open a rewriter for what a call sends."""
        return RequestRewriter(self, vault)

    def reply(self, vault: Vault) -> "ReplyRewriter":
        """Open a rewriter for what a call gets back; ``vault`` is the one its request filled."""
        return ReplyRewriter(self, vault)


def _version(policy: PiiPolicy, secret: bytes, finders: Sequence[Finder]) -> bytes:
    parts = (
        sorted(policy.request.items()),
        sorted(policy.response.items()),
        policy.restore,
        None if policy.entities is None else sorted(policy.entities),
        None if policy.countries is None else sorted(policy.countries),
        [(c.entity, c.pattern, c.context) for c in policy.custom],
        policy.allow,
        [finder.version for finder in finders],
    )
    return hashlib.blake2b(
        _REVISION + repr(parts).encode("utf-8", "surrogatepass"), key=hashlib.sha256(secret).digest()
    ).digest()


class _Rewriter(ABC):
    """What requests and replies share: findings become edits by the policy of one direction."""

    _direction: Direction

    def __init__(self, engine: PiiEngine, vault: Vault) -> None:
        self._engine = engine
        self._vault = vault
        self._strictness = engine.strictness[self._direction]
        self._allowance = engine.allowance()
        self.counts: Counter[str] = Counter()
        self.refused: str | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {dict(self.counts)}>"

    @property
    def complete(self) -> bool:
        """Whether the finders have looked at all texts so far; if not, the edits are not to be remembered."""
        return not self._allowance.missed

    def edits(self, texts: Sequence[str]) -> list[Sequence[Edit]]:
        """Per text its edits, sorted, not overlapping. Reads the vault, changes nothing."""
        named: dict[str, str] = {}
        return [
            [edit for span in spans if (edit := self.edit(span, text[span.start : span.end], named))]
            for text, spans in zip(texts, self._spans(texts), strict=True)
        ]

    def _spans(self, texts: Sequence[str]) -> list[list[Span]]:
        whole = self._direction == "request"
        return self._engine.detector.spans(texts, self._strictness, self._allowance, whole=whole, also=self._also())

    def channel(self) -> "_Channel":
        """Open a channel for a text that arrives in pieces."""
        return _Channel(Scanner(self._engine.detector, self._strictness, self._also()), self.edit, self.note)

    def _also(self) -> Matcher | None:
        """Patterns of this call's own."""
        return None

    @abstractmethod
    def edit(self, span: Span, value: str, named: dict[str, str]) -> Edit | None:
        """Return what is done with one finding; ``named``: the names given before the vault learns of them."""

    def note(self, found: Iterable[tuple[Edit, str]]) -> None:
        """Count edits that apply and remember a refusal."""
        for edit, _ in found:
            if edit.action != "allow":
                self.counts[edit.entity] += 1
            if edit.action == "refuse" and self.refused is None:
                self.refused = edit.entity

    def _act(self, span: Span, value: str, named: dict[str, str]) -> Edit:
        action = self._engine.policy.action(span.entity, self._direction)
        return Edit(span.start, span.end, self._replacement(action, span.entity, value, named), span.entity, action)

    def _replacement(self, action: Action, entity: str, value: str, named: dict[str, str]) -> str | None:
        if action in ("flag", "allow"):
            return None
        if action == "pseudonymize":
            return self._name(entity, value, named)
        if action == "surrogate":
            return self._stand_in(entity, value, named)
        if action == "hash":
            return self._engine.names.hashed(entity, value)
        return mask(entity)  # refuse as well: should a refused call ever be sent, it carries no value

    def _stand_in(self, entity: str, value: str, named: dict[str, str]) -> str:
        for other in self._engine.names.surrogates(entity, value):
            free = other != value and not self._vault.stands_for_other(other, value)
            if free and named.setdefault(other, value) == value:
                return other
        return mask(entity)

    def _name(self, entity: str, value: str, named: dict[str, str]) -> str:
        for name in self._engine.names.candidates(entity, value):
            if not self._vault.stands_for_other(name, value) and named.setdefault(name, value) == value:
                return name
        return mask(entity)  # all its names are taken: safe, only not restored


class RequestRewriter(_Rewriter):
    """Takes personal data out of what a call sends, and fills the call's vault."""

    _direction = "request"

    def __init__(self, engine: PiiEngine, vault: Vault) -> None:
        super().__init__(engine, vault)
        self._read: dict[str, list[Span]] = {}  # of this request, until it is noted: `known` asks for its texts again

    def _spans(self, texts: Sequence[str]) -> list[list[Span]]:
        new = [text for text in dict.fromkeys(texts) if text not in self._read]
        self._read.update(zip(new, super()._spans(new), strict=True))
        return [self._read[text] for text in texts]

    def edit(self, span: Span, value: str, named: dict[str, str]) -> Edit | None:
        """Return what is done with one finding; placeholders of ours stay as they are."""
        return None if span.entity == PLACEHOLDER else self._act(span, value, named)

    def known(self, found: Iterable[tuple[Edit, str]]) -> KnownValues | None:
        """Take what was found in a request; the answer finds the same values where nothing else tells them."""
        known = known_values(found, self.edits)
        if known is None:
            self._read.clear()
        return known

    def note(self, found: Iterable[tuple[Edit, str]]) -> None:
        """Count, remember a refusal, and put names and the caller's own values into the vault."""
        noted = list(found)
        super().note(noted)
        self._read.clear()
        for edit, value in noted:
            self._vault.add_own(edit.entity, value)
            if edit.replacement is None or edit.replacement == mask(edit.entity):
                continue
            if edit.action == "pseudonymize":
                self._vault.add(edit.entity, edit.replacement, value)
            elif edit.action == "surrogate":
                self._vault.add_surrogate(edit.entity, edit.replacement, value)


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

    def part(self) -> "ReplyRewriter":
        """Return what was counted since the last part, and count anew: one connection brings many replies."""
        part = ReplyRewriter(self._engine, self._vault)
        part.counts, part.restored, part.refused = self.counts, self.restored, self.refused
        self.counts, self.restored, self.refused = Counter(), 0, None
        self._allowance = self._engine.allowance()
        return part

    def edit(self, span: Span, value: str, named: dict[str, str]) -> Edit | None:
        """Return what is done with one finding: restore it, leave the caller's own, or act by policy."""
        if span.entity == PLACEHOLDER:
            entity = self._vault.surrogates.get(value)
            placeholder = meant(value) if entity is None else value
            own = self._vault.value(placeholder) if self._engine.policy.restore else None
            if own is None:
                return None
            entity = entity or _entity_in(placeholder)
            return Edit(span.start, span.end, spelled_like(value, own), entity, "restore")
        return None if self._vault.is_own(span.entity, value) else self._act(span, value, named)

    def note(self, found: Iterable[tuple[Edit, str]]) -> None:
        """Count what was new and what was restored."""
        noted = list(found)
        restored = sum(edit.action == "restore" for edit, _ in noted)
        self.restored += restored
        super().note((edit, value) for edit, value in noted if edit.action != "restore")


def _entity_in(placeholder: str) -> str:
    return placeholder[1:-1].rpartition("_")[0]


class _Channel:
    """Rewrites one text that arrives in pieces, and takes note itself."""

    def __init__(
        self,
        scanner: Scanner,
        edit: Callable[[Span, str, dict[str, str]], Edit | None],
        note: Callable[[Iterable[tuple[Edit, str]]], None],
    ) -> None:
        self._scanner = scanner
        self._edit = edit
        self._note = note

    def feed(self, text: str) -> tuple[int, Sequence[Edit]]:
        """Take the next piece; return (offset up to which all is decided, edits newly decided, in order)."""
        decided, found = self._scanner.feed(text)
        return decided, self._decide(found)

    def finish(self) -> Sequence[Edit]:
        """No more text: decide the rest."""
        return self._decide(self._scanner.finish())

    def _decide(self, found: Iterable[tuple[Span, str]]) -> list[Edit]:
        named: dict[str, str] = {}
        noted = [(edit, text) for span, text in found if (edit := self._edit(span, text, named))]
        self._note(noted)
        return [edit for edit, _ in noted]
