"""The addons are tried as a chain around the playbook of the flow room's tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "flow"))  # as there

from fixtures import module_services, open_play, open_services, play, services

__all__ = ["module_services", "open_play", "open_services", "play", "services"]
