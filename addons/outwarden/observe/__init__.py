"""Numbers for those who watch the interceptor: what was called, what it cost, what was taken out, how long we took.

Knows the audit record's fields and the Prometheus text format. Leaves to others where records come from (the addons)
and who may read the numbers (web). No label is controlled by a caller without a bound.
"""

from outwarden.observe.exposition import CONTENT_TYPE, Bounded, Counter, Histogram, gauge_lines
from outwarden.observe.metrics import Metrics

__all__ = ["CONTENT_TYPE", "Bounded", "Counter", "Histogram", "Metrics", "gauge_lines"]
