"""Does Squid ask Mailreeve, as it should? Its configuration is read, and our socket tried.

Only what concerns the asking is looked at; `squid -k parse` says whether the rest is right.
"""

from __future__ import annotations

import glob
import os
import re
import shlex
import socket
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from msgspec import Struct

from mailreeve.app.doctor.checks import Check, fail, ok, warn
from mailreeve.app.settings import UNIX, Settings

DEFAULT_FILE: Final = Path("/etc/squid/squid.conf")
GUIDE: Final = "docs/guides/squid.md"
HELPER: Final = "squid-helper"
PAGE: Final = "/web/blocked?id=@Squid{%ea}"
FIELDS: Final = ("%#>ru", "%>rm", "%#un", "%>a")
SNI: Final = "%ssl::>sni"
PATIENCE: Final = 2.0  # seconds for a connection
MOST_INCLUDED: Final = 100  # files

_SAME: Final = {"%#>ru": ("%#URI",), "%>rm": ("%METHOD",), "%#un": (), "%>a": ("%SRC",), SNI: ("%>sni",)}
"""Other names of the fields, which mean the same."""


class Line(Struct, frozen=True):
    """A line of a configuration, in words, and where it stands."""

    words: Sequence[str]
    where: str

    @property
    def name(self) -> str:
        """The directive."""
        return self.words[0]


class _Helper(Struct, frozen=True):
    """An external ACL type that runs our helper."""

    name: str
    options: dict[str, str]
    fields: Sequence[str]
    command: Sequence[str]
    where: str


def read_lines(file: Path) -> list[Line]:
    """The lines of a configuration, with those of files that it includes. Raises `OSError`."""
    left = [MOST_INCLUDED]
    return list(_read(file, left))


def _read(file: Path, left: list[int]) -> Iterator[Line]:
    text = re.sub(r"\\\n[ \t]*", "", file.read_text("utf-8", "replace"))
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        words = re.sub(r"\s#.*", "", bare).split()
        if words[0] == "include":
            for found in sorted(path for pattern in words[1:] for path in glob.glob(pattern.strip('"'))):
                left[0] -= 1
                if left[0] < 0:
                    raise OSError(f"{file}: more than {MOST_INCLUDED} files are included")
                yield from _read(Path(found), left)
            continue
        yield Line(words, f"{file}:{number}")


def squid_checks(lines: Sequence[Line], settings: Settings) -> list[Check]:
    """What was found of a Squid with these lines, beside a server with these settings."""
    helpers = [_helper(line) for line in lines if line.name == "external_acl_type" and HELPER in line.words]
    if not helpers:
        advice = f"add the lines of {GUIDE}"
        return [fail("helper", "no external_acl_type runs mailreeve squid-helper", advice)]
    found: list[Check] = []
    if len(helpers) > 1:
        found.append(warn("helper", f"{len(helpers)} external_acl_type lines run the helper", "keep one"))
    helper = helpers[0]
    found += _of_helper(helper)
    found += _of_socket(helper, settings)
    found += _of_rules(lines, helper)
    inspects = any(line.name == "ssl_bump" and "bump" in line.words[1:2] for line in lines)
    if not settings.web_proxy:
        why = "the linter takes URL entries for such as nobody enforces"
        found.append(warn("web_proxy", f"off: {why}", "set web_proxy = true in mailreeve.toml"))
    if not inspects:
        words = "HTTPS is not inspected: entries with a path hold for plain HTTP alone"
        found.append(ok("inspection", words))
    return found


def _helper(line: Line) -> _Helper:
    words = list(line.words[1:])
    name, rest = words[0] if words else "", words[1:]
    options: dict[str, str] = {}
    while rest and not rest[0].startswith(("%", "/")):
        option, _, value = rest.pop(0).partition("=")
        options[option] = value
    fields = []
    while rest and rest[0].startswith("%"):
        fields.append(rest.pop(0))
    return _Helper(name, options, fields, rest, line.where)


