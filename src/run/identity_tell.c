/* What was found, told in the order of the store: edges and candidates, orphans. */
#include "run/identity_int.h"

#define RID_OF_PEOPLE 1000 /* MS-ADTS 6.1.1.6: RIDs below are of well-known accounts */

/* --- names ---------------------------------------------------------------------------------------------- */

const char *identity_mark_name(unsigned at)
{
    static const char *const names[] = {
#define X(id, name) name,
        IDENTITY_MARKS(X)
#undef X
    };
    return at < n_elements(names) ? names[at] : NULL;
}

const char *identity_conflict_name(enum identity_conflict c)
{
    static const char *const names[] = {NULL, "several_active_directory", "keys_disagree",
                                        "several_entra_id"};
    return names[c];
}

const char *identity_orphan_name(enum identity_orphan_reason r)
{
    static const char *const names[] = {NULL,
                                        "no_key",
                                        "domain_not_read",
                                        "deleted_in_active_directory",
                                        "not_in_active_directory",
                                        "system_account",
                                        "not_in_tenant"};
    return names[r];
}

const char *identity_builtin_rule(unsigned i)
{
    static const char *const names[FOUND_BUILTIN_COUNT] = {"sid", "consistency_guid", "device_id",
                                                           "sid_history", "object_guid"};
    return i < FOUND_BUILTIN_COUNT ? names[i] : NULL;
}

static struct str rule_name(const struct identity *id, unsigned rule)
{
    const char *built_in = identity_builtin_rule(rule);
    return str_from(built_in ? built_in : id->query->rules[rule - FOUND_BUILTIN_COUNT].name);
}

/* --- telling: edges ------------------------------------------------------------------------------------ */

static bool is_asked(const struct identity *id, const struct candidate *c)
{
    const struct identity_query *q = id->query;
    struct str entra = id->connectors[ROWS(person, id->persons)[c->person].connector].name,
               ad = id->connectors[c->ad_connector].name;
    if (q->only_conflicts && !c->conflict) return false;
    if (q->rule.len && !str_equal(q->rule, rule_name(id, c->rule))) return false;
    return !q->connector.len || str_equal(q->connector, entra) || str_equal(q->connector, ad);
}

struct telling {
    struct pass *pass;
    const struct candidate *c;
    const struct record_index *entra;
    struct record_index ad;
    int rc;
};

static bool tell_edge(void *ctx, const struct entity *ad)
{
    struct telling *t = ctx;
    const struct pass *p = t->pass;
    const struct identity *id = p->id;
    const struct candidate *c = t->c;
    if (ad->id != c->ad) return false;
    t->rc = record_index(&t->ad, &ad->record, p->e);
    if (t->rc < 0) return false;
    unsigned base = c->rule < FOUND_BUILTIN_COUNT
                        ? identity_base_confidence(c->rule)
                        : id->query->rules[c->rule - FOUND_BUILTIN_COUNT].confidence;
    struct identity_edge edge = {.entra = p->other,
                                 .ad = ad,
                                 .rule = rule_name(id, c->rule),
                                 .confidence = identity_confidence(c, base),
                                 .confirmed_by = c->confirmed,
                                 .contradicts = c->contradicted,
                                 .conflict = c->conflict,
                                 .enabled_entra = identity_enabled(t->entra),
                                 .enabled_ad = identity_enabled(&t->ad)};
    t->rc = p->reader->edge(p->reader->ctx, &edge, p->e);
    return false;
}

static int tell_candidate(struct pass *p, const struct candidate *c, const struct record_index *index,
                          struct err *e)
{
    struct telling t = {.pass = p, .c = c, .entra = index};
    struct entity_query q = {
        .connector = p->id->connectors[c->ad_connector].name, .after_id = c->ad - 1, .limit = 1};
    try(store_entities(p->id->store, &q, tell_edge, &t, e));
    if (t.rc < 0) return t.rc;
    return p->left && --*p->left == 0;
}

