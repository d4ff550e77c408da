"""What those who watch the interceptor get: numbers of calls, cost and time, and messages of what needs somebody.

Knows the audit record's fields, the Prometheus text format, and how webhooks are told. Leaves to others where records
come from (the addons) and who may read the numbers (web). No label is controlled by a caller without a bound.
"""

from outwarden.observe.exposition import CONTENT_TYPE, Bounded, Counter, Histogram, gauge_lines
from outwarden.observe.metrics import Metrics
from outwarden.observe.notices import Notices
from outwarden.observe.webhooks import Webhooks

__all__ = ["CONTENT_TYPE", "Bounded", "Counter", "Histogram", "Metrics", "Notices", "Webhooks", "gauge_lines"]
