"""Who calls, what they may spend, and what they have spent.

Knows callers, budgets, windows and accounts, and keeps the ledger: money is held before a call and posted or given
back after it, on every account or on none, in integers. Leaves to `pricing` what a call costs, and to `flow` when the
steps happen. `leases` lets a busy process pay from memory what it leased. The rules of money know only the interface
in `store`, and `retrying` what a server undid. SQLAlchemy and the drivers live below it: `sql_store` reads;
`sql_transaction` and `sqlite_connection` write to SQLite, which has one writer at a time; `server_transaction` and
`server_connection` (`postgres_connection` with `postgres_pipeline`, `mariadb_connection`) to servers, which have row
locks; `statements`, `dialects`, `schema`, `server_schema` and `migrations` say what is there. `redis_store`,
`redis_transaction`, `redis_pruning`, `redis_connection` and `redis_rows` are all of that for Redis.
"""

from outwarden.budget.accounts import Account, accounts, keyed_digest
from outwarden.budget.callers import Caller, CallerRule, CallerRules, Evidence, header_pattern, identify, key_id
from outwarden.budget.leases import LeasingLedger
from outwarden.budget.ledger import Ledger
from outwarden.budget.limits import Budget, BudgetRules, Metered, Scope, Unit
from outwarden.budget.orders import Orders, Target
from outwarden.budget.states import Amounts, BudgetState, Denied, Held, Paused
from outwarden.budget.store import Store, open_store

__all__ = [
    "Account",
    "Amounts",
    "Budget",
    "BudgetRules",
    "BudgetState",
    "Caller",
    "CallerRule",
    "CallerRules",
    "Denied",
    "Evidence",
    "Held",
    "LeasingLedger",
    "Ledger",
    "Metered",
    "Orders",
    "Paused",
    "Scope",
    "Store",
    "Target",
    "Unit",
    "accounts",
    "header_pattern",
    "identify",
    "key_id",
    "keyed_digest",
    "open_store",
]
