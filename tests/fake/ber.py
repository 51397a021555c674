"""ber - BER as LDAP uses it: a small encoder, a strict decoder, and a forger.

The decoder reads requests of the client under test. It accepts definite lengths only (RFC 4511 5.1) and raises Bad.
The forger takes one honest message apart into a tree and writes it again with one deliberate fault.
"""


class Bad(Exception):
    """The bytes are not what RFC 4511 asks for."""


# --- encoding ---------------------------------------------------------------------------------------------------

def length(n):
    if n < 0x80:
        return bytes((n,))
    size = (n.bit_length() + 7) // 8
    return bytes((0x80 | size,)) + n.to_bytes(size, "big")


def tlv(tag, *parts):
    body = parts[0] if len(parts) == 1 else b"".join(parts)
    return bytes((tag,)) + length(len(body)) + body


def integer(n, tag=0x02):
    return tlv(tag, n.to_bytes(n.bit_length() // 8 + 1, "big", signed=True))


def enum(n):
    return integer(n, 0x0A)


def octets(value, tag=0x04):
    return tlv(tag, value.encode() if isinstance(value, str) else value)


def boolean(value):
    return tlv(0x01, b"\xff" if value else b"\x00")


def seq(*parts):
    return tlv(0x30, *parts)


def control(oid, value=None, critical=False):
    parts = [octets(oid)]
    if critical:
        parts.append(boolean(True))
    if value is not None:
        parts.append(octets(value))
    return seq(*parts)


def message(mid, op, controls=()):
    parts = [integer(mid), op]
    if controls:
        parts.append(tlv(0xA0, *controls))
    return seq(*parts)


def result(tag, code, matched=b"", text=b"", referral=None, *more):
    parts = [enum(code), octets(matched), octets(text)]
    if referral is not None:
        parts.append(tlv(0xA3, *[octets(uri) for uri in referral]))
    return tlv(tag, *parts, *more)


def attribute(name, values):
    return seq(octets(name), tlv(0x31, *[octets(v) for v in values]))


def entry(dn, attrs):
    return tlv(0x64, octets(dn), seq(*[attribute(n, v) for n, v in attrs]))


# --- decoding ---------------------------------------------------------------------------------------------------

class Reader:
    """A cursor over bytes; every read is checked against the end."""

    def __init__(self, data, pos=0, end=None):
        self.data, self.pos, self.end = data, pos, len(data) if end is None else end

    def more(self):
        return self.pos < self.end

    def peek(self):
        if self.pos >= self.end:
            raise Bad("element missing")
        return self.data[self.pos]

    def header(self):
        """Returns (tag, length) and leaves the cursor on the contents."""
        tag = self.peek()
        if tag & 0x1F == 0x1F:
            raise Bad("high tag number")
        self.pos += 1
        if self.pos >= self.end:
            raise Bad("length missing")
        size = self.data[self.pos]
        self.pos += 1
        if size & 0x80:
            count = size & 0x7F
            if not 1 <= count <= 8 or self.pos + count > self.end:
                raise Bad("bad length of length %d" % count)
            size = int.from_bytes(self.data[self.pos:self.pos + count], "big")
            self.pos += count
        if self.pos + size > self.end:
            raise Bad("length %d runs past the end" % size)
        return tag, size

    def element(self, want=None):
        tag, size = self.header()
        if want is not None and tag != want:
            raise Bad("tag 0x%02x, wanted 0x%02x" % (tag, want))
        inner = Reader(self.data, self.pos, self.pos + size)
        self.pos += size
        return tag, inner

    def sub(self, want):
        return self.element(want)[1]

    def bytes(self, want=0x04):
        inner = self.sub(want)
        return bytes(self.data[inner.pos:inner.end])

    def int(self, want=0x02):
        return int.from_bytes(self.bytes(want), "big", signed=True)

    def bool(self, want=0x01):
        return self.bytes(want) != b"\x00"

    def rest(self):
        return bytes(self.data[self.pos:self.end])


def frame_size(buf):
    """Size of the first complete element in buf, or None while more bytes are needed."""
    if len(buf) < 2:
        return None
    if buf[0] != 0x30:
        raise Bad("a message must begin with 0x30, not 0x%02x" % buf[0])
    first = buf[1]
    if first < 0x80:
        size, head = first, 2
    else:
        count = first & 0x7F
        if not 1 <= count <= 4:
            raise Bad("bad length of length %d" % count)
        if len(buf) < 2 + count:
            return None
        size, head = int.from_bytes(buf[2:2 + count], "big"), 2 + count
    return head + size if len(buf) >= head + size else None


def read_controls(r):
    out = []
    while r.more():
        c = r.sub(0x30)
        oid, critical, value = c.bytes().decode("ascii", "replace"), False, None
        if c.more() and c.peek() == 0x01:
            critical = c.bool()
        if c.more():
            value = c.bytes()
        out.append((oid, critical, value))
    return out


# --- forging ----------------------------------------------------------------------------------------------------

class Node:
    def __init__(self, tag, kids=None, data=b""):
        self.tag, self.kids, self.data, self.form = tag, kids, data, None


def parse(data):
    """Takes one honest element apart; our own output only, so recursion is bounded by what we build."""
    r = Reader(data)
    tag, inner = r.element()
    if not tag & 0x20:
        return Node(tag, None, inner.rest())
    kids = []
    while inner.more():
        start = inner.pos
        inner.element()
        kids.append(parse(data[start:inner.pos]))
    return Node(tag, kids)


# Where a fault can sit. A path of child numbers from the message, by kind of message.
LEVELS = {
    "entry": {"message": (), "id": (0,), "op": (1,), "dn": (1, 0), "attrs": (1, 1), "attr": (1, 1, 0),
              "type": (1, 1, 0, 0), "set": (1, 1, 0, 1), "value": (1, 1, 0, 1, 0)},
    "result": {"message": (), "id": (0,), "op": (1,), "code": (1, 0), "matched": (1, 1), "text": (1, 2),
               "controls": (2,), "control": (2, 0), "oid": (2, 0, 0), "ctlvalue": (2, 0, 1)},
    "ref": {"message": (), "id": (0,), "op": (1,), "uri": (1, 0)},
}


def _len_of(n):
    return lambda t, b: bytes((t, 0x80 | n)) + len(b).to_bytes(n, "big") + b


def _claim(size, n):
    return lambda t, b: bytes((t, 0x80 | n)) + size.to_bytes(n, "big") + b


# Each form: (tag, contents) -> bytes.
FORMS = {
    "too-long": lambda t, b: bytes((t,)) + length(len(b) + 10) + b,
    "too-long-far": lambda t, b: bytes((t,)) + length(len(b) + (1 << 20)) + b,
    "too-short": lambda t, b: bytes((t,)) + length(max(0, len(b) - 3)) + b,
    "zero": lambda t, b: bytes((t, 0)) + b,
    "indefinite": lambda t, b: bytes((t | 0x20, 0x80)) + b + b"\x00\x00",
    "indefinite-open": lambda t, b: bytes((t | 0x20, 0x80)) + b,
    "nonminimal": _len_of(4),
    "len5": _len_of(5), "len6": _len_of(6), "len7": _len_of(7), "len8": _len_of(8), "len9": _len_of(9),
    "len126": _len_of(126),
    "reserved": lambda t, b: bytes((t, 0xFF)) + b,
    "claim-2g-1": _claim(0x7FFFFFFF, 4), "claim-2g": _claim(0x80000000, 4), "claim-4g": _claim(0xFFFFFFFF, 4),
    "claim-2e63": _claim(1 << 63, 8), "claim-2e64": _claim((1 << 64) - 1, 8),
    "tag-zero": lambda t, b: b"\x00" + length(len(b)) + b,
    "tag-high": lambda t, b: b"\x3f\x81\x00" + length(len(b)) + b,
    "tag-class": lambda t, b: bytes((t ^ 0x40,)) + length(len(b)) + b,
    "tag-constructed": lambda t, b: bytes((t ^ 0x20,)) + length(len(b)) + b,
    "tag-null": lambda t, b: b"\x05" + length(len(b)) + b,
    "missing": lambda t, b: b"",
    "doubled": lambda t, b: 2 * (bytes((t,)) + length(len(b)) + b),
    "trailing": lambda t, b: bytes((t,)) + length(len(b) + 2) + b + b"\x05\x00",
    "empty": lambda t, b: bytes((t, 0)),
    "tag-only": lambda t, b: bytes((t,)),
    "header-only": lambda t, b: bytes((t,)) + length(len(b)),
}


def render(node):
    body = node.data if node.kids is None else b"".join(render(k) for k in node.kids)
    if node.form:
        return FORMS[node.form](node.tag, body)
    return bytes((node.tag,)) + length(len(body)) + body


def forge(data, kind, form, level):
    """The honest message `data`, with `form` applied at `level`; unchanged when the message has no such level."""
    root = parse(data)
    node = root
    for step in LEVELS[kind][level]:
        if not node.kids or step >= len(node.kids):
            return data
        node = node.kids[step]
    node.form = form
    return render(root)


def nested(depth, core=b"\x04\x01x"):
    """`depth` sequences, one inside the other, without recursion."""
    heads, size = [], len(core)
    for _ in range(depth):
        head = b"\x30" + length(size)
        heads.append(head)
        size += len(head)
    return b"".join(reversed(heads)) + core


def entry_prefix(mid, dn, attr, size, one_value):
    """An entry with one attribute, up to where `size` bytes of content must follow: of one value, or of the set."""
    head = bytes((0x04,)) + length(size) if one_value else b""
    set_size = len(head) + size
    name = octets(attr)
    set_head = b"\x31" + length(set_size)
    attr_size = len(name) + len(set_head) + set_size
    attr_head = b"\x30" + length(attr_size)
    attrs_size = len(attr_head) + attr_size
    attrs_head = b"\x30" + length(attrs_size)
    dn = octets(dn)
    op_size = len(dn) + len(attrs_head) + attrs_size
    op_head = b"\x64" + length(op_size)
    mid = integer(mid)
    return (b"\x30" + length(len(mid) + len(op_head) + op_size) + mid + op_head + dn + attrs_head + attr_head + name
            + set_head + head)
