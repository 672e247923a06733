"""Domains that have to be proved, and users who come of a file."""

from __future__ import annotations

import socketserver
import threading
import time

import dns.message
import dns.rcode
import dns.rrset
from recorder import Recorder

PATIENCE = 30
AT = ("127.53.0.53", 53053)  # an address of loopback that nothing else is likely to listen on
SETTINGS = {
    "MAILREEVE_NEW_DOMAINS": "verified",
    "MAILREEVE_RESOLVERS": f"{AT[0]}:{AT[1]}",
    "MAILREEVE_DIRECTORY_URL": "ldap://127.0.0.1:1",
    "MAILREEVE_DIRECTORY_BASE": "dc=corp,dc=test",
    "MAILREEVE_DIRECTORY_HOURS": "0",
}


def play(r: Recorder) -> None:
    codes: dict[str, str] = {}

    class Handler(socketserver.BaseRequestHandler):
        """A name server that knows the codes, and refuses to speak of `refused.test`."""

        def handle(self) -> None:
            wire, connection = self.request
            query = dns.message.from_wire(wire)
            name = query.question[0].name
            response = dns.message.make_response(query)
            text = codes.get(name.to_text(omit_final_dot=True))
            if text is not None:
                response.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", f'"{text}"'))
            elif "refused" in name.to_text():
                response.set_rcode(dns.rcode.REFUSED)
            connection.sendto(response.to_wire(), self.client_address)

    with socketserver.UDPServer(AT, Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            _domains(r, codes)
        finally:
            server.shutdown()
    _import(r)
    _directory(r)


def _directory(r: Recorder) -> None:
    """A directory that is not there: nobody listens at port 1."""
    r.call("a directory that is asked in vain", "ext/preview-directory-sync", {})
    r.call("a sync", "directory/execute-sync", {})
    until = time.monotonic() + PATIENCE
    with r.live.client() as client:
        while client.call("directory/get-connection")[0]["status"] != "failed":
            assert time.monotonic() < until, f"not read in {PATIENCE} s"
            time.sleep(0.05)
    r.call("the connection", "directory/get-connection")


def _domains(r: Recorder, codes: dict[str, str]) -> None:
    create, verify = "domain/create-domain", "domain/verify-domain"
    names = ("new.test", "refused.test", "given.test")
    made = r.call("domains that wait", create, *({"domain": name} for name in names))
    r.call("the code", "domain/get-verification-code", {"domain": "new.test"}, {"domain": "far.test"})
    r.call("all that wait", "domain/get-pending-domain")
    r.call("one that waits", "domain/get-pending-domain", {"domain": "new.test"}, {"domain": "@"})
    r.call("no proof yet", verify, {"domain": "new.test"})
    r.call("a resolver that refuses", verify, {"domain": "refused.test"})
    r.call("given up", "domain/delete-pending-domain", {"id": made[2]["id"]}, {"domain": "given.test"})
    codes["_mailreeve.new.test"] = made[0]["token"]
    r.call("proved", verify, {"domain": "new.test", "inboundType": "known"})
    r.call("below an own domain", create, {"domain": "sub.new.test"})
    r.call("how far", "domain/get-provision-status", {"domain": "new.test"}, {"domain": "refused.test"})


def _import(r: Recorder) -> None:
    status = "user/get-import-status"
    lines = "email,name,mobile\nnew@corp.test,New,+44 1\nx@far.test,X,\n"
    r.call("a file of users", "user/import-users", {"file": lines, "notifyEmailAddress": "new@corp.test"})
    until = time.monotonic() + PATIENCE
    with r.live.client() as client:
        while client.call(status, {})[0]["status"] == "running":
            assert time.monotonic() < until, f"not taken over in {PATIENCE} s"
            time.sleep(0.05)
    r.call("the last import", status, {})
