#include "run/identity_int.h"

#include <stdlib.h>

#define ENTRA_KINDS                                                                                          \
    (KIND_BIT(KIND_user) | KIND_BIT(KIND_group) | KIND_BIT(KIND_device) | KIND_BIT(KIND_contact))
#define FOUND_MAX      100 /* candidates of one key: a directory in which more have the same is told of these */
#define CONNECTORS_MAX 65535

/* --- passes over the store --------------------------------------------------------------------------- */

static bool visit(void *ctx, const struct entity *x)
{
    struct pass *p = ctx;
    p->rc = record_index(&p->index, &x->record, p->e);
    if (p->rc == 0) p->rc = p->visit(p, x, &p->index, p->e);
    return p->rc == 0;
}

int identity_walk(struct pass *p, bool is_tenant, kind_set kinds, bool with_deleted, struct err *e)
{
    struct identity *id = p->id;
    p->e = e;
    p->rc = 0;
    for (p->connector = 0; p->connector < id->n_connectors && p->rc == 0; p->connector++) {
        const struct identity_connector *c = &id->connectors[p->connector];
        struct entity_query q = {.connector = c->name, .kinds = kinds, .with_deleted = with_deleted};
        if (c->is_tenant == is_tenant) try(store_entities(id->store, &q, visit, p, e));
    }
    return p->rc < 0 ? p->rc : 0;
}

kind_set identity_entra_kinds(const struct identity *id)
{
    kind_set asked = id->query->kinds;
    if (asked & KIND_BIT(KIND_computer)) asked |= KIND_BIT(KIND_device);
    return asked ? asked & ENTRA_KINDS : ENTRA_KINDS;
}

int identity_walk_entra(struct pass *p, struct err *e)
{
    return identity_entra_kinds(p->id) ? identity_walk(p, true, identity_entra_kinds(p->id), false, e) : 0;
}

static kind_set ad_kinds(const struct identity *id)
{
    kind_set entra = identity_entra_kinds(id);
    return entra & KIND_BIT(KIND_device) ? (entra & ~KIND_BIT(KIND_device)) | KIND_BIT(KIND_computer) : entra;
}

static int add_row(struct buf *rows, const void *row, size_t size, struct err *e)
{
    buf_add(rows, row, size);
    return rows->failed ? err_set(e, ERR_LIMIT, "more identities than can be compared") : 0;
}

/* --- Entra objects ----------------------------------------------------------------------------------- */

static void add_domain(struct identity *id, uint32_t domain, uint32_t bit)
{
    bool is_new;
    if (domain) *hmap_put(&id->domains, (struct hash128){domain, 0}, &is_new) |= bit;
}

uint32_t identity_domain_bits(const struct identity *id, uint32_t domain)
{
    uint32_t *bits = hmap_find(&id->domains, (struct hash128){domain, 0});
    return bits ? *bits : 0;
}

static int add_key(struct buf *keys, struct hash128 hash, size_t person, struct err *e)
{
    struct key k = {.hash = hash.lo, .check = (uint32_t)hash.hi, .person = (uint32_t)person};
    return add_row(keys, &k, sizeof k, e);
}

static int visit_person(struct pass *p, const struct entity *x, const struct record_index *index,
                        struct err *e)
{
    struct identity *id = p->id;
    struct person person;
    struct hash128 keys[PERSON_KEYS_MAX];
    size_t n = identity_person(&person, keys, &id->text, index), at = N_ROWS(person, id->persons);
    person.id = x->id;
    person.connector = (uint16_t)p->connector;
    if (person.flags & PERSON_SYNCED) add_domain(id, person.marks.domain, DOMAIN_SYNCED);
    try(add_row(&id->persons, &person, sizeof person, e));
    for (size_t i = 0; i < n; i++) try(add_key(&id->keys, keys[i], at, e));
    return 0;
}

/* --- Active Directory: candidates -------------------------------------------------------------------- */

