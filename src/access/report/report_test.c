#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "access/report/report_int.h"
#include "base/when.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#define CHAIN 5000u /* groups, each in the next; everybody is in the first */
#define DENSE 150u  /* groups that are all members of each other */
#define USERS 20u

struct made {
    char dir[64], path[96];
    struct store *store;
    struct store_run *run;
    struct buf members;
    uint32_t n_members;
};

static const uint8_t domain_sid[] = {1, 4, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0};

static void add_member(struct made *m, const char *prefix, unsigned n)
{
    char dn[64];
    snprintf(dn, sizeof dn, "CN=%s%05u,DC=x", prefix, n);
    buf_add_lstr(&m->members, bytes_of(str_from(dn)));
    m->n_members++;
}

/* With the members added since the last one. */
static void put(struct made *m, enum kind kind, const char *prefix, unsigned n)
{
    struct err e;
    char dn[64], name[32];
    uint8_t sid[28];
    uint32_t rid = 2000 + n + (kind == KIND_user ? 500000 : prefix[0] == 'd' ? 100000 : 0);
    struct buf state = buf_new(4096), v = buf_new(4096);
    struct record r = {.kind = kind};
    snprintf(dn, sizeof dn, "CN=%s%05u,DC=x", prefix, n);
    snprintf(name, sizeof name, "%s%05u", prefix, n);
    memcpy(r.guid, &rid, sizeof rid);
    r.guid[15] = (uint8_t)kind;
    memcpy(sid, domain_sid, sizeof domain_sid);
    sid[1] = 5;
    memcpy(sid + 24, &rid, 4);
    body_value_bytes(&v, bytes_of(str_from(name)));
    body_add(&state, ATTR_SAM_ACCOUNT_NAME, 1, buf_bytes(&v));
    buf_clear(&v);
    body_value_int(&v, kind == KIND_user ? 0x200 : -2147483646);
    body_add(&state, kind == KIND_user ? ATTR_USER_ACCOUNT_CONTROL : ATTR_GROUP_TYPE, 1, buf_bytes(&v));
    r.sid = (struct bytes){sid, sizeof sid};
    r.dn = str_from(dn);
    r.state = buf_bytes(&state);
    r.member = (struct dn_list){m->n_members, buf_bytes(&m->members)};
    assert_int_equal(store_run_put(m->run, &r, &e), 0);
    buf_free(&state);
    buf_free(&v);
    buf_clear(&m->members);
    m->n_members = 0;
}

static void begin(struct made *m)
{
    struct err e;
    struct run_start start = {.connector = STR("corp"), .source = STR("active_directory"), .mode = STR("full"), .started_ms = when_now_ms()};
    struct domain_info domain = {.dns_name = STR("x"), .base = STR("DC=x"), .sid = {domain_sid, sizeof domain_sid}};
    *m = (struct made){.members = buf_new((size_t)64 << 20)};
    snprintf(m->dir, sizeof m->dir, "/tmp/rollcall-report-XXXXXX");
    assert_non_null(mkdtemp(m->dir));
    snprintf(m->path, sizeof m->path, "sqlite:%s/x.db", m->dir);
    assert_int_equal(store_open(&m->store, str_from(m->path), &e), 0);
    assert_int_equal(store_run_begin(&m->run, m->store, &start, &e), 0);
    assert_int_equal(store_run_domain(m->run, &domain, &e), 0);
}

static void finish(struct made *m)
{
    struct err e;
    struct run_end end = {.ended_ms = when_now_ms()};
    struct run_result result;
    assert_int_equal(store_run_kind_done(m->run, KIND_group, true, CHAIN + DENSE + 1, &e), 0);
    assert_int_equal(store_run_kind_done(m->run, KIND_user, true, USERS, &e), 0);
    assert_int_equal(store_run_end(m->run, &end, &result, &e), 0);
}

static void drop(struct made *m)
{
    store_close(m->store);
    DIR *d = opendir(m->dir);
    assert_non_null(d);
    for (struct dirent *f; (f = readdir(d));)
        if (f->d_name[0] != '.') assert_int_equal(unlinkat(dirfd(d), f->d_name, 0), 0);
    closedir(d);
    assert_int_equal(rmdir(m->dir), 0);
    buf_free(&m->members);
}

static void make(struct made *m)
{
    begin(m);
    for (unsigned i = 0; i < USERS; i++) put(m, KIND_user, "u", i);
    for (unsigned i = 0; i < USERS; i++) add_member(m, "u", i);
    put(m, KIND_group, "c", 0);
    for (unsigned i = 1; i < CHAIN; i++) {
        add_member(m, "c", i - 1);
        put(m, KIND_group, "c", i);
    }
    for (unsigned i = 0; i < DENSE; i++) {
        for (unsigned k = 0; k < DENSE; k++)
            if (k != i) add_member(m, "d", k);
        if (i == 0) add_member(m, "u", 0);
        put(m, KIND_group, "d", i);
    }
    add_member(m, "nobody", 1);
    put(m, KIND_group, "lost", 99999);
    finish(m);
}

