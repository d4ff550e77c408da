"""The content room: texts that must not pass, whatever personal data they hold.

It knows patterns and canary words, and names the rule that a text meets. Where texts are in a call is left to ``wire``,
what a refusal looks like to ``wire`` and ``flow``, personal data and keys to ``pii``.
"""

from outwarden.content.inspect import CANARY, Finding, Inspector
from outwarden.content.rules import ContentAction, ContentDirection, ContentRule, ContentRules

__all__ = ["CANARY", "ContentAction", "ContentDirection", "ContentRule", "ContentRules", "Finding", "Inspector"]
