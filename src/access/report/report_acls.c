/* report_acls.c - who, without being an administrator, may change what.
 *
 * Each (trustee, descriptor, class) is decided once, by access_check with the trustee's token; a trustee whose accounts are all
 * administrators, or who has none, is not told. What SELF is given concerns the object alone and is left out.
 */
#include "access/report/report_world.h"

#include "access/check.h"

#include <stdlib.h>

#define K(k)      KIND_BIT(KIND_##k)
#define ACCOUNTS  (K(user) | K(computer) | K(service_account))
#define PLACES    (K(ou) | K(container) | K(domain))

/* What is dangerous on which kind of object; of two that are held, one that includes the other is told alone. */
static const struct danger {
    const char *right;
    kind_set kinds;
} dangers[] = {
    {"WRITE_DAC", KINDS_ALL},
    {"WRITE_OWNER", KINDS_ALL},
    {"WRITE_PROPERTY", KINDS_ALL},
    {"DELETE", KINDS_ALL},
    {"DELETE_TREE", PLACES},
    {"CREATE_CHILD", PLACES},
    {"DELETE_CHILD", PLACES},
    {"SELF", K(group)},
    {"CONTROL_ACCESS", ACCOUNTS | K(domain)},
    {"WRITE_PROPERTY:member", K(group)},
    {"SELF:Self-Membership", K(group)},
    {"WRITE_PROPERTY:gPLink", K(ou) | K(domain)},
    {"CREATE_CHILD:user", PLACES},
    {"CREATE_CHILD:group", PLACES},
    {"CREATE_CHILD:computer", PLACES},
    {"CREATE_CHILD:organizationalUnit", PLACES},
    {"CONTROL_ACCESS:User-Force-Change-Password", ACCOUNTS},
    {"WRITE_PROPERTY:servicePrincipalName", ACCOUNTS},
    {"WRITE_PROPERTY:userAccountControl", ACCOUNTS},
    {"WRITE_PROPERTY:msDS-KeyCredentialLink", ACCOUNTS},
    {"WRITE_PROPERTY:msDS-AllowedToActOnBehalfOfOtherIdentity", ACCOUNTS},
    {"WRITE_PROPERTY:scriptPath", K(user)},
    {"WRITE_PROPERTY:gPCFileSysPath", K(group_policy)},
    {"CONTROL_ACCESS:DS-Replication-Get-Changes-All", K(domain)},
};
#define N_DANGERS  n_elements(dangers)
#define REPLICATION (N_DANGERS - 1)
typedef uint32_t danger_set;
_Static_assert(N_DANGERS <= 32, "a bit for each");

struct pair {
    uint32_t trustee, descriptor;
};
struct acls {
    struct report_world *x;
    struct right (*rights)[N_DANGERS]; /* one row a connector */
    danger_set *known;                 /* of the connector's schema */
    uint32_t *first_object, *objects;  /* by descriptor */
    struct pair *pairs;                /* ascending by trustee */
    size_t n_pairs, cap_pairs;
    struct world_token token;
    uint32_t trustee;                  /* under way */
    uint64_t n_people;                 /* accounts of the trustee that are no administrators */
    bool is_broad;
    struct buf who;
};

/* --- who is named by which descriptor ------------------------------------------------------------------------------------------ */

static void add_pair(struct acls *a, struct bytes sid, uint32_t descriptor)
{
    uint32_t p = world_principal_by_sid(a->x->w, sid);
    if (p == NOBODY || a->x->is_admin[p]) return;
    GROW(a->pairs, a->n_pairs, a->cap_pairs, 1024);
    a->pairs[a->n_pairs++] = (struct pair){p, descriptor};
}

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int d = COMPARE(x->trustee, y->trustee);
    return d ? d : COMPARE(x->descriptor, y->descriptor);
}

static void collect_pairs(struct acls *a)
{
    const struct world *w = a->x->w;
    for (uint32_t d = 0; d < w->n_descriptors; d++) {
        struct bytes rest = w->descriptors[d].sd.dacl;
        struct ace ace;
        if (w->descriptors[d].is_malformed) continue;
        add_pair(a, w->descriptors[d].sd.owner, d);
        while (sd_next_ace(&rest, &ace)) add_pair(a, ace.trustee, d);
        if (!w->descriptors[d].sd.has_dacl || w->descriptors[d].sd.is_null_dacl)
            for (size_t i = 0; i < w->n_implicit && i < 1; i++) add_pair(a, w->principals[w->implicit[i]].sid, d);
    }
    if (a->n_pairs) qsort(a->pairs, a->n_pairs, sizeof *a->pairs, compare_pairs);
    size_t n = 0;
    for (size_t i = 0; i < a->n_pairs; i++)
        if (!n || compare_pairs(&a->pairs[n - 1], &a->pairs[i]) != 0) a->pairs[n++] = a->pairs[i];
    a->n_pairs = n;
}

