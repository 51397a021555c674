#include "source/graph/graph_join.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define OK(call) do { if ((call) < 0) fail_msg("%s: %s", #call, e_.message); } while (0)
static struct err e_;

/* Number n of a directory; its last byte, by which it is put into a part, runs through all values. */
static void guid_of(uint8_t guid[GUID_SIZE], unsigned n)
{
    memset(guid, 7, GUID_SIZE);
    memcpy(guid, &n, sizeof n);
    guid[GUID_SIZE - 1] = (uint8_t)n;
}

static unsigned number_of(const uint8_t guid[GUID_SIZE])
{
    unsigned n;
    memcpy(&n, guid, sizeof n);
    return n;
}

static void add_text(struct buf *body, enum attr id, const char *text)
{
    struct buf values = buf_new(1 << 20);
    body_value_bytes(&values, bytes_of(str_from(text)));
    body_add(body, id, 1, buf_bytes(&values));
    buf_free(&values);
}

static void put(struct graph_join *j, unsigned n, const char *name)
{
    struct buf state = buf_new(1 << 20);
    struct record r = {.kind = KIND_user};
    add_text(&state, ATTR_DISPLAY_NAME, name);
    guid_of(r.guid, n);
    r.state = buf_bytes(&state);
    OK(graph_join_put(j, &r, &e_));
    buf_free(&state);
}

static void put_facet(struct graph_join *j, unsigned facet, unsigned n, enum attr id, const char *text)
{
    uint8_t guid[GUID_SIZE];
    struct buf state = buf_new(1 << 20);
    add_text(&state, id, text);
    guid_of(guid, n);
    OK(graph_join_facet(j, facet, guid, buf_bytes(&state), (struct bytes){0}, &e_));
    buf_free(&state);
}

/* What comes out, a line each: "3 Eve report 1". */
struct told {
    struct buf text;
    unsigned *order;
    size_t n;
};

static int take(void *ctx, struct record *r, unsigned facets, struct err *e)
{
    struct told *t = ctx;
    struct record_index x;
    struct str name = {"-", 1}, source = {"-", 1};
    if (record_index(&x, r, e) < 0) return (int)e->class;
    record_str(&x, ATTR_DISPLAY_NAME, &name);
    record_str(&x, ATTR_MFA_SOURCE, &source);
    buf_printf(&t->text, "%u %.*s %.*s %x\n", number_of(r->guid), STR_FMT(name), STR_FMT(source), facets);
    if (t->order) t->order[t->n] = number_of(r->guid);
    t->n++;
    return 0;
}

static void expect(struct graph_join *j, const char *lines)
{
    struct told t = {.text = buf_new(1 << 20)};
    uint64_t n;
    OK(graph_join_each(j, take, &t, &n, &e_));
    assert_string_equal(buf_cstr(&t.text), lines);
    assert_int_equal(n, t.n);
    buf_free(&t.text);
}

static void what_belongs_together(void **unused)
{
    struct graph_join *j = graph_join_new();
    expect(j, "");
    put_facet(j, 0, 3, ATTR_MFA_SOURCE, "report"); /* before its entity */
    put(j, 1, "Ann");
    put(j, 3, "Eve");
    put_facet(j, 2, 1, ATTR_JOB_TITLE, "CEO");
    put_facet(j, 0, 9, ATTR_MFA_SOURCE, "report"); /* of nobody */
    expect(j, "1 Ann - 4\n3 Eve report 1\n");
    put_facet(j, 0, 3, ATTR_MFA_SOURCE, "methods"); /* the later of two counts */
    put(j, 1, "Again");                             /* listed twice: the first one is told, once */
    expect(j, "1 Ann - 4\n3 Eve methods 1\n");
    expect(j, "1 Ann - 4\n3 Eve methods 1\n"); /* reading leaves it as it is */
    graph_join_free(j);
}

