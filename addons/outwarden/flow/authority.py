"""Our certificate authority, under our own name, in the folder that mitmproxy reads its own from."""

import os
from pathlib import Path

from mitmproxy.certs import CertStore
from mitmproxy.options import CONF_BASENAME, KEY_SIZE

NAME = "outwarden"


def certificate_path(folder: str | Path) -> Path:
    """What clients trust: ours if the folder holds one, else the one of the mitmproxy that hosts us."""
    folder = Path(folder).expanduser()
    ours = folder / f"{NAME}-ca-cert.pem"
    return ours if ours.exists() else folder / f"{CONF_BASENAME}-ca-cert.pem"


def prepare(folder: Path) -> Path:
    """Create the authority where there is none; return the certificate that clients trust.

    mitmproxy knows its files by its own name; a second name for the same file lets it find ours. The private key and
    all files with it are readable by their owner alone.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = folder / f"{NAME}-ca.pem"
    if not key.exists():
        before = os.umask(0o077)
        try:
            CertStore.create_store(folder, NAME, KEY_SIZE, organization="Outwarden", cn="Outwarden")
        finally:
            os.umask(before)
    for ending in ("ca.pem", "ca-cert.pem", "dhparam.pem"):
        ours, theirs = folder / f"{NAME}-{ending}", folder / f"{CONF_BASENAME}-{ending}"
        if ours.exists() and not theirs.exists():
            os.link(ours, theirs)
    return folder / f"{NAME}-ca-cert.pem"
