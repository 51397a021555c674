#include "source/graph/graph_delta.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TENANT "5a3e0c1d-7b64-4f0e-9d1b-2c6f8a9b0c1d"

static void session(struct graph_session *s)
{
    *s = (struct graph_session){.kinds = KIND_BIT(KIND_user) | KIND_BIT(KIND_group), .links = json_object(), .tenant_id = TENANT};
}

static void fit(void **unused)
{
    static const struct {
        const char *mark, *unfit; /* NULL: it fits */
    } cases[] = {
        {"{\"tenant\":\"" TENANT "\",\"kinds\":K,\"links\":{}}", NULL},
        {"{\"tenant\":\"" TENANT "\",\"kinds\":K,\"links\":{\"user\":\"https://g/x\"},\"more\":1}", NULL},
        {"{\"tenant\":\"00000000-7b64-4f0e-9d1b-2c6f8a9b0c1d\",\"kinds\":K,\"links\":{}}", "another tenant"},
        {"{\"kinds\":K,\"links\":{}}", "another tenant"},
        {"{\"tenant\":7,\"kinds\":K,\"links\":{}}", "another tenant"},
        {"{}", "another tenant"},
        {"[]", "another tenant"},
        {"{\"tenant\":\"" TENANT "\",\"links\":{}}", "other kinds"},
        {"{\"tenant\":\"" TENANT "\",\"kinds\":\"K\",\"links\":{}}", "other kinds"},
        {"{\"tenant\":\"" TENANT "\",\"kinds\":1,\"links\":{}}", "other kinds"},
        {"{\"tenant\":\"" TENANT "\",\"kinds\":K,\"links\":[]}", "damaged"},
        {"{\"tenant\":\"" TENANT "\",\"kinds\":K}", "damaged"},
    };
    struct graph_session s;
    session(&s);
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct buf text = buf_new(1000);
        for (const char *c = cases[i].mark; *c; c++)
            if (c[0] == 'K' && c[-1] == ':')
                buf_printf(&text, "%llu", (unsigned long long)s.kinds);
            else
                buf_add_byte(&text, (uint8_t)*c);
        json_t *mark = json_loads(buf_cstr(&text), 0, NULL);
        const char *why = graph_watermark_unfit(&s, mark);
        if (!mark || !why != !cases[i].unfit || (why && !strstr(why, cases[i].unfit))) fail_msg("case %zu: %s", i, why ? why : "fits");
        json_decref(mark);
        buf_free(&text);
    }
    json_decref(s.links);
}

/* What is made fits the session that made it, and holds what the next run needs. */
static void made(void **unused)
{
    struct graph_session s;
    session(&s);
    json_object_set_new(s.links, "user", json_string("https://graph.example/v1.0/users/delta?$deltatoken=x"));
    json_t *mark = graph_watermark_make(&s, 1795000000000, 1794000000000);
    assert_non_null(mark);
    assert_null(graph_watermark_unfit(&s, mark));
    assert_int_equal(json_integer_value(json_object_get(mark, "reports_ms")), 1794000000000);
    assert_string_equal(json_string_value(json_object_get(mark, "methods_after")), "");
    assert_int_equal(json_object_size(json_object_get(mark, "links")), 1);
    assert_true(json_is_true(json_object_get(mark, "holds_losses")));
    /* created_since goes back by what two clocks may differ */
    assert_string_equal(json_string_value(json_object_get(mark, "since")), "2026-11-18T11:01:40Z");
    s.kinds |= KIND_BIT(KIND_device);
    assert_non_null(graph_watermark_unfit(&s, mark));
    json_decref(mark);
    json_decref(s.links);
}

/* A kind that was read with losses is listed again: no link leads past them. */
static void losses(void **unused)
{
    static const struct {
        enum graph_incremental mode;
        enum kind lost;
        size_t n_links;
        bool holds;
    } cases[] = {
        {GRAPH_DELTA, KIND_group, 1, true},
        {GRAPH_DELTA, KIND_device, 2, true}, /* has no link */
        {GRAPH_DELTA, KIND_NONE, 2, false},  /* who knows of which kind */
        {GRAPH_CREATED_SINCE, KIND_group, 1, false},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct graph_session s;
        session(&s);
        s.set.incremental = cases[i].mode;
        s.tally[cases[i].lost].has_loss = true;
        json_object_set_new(s.links, "user", json_string("https://graph.example/v1.0/users/delta?$deltatoken=x"));
        json_object_set_new(s.links, "group", json_string("https://graph.example/v1.0/groups/delta?$deltatoken=x"));
        json_t *mark = graph_watermark_make(&s, 1795000000000, 0);
        assert_int_equal(json_object_size(json_object_get(mark, "links")), cases[i].n_links);
        assert_non_null(json_object_get(json_object_get(mark, "links"), "user"));
        assert_int_equal(json_is_true(json_object_get(mark, "holds_losses")), cases[i].holds);
        assert_int_equal(json_object_size(s.links), 2);
        json_decref(mark);
        json_decref(s.links);
    }
}

static void ids(void **unused)
{
    struct graph_ids list = {0};
    uint8_t guid[GUID_SIZE] = {0};
    for (unsigned n = 0; n < 1000; n++) {
        memcpy(guid, &n, sizeof n);
        assert_true(graph_ids_add(&list, guid, n % 2));
    }
    for (unsigned n = 0; n < 1000; n++) { /* repeated and replayed: once removed is enough to ask whether he is there */
        memcpy(guid, &n, sizeof n);
        assert_false(graph_ids_add(&list, guid, n % 4 == 0));
    }
    assert_int_equal(list.n, 1000);
    for (unsigned n = 0; n < 1000; n++) {
        assert_memory_equal(list.list[n].guid, &n, sizeof n);
        assert_int_equal(list.list[n].is_removed, n % 2 || n % 4 == 0);
        assert_false(list.list[n].is_found);
    }
    graph_ids_free(&list);
    assert_int_equal(list.n, 0);
    graph_ids_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fit), cmocka_unit_test(made), cmocka_unit_test(losses), cmocka_unit_test(ids)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
