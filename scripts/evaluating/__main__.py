"""`scripts/evaluate`: see there."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from evaluating.finders import ours, presidio
from evaluating.invented import SETS, invent
from evaluating.scores import Report, score, table
from evaluating.streams import profile
from evaluating.texts import Text, as_text, files_in, read_texts
from outwarden.pii import PiiEngine, finders_for
from outwarden.rules import load_rules, shipped_rules


def main() -> int:
    """Read, measure, print. 0; 2 for what cannot be read."""
    parser = argparse.ArgumentParser(prog="scripts/evaluate", description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, help="files or folders of labelled JSON lines")
    parser.add_argument("--invented", action="store_true", help="measure texts that are made up on the spot as well")
    parser.add_argument("--rules", type=Path, default=shipped_rules(), help="a folder with pii.yml")
    parser.add_argument("--presidio", action="store_true", help="measure Presidio's patterns beside ours")
    parser.add_argument("--streams", action="store_true", help="measure what streams leak and restore")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print so many misses and wrong findings")
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    options = parser.parse_args()
    if not options.paths and not options.invented:
        parser.error("name files or folders, or --invented")
    try:
        reports = {file.name: measure(file.name, list(read_texts(file)), options) for file in files_in(options.paths)}
    except (OSError, ValueError) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 2
    if options.invented:
        for name in SETS:
            reports[name] = measure(name, [as_text(one.as_record()) for one in invent(name)], options)
    if options.json:
        print(json.dumps(reports))
    return 0


def measure(name: str, texts: Sequence[Text], options: argparse.Namespace) -> dict[str, object]:
    """Measure one set, and print it unless JSON is asked for."""
    find, known = ours(options.rules)
    bodies = [text.text for text in texts]
    report = score(texts, find(bodies), known)
    others: dict[str, Report] = {}
    if options.presidio:
        other = presidio()
        if other is None:
            print("evaluate: Presidio is not installed (pip install presidio-analyzer)", file=sys.stderr)
        else:
            others["Presidio F2"] = score(texts, other(bodies), known)
    figures = report.as_json() | {name: one.as_json() for name, one in others.items()}
    if options.streams:
        policy = load_rules(options.rules).pii
        streamed = profile(PiiEngine(policy, b"an evaluation's own secret", finders_for(policy)), texts)
        figures["streams"] = {
            "values": streamed.values,
            "leak": round(streamed.leak, 5),
            "fidelity": round(streamed.fidelity, 5),
            "fidelity_in_arguments": round(streamed.fidelity_in_arguments, 5),
            "same_next_turn": round(streamed.same_next_turn, 5),
            "different_from_whole": streamed.different,
        }
    if not options.json:
        show(name, report, others, figures, options.show)
    return figures


def show(name: str, report: Report, others: dict[str, Report], figures: dict[str, object], examples: int) -> None:
    """Print one file's figures as a table, and examples where they are asked for."""
    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 140)
    head, *rows = table(report, others)
    shown = Table(*head, title=f"{name}: {report.texts} texts")
    for row in rows:
        shown.add_row(*row)
    console.print(shown)
    if report.harmless:
        share = report.hit / report.harmless
        console.print(f"harmless texts: {report.hit} of {report.harmless} hit ({share:.1%}) {dict(report.hits)}")
    categories = {c: s for c, s in report.categories.items() if c and len(report.categories) > 1}
    for category, one in sorted(categories.items()):
        console.print(f"  {category}: recall {one.recall:.3f} of {one.labels}")
    if "streams" in figures:
        console.print(f"streams: {figures['streams']}")
    for title, found in (("missed", report.missed), ("wrong", report.wrong)):
        for entity, around in found[:examples]:
            console.print(f"{title} {entity}: {around}")


sys.exit(main())