static int visit_edges(struct pass *p, const struct entity *x, const struct record_index *index,
                       struct err *e)
{
    const struct candidate *c = ROWS(candidate, p->id->candidates);
    size_t n = N_ROWS(candidate, p->id->candidates);
    int rc = 0;
    p->other = x;
    for (; rc == 0 && p->candidate < n && c[p->candidate].person == p->person; p->candidate++)
        if (is_asked(p->id, &c[p->candidate])) rc = tell_candidate(p, &c[p->candidate], index, e);
    p->person++;
    return rc;
}

/* --- telling: orphans ---------------------------------------------------------------------------------- */

static int tell_orphan(struct pass *p, const struct identity_orphan *o, struct err *e)
{
    const struct str asked = p->id->query->connector;
    if (asked.len && !str_equal(asked, p->id->connectors[p->connector].name)) return 0;
    try(p->reader->orphan(p->reader->ctx, o, e));
    return p->left && --*p->left == 0;
}

static enum identity_orphan_reason reason_of(const struct identity *id, const struct person *p)
{
    if (!(p->flags & (PERSON_HAS_SID | PERSON_HAS_ANCHOR))) return IDENTITY_NO_KEY;
    if (p->flags & PERSON_DELETED) return IDENTITY_DELETED_IN_AD;
    if (p->marks.domain && !(identity_domain_bits(id, p->marks.domain) & DOMAIN_READ))
        return IDENTITY_DOMAIN_NOT_READ;
    return IDENTITY_NOT_IN_AD;
}

static int visit_entra_orphan(struct pass *p, const struct entity *x, const struct record_index *index,
                              struct err *e)
{
    const struct person *person = &ROWS(person, p->id->persons)[p->person++];
    struct identity_orphan o = {.entity = x,
                                .is_entra = true,
                                .is_ambiguous = person->flags & PERSON_AMBIGUOUS,
                                .enabled = identity_enabled(index)};
    if (!(person->flags & PERSON_SYNCED) || person->flags & PERSON_FOUND) return 0;
    o.reason = reason_of(p->id, person);
    return tell_orphan(p, &o, e);
}

static int visit_ad_orphan(struct pass *p, const struct entity *x, const struct record_index *index,
                           struct err *e)
{
    struct identity *id = p->id;
    const struct candidate *c = ROWS(candidate, id->candidates);
    struct identity_orphan o = {
        .entity = x, .reason = IDENTITY_NOT_IN_TENANT, .enabled = identity_enabled(index)};
    identity_advance(p, x);
    if (p->candidate < N_ROWS(candidate, id->candidates) && c[p->candidate].ad == x->id) return 0;
    if (!(identity_domain_bits(id, identity_domain_hash(&id->text, id->connectors[p->connector].domain)) &
          DOMAIN_SYNCED))
        return 0;
    if (x->record.sid.len && sid_rid(x->record.sid) < RID_OF_PEOPLE) o.reason = IDENTITY_SYSTEM_ACCOUNT;
    return tell_orphan(p, &o, e);
}

int identity_tell_edges(struct identity *id, const struct identity_reader *reader, int64_t *left,
                        struct err *e)
{
    struct pass p = {.id = id, .visit = visit_edges, .reader = reader, .left = left};
    identity_sort_by_person(&id->candidates);
    return identity_walk_entra(&p, e);
}

int identity_tell_orphans(struct identity *id, const struct identity_reader *reader, int64_t *left,
                          struct err *e)
{
    struct pass entra = {.id = id, .visit = visit_entra_orphan, .reader = reader, .left = left};
    struct pass ad = {.id = id, .visit = visit_ad_orphan, .reader = reader, .left = left};
    identity_sort_by_ad(&id->candidates);
    try(identity_walk_entra(&entra, e));
    if (entra.rc > 0 || !(identity_entra_kinds(id) & KIND_BIT(KIND_user))) return 0;
    return identity_walk(&ad, false, KIND_BIT(KIND_user), false, e);
}
