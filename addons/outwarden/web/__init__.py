"""The status page: spend against limits, redactions, upstreams, recent calls, the rules in force.

Knows how to show a `Snapshot` as HTML, JSON and metrics, and who may ask (`StatusApp`); serves it on the admin port
(`start_admin`). Leaves to others where the snapshot comes from and how http://outwarden.internal/ reaches it (the
addons). Nothing here shows text of a call, a key, or a caller's address.
"""

from outwarden.web.admin import start_admin
from outwarden.web.snapshot import RecentCalls, Snapshot, shown_call
from outwarden.web.status import INTERNAL_HOST, Answer, StatusApp
from outwarden.web.summary import summarize

__all__ = ["INTERNAL_HOST", "Answer", "RecentCalls", "Snapshot", "StatusApp", "shown_call", "start_admin", "summarize"]
