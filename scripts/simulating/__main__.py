"""`scripts/simulate`: play made-up histories; exit with 1 and the shortest history where one does not hold."""

import argparse
import itertools
import sys
import time

from simulating.playing import opened, play, shrink


def main() -> int:
    """Play one seed, or one after the other for some seconds."""
    parser = argparse.ArgumentParser(prog="scripts/simulate", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the seed, or with --seconds the first one")
    parser.add_argument("--steps", type=int, default=500, help="steps of a history")
    parser.add_argument("--seconds", type=float, default=0, help="play seed after seed for so long")
    parser.add_argument("--store", default="sqlite", choices=["sqlite", "postgresql", "mariadb", "redis"])
    given = parser.parse_args()
    begin, played = time.monotonic(), 0
    with opened(given.store) as stores:
        for seed in itertools.count(given.seed):
            failure = play(seed, given.steps, stores) or play(seed, given.steps, stores, leased=True)
            if failure:
                print(f"seed {seed} fails after {len(failure.history.steps)} steps: {failure.found}", flush=True)
                print(f"its shortest history: {shrink(failure, stores)}")
                return 1
            played += 1
            if time.monotonic() - begin >= given.seconds:
                break
    taken, steps = time.monotonic() - begin, played * given.steps * 2
    seeds = f"seed {given.seed}" if played == 1 else f"seeds {given.seed} to {given.seed + played - 1}"
    rate = f"{taken:.1f} s ({steps / taken:.0f} a second) on {given.store}"
    print(f"{seeds}: {steps} steps, half of them with leases, in {rate}, all held")
    return 0


if __name__ == "__main__":
    sys.exit(main())
