"""The `mailreeve` command. Sub-commands are loaded when they are called, so that help is quick (ADR 0069)."""

from __future__ import annotations

import gc
import signal
from difflib import get_close_matches
from importlib import import_module
from typing import Final, NamedTuple, NoReturn

import click

INTERRUPTED: Final = 130  # the exit code of what Ctrl-C ended


class _Command(NamedTuple):
    """A command: the module that has it, below this package, and a line of help."""

    module: str
    help: str


_SECTIONS: Final[dict[str, dict[str, _Command]]] = {
    "Run": {
        "init": _Command("running.init", "Make a data folder with a first account."),
        "serve": _Command("running.serve", "Serve the API and the mail door from a data folder."),
        "completion": _Command("running.completion", "Print what has a shell complete commands."),
        "squid-helper": _Command("running.squid_helper", "Answer Squid, by what a running server says."),
    },
    "Keep": {
        "backup": _Command("running.backup", "Back up a data folder, also while it is served."),
        "restore": _Command("running.restore", "Make a data folder of a backup."),
        "verify": _Command("running.verify", "Say whether a backup or a data folder is whole."),
        "doctor": _Command("running.doctor", "Say what ails a folder, its settings, its ports, its next hop."),
        "check": _Command("running.check", "Say what Postfix or Squid and Mailreeve lack to work together."),
    },
    "Ask": {
        "explain": _Command("asking.explain", "Say what would become of a message or a web request, and why."),
        "lint": _Command("asking.lint", "Say which policies can never win, win by chance, or come to nothing."),
        "log": _Command("asking.log", "Say what became of mail, recipient by recipient, and why."),
        "message": _Command("asking.message", "Find messages, and show which policies applied to one."),
        "audit": _Command("asking.audit", "Say who changed what, with the object before and after."),
        "history": _Command("asking.history", "Show what objects were, and make them that again."),
        "archive": _Command("archive.archive", "Find, show, export and hold archived mail, and check it."),
        "replay": _Command(
            "asking.replay", "Say what a draft of changes would have done to the messages of the past days."
        ),
    },
    "Change": {
        "policy": _Command("policies.policy", "List policies of all types, switch, make and remove them."),
        "alteration": _Command("policies.alteration", "List which addresses are altered, and into which."),
        "web": _Command("objects.web", "Make and change lists of web addresses that are blocked or allowed."),
        "url": _Command("objects.url", "Block and permit single URLs or domains for everybody."),
        "sender": _Command("objects.sender", "Permit and block senders for single recipients."),
        "hold": _Command("objects.hold", "List, show, release and turn down mail that is held."),
        "user": _Command("objects.user", "List, make, rename and remove users and their aliases."),
        "domain": _Command("objects.domain", "List, add, change and remove the domains that mail is taken for."),
        "directory": _Command("people.directory", "Take users and groups over from a directory server."),
        "group": _Command("objects.group", "List and make groups, and say who is in them, and until when."),
        "delegate": _Command("people.delegates", "Say who may open whose mailbox."),
        "digest": _Command("people.digest", "Tell users by mail what is held for them, with links that act."),
        "import": _Command(
            "objects.import_", "Make or change many users, groups, senders and others from a file."
        ),
        "export": _Command("objects.export", "Write all users, groups, senders or others to a file."),
        "profile": _Command("objects.profile", "Keep the servers that you call, with their keys, by name."),
        "call": _Command("objects.call", "Call an API endpoint, signed with saved credentials."),
    },
    "Admit": {
        "keys": _Command("people.keys", "List, make, exchange and revoke the credentials of programs."),
        "admin": _Command("people.admin", "Appoint, list, lock and dismiss administrators."),
        "role": _Command("people.role", "List, make, change and delete roles."),
        "account": _Command("people.account", "Keep several accounts in one folder."),
    },
}
_COMMANDS: Final = {name: command for section in _SECTIONS.values() for name, command in section.items()}


class _Lazy(click.Group):
    """A group whose commands live in modules of their own names."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        if cmd_name == "serve":
            # Loading a server takes its time, in which a SIGHUP must not end it. Afterwards it has a meaning.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        command = _loaded(_COMMANDS[cmd_name].module)
        _tell_whole_sentences(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is called. Raises `UsageError`, with the one that may be meant."""
        name = args[0]
        if name not in _COMMANDS and not name.startswith("-"):
            near = get_close_matches(name, _COMMANDS, 3, 0.6)
            meant = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
            ctx.fail(f"No such command {name!r}.{meant}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run a command. Ctrl-C ends it with 130, also while its module is still being loaded."""
        try:
            return super().invoke(ctx)
        except click.UsageError as problem:
            _in_a_line(problem)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            raise SystemExit(INTERRUPTED) from None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as problem:
            _in_a_line(problem)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, _COMMANDS))
        for title, commands in _SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), command.help) for name, command in commands.items()])


def _loaded(module: str) -> click.Command:
    """The command of a module. What is made while it is loaded is there to stay: nobody looks for garbage in it,
    which would take a twentieth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        command: click.Command = import_module(f"mailreeve.cli.{module}").command
    finally:
        if was_on:
            gc.enable()
    return command


def _tell_whole_sentences(command: click.Command) -> None:
    """The list of what is below a command tells the first sentence of each, where Click would cut it short."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            if below.short_help is None and below.help:
                paragraph = " ".join(below.help.partition("\n\n")[0].split())
                below.short_help = f"{paragraph.partition('. ')[0].rstrip('.')}."
            _tell_whole_sentences(below)


def _in_a_line(problem: click.UsageError) -> NoReturn:
    """A usage error as every other error is told: in one line, with where to look."""
    if isinstance(problem, click.exceptions.NoArgsIsHelpError):
        raise problem
    # Loaded here: help and the version need no settings.
    from mailreeve.cli.options import misused

    path = problem.ctx.command_path if problem.ctx else "mailreeve"
    # Click lists what there is to choose from on lines of their own.
    words = " ".join(problem.format_message().split()).rstrip(".")
    misused(f"{words} See {path} --help" if words.endswith("?") else f"{words}; see {path} --help")


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mailreeve", prog_name="mailreeve")
def main() -> None:
    """Mail and web policies set through an API, enforced on the next message, and explained.

    Exit codes: 0 done, 1 it could not be done, 2 the command was not understood, 130 Ctrl-C ended it.
    """
