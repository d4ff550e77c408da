"""`outwarden demo`: the interceptor at work, with real SDKs and a simulated provider, nothing left behind."""

import importlib.util
import signal
import sys
import time
from types import FrameType

from outwarden.cli.options import RulesOption, StateOption, fail

SDKS = ("openai", "anthropic")


def demo(rules: RulesOption = None, state: StateOption = None) -> None:
    """Show redaction, streaming, a budget and a failover in half a minute; needs no key, no network, leaves nothing.

    It brings its own rules and state; --rules and --state are accepted and not used.
    """
    missing = [name for name in SDKS if importlib.util.find_spec(name) is None]
    if missing:
        fail(f"the demo needs the SDKs {' and '.join(missing)}: pip install 'outwarden[demo]'")
    from outwarden.cli.demo_rules import RULES
    from outwarden.cli.demo_stage import Stage

    began = time.monotonic()
    signal.signal(signal.SIGTERM, _stop)  # so that SIGTERM cleans up as Ctrl-C does
    try:
        with Stage(RULES) as stage:
            from outwarden.cli.demo_scenes import play  # heavy: imported while the others start

            play(stage)
        print(f"Done in {time.monotonic() - began:.0f} s; every process has ended, every file is gone.")
    except KeyboardInterrupt:
        print("\nstopped; nothing was left behind", file=sys.stderr)
        raise SystemExit(130) from None


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
