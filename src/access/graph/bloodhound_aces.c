#include "access/graph/bloodhound_int.h"

#include "model/sid.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#define L_(l)     (1u << LABEL_##l)
#define KNOWN_MAX ((size_t)1 << 18) /* edges remembered: 16 MiB */

/* What the collectors make of an entry: name, which nodes, the bit, the GUID it must carry ("": none), and
 * the broader edge that says it already, where the same entry gives that. */
static const struct {
    const char *name;
    unsigned labels;
    uint32_t bit;
    const char *guid, *attribute; /* the attribute's own GUID, where it is not the same everywhere */
    enum graph_right_id broader;
} rights[EDGE_COUNT] = {
    [EDGE_OWNS] = {"Owns", ~0u, 0, "", NULL, EDGE_COUNT},
    [EDGE_GENERIC_ALL] = {"GenericAll", ~0u, 0, "", NULL, EDGE_COUNT},
    [EDGE_WRITE_DACL] = {"WriteDacl", ~0u, RIGHT_WRITE_DAC, "", NULL, EDGE_COUNT},
    [EDGE_WRITE_OWNER] = {"WriteOwner", ~0u, RIGHT_WRITE_OWNER, "", NULL, EDGE_COUNT},
    [EDGE_GENERIC_WRITE] = {"GenericWrite",
                            L_(USER) | L_(GROUP) | L_(COMPUTER) | L_(GPO) | L_(OU) | L_(DOMAIN),
                            RIGHT_WRITE_PROPERTY, "", NULL, EDGE_COUNT},
    [EDGE_ALL_EXTENDED] = {"AllExtendedRights", L_(DOMAIN) | L_(USER) | L_(COMPUTER), RIGHT_CONTROL_ACCESS,
                           "", NULL, EDGE_COUNT},
    [EDGE_GET_CHANGES] = {"GetChanges", L_(DOMAIN), RIGHT_CONTROL_ACCESS,
                          "1131f6aa-9c07-11d1-f79f-00c04fc2dcd2", NULL, EDGE_ALL_EXTENDED},
    [EDGE_GET_CHANGES_ALL] = {"GetChangesAll", L_(DOMAIN), RIGHT_CONTROL_ACCESS,
                              "1131f6ad-9c07-11d1-f79f-00c04fc2dcd2", NULL, EDGE_ALL_EXTENDED},
    [EDGE_GET_CHANGES_FILTERED] = {"GetChangesInFilteredSet", L_(DOMAIN), RIGHT_CONTROL_ACCESS,
                                   "89e95b76-444d-4c62-991a-0facbeda640c", NULL, EDGE_ALL_EXTENDED},
    [EDGE_FORCE_CHANGE] = {"ForceChangePassword", L_(USER), RIGHT_CONTROL_ACCESS,
                           "00299570-246d-11d0-a768-00aa006e0529", NULL, EDGE_ALL_EXTENDED},
    [EDGE_LAPS_LEGACY] = {"ReadLAPSPassword", L_(COMPUTER), RIGHT_CONTROL_ACCESS, "", "ms-Mcs-AdmPwd",
                          EDGE_ALL_EXTENDED},
    [EDGE_LAPS] = {"ReadLAPSPassword", L_(COMPUTER), RIGHT_CONTROL_ACCESS, "", "msLAPS-Password",
                   EDGE_ALL_EXTENDED},
    [EDGE_LAPS_ENCRYPTED] = {"ReadLAPSPassword", L_(COMPUTER), RIGHT_CONTROL_ACCESS, "",
                             "msLAPS-EncryptedPassword", EDGE_ALL_EXTENDED},
    [EDGE_ADD_MEMBER] = {"AddMember", L_(GROUP), RIGHT_WRITE_PROPERTY, "bf9679c0-0de6-11d0-a285-00aa003049e2",
                         NULL, EDGE_GENERIC_WRITE},
    [EDGE_ADD_SELF] = {"AddSelf", L_(GROUP), RIGHT_SELF, "bf9679c0-0de6-11d0-a285-00aa003049e2", NULL,
                       EDGE_ADD_MEMBER},
    [EDGE_WRITE_SPN] = {"WriteSPN", L_(USER), RIGHT_WRITE_PROPERTY, "f3a64788-5306-11d1-a9c5-0000f80367c1",
                        NULL, EDGE_GENERIC_WRITE},
    [EDGE_KEY_CREDENTIAL] = {"AddKeyCredentialLink", L_(USER) | L_(COMPUTER), RIGHT_WRITE_PROPERTY,
                             "5b47d60f-6090-40b2-9f37-2a4de88f3063", NULL, EDGE_GENERIC_WRITE},
    [EDGE_ALLOWED_TO_ACT] = {"AddAllowedToAct", L_(COMPUTER), RIGHT_WRITE_PROPERTY,
                             "3f78c3e5-f79a-46bd-a0b8-9d18116ddc79", NULL, EDGE_ACCOUNT_RESTRICTIONS},
    [EDGE_ACCOUNT_RESTRICTIONS] = {"WriteAccountRestrictions", L_(COMPUTER), RIGHT_WRITE_PROPERTY,
                                   "4c164200-20c0-11d0-a768-00aa006e0529", NULL, EDGE_GENERIC_WRITE},
    [EDGE_WRITE_GPLINK] = {"WriteGPLink", L_(OU) | L_(DOMAIN), RIGHT_WRITE_PROPERTY,
                           "f30e3bbe-9ff0-11d1-b603-0000f80367c1", NULL, EDGE_GENERIC_WRITE},
    [EDGE_GMSA] = {"ReadGMSAPassword", 0, 0, "", NULL, EDGE_COUNT},
};

