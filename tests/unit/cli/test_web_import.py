"""`mailreeve web import`, `export`, `pac`, `proxy`, `allow` and `default-deny`."""

from __future__ import annotations

import json


def test_a_hosts_file_is_imported_and_each_line_that_is_not_taken_named(folder, tmp_path):
    file = tmp_path / "hosts.txt"
    file.write_text(
        "127.0.0.1 localhost\n0.0.0.0 bad.test\n0.0.0.0 com\n10.0.0.1 own.test\n0.0.0.0 BAD.test\n0.0.0.0 a,b\n"
    )
    result = folder.run("web", "import", str(file), "--into", "Ads", "--dry-run")
    assert result.stdout == (
        "Ads, read as hosts: 1 added, 0 changed, 0 there already, 1 repeated, 3 not taken"
        " (dry run: nothing was changed)\n"
    )
    lines = [line.removeprefix(f"{file} ") for line in result.stderr.splitlines()]
    assert lines[:3] == [
        "line 3: com: Anybody may have a name below this: the entry is about all of them;"
        " --confirm-suffixes takes it",
        "line 4: 10.0.0.1 own.test: it leads to an address instead of nowhere",
        "line 6: a,b: a domain cannot hold ','; each entry is one domain or URL",
    ]
    assert "2 lines name a host alone" in result.stderr
    assert folder.run("web", "list").output == "no list\n"
    assert folder.run("web", "import", str(file), "--into", "Ads").exit_code == 0
    again = folder.run("web", "import", str(file), "--into", "Ads", "--confirm-suffixes", "--json")
    said = json.loads(again.stdout)
    assert (said["added"], said["unchanged"], said["format"], len(said["untaken"])) == (1, 1, "hosts", 2)


def test_the_report_holds_every_line_and_the_screen_the_first(folder, tmp_path):
    file = tmp_path / "adblock.txt"
    file.write_text("[Adblock]\n||bad.test^\n@@||bad.test^\n" + "x.test##.ad\n" * 60)
    said = folder.run("web", "import", str(file)).stderr
    assert "and 11 more lines not taken; --report FILE writes them all" in said
    assert "60: it hides parts of pages" in said
    report = tmp_path / "report.txt"
    folder.run("web", "import", str(file), "--report", str(report))
    lines = report.read_text().splitlines()
    assert len(lines) == 61
    assert lines[0].endswith("line 2: bad.test: line 3 allows bad.test, which comes first in an AdBlock list")
    (one,) = json.loads(folder.run("web", "list", "--json").output)["lists"]
    assert (one["description"], [(e["action"], e["value"]) for e in one["urls"]]) == (
        "adblock",
        [("allow", "bad.test")],
    )


def test_a_file_of_which_nothing_is_taken_fails(folder, tmp_path):
    file = tmp_path / "list.txt"
    file.write_text("a b c\n")
    assert folder.run("web", "import", str(file)).exit_code == 1
    assert folder.run("web", "import", str(tmp_path / "none")).exit_code != 0
    assert folder.run("web", "import", "-", "--action", "allow", text="ok.test\n").exit_code == 0
    (one,) = json.loads(folder.run("web", "list", "--json").output)["lists"]
    assert (one["description"], one["urls"][0]["action"]) == ("Imported", "allow")


def test_a_default_deny_is_turned_on_listed_and_turned_off(folder):
    folder.run("web", "create", "Build", "repo.test", "--allow", "--user", "bot@corp.test")
    assert (
        "blocks whatever no entry speaks of; 1 of its entries" in folder.run("web", "default-deny", "Build").output
    )
    assert "Build" in folder.run("web", "default-deny").output
    assert "all else is blocked by default" in folder.run("web", "show", "Build").output
    explained = folder.run("explain", "web", "http://x.test/", "--user", "bot@corp.test").output
    assert "all else" in explained
    assert "x.test: block" in explained
    assert "nothing else" in folder.run("web", "default-deny", "Build", "off").output
    folder.run("web", "create", "All", "repo.test", "--allow")
    refused = folder.run("web", "default-deny", "All", "on")
    assert (refused.exit_code, "give --yes" in refused.output) == (1, True)
    assert folder.run("web", "default-deny", "All", "on", "--yes").exit_code == 0


