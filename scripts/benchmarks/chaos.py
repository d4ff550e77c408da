"""A storm of failing upstreams over a running interceptor: each call ends whole or with an explicit error, in time.

Thousands of calls (OpenAI and Anthropic, streams and whole, HTTP/1.1 and HTTP/2, with personal data, budgets, routes of
all kinds, clients that leave) while upstreams refuse, reset, limit, stall, dawdle, cut, truncate and lie, drawn from a
seed. Checks every reply, every record, the ledger, the logs, memory and file descriptors; exits with 1 if anything is
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

from weathering.storm import WRONG_SHOWN, Outcome, Storm


def main() -> None:
    """Parse the command line, let it blow, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--parallel", type=int, default=32)
    parser.add_argument("--warm-up", type=int, default=4000, help="calls before memory is first looked at")
    parser.add_argument("--hold", choices=["full", "metered"], default="full", help="how budgets hold for a stream")
    parser.add_argument("--log", type=Path, help="write the interceptor's own output here")
    given = parser.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d}  {platform.machine()}, {os.cpu_count()} cores, seed {given.seed}", flush=True)
    storm = Storm(given.seed, given.calls, given.parallel, given.warm_up, given.hold, keep=given.log)
    outcome = storm.run()
    report(outcome)
    sys.exit(1 if outcome.wrong else 0)


def report(outcome: Outcome) -> None:
    """Print the table, and the first of what is wrong."""
    calls = outcome.kinds.total()
    rate = calls / outcome.seconds
    print(f"{calls} calls in {outcome.seconds:.0f} s ({rate:.0f} a second), {outcome.attempts} attempts")
    for kind, number in outcome.kinds.most_common():
        print(f"  {kind:8} {number:6}")
    print(f"  slowest  {outcome.slowest_s:6.2f} s")
    print("what clients were told")
    for told, number in outcome.told.most_common():
        print(f"  {number:6}  {told}")
    print("what the upstreams did")
    for fate, number in outcome.fates.most_common():
        print(f"  {number:6}  {fate}")
    for number, footprint in outcome.footprints:
        print(f"after {number:6} calls: {footprint.rss_bytes / 2**20:.1f} MiB, {footprint.fds} file descriptors")
    print(f"{len(outcome.wrong)} wrong" if outcome.wrong else "nothing wrong")
    for wrong in outcome.wrong[:WRONG_SHOWN]:
        print(f"  {wrong}")


if __name__ == "__main__":
    main()
