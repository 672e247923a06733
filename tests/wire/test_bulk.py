"""An import on a running server, or on its folder, counts for the next mail; one that is killed leaves all or
nothing."""

from __future__ import annotations

import json
import smtplib
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from mailreeve.client import Client, ClientError

MAILREEVE = Path(sys.executable).with_name("mailreeve")
PATIENCE = 100  # seconds on a busy machine
ROWS = 1_500


def imported(live, file: Path, *where: str) -> str:
    done = subprocess.run(
        [MAILREEVE, "import", "blocks", file, "--data", live.data, *where],
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(live, sender: str) -> bool:
    with smtplib.SMTP(*live.smtp) as mail:
        mail.ehlo()
        mail.mail(sender)
        return mail.rcpt("someone@corp.test")[0] == 550


def test_what_is_imported_counts_for_the_next_mail(fresh_server, tmp_path):
    """Through the server, and beside it."""
    live = fresh_server()
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(live.credentials), "utf-8")
    for name, where in (("one", ("--url", live.http, "--credentials", str(keys))), ("two", ())):
        file = tmp_path / f"{name}.csv"
        file.write_text(f"description,option,from,to\nNo {name},block_sender,{name}.test,internal\n", "utf-8")
        assert not refused(live, f"x@{name}.test")
        assert "1 added" in imported(live, file, *where)
        until = time.monotonic() + PATIENCE
        while not refused(live, f"x@{name}.test"):  # another process hears of it within 100 ms
            assert time.monotonic() < until
        assert "1 unchanged" in imported(live, file, *where)


def test_a_server_that_is_killed_has_imported_all_or_nothing(fresh_server):
    """Whenever it dies. The same rows afterwards are all added, or all there."""
    live = fresh_server()
    rows = [{"to": "someone@corp.test", "sender": f"s{n}.test", "action": "block"} for n in range(ROWS)]
    with live.client(timeout=PATIENCE) as importer:
        begun = threading.Event()
        worker = threading.Thread(target=_import, args=(importer, rows, begun))
        worker.start()
        begun.wait()
        with live.client() as other:  # once this is answered the import is under way, or done
            other.call("account/get-account")
        live.kill()
        worker.join()
    live.start()
    with live.client(timeout=PATIENCE) as client:
        (answer,) = client.call("ext/import-senders", {"rows": rows})
        assert ROWS in (answer["added"], answer["unchanged"])


def _import(client: Client, rows: list[dict[str, object]], begun: threading.Event) -> None:
    begun.set()
    with suppress(ClientError):
        client.call("ext/import-senders", {"rows": rows})