static void a_restart_forgets_its_own_only(void **unused)
{
    struct graph_join *j = graph_join_new();
    put(j, 1, "Old");
    put_facet(j, 0, 1, ATTR_MFA_SOURCE, "report");
    put_facet(j, 1, 1, ATTR_MFA_SOURCE, "methods");
    OK(graph_join_forget(j, &e_));
    expect(j, "");
    put(j, 1, "New");
    expect(j, "1 New report 3\n");
    OK(graph_join_forget_facet(j, 0, &e_));
    expect(j, "1 New methods 2\n");
    put_facet(j, 0, 1, ATTR_MFA_SOURCE, "again");
    expect(j, "1 New again 3\n");
    graph_join_free(j);
}

/* More than a chunk of each part, and more than a tape keeps in memory; a restart in the midst of it. */
static void many(void **unused)
{
    enum { N = 30000 };
    struct graph_join *j = graph_join_new();
    char name[400];
    memset(name, 'x', sizeof name);
    for (unsigned n = 0; n < N / 2; n++) put(j, n, "forgotten");
    OK(graph_join_forget(j, &e_));
    for (unsigned n = 0; n < N; n++) {
        snprintf(name, sizeof name, "%u %300d", n, 0);
        if (n % 3 == 0) put_facet(j, 0, n, ATTR_MFA_SOURCE, n % 2 ? "report" : "methods");
        put(j, n, name);
        if (n % 5 == 0) put(j, n, "twice");
    }
    unsigned *order = calloc(N, sizeof *order), *again = calloc(N, sizeof *again);
    struct told t = {.text = buf_new((size_t)64 << 20), .order = order}, u = {.text = buf_new((size_t)64 << 20), .order = again};
    uint64_t n_told;
    OK(graph_join_each(j, take, &t, &n_told, &e_));
    assert_int_equal(n_told, N);
    const char *line = buf_cstr(&t.text);
    for (size_t i = 0; i < N; i++, line = strchr(line, '\n') + 1) {
        char *end;
        unsigned n = (unsigned)strtoul(line, &end, 10);
        assert_int_equal(n, order[i]);
        assert_int_equal(strtoul(end, NULL, 10), n); /* its own name */
        const char *last = strchr(line, '\n') - 1;
        assert_int_equal(*last, n % 3 ? '0' : '1');
    }
    OK(graph_join_each(j, take, &u, &n_told, &e_));
    assert_memory_equal(order, again, N * sizeof *order); /* the same order, each time */
    free(order);
    free(again);
    buf_free(&t.text);
    buf_free(&u.text);
    graph_join_free(j);
}

static int take_id(void *ctx, const uint8_t guid[GUID_SIZE], struct err *e)
{
    buf_printf(ctx, "%u ", number_of(guid));
    return 0;
}

static void who_lacks(void **unused)
{
    static const struct {
        unsigned facets;
        const char *who;
    } cases[] = {{1, "2 3 "}, {2, "1 3 "}, {3, "3 "}, {4, "1 2 3 "}, {0, "1 2 3 "}};
    struct graph_join *j = graph_join_new();
    for (unsigned n = 1; n <= 3; n++) put(j, n, "x");
    put_facet(j, 0, 1, ATTR_MFA_SOURCE, "report");
    put_facet(j, 1, 2, ATTR_MFA_SOURCE, "methods");
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf out = buf_new(1000);
        OK(graph_join_lacking(j, cases[i].facets, take_id, &out, &e_));
        assert_string_equal(buf_cstr(&out), cases[i].who);
        buf_free(&out);
    }
    graph_join_free(j);
}

static int stop(void *ctx, struct record *r, unsigned facets, struct err *e)
{
    return ++*(unsigned *)ctx == 2 ? err_set(e, ERR_CANCEL, "enough") : 0;
}

static void an_error_of_the_reader_ends_it(void **unused)
{
    struct graph_join *j = graph_join_new();
    unsigned n_calls = 0;
    uint64_t n;
    for (unsigned i = 1; i <= 5; i++) put(j, i, "x");
    assert_int_equal(graph_join_each(j, stop, &n_calls, &n, &e_), ERR_CANCEL);
    assert_int_equal(n_calls, 2);
    graph_join_free(j);
}

