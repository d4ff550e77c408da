"""The certificates this machine trusts, and the bundle that adds ours to them.

``SSL_CERT_FILE`` replaces the roots of the system, so a file with our certificate alone would break every other host.
"""

import contextlib
import os
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from outwarden.errors import StateError

BUNDLE_BYTES_MAX = 16 * 1024 * 1024  # the largest system bundle seen is 0.6 MB
BUNDLE_NAME = "ca-bundle.pem"

# Where systems keep all roots in one file; Go's list: https://go.dev/src/crypto/x509/root_linux.go (read 2026-11-21).
SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch, Gentoo
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL 6
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # RHEL 7 and later
    "/etc/ssl/cert.pem",  # Alpine, macOS
)
MACOS_KEYCHAINS = (
    "/System/Library/Keychains/SystemRootCertificates.keychain",
    "/Library/Keychains/System.keychain",  # what the company installed
)


def write_bundle(folder: Path, ca: Path, environment: Mapping[str, str]) -> Path:
    """Write the trusted roots plus ``ca`` into ``folder`` and return the file. Raises StateError.

    Roots that the shell names in ``SSL_CERT_FILE`` (a company's own) are kept in place of the system's.
    """
    bundle = (folder / BUNDLE_NAME).absolute()
    try:
        ours = ca.read_bytes()
        roots = roots_of(environment, bundle)
        _replace(bundle, roots.rstrip() + b"\n" + ours)
    except OSError as error:
        raise StateError(f"the CA bundle {bundle} cannot be written: {error.strerror}: {error.filename}") from None
    return bundle


def roots_of(environment: Mapping[str, str], bundle: Path) -> bytes:
    """The roots that this shell trusts, without ours. Raises StateError where none are found."""
    named = environment.get("SSL_CERT_FILE", "")
    places = ([named] if named and Path(named).absolute() != bundle else []) + [*_openssl_default(), *SYSTEM_BUNDLES]
    if sys.platform == "darwin" and (roots := _macos_roots()):
        return roots
    for place in places:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            roots = Path(place).read_bytes()
            if b"BEGIN CERTIFICATE" in roots and len(roots) <= BUNDLE_BYTES_MAX and Path(place).resolve() != bundle:
                return roots
    return _packaged_roots()


def _openssl_default() -> Sequence[str]:
    return [ssl.get_default_verify_paths().openssl_cafile]


def _macos_roots() -> bytes:
    command = ["/usr/bin/security", "find-certificate", "-a", "-p", *MACOS_KEYCHAINS]
    try:
        return subprocess.run(command, capture_output=True, check=True, timeout=20).stdout  # noqa: S603  # fixed words
    except (OSError, subprocess.SubprocessError):
        return b""  # /etc/ssl/cert.pem is read instead


def _packaged_roots() -> bytes:
    """Mozilla's roots as certifi packages them (mitmproxy brings it), for images without a system bundle."""
    try:
        import certifi
    except ImportError:
        raise StateError("this machine has no bundle of CA certificates (looked in /etc/ssl and /etc/pki)") from None
    return Path(certifi.where()).read_bytes()


def _replace(path: Path, content: bytes) -> None:
    """Write the file whole or not at all: a client may be reading it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".ca-bundle-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), 0o644)  # certificates are public; other users' programs read them too
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