const char *graph_right_name(enum graph_right_id r)
{
    return rights[r].name;
}

void graph_rights_init(struct graph *g)
{
    for (int i = 0; i < EDGE_COUNT; i++) {
        struct right *r = &g->rights[i];
        *r = (struct right){.bit = rights[i].bit, .is_typed = rights[i].guid[0] || rights[i].attribute};
        if (rights[i].guid[0] && !guid_parse(r->guid, str_from(rights[i].guid))) r->bit = 0;
        if (!rights[i].attribute) continue;
        uint32_t at = schema_attribute_find(g->schema, str_from(rights[i].attribute));
        if (at == SCHEMA_NONE)
            r->bit = 0;
        else
            memcpy(r->guid, g->schema->attributes[at].guid, 16);
    }
}

/* Only where the machine has one: the collectors tell it by the time at which it expires, which everybody may
 * read. */
bool graph_has_laps(const struct record_index *x)
{
    static const char *const names[] = {"ms-Mcs-AdmPwdExpirationTime", "msLAPS-PasswordExpirationTime"};
    for (size_t i = 0; i < n_elements(names); i++)
        if (record_custom(x, str_from(names[i])).n) return true;
    return false;
}

/* --- hashes of inherited entries --------------------------------------------------------------------- */

static const struct {
    uint32_t value;
    const char *name;
} flags[] = {
    /* ActiveDirectoryRights of .NET, ascending */
    {0x1, "CreateChild"},
    {0x2, "DeleteChild"},
    {0x4, "ListChildren"},
    {0x8, "Self"},
    {0x10, "ReadProperty"},
    {0x20, "WriteProperty"},
    {0x40, "DeleteTree"},
    {0x80, "ListObject"},
    {0x100, "ExtendedRight"},
    {0x10000, "Delete"},
    {0x20000, "ReadControl"},
    {0x20004, "GenericExecute"},
    {0x20028, "GenericWrite"},
    {0x20094, "GenericRead"},
    {0x40000, "WriteDacl"},
    {0x80000, "WriteOwner"},
    {0xf01ff, "GenericAll"},
    {0x100000, "Synchronize"},
    {0x1000000, "AccessSystemSecurity"},
};

/* As .NET writes an enumeration of flags: the largest that fits first, told in ascending order; a number if
 * something is left. */
static void add_rights_text(struct buf *out, uint32_t mask)
{
    bool has[n_elements(flags)] = {false}, is_first = true;
    uint32_t left = mask;
    for (size_t i = n_elements(flags); i-- > 0;) {
        has[i] = (left & flags[i].value) == flags[i].value;
        if (has[i]) left -= flags[i].value;
    }
    if (left || !mask) {
        buf_add_decimal(out, (int32_t)mask);
        return;
    }
    for (size_t i = 0; i < n_elements(flags); i++) {
        if (!has[i]) continue;
        buf_printf(out, "%s%s", is_first ? "" : ", ", flags[i].name);
        is_first = false;
    }
}

