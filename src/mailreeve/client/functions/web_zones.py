"""The functions of web zones. Made by tools/make_client.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from mailreeve.client.aio.api import AsyncApi
    from mailreeve.client.api import Api


class UnsaidAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`count` targets or entries of a web list or temporary allow, as `what` has it, that a zone does not say,
    and why. `examples` are some of the entries.
    """

    id: str = ""
    description: str = ""
    reason: str = ""
    what: str = ""
    why: str = ""
    count: int = 0
    examples: tuple[str, ...] = ()


class ZoneAnswer(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"not_said": "notSaid", "not_said_count": "notSaidCount"},
):
    """A zone: of a location by its name, or of everyone, where that is empty. Serial, the number of names and
    the time of the last change are those it was last fetched or written with, null where it never was. The
    first of what it does not say, and of how much.
    """

    name: str = ""
    location: str = ""
    serial: int | None = None
    names: int | None = None
    changed: str | None = None
    not_said: tuple[UnsaidAnswer, ...] = ()
    not_said_count: int = 0


class ZonesAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The zones of an account, the names of the keys that they may be fetched with, and the account's
    revision.
    """

    zones: tuple[ZoneAnswer, ...] = ()
    keys: tuple[str, ...] = ()
    revision: int = 0


class WebZonesFunctions:
    """What can be asked about web zones."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def get_web_zones(self) -> ZonesAnswer:
        """Say which zones resolvers can fetch, and what of the web lists these cannot say."""
        return self._api.one_of(ZonesAnswer, "ext/get-web-zones", {})


class AsyncWebZonesFunctions:
    """What can be asked about web zones."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def get_web_zones(self) -> ZonesAnswer:
        """Say which zones resolvers can fetch, and what of the web lists these cannot say."""
        return await self._api.one_of(ZonesAnswer, "ext/get-web-zones", {})
