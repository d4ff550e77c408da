"""What is done with each entity in one direction and field, ready to be asked for every finding."""

from collections.abc import Iterable

from outwarden.pii.policy import STRICTNESS, Decision, Direction, PiiPolicy


class Actions:
    """The decisions of one caller's policy for texts in ``fields``. Serves all threads."""

    __slots__ = ("_decisions", "_direction", "_fields", "_policy", "strictness")

    def __init__(
        self, policy: PiiPolicy, direction: Direction, fields: frozenset[str], entities: Iterable[str]
    ) -> None:
        self._policy, self._direction, self._fields = policy, direction, fields
        self._decisions = {entity: policy.decision(entity, direction, fields) for entity in entities}
        self.strictness = {entity: STRICTNESS[made.action] for entity, made in self._decisions.items()}
        """How strict each entity's action is, for `Detector.spans`."""

    def __repr__(self) -> str:
        return f"<Actions {self._direction} {sorted(self._fields)}>"

    def of(self, entity: str) -> Decision:
        """What is done with ``entity``."""
        found = self._decisions.get(entity)
        return found or self._policy.decision(entity, self._direction, self._fields)