/* What one entity is told of must fit; a body that was cut would be another one. */
static void too_much_of_one(void **unused)
{
    struct graph_join *j = graph_join_new();
    struct buf big = buf_new((size_t)32 << 20), values = buf_new((size_t)32 << 20);
    uint8_t guid[GUID_SIZE];
    struct told t = {.text = buf_new(100)};
    uint64_t n;
    uint8_t *to = buf_reserve(&big, (size_t)17 << 20);
    memset(to, 'x', (size_t)17 << 20);
    buf_advance(&big, (size_t)17 << 20);
    body_value_bytes(&values, buf_bytes(&big));
    buf_clear(&big);
    body_add(&big, ATTR_MFA_SOURCE, 1, buf_bytes(&values));
    put(j, 1, "x");
    guid_of(guid, 1);
    OK(graph_join_facet(j, 0, guid, buf_bytes(&big), (struct bytes){0}, &e_));
    assert_int_equal(graph_join_each(j, take, &t, &n, &e_), ERR_LIMIT);
    buf_free(&big);
    buf_free(&values);
    buf_free(&t.text);
    graph_join_free(j);
}

/* --- bodies --------------------------------------------------------------------------------------------------- */

/* "5=a 9=b": number=text. */
static void add_words(struct buf *body, const char *words)
{
    while (*words) {
        char text[40];
        unsigned id;
        int used = 0;
        assert_int_equal(sscanf(words, "%u=%39[^ ] %n", &id, text, &used), 2);
        if (id == ATTR_CUSTOM) {
            struct buf values = buf_new(100);
            body_value_bytes(&values, bytes_of(str_from(text)));
            body_add_custom(body, str_from(text), ATTR_STRING, 1, buf_bytes(&values));
            buf_free(&values);
        } else {
            add_text(body, (enum attr)id, text);
        }
        words += used ? (size_t)used : strlen(words);
    }
}

static const struct {
    const char *a, *b, *c, *joined;
} bodies[] = {
    {"", "", "", ""},
    {"5=a 9=b", "", "", "5=a 9=b"},
    {"", "5=a", "9=b", "5=a 9=b"},
    {"9=c", "5=a", "7=b", "5=a 7=b 9=c"},
    {"5=a 249=own 300=x", "6=b 250=y", "248=z 301=w", "5=a 6=b 248=z 249=own 250=y 300=x 301=w"},
    {"5=first", "5=second", "5=third", "5=first"},
    {"9=x", "5=second 9=y", "5=third", "5=second 9=x"},
    {"5=a 500=p 500=q", "500=r", "9=b", "5=a 9=b 500=p 500=q 500=r"},
};

static void bodies_join(void **unused)
{
    for (size_t i = 0; i < n_elements(bodies); i++) {
        struct buf parts[3], out = buf_new(10000), wanted = buf_new(10000);
        const char *words[] = {bodies[i].a, bodies[i].b, bodies[i].c};
        for (size_t k = 0; k < 3; k++) {
            parts[k] = buf_new(10000);
            add_words(&parts[k], words[k]);
        }
        add_words(&wanted, bodies[i].joined);
        graph_bodies_join(&out, (struct bytes[]){buf_bytes(&parts[0]), buf_bytes(&parts[1]), buf_bytes(&parts[2])}, 3);
        if (!bytes_equal(buf_bytes(&out), buf_bytes(&wanted))) fail_msg("case %zu: not %s", i, bodies[i].joined);
        for (size_t k = 0; k < 3; k++) buf_free(&parts[k]);
        buf_free(&out);
        buf_free(&wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_belongs_together), cmocka_unit_test(a_restart_forgets_its_own_only), cmocka_unit_test(many),
                                       cmocka_unit_test(who_lacks), cmocka_unit_test(an_error_of_the_reader_ends_it), cmocka_unit_test(too_much_of_one),
                                       cmocka_unit_test(bodies_join)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
