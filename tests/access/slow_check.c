/* slow_check.c - evaluates as MS-ADTS 5.1.3.3 tells it: a tree of object types, and for each node the rights that are granted (G) and
 * denied (D), over the whole DACL. Every node, every bit, every combination of conditions. */
#include "slow_int.h"

#include <stdlib.h>

#define STANDARD   0xF00C4u /* what has no object type: RC WD WO SD LC DT LO */
#define PROPERTIES 0x138u   /* RP WP SELF CR */
#define CHILDREN   0x3u
#define CONTROL    0x100u

struct node {
    uint8_t guid[16];
    bool is_named; /* the top may have no GUID */
    int parent;
    uint32_t about; /* rights that it can have */
    uint32_t granted, denied;
};
struct tree {
    struct node *nodes;
    int n, cap, asked;
    bool takes_all; /* nothing is known of the schema: an object type may be any part */
};

/* --- the tree --------------------------------------------------------------------------------------------- */

static int grow(struct tree *t, const uint8_t *guid, int parent, uint32_t about)
{
    if (t->n == t->cap) t->nodes = realloc(t->nodes, (size_t)(t->cap = t->cap * 2 + 64) * sizeof *t->nodes);
    struct node *n = &t->nodes[t->n];
    *n = (struct node){.parent = parent, .about = about, .is_named = guid};
    if (guid) memcpy(n->guid, guid, 16);
    return t->n++;
}

/* From the top: a property set before an attribute of the same GUID. */
static int find(const struct tree *t, const uint8_t *guid)
{
    for (int i = 0; i < t->n; i++)
        if (t->nodes[i].is_named && !memcmp(t->nodes[i].guid, guid, 16)) return i;
    return -1;
}

static bool is_zero(const uint8_t *guid)
{
    for (int i = 0; i < 16; i++)
        if (guid[i]) return false;
    return true;
}

static int place_set(struct tree *t, const struct schema_attribute *a)
{
    if (is_zero(a->set)) return 0;
    for (int i = 1; i < t->n; i++)
        if (t->nodes[i].parent == 0 && !memcmp(t->nodes[i].guid, a->set, 16)) return i;
    return grow(t, a->set, 0, PROPERTIES);
}

static void add_attribute(struct tree *t, const struct schema_attribute *a)
{
    int set = place_set(t, a);
    grow(t, a->guid, set, PROPERTIES);
}

static bool applies(const struct schema_right *r, const struct schema_class *c)
{
    if (!c || !r->n_applies_to) return true;
    for (size_t i = 0; i < r->n_applies_to; i++)
        if (!memcmp(r->applies_to[i], c->guid, 16)) return true;
    return false;
}

static void add_operations(struct tree *t, const struct schema *s, const struct schema_class *c)
{
    for (size_t i = 0; i < s->n_rights; i++) {
        const struct schema_right *r = &s->rights[i];
        uint32_t about = r->valid_accesses & (0x100 | 0x8);
        if (!about || !applies(r, c)) continue;
        int there = find(t, r->guid);
        if (there > 0)
            t->nodes[there].about |= about;
        else if (there < 0)
            grow(t, r->guid, 0, about);
    }
}

/* Class, property sets, attributes; operations hang under the class. */
static void grow_properties(struct tree *t, const struct slow_question *q, const struct schema_class *c)
{
    const struct schema *s = q->schema;
    grow(t, c ? c->guid : NULL, -1, PROPERTIES | STANDARD);
    if (!s) return;
    size_t n = s->n_attributes;
    const uint32_t *own = c ? schema_class_attributes(s, q->class, &n) : NULL;
    for (size_t i = 0; i < n; i++) add_attribute(t, &s->attributes[own ? own[i] : i]);
    add_operations(t, s, c);
}

static void grow_children(struct tree *t, const struct slow_question *q, const struct schema_class *c)
{
    grow(t, NULL, -1, CHILDREN);
    for (size_t i = 0; q->schema && i < q->schema->n_classes; i++)
        if (!c || schema_class_may_contain(q->schema, q->class, (uint32_t)i)) grow(t, q->schema->classes[i].guid, 0, CHILDREN);
}

