"""What users were told of is forgotten with them, see `AddressFollower`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from mailreeve.access.permissions import Permission
from mailreeve.families.digest import rows
from mailreeve.families.machinery.call import Call
from mailreeve.formats.addresses import Address


class DigestReaders:
    """The users of an account who get digests."""

    reads: ClassVar[tuple[Permission, ...]] = (Permission.GATEWAY_POLICIES_READ,)

    def renamed(self, call: Call, old: str, new: Address) -> None:
        """A user gets the digest under whatever address is the primary one when it is sent."""

    def removed(self, call: Call, user_id: str, keys: Sequence[str]) -> None:
        """Up to where the user was told is of no use to anybody else."""
        rows.forget_user(call.work, user_id)

    def kept(self, call: Call, user_id: str, keys: Sequence[str]) -> Sequence[str]:
        """Nothing that anybody would miss."""
        return ()

    def naming(self, call: Call, name: str) -> Sequence[str]:
        """A digest names no addresses but the one that it comes from, which need not be anybody's."""
        return ()
