"""`mailreeve check squid`: the guide's lines are right, and each way to get one wrong is told."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailreeve.app.doctor.checks import State
from mailreeve.app.doctor.squid_checks import read_lines, squid_checks
from mailreeve.app.settings import Settings

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "squid.md"
LINES = re.findall(r"^```squid\n(.*?)^```", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)[0]


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("q") / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        yield f"unix:{path}"


def faults(tmp_path: Path, where: str, text: str, **settings: object) -> dict[str, str]:
    """The names of the checks that are not well, with how they are."""
    file = tmp_path / "squid.conf"
    file.write_text(text.replace("/opt/mailreeve/bin/mailreeve", sys.executable))
    found = squid_checks(read_lines(file), Settings(**{"web_socket": where, "web_proxy": True} | settings))
    return {check.name: check.state.value for check in found if check.state is not State.OK}


def here(where: str) -> str:
    return LINES.replace("unix:/run/mailreeve/web.sock", where) + "http_access allow all\n"


def test_the_lines_of_the_guide_are_right_also_where_they_are_included(tmp_path: Path, where: str) -> None:
    assert faults(tmp_path, where, here(where)) == {}
    (tmp_path / "part.conf").write_text(here(where).replace("/opt/mailreeve/bin/mailreeve", sys.executable))
    assert faults(tmp_path, where, f"# ours\ninclude {tmp_path}/part*.conf\n") == {}


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (("squid-helper", "other-helper"), {"helper": "fail"}),
        (("%#>ru", "%URI"), {"fields": "fail"}),
        ((" %ssl::>sni", ""), {"fields": "warn"}),
        (("%>a %ssl", "%ssl"), {"fields": "fail"}),
        (("concurrency=1000 ", ""), {"concurrency": "fail"}),
        (("ttl=0 negative_ttl=0 cache=0 ", ""), {"answers": "warn"}),
        (("http_access deny !mailreeve\n", ""), {"http_access": "fail"}),
        (("http_access deny", "http_access allow all\nhttp_access deny"), {"http_access": "fail"}),
        (("acl mailreeve external mailreeve\n", ""), {"acl": "fail"}),
        (("id=@Squid{%ea}", "id=%o"), {"page": "fail"}),
        (("deny_info", "#"), {"page": "warn"}),
        (("--socket unix:", "--socket unix:/elsewhere"), {"socket": "fail"}),
        (("/opt/mailreeve/bin/mailreeve", "/no/such/program"), {"helper": "fail"}),
    ],
)
def test_each_thing_that_is_wrong_is_told(
    tmp_path: Path, where: str, change: tuple[str, str], wanted: dict[str, str]
) -> None:
    text = here(where)
    assert change[0] in text
    assert faults(tmp_path, where, text.replace(*change)) == wanted


def test_the_settings_of_the_server_are_looked_at(tmp_path: Path, where: str) -> None:
    assert faults(tmp_path, where, here(where), web_socket="") == {"socket": "fail"}
    assert faults(tmp_path, where, here(where), web_proxy=False) == {"web_proxy": "warn"}
    gone = f"{where}-gone"
    assert faults(tmp_path, gone, here(gone)) == {"socket": "warn"}