static void add_type_text(struct buf *out, const uint8_t *guid)
{
    static const uint8_t zeros[GUID_SIZE];
    char text[GUID_TEXT];
    buf_add_str(out, str_from(guid_format(text, guid ? guid : zeros)));
}

/* By it BloodHound finds where an inherited entry came from: SHA-1 of trustee, rights, object type and
 * inherited object type as text. */
void graph_inheritance_hash(char out[41], const struct ace *a)
{
    struct buf b = buf_new(4096);
    uint8_t digest[EVP_MAX_MD_SIZE];
    char sid[SID_TEXT];
    unsigned n = 0;
    buf_add_str(&b, str_from(sid_format_bytes(sid, a->trustee)));
    add_rights_text(&b, a->mask);
    add_type_text(&b, a->object_type);
    add_type_text(&b, a->inherited_object_type);
    out[0] = 0;
    if (EVP_Digest(b.ptr, b.len, digest, &n, EVP_sha1(), NULL) == 1)
        for (unsigned i = 0; i < n && i < 20; i++) snprintf(out + i * 2u, 3, "%02X", digest[i]);
    buf_free(&b);
}

static bool is_allow(const struct ace *a)
{
    return a->type == ACE_ALLOW || a->type == ACE_ALLOW_OBJECT;
}

bool graph_hands_down(struct graph *g, const struct ace *a)
{
    if (!is_allow(a) || a->flags & ACE_INHERITED ||
        !(a->flags & (ACE_CONTAINER_INHERIT | ACE_OBJECT_INHERIT)))
        return false;
    return !g->parties[graph_party(g, a->trustee)].is_ignored;
}

/* --- the token of a trustee -------------------------------------------------------------------------- */

struct holder {
    struct graph *g;
    const struct graph_party *party;
    struct access_token of_principal;
};

/* Himself, his groups, and what everybody is in who signs in with that group or as that account. */
static bool holder_has(void *ctx, struct bytes sid)
{
    const struct holder *h = ctx;
    const struct world *w = h->g->world;
    if (bytes_equal(sid, h->party->sid)) return true;
    if (h->party->principal != NOBODY && h->of_principal.has(h->of_principal.ctx, sid)) return true;
    for (size_t i = 0; i < w->n_implicit; i++)
        if (bytes_equal(w->principals[w->implicit[i]].sid, sid)) return true;
    return false;
}

static void hold(struct holder *h, struct graph *g, uint32_t party)
{
    *h = (struct holder){.g = g, .party = &g->parties[party]};
    struct err ignored;
    if (h->party->principal == NOBODY) return;
    if (g->token_of != party && world_token(&g->token, g->world, h->party->principal, 0, &ignored) < 0)
        return;
    g->token_of = party;
    world_token_open(&h->of_principal, &g->token, g->world);
}

static bool can(struct holder *h, const struct access_object *o, const struct right *r)
{
    struct access_token t = {holder_has, h};
    struct access_verdict v;
    access_check(&v, o, &t, r, ACCESS_WINDOWS);
    return v.is_allowed && !v.is_conditional;
}

static bool can_all(struct holder *h, const struct access_object *o)
{
    for (uint32_t bit = 1; bit <= RIGHTS_ALL; bit <<= 1)
        if (RIGHTS_ALL & bit && !can(h, o, &(struct right){.bit = bit})) return false;
    return true;
}

/* --- edges of one descriptor ------------------------------------------------------------------------- */

struct compiling {
    struct graph *g;
    struct access_object object;
    enum graph_label label;
    bool has_laps;
    struct graph_edge_list *out;
    struct holder holder; /* of the entry's trustee */
    uint32_t party;
    unsigned done; /* rights of this entry, as bits */
};

static void add_edge(struct compiling *c, enum graph_right_id right, const struct ace *a)
{
    struct graph_edge_list *l = c->out;
    GROW(l->list, l->n, l->cap, 32);
    struct graph_edge *e = &l->list[l->n++];
    *e = (struct graph_edge){c->party, (uint8_t)right, a && a->flags & ACE_INHERITED, ""};
    if (e->is_inherited) graph_inheritance_hash(e->hash, a);
    c->done |= 1u << right;
}