struct seen {
    uint64_t n;
    char first[64], last[64], detail[200];
};

static int see(void *ctx, const struct report_row *row, struct err *e)
{
    struct seen *s = ctx;
    (void)e;
    assert_true(row->uid.len == 36 && str_equal(row->connector, STR("corp")));
    if (!s->n++) snprintf(s->first, sizeof s->first, "%.*s", STR_FMT(row->name));
    snprintf(s->last, sizeof s->last, "%.*s", STR_FMT(row->name));
    snprintf(s->detail, sizeof s->detail, "%.*s", STR_FMT(row->detail));
    return 0;
}

static struct seen rows_of(struct report *r, enum rule rule)
{
    struct seen s = {0};
    struct err e;
    assert_int_equal(report_rows(r, rule, see, &s, &e), 0);
    assert_int_equal(s.n, report_result(r, rule)->n_rows);
    return s;
}

static struct report *ran(struct made *m, uint64_t limit)
{
    struct report *r;
    struct err e;
    struct report_options o = {.store = m->store, .limit = limit};
    assert_int_equal(report_open(&r, &o, &e), 0);
    report_choose_all(r);
    if (report_run(r, &e) < 0) fail_msg("%s", e.message);
    return r;
}

/* Chains and circles end, and in time: each group is looked at once, and nobody is counted again for each level above. */
static void nesting_ends(void **state)
{
    struct made m;
    (void)state;
    make(&m);
    int64_t began = when_monotonic_ms();
    struct report *r = ran(&m, 0);
    print_message("%u groups in a chain, %u in a circle: %lld ms\n", CHAIN, DENSE, (long long)(when_monotonic_ms() - began));
    struct seen circle = rows_of(r, RULE_GROUP_03), all = rows_of(r, RULE_GROUP_04), lost = rows_of(r, RULE_GROUP_12);
    assert_int_equal(circle.n, DENSE);
    assert_string_equal(circle.first, "d00000");
    assert_string_equal(circle.last, "d00149");
    assert_true(strncmp(circle.detail, "a circle of 150 groups: d", 25) == 0);
    assert_int_equal(all.n, CHAIN);
    assert_string_equal(all.detail, "20 of 20 users");
    assert_int_equal(rows_of(r, RULE_GROUP_05).n, 0);
    assert_int_equal(lost.n, 1);
    assert_string_equal(lost.detail, "1 of 1: CN=nobody00001,DC=x");
    assert_int_equal(rows_of(r, RULE_GROUP_01).n, 0); /* whoever does not resolve is somebody */
    assert_int_equal(rows_of(r, RULE_ACC_36).n, USERS);
    report_close(r);
    drop(&m);
}

static void a_limit_keeps_rows_and_counts_all(void **state)
{
    struct made m;
    (void)state;
    make(&m);
    struct report *r = ran(&m, 7);
    assert_int_equal(report_result(r, RULE_GROUP_04)->count, CHAIN);
    assert_int_equal(rows_of(r, RULE_GROUP_04).n, 7);
    assert_non_null(report_result(r, RULE_ENTRA_01)->not_applicable);
    assert_non_null(report_result(r, RULE_ACC_02)->not_applicable);
    report_close(r);
    drop(&m);
}

static void what_cannot_be_told_is_refused(void **state)
{
    struct made m;
    struct report *r;
    struct err e;
    (void)state;
    make(&m);
    struct report_options o = {.store = m.store};
    assert_int_equal(report_open(&r, &o, &e), 0);
    assert_int_equal(report_choose(r, STR("acc_01"), &e), 0);
    assert_int_equal(report_choose(r, STR("ACC_03"), &e), ERR_INPUT);
    assert_non_null(strstr(e.message, "HR"));
    assert_int_equal(report_choose(r, STR("GRUOP_01"), &e), ERR_INPUT);
    assert_non_null(strstr(e.hint, "GROUP_01"));
    assert_true(report_result(r, RULE_ACC_01)->is_chosen && !report_result(r, RULE_ACC_04)->is_chosen);
    report_close(r);
    o.connector = STR("crop");
    assert_int_equal(report_open(&r, &o, &e), ERR_NOTFOUND);
    drop(&m);
}

static void an_empty_store_is_refused(void **state)
{
    struct made m;
    struct report *r;
    struct err e;
    (void)state;
    begin(&m);
    err_set(&e, ERR_NET, "it broke");
    store_run_abort(m.run, &e, when_now_ms());
    struct report_options o = {.store = m.store};
    assert_int_equal(report_open(&r, &o, &e), ERR_NOTFOUND);
    drop(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nesting_ends), cmocka_unit_test(a_limit_keeps_rows_and_counts_all),
                                       cmocka_unit_test(what_cannot_be_told_is_refused), cmocka_unit_test(an_empty_store_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
