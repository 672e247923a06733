"""What does a web door ask, and what is it told? Values, the same for every door."""

from __future__ import annotations

from msgspec import Struct

from mailreeve.policy.model.decisions import WebVerdict
from mailreeve.policy.model.policies import WebEntry


class WebRequest(Struct, frozen=True, gc=False):
    """One request that somebody wants to make, as another program tells of it.

    - `url` is the whole URL; or a host, or `host:port`, where no more is known, which `host_only` says then
    - `method` is the HTTP method, empty where there is none, as at DNS
    - `user` is whom the other program authenticated: an address, or a bare name, with or without a `DOMAIN\\` in
      front; empty where it authenticated nobody
    - `client_address` is where the request comes from, as text; empty where nobody knows
    - `door` is the short name of who asks, for the record: `squid`, `dns`, `forward-auth`
    """

    url: str
    method: str = ""
    user: str = ""
    client_address: str = ""
    door: str = ""
    host_only: bool = False


class WebAnswer(Struct, frozen=True, gc=False):
    """What is to become of a request. `verdict` is `none` where no list says anything: other rules decide.

    - `policy_id` is the store's key of the list that settled it, `policy` its description; empty without one
    - `sentence` says why, for people: one line without control characters
    - `decision_id` is what the record of the decision is found by, as the API has it; empty where none is kept,
      as of most requests that pass
    - `user` is who browses, by primary address or as the proxy's name was read; `location` is the name of where
      from; empty where nobody knows
    - `not_enforceable` is how many entries name a path or query on the host, where the door saw the host alone
    """

    verdict: WebVerdict
    sentence: str
    revision: int
    policy_id: str = ""
    policy: str = ""
    entry: WebEntry | None = None
    decision_id: str = ""
    user: str = ""
    location: str = ""
    not_enforceable: int = 0

    @property
    def passes(self) -> bool:
        """Whether the request may be made, as far as we are asked."""
        return self.verdict is not WebVerdict.BLOCK
