/* Who is below a privileged group or a directory role, through nesting and primary groups: from each such group
 * or role downwards, once a snapshot. */
#include "store/sqlite/hints.h"
#include "store/sqlite/read.h"

#include "model/sid.h"

#include <stdlib.h>

#define RID_END 1000 /* the well-known RIDs are below */

struct spreading {
    struct sqlite_store *s;
    struct known_connector *c;
    struct buf todo; /* u32: whose bits are to be handed on */
    struct buf list;
};

static bool is_known(const struct spreading *p, uint32_t seq)
{
    return seq < p->c->n_privileges;
}

/* Everybody is put on the list at most once a bit, so cycles end. */
static void add_bits(struct spreading *p, uint32_t seq, unsigned bits)
{
    if (!is_known(p, seq) || (p->c->privileges[seq] & bits) == bits) return;
    p->c->privileges[seq] |= (uint8_t)bits;
    buf_add_u32le(&p->todo, seq);
}

/* A distribution group is in nobody's token (MS-ADTS 2.2.12): what it is a member of gives its members
 * nothing. */
static int hands_on(struct spreading *p, uint32_t seq, bool *does, struct err *e)
{
    struct version v;
    struct body b;
    struct record_index x;
    int64_t type = 0;
    bool found;
    *does = false;
    try(version_get(p->s, entity_id_of(p->c->id, seq), p->c->visible_run, &v, &found, NULL, e));
    *does = found && !v.deleted_run && v.kind == KIND_role;
    if (!found || v.deleted_run || v.kind != KIND_group) return 0;
    try(body_open(&b, p->s, entity_id_of(p->c->id, seq), v.body_run, e));
    int rc = record_index(&x, &b.record, e);
    *does = rc == 0 && (!record_int(&x, ATTR_GROUP_TYPE, &type) || group_type_is_security(type));
    body_close(&b, p->s);
    return rc;
}

static int spread_from(struct spreading *p, uint32_t group, struct err *e)
{
    uint32_t pair;
    bool does;
    try(hands_on(p, group, &does, e));
    if (!does) return 0;
    buf_clear(&p->list);
    try(links_read(&p->list, p->s, SIDE_MEMBERS, entity_id_of(p->c->id, group), p->c->visible_run, e));
    struct idlist members = idlist_read(buf_bytes(&p->list));
    unsigned bits = p->c->privileges[group];
    while (idlist_next(&members, &pair)) add_bits(p, pair_seq(pair), bits);
    return 0;
}

static int spread(struct spreading *p, struct err *e)
{
    while (p->todo.len) {
        uint32_t seq;
        p->todo.len -= sizeof seq;
        struct cursor c = cursor_new((struct bytes){p->todo.ptr + p->todo.len, sizeof seq});
        seq = cursor_u32le(&c);
        try(spread_from(p, seq, e));
    }
    return 0;
}

struct start {
    struct spreading *p;
    struct bytes sid;
    unsigned bits;
};

static int start_at(void *ctx, uint32_t seq, struct err *e)
{
    struct start *st = ctx;
    struct version v;
    struct body b;
    bool found;
    try(version_get(st->p->s, entity_id_of(st->p->c->id, seq), st->p->c->visible_run, &v, &found, NULL, e));
    if (!found || v.deleted_run || v.kind != KIND_group) return 0;
    try(body_open(&b, st->p->s, entity_id_of(st->p->c->id, seq), v.body_run, e));
    if (bytes_equal(b.record.sid, st->sid)) add_bits(st->p, seq, st->bits);
    body_close(&b, st->p->s);
    return 0;
}

static int start_with(struct spreading *p, struct sid parent, uint32_t rid, struct bytes domain_sid,
                      struct err *e)
{
    uint8_t sid[SID_MAX];
    if (parent.n_sub >= 15) return 0;
    parent.sub[parent.n_sub++] = rid;
    struct start st = {.p = p, .sid = {sid, sid_encode(sid, &parent)}};
    st.bits = derive_privileged_group(st.sid, domain_sid);
    return st.bits ? hints_find(p->s, p->c->id, lookup_sid(&p->s->lookup, st.sid), start_at, &st, e) : 0;
}

static int start_at_role(void *ctx, uint32_t seq, struct err *e)
{
    struct spreading *p = ctx;
    struct version v;
    struct body b;
    struct record_index x;
    bool found;
    try(version_get(p->s, entity_id_of(p->c->id, seq), p->c->visible_run, &v, &found, NULL, e));
    if (!found || v.deleted_run || v.kind != KIND_role) return 0;
    try(body_open(&b, p->s, entity_id_of(p->c->id, seq), v.body_run, e));
    b.record.kind = v.kind;
    int rc = record_index(&x, &b.record, e);
    if (rc == 0) add_bits(p, seq, derive_role(&x));
    body_close(&b, p->s);
    return rc;
}

static int start_everywhere(struct spreading *p, struct err *e)
{
    struct sid builtin = {.n_sub = 1, .authority = 5, .sub = {32}}, domain;
    struct connector_state state;
    try(read_connector_state(&p->s->base, str_from(p->c->name), &state, e));
    bool has_domain = sid_is_valid(state.domain.sid) && sid_decode(&domain, state.domain.sid, e) == 0;
    for (uint32_t rid = 1; rid < RID_END; rid++) {
        try(start_with(p, builtin, rid, state.domain.sid, e));
        if (has_domain) try(start_with(p, domain, rid, state.domain.sid, e));
    }
    return hints_find(p->s, p->c->id, lookup_roles(&p->s->lookup), start_at_role, p, e);
}

static int compute(struct sqlite_store *s, struct known_connector *c, struct err *e)
{
    struct spreading p = {.s = s, .c = c, .todo = buf_new((size_t)1 << 33), .list = buf_new(SIZE_MAX / 2)};
    int64_t next_seq = 0;
    const int64_t id[] = {c->id};
    try(sq_get_number(&s->q, SQL_CONNECTOR_SEQ, 1, id, &next_seq, e));
    c->n_privileges = (uint32_t)next_seq;
    c->privileges = x_zalloc(c->n_privileges);
    int rc = start_everywhere(&p, e);
    if (rc == 0) rc = spread(&p, e);
    if (rc < 0) {
        free(c->privileges);
        c->privileges = NULL;
    }
    buf_free(&p.todo);
    buf_free(&p.list);
    return rc;
}

int privileges_of(struct sqlite_store *s, struct known_connector *c, uint32_t seq, unsigned *out,
                  struct err *e)
{
    *out = 0;
    if (!c->privileges) try(compute(s, c, e));
    if (seq < c->n_privileges) *out = c->privileges[seq];
    return 0;
}