static void compare(struct candidate *c, unsigned mark, uint32_t entra, uint32_t ad)
{
    if (!entra || !ad) return;
    if (entra == ad)
        c->confirmed |= (uint8_t)mark;
    else
        c->contradicted |= (uint8_t)mark;
}

static void compare_marks(struct candidate *c, const struct identity_marks *entra,
                          const struct identity_marks *ad)
{
    compare(c, IDENTITY_MARK(DN), entra->dn, ad->dn);
    compare(c, IDENTITY_MARK(DOMAIN), entra->domain, ad->domain);
    compare(c, IDENTITY_MARK(SAM), entra->sam, ad->sam);
    compare(c, IDENTITY_MARK(UPN), entra->upn, ad->upn);
}

static void make_marks(struct pass *p)
{
    struct identity *id = p->id;
    uint32_t domain = identity_domain_hash(&id->text, id->connectors[p->connector].domain);
    if (!p->has_marks) p->marks = identity_ad_marks(&id->text, &p->index, domain);
    p->has_marks = true;
}

static int add_candidate(struct pass *p, struct buf *to, uint32_t person, struct candidate c, struct err *e)
{
    const struct identity_marks *marks = &ROWS(person, p->id->persons)[person].marks;
    struct bytes guid = {p->other->record.guid, GUID_SIZE};
    c.ad = p->other->id;
    c.ad_guid = hash64_of(hash_process_key(), guid);
    c.person = person;
    c.ad_connector = (uint16_t)p->connector;
    make_marks(p);
    compare_marks(&c, marks, &p->marks);
    return add_row(to, &c, sizeof c, e);
}

/* The candidate that pairs this entity with the person already; they are the last ones. */
static struct candidate *pair_of(const struct pass *p, const struct buf *candidates, uint32_t person)
{
    struct candidate *all = ROWS(candidate, *candidates);
    for (size_t i = N_ROWS(candidate, *candidates); i-- > 0 && all[i].ad == p->other->id;)
        if (all[i].person == person) return &all[i];
    return NULL;
}

static int take_key(void *ctx, uint8_t found, struct hash128 hash, struct err *e)
{
    struct pass *p = ctx;
    struct identity *id = p->id;
    size_t from, to;
    identity_find_keys(&id->keys, hash, &from, &to);
    if (to - from > FOUND_MAX) to = from + FOUND_MAX;
    for (; from < to; from++) {
        uint32_t person = ROWS(key, id->keys)[from].person;
        uint8_t *flags = &ROWS(person, id->persons)[person].flags;
        struct candidate *known = pair_of(p, &id->candidates, person);
        *flags |= p->other->deleted_ms ? PERSON_DELETED : PERSON_FOUND;
        if (p->other->deleted_ms) continue;
        if (known)
            known->found |= found;
        else
            try(add_candidate(p, &id->candidates, person, (struct candidate){.found = found}, e));
    }
    return 0;
}

static void look_at(struct pass *p, const struct entity *x)
{
    p->other = x;
    p->has_marks = false;
}

static int visit_ad(struct pass *p, const struct entity *x, const struct record_index *index, struct err *e)
{
    look_at(p, x);
    return identity_ad_keys(&p->id->text, index, take_key, p, e);
}

static int find_by_key(struct identity *id, struct err *e)
{
    struct pass entra = {.id = id, .visit = visit_person}, ad = {.id = id, .visit = visit_ad};
    try(identity_walk_entra(&entra, e));
    identity_sort_keys(&id->keys);
    try(id->keys.len ? identity_walk(&ad, false, ad_kinds(id), true, e) : 0);
    buf_free(&id->keys);
    identity_judge(&id->candidates, &id->persons);
    return 0;
}

/* --- rules of the settings
 * ---------------------------------------------------------------------------------- */

static int take_custom_key(void *ctx, struct hash128 hash, struct err *e)
{
    struct pass *p = ctx;
    return add_key(p->keys, hash, p->person, e);
}

