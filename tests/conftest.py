"""What holds for every test: generated input is reproducible in CI, and CI skips nothing silently."""

import os
import re
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.pop("OUTWARDEN_DATABASE", None)  # no test may touch the ledger of whoever runs it

IN_CI = os.environ.get("CI", "").lower() not in ("", "0", "false")
CORPUS = Path(__file__).parents[2] / "shared"

# No deadline: a busy machine is not a slow program. Speed has its own measurements.
settings.register_profile("outwarden", deadline=None)
# CI tries the same examples each time, so the last of them tell it little; whoever runs the suite tries new ones.
settings.register_profile("outwarden-ci", deadline=None, derandomize=True, print_blob=True, max_examples=60)
settings.load_profile("outwarden-ci" if IN_CI else "outwarden")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("ci_may_skip", "regular expressions of skip reasons that are no failure in CI", type="linelist")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name binary values by their argument: a gzip body holds the time, and xdist's processes must agree on ids."""
    return argname if isinstance(val, bytes) and not val.isascii() else None


def may_skip(reason: str, allowed: list[str]) -> bool:
    """Tell whether CI accepts this reason: one of the allowed ones, or a recorded corpus that is not there at all."""
    if not CORPUS.is_dir() and "corpus" in reason:
        return True
    return any(re.search(pattern, reason) for pattern in allowed)


def refuse_skip(report: pytest.TestReport | pytest.CollectReport, config: pytest.Config) -> None:
    """Turn a skip that CI may not accept into a failure; leave expected failures and every other outcome alone."""
    if not IN_CI or report.outcome != "skipped" or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if not may_skip(reason, config.getini("ci_may_skip")):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where it must run ({reason})"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    refuse_skip(report, item.config)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    refuse_skip(report, collector.config)
    return report
