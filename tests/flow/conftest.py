"""The fixtures of these tests, and of the addons', are in `fixtures.py`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # helpers are shared; importlib mode adds no folder by itself

from fixtures import module_services, open_play, open_services, play, services, talk

__all__ = ["module_services", "open_play", "open_services", "play", "services", "talk"]
