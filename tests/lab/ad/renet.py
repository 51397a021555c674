#!/usr/bin/python3
"""renet.py DCDIR OLD NEW: in a stopped DC's DNS zones, change the addresses OLD.n to NEW.n.

So a snapshot taken on 127.0.10 can be started on 127.0.11.
"""
import sys

import ldb
from samba.auth import system_session
from samba.dcerpc import dnsp
from samba.ndr import ndr_pack, ndr_unpack
from samba.param import LoadParm
from samba.samdb import SamDB

dc, old, new = sys.argv[1:]
lp = LoadParm()
lp.load(dc + "/etc/smb.conf")
db = SamDB(url=dc + "/private/sam.ldb", lp=lp, session_info=system_session())
base = str(db.domain_dn())
db.transaction_start()
for zone in "DomainDnsZones", "ForestDnsZones":
    for node in db.search("DC=%s,%s" % (zone, base), ldb.SCOPE_SUBTREE, "(objectClass=dnsNode)", ["dnsRecord"]):
        recs, changed = [], False
        for raw in node.get("dnsRecord", []):
            rec = ndr_unpack(dnsp.DnssrvRpcRecord, raw)
            if rec.wType == dnsp.DNS_TYPE_A and rec.data.rpartition(".")[0] == old:
                rec.data, changed = new + "." + rec.data.rpartition(".")[2], True
            recs.append(ndr_pack(rec))
        if changed:
            m = ldb.Message(node.dn)
            m["dnsRecord"] = ldb.MessageElement(recs, ldb.FLAG_MOD_REPLACE, "dnsRecord")
            db.modify(m)
db.transaction_commit()
