"""What is packaged fits the program: the service starts what there is, the dashboard asks for what is told."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mailreeve.app.metrics.metrics import names

pytestmark = pytest.mark.cold

PACKAGING = Path(__file__).parents[3] / "packaging"
SERVICE = PACKAGING / "mailreeve.service"
HARDENED = 2.0  # of systemd-analyze, 10 is worst


class _Unit(dict):
    """A unit's keys may come again, which adds to what was there."""

    def __setitem__(self, key, value):
        if key in self and isinstance(value, list):
            self[key].extend(value)
        else:
            super().__setitem__(key, value)


@pytest.fixture
def unit() -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(dict_type=_Unit, strict=False, interpolation=None)
    parser.optionxform = str
    parser.read_string(SERVICE.read_text())
    return parser


def test_the_service_keeps_to_what_it_needs(unit):
    service = dict(unit["Service"])
    assert service["Type"] == "notify"
    assert service["User"] == "mailreeve"
    assert service["CapabilityBoundingSet"] == service["AmbientCapabilities"] == "CAP_NET_BIND_SERVICE"
    assert service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["StateDirectory"] == "mailreeve"
    assert service["ExecStart"].endswith("/mailreeve serve")
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert "MAILREEVE_DATA=/var/lib/mailreeve" in service["Environment"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze, which is not installed")
def test_systemd_finds_nothing_wrong_with_it_and_little_that_is_open(tmp_path: Path):
    program = Path(sys.executable).with_name("mailreeve")
    text = SERVICE.read_text().replace("/opt/mailreeve/bin/mailreeve", str(program))
    (tmp_path / "mailreeve.service").write_text(text)
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", tmp_path / "mailreeve.service"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert verified.returncode == 0, verified.stderr
    assert "mailreeve.service" not in verified.stderr  # other units of this machine are no matter of ours
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", tmp_path / "mailreeve.service"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    level = re.search(r"Overall exposure level for \S+: ([\d.]+)", judged.stdout)
    assert level, judged
    assert float(level[1]) <= HARDENED, judged.stdout


def test_every_query_of_the_dashboard_asks_for_what_is_told():
    dashboard = json.loads((PACKAGING / "grafana-dashboard.json").read_text())
    told = set(names())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    queries += [one["query"] for one in dashboard["templating"]["list"]]
    asked = {name for query in queries for name in re.findall(r"\b(?:mailreeve|process)_\w+", query)}
    assert asked - told == set()
    families = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in told}
    shown = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in asked}
    assert families - shown == {"process_max_fds"}, "numbers that no panel shows"


def test_the_dashboard_groups_by_labels_that_there_are():
    dashboard = json.loads((PACKAGING / "grafana-dashboard.json").read_text())
    labels = {"state", "layer", "stage", "account", "le", "asked", "reply", "status", "path", "door", "of", "file"}
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            for group in re.findall(r"by \(([^)]*)\)", target["expr"]):
                assert set(re.findall(r"\w+", group)) <= labels | {"version"}, target["expr"]


def test_the_container_is_built_from_the_locks_alone_and_runs_as_nobody_special():
    text = (PACKAGING / "Containerfile").read_text()
    assert "--require-hashes --only-binary :all: -r /build/requirements/runtime.txt" in text
    assert "--no-deps --no-build-isolation" in text
    assert re.search(r"^USER 10001$", text, re.MULTILINE)
    assert "/readyz" in text
    for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE):
        for name in line.split()[:-1]:
            assert (PACKAGING.parent / name).exists(), name
