"""Our certificate authority: under our own name, for us alone, and found by mitmproxy as its own."""

import os
import stat
from pathlib import Path

import pytest
from cryptography import x509
from mitmproxy.certs import CertStore
from mitmproxy.options import CONF_BASENAME, KEY_SIZE

from outwarden.flow.authority import certificate_path, prepare


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority; making one takes a while, so all tests read this one."""
    folder = tmp_path_factory.mktemp("state") / "ca"
    before = os.umask(0o022)
    try:
        prepare(folder)
    finally:
        os.umask(before)
    return folder


def mode(path: Path) -> int:
    """The permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def test_the_files_are_for_their_owner_alone(folder: Path) -> None:
    """The folder and everything in it, whatever the umask was."""
    assert mode(folder) == 0o700
    assert {path.name: oct(mode(path)) for path in folder.iterdir() if mode(path) & 0o077} == {}
    assert (folder / "outwarden-ca.pem").exists()


def test_the_certificate_is_ours_and_has_no_key(folder: Path) -> None:
    """What clients trust names us, and the private key is not in that file."""
    path = folder / "outwarden-ca-cert.pem"
    certificate = x509.load_pem_x509_certificate(path.read_bytes())

    assert "Outwarden" in certificate.subject.rfc4514_string()
    assert b"PRIVATE KEY" not in path.read_bytes()
    assert b"PRIVATE KEY" in (folder / "outwarden-ca.pem").read_bytes()


def test_mitmproxy_finds_it_as_its_own(folder: Path) -> None:
    """Under mitmproxy's name lies the same authority; it makes no second one."""
    for ending in ("ca.pem", "ca-cert.pem", "dhparam.pem"):
        assert (folder / f"{CONF_BASENAME}-{ending}").samefile(folder / f"outwarden-{ending}")
    store = CertStore.from_store(folder, CONF_BASENAME, KEY_SIZE)

    assert store.default_ca.to_pem() in (folder / "outwarden-ca-cert.pem").read_bytes()


def test_preparing_again_changes_nothing(folder: Path) -> None:
    """Clients trust the authority that is there; it is never replaced."""
    before = {path.name: (path.stat().st_ino, path.read_bytes()) for path in folder.iterdir()}

    assert prepare(folder) == folder / "outwarden-ca-cert.pem"
    assert {path.name: (path.stat().st_ino, path.read_bytes()) for path in folder.iterdir()} == before


def test_the_path_of_what_clients_trust(folder: Path, tmp_path: Path) -> None:
    """Ours where there is one, else that of the mitmproxy that hosts us."""
    assert certificate_path(folder) == folder / "outwarden-ca-cert.pem"
    assert certificate_path(str(tmp_path)) == tmp_path / f"{CONF_BASENAME}-ca-cert.pem"
    assert "~" not in str(certificate_path("~/.mitmproxy"))
