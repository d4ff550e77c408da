"""The audit room: one record per call, chained by hash, so that a change shows.

It knows the file, the chain and its check. What a record says is left to the addon that writes it; a record holds no
text, no value and no key.
"""

from outwarden.audit.log import AuditLog
from outwarden.audit.read import read, recent, verify

__all__ = ["AuditLog", "read", "recent", "verify"]