static const struct schema_attribute *attribute_named(const struct schema *s, const uint8_t *guid)
{
    for (size_t i = 0; s && i < s->n_attributes; i++)
        if (!memcmp(s->attributes[i].guid, guid, 16)) return &s->attributes[i];
    return NULL;
}

/* The node that is asked for; planted if this object has it not. */
static int plant(struct tree *t, const struct slow_question *q)
{
    const uint8_t *guid = q->right.guid;
    if (q->right.bit & CHILDREN) {
        int child = find(t, guid);
        return child > 0 ? child : grow(t, guid, 0, CHILDREN);
    }
    if (t->nodes[0].is_named && !memcmp(t->nodes[0].guid, guid, 16)) return 0;
    const struct schema_attribute *a = attribute_named(q->schema, guid);
    for (int i = t->n - 1; i > 0; i--) { /* from the leaves: an attribute before the set of the same GUID */
        if (memcmp(t->nodes[i].guid, guid, 16)) continue;
        if (a && t->nodes[i].about != PROPERTIES) t->nodes[i].parent = place_set(t, a); /* an operation on an attribute not of this class */
        t->nodes[i].about = PROPERTIES;
        return i;
    }
    int parent = a ? place_set(t, a) : 0;
    return grow(t, guid, parent, PROPERTIES);
}

static void draw(struct tree *t, const struct slow_question *q)
{
    const struct schema_class *c = q->schema && q->class < q->schema->n_classes ? &q->schema->classes[q->class] : NULL;
    t->n = 0;
    t->takes_all = !q->schema;
    if (q->right.bit & CHILDREN)
        grow_children(t, q, c);
    else
        grow_properties(t, q, c);
    bool is_typed = q->right.is_typed && q->right.bit & (PROPERTIES | CHILDREN);
    t->asked = is_typed ? plant(t, q) : 0;
}

static bool is_below(const struct tree *t, int node, int top)
{
    while (node >= 0 && node != top) node = t->nodes[node].parent;
    return node == top;
}

/* --- who is meant ----------------------------------------------------------------------------------------- */

static bool holds(const struct slow_question *q, struct bytes sid)
{
    for (unsigned i = 0; sid.len && i < q->n_sids; i++)
        if (bytes_equal(q->sids[i], sid)) return true;
    return false;
}

static bool is_special(struct bytes sid, unsigned authority, unsigned n)
{
    const uint8_t text[12] = {1, 1, 0, 0, 0, 0, 0, (uint8_t)authority, (uint8_t)n};
    return sid.len == 12 && !memcmp(sid.ptr, text, 12);
}

static bool is_creator(struct bytes sid)
{
    return is_special(sid, 3, 0) || is_special(sid, 3, 1) || is_special(sid, 3, 2) || is_special(sid, 3, 3);
}

/* SidInToken of MS-DTYP 2.5.3.1.1 with PrincipalSelfSubst. */
static bool sid_in_token(const struct slow_question *q, struct bytes sid)
{
    if (is_creator(sid) || is_special(sid, 3, 4)) return false;
    return holds(q, is_special(sid, 5, 10) ? q->self : sid);
}

static bool owns(const struct slow_sd *sd, const struct slow_question *q)
{
    return q->quirks & QUIRK_PLAIN_OWNER ? holds(q, sd->owner) : sid_in_token(q, sd->owner);
}

static bool is_for(const struct slow_sd *sd, const struct slow_question *q, const struct slow_ace *a)
{
    if (is_special(a->sid, 3, 4)) return !(q->quirks & QUIRK_OWNER_RIGHTS) && owns(sd, q);
    return sid_in_token(q, a->sid);
}

/* --- the walk --------------------------------------------------------------------------------------------- */

struct outcome {
    bool is_allowed, is_decided;
    unsigned ace;
};

/* MS-DTYP 2.4.4.1: plain, object, callback, callback object. */
static bool allows(const struct slow_ace *a)
{
    return a->type == 0 || a->type == 5 || a->type == 9 || a->type == 11;
}

