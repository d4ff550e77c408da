"""What a token costs of machines, and what plug-ins may say of it."""

import re
import sys
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outwarden.errors import CostModelError
from outwarden.pricing.cost_models import GROUP, TokenPrice, ask, by_gpu_hour

README = Path(__file__).parents[2] / "README.md"
Install = Callable[[str], None]

amounts = st.decimals("0.000000001", 10**9, places=9)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Lay a package with a cost model ``acme`` where Python finds it, as pip would."""
    monkeypatch.syspath_prepend(tmp_path)

    def put(code: str, dist: str = "acme_costs") -> None:
        folder = tmp_path / f"{dist}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[{GROUP}]\nacme = {dist}_of_a_test:cost\n")
        (tmp_path / f"{dist}_of_a_test.py").write_text(code)
        monkeypatch.delitem(sys.modules, f"{dist}_of_a_test", raising=False)

    return put


def test_an_hour_of_gpu() -> None:
    """$4.20 an hour at 900 tokens a second are 3.24 million tokens an hour."""
    assert by_gpu_hour(Decimal("4.2"), Decimal(900)) == TokenPrice(Decimal("1.296296297"), Decimal("1.296296297"))


@given(amounts, amounts)
@example(Decimal("39119067.388529857"), Decimal("1E-9"))
def test_never_short(usd: Decimal, speed: Decimal) -> None:
    """An hour at full speed costs no less than the hour, and less than a billionth more per million tokens."""
    exact = Fraction(usd) * 10**6 / (3600 * Fraction(speed))

    assert exact <= Fraction(by_gpu_hour(usd, speed).input_mtok) < exact + Fraction(1, 10**9)


def test_the_example(install: Install) -> None:
    """The plug-in that README shows."""
    (example,) = re.findall(r"```python\n(def cost\(.*?)```", README.read_text(), re.DOTALL)
    install(example)

    said = ask("acme", "llama-*", {"month_usd": "9000", "tokens_per_month": "4000000000"})

    assert said == TokenPrice(Decimal("2.25"), Decimal("9"))


def test_it_is_told_the_model_and_its_options(install: Install) -> None:
    """As the rule has them."""
    install("def cost(model, options): return {'input_mtok': len(model), 'output_mtok': float(options['a'])}")

    assert ask("acme", "qwen", {"a": "0.5"}) == TokenPrice(Decimal(4), Decimal("0.5"))


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("cost = 3", "fails with TypeError"),
        ("raise ImportError('SECRET')", "fails with ImportError at acme_costs_of_a_test.py:1"),
        ("def cost(model, options):\n    return options['SECRET']", "fails with KeyError at acme_costs_of_a_test.py:2"),
        ("other = 3", "fails with AttributeError"),
        ("def cost(model, options): return 3", "answers something else than input_mtok and output_mtok"),
        ("def cost(model, options): return {'input_mtok': 1}", "answers something else"),
        (
            "def cost(model, options): return {'input_mtok': 1, 'output_mtok': '1'}",
            "is no number but str",
        ),
        (
            "def cost(model, options): return {'input_mtok': True, 'output_mtok': 1}",
            "is no number but bool",
        ),
        ("def cost(model, options): return {'input_mtok': -1, 'output_mtok': 1}", "input_mtok that is below 0"),
        (
            "def cost(model, options): return {'input_mtok': 1, 'output_mtok': 1e300}",
            "is below 0, absurdly",
        ),
        ("def cost(model, options): return {'input_mtok': 1, 'output_mtok': float('nan')}", "or not a number"),
        ("def cost(model, options): return {'input_mtok': 1, 'output_mtok': float('inf')}", "or not a number"),
        (
            "from decimal import Decimal\ndef cost(model, options):\n"
            "    return {'input_mtok': Decimal('sNaN'), 'output_mtok': 1}",
            "or not a number",
        ),
    ],
)
def test_what_is_no_price(code: str, told: str, install: Install) -> None:
    """Never taken for a price of 0, and nothing of what it was given or said is told."""
    install(code)

    with pytest.raises(CostModelError, match=re.escape(told)) as caught:
        ask("acme", "m", {"key": "SECRET"})

    assert "SECRET" not in str(caught.value)


def test_none_of_a_name() -> None:
    """Said with the group that it would be in."""
    with pytest.raises(CostModelError, match="cost model 'acme': none of that name installed"):
        ask("acme", "m", {})


def test_two_of_a_name(install: Callable[[str, str], None]) -> None:
    """Which one is meant is never guessed."""
    install("def cost(model, options): ...", "acme_costs")
    install("def cost(model, options): ...", "other_costs")

    with pytest.raises(CostModelError, match="2 of that name installed"):
        ask("acme", "m", {})
