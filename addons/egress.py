"""What you hand to mitmproxy: ``mitmweb -s addons/egress.py``. It lists the chain, nothing else."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # mitmproxy loads this file by its path, without our source root

from outwarden.chain import chain

addons = chain()