static bool denies(const struct slow_ace *a)
{
    return a->type == 1 || a->type == 6 || a->type == 10 || a->type == 12;
}

static bool is_callback(const struct slow_ace *a)
{
    return a->type >= 9 && a->type <= 12;
}

static bool is_effective(const struct slow_ace *a)
{
    return !(a->flags & 8) && a->is_known && (allows(a) || denies(a));
}

static uint32_t mapped(uint32_t m, const struct slow_question *q)
{
    if (q->quirks & QUIRK_RAW_MASK) return m & 0xF01FF;
    if (m >> 28 & 1) m |= 0xF01FF;
    if (m >> 29 & 1) m |= 0x20004;
    if (m >> 30 & 1) m |= 0x20028;
    if (m >> 31 & 1) m |= 0x20094;
    return m & 0xF01FF;
}

static void grant(struct tree *t, int at, uint32_t rights)
{
    for (int i = 0; i < t->n; i++)
        if (is_below(t, i, at)) t->nodes[i].granted |= rights & t->nodes[i].about & ~t->nodes[i].denied;
}

/* Also for what it is a part of. */
static void deny(struct tree *t, int at, uint32_t rights)
{
    uint32_t about = t->nodes[at].about;
    for (int i = 0; i < t->n; i++) {
        uint32_t m = rights & t->nodes[i].about & ~t->nodes[i].granted;
        if (is_below(t, i, at)) t->nodes[i].denied |= m;
        else if (is_below(t, at, i)) t->nodes[i].denied |= m & about & ~STANDARD;
    }
}

/* Samba: what it is asked for is the path down to the node and what is below. */
static bool is_in_samba_tree(const struct tree *t, int at, uint32_t bit)
{
    return t->nodes[at].about & bit && (is_below(t, at, t->asked) || is_below(t, t->asked, at));
}

static void take(struct tree *t, const struct slow_ace *a, const struct slow_question *q)
{
    const uint8_t *type = a->object;
    uint32_t m = mapped(a->mask, q);
    int at = type ? find(t, type) : 0;
    if (at < 0 && t->takes_all && denies(a)) {
        t->nodes[0].denied |= m & ~STANDARD & ~t->nodes[0].granted;
        return;
    }
    if (at < 0) return;
    if (allows(a)) grant(t, at, m);
    if (denies(a)) deny(t, at, m);
    if (!allows(a) || a->type != 5 || !is_in_samba_tree(t, at, q->right.bit)) return;
    struct node *asked = &t->nodes[t->asked];
    if (q->quirks & QUIRK_ANY_NODE) asked->granted |= m & ~asked->denied;
    if (q->quirks & QUIRK_ANY_CONTROL && a->mask & CONTROL) asked->granted |= ~asked->denied;
}

/* One ACE after the other; conditions: bit n says whether the condition of the nth callback ACE holds. */
static struct outcome walk(struct tree *t, const struct slow_sd *sd, const struct slow_question *q, unsigned conditions)
{
    struct outcome out = {0};
    const struct node *asked = &t->nodes[t->asked];
    for (int i = 0; i < t->n; i++) t->nodes[i].granted = t->nodes[i].denied = 0;
    /* deny-wins: the same over a DACL with its denies in front */
    for (int pass = 0; pass < (q->rule == ACCESS_DENY_WINS ? 2 : 1); pass++) {
        unsigned n_callback = 0;
        for (unsigned i = 0; i < sd->n_aces; i++) {
            const struct slow_ace *a = &sd->aces[i];
            bool holds_not = is_callback(a) && !(conditions >> (n_callback++ & 31) & 1);
            if (!is_effective(a) || holds_not || !is_for(sd, q, a)) continue;
            if (q->rule == ACCESS_DENY_WINS && denies(a) != (pass == 0)) continue;
            take(t, a, q);
            if (out.is_decided || !((asked->granted | asked->denied) & q->right.bit)) continue;
            out = (struct outcome){.is_allowed = asked->granted & q->right.bit, .is_decided = true, .ace = i};
        }
    }
    return out;
}

