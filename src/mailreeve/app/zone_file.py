"""A zone written to a file, for resolvers that read one, without a server.

It has the serial that it would be served with, which is kept: a file that is written again has the same one as
long as nothing in it is another.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

import dns.name

from mailreeve.access.caller import Origin
from mailreeve.app.folder import FolderError, Opened
from mailreeve.app.folder_api import local_caller
from mailreeve.app.settings import Settings
from mailreeve.families.directory.account import rows as accounts
from mailreeve.families.web_zones import rows
from mailreeve.families.web_zones.naming import places, room_in, zone_name
from mailreeve.families.web_zones.operations import settle
from mailreeve.policy.zone.names import ZoneNames
from mailreeve.policy.zone.rules import ZoneRules
from mailreeve.web.dns.records import Style
from mailreeve.web.dns.zone import Zone, lines


def zone_lines(opened: Opened, settings: Settings, account_id: str, location: str) -> Iterator[str]:
    """The lines of the zone of a location, by its name, or of everyone, where that is empty. Raises
    `FolderError` where there is no such location."""
    store = opened.store
    policies = opened.services.follower.current(account_id)
    code = store.read(account_id, accounts.get).code
    found = places(policies, store.read(account_id, rows.zones))
    place = next((one for one in found if one.location.casefold() == location.casefold()), None)
    if place is None:
        known = ", ".join(one.location for one in found if one.location) or "none"
        raise FolderError(f"there is no location {location!r} with a network; there are: {known}")
    name = zone_name(place.label, code)
    style = Style(settings.block_page_at())
    names = ZoneNames(ZoneRules(policies, time.time(), place.networks, room_in(name)))
    origin = Origin(local_caller(account_id).actor)
    row = store.write(account_id, origin, partial(settle, place=place, names=names, style=style.digest))
    return lines(Zone(dns.name.from_text(name), row.serial, names.names, style))
