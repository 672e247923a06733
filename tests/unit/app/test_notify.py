"""The service manager is told what it asked to be told, on a path or in the abstract, and nobody else is."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from mailreeve.app.server.notify import READY, notify


@pytest.mark.parametrize("abstract", [False, True])
def test_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, abstract: bool) -> None:
    name = f"@{tmp_path}/notify" if abstract else f"{tmp_path}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name.replace("@", "\0"))
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        notify(READY)
        manager.settimeout(5)
        assert manager.recv(100) == b"READY=1"


@pytest.mark.parametrize("where", ["", "vsock:2:1234", "/nowhere/at/all"])
def test_nobody_is_told_where_nobody_listens(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", where)
    notify(READY)
