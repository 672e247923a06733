"""The endpoint that tells of zones, ours."""

from __future__ import annotations

from typing import Final

from mailreeve.access.permissions import Permission
from mailreeve.families.machinery.call import Call
from mailreeve.families.machinery.turns import one_at_a_time
from mailreeve.families.web_zones import operations
from mailreeve.families.web_zones.types import GetZones, ZonesAnswer
from mailreeve.wire.endpoint import endpoint


@endpoint("ext/get-web-zones", Permission.WEB_SECURITY_POLICIES_READ, most=1)
def get_web_zones(call: Call, item: GetZones) -> ZonesAnswer:
    """Say which zones resolvers can fetch, and what of the web lists these cannot say."""
    with one_at_a_time():
        return operations.status(call.work, call.policies, call.ids)


ENDPOINTS: Final = (get_web_zones,)