def _of_helper(helper: _Helper) -> Iterator[Check]:
    program = helper.command[0] if helper.command else ""
    if not os.access(program, os.X_OK):
        yield fail("helper", f"{helper.where}: {program or 'nothing'} cannot be run", "name the mailreeve program")
    else:
        yield ok("helper", f"{helper.where}: {' '.join(helper.command)}")
    wanted = " ".join((*FIELDS, SNI))
    plain = [
        next((one for one in (*FIELDS, SNI) if field == one or field in _SAME[one]), field)
        for field in helper.fields
    ]
    if tuple(plain[: len(FIELDS)]) != FIELDS or plain[len(FIELDS) :] not in ([], [SNI]):
        shown = " ".join(helper.fields) or "none"
        yield fail("fields", f"the helper is told {shown}", f"write {wanted}, in this order")
    elif len(plain) == len(FIELDS):
        advice = f"add {SNI} at the end, if this Squid was built with OpenSSL"
        yield warn("fields", "the helper is not told what a TLS client calls the host", advice)
    else:
        yield ok("fields", wanted)
    if not helper.options.get("concurrency", "0").isdigit() or int(helper.options.get("concurrency", "0")) < 2:
        yield fail("concurrency", "requests are asked about one by one", "add concurrency=1000")
    else:
        yield ok("concurrency", helper.options["concurrency"])
    late = [name for name in ("ttl", "negative_ttl", "cache") if helper.options.get(name) != "0"]
    if late:
        advice = f"add {' '.join(f'{name}=0' for name in late)}"
        yield warn("answers", "Squid keeps answers: a list that is changed holds once they are over", advice)
    else:
        yield ok("answers", "are asked for each time")


def _usual(field: str) -> str:
    """A field by the name that the guide has for it."""
    return next((one for one, others in _SAME.items() if field == one or field in others), field)


def _of_socket(helper: _Helper, settings: Settings) -> Iterator[Check]:
    words = shlex.split(" ".join(helper.command))
    where = next((after for word, after in pairwise(words) if word == "--socket"), "")
    where = where or next((word.partition("=")[2] for word in words if word.startswith("--socket=")), "")
    if not settings.web_socket:
        yield fail(
            "socket", "the server listens on none", f'set web_socket = "{where or "unix:/run/mailreeve/web.sock"}"'
        )
        return
    if where != settings.web_socket:
        advice = f"write --socket {settings.web_socket}"
        yield fail("socket", f"the helper asks at {where or 'nothing'}, the server listens elsewhere", advice)
        return
    why = _tried(where)
    if why:
        yield warn("socket", f"{where} does not answer: {why}", "start the server, and mind web_socket_group")
    else:
        yield ok("socket", f"{where} takes connections")


def _of_rules(lines: Sequence[Line], helper: _Helper) -> Iterator[Check]:
    acls = [line.words[1] for line in lines if line.name == "acl" and line.words[2:4] == ["external", helper.name]]
    if not acls:
        yield fail("acl", f"no acl is external {helper.name}", f"add: acl mailreeve external {helper.name}")
        return
    access = [line for line in lines if line.name == "http_access"]
    denials = [n for n, line in enumerate(access) if line.words[1] == "deny" and f"!{acls[0]}" in line.words[2:]]
    if not denials:
        yield fail("http_access", "nothing is denied by it", f"add: http_access deny !{acls[0]}")
        return
    by_name = {line.words[1]: line.words[2] for line in lines if line.name == "acl" and len(line.words) > 2}
    narrow = {"dst", "dstdomain", "port", "method", "manager"}
    before = [
        line
        for line in access[: denials[0]]
        if line.words[1] == "allow"
        and not any(word == "manager" or by_name.get(word.lstrip("!")) in narrow for word in line.words[2:])
    ]
    if before:
        words = f"{before[0].where}: {' '.join(before[0].words)} lets requests through before Mailreeve is asked"
        yield fail("http_access", words, "put it below the line that denies")
    else:
        yield ok("http_access", f"{access[denials[0]].where}: {' '.join(access[denials[0]].words)}")
    pages = [line for line in lines if line.name == "deny_info" and acls[0] in line.words[2:]]
    if not pages:
        advice = f"add: deny_info 302:http://HOST:8025{PAGE} {acls[0]}"
        yield warn("page", "who is blocked is not told why", advice)
    elif PAGE not in pages[0].words[1]:
        advice = f"write deny_info 302:http://HOST:8025{PAGE} {acls[0]}"
        yield fail("page", f"{pages[0].where}: it does not name the decision", advice)
    else:
        yield ok("page", pages[0].words[1])


def _tried(where: str) -> str:
    """Why nobody answers there; nothing where somebody does."""
    try:
        if where.startswith(UNIX):
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(PATIENCE)
                client.connect(where.removeprefix(UNIX))
        else:
            host, _, port = where.rpartition(":")
            socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE).close()
    except (OSError, ValueError) as problem:
        return str(problem)
    return ""
