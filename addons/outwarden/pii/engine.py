"""One policy, ready to work: what it takes to open rewriters, and the checks of what users write into their rules."""

import copy
import hashlib
from collections.abc import Mapping, Sequence

from outwarden.pii.actions import Actions
from outwarden.pii.detect import ENTITIES, Detector
from outwarden.pii.echoes import Echoes
from outwarden.pii.finder import Allowance, Finder
from outwarden.pii.listed import HASH, check_hash
from outwarden.pii.placeholders import Names
from outwarden.pii.policy import CustomEntity, Direction, Listed, PiiPolicy
from outwarden.pii.rewriters import ReplyRewriter, RequestRewriter
from outwarden.pii.syntax import PatternError
from outwarden.pii.vault import Vault

# Bump when the same policy and secret give other edits than before: remembered edits depend on it.
_REVISION = b"9"
# Callers differ in the special rules that are for them; more different sets than this are compiled anew.
_VARIANTS_MAX = 256


def unknown_entities(policy: PiiPolicy, finders: Sequence[Finder] = ()) -> list[str]:
    """Return the entity names in ``policy`` that nothing here finds, sorted."""
    own = (*(custom.entity for custom in policy.custom), *(listed.entity for listed in policy.always))
    known = ENTITIES.union(own, *(finder.entities for finder in finders))
    special = (name for rule in policy.special for name in (*rule.request, *rule.response))
    named = {*policy.request, *policy.response, *special, *(policy.entities or ())} - {"default"}
    return sorted(named - known)


def check_custom(custom: CustomEntity) -> list[str]:
    """Return what is wrong with a custom entity: a pattern that cannot be used, examples that it does not keep."""
    return _check(PiiPolicy(entities=frozenset(), custom=(custom,)), custom)


def check_listed(listed: Listed) -> list[str]:
    """Return what is wrong with values that are always found; as `check_custom`."""
    return _check(PiiPolicy(entities=frozenset(), always=(listed,)), listed)


def _check(policy: PiiPolicy, entry: CustomEntity | Listed) -> list[str]:
    try:
        detector = Detector(policy)
    except PatternError as error:
        return [str(error)]
    found = [bool(spans) for spans in detector.find([*entry.match, *entry.no_match])]
    missed = [f"match: example {at + 1} is not found" for at, hit in enumerate(found[: len(entry.match)]) if not hit]
    wrong = [f"no_match: example {at + 1} is found" for at, hit in enumerate(found[len(entry.match) :]) if hit]
    return missed + wrong


def check_allow(entry: str) -> str | None:
    """Return what is wrong with an entry of the allow list, None for nothing."""
    if entry.startswith(HASH):
        return check_hash(entry)
    try:
        Detector(PiiPolicy(entities=frozenset(), allow=(entry,)))
    except PatternError as error:
        return str(error)
    return None


class PiiEngine:
    """One policy, ready to work. Serves all calls; what it remembers (``echoes``) changes no meaning."""

    def __init__(
        self,
        policy: PiiPolicy,
        secret: bytes,
        finders: Sequence[Finder] = (),
        *,
        retired: Sequence[bytes] = (),
        echoes: Echoes | None = None,
    ) -> None:
        """Prepare ``policy``; ``secret`` keys the names. Raises ValueError for what cannot be done.

        ``retired``: secrets of before, whose names for a call's own values are still restored. ``echoes``: what an
        engine before this one remembered.
        """
        if not secret:
            raise ValueError("names need a secret")
        self.policy = policy
        self.detector = Detector(policy, finders)
        self.names = Names(secret, labels=policy.placeholders)
        self.retired = tuple(Names(former, labels=policy.placeholders) for former in retired)
        self.echoes = Echoes() if echoes is None else echoes
        self._base_version = _base_version(policy, secret, finders)
        self._variants: dict[tuple[int, ...], PiiEngine] = {}
        self._take(policy)

    def __repr__(self) -> str:
        return "<PiiEngine>"

    def _take(self, policy: PiiPolicy) -> None:
        self.policy = policy
        self._actions: dict[tuple[Direction, frozenset[str]], Actions] = {}
        self.version = _version(policy, self._base_version)

    def for_caller(self, caller: Mapping[str, str | None]) -> "PiiEngine":
        """The engine with the actions of one caller (its fields by name)."""
        if not self.policy.special:
            return self
        key = tuple(at for at, rule in enumerate(self.policy.special) if rule.is_for(caller))
        if (found := self._variants.get(key)) is None:
            if len(self._variants) >= _VARIANTS_MAX:
                self._variants.clear()
            found = copy.copy(self)
            found._take(self.policy.for_caller(caller))
            self._variants[key] = found
        return found

    def actions(self, direction: Direction, fields: frozenset[str] = frozenset()) -> Actions:
        """What is done with the findings in texts that stand in ``fields``."""
        if (found := self._actions.get((direction, fields))) is None:
            made = Actions(self.policy, direction, fields, self.detector.entities)
            found = self._actions.setdefault((direction, fields), made)
        return found

    def allowance(self) -> Allowance:
        """How long the finders may look at one call."""
        return Allowance(self.policy.ner.budget_ms / 1000) if self.policy.ner else Allowance()

    def request(self, vault: Vault) -> RequestRewriter:
        """Open a rewriter for what a call sends."""
        return RequestRewriter(self, vault)

    def reply(self, vault: Vault) -> ReplyRewriter:
        """Open a rewriter for what a call gets back; ``vault`` is the one its request filled."""
        return ReplyRewriter(self, vault)


def _base_version(policy: PiiPolicy, secret: bytes, finders: Sequence[Finder]) -> bytes:
    """What depends on neither caller nor field."""
    parts = (
        policy.restore,
        None if policy.entities is None else sorted(policy.entities),
        None if policy.countries is None else sorted(policy.countries),
        [(c.entity, c.pattern, c.context) for c in policy.custom],
        [(listed.entity, listed.values) for listed in policy.always],
        policy.allow,
        sorted(policy.placeholders.items()),
        sorted(policy.find_reserved),
        [finder.version for finder in finders],
    )
    return _digest(parts, hashlib.sha256(secret).digest())


def _version(policy: PiiPolicy, base: bytes) -> bytes:
    special = [(sorted(r.fields), sorted(r.request.items()), sorted(r.response.items())) for r in policy.special]
    return _digest((sorted(policy.request.items()), sorted(policy.response.items()), special), base)


def _digest(parts: object, key: bytes) -> bytes:
    return hashlib.blake2b(_REVISION + repr(parts).encode("utf-8", "surrogatepass"), key=key).digest()
