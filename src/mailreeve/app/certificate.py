"""What does a certificate file say? When it expires, for whom it is, and whether a key belongs to it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from msgspec import Struct


class CertificateError(ValueError):
    """The file cannot be used. The message says why."""


class Certificate(Struct, frozen=True):
    """The first certificate of a file, which is the server's own. `names` are of hosts, small letters."""

    names: tuple[str, ...]
    begins: datetime
    expires: datetime
    public_key: bytes


def read_certificate(file: Path) -> Certificate:
    """The server's certificate. Raises `CertificateError`."""
    try:
        first = x509.load_pem_x509_certificates(file.read_bytes())[0]
        try:
            found = first.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            names = [*found.get_values_for_type(x509.DNSName)]
            names += [str(address) for address in found.get_values_for_type(x509.IPAddress)]
        except x509.ExtensionNotFound:
            names = []
        key = first.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except OSError as problem:
        raise CertificateError(f"{file} cannot be read: {problem.strerror}") from problem
    except (ValueError, IndexError) as problem:
        raise CertificateError(f"{file} holds no certificate in PEM") from problem
    return Certificate(
        tuple(name.lower() for name in names), first.not_valid_before_utc, first.not_valid_after_utc, key
    )


def public_key_of(file: Path) -> bytes:
    """The public half of a private key. Raises `CertificateError`."""
    try:
        key = load_pem_private_key(file.read_bytes(), None)
    except OSError as problem:
        raise CertificateError(f"{file} cannot be read: {problem.strerror}") from problem
    except (ValueError, TypeError) as problem:
        raise CertificateError(f"{file} holds no private key in PEM, or one with a password") from problem
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def expiry(file: Path) -> datetime | None:
    """When the certificate of a file expires, None where nobody can tell."""
    try:
        return read_certificate(file).expires
    except CertificateError:
        return None


def is_for(certificate: Certificate, host: str) -> bool:
    """Whether a certificate is for a host: one of its names, or the rest of one that begins with `*.`."""
    host = host.lower().rstrip(".")
    return host in certificate.names or f"*.{host.partition('.')[2]}" in certificate.names
