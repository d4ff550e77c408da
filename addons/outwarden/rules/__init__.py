"""The rules room: from ``rules/*.yml`` to the frozen objects of the other rooms, and the state folder.

It knows YAML, lines and keys, and turns every mistake into ``file:line: message``, all of them at once. What a rule
means is left to the room it belongs to: this room builds ``Traffic`` (wire), ``CallerRules`` and ``BudgetRules``
(budget), ``PiiPolicy`` (pii), ``RouteRules`` (routing), ``PriceRule`` (pricing) and ``ContentRules`` (content). What is
part of the contract, but not built yet, is refused here with an error that names the key.
"""

from outwarden.rules.key_ring import KeyRing
from outwarden.rules.load import RULE_FILES, Rules, load_rules, shipped_rules
from outwarden.rules.state import StateFolder, default_state_folder
from outwarden.rules.watch import RulesFile

__all__ = [
    "RULE_FILES",
    "KeyRing",
    "Rules",
    "RulesFile",
    "StateFolder",
    "default_state_folder",
    "load_rules",
    "shipped_rules",
]
