"""From a folder of rule files to one frozen `Rules`, or to every problem in them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from outwarden.budget.callers import CallerRules
from outwarden.budget.limits import BudgetRules
from outwarden.content.rules import ContentRules
from outwarden.errors import Problem, RulesError
from outwarden.pii.policy import PiiPolicy
from outwarden.pricing.price import PriceRule
from outwarden.routing.routes import RouteRules
from outwarden.rules.nodes import FILE_BYTES_MAX, Mapping, Node, NodeError, parse
from outwarden.rules.read_budgets import read_budgets
from outwarden.rules.read_callers import read_callers
from outwarden.rules.read_content import read_content
from outwarden.rules.read_pii import read_pii
from outwarden.rules.read_prices import read_prices
from outwarden.rules.read_routes import read_routes
from outwarden.rules.read_traffic import read_traffic
from outwarden.wire.traffic import Traffic

RULE_FILES = ("traffic.yml", "callers.yml", "pii.yml", "budgets.yml", "routes.yml", "prices.yml", "content.yml")


@dataclass(frozen=True)
class Rules:
    """All rules in force, swapped as a whole."""

    traffic: Traffic
    callers: CallerRules
    pii: PiiPolicy
    budgets: BudgetRules
    routes: RouteRules
    prices: tuple[PriceRule, ...]
    content: ContentRules


def load_rules(folder: Path) -> Rules:
    """Read the rule files in ``folder``; a file that is not there is the shipped one.

    The shipped table of known hosts always lies under the folder's ``traffic.yml``. Raises RulesError with every
    problem of every file.
    """
    reading = _Reading(folder)
    shipped = shipped_rules()
    base = reading.file("traffic.yml", lambda node: read_traffic(node, shipped, Traffic(())), Traffic(()), shipped)

    def own_traffic(node: Node) -> Traffic:
        return read_traffic(node, folder, base)

    routes = reading.file("routes.yml", lambda node: read_routes(node, folder), None)
    rules = Rules(
        traffic=base if reading.is_shipped("traffic.yml") else reading.file("traffic.yml", own_traffic, base),
        callers=reading.file("callers.yml", read_callers, CallerRules()),
        pii=reading.file("pii.yml", read_pii, PiiPolicy()),
        budgets=reading.file("budgets.yml", lambda node: read_budgets(node, folder, routes), BudgetRules()),
        routes=routes or RouteRules(),
        prices=reading.file("prices.yml", read_prices, ()),
        content=reading.file("content.yml", read_content, ContentRules()),
    )
    if reading.problems:
        raise RulesError(reading.problems)
    return rules


def shipped_rules() -> Path:
    """The folder of the shipped rule files: inside the installed package, else at the top of the repository."""
    packaged = Path(__file__).parent / "shipped"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "rules"


class _Reading:
    """Reads the files of one folder and gathers their problems."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.problems: list[Problem] = []
        if not folder.is_dir():
            self.problems.append(Problem(str(folder), 0, "no such folder"))

    def is_shipped(self, name: str) -> bool:
        """Tell whether the folder has no such file of its own."""
        return not (self._folder / name).exists() or self._folder.samefile(shipped_rules())

    def file[T](self, name: str, read: Callable[[Node], T], default: T, folder: Path | None = None) -> T:
        """Read one file; ``default`` stands in where it cannot be used, and a problem is noted."""
        path = (folder or (shipped_rules() if self.is_shipped(name) else self._folder)) / name
        try:
            return read(parse(_text(path)) or Mapping(1))
        except NodeError as error:
            self.problems += [Problem(str(path), line, message) for line, message in sorted(error.problems)]
        except (OSError, UnicodeDecodeError) as error:
            reason = "is not UTF-8" if isinstance(error, UnicodeDecodeError) else "cannot be read"
            self.problems.append(Problem(str(path), 0, f"the file {reason}"))
        return default


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(FILE_BYTES_MAX + 1).decode("utf-8-sig")
