"""Where do a command's calls go? To the data folder itself, or to a server, and either way through the API.

A command is options, calls and what is shown of the answers; it never knows which of the two it works on.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import click
import httpx2
from click.core import ParameterSource
from msgspec import Struct

from mailreeve.app.folder_files import CREDENTIALS, FolderError, is_initialised
from mailreeve.app.server.sockets import found_at, http_url
from mailreeve.app.settings import OptionError, Settings, SettingsError
from mailreeve.app.settings import read as read_settings
from mailreeve.app.terminal import said_of
from mailreeve.app.trust import trusted
from mailreeve.cli import profiles
from mailreeve.cli.options import account_option, data_option, fail, misused, wants_csv
from mailreeve.cli.profiles import ProfileError
from mailreeve.client import ApiError, Client, ClientError, Unreachable
from mailreeve.client import Credentials as ClientCredentials

P = ParamSpec("P")
R = TypeVar("R")


def credentials_option(function: Callable[P, R]) -> Callable[P, R]:
    """`--credentials FILE`."""
    return click.option(
        "--credentials",
        type=click.Path(path_type=Path, dir_okay=False),
        help="[default: credentials.json in DATA]",
    )(function)


def ca_option(function: Callable[P, R]) -> Callable[P, R]:
    """`--ca FILE`."""
    return click.option(
        "--ca",
        metavar="FILE",
        help="Certificates in PEM to trust besides the usual ones.  "
        "[default: the settings ca and tls_cert of DATA]",
    )(function)


def profile_option(function: Callable[P, R]) -> Callable[P, R]:
    """`--profile NAME`."""
    return click.option(
        "--profile",
        metavar="NAME",
        envvar="MAILREEVE_PROFILE",
        show_envvar=True,
        help="Call the server that `mailreeve profile` keeps under this name.",
    )(function)


class _Where(Struct, frozen=True):
    """What the options of `calls_api` say."""

    data: Path
    account: str | None
    url: str | None
    credentials: Path | None
    ca: str | None
    profile: str | None

    @property
    def words(self) -> str:
        """Where it is, for people."""
        return self.url or (f"the server of {self.profile}" if self.profile else str(self.data))


def calls_api(function: Callable[Concatenate[Client, P], R]) -> Callable[P, R]:
    """The command is handed a `Client` first: of the data folder itself, or with `--url` of a server.

    It gets the options that say which. What the API refuses is said as an error, a line for each reason.
    """

    @data_option
    @account_option
    @click.option(
        "--url", envvar="MAILREEVE_URL", show_envvar=True, help="Call this server.  [default: the folder itself]"
    )
    @credentials_option
    @ca_option
    @profile_option
    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        wants_csv(as_json=bool(kwargs.get("as_json")))
        where = _Where(*(cast(Any, kwargs.pop(name)) for name in _Where.__struct_fields__))
        try:
            with ExitStack() as stack:
                try:
                    api = stack.enter_context(_client(where))
                except OptionError as problem:
                    misused(str(problem))
                except (SettingsError, ValueError, OSError) as problem:
                    fail(said_of(problem))
                return function(api, *args, **kwargs)
        except ClientError as problem:
            fail(*reasons(problem, where.words))
        except ProfileError as problem:
            fail(str(problem))
        except FolderError as problem:  # which may turn out to be damaged at any time
            fail(str(problem))

    return run


@contextmanager
def _client(where: _Where) -> Iterator[Client]:
    """Raises `FolderError`, `ProfileError`, `SettingsError`, `ValueError` or `OSError`."""
    if where.profile is not None and profile_counts():
        with profile_client(where.profile, where.data, where.ca, where.credentials) as api:
            yield api
        return
    settings = read_settings(where.data, {"ca": where.ca})
    if where.url is not None:
        with server_client(where.url, settings, where.data, where.credentials) as api:
            yield api
        return
    # Loaded here: who calls a server need not wait for all that a server is made of.
    from mailreeve.cli.own_folder import folder_client

    with folder_client(where.data, settings, where.account) as api:
        yield api


def server_client(
    url: str, settings: Settings, data: Path, credentials: Path | None, *, own: bool = False
) -> Client:
    """A client of a server, with the credentials of a file. `own` says whether it is that of the data folder.

    Raises `ValueError` or `OSError` where it cannot be trusted, and fails where there are no credentials.
    """
    trust = trusted(url, settings, own=own)
    keys = _keys(data, credentials, own=own)
    # Whoever typed the command is told at once that nobody answers.
    return Client(url, keys, verify=trust.verify, server_name=trust.server_name, patient=False)


def profile_client(name: str, data: Path, ca: str | None, credentials: Path | None) -> Client:
    """A client of the server of a profile. Raises `ProfileError`, and as `server_client`."""
    profile = profiles.named(name)
    trust = trusted(profile.url, read_settings(data, {"ca": ca or profile.ca or None}), own=False)
    keys = profile.credentials if credentials is None else _keys(data, credentials, own=False)
    return Client(profile.url, keys, verify=trust.verify, server_name=trust.server_name)


def profile_counts() -> bool:
    """Whether the profile that is named is meant. One in the environment is for commands that are not told
    otherwise where to go; one that is written out cannot stand beside another server."""
    context = click.get_current_context()
    written = {
        name
        for name in ("profile", "url", "data", "account")
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
    for other in ("url", "data", "account"):
        if written >= {"profile", other}:
            misused(f"--profile: give either --profile or --{other}")
    return "profile" in written or not written


def own_url(settings: Settings) -> str:
    """Where the server with these settings is found."""
    try:
        if not found_at(settings.http, "http")[1]:
            fail("the setting http has the server pick a free port; give --url with the one that it printed")
    except SettingsError as problem:
        fail(str(problem))
    return http_url(settings)


def reasons(problem: ClientError, url: str) -> list[str]:
    """A line for each error, for a reader who may have forgotten to start the server."""
    if isinstance(problem, ApiError):
        return [failure.described(problem.status) for failure in problem.failures]
    if not isinstance(problem, Unreachable):
        return [str(problem)]
    cause = problem.__cause__
    if isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout) and "SSL" not in str(cause):
        other = "give --url with the address that it printed"
        return [f"no server answers at {url}; start one with `mailreeve serve`, or {other}"]
    if isinstance(cause, httpx2.ConnectError):
        advice = "--ca names the certificates to trust"
        if "mismatch" in str(cause):
            advice = "--url wants a name that is in the server's certificate, or --ca that certificate itself"
        return [f"no safe connection to {url}: {cause}; {advice}"]
    return [f"no usable answer from {url}: {cause}; whether the call was carried out is not known"]


def _keys(data: Path, given: Path | None, *, own: bool) -> ClientCredentials:
    """The credentials in a file. Who calls the server of the data folder may not have made that folder yet; who
    calls one elsewhere needs none."""
    file = given or data / CREDENTIALS
    try:
        return ClientCredentials.load(file)
    except FileNotFoundError:
        if own and given is None and not is_initialised(data):
            fail(f"{data} is not initialised; run: mailreeve init --data {data} --domain NAME --save {file}")
        fail(f"there is no {file}; give --credentials with a file that `mailreeve init` or `keys new` saved")
    except OSError as problem:
        fail(f"{file} cannot be read: {problem.strerror}")
    except ValueError:
        # Not the reason: the file may be a key or a letter, and parts of it would be shown.
        fail(f"{file} does not hold credentials")
