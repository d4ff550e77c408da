"""`scripts/replay FOLDER`: play recorded exchanges through the running interceptor and print what became of them."""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from replaying.comparing import Outcome, Variant
from replaying.exchanges import Exchange, count_lines, read_folder, read_negatives, sample
from replaying.negatives import play_negatives
from replaying.playing import EVERYTHING, NOTHING, play, running, settle, stage
from replaying.reporting import as_json, show, unexplained
from replaying.upstream import CUTS


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripts/replay", description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder of recorded exchanges, such as ../shared/wire")
    parser.add_argument("--http", choices=["1.1", "2", "both"], default="both", help="on both sides of the proxy")
    parser.add_argument(
        "--chunks", choices=[*CUTS, "all"], default="all", help="how the upstream cuts replies (1: into single bytes)"
    )
    parser.add_argument("--only", metavar="PROVIDER", help="the exchanges of one provider")
    parser.add_argument("--id", action="append", default=[], help="only this exchange; may be repeated")
    parser.add_argument("--values", choices=["none", "planted", "both"], default="both", help="plant values or not")
    parser.add_argument("--limit", type=int, metavar="N", help="at most N exchanges of each row")
    parser.add_argument("--workers", type=int, default=8, help="exchanges at a time")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args(arguments)


def variants(chosen: argparse.Namespace) -> list[Variant]:
    """Every way in which the exchanges are to be played."""
    https = ["1.1", "2"] if chosen.http == "both" else [chosen.http]
    cuts = list(CUTS) if chosen.chunks == "all" else [chosen.chunks]
    planted = {"none": [False], "planted": [True], "both": [False, True]}[chosen.values]
    return [Variant(http, cut, values) for values in planted for http in https for cut in cuts]


def selected(chosen: argparse.Namespace) -> list[Exchange]:
    """The exchanges to play. Raises FileNotFoundError where the folder has none."""
    exchanges = read_folder(chosen.folder)
    if chosen.only:
        exchanges = [each for each in exchanges if each.provider == chosen.only]
    if chosen.id:
        exchanges = [each for each in exchanges if each.id in chosen.id]
    return sample(exchanges, chosen.limit) if chosen.limit else exchanges


async def replay(chosen: argparse.Namespace, exchanges: Sequence[Exchange], progress: Progress) -> list[Outcome]:
    """Play everything: through a process that finds nothing, then through one that finds everything."""
    outcomes: list[Outcome] = []
    negatives = [] if chosen.only or chosen.id else read_negatives(chosen.folder)
    with tempfile.TemporaryDirectory(prefix="outwarden-replay-") as name, stage(Path(name), exchanges) as here:
        for planted, pii in ((False, NOTHING), (True, EVERYTHING)):
            ways = [way for way in variants(chosen) if way.planted is planted]
            if not ways:
                continue
            with running(here.rules(pii)) as process:
                for way in ways:
                    advance = partial(progress.advance, progress.add_task(str(way), total=len(exchanges)))
                    played = await play(exchanges, way, process, here.upstream, workers=chosen.workers, done=advance)
                    await settle(played, process)
                    outcomes += played
                    if not planted:
                        outcomes += await play_negatives(negatives, way, process, Path(name) / str(len(outcomes)))
    return outcomes


def main(arguments: Sequence[str] | None = None) -> int:
    """Play, print, and return 1 where something differs without a reason."""
    chosen = options(arguments)
    console = Console(width=None if sys.stdout.isatty() else 160)
    try:
        exchanges = selected(chosen)
    except FileNotFoundError as error:
        print(f"replay: {error}", file=sys.stderr)
        return 2
    if not exchanges:
        print("replay: no exchange is left to play", file=sys.stderr)
        return 2
    started = time.monotonic()
    with Progress(console=Console(stderr=True), transient=True, disable=chosen.json) as progress:
        outcomes = asyncio.run(replay(chosen, exchanges, progress))
    took_s = time.monotonic() - started
    left = {kind: count_lines(chosen.folder, f"{kind}*.jsonl.gz") for kind in ("realtime", "grpc")}
    if chosen.json:
        print(json.dumps({"seconds": round(took_s), "not_played": left} | as_json(outcomes), indent=1))
    else:
        ways = variants(chosen)
        show(console, outcomes, f"{len(exchanges)} exchanges x {len(ways)} ways, {took_s:.0f} s")
        for kind, count in left.items():
            if count:
                console.print(f"not played: {count} of {kind}, which are no HTTP exchanges")
    return 1 if unexplained(outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
