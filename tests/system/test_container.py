"""The container is built, makes its folder and serves. Only where there is an engine that works."""

from __future__ import annotations

import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def working_engine() -> str | None:
    for name in ("podman", "docker"):
        if shutil.which(name):
            asked = subprocess.run([name, "info"], capture_output=True, timeout=30, check=False)
            if not asked.returncode:
                return name
    return None


@pytest.fixture(scope="module")
def engine() -> str:
    found = working_engine()
    if found is None:
        pytest.skip("needs podman, or docker with a daemon that answers")
    return found


@pytest.fixture
def name(engine: str) -> Iterator[str]:
    found = f"mailreeve-test-{uuid.uuid4().hex[:8]}"
    yield found
    for command in (["rm", "-f", found], ["volume", "rm", found], ["rmi", found]):
        subprocess.run([engine, *command], capture_output=True, timeout=60, check=False)


@pytest.mark.timeout(900)
def test_it_is_built_and_serves(engine: str, name: str):
    def run(*arguments: str) -> str:
        done = subprocess.run([engine, *arguments], capture_output=True, text=True, timeout=800, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("build", "-f", str(ROOT / "packaging" / "Containerfile"), "-t", name, str(ROOT))
    run("run", "--rm", "-v", f"{name}:/data", name, "init", "--domain", "corp.test")
    run("run", "-d", "--name", name, "-v", f"{name}:/data", name)
    asks = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8025/readyz').read().decode())"
    for _ in range(60):
        tried = subprocess.run(
            [engine, "exec", name, "python", "-c", asks], capture_output=True, text=True, check=False
        )
        if "ready" in tried.stdout:
            break
        time.sleep(1)
    assert "ready" in tried.stdout
    assert run("exec", name, "id", "-u").strip() == "10001"
    run("stop", name)
