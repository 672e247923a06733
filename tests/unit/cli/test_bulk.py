"""`mailreeve import` and `export`: files of every kind and make, what is said, and that all or nothing is done."""

from __future__ import annotations

import json

import pytest

from mailreeve.cli.objects import import_ as command
from mailreeve.cli.objects.table_file import MAX_LINE, protected, unprotected
from mailreeve.families.bulk.kinds import KINDS
from mailreeve.families.managed_senders import operations as managed_operations

FILES = {
    "users": "address,name,aliases,locked,attribute:Site\n"
    "ann@corp.test,Ann,a@corp.test a2@corp.test,,Oslo\nbob@corp.test,=Bob,,TRUE,\n",
    "groups": "group\nSales/EMEA\nA\\/B/C\n",
    "members": "group,address,domain,notes\nSales/EMEA,x@out.test,,a note\nSales/EMEA,,out.test,\n",
    "senders": "to,sender,action\nann@corp.test,+x@out.test,permit\nann@corp.test,bad.test,Block\n",
    "blocks": "description,option,from,to,fromPart,toDate,sourceIPs,enabled,comment\n"
    'One,block_sender,x@out.test,internal,header_from,2090-01-01T00:00:00+0000,192.0.2.1 10.0.0.0/8,no,"a\nb"\n'
    "Two,no_action,group:Sales/EMEA,attribute:Site=Oslo,,,,,\n"
    "Three,block_sender,name:The Chief,ann@corp.test,,,,,\n".replace(",no,", ",false,"),
    "web": "policy,type,value,action,for\nList,domain,bad.test,block,ann@corp.test | group:Sales\n"
    "List,url,http://x.test/a?b=1,allow,\nOther,domain,d.test,block,\n",
    "delegates": "primary,delegate\nann@corp.test,bob@corp.test\n",
}


@pytest.fixture
def files(tmp_path):
    for kind, text in FILES.items():
        (tmp_path / f"{kind}.csv").write_text(text, "utf-8")
    return tmp_path


def revision(folder) -> int:
    return folder.opened.services.store.read(folder.account_id, lambda work: folder_revision(work))


def folder_revision(work) -> int:
    from mailreeve.store.changes import revision_of

    return revision_of(work.connection, work.account_id)


def given(folder, run, tmp_path, kind: str, text: str | bytes, *options: str):
    file = tmp_path / "given.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return run("import", kind, str(file), *options)