def test_an_allow_for_a_time_is_made_listed_and_ended(folder):
    made = folder.run("web", "allow", "video.test", "--user", "pat@corp.test", "--for", "2h", "--reason", "Course")
    assert made.output.startswith("video.test is allowed for pat@corp.test until ")
    assert "Course" in folder.run("web", "allows").output
    assert folder.run("web", "allows", "--client", "10.0.0.1").output == "no temporary allow like that\n"
    explained = folder.run("explain", "web", "http://video.test/", "--user", "pat@corp.test", "--all").output
    assert "a temporary allow, until" in explained
    assert folder.run("web", "unallow", "video.test").output == "video.test is no longer allowed\n"
    assert folder.run("web", "allows").output == "no temporary allow\n"
    wrong = folder.run("web", "allow", "video.test", "--for", "2h", "--reason", "x")
    assert (wrong.exit_code, "--user" in wrong.output) == (2, True)
    wrong = folder.run("web", "allow", "v.test", "--client", "10.0.0.0/8", "--for", "2h", "--reason", "x")
    assert (wrong.exit_code, "--client" in wrong.output) == (2, True)


def test_a_file_is_written_and_what_it_leaves_out_said(folder, tmp_path):
    folder.run("web", "create", "Bad", "bad.test", "path.test/x")
    shown = folder.run("web", "export", "--format", "unbound")
    assert '  local-zone: "bad.test." always_nxdomain\n' in shown.stdout
    assert "Not in this file: 1 URL (path.test/x)" in shown.stderr
    file = tmp_path / "squid.txt"
    assert folder.run("web", "export", "--format", "squid", "--output", str(file)).stdout == ""
    assert file.read_text().splitlines()[-1] == ".bad.test"
    wrong = folder.run("web", "export", "--format", "hosts", "--user", "nobody")
    assert (wrong.exit_code, "--user" in wrong.output) == (2, True)


def test_a_format_may_be_named(folder, tmp_path):
    file = tmp_path / "list"
    file.write_text("bad.test\n")
    assert folder.run("web", "import", str(file), "--format", "hosts").exit_code == 1
    assert folder.run("web", "import", str(file), "--format", "domains").stdout.startswith(
        "list, read as domains: 1 added"
    )


def test_browsers_get_their_proxy(folder):
    made = folder.run("web", "pac", "--proxy", "proxy.test:3128", "--direct", "corp.test")
    assert 'var other = "PROXY proxy.test:3128";' in made.stdout
    assert folder.run("web", "pac", "--at", "Paris").exit_code == 2
    assert "no location of this name" in folder.run("web", "pac", "--at", "Paris=p:1").output


def test_a_proxy_gets_a_token_is_listed_and_sent_away(folder):
    made = folder.run("web", "proxy", "add", "gateway", "--kind", "nginx")
    assert made.stdout.startswith("mailreeve-web-")
    assert "gateway" in folder.run("web", "proxy", "list").output
    assert (
        "--user-header" in folder.run("web", "proxy", "add", "x", "--kind", "envoy", "--user-header", "a b").output
    )
    assert folder.run("web", "proxy", "remove", "gateway").exit_code == 2
    assert folder.run("web", "proxy", "remove", "gateway", "--yes").output == "gateway may no longer ask\n"
    assert folder.run("web", "proxy", "list").output == "no proxy\n"


def test_who_wants_a_zone_is_told_where_they_are_written(folder):
    said = folder.run("web", "export", "--format", "rpz")
    assert said.exit_code == 2
    assert "mailreeve web zone export" in said.stderr
