/* fuzz_access.c - the access check on any descriptor: the slow evaluator of the tests must say the same, and what must hold of every answer
 * holds.
 *
 * Input: right (number of its bit), flags (1 typed, 2 deny-wins, 4 no schema), class, object type (place in the list below), who is in the
 * token (two bytes, a bit a SID), the object's own SID, then the descriptor. */
#include "fuzz.h"

#include "access/slow.h"
#include "access/testing.h"
#include "base/cursor.h"

#define PEOPLE 10
static const char *const people[PEOPLE] = {"S-1-1-0",  "S-1-5-11", "S-1-5-18", "S-1-5-32-544", "S-1-5-21-1004336348-1177238915-682003330-512",
                                           "S-1-5-32", "S-1-5",    "S-1-5-10", "S-1-3-4",      "S-1-5-21-1-2-3-519"};

static bool in_token(void *ctx, struct bytes sid)
{
    const struct slow_question *q = ctx;
    for (unsigned i = 0; i < q->n_sids; i++)
        if (bytes_equal(q->sids[i], sid)) return true;
    return false;
}

static const struct bytes *all_people(void)
{
    static uint8_t room[PEOPLE][SID_MAX];
    static struct bytes sids[PEOPLE];
    for (unsigned i = 0; i < PEOPLE && !sids[PEOPLE - 1].len; i++) {
        struct buf b = buf_new(SID_MAX);
        test_add_sid(&b, people[i]);
        memcpy(room[i], b.ptr, b.len);
        sids[i] = (struct bytes){room[i], b.len};
        buf_free(&b);
    }
    return sids;
}

static void object_type(struct right *r, unsigned n)
{
    size_t a = n_elements(test_attributes), c = a + n_elements(test_classes), all = c + n_elements(test_rights);
    n %= (unsigned)all + 1;
    if (n < all)
        test_guid(r->guid, n < a ? test_attributes[n].guid : n < c ? test_classes[n - a].guid : test_rights[n - c].guid);
}

static void read_question(struct cursor *c, struct slow_question *q, struct bytes token[PEOPLE])
{
    static const uint32_t bits[] = {0x20000, 0x40000, 0x80000, 0x10000, 1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x1000000, 0};
    static struct schema *schema;
    if (!schema) schema = test_schema("00000000010000000002000000001");
    q->right.bit = bits[cursor_u8(c) % n_elements(bits)];
    uint8_t flags = cursor_u8(c), class = cursor_u8(c);
    q->right.is_typed = flags & 1;
    q->rule = flags & 2 ? ACCESS_DENY_WINS : ACCESS_WINDOWS;
    q->schema = flags & 4 ? NULL : schema;
    q->class = class % ((uint32_t)schema->n_classes + 1);
    if (q->class == schema->n_classes) q->class = SCHEMA_NONE;
    object_type(&q->right, cursor_u8(c));
    uint16_t who = cursor_u16le(c);
    for (unsigned i = 0; i < PEOPLE; i++)
        if (who >> i & 1) token[q->n_sids++] = all_people()[i];
    uint8_t self = cursor_u8(c);
    if (self < PEOPLE) q->self = all_people()[self];
    q->sids = token;
}

static void check_answer(const struct slow_question *q, const struct sd *sd, const struct access_verdict *v)
{
    HOLDS(v->reason != ACCESS_BY_ACE || v->ace < sd->n_aces);
    HOLDS(v->n_unknown <= sd->n_aces);
    HOLDS(v->reason == ACCESS_BY_ACE || v->is_allowed == (v->reason != ACCESS_NO_ACE));
    HOLDS(!v->is_conditional || v->reason == ACCESS_BY_ACE || v->reason == ACCESS_NO_ACE);
    if (v->reason != ACCESS_BY_ACE) return;
    struct access_object o = {sd, q->self, q->schema, q->class};
    struct bytes rest = sd->dacl;
    struct ace a;
    for (unsigned i = 0; i <= v->ace; i++) HOLDS(sd_next_ace(&rest, &a));
    HOLDS(access_ace_speaks(&a, &o, &q->right) == (v->is_allowed ? ACE_ALLOWS : ACE_DENIES));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slow_question q = {0};
    struct bytes token[PEOPLE];
    struct cursor c = cursor_new((struct bytes){data, size});
    struct access_verdict v, slow_v, other;
    struct slow_place where;
    struct sd sd;
    struct err e;
    read_question(&c, &q, token);
    if (c.failed) return 0;
    struct slow_sd *slow = slow_read(c.in, &where);
    bool is_read = sd_decode(&sd, c.in, &e) == 0;
    HOLDS(is_read == (slow != NULL));
    if (!is_read) return 0;
    HOLDS(slow_same(slow, &sd));
    struct access_object o = {&sd, q.self, q.schema, q.class};
    struct access_token t = {in_token, &q};
    access_check(&v, &o, &t, &q.right, q.rule);
    check_answer(&q, &sd, &v);
    slow_check(&slow_v, slow, &q);
    HOLDS(v.is_allowed == slow_v.is_allowed && v.reason == slow_v.reason && v.is_conditional == slow_v.is_conditional);
    HOLDS(v.n_unknown == slow_v.n_unknown && (v.reason != ACCESS_BY_ACE || v.ace == slow_v.ace));
    access_check(&other, &o, &t, &q.right, q.rule == ACCESS_WINDOWS ? ACCESS_DENY_WINS : ACCESS_WINDOWS);
    HOLDS(q.rule == ACCESS_WINDOWS ? v.is_allowed || !other.is_allowed : other.is_allowed || !v.is_allowed); /* deny-wins never grants more */
    slow_free(slow);
    return 0;
}
