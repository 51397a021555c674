"""filters - LDAP search filters: decoded from the wire, printed as text (RFC 4515), evaluated against entries."""

import ber
import directory as ad

BIT_AND, BIT_OR, IN_CHAIN = "1.2.840.113556.1.4.803", "1.2.840.113556.1.4.804", "1.2.840.113556.1.4.1941"
MAX_DEPTH = 100


def decode(r, depth=0):
    """One filter from a ber.Reader, as a tree of tuples."""
    if depth > MAX_DEPTH:
        raise ber.Bad("filter nested too deeply")
    tag, inner = r.element()
    if tag in (0xA0, 0xA1):
        kids = []
        while inner.more():
            kids.append(decode(inner, depth + 1))
        return ("and" if tag == 0xA0 else "or", kids)
    if tag == 0xA2:
        return ("not", decode(inner, depth + 1))
    if tag in (0xA3, 0xA5, 0xA6, 0xA8):
        return ({0xA3: "=", 0xA5: ">=", 0xA6: "<=", 0xA8: "~="}[tag], inner.bytes().decode("utf-8", "replace"), inner.bytes())
    if tag == 0xA4:
        attr, parts, pieces = inner.bytes().decode("utf-8", "replace"), [None, [], None], inner.sub(0x30)
        while pieces.more():
            kind = pieces.peek()
            value = pieces.bytes(kind)
            if kind == 0x80:
                parts[0] = value
            elif kind == 0x82:
                parts[2] = value
            else:
                parts[1].append(value)
        return ("sub", attr, parts)
    if tag == 0x87:
        return ("present", inner.rest().decode("utf-8", "replace"))
    if tag == 0xA9:
        rule, attr, value = "", "", b""
        while inner.more():
            kind = inner.peek()
            data = inner.bytes(kind)
            if kind == 0x81:
                rule = data.decode("ascii", "replace")
            elif kind == 0x82:
                attr = data.decode("utf-8", "replace")
            elif kind == 0x83:
                value = data
        return ("ext", attr, rule, value)
    raise ber.Bad("unknown filter 0x%02x" % tag)


def quote(value):
    try:
        return "".join("\\%02x" % ord(c) if c in "*()\\" or ord(c) < 32 else c for c in value.decode())
    except UnicodeDecodeError:
        return "".join("\\%02x" % b for b in value)


def text(f):
    kind = f[0]
    if kind in ("and", "or"):
        return "(%s%s)" % ("&" if kind == "and" else "|", "".join(text(k) for k in f[1]))
    if kind == "not":
        return "(!%s)" % text(f[1])
    if kind == "present":
        return "(%s=*)" % f[1]
    if kind == "sub":
        first, middle, last = f[2]
        return "(%s=%s)" % (f[1], "*".join([quote(first or b"")] + [quote(m) for m in middle] + [quote(last or b"")]))
    if kind == "ext":
        return "(%s:%s:=%s)" % (f[1], f[2], quote(f[3]))
    return "(%s%s%s)" % (f[1], kind, quote(f[2]))


def _number(value):
    try:
        return int(value)
    except ValueError:
        return None


def _key(attr, value):
    """The value in the form in which two equal values are equal."""
    low = attr.lower()
    if low in ad.BINARY:
        return value
    if low in ad.INTEGERS:
        n = _number(value)
        return value if n is None else n
    text = value.decode("utf-8", "replace")
    if low == "objectcategory" and "=" not in text:
        return ad.norm_dn("CN=%s,%s" % (ad.CATEGORY_OF.get(text.lower(), text), ad.SCHEMA_DN))
    return ad.norm_dn(text) if low in ad.DNS else text.casefold()


def _substring(value, parts):
    value = value.decode("utf-8", "replace").casefold()
    first, middle, last = parts
    fold = [p.decode("utf-8", "replace").casefold() for p in middle]
    first, last = ((p or b"").decode("utf-8", "replace").casefold() for p in (first, last))
    if not value.startswith(first):
        return False
    at = len(first)
    for piece in fold:
        at = value.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return value.endswith(last) and len(value) - len(last) >= at


def compile(f, directory, denied=()):
    """A function entry -> bool. An absent attribute makes a comparison false, and its negation true, as in AD."""
    kind = f[0]
    if kind in ("and", "or"):
        kids = [compile(k, directory, denied) for k in f[1]]
        if kind == "and":
            return lambda e: all(k(e) for k in kids)
        return lambda e: any(k(e) for k in kids)
    if kind == "not":
        kid = compile(f[1], directory, denied)
        return lambda e: not kid(e)
    attr = f[1]
    if attr.lower() in denied:
        return lambda e: False
    if kind == "present":
        return lambda e: bool(e.get(attr))
    if kind == "sub":
        return lambda e: any(_substring(v, f[2]) for v in e.get(attr))
    if kind == "ext":
        return _extensible(attr, f[2], f[3], directory)
    want = _key(attr, f[2])
    if kind in ("=", "~="):
        return lambda e: any(_key(attr, v) == want for v in e.get(attr))

    def ordered(e):
        for value in e.get(attr):
            have = _key(attr, value)
            if type(have) is type(want) and (have >= want if kind == ">=" else have <= want):
                return True
        return False
    return ordered


def _extensible(attr, rule, value, directory):
    if rule in (BIT_AND, BIT_OR):
        bits = _number(value) or 0

        def match(e):
            for v in e.get(attr):
                n = (_number(v) or 0) & 0xFFFFFFFFFFFFFFFF
                if (n & bits == bits) if rule == BIT_AND else (n & bits):
                    return True
            return False
        return match
    if rule == IN_CHAIN and attr.lower() == "memberof":
        want = _key(attr, value)
        return lambda e: want in directory.groups_of(e)
    return lambda e: False