static void collect_objects(struct acls *a)
{
    const struct world *w = a->x->w;
    a->first_object = x_zalloc((w->n_descriptors + 2u) * sizeof *a->first_object);
    a->objects = x_alloc((w->n_objects + 1u) * sizeof *a->objects);
    for (uint32_t i = 0; i < w->n_objects; i++)
        if (w->objects[i].descriptor != NOBODY) a->first_object[w->objects[i].descriptor + 2]++;
    for (uint32_t d = 2; d <= w->n_descriptors + 1; d++) a->first_object[d] += a->first_object[d - 1];
    for (uint32_t i = 0; i < w->n_objects; i++)
        if (w->objects[i].descriptor != NOBODY) a->objects[a->first_object[w->objects[i].descriptor + 1]++] = i;
}

/* A right that a schema does not have is not asked for there. */
static void find_rights(struct acls *a)
{
    const struct world *w = a->x->w;
    struct err ignored;
    a->rights = x_zalloc((w->n_connectors + 1) * sizeof *a->rights);
    a->known = x_zalloc((w->n_connectors + 1) * sizeof *a->known);
    for (size_t c = 0; c < w->n_connectors; c++)
        for (size_t i = 0; i < N_DANGERS; i++)
            if (right_parse(&a->rights[c][i], str_from(dangers[i].right), w->connectors[c].schema, &ignored) == 0) a->known[c] |= 1u << i;
}

/* --- one trustee -------------------------------------------------------------------------------------------------------------------- */

/* Everyone and its kind, by SID: everybody who has any account, or none. */
static bool is_broad(const struct world *w, uint32_t principal)
{
    static const uint8_t builtin[] = {1, 1, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0}, anonymous[] = {1, 1, 0, 0, 0, 0, 0, 5, 7, 0, 0, 0};
    const struct principal *p = &w->principals[principal];
    uint32_t rid = sid_rid(p->sid);
    if (world_is_implicit(w, principal) || bytes_equal(p->sid, (struct bytes){anonymous, sizeof anonymous})) return true;
    if (sid_is_in_domain(p->sid, (struct bytes){builtin, sizeof builtin})) return rid == 545 || rid == 546 || rid == 554;
    if (p->connector == NOBODY || !sid_is_in_domain(p->sid, w->connectors[p->connector].domain.sid)) return false;
    return rid == 513 || rid == 514 || rid == 515;
}

static void count_people(struct acls *a, uint32_t trustee)
{
    const struct world *w = a->x->w;
    a->n_people = 0;
    if (world_is_implicit(w, trustee)) {
        for (uint32_t p = 0; p < w->n_principals; p++) a->n_people += w->principals[p].is_account && !a->x->is_admin[p];
        return;
    }
    descend(a->x, trustee);
    for (size_t i = 0; i < a->x->down.n; i++) {
        uint32_t p = a->x->down.list[i];
        if (world_is_implicit(w, p)) a->n_people += w->n_principals; /* and so everybody */
        a->n_people += w->principals[p].is_account && !a->x->is_admin[p];
    }
    if (a->n_people > w->n_principals) count_people(a, w->implicit[0]);
    if (w->principals[trustee].kind == KIND_foreign_principal) a->n_people++;
}

static int open_trustee(struct acls *a, uint32_t trustee)
{
    const struct world *w = a->x->w;
    struct str name;
    a->trustee = trustee;
    count_people(a, trustee);
    a->is_broad = is_broad(w, trustee);
    try(world_name(a->x, trustee, &name));
    buf_clear(&a->who);
    buf_add_str(&a->who, name);
    if (!w->principals[trustee].is_account)
        buf_printf(&a->who, " (%llu account%s)", (unsigned long long)a->n_people, a->n_people == 1 ? "" : "s");
    return 0;
}

/* --- one trustee on one kind of object -------------------------------------------------------------------------------------------------- */

static bool holds(const struct access_object *o, const struct access_token *t, const struct right *r)
{
    struct access_verdict v;
    access_check(&v, o, t, r, ACCESS_WINDOWS);
    return v.is_allowed && !v.is_conditional;
}

static danger_set held_by(struct acls *a, uint32_t object)
{
    const struct world *w = a->x->w;
    const struct object *ob = &w->objects[object];
    struct access_object o;
    struct access_token t;
    danger_set held = 0;
    uint32_t whole = 0;
    world_access_object(&o, w, object);
    o.sid = (struct bytes){NULL, 0}; /* what SELF is given is the object's own */
    world_token_open(&t, &a->token, w);
    for (size_t i = 0; i < N_DANGERS; i++) {
        const struct right *r = &a->rights[ob->connector][i];
        if (!(dangers[i].kinds & KIND_BIT(ob->kind)) || !(a->known[ob->connector] >> i & 1)) continue;
        if ((r->is_typed && whole & r->bit && i != REPLICATION) || !holds(&o, &t, r)) continue;
        held |= 1u << i;
        if (!r->is_typed) whole |= r->bit;
    }
    return held;
}

