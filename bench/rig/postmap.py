"""What does Postfix take to look up one key in a table of its own? The floor for exact matches."""

from __future__ import annotations

import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from msgspec import Struct

from mailreeve.policy.model.targets import TargetType
from rig import worlds
from rig.report import median

EXACT = (TargetType.INDIVIDUAL_EMAIL_ADDRESS, TargetType.EMAIL_DOMAIN)
KEYS = 200_000  # asked for by one process, about
ROUNDS = 5


class Floor(Struct, frozen=True):
    """What the table took: seconds to make it, octets of its file, keys in it, microseconds of processor time
    for one key."""

    load: float
    octets: int
    keys: int
    asked: int
    each: float


def missing() -> str:
    """Why there is nothing to measure; empty if there is."""
    if shutil.which("postmap") is None:
        return "Postfix is not installed (Debian: postfix and postfix-lmdb)"
    with tempfile.TemporaryDirectory() as folder:
        known = subprocess.run(["postconf", "-c", _settings(folder), "-m"], capture_output=True, text=True)
    return "" if "lmdb" in known.stdout.split() else "this Postfix has no lmdb (Debian: postfix-lmdb)"


def floor(size: worlds.Size, questions: int) -> Floor:
    """The senders that policies name by address or domain, in an lmdb table, and the senders of the questions
    looked up in it as they are: one key each, found or not."""
    with tempfile.TemporaryDirectory() as folder:
        settings, table = _settings(folder), Path(folder) / "senders"
        senders = {
            policy.scope.from_.key: policy.id
            for policy in worlds.blocked(size)
            if policy.scope.from_.type in EXACT
        }
        table.write_text("".join(f"{key} {id_}\n" for key, id_ in senders.items()))
        began = time.perf_counter()
        subprocess.run(["postmap", "-c", settings, f"lmdb:{table}"], check=True)
        load = time.perf_counter() - began
        keys = [facts.sender.key for facts in worlds.questions(size, questions)]
        keys *= max(1, KEYS // len(keys))
        found = sum(key in senders for key in keys)

        def seconds(several: list[str], expected: int) -> float:
            began = _processor()
            command = ["postmap", "-c", settings, "-q", "-", f"lmdb:{table}"]
            # Without a single hit it exits with 1.
            told = subprocess.run(command, input="\n".join(several) + "\n", capture_output=True, text=True)
            took = _processor() - began
            if told.stdout.count("\n") != expected:
                raise SystemExit(f"postmap found {told.stdout.count(chr(10))} keys, not {expected}: {told.stderr}")
            return took

        rounds = [(seconds(keys, found) - seconds(["nobody@nowhere"], 0)) for _ in range(ROUNDS)]
        octets = table.with_name("senders.lmdb").stat().st_size
    return Floor(load, octets, len(senders), len(keys), median(rounds) / len(keys) * 1e6)


def _processor() -> float:
    """Seconds of processor time that processes have used which this one has started and which are over."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _settings(folder: str) -> str:
    """A folder of settings of its own, so that the system's need not be there."""
    (Path(folder) / "main.cf").write_text("compatibility_level = 3.6\n")
    (Path(folder) / "master.cf").touch()
    return folder
