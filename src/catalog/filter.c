/* Which cells a query means. */
#include "catalog/catalog_int.h"

#include <stdlib.h>

/* Words between commas as bits of a list of names; false at one that is not there. */
static bool bits_of(struct str list, const char *const *names, size_t n, uint32_t *out)
{
    *out = 0;
    while (list.len) {
        size_t comma = str_index(list, ','), at = 0;
        struct str one = str_trim((struct str){list.ptr, comma});
        while (at < n && !str_equal(one, str_from(names[at]))) at++;
        if (at == n) return false;
        *out |= UINT32_C(1) << at;
        comma += comma < list.len;
        list = (struct str){list.ptr + comma, list.len - comma};
    }
    return true;
}

static int unknown(const char *what, struct str value, struct err *e)
{
    err_set(e, ERR_INPUT, "%s: \"%.*s\" is none of its values", what, STR_FMT(value));
    return err_hint(e, "mfa: yes, no, unknown; sign_in: never, 7d, 30d, 90d, older, unknown; tag: as GET /api/v1/assets/facets lists them");
}

static int tags_of(struct facet_filter *f, const struct catalog_query *q, struct err *e)
{
    size_t n = 0;
    while (catalog_tags[n]) n++;
    for (size_t i = 0; i < q->n_tags; i++) {
        uint32_t bits;
        if (!bits_of(q->tags[i], catalog_tags, n, &bits)) return unknown("tag", q->tags[i], e);
        f->tags |= bits;
    }
    return 0;
}

static void sources_of(struct facet_filter *f, const struct catalog *c, const struct catalog_query *q)
{
    int64_t last = 0;
    for (size_t i = 0; i < c->sources.n; i++)
        if (c->sources.list[i].id > last) last = c->sources.list[i].id;
    f->n_source_words = (size_t)last / 64 + 1;
    f->sources = x_zalloc(f->n_source_words * sizeof *f->sources);
    for (size_t i = 0; i < q->n_sources; i++) {
        const struct source *s = source_named(&c->sources, q->source[i]);
        if (s) f->sources[s->id / 64] |= UINT64_C(1) << s->id % 64;
    }
}

int filter_open(struct facet_filter *f, const struct catalog *c, const struct catalog_query *q, struct err *e)
{
    *f = (struct facet_filter){.q = q};
    if (!bits_of(q->mfa, tri_names, n_elements(tri_names), &f->mfa)) return unknown("mfa", q->mfa, e);
    if (!bits_of(q->sign_in, sign_in_names, SIGN_IN_COUNT, &f->sign_in)) return unknown("sign_in", q->sign_in, e);
    try(tags_of(f, q, e));
    if (q->n_sources) sources_of(f, c, q);
    return 0;
}

void filter_close(struct facet_filter *f)
{
    free(f->sources);
    f->sources = NULL;
}

static bool is_of_source(const struct facet_filter *f, const struct cell *c)
{
    return c->source / 64 < f->n_source_words && f->sources[c->source / 64] >> c->source % 64 & 1;
}

static bool is_enabled_as(int wanted, uint8_t enabled)
{
    static const uint8_t as_tri[] = {TRI_NO, TRI_YES, TRI_UNKNOWN};
    return wanted < 0 || (wanted <= 2 && as_tri[wanted] == enabled);
}

unsigned filter_misses(const struct facet_filter *f, const struct cell *c)
{
    const struct catalog_query *q = f->q;
    unsigned misses = 0;
    if (q->kinds && !(q->kinds & KIND_BIT(c->kind))) misses |= 1u << FACET_KIND;
    if (f->sources && !is_of_source(f, c)) misses |= 1u << FACET_SOURCE;
    if (!is_enabled_as(q->enabled, c->enabled)) misses |= 1u << FACET_ENABLED;
    if (q->admin >= 0 && q->admin != c->admin) misses |= 1u << FACET_ADMIN;
    if (f->mfa && !(f->mfa >> c->mfa & 1)) misses |= 1u << FACET_MFA;
    if (f->sign_in && !(f->sign_in >> c->sign_in & 1)) misses |= 1u << FACET_SIGN_IN;
    if ((c->tags & f->tags) != f->tags) misses |= 1u << FACET_TAG;
    if (c->deleted && !q->with_deleted) misses |= 1u << FACET_DELETED;
    return misses;
}
