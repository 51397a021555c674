/* sets_compare.c - the sets of a real store against the check, one principal at a time.
 *
 *     access-sets-compare sqlite:STORE PAIRS
 * Asks every way there is (kept sets, rights put together when asked, both rules, groups as principals) and
 * compares with access_check and world_token; then writes the sets, maps them and asks again. Prints TAP.
 */
#include "access/sets/sets_int.h"
#include "model/testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct comparing {
    const struct world *w;
    struct sets *s;
    struct world_token token;
    uint64_t dice, n, n_allowed, n_wrong;
};

static bool truth(struct comparing *c, uint32_t principal, uint32_t object, const struct right *r,
                  enum access_rule rule)
{
    const struct world *w = c->w;
    const struct object *o = &w->objects[object];
    struct access_object what = {.schema = w->connectors[o->connector].schema, .class = o->class};
    struct access_token token;
    struct access_verdict v;
    struct err e;
    if (o->descriptor != NOBODY && !w->descriptors[o->descriptor].is_malformed)
        what.sd = &w->descriptors[o->descriptor].sd;
    if (o->principal != NOBODY) what.sid = w->principals[o->principal].sid;
    if (world_token(&c->token, w, principal, o->connector, &e) < 0) exit(1);
    world_token_open(&token, &c->token, w);
    access_check(&v, &what, &token, r, rule);
    return v.is_allowed;
}

/* A right of the object's own cells, or any that is known. */
static struct right some_right(struct comparing *c, uint32_t object)
{
    const struct sets *s = c->s;
    const struct variant *v = s->variant_of[object] == NOBODY ? NULL : &s->variants[s->variant_of[object]];
    if (!v || !test_below(&c->dice, 4)) return s->rights[test_below(&c->dice, s->n_rights)];
    return s->rights[s->cells[v->first_cell + test_below(&c->dice, v->n_cells)].right];
}

static void wrong(struct comparing *c, const char *how, uint32_t principal, uint32_t object,
                  const struct right *r)
{
    if (c->n_wrong++ < 5)
        printf("# %s: principal %u, object %u, right 0x%x typed %d\n", how, principal, object, r->bit,
               r->is_typed);
}

static void compare_one(struct comparing *c)
{
    uint32_t principal = test_below(&c->dice, c->w->n_principals),
             object = test_below(&c->dice, c->w->n_objects);
    struct right r = some_right(c, object);
    enum access_rule rule = test_below(&c->dice, 4) ? ACCESS_WINDOWS : ACCESS_DENY_WINS;
    bool is = truth(c, principal, object, &r, rule);
    if (sets_can(c->s, principal, object, &r, rule) != is) wrong(c, "can", principal, object, &r);
    c->n++;
    c->n_allowed += is;
}

/* Everybody on one object. */
static void compare_who(struct comparing *c)
{
    uint32_t object = test_below(&c->dice, c->w->n_objects), next = NOBODY;
    struct right r = some_right(c, object);
    struct sets_who who;
    sets_who_can(&who, c->s, object, &r, ACCESS_WINDOWS);
    bool more = sets_next(&who, &next);
    uint64_t n = 0;
    for (uint32_t p = 0; p < c->w->n_principals; p++) {
        if (!c->w->principals[p].is_account) continue;
        bool told = more && next == p, is = truth(c, p, object, &r, ACCESS_WINDOWS);
        if (told != is) wrong(c, "who", p, object, &r);
        if (told) more = sets_next(&who, &next);
        n += is;
        c->n++;
    }
    if (n != who.count || n != sets_count(c->s, object, &r, ACCESS_WINDOWS))
        wrong(c, "count", NOBODY, object, &r);
    sets_close(&who);
}

static void compare_all(struct comparing *c, uint64_t n, const char *what)
{
    static unsigned number;
    c->n = c->n_allowed = c->n_wrong = 0;
    for (unsigned i = 0; i < 200; i++) compare_who(c);
    while (c->n < n) compare_one(c);
    printf("%s %u - %s: %llu (principal, object, right), %llu differ\n", c->n_wrong ? "not ok" : "ok",
           ++number, what, (unsigned long long)c->n, (unsigned long long)c->n_wrong);
}

int main(int argc, char **argv)
{
    struct comparing c = {.dice = 271828};
    struct store *store;
    struct world *w;
    struct err e;
    char file[64];
    if (argc < 3) return 2;
    if (store_open(&store, str_from(argv[1]), &e) < 0 || world_read(&w, store, STR(""), &e) < 0 ||
        sets_build(&c.s, w, &e) < 0) {
        fprintf(stderr, "%s\n", e.message);
        return 1;
    }
    c.w = w;
    printf("# %u principals, %u objects, %u descriptors, %u sets\n", w->n_principals, w->n_objects,
           w->n_descriptors, c.s->n_sets);
    uint64_t n = strtoull(argv[2], NULL, 10);
    compare_all(&c, n, "built");
    (void)snprintf(file, sizeof file, "/tmp/rollcall-sets-%ld", (long)getpid());
    int rc = sets_write(c.s, file, &e);
    sets_free(c.s);
    if (rc < 0 || sets_open(&c.s, w, file, &e) < 0) {
        printf("not ok 2 - %s\n1..2\n", e.message);
        return 1;
    }
    compare_all(&c, n / 4, "mapped");
    printf("1..2\n");
    unlink(file);
    sets_free(c.s);
    world_token_free(&c.token);
    world_free(w);
    store_close(store);
    return 0;
}