static int visit_unfound(struct pass *p, const struct entity *x, const struct record_index *index,
                         struct err *e)
{
    const struct person *person = &ROWS(person, p->id->persons)[p->person];
    int rc = 0;
    if (!(person->flags & PERSON_FOUND) && person->kind == p->rule->kind)
        rc = identity_custom_keys(&p->id->text, p->rule, true, index, x->name, take_custom_key, p, e);
    p->person++;
    return rc;
}

void identity_advance(struct pass *p, const struct entity *x)
{
    const struct candidate *c = ROWS(candidate, p->id->candidates);
    size_t n = N_ROWS(candidate, p->id->candidates);
    while (p->candidate < n && (c[p->candidate].ad_connector < p->connector ||
                                (c[p->candidate].ad_connector == p->connector && c[p->candidate].ad < x->id)))
        p->candidate++;
}

/* The entity is paired with somebody of this tenant already. */
static bool is_taken(const struct pass *p, uint16_t tenant)
{
    const struct candidate *c = ROWS(candidate, p->id->candidates);
    const struct person *persons = ROWS(person, p->id->persons);
    for (size_t i = p->candidate; i < N_ROWS(candidate, p->id->candidates) && c[i].ad == p->other->id; i++)
        if (persons[c[i].person].connector == tenant) return true;
    return false;
}

static int probe_custom_key(void *ctx, struct hash128 hash, struct err *e)
{
    struct pass *p = ctx;
    struct candidate c = {.rule = (uint8_t)(FOUND_BUILTIN_COUNT + p->rule_place)};
    size_t from, to;
    identity_find_keys(p->keys, hash, &from, &to);
    for (; from < to; from++) {
        uint32_t person = ROWS(key, *p->keys)[from].person;
        if (is_taken(p, ROWS(person, p->id->persons)[person].connector)) continue;
        if (!pair_of(p, p->fresh, person)) try(add_candidate(p, p->fresh, person, c, e));
    }
    return 0;
}

static int visit_untaken(struct pass *p, const struct entity *x, const struct record_index *index,
                         struct err *e)
{
    look_at(p, x);
    identity_advance(p, x);
    return identity_custom_keys(&p->id->text, p->rule, false, index, x->name, probe_custom_key, p, e);
}

/* One with one becomes an edge; the others are nobody's. */
static int accept_fresh(struct identity *id, struct buf *fresh, struct err *e)
{
    struct person *persons = ROWS(person, id->persons);
    const struct candidate *c = ROWS(candidate, *fresh);
    identity_judge(fresh, &id->persons);
    for (size_t i = 0; i < N_ROWS(candidate, *fresh); i++) {
        persons[c[i].person].flags |= c[i].conflict ? PERSON_AMBIGUOUS : PERSON_FOUND;
        if (!c[i].conflict) try(add_row(&id->candidates, &c[i], sizeof c[i], e));
    }
    return 0;
}

static int find_by_rule(struct identity *id, size_t place, struct buf *keys, struct buf *fresh, struct err *e)
{
    const struct identity_rule *rule = &id->query->rules[place];
    struct pass entra = {.id = id, .visit = visit_unfound, .rule = rule, .keys = keys};
    struct pass ad = {
        .id = id, .visit = visit_untaken, .rule = rule, .rule_place = place, .keys = keys, .fresh = fresh};
    if (!(identity_entra_kinds(id) & KIND_BIT(rule->kind))) return 0;
    try(identity_walk_entra(&entra, e));
    identity_sort_keys(keys);
    identity_drop_shared_keys(keys, &id->persons);
    identity_sort_by_ad(&id->candidates);
    if (keys->len) try(identity_walk(&ad, false, KIND_BIT(identity_kind_in_ad(rule->kind)), false, e));
    return accept_fresh(id, fresh, e);
}

static int find_by_rules(struct identity *id, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; i < id->query->n_rules && rc == 0; i++) {
        struct buf keys = buf_new(ROWS_MAX), fresh = buf_new(ROWS_MAX);
        rc = find_by_rule(id, i, &keys, &fresh, e);
        buf_free(&keys);
        buf_free(&fresh);
    }
    return rc;
}

