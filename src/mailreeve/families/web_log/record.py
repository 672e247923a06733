"""What is kept of one decision about a web request? A value that doors make and the log tells."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from mailreeve.policy.model.decisions import WebVerdict
from mailreeve.policy.model.policies import WebEntry, WebPolicyKind

MAX_URL: Final = 2_048
"""Characters of a URL that are kept; `url_cut` says that it was longer."""


SETTLED_UNREADABLE: Final = "unreadable"
"""What settles a request whose URL cannot be read: no browser makes one, and what its host is no list can say."""


class WebRecord(Struct, frozen=True, omit_defaults=True):
    """One decision. `id` is the store's key; `at` is in POSIX seconds.

    - `door` is who asked: `squid`, `forward-auth`, …
    - `url` is as it was asked for, or `host:port` where the door saw no more; `host` is canonical, empty where the
      URL could not be read
    - `login` is what the proxy called the user, `user` the address that it stands for; empty where nobody is known
    - `client` is the address that the request came from, `location` the name of the location that it is in
    - `policy_id`, `description` and `entry` are the list and entry that settled it; with a list and no entry its
      default deny did. `kind` says what kind of list it was; `temporary` is what older records have instead
    - `host_only` says that the door knew the host alone, `unenforced` how many entries for the host name a path or
      query, which nobody could look at then (behaviour.md D-27)
    - `settled_by` names what settled it where that was no list, as `SETTLED_UNREADABLE`
    """

    id: str
    at: float
    door: str
    url: str
    host: str
    verdict: WebVerdict
    revision: int
    method: str = ""
    login: str = ""
    user: str = ""
    client: str = ""
    location: str = ""
    policy_id: str = ""
    description: str = ""
    entry: WebEntry | None = None
    settled_by: str = ""
    url_cut: bool = False
    host_only: bool = False
    unenforced: int = 0
    temporary: bool = False
    kind: WebPolicyKind = WebPolicyKind.LIST

    @property
    def kind_then(self) -> WebPolicyKind:
        """What settled it was. Records of before there was a `kind` say only whether it was a temporary allow."""
        return WebPolicyKind.TEMPORARY if self.temporary else self.kind
