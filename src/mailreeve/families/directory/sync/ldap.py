"""How is a directory read? By `ldapsearch` of OpenLDAP, whose LDIF (RFC 2849) is parsed here (ADR 0082).

The password goes to the program by its standard input, so it is in no list of processes.
"""

from __future__ import annotations

import base64
import binascii
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from mailreeve.families.machinery.directory_source import DirectorySource

PROGRAM: Final = "ldapsearch"
LONGEST: Final = 300  # seconds that one search may take
MOST_OCTETS: Final = 256 * 1024 * 1024  # of an answer
MOST_ENTRIES: Final = 200_000
PAGE: Final = 500  # entries that are asked for at once (RFC 2696)

Entry = Mapping[str, tuple[str, ...]]


class Person(Struct, frozen=True):
    """A user of the directory, by the main mail address."""

    address: str
    name: str


class OutsideGroup(Struct, frozen=True):
    """A group of the directory, with the addresses of those of its members who are users of it."""

    name: str
    members: frozenset[str]


class Snapshot(Struct, frozen=True):
    """What a directory held when it was read."""

    people: tuple[Person, ...]
    groups: tuple[OutsideGroup, ...]


class DirectoryError(Exception):
    """The directory cannot be read. The message says why."""


def read(source: DirectorySource) -> Snapshot:
    """What the directory holds. Raises `DirectoryError`."""
    people: list[Person] = []
    by_dn: dict[str, str] = {}
    for dn, entry in _search(source, source.user_filter, ("mail", "cn", "displayName")):
        mail = next(iter(entry.get("mail", ())), "")
        if mail:
            name = next(iter((*entry.get("displayname", ()), *entry.get("cn", ()))), "")
            people.append(Person(mail, name))
            by_dn[_folded(dn)] = mail
    groups: list[OutsideGroup] = []
    if source.group_filter:
        attributes = ("cn", "member", "uniqueMember")
        for _, entry in _search(source, source.group_filter, attributes):
            if any(";range=" in name for name in entry):
                # Half a group would open or close doors for the other half.
                raise DirectoryError(
                    f"the group {entry.get('cn', ('?',))[0]} has more members than are told at once"
                )
            dns = (*entry.get("member", ()), *entry.get("uniquemember", ()))
            members = frozenset(by_dn[_folded(dn)] for dn in dns if _folded(dn) in by_dn)
            if name := next(iter(entry.get("cn", ())), ""):
                groups.append(OutsideGroup(name, members))
    return Snapshot(tuple(people), tuple(groups))


def _search(source: DirectorySource, query: str, attributes: tuple[str, ...]) -> Iterator[tuple[str, Entry]]:
    command = [PROGRAM, "-LLL", "-x", "-H", source.url, "-b", source.base, "-E", f"pr={PAGE}/noprompt"]
    command += ["-o", "ldif-wrap=no", "-o", "nettimeout=20", "-l", str(LONGEST)]
    command += ["-ZZ"] if source.starttls else []
    password = b""
    if source.bind_dn:
        try:
            password = Path(source.password_file).read_bytes().rstrip(b"\r\n")
        except OSError as problem:
            raise DirectoryError(f"{source.password_file} cannot be read: {problem.strerror}") from problem
        command += ["-D", source.bind_dn, "-y", "/dev/stdin"]
    environment = dict(os.environ) | ({"LDAPTLS_CACERT": source.ca} if source.ca else {})
    try:
        done = subprocess.run(  # noqa: S603 - the words are those of the settings, and no shell reads them
            [*command, "--", query, *attributes],
            input=password,
            capture_output=True,
            timeout=LONGEST + 30,
            env=environment,
            check=False,
        )
    except FileNotFoundError as problem:
        raise DirectoryError(f"{PROGRAM} is not installed; Debian has it in the package ldap-utils") from problem
    except subprocess.TimeoutExpired as problem:
        raise DirectoryError(f"{source.url} did not answer in {LONGEST} s") from problem
    except OSError as problem:
        raise DirectoryError(f"{PROGRAM} cannot be run: {problem.strerror}") from problem
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise DirectoryError(f"{source.url}: {'; '.join(said) or f'{PROGRAM} ended with {done.returncode}'}")
    if len(done.stdout) > MOST_OCTETS:
        raise DirectoryError(f"{source.url} answered with more than {MOST_OCTETS} octets")
    return entries(done.stdout)


def entries(ldif: bytes) -> Iterator[tuple[str, Entry]]:
    """The entries of unfolded LDIF, each with its name and its attributes, whose names are in small letters.
    Raises `DirectoryError`."""
    dn, found, number = "", dict[str, tuple[str, ...]](), 0
    for line in [*ldif.split(b"\n"), b""]:
        if not line.strip():
            if dn:
                number += 1
                if number > MOST_ENTRIES:
                    raise DirectoryError(f"it holds more than {MOST_ENTRIES} entries")
                yield dn, found
            dn, found = "", {}
            continue
        if line.startswith(b"#"):
            continue
        raw, colon, value = line.rstrip(b"\r").partition(b":")
        if not colon:
            raise DirectoryError("the answer is no LDIF")
        try:
            octets = (
                base64.b64decode(value[1:].strip(), validate=True) if value.startswith(b":") else value.strip()
            )
            text = octets.decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            continue  # A picture, say; none of what is asked for.
        name = raw.decode("ascii", "replace").lower()
        if name == "dn":
            dn = text
        elif dn:
            found[name] = (*found.get(name, ()), text)


def _folded(dn: str) -> str:
    """A name as it is compared: as servers write it, but for case and the space after commas."""
    return ",".join(part.strip() for part in dn.casefold().split(","))
