"""What every test can use: `requires`, for tests that drive another program, and Hypothesis' settings. And where
tests write: in memory where there is room."""

import fcntl
import os
import shutil
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
import structlog
import warm_start
from cheap_passwords import make_passwords_cheap
from effort import examples
from hypothesis import settings

HERE: Final = Path(__file__).parent
IN_CI = os.environ.get("CI") == "true"

# Daemons live outside an ordinary user's PATH, PostgreSQL's programs outside everyone's.
SEARCH_PATH = os.pathsep.join(
    [
        os.environ.get("PATH", os.defpath),
        "/usr/local/sbin",
        "/usr/sbin",
        "/sbin",
        *(str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)),
    ]
)

# Most of what tests write is synced to the disk, thousands of times, and thrown away; no test cuts the power. In
# memory the very same calls take no time. pytest and `tempfile` ask these variables, and so do programs we start.
MEMORY = Path("/dev/shm")
ROOM = 8 << 30  # octets; what fails is kept, and what passes is removed at once
if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
    os.environ.setdefault("TMPDIR", str(MEMORY))

# Where Python is forbidden to keep what it compiled, as in many containers, each start of the program compiles all
# of it anew: half of the time that it takes.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

warm_start.use()

# No deadline per example: on a shared machine it measures the neighbours.
# In CI the same examples every time: a run that lands says what the next one will find.
settings.register_profile(
    "mailreeve", max_examples=examples(100), deadline=None, print_blob=IN_CI, derandomize=IN_CI
)
settings.load_profile("mailreeve")


def find_or_skip(name: str) -> Path:
    """The executable `name`. Where it is absent the test is skipped, or fails if CI=true."""
    found = shutil.which(name, path=SEARCH_PATH)
    if found is None:
        reason = f"needs {name}, which is not installed"
        if IN_CI:
            pytest.fail(f"{reason}; with CI=true that is a failure", pytrace=False)
        pytest.skip(reason)
    return Path(found)


@pytest.fixture(scope="session")
def requires() -> Callable[[str], Path]:
    """`requires("swaks")` gives the program's path. For whole tests or modules there is the marker:

    `@pytest.mark.requires("postfix", "swaks")`
    """
    return find_or_skip


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> None:
    make_passwords_cheap()


@pytest.fixture
def own_log() -> Iterator[None]:
    """For commands that run inside the test's process: the log that they configure is gone afterwards."""
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def own_umask() -> Iterator[None]:
    """A server closes what it writes to others, for its whole process: where it ran in the test's, others after it
    make folders that programs without privileges have to enter."""
    old = os.umask(0o022)
    yield
    os.umask(old)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("requires"):
        for name in marker.args:
            find_or_skip(name)


# What takes longest comes first, so that no process is left with a long file when the others are done.
ORDER: Final = ("system", "wire", "property", "unit")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        folder = item.path.relative_to(HERE).parts[0]
        return ORDER.index(folder) if folder in ORDER else len(ORDER)

    items.sort(key=place)


class Turns:
    """Whose turn is it? A test marked `alone` runs while no other process of this run has a test going on.

    There are two files that every process of the run has locks on: one to enter, one while a test goes on. Who
    waits at the entry holds up those behind, so that a test that wants to be alone gets its turn. Tests marked
    `alone` that follow each other are one turn: the others are waited for once.
    """

    def __init__(self, folder: Path, run: str) -> None:
        names = (folder / f"{run}.{name}" for name in ("entry", "going-on"))
        self._entry, self._going_on = (os.open(name, os.O_CREAT | os.O_RDWR, 0o600) for name in names)
        self._alone = False  # whether it has been this process's turn to be alone since the last test

    @contextmanager
    def taken(self, item: pytest.Item, then: pytest.Item | None) -> Iterator[None]:
        """A turn for a test, which is kept for the next one where both are to be alone."""
        alone = _is_alone(item)
        if not self._alone:
            fcntl.flock(self._entry, fcntl.LOCK_EX)
            try:
                fcntl.flock(self._going_on, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            finally:
                fcntl.flock(self._entry, fcntl.LOCK_UN)
        yield
        self._alone = alone and then is not None and _is_alone(then)
        if not self._alone:
            fcntl.flock(self._going_on, fcntl.LOCK_UN)


def _is_alone(item: pytest.Item) -> bool:
    return item.get_closest_marker("alone") is not None


TURNS: Final = pytest.StashKey[Turns]()


# First, so that a test's time-out does not begin before its turn does.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    if TURNS not in item.config.stash:
        # What the fixture `tmp_path_factory` gives, which no test has asked for yet.
        folder: Path = item.config._tmp_path_factory.getbasetemp()
        if "PYTEST_XDIST_WORKER" in os.environ:
            folder = folder.parent
        item.config.stash[TURNS] = Turns(folder, os.environ.get("PYTEST_XDIST_TESTRUNUID", "one"))
    warm_start.start_anew(item.get_closest_marker("cold") is not None)
    with item.config.stash[TURNS].taken(item, nextitem):
        return (yield)
