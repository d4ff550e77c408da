"""`scripts/replay FOLDER`: play what was recorded through the running interceptor and print what became of it."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from replaying.comparing import Outcome, Variant
from replaying.reading import Unplayed
from replaying.reporting import as_json, show, unexplained
from replaying.upstream import CUTS
from replaying.ways import Choice, jobs_here, play_all


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripts/replay", description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder of recordings, such as ../shared/wire")
    parser.add_argument("--http", choices=["1.1", "2", "both"], default="both", help="on both sides of the proxy")
    parser.add_argument(
        "--chunks", choices=[*CUTS, "all"], default="all", help="how the upstream cuts replies (1: into single bytes)"
    )
    parser.add_argument("--only", metavar="PROVIDER", default="", help="the records of one provider")
    parser.add_argument("--id", action="append", default=[], help="only this record; may be repeated")
    parser.add_argument("--values", choices=["none", "planted", "both"], default="both", help="plant values or not")
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="at most N HTTP exchanges of each row")
    parser.add_argument("--workers", type=int, default=8, help="records at a time, in each way")
    parser.add_argument("--jobs", type=int, default=jobs_here(), help="ways at a time (default here: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args(arguments)


def variants(chosen: argparse.Namespace) -> list[Variant]:
    """Every way in which the records are to be played."""
    https = ["1.1", "2"] if chosen.http == "both" else [chosen.http]
    cuts = list(CUTS) if chosen.chunks == "all" else [chosen.chunks]
    planted = {"none": [False], "planted": [True], "both": [False, True]}[chosen.values]
    return [Variant(http, cut, values) for values in planted for http in https for cut in cuts]


def main(arguments: Sequence[str] | None = None) -> int:
    """Play, print, and return 1 where something differs without a reason."""
    chosen = options(arguments)
    choice = Choice(chosen.folder, chosen.only, tuple(chosen.id), chosen.limit)
    try:
        recording = choice.read()
    except OSError as error:
        print(f"replay: {error}", file=sys.stderr)
        return 2
    if not recording.count:
        print("replay: nothing is left to play", file=sys.stderr)
        return 2
    started = time.monotonic()
    outcomes: list[Outcome] = []
    unplayed: list[Unplayed] = list(recording.unplayed)
    failed: list[str] = []
    ways = variants(chosen)
    for result in play_all(choice, ways, workers=chosen.workers, jobs=max(1, chosen.jobs)):
        outcomes += result.played.outcomes
        unplayed += result.played.unplayed
        wrong = f"{result.variant}: {result.failed}"
        failed += [wrong] if result.failed else []
        told = wrong if result.failed else f"{result.variant}: {len(result.played.outcomes)} in {result.seconds:.0f} s"
        print(told, file=sys.stderr, flush=True)
    seconds = time.monotonic() - started
    if chosen.json:
        print(json.dumps({"seconds": round(seconds)} | as_json(outcomes, unplayed, failed), indent=1))
    else:
        title = f"{recording.count} records x {len(ways)} ways, {seconds:.0f} s"
        show(Console(width=None if sys.stdout.isatty() else 160), outcomes, unplayed, failed, title)
    return 1 if unexplained(outcomes) or failed else 0


if __name__ == "__main__":
    sys.exit(main())
