"""A server is started from Python, without the command line."""

from __future__ import annotations

import signal
import subprocess
import sys

import httpx2

PROGRAM = """
import sys
from pathlib import Path
from mailreeve.app.new_account import initialise
from mailreeve.app.server.process import prepared_process
from mailreeve.app.server.serving import serve

data = Path(sys.argv[1])
initialise(data, ("corp.test",), None)
with prepared_process(data, {"http": "127.0.0.1:0", "smtp": "127.0.0.1:0"}) as process:
    assert "mailreeve.cli" not in sys.modules
    serve(process, lambda found: print(found.http, flush=True))
print("stopped")
"""


def test_a_program_serves_until_it_is_told_to_stop(tmp_path):
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "data")], stdout=subprocess.PIPE, text=True
    )
    try:
        url = program.stdout.readline().strip()
        assert httpx2.get(f"{url}/readyz").status_code == 200
        program.send_signal(signal.SIGTERM)
        out, _ = program.communicate(timeout=30)
    finally:
        program.kill()
    assert (out, program.returncode) == ("stopped\n", 0)
