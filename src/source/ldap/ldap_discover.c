/* ldap_discover.c - `discover`: how many of each kind there are, and which attributes they have. */
#include "source/ldap/ldap_count.h"
#include "source/ldap/ldap_entry.h"
#include "source/ldap/ldap_source.h"

#include "base/when.h"
#include "net/ldap_ber.h"

#include <stdio.h>
#include <stdlib.h>

#define SAMPLE_SIZE 50
#define NAMES_MAX   2000 /* of attributes of one kind */
#define EVERYTHING  UINT64_MAX

static int on_entry(void *ctx, struct bytes content, struct err *e)
{
    json_t *seen = ctx;
    struct str dn, name;
    struct bytes set;
    struct cursor attributes;
    char key[128];
    try(ldap_entry_dn(content, &dn, &attributes, e));
    while (ber_next_attribute(&attributes, &name, &set)) {
        size_t n = str_index(name, ';');
        if (n >= sizeof key || !str_is_utf8(name) || json_object_size(seen) >= NAMES_MAX) continue;
        snprintf(key, sizeof key, "%.*s", (int)n, name.ptr);
        json_object_set_new(seen, key, json_integer(json_integer_value(json_object_get(seen, key)) + 1));
    }
    return attributes.failed ? err_set(e, ERR_PROTO, "attributes that are not well-formed") : 0;
}

/* [{name, filled, collected}], in the order of names */
static json_t *attribute_list(json_t *seen, const struct ldap_plan *p)
{
    json_t *list = json_array(), *count;
    const char *name;
    json_object_foreach(seen, name, count)
    {
        bool collected = false;
        for (size_t i = 0; i < p->n_slots && !collected; i++)
            collected = str_equal_nocase(p->slots[i].name, str_from(name));
        json_array_append_new(
            list, json_pack("{s:s, s:O, s:b}", "name", name, "filled", count, "collected", collected));
    }
    return list;
}

static int emit_kind(struct ldap_session *s, const struct ldap_plan *p, uint64_t n, json_t *seen,
                     int64_t began, struct err *e)
{
    char evidence[1200];
    json_t *detail = json_pack("{s:s, s:I, s:o}", "kind", kind_name(p->kind), "count", (json_int_t)n,
                               "attributes", attribute_list(seen, p));
    snprintf(evidence, sizeof evidence, "%llu in %.1000s", (unsigned long long)n, p->base);
    struct step step = {.name = kind_name(p->kind),
                        .verdict = STEP_OK,
                        .evidence = evidence,
                        .took_ms = when_monotonic_ms() - began,
                        .detail = detail};
    int rc = emit_step(s->m, &step, e);
    json_decref(detail);
    return rc;
}

static int discover_kind(struct ldap_session *s, struct ldap_plan *p, struct err *e)
{
    const char *attributes[] = {LDAP_ALL_USER_ATTRIBUTES, NULL};
    struct ldap_search q = {.base = p->base,
                            .scope = p->scope,
                            .filter = p->filter,
                            .attributes = attributes,
                            .page_size = SAMPLE_SIZE};
    int64_t began = when_monotonic_ms();
    uint64_t n = 0;
    bool is_all;
    json_t *seen = json_object();
    int rc = ldap_count(s, p->base, p->scope, p->filter, EVERYTHING, &n, &is_all, e);
    if (rc == 0 && n) rc = ldap_sample(s, &q, SAMPLE_SIZE, on_entry, seen, e);
    if (rc == 0) rc = emit_kind(s, p, n, seen, began, e);
    json_decref(seen);
    return rc;
}

/* What the server says no to is a failed step; the others go on. */
static int refused(struct ldap_session *s, enum kind kind, struct err *e)
{
    if (!ldap_is_answer(e)) return err_wrap(e, "%s: %s", s->set.host, kind_plural(kind));
    struct err why = *e;
    struct step step = {.name = kind_name(kind),
                        .verdict = STEP_FAIL,
                        .evidence = why.message,
                        .fix = *why.hint ? why.hint : NULL,
                        .class = why.class};
    return emit_step(s->m, &step, e);
}

static int discover_all(struct ldap_session *s, struct err *e)
{
    kind_set kinds = s->job->kinds ? s->job->kinds : ldap_kinds_all();
    struct ldap_plan *plan = x_zalloc(sizeof *plan);
    int rc = 0;
    for (size_t i = 0; i < n_ldap_kinds && rc == 0; i++) {
        if (!(kinds & KIND_BIT(ldap_kinds[i]))) continue;
        rc = ldap_plan_make(plan, ldap_kinds[i], &s->set, s->facts.naming_context, e);
        if (rc == 0 && (rc = discover_kind(s, plan, e)) < 0) rc = refused(s, ldap_kinds[i], e);
    }
    free(plan);
    return rc < 0 ? rc : emit_end(s->m, s->stats.requests, s->stats.bytes, s->facts.server, e);
}

int ldap_discover(const struct job *j, struct emit *m, struct err *e)
{
    struct ldap_session s;
    int rc = ldap_session_open(&s, j, m, e);
    if (rc == 0) rc = discover_all(&s, e);
    ldap_session_close(&s);
    return rc;
}
