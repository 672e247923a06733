"""A real directory, OpenLDAP's slapd: who is asked with a password, and what is taken over of it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailreeve.families.directory.sync import ldap
from mailreeve.families.directory.sync.ldap import DirectoryError, OutsideGroup, Person
from mailreeve.families.machinery.call import DirectorySource

pytestmark = pytest.mark.requires("slapd")

PATIENCE = 30
BASE = "dc=corp,dc=test"
LDIF = f"""\
dn: {BASE}
objectClass: dcObject
objectClass: organization
o: Corp
dc: corp

dn: cn=Ann Archer,{BASE}
objectClass: inetOrgPerson
cn: Ann Archer
sn: Archer
mail: ann@corp.test

dn: cn=Zoë,{BASE}
objectClass: inetOrgPerson
cn: Zoë
sn: Z
mail: zoe@corp.test

dn: cn=Nobody,{BASE}
objectClass: inetOrgPerson
cn: Nobody
sn: N

dn: cn=Sales,{BASE}
objectClass: groupOfNames
cn: Sales
member: cn=Ann Archer,{BASE}
member: cn=zoë, {BASE}
member: cn=Nobody,{BASE}
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DirectorySource]:
    """A directory with two users and a group, which tells nothing to strangers."""
    program = shutil.which("slapd", path="/usr/sbin:/usr/bin")
    assert program, "the marker looks for it"
    folder = tmp_path_factory.mktemp("slapd")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"ldap://127.0.0.1:{free.getsockname()[1]}"
    schema = "\n".join(f"include /etc/ldap/schema/{one}.schema" for one in ("core", "cosine", "inetorgperson"))
    (folder / "db").mkdir()
    (folder / "slapd.conf").write_text(
        f"{schema}\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\npidfile {folder}/pid\n"
        f"database mdb\nsuffix {BASE}\nrootdn cn=root,{BASE}\nrootpw secret\ndirectory {folder}/db\n"
        "access to * by anonymous auth by * read\n"
    )
    (folder / "data.ldif").write_text(LDIF, "utf-8")
    (folder / "password").write_text("secret\n")
    subprocess.run(
        [program, "-T", "add", "-f", folder / "slapd.conf", "-l", folder / "data.ldif"], check=True, timeout=60
    )
    server = subprocess.Popen([program, "-f", folder / "slapd.conf", "-h", url, "-d", "0"])
    try:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), 1).close()
                break
            except OSError:
                assert server.poll() is None, "slapd ended"
                assert time.monotonic() < until, "slapd does not answer"
                time.sleep(0.02)
        yield DirectorySource(
            url, f"cn=root,{BASE}", str(folder / "password"), BASE, "(mail=*)", "(cn=Sales)", False, "", 24
        )
    finally:
        server.terminate()
        server.wait(PATIENCE)


def _with(source: DirectorySource, **more: object) -> DirectorySource:
    from msgspec.structs import replace

    return replace(source, **more)


def test_users_and_groups_are_read_by_whoever_has_the_password(directory) -> None:
    found = ldap.read(directory)
    assert set(found.people) == {Person("ann@corp.test", "Ann Archer"), Person("zoe@corp.test", "Zoë")}
    assert found.groups == (OutsideGroup("Sales", frozenset({"ann@corp.test", "zoe@corp.test"})),)
    assert ldap.read(_with(directory, group_filter="")).groups == ()


def test_a_wrong_password_a_wrong_base_and_no_server_are_told_apart(directory, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("wrong")
    cases: tuple[tuple[dict[str, object], str], ...] = (
        ({"password_file": str(tmp_path / "wrong")}, "Invalid credentials"),
        ({"password_file": str(tmp_path / "none")}, "cannot be read"),
        ({"base": "dc=far"}, "No such object"),
        ({"bind_dn": ""}, "Insufficient access|No such object"),
        ({"url": "ldap://127.0.0.1:1"}, "Can't contact"),
        ({"starttls": True}, "start_tls|Protocol error|unsupported"),
        ({"user_filter": "(mail="}, "filter"),
    )
    for more, why in cases:
        with pytest.raises(DirectoryError, match=why):
            ldap.read(_with(directory, **more))
