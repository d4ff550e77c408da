"""The ways in which a recording is played, each in a process of its own with its own proxy and upstream."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import count
from multiprocessing import get_context
from pathlib import Path

from replaying.comparing import Variant
from replaying.exchanges import sample
from replaying.negatives import play_negatives
from replaying.playing import Played, fit_to_stage, play, running, settle, stage
from replaying.reading import Recording, read

TOLD_EVERY = 1000  # records
CPUS_PER_WAY = 1.6  # the proxy takes one, client and upstream together the better half of another


@dataclass(frozen=True, slots=True)
class Choice:
    """Which records of a folder are played."""

    folder: Path
    only: str = ""
    ids: tuple[str, ...] = ()
    limit: int = 0

    def read(self) -> Recording:
        """Read them. Raises FileNotFoundError where the folder has none."""
        recording = read(self.folder)
        fit_to_stage(recording)
        if self.only:
            recording.keep(lambda each: each.provider == self.only)
        if self.ids:
            recording.keep(lambda each: each.id in self.ids)
        if self.limit:
            recording.exchanges = sample(recording.exchanges, self.limit)
        return recording


@dataclass(frozen=True, slots=True)
class Result:
    """A way that was played, or that could not be (``failed`` says why)."""

    variant: Variant
    played: Played
    seconds: float
    failed: str = ""


def jobs_here() -> int:
    """How many ways this machine plays at a time."""
    return max(1, int((os.cpu_count() or 1) / CPUS_PER_WAY))


def play_all(choice: Choice, variants: Sequence[Variant], *, workers: int, jobs: int) -> Iterator[Result]:
    """Play every way, ``jobs`` at a time; each result comes when it is there. A way that fails leaves the others."""
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        asked: dict[Future[Result], Variant] = {
            pool.submit(play_way, choice, variant, workers): variant for variant in variants
        }
        for done in as_completed(asked):
            problem = done.exception()
            if problem is None:
                yield done.result()
            else:
                yield Result(asked[done], Played(), 0.0, f"{type(problem).__name__}: {problem}")


def play_way(choice: Choice, variant: Variant, workers: int) -> Result:
    """Play one way."""
    started = time.monotonic()
    played = asyncio.run(_play_way(choice.read(), variant, workers))
    for outcome in played.outcomes:
        outcome.exchange = outcome.exchange.slim()  # bodies need not travel between processes
    return Result(variant, played, time.monotonic() - started)


async def _play_way(recording: Recording, variant: Variant, workers: int) -> Played:
    records = recording.to_read
    told = count(1)

    def done() -> None:
        if (number := next(told)) % TOLD_EVERY == 0:
            print(f"{variant}: {number} of {len(records)}", file=sys.stderr, flush=True)

    with (
        tempfile.TemporaryDirectory(prefix="outwarden-replay-") as folder,
        stage(Path(folder), recording) as here,
        running(here.rules(planted=variant.planted)) as process,
    ):
        played = await play(records, variant, process, here.upstream, workers=workers, done=done)
        await settle(played.outcomes, process)
        if not variant.planted:
            passed = await play_negatives(recording.negatives, variant, process, Path(folder) / "negatives")
            played.outcomes += passed.outcomes
            played.unplayed += passed.unplayed
        if not process.alive:
            raise RuntimeError(f"the interceptor ended by itself:\n{process.output[-2000:]}")
    return played
