#include "api/catalog_pool.h"

#include "base/when.h"

#include <pthread.h>

#define KEEP    4
#define IDLE_MS 10000 /* a handle keeps some MiB of pages */

/* One catalog a process, as one store. */
static struct {
    pthread_mutex_t lock;
    struct {
        struct catalog *catalog;
        int64_t since_ms;
    } idle[KEEP];
    size_t n;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct catalog *take_idle(const char *path)
{
    struct catalog *c = NULL;
    pthread_mutex_lock(&pool.lock);
    for (size_t i = pool.n; i-- > 0 && !c;) {
        if (strcmp(catalog_path(pool.idle[i].catalog), path) != 0) continue;
        c = pool.idle[i].catalog;
        pool.idle[i] = pool.idle[--pool.n];
    }
    pthread_mutex_unlock(&pool.lock);
    return c;
}

int catalog_lend(struct request *q, struct catalog **out, struct err *e)
{
    *out = take_idle(q->app->catalog_path);
    if (*out) return 0;
    int rc = catalog_open(out, q->app->catalog_path, e);
    if (rc == ERR_NOTFOUND) err_hint(e, "create a connector and sync it: the list is made at the end of its first run");
    return rc;
}

void catalog_return(struct catalog *c)
{
    struct catalog *old[KEEP + 1];
    size_t n_old = 0, n = 0;
    int64_t now = when_monotonic_ms();
    pthread_mutex_lock(&pool.lock);
    for (size_t i = 0; i < pool.n; i++) {
        if (now - pool.idle[i].since_ms > IDLE_MS)
            old[n_old++] = pool.idle[i].catalog;
        else
            pool.idle[n++] = pool.idle[i];
    }
    pool.n = n;
    if (pool.n < KEEP) {
        pool.idle[pool.n].catalog = c;
        pool.idle[pool.n++].since_ms = now;
    } else {
        old[n_old++] = c;
    }
    pthread_mutex_unlock(&pool.lock);
    for (size_t i = 0; i < n_old; i++) catalog_close(old[i]);
}

/* --- filters ------------------------------------------------------------------------------------------------ */

static struct str param(struct request *q, const char *name)
{
    const char *v = request_query(q, name);
    return v ? str_from(v) : (struct str){"", 0};
}

static int read_word(struct str value, const char *name, const char *const *words, int *out, struct err *e)
{
    *out = -1;
    if (!value.len) return 0;
    for (int i = 0; words[i]; i++)
        if (str_equal(value, str_from(words[i]))) *out = i;
    if (*out >= 0) return 0;
    err_set(e, ERR_INPUT, "%s: \"%.*s\" is none of its values", name, STR_FMT(value));
    return err_hint(e, "yes or no%s", words[2] ? ", or unknown" : "");
}

/* Words between commas. */
static int read_list(struct str value, const char *name, struct str *list, size_t max, size_t *n, struct err *e)
{
    while (value.len) {
        size_t comma = str_index(value, ',');
        struct str one = str_trim((struct str){value.ptr, comma});
        if (one.len && *n == max) return err_set(e, ERR_INPUT, "%s: at most %zu at once", name, max);
        if (one.len) list[(*n)++] = one;
        comma += comma < value.len;
        value = (struct str){value.ptr + comma, value.len - comma};
    }
    return 0;
}

int asset_query(struct request *q, struct catalog_query *out, struct err *e)
{
    static const char *const words[] = {"no", "yes", "unknown", NULL}, *const yes_no[] = {"no", "yes", NULL};
    struct str kinds = param(q, "kind"), bad;
    int deleted;
    *out = (struct catalog_query){.mfa = param(q, "mfa"), .sign_in = param(q, "sign_in"), .search = param(q, "q"), .sort = param(q, "sort"), .after = param(q, "after")};
    if (kinds.len && !kind_set_parse(&out->kinds, kinds, &bad)) return err_set(e, ERR_INPUT, "kind: there is no kind \"%.*s\"", STR_FMT(bad));
    try(read_word(param(q, "enabled"), "enabled", words, &out->enabled, e));
    try(read_word(param(q, "admin"), "admin", yes_no, &out->admin, e));
    try(read_word(param(q, "deleted"), "deleted", yes_no, &deleted, e));
    out->with_deleted = deleted == 1;
    try(read_list(param(q, "source"), "source", out->source, n_elements(out->source), &out->n_sources, e));
    try(read_list(param(q, "tag"), "tag", out->tags, n_elements(out->tags), &out->n_tags, e));
    return request_number(q, "limit", 1, 1000, 50, &out->limit, e);
}

/* --- one asset ------------------------------------------------------------------------------------------------ */

struct getting {
    struct request *q;
    struct store *store;
    int (*tell)(struct request *, struct store *, const struct entity *, void *, struct err *);
    void *ctx;
    struct err *e;
    int rc;
};

static void found(void *ctx, const struct entity *x)
{
    struct getting *g = ctx;
    g->rc = g->tell(g->q, g->store, x, g->ctx, g->e);
}

int asset_get(struct request *q, int (*tell)(struct request *q, struct store *s, const struct entity *x, void *ctx, struct err *e), void *ctx, struct err *e)
{
    struct getting g = {.q = q, .tell = tell, .ctx = ctx, .e = e};
    uint8_t guid[GUID_SIZE];
    if (!guid_parse(guid, str_from(q->captured[1]))) return err_set(e, ERR_NOTFOUND, "%s/%.64s: no such asset", q->captured[0], q->captured[1]);
    try(request_store(q, &g.store, e));
    try(store_entity_find(g.store, str_from(q->captured[0]), str_from(q->captured[1]), true, found, &g, e));
    return g.rc;
}
