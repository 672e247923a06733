"""How does a web location become again what it was?"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from mailreeve.access.permissions import Permission
from mailreeve.families.directory.web_places import rows
from mailreeve.families.directory.web_places.rows import LocationRow
from mailreeve.families.machinery.call import Call
from mailreeve.families.machinery.versions import RowVersions
from mailreeve.store.changes import Part
from mailreeve.wire.errors import RESTORE_CONFLICT, refused
from mailreeve.wire.tokens import Kind


def _refuse(call: Call, old: LocationRow | None, new: LocationRow | None) -> None:
    if (
        new is None
        and old is not None
        and (rows.uses(call.work).get(old.id) or rows.clients_in(call.work, old.id))
    ):
        raise refused(
            RESTORE_CONFLICT, None, f"{RESTORE_CONFLICT.message}: web lists or clients name the location"
        )


LOCATIONS: Final = RowVersions(
    Kind.WEB_LOCATION,
    LocationRow,
    Permission.WEB_SECURITY_POLICIES_EDIT,
    Part.WEB_PLACES,
    0,
    find=rows.find,
    insert=rows.insert_location,
    replace=lambda work, old, row: rows.replace_location(work, row),
    remove=lambda work, row: rows.remove_location(work, row.id),
    refuse=_refuse,
    now=lambda work, row: structs.replace(row, updated_at=work.now),
)