static unsigned count_callbacks(const struct slow_sd *sd)
{
    unsigned n = 0;
    for (unsigned i = 0; i < sd->n_aces; i++) n += is_callback(&sd->aces[i]);
    return n;
}

/* Is there a combination of conditions that turns the answer round? All of them up to 8; of more, none, all, each alone. */
static bool is_open(struct tree *t, const struct slow_sd *sd, const struct slow_question *q, bool is_allowed)
{
    unsigned n = count_callbacks(sd);
    if (!n) return false;
    unsigned n_tries = n <= 8 ? 1u << n : 32;
    for (unsigned i = 1; i < n_tries; i++)
        if (walk(t, sd, q, n <= 8 ? i : 1u << i).is_allowed != is_allowed) return true;
    return false;
}

/* Unknown ACEs that were passed before the answer was there. */
static unsigned count_unknown(const struct slow_sd *sd, const struct outcome *o, enum access_rule rule)
{
    bool is_final = o->is_decided && (rule == ACCESS_WINDOWS || !o->is_allowed);
    unsigned n = 0, end = is_final ? o->ace : sd->n_aces;
    for (unsigned i = 0; i < end; i++) n += !sd->aces[i].is_known && !(sd->aces[i].flags & 8);
    return n;
}

static bool names_owner_rights(const struct slow_sd *sd)
{
    for (unsigned i = 0; i < sd->n_aces; i++)
        if (is_effective(&sd->aces[i]) && is_special(sd->aces[i].sid, 3, 4)) return true;
    return false;
}

/* 6.1.3.4: Domain Admins and Enterprise Admins keep what other owners of computers lose. */
static bool is_blocked(const struct slow_question *q)
{
    const struct schema *s = q->schema;
    if (!s || s->ds_heuristics.len < 29 || s->ds_heuristics.ptr[28] != '1') return false;
    uint32_t c = q->class;
    while (c < s->n_classes && !str_equal(s->classes[c].name, STR("computer"))) c = s->classes[c].parent;
    if (c >= s->n_classes) return false;
    uint8_t sid[68];
    for (unsigned rid = 512; rid <= 519 && q->self.len >= 12; rid += 7) {
        memcpy(sid, q->self.ptr, q->self.len);
        sid[q->self.len - 4] = (uint8_t)rid;
        sid[q->self.len - 3] = (uint8_t)(rid >> 8);
        sid[q->self.len - 2] = sid[q->self.len - 1] = 0;
        if (holds(q, (struct bytes){sid, q->self.len})) return false;
    }
    return true;
}

static bool is_implicit(const struct slow_sd *sd, const struct slow_question *q)
{
    if (!(q->right.bit & 0x60000) || !owns(sd, q)) return false;
    if (!(q->quirks & QUIRK_OWNER_RIGHTS) && names_owner_rights(sd)) return false;
    return q->quirks & QUIRK_NO_BLOCK || !is_blocked(q);
}

void slow_check(struct access_verdict *out, const struct slow_sd *sd, const struct slow_question *q)
{
    static struct tree tree; /* kept, to be quick enough */
    *out = (struct access_verdict){.reason = ACCESS_NO_ACE};
    if (!(q->right.bit & 0xF01FF)) return;
    if (!sd->is_present || sd->is_null) {
        out->is_allowed = sd->is_present || is_implicit(sd, q) || !(q->quirks & QUIRK_NO_DACL);
        if (out->is_allowed) out->reason = ACCESS_NULL_DACL;
        return;
    }
    if (is_implicit(sd, q)) {
        *out = (struct access_verdict){.is_allowed = true, .reason = ACCESS_IMPLICIT_OWNER};
        return;
    }
    draw(&tree, q);
    struct outcome o = walk(&tree, sd, q, 0);
    *out = (struct access_verdict){.is_allowed = o.is_allowed, .reason = o.is_decided ? ACCESS_BY_ACE : ACCESS_NO_ACE, .ace = o.ace};
    out->is_conditional = is_open(&tree, sd, q, o.is_allowed);
    out->n_unknown = count_unknown(sd, &o, q->rule);
}
