"""Kill interceptors that share a ledger, one after the other, while calls run through all of them; look at the books.

After each kill every call that came in at the provider has to be charged, no cap passed, nothing held, and each balance
the sum of its lines. Moments and victims are drawn from a seed. Starts the servers itself; exits with 1 if anything is
wrong.
"""

import argparse
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "addons"))

from weathering.kills import Outcome, Setting, run

STORES = ("sqlite", "postgresql", "mariadb", "redis")


def main() -> None:
    """Parse the command line, kill, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stores", nargs="+", default=list(STORES), choices=STORES)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--interceptors", type=int, default=3)
    parser.add_argument("--lease", choices=["no", "yes", "both"], default="both", help="budgets with `lease: true`")
    given = parser.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d}  {platform.machine()}, {os.cpu_count()} cores, seed {given.seed}", flush=True)
    wrong = 0
    for store in given.stores:
        for leased in {"no": [False], "yes": [True], "both": [False, True]}[given.lease]:
            setting = Setting(
                store, given.kills, given.seed, leased, given.interceptors, lambda line: print(line, flush=True)
            )
            outcome = run(setting)
            report(setting, outcome)
            wrong += len(outcome.wrong)
    sys.exit(1 if wrong else 0)


def report(setting: Setting, outcome: Outcome) -> None:
    """Print what came of one store."""
    calls, seen = outcome.statuses.total(), sum(one.seen for one in outcome.rounds)
    told = ", ".join(f"{count} {status}" for status, count in outcome.statuses.most_common())
    how = "leased" if setting.leased else "plain"
    print(f"{setting.store}, {how}: {outcome.kills} killed in {outcome.seconds:.0f} s, {calls} calls: {told}")
    print(f"  {seen} came in, {outcome.too_much} more were charged that the dead may have sent")
    print(f"  {len(outcome.wrong)} wrong" if outcome.wrong else "  nothing wrong", flush=True)
    for line in outcome.wrong[:20]:
        print(f"    {line}")


if __name__ == "__main__":
    main()
