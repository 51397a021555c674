#include "access/answer.h"

#include <stdlib.h>

struct asking {
    struct answer *a;
    struct access_object o;
    struct access_token t;
    enum access_rule rule;
    size_t cap_differs;
};

static void add(struct places *p, uint32_t place)
{
    GROW(p->list, p->n, p->cap, 32);
    p->list[p->n++] = place;
}

static void note_difference(struct asking *q, const struct right *r)
{
    struct answer *a = q->a;
    GROW(a->differs, a->n_differs, q->cap_differs, 16);
    a->differs[a->n_differs++] = *r;
}

static bool ask(struct asking *q, const struct right *r)
{
    struct access_verdict v, other;
    access_check(&v, &q->o, &q->t, r, q->rule);
    access_check(&other, &q->o, &q->t, r, q->rule == ACCESS_WINDOWS ? ACCESS_DENY_WINS : ACCESS_WINDOWS);
    if (v.is_allowed != other.is_allowed) note_difference(q, r);
    q->a->is_conditional |= v.is_conditional;
    return v.is_allowed;
}

static bool ask_typed(struct asking *q, uint32_t bit, const uint8_t guid[16])
{
    struct right r = {.bit = bit, .is_typed = true};
    memcpy(r.guid, guid, sizeof r.guid);
    return ask(q, &r);
}

static void ask_bits(struct asking *q)
{
    static const uint32_t bits[] = {
#define X(name, bit) bit,
        RIGHTS(X)
#undef X
    };
    for (size_t i = 0; i < n_elements(bits); i++) {
        struct right r = {.bit = bits[i]};
        if (ask(q, &r)) q->a->bits |= bits[i];
    }
}

/* What the controller sets by itself is written by nobody, whatever an ACL says (MS-ADTS 3.1.1.4.5.19: allowedAttributesEffective). */
static bool is_writable_at_all(const struct schema_attribute *a)
{
    return !a->is_system_only && !a->is_backlink && !(a->system_flags & 4);
}

static void ask_attributes(struct asking *q)
{
    const struct schema *s = q->o.schema;
    size_t n;
    const uint32_t *list = schema_class_attributes(s, q->o.class, &n);
    q->a->reads_all = true;
    for (size_t i = 0; i < n; i++) {
        struct access_verdict v;
        const struct schema_attribute *a = &s->attributes[list[i]];
        if (is_writable_at_all(a) && ask_typed(q, RIGHT_WRITE_PROPERTY, a->guid)) add(&q->a->writable, list[i]);
        access_check_read(&v, &q->o, &q->t, list[i], q->rule);
        q->a->is_conditional |= v.is_conditional;
        if (v.is_allowed)
            add(&q->a->readable, list[i]);
        else
            q->a->reads_all = false;
    }
    if (q->a->reads_all) q->a->readable.n = 0;
}

static void ask_children(struct asking *q)
{
    const struct schema *s = q->o.schema;
    for (uint32_t i = 0; i < s->n_classes; i++) {
        if (!schema_class_may_contain(s, q->o.class, i)) continue;
        if (ask_typed(q, RIGHT_CREATE_CHILD, s->classes[i].guid)) add(&q->a->creatable, i);
        if (ask_typed(q, RIGHT_DELETE_CHILD, s->classes[i].guid)) add(&q->a->deletable, i);
    }
}

static bool applies_to(const struct schema *s, const struct schema_right *r, uint32_t class)
{
    for (unsigned depth = 0; class != SCHEMA_NONE && depth < 64; depth++) {
        for (size_t i = 0; i < r->n_applies_to; i++)
            if (memcmp(r->applies_to[i], s->classes[class].guid, 16) == 0) return true;
        class = s->classes[class].parent;
    }
    return false;
}

static void ask_rights(struct asking *q)
{
    const struct schema *s = q->o.schema;
    for (uint32_t i = 0; i < s->n_rights; i++) {
        const struct schema_right *r = &s->rights[i];
        if (!applies_to(s, r, q->o.class)) continue;
        if (r->valid_accesses & RIGHT_CONTROL_ACCESS && ask_typed(q, RIGHT_CONTROL_ACCESS, r->guid)) add(&q->a->extended, i);
        if (r->valid_accesses & RIGHT_SELF && ask_typed(q, RIGHT_SELF, r->guid)) add(&q->a->validated, i);
    }
}

void answer_make(struct answer *out, const struct world *w, struct world_token *t, uint32_t object, enum access_rule rule)
{
    struct asking q = {.a = out, .rule = rule};
    *out = (struct answer){0};
    world_access_object(&q.o, w, object);
    world_token_open(&q.t, t, w);
    out->schema = q.o.schema;
    out->is_known = q.o.sd != NULL;
    if (!out->is_known) return;
    ask_bits(&q);
    if (q.o.class == SCHEMA_NONE) return;
    ask_attributes(&q);
    ask_children(&q);
    ask_rights(&q);
}

void answer_free(struct answer *a)
{
    struct places *all[] = {&a->writable, &a->readable, &a->creatable, &a->deletable, &a->extended, &a->validated};
    for (size_t i = 0; i < n_elements(all); i++) free(all[i]->list);
    free(a->differs);
    *a = (struct answer){0};
}
