"""The Python examples of the guide do what it says, in order, against one server."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from mailreeve.app.new_account import initialise

GUIDE = Path(__file__).parents[2] / "docs/guides/python-client.md"
EXAMPLE = re.compile(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_each_example_prints_what_stands_below_it(live_server_class, tmp_path: Path) -> None:
    data = tmp_path / "mailreeve-data"
    initialise(data, ("example.com",), None, data / "credentials.json")
    live = live_server_class(data, {}, data / "maildir")
    live.start()
    try:
        found = EXAMPLE.findall(GUIDE.read_text("utf-8"))
        assert len(found) == GUIDE.read_text("utf-8").count("```python\n") > 2
        for code, expected in found:
            program = code.replace("http://127.0.0.1:8025", live.http)
            command = [sys.executable, "-c", program]
            ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
            assert (ran.stderr, ran.stdout) == ("", expected), code
    finally:
        live.stop()
