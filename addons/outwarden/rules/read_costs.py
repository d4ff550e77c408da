"""What a token costs, in each way that a rule file may say it: stated, by an hour of GPU, or by a cost model."""

from decimal import Decimal

from outwarden.errors import CostModelError
from outwarden.pricing.cost_models import TokenPrice, ask, by_gpu_hour
from outwarden.rules.nodes import Node, NodeError
from outwarden.rules.values import Keys, Reader, decimal, map_of, text

_STATED, _BY_HOUR, _BY_MODEL = ("input_mtok", "output_mtok"), ("gpu_hour_usd", "tokens_per_s"), ("cost_model",)


def states_tokens(keys: Keys) -> bool:
    """Whether any of the ways is there."""
    return bool(_ways(keys))


def read_costs(keys: Keys, model: str | None) -> TokenPrice | None:
    """Read what one token costs; None only where `Keys.done` will raise. ``model``: what a cost model is told."""
    way, *others = _ways(keys) or [_STATED]
    for name in (name for other in others for name in other if name in keys):
        keys.get(name, _no_second(way[0]), None)
    if way == _BY_MODEL:
        return keys.get("cost_model", _cost_model(model or "*"), None)
    if way == _BY_HOUR:
        return _by_hour(keys.need("gpu_hour_usd", decimal), keys.need("tokens_per_s", _more_than_0))
    return TokenPrice(keys.need("input_mtok", decimal), keys.need("output_mtok", decimal))


def _ways(keys: Keys) -> list[tuple[str, ...]]:
    return [way for way in (_BY_MODEL, _BY_HOUR, _STATED) if any(name in keys for name in way)]


def _no_second(first: str) -> Reader[None]:
    def read(node: Node) -> None:
        raise NodeError((node.line, f"'{first}' says already what a token costs"))

    return read


def _by_hour(usd: Decimal | None, tokens_per_s: Decimal | None) -> TokenPrice | None:
    return None if usd is None or tokens_per_s is None else by_gpu_hour(usd, tokens_per_s)


def _more_than_0(node: Node) -> Decimal:
    value = decimal(node)
    if not value:
        raise NodeError((node.line, "expected a number above 0"))
    return value


def _cost_model(model: str) -> Reader[TokenPrice]:
    def read(node: Node) -> TokenPrice:
        keys = Keys(node)
        name, options = keys.need("name", text), keys.get("options", map_of(text), {})
        keys.done()
        try:
            return ask(name, model, options)
        except CostModelError as error:
            raise NodeError((node.line, str(error))) from None

    return read