static void add_rights(struct buf *b, danger_set held)
{
    bool is_first = true;
    for (size_t i = 0; i < N_DANGERS; i++) {
        if (!(held >> i & 1)) continue;
        buf_add_str(b, is_first ? STR(": ") : STR(", "));
        buf_add_str(b, str_from(dangers[i].right));
        is_first = false;
    }
}

static int hit(struct acls *a, enum rule rule, uint32_t object, danger_set held, uint64_t n_alike)
{
    struct buf *b = &a->x->r->detail;
    if (!report_wants(a->x->r, rule)) return 0;
    buf_clear(b);
    buf_add_str(b, buf_str(&a->who));
    add_rights(b, held);
    if (n_alike > 1) buf_printf(b, "; on %llu objects with these permissions", (unsigned long long)n_alike);
    return report_hit_object(a->x, rule, object, buf_str(b));
}

static int tell_object(struct acls *a, uint32_t object, danger_set held)
{
    const struct object *ob = &a->x->w->objects[object];
    danger_set changes = held & ~(1u << REPLICATION);
    bool is_privileged = ob->principal != NOBODY && a->x->is_admin[ob->principal];
    if (!a->n_people) return 0; /* only ACL_05 tells a right of Guests that nobody is in */
    if (held >> REPLICATION & 1) try(hit(a, RULE_ACL_06, object, 1u << REPLICATION, 0));
    if (!changes) return 0;
    if (is_privileged) return hit(a, RULE_ACL_02, object, changes, 0);
    if (ob->kind == KIND_group) return hit(a, RULE_ACL_01, object, changes, 0);
    if (PLACES & KIND_BIT(ob->kind)) return hit(a, RULE_ACL_03, object, changes, 0);
    return ob->kind == KIND_group_policy ? hit(a, RULE_ACL_04, object, changes, 0) : 0;
}

/* Objects of one descriptor have few classes: each is decided once. */
static int tell_descriptor(struct acls *a, uint32_t descriptor)
{
    const struct world *w = a->x->w;
    uint32_t first = a->first_object[descriptor], end = a->first_object[descriptor + 1], class = SCHEMA_NONE, connector = NOBODY, shown = NOBODY;
    enum kind kind = KIND_NONE;
    danger_set held = 0, shown_held = 0;
    uint64_t n = 0;
    for (uint32_t i = first; i < end; i++) {
        const struct object *ob = &w->objects[a->objects[i]];
        if (ob->class != class || ob->kind != kind || ob->connector != connector) {
            if (ob->connector != connector) try(world_token(&a->token, w, a->trustee, ob->connector, a->x->e));
            class = ob->class;
            kind = ob->kind;
            connector = ob->connector;
            held = held_by(a, a->objects[i]);
        }
        if (!held) continue;
        if (!n++) {
            shown = a->objects[i];
            shown_held = held;
        }
        try(tell_object(a, a->objects[i], held));
    }
    return n && a->is_broad ? hit(a, RULE_ACL_05, shown, shown_held, n) : 0;
}

static int tell_owner(struct acls *a, uint32_t descriptor)
{
    const struct world *w = a->x->w;
    if (!report_wants(a->x->r, RULE_ACL_07) || world_principal_by_sid(w, w->descriptors[descriptor].sd.owner) != a->trustee) return 0;
    for (uint32_t i = a->first_object[descriptor]; i < a->first_object[descriptor + 1]; i++)
        try(report_hit_object(a->x, RULE_ACL_07, a->objects[i], buf_str(&a->who)));
    return 0;
}

/* --- all ------------------------------------------------------------------------------------------------------------------------------------ */

static int tell_all(struct acls *a)
{
    a->trustee = NOBODY;
    for (size_t i = 0; i < a->n_pairs; i++) {
        const struct pair *p = &a->pairs[i];
        if (p->trustee != a->trustee) try(open_trustee(a, p->trustee));
        try(tell_owner(a, p->descriptor));
        if (a->n_people || a->is_broad) try(tell_descriptor(a, p->descriptor));
    }
    return 0;
}

static bool is_wanted(const struct report *r)
{
    for (unsigned i = RULE_ACL_01; i <= RULE_ACL_07; i++)
        if (report_wants(r, (enum rule)i)) return true;
    return false;
}

int report_acls(struct report_world *x)
{
    struct acls a = {.x = x, .who = buf_new((size_t)1 << 20)};
    if (!is_wanted(x->r)) return 0;
    find_rights(&a);
    collect_pairs(&a);
    collect_objects(&a);
    int rc = tell_all(&a);
    world_token_free(&a.token);
    free(a.rights);
    free(a.known);
    free(a.first_object);
    free(a.objects);
    free(a.pairs);
    buf_free(&a.who);
    return rc;
}
