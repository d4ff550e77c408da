"""A throw-away certificate authority for simulated hosts; never for anything else."""

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_DAYS = 30  # long enough for any test or demo, short enough to be useless if it leaks
MAX_NAMES = 1000  # a chain of some 30 kB; recorded traffic names hundreds of hosts


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where the PEM files lie: the CA to trust, the server's chain, and its key."""

    ca: Path
    chain: Path
    key: Path


def make_certificates(folder: Path, names: Sequence[str]) -> Certificates:
    """Make a fresh CA and one server certificate for ``names`` (host names, ``*`` patterns, IP addresses).

    Writes three PEM files into ``folder``; the CA's own key is not kept. Raises ValueError for no or too many names.
    """
    if not 0 < len(names) <= MAX_NAMES:
        raise ValueError(f"1 to {MAX_NAMES} names are needed, not {len(names)}")
    folder.mkdir(parents=True, exist_ok=True)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _authority(ca_key)
    server = _server(key.public_key(), names, authority, ca_key)
    paths = Certificates(folder / "simulated-ca.pem", folder / "simulated-chain.pem", folder / "simulated-key.pem")
    pem = serialization.Encoding.PEM
    paths.ca.write_bytes(authority.public_bytes(pem))
    paths.chain.write_bytes(server.public_bytes(pem) + authority.public_bytes(pem))
    paths.key.touch(mode=0o600)
    paths.key.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return paths


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = _name("Outwarden simulated providers, throw-away CA")
    # Python 3.13 verifies strictly: a CA needs key usage and both key identifiers (RFC 5280, 4.2.1).
    builder = _dated(x509.CertificateBuilder(), name, name, key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return builder.sign(key, hashes.SHA256())


def _server(
    key: ec.EllipticCurvePublicKey,
    names: Sequence[str],
    authority: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    builder = _dated(x509.CertificateBuilder(), _name("simulated provider"), authority.subject, key)
    builder = builder.add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    return builder.add_extension(issuer, critical=False).sign(ca_key, hashes.SHA256())


def _dated(
    builder: x509.CertificateBuilder, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    builder = builder.subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    # An hour of slack for a client whose clock is late.
    builder = builder.not_valid_before(now - datetime.timedelta(hours=1))
    return builder.not_valid_after(now + datetime.timedelta(days=VALID_DAYS))


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=signs_certificates, crl_sign=signs_certificates,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
