"""Which certificate does `mailreeve call` accept from a server?

What the system trusts, what it was told to trust, and from the server of its own data folder the certificate that
the settings of the folder name. A server on this machine is reached by address: its certificate, where that is one
of those named, is then asked for by a name that it was made for.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from mailreeve.app.settings import Settings

_LOCAL: Final = "localhost"


class Trust(Struct, frozen=True):
    """What verifies a server, and the name that its certificate has to be for, if that is not the host's."""

    verify: ssl.SSLContext | bool = True
    server_name: str | None = None


def trusted(url: str, settings: Settings, *, own: bool) -> Trust:
    """For a URL, and whether it is that of the folder's own server. Raises `ValueError` or `OSError`."""
    # The server's own files need not be readable for whoever calls it.
    served = settings.tls_cert if own and os.access(settings.tls_cert, os.R_OK) else ""
    files = [name for name in (served, settings.ca) if name]
    if not url.startswith("https:") or not files:
        return Trust()
    context = ssl.create_default_context()
    # A certificate that is named is trusted as it is, whoever signed it.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    for file in files:
        try:
            context.load_verify_locations(file)
        except ssl.SSLError as problem:
            raise ValueError(f"{file} holds no certificates: {problem.reason or problem}") from problem
        except OSError as problem:
            raise OSError(problem.errno, problem.strerror, file) from problem
    host = urlsplit(url).hostname or ""
    if not _is_address(host) and host != _LOCAL:
        return Trust(context)
    named = [name for file in files if (name := _name_instead(host, Path(file).read_bytes()))]
    return Trust(context, named[0] if named else None)


def _name_instead(host: str, chain: bytes) -> str | None:
    """The first name that a certificate is for, if the host is none of those."""
    # Loaded here: few calls go to a certificate of the folder's own.
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificate(chain).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except x509.ExtensionNotFound:
        return None
    names: Sequence[str] = found.value.get_values_for_type(x509.DNSName)
    addresses = list(map(str, found.value.get_values_for_type(x509.IPAddress)))
    if host in names or host in addresses:
        return None
    # Any name will do that a wildcard stands for.
    return next((name.replace("*", "mailreeve", 1) for name in [*names, *addresses]), None)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
