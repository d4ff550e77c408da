"""`outwarden trust` and `untrust`: our CA certificate in the system's store, and out of it again."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from outwarden.cli.options import RulesOption, StateOption, ca_certificate, fail, open_state

COMMAND_S_MAX = 120


@dataclass(frozen=True, slots=True)
class TrustStore:
    """How one family of systems keeps local CAs: the file to put there, and what to run after a change."""

    system: str
    place: Path
    refresh: tuple[str, ...]


# Debian: update-ca-certificates(8), only *.crt is read. Fedora: update-ca-trust(8).
DEBIAN = TrustStore(
    "Debian or Ubuntu", Path("/usr/local/share/ca-certificates/outwarden.crt"), ("update-ca-certificates",)
)
FEDORA = TrustStore(
    "Fedora or Red Hat", Path("/etc/pki/ca-trust/source/anchors/outwarden.pem"), ("update-ca-trust", "extract")
)
MACOS_KEYCHAIN = "/Library/Keychains/System.keychain"


def trust(rules: RulesOption = None, state: StateOption = None) -> None:
    """Add our CA certificate to the system's store (needs root; Debian, Ubuntu, Fedora, Red Hat, macOS)."""
    _need_root("trust")
    ca = ca_certificate(open_state(state))
    if sys.platform == "darwin":
        _run(("/usr/bin/security", "add-trusted-cert", "-d", "-r", "trustRoot", "-k", MACOS_KEYCHAIN, str(ca)))
        print("the system trusts our CA now")
        return
    store = _linux_store()
    store.place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ca, store.place)
    store.place.chmod(0o644)
    _run(store.refresh)
    print(f"the system trusts our CA now ({store.place})")


def untrust(rules: RulesOption = None, state: StateOption = None) -> None:
    """Take our CA certificate out of the system's store (needs root)."""
    _need_root("untrust")
    if sys.platform == "darwin":
        _run(("/usr/bin/security", "remove-trusted-cert", "-d", str(ca_certificate(open_state(state)))))
        print("the system does not trust our CA any more")
        return
    store = _linux_store()
    if not store.place.exists():
        print("our CA was not in the system's store")
        return
    store.place.unlink()
    _run(store.refresh)
    print("the system does not trust our CA any more")


def _need_root(command: str) -> None:
    if os.geteuid() != 0:
        fail(f"the system's store belongs to root: `sudo outwarden {command} --state DIR` (name the state folder)")


def _linux_store() -> TrustStore:
    for store in (DEBIAN, FEDORA):
        if shutil.which(store.refresh[0]):
            return store
    fail("no store is known for this system (looked for update-ca-certificates and update-ca-trust)", 2)


def _run(command: Sequence[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=COMMAND_S_MAX)  # noqa: S603  # fixed words
    except (OSError, subprocess.SubprocessError) as error:
        fail(f"`{command[0]}` failed: {type(error).__name__}")