static bool is_zero(const uint8_t *guid)
{
    static const uint8_t zeros[GUID_SIZE];
    return !guid || memcmp(guid, zeros, GUID_SIZE) == 0;
}

static bool applies(const struct compiling *c, enum graph_right_id r)
{
    bool is_of_laps = r == EDGE_LAPS_LEGACY || r == EDGE_LAPS || r == EDGE_LAPS_ENCRYPTED ||
                      (r == EDGE_ALL_EXTENDED && c->label == LABEL_COMPUTER);
    return c->g->rights[r].bit && rights[r].labels >> c->label & 1 && (!is_of_laps || c->has_laps);
}

/* As the collectors do it: the bit, and exactly this GUID. */
static bool is_told(const struct compiling *c, enum graph_right_id r, const struct ace *a)
{
    const struct right *right = &c->g->rights[r];
    if (!(a->mask & right->bit)) return false;
    if (r == EDGE_ADD_SELF && a->mask & RIGHT_WRITE_PROPERTY) return false;
    if (r == EDGE_WRITE_DACL || r == EDGE_WRITE_OWNER) return true;
    if (!right->is_typed) return is_zero(a->object_type);
    return a->object_type && memcmp(a->object_type, right->guid, GUID_SIZE) == 0;
}

/* A broader edge of the same entry says it already. */
static bool is_said(const struct compiling *c, enum graph_right_id r)
{
    for (r = rights[r].broader; r != EDGE_COUNT; r = rights[r].broader)
        if (c->done >> r & 1) return true;
    return false;
}

static bool is_held(struct compiling *c, enum graph_right_id r, const struct ace *a)
{
    const struct right *right = &c->g->rights[r];
    return access_ace_speaks(a, &c->object, right) == ACE_ALLOWS && !is_said(c, r) &&
           can(&c->holder, &c->object, right);
}

/* The broader ones first. */
static const enum graph_right_id order[] = {
    EDGE_WRITE_DACL,
    EDGE_WRITE_OWNER,
    EDGE_ALL_EXTENDED,
    EDGE_GENERIC_WRITE,
    EDGE_GET_CHANGES,
    EDGE_GET_CHANGES_ALL,
    EDGE_GET_CHANGES_FILTERED,
    EDGE_FORCE_CHANGE,
    EDGE_LAPS_LEGACY,
    EDGE_LAPS,
    EDGE_LAPS_ENCRYPTED,
    EDGE_ADD_MEMBER,
    EDGE_ADD_SELF,
    EDGE_WRITE_SPN,
    EDGE_KEY_CREDENTIAL,
    EDGE_ACCOUNT_RESTRICTIONS,
    EDGE_ALLOWED_TO_ACT,
    EDGE_WRITE_GPLINK,
};

static void compile_ace(struct compiling *c, const struct ace *stored)
{
    struct ace a = *stored;
    bool is_effective = c->g->options->is_effective;
    a.mask = rights_map_generic(stored->mask);
    bool is_full = (a.mask & RIGHTS_ALL) == RIGHTS_ALL;
    c->done = 0;
    if (is_effective) hold(&c->holder, c->g, c->party);
    if (is_full && is_zero(a.object_type) && (!is_effective || can_all(&c->holder, &c->object))) {
        add_edge(c, EDGE_GENERIC_ALL, stored);
        return;
    }
    if (is_full && !is_effective) return;
    for (size_t i = 0; i < n_elements(order); i++)
        if (applies(c, order[i]) && (is_effective ? is_held(c, order[i], &a) : is_told(c, order[i], &a)))
            add_edge(c, order[i], stored);
}

/* Is the entry for objects like this one? An inherited one may be there for others. */
static bool concerns(const struct compiling *c, const struct ace *a)
{
    if (!is_allow(a) || a->flags & ACE_INHERIT_ONLY) return false;
    if (is_zero(a->inherited_object_type) || c->object.class == SCHEMA_NONE) return true;
    return !(a->flags & ACE_INHERITED) ||
           memcmp(a->inherited_object_type, c->g->schema->classes[c->object.class].guid, GUID_SIZE) == 0;
}

