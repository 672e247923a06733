"""As a service manager and an administrator have it: told when it is ready, settings in /etc, a doctor."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.cold

MAILREEVE = Path(sys.executable).with_name("mailreeve")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_service_manager_is_told_once_all_listeners_accept_and_when_it_stops(fresh_server, tmp_path, workers):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"{tmp_path}/notify")
        manager.settimeout(30)
        live = fresh_server("--workers", workers, NOTIFY_SOCKET=f"{tmp_path}/notify")
        assert manager.recv(100) == b"READY=1"
        live.stop()
        assert manager.recv(100) == b"STOPPING=1"
        manager.setblocking(False)
        with pytest.raises(BlockingIOError):
            manager.recv(100)


def test_settings_may_be_elsewhere_and_the_doctor_asks_a_server_that_runs(fresh_server, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        http, smtp = (found.getsockname()[1] for found in (one, other))
    config = tmp_path / "etc" / "mailreeve.toml"
    config.parent.mkdir()
    config.write_text(f'hostname = "mx.corp.test"\nhttp = "127.0.0.1:{http}"\nsmtp = "127.0.0.1:{smtp}"\n')

    def doctor() -> dict[str, dict]:
        done = subprocess.run(
            [MAILREEVE, "doctor", "--json", "--data", live.data, "--config", config],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return {check["name"]: check for check in json.loads(done.stdout)["checks"]}

    live = fresh_server("--config", str(config), "--http", f"127.0.0.1:{http}", "--smtp", f"127.0.0.1:{smtp}")
    (live.data / "mailreeve.toml").write_text('hostname = "not.read.test"\n')
    found = doctor()
    assert found["hostname"]["found"] == "the mail door calls itself mx.corp.test"
    assert found["http"]["found"] == f"127.0.0.1:{http} answers"
    assert found["smtp"]["found"] == f"127.0.0.1:{smtp} answers"
    live.stop()
    assert "no server works on the folder now" in doctor()["http"]["found"]
    config.unlink()
    assert "cannot be read" in doctor()["settings"]["found"]
