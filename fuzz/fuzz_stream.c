/* fuzz_stream.c - what comes from a worker: frames, records, bodies, member lists, gaps.
 *
 * The first byte chooses: a stream of frames, or one payload of a kind, so that a fuzzer need not invent
 * lengths first.
 */
#include "fuzz.h"
#include "model/frame.h"

static size_t check_list(struct bytes whole, struct dn_list list)
{
    struct str dn;
    size_t n = 0;
    HOLDS(dn_list_is_whole(list) && is_inside(whole, list.block));
    for (; dn_list_next(&list, &dn); n++) HOLDS(is_inside(whole, bytes_of(dn)));
    HOLDS(list.n == 0 && list.block.len == 0);
    return n;
}

/* One entry, written again, reads the same. */
static void check_entry(struct values v)
{
    struct buf b = buf_new(1 << 24);
    struct values again;
    if (v.id == ATTR_CUSTOM)
        body_add_custom(&b, v.name, v.type, v.n, v.at.in);
    else
        body_add(&b, v.id, v.n, v.at.in);
    struct cursor c = cursor_new(buf_bytes(&b));
    HOLDS(body_next(&c, &again) && c.in.len == 0);
    HOLDS(again.id == v.id && again.type == v.type && again.n == v.n && str_equal(again.name, v.name));
    HOLDS(bytes_equal(again.at.in, v.at.in));
    buf_free(&b);
}

static void check_values(struct bytes whole, struct values v)
{
    struct bytes b;
    int64_t i;
    struct values numbers = v;
    for (uint32_t left = v.n; values_next_bytes(&v, &b); left--) HOLDS(left && is_inside(whole, b));
    for (uint32_t left = numbers.n; values_next_int(&numbers, &i); left--) HOLDS(left);
    HOLDS(v.n == 0 && numbers.n == 0);
}

static void check_body(struct bytes body)
{
    struct cursor c = cursor_new(body);
    struct values v;
    while (body_next(&c, &v)) {
        HOLDS(is_inside(body, v.at.in) && v.type <= ATTR_BINARY && v.n <= v.at.in.len);
        check_entry(v);
        check_values(body, v);
    }
    HOLDS(c.failed || c.in.len == 0);
}

static void check_index(const struct record *r)
{
    struct record_index x;
    struct err e;
    struct str s;
    int64_t i;
    if (record_index(&x, r, &e) < 0) return;
    for (size_t k = 0; k < n_attr_table; k++) {
        enum attr id = attr_table[k].id;
        struct values v = record_values(&x, id);
        HOLDS(v.id == id);
        if (record_str(&x, id, &s))
            HOLDS(is_inside(r->state, bytes_of(s)) || is_inside(r->stats, bytes_of(s)));
        record_int(&x, id, &i);
    }
    record_custom(&x, STR("badgeNumber"));
    s = record_name(&x);
    HOLDS(is_inside(r->state, bytes_of(s)) || is_inside(r->stats, bytes_of(s)) ||
          is_inside(bytes_of(r->dn), bytes_of(s)));
}

static void check_record(struct bytes in)
{
    struct record r, again;
    struct err e;
    if (record_decode(&r, in, &e) < 0) return;
    HOLDS(r.kind > KIND_NONE && r.kind < KIND_COUNT && r.sid.len <= 68);
    HOLDS(is_inside(in, r.sid) && is_inside(in, bytes_of(r.dn)) && is_inside(in, r.state) &&
          is_inside(in, r.stats));
    HOLDS(check_list(in, r.member) == r.member.n && check_list(in, r.member_of) == r.member_of.n);
    struct buf b = buf_new(FRAME_MAX);
    record_encode(&b, &r);
    HOLDS(record_decode(&again, buf_bytes(&b), &e) == 0);
    HOLDS(again.kind == r.kind && again.flags == r.flags && again.sd == r.sd && str_equal(again.dn, r.dn));
    HOLDS(memcmp(again.guid, r.guid, GUID_SIZE) == 0 && bytes_equal(again.sid, r.sid));
    HOLDS(bytes_equal(again.state, r.state) && bytes_equal(again.stats, r.stats));
    HOLDS(again.member.n == r.member.n && bytes_equal(again.member.block, r.member.block));
    HOLDS(again.member_of.n == r.member_of.n && bytes_equal(again.member_of.block, r.member_of.block));
    buf_free(&b);
    check_body(r.state);
    check_body(r.stats);
    check_index(&r);
}

static void check_members(struct bytes in)
{
    struct members_part m, again;
    struct err e;
    if (members_decode(&m, in, &e) < 0) return;
    HOLDS(check_list(in, m.list) == m.list.n);
    struct buf b = buf_new(FRAME_MAX);
    members_encode(&b, &m);
    HOLDS(members_decode(&again, buf_bytes(&b), &e) == 0);
    HOLDS(again.more == m.more && again.list.n == m.list.n && bytes_equal(again.list.block, m.list.block));
    buf_free(&b);
}

static void check_gap(struct bytes in)
{
    struct gap g, again;
    struct err e;
    if (gap_decode(&g, in, &e) < 0) return;
    HOLDS(is_inside(in, bytes_of(g.what)) && is_inside(in, bytes_of(g.where)) &&
          is_inside(in, bytes_of(g.fix)));
    struct buf b = buf_new(FRAME_MAX);
    gap_encode(&b, &g);
    HOLDS(gap_decode(&again, buf_bytes(&b), &e) == 0);
    HOLDS(again.kind == g.kind && again.severity == g.severity && str_equal(again.what, g.what));
    HOLDS(str_equal(again.where, g.where) && str_equal(again.fix, g.fix));
    buf_free(&b);
}

static void check_payload(enum frame_type type, struct bytes payload)
{
    if (type == FRAME_RECORD) check_record(payload);
    if (type == FRAME_MEMBERS) check_members(payload);
    if (type == FRAME_GAP) check_gap(payload);
}

static void check_stream(struct bytes in)
{
    struct bytes whole = in, before = in;
    struct frame f;
    struct err e;
    int rc;
    while ((rc = frame_next(&f, &in, &e)) == 1) {
        HOLDS(is_inside(whole, f.payload) && f.payload.len + 5 + in.len == before.len);
        check_payload(f.type, f.payload);
        struct buf b = buf_new(FRAME_MAX + 8);
        size_t at = frame_open(&b, f.type);
        buf_add_bytes(&b, f.payload);
        frame_close(&b, at);
        HOLDS(bytes_equal(buf_bytes(&b), (struct bytes){before.ptr, b.len}));
        buf_free(&b);
        before = in;
    }
    HOLDS(rc == 0 || rc == ERR_PROTO);
    HOLDS(in.len == before.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size) return 0;
    struct bytes in = {data + 1, size - 1};
    switch (data[0] % 5) {
    case 0:
        check_stream(in);
        break;
    case 1:
        check_record(in);
        break;
    case 2:
        check_members(in);
        break;
    case 3:
        check_gap(in);
        break;
    default:
        check_body(in);
    }
    return 0;
}