static void compile(struct compiling *c)
{
    const struct sd *sd = c->object.sd;
    struct bytes rest = sd->dacl;
    struct ace a;
    struct right write_dac = {.bit = RIGHT_WRITE_DAC};
    if (sd->owner.len) {
        c->party = graph_party(c->g, sd->owner);
        if (c->g->options->is_effective) hold(&c->holder, c->g, c->party);
        bool is_ignored = c->g->parties[c->party].is_ignored;
        if (!is_ignored && (!c->g->options->is_effective || can(&c->holder, &c->object, &write_dac)))
            add_edge(c, EDGE_OWNS, NULL);
    }
    if (c->g->options->is_effective && (!sd->has_dacl || sd->is_null_dacl)) { /* nothing is protected */
        c->party = graph_party(c->g, graph_everyone(c->g));
        add_edge(c, EDGE_GENERIC_ALL, NULL);
    }
    while (sd_next_ace(&rest, &a)) {
        if (!concerns(c, &a)) continue;
        c->party = graph_party(c->g, a.trustee);
        if (!c->g->parties[c->party].is_ignored) compile_ace(c, &a);
    }
}

/* --- and of an object -------------------------------------------------------------------------------- */

/* Does the answer depend on which object it is? */
static bool is_personal(const struct sd *sd)
{
    struct bytes rest = sd->dacl;
    struct ace a;
    while (sd_next_ace(&rest, &a))
        if (a.trustee.len && access_trustee_kind(a.trustee) == TRUSTEE_SELF && !is_allow(&a)) return true;
    return false;
}

static void forget(struct graph *g)
{
    for (size_t i = 0; i < g->n_known; i++) free(g->known[i].list);
    hmap_free(&g->known_at);
    g->known_at = (struct hmap){0};
    g->n_known = g->n_known_edges = 0;
}

static struct graph_edge_list *remember(struct graph *g, const struct object *o, enum graph_label label,
                                        bool has_laps, bool *is_new)
{
    uint32_t key[] = {o->descriptor, o->class, (uint32_t)label, has_laps};
    if (g->n_known_edges > KNOWN_MAX) forget(g);
    uint32_t *at =
        hmap_put(&g->known_at, hash128_fast(BYTES_OF(key)), is_new);
    if (!*is_new) return &g->known[*at];
    *at = (uint32_t)g->n_known;
    GROW(g->known, g->n_known, g->cap_known, 256);
    g->known[g->n_known] = (struct graph_edge_list){NULL, 0, 0};
    return &g->known[g->n_known++];
}

const struct graph_edge_list *graph_edges(struct graph *g, uint32_t object, bool has_laps)
{
    static const struct graph_edge_list none;
    if (object == NOBODY) return &none;
    const struct object *o = &g->world->objects[object];
    if (o->descriptor == NOBODY || g->world->descriptors[o->descriptor].is_malformed) {
        g->counts->n_without_sd++;
        return &none;
    }
    struct compiling c = {.g = g, .label = graph_label_of(o->kind), .has_laps = has_laps};
    bool is_new = true;
    world_access_object(&c.object, g->world, object);
    if (g->options->is_effective && is_personal(c.object.sd)) {
        g->spare.n = 0;
        c.out = &g->spare;
    } else {
        c.out = remember(g, o, c.label, has_laps, &is_new);
    }
    if (is_new) compile(&c);
    if (is_new) g->n_known_edges += c.out->n;
    g->counts->n_edges += c.out->n;
    return c.out;
}

void graph_each_let_in(struct graph *g, const struct record_index *x, enum attr id,
                       void (*each)(void *ctx, uint32_t party, bool is_inherited), void *ctx)
{
    struct values v = record_values(x, id);
    struct bytes raw;
    struct sd sd;
    struct err ignored;
    struct ace a;
    if (!values_next_bytes(&v, &raw) || sd_decode(&sd, raw, &ignored) < 0) return;
    while (sd_next_ace(&sd.dacl, &a))
        if (is_allow(&a)) each(ctx, graph_party(g, a.trustee), a.flags & ACE_INHERITED);
}
