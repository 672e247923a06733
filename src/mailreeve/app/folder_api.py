"""The API of an open folder, without a server: the same functions, the same answers, in this process.

What is called here is what a server answers: items are read, permissions checked and changes written by the same
code, so a server that runs on the folder sees a change as it sees one of its own. Whoever can read the folder may
do everything in it; the audit log names the user of the system.
"""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from typing import Final

import httpx2

from mailreeve.access.caller import Caller, Origin
from mailreeve.access.permissions import Permission
from mailreeve.families.machinery.perform import Done, Services, carry_out, ready
from mailreeve.families.registry import ENDPOINTS
from mailreeve.wire import envelope
from mailreeve.wire.endpoint import Endpoint
from mailreeve.wire.envelope import Failure
from mailreeve.wire.errors import UNKNOWN_PATH, RequestRefused
from mailreeve.wire.raw_answer import RawAnswer

URL: Final = "http://folder"  # what a client is told that it calls
PREFIX: Final = "/api/"

_JSON: Final = {"Content-Type": "application/json"}  # by which a client tells an envelope from a file


def local_caller(account_id: str) -> Caller:
    """Who works on a folder from a command line, as the audit log names it: a name that no user of an account
    has, since it is no address."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # an id that the system has no name for
        name = "unknown"
    return Caller(account_id, f"command line ({name})", "", frozenset(Permission))


class FolderApi(httpx2.BaseTransport):
    """Carries the calls of a `client.Api` out on an account of an open folder."""

    def __init__(self, services: Services, account_id: str, endpoints: Sequence[Endpoint] = ENDPOINTS) -> None:
        self._services = services
        self._caller = local_caller(account_id)
        self._endpoints: Mapping[str, Endpoint] = {PREFIX + one.path: one for one in endpoints}

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer to a call. It blocks on the database."""
        try:
            done = self._done(request.url.path, request.read())
        except RequestRefused as refusal:
            body = envelope.encode([], [Failure([refusal.problem])], status=refusal.status)
            return httpx2.Response(refusal.status, content=body, headers=_JSON)
        raw = next((one for one in done.data if isinstance(one, RawAnswer)), None)
        if raw is not None:
            return httpx2.Response(200, content=b"".join(raw.content), headers=raw.headers())
        body = done.payload(writes=self._endpoints[request.url.path].writes)
        return httpx2.Response(200, content=body, headers=_JSON)

    def _done(self, path: str, body: bytes) -> Done:
        endpoint = self._endpoints.get(path)
        if endpoint is None:
            raise RequestRefused(UNKNOWN_PATH)
        origin = Origin(self._caller.actor)
        return carry_out(
            self._services, ready(self._services, endpoint, envelope.decode(body), self._caller, origin)
        )
