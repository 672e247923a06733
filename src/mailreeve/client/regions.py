"""Where does an account of the hosted service live? Each region has an address of its own.

A call to another region's address is refused like one with wrong keys, so know the region, or ask `discover`.
"""

from __future__ import annotations

from typing import Final

import httpx2
from msgspec import Struct

from mailreeve.client.api import Api
from mailreeve.client.credentials import Application

ANYWHERE: Final = "https://api.mimecast.com"  # answers about accounts of all regions, and nothing else

REGIONS: Final = {
    "au": "https://au-api.mimecast.com",
    "ca": "https://ca-api.mimecast.com",
    "de": "https://de-api.mimecast.com",
    "eu": "https://eu-api.mimecast.com",
    "je": "https://je-api.mimecast.com",
    "us": "https://us-api.mimecast.com",
    "usb": "https://usb-api.mimecast.com",
    "za": "https://za-api.mimecast.com",
}
"""By the short name of the region, for signed calls."""


class Region(Struct, frozen=True):
    """A region. `api` is the base URL of its calls."""

    api: str
    code: str = ""


class Discovered(Struct, frozen=True, rename="camel"):
    """How a user signs in: where, and by which `authenticate` schemes."""

    region: Region
    email_address: str = ""
    email_token: str = ""
    authenticate: tuple[str, ...] = ()


def discover(
    email_address: str, app_id: str, base_url: str = ANYWHERE, *, transport: httpx2.BaseTransport | None = None
) -> Discovered:
    """Where the account of an address lives, and how its user signs in. Raises `ApiError` and `Unreachable`."""
    with Api(base_url, Application(app_id), transport=transport) as api:
        return api.one_of(Discovered, "login/discover-authentication", {"emailAddress": email_address})