/* --- all of it
 * -------------------------------------------------------------------------------------------------- */

static bool is_listed(const struct identity *id, struct str name)
{
    for (size_t i = id->n_connectors; i-- > 0;)
        if (str_equal(id->connectors[i].name, name)) return true;
    return false;
}

static int add_connector(struct identity *id, struct str name, struct err *e)
{
    struct connector_state state;
    if (is_listed(id, name)) return 0;
    try(store_connector(id->store, name, &state, e));
    if (!state.visible_run) return 0;
    if (id->n_connectors == CONNECTORS_MAX)
        return err_set(e, ERR_LIMIT, "more than %d connectors in the store", CONNECTORS_MAX);
    if (id->n_connectors == id->connectors_cap) {
        id->connectors_cap = 2 * id->connectors_cap + 16;
        id->connectors = x_realloc(id->connectors, id->connectors_cap * sizeof *id->connectors);
    }
    struct identity_connector *c = &id->connectors[id->n_connectors++];
    *c = (struct identity_connector){.name = state.name, .domain = state.domain.dns_name};
    c->is_tenant = domain_is_tenant(&state.domain) || str_equal(state.source, STR("entra_id"));
    if (!c->is_tenant) add_domain(id, identity_domain_hash(&id->text, c->domain), DOMAIN_READ);
    return 0;
}

struct asking {
    struct identity *id;
    const struct identity_reader *reader;
    struct err *e;
    int rc;
};

static bool list_connector(void *ctx, const struct run_row *r)
{
    struct asking *a = ctx;
    a->rc = add_connector(a->id, r->connector, a->e);
    return a->rc == 0;
}

/* Not by their last run: the same order every time. */
static int by_name(const void *a, const void *b)
{
    const struct identity_connector *x = a, *y = b;
    size_t n = x->name.len < y->name.len ? x->name.len : y->name.len;
    int c = memcmp(x->name.ptr, y->name.ptr, n);
    return c ? c : (x->name.len > y->name.len) - (x->name.len < y->name.len);
}

static int list_connectors(struct asking *a, struct err *e)
{
    struct identity *id = a->id;
    int rc = store_runs(id->store, (struct str){0}, 0, list_connector, a, e);
    try(rc < 0 ? rc : a->rc);
    if (id->n_connectors) qsort(id->connectors, id->n_connectors, sizeof *id->connectors, by_name);
    return 0;
}

static int ask(struct asking *a, struct err *e)
{
    struct identity *id = a->id;
    int64_t left = id->query->limit, *limit = left ? &left : NULL;
    try(list_connectors(a, e));
    try(find_by_key(id, e));
    try(find_by_rules(id, e));
    if (a->reader->edge) try(identity_tell_edges(id, a->reader, limit, e));
    if (!a->reader->orphan || (limit && left == 0)) return 0;
    return identity_tell_orphans(id, a->reader, limit, e);
}

/* Called for the newest run: what the store is asked within a callback, it answers from one snapshot. */
static bool ask_within(void *ctx, const struct run_row *newest)
{
    struct asking *a = ctx;
    (void)newest;
    int rc = ask(a, a->e);
    a->rc = rc;
    return false;
}

int identity_read(struct store *s, const struct identity_query *q, const struct identity_reader *reader,
                  struct err *e)
{
    struct identity id = {.store = s,
                          .query = q,
                          .persons = buf_new(ROWS_MAX),
                          .keys = buf_new(ROWS_MAX),
                          .candidates = buf_new(ROWS_MAX),
                          .text = buf_new((size_t)64 << 20)};
    struct asking a = {.id = &id, .reader = reader, .e = e};
    int rc = store_runs(s, (struct str){0}, 1, ask_within, &a, e);
    buf_free(&id.persons);
    buf_free(&id.keys);
    buf_free(&id.candidates);
    buf_free(&id.text);
    hmap_free(&id.domains);
    free(id.connectors);
    return rc < 0 ? rc : a.rc;
}
