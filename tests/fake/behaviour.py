"""behaviour - one behaviour that was asked for: its argument, its qualifiers, and whether it applies here and now."""

import anomalies as odd
import directory as ad

SCOPES = ("base", "one", "sub")


def in_range(spec, n):
    """Is n within "2", "1-3" or "2-"?"""
    low, dash, high = str(spec).partition("-")
    return n == int(low) if not dash else int(low or 1) <= n <= int(high or n)


class Behaviour:
    def __init__(self, name, arg=None, opts=None):
        if name not in odd.BEHAVIOURS:
            raise ValueError("unknown behaviour %r" % name)
        self.spec = odd.BEHAVIOURS[name]
        self.name, self.opts, self.hits = name, dict(self.spec.defaults), 0
        self.opts.update({k: str(v) for k, v in (opts or {}).items()})
        self.arg = self.opts.pop("arg", "")
        if arg is not None:
            self.arg = str(arg)
        closed = name not in ("bind-error",) and self.spec.variants
        if closed and self.arg not in self.spec.variants:
            raise ValueError("behaviour %s has no variant %r" % (name, self.arg))

    @classmethod
    def parse(cls, text):
        """NAME[=ARG][,key=value...], or an object {"name":, "arg":, key: value}."""
        if isinstance(text, dict):
            opts = dict(text)
            return cls(opts.pop("name"), opts.pop("arg", None), opts)
        head, *rest = text.split(",")
        name, eq, arg = head.partition("=")
        return cls(name, arg if eq else None, dict(r.partition("=")[::2] for r in rest))

    def int(self, key=None, default=0):
        return int(self.arg if key is None else self.opts.get(key, default))

    def applies(self, session, search, page, where):
        o = self.opts
        if "conn" in o and not in_range(o["conn"], session.number):
            return False
        if "times" in o and self.hits >= int(o["times"]):
            return False
        for key, value in where.items():
            if (self.arg if key == "arg" else o.get(key)) not in (value, "any"):
                return False
        if search is not None:
            scope = o.get("scope")
            if (search.scope == 0 if scope is None else scope not in ("any", SCOPES[search.scope])):
                return False
            if o.get("match", "").lower() not in search.text.lower():
                return False
            if not ad.norm_dn(search.base).endswith(ad.norm_dn(o.get("base", ""))):
                return False
            if "search" in o and not in_range(o["search"], search.ordinal):
                return False
        if page is not None and "page" in o and self.name not in odd.FROM_PAGE and not in_range(o["page"], page):
            return False
        return True
