/* Kills, full disks and company: whatever happens, what is visible is a whole run, and the next run is as if
 * nothing had. */
#include "store/fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* --- a directory with a history --------------------------------------------------------------- */

enum { USERS = 300, GROUPS = 30, MOMENTS = 4 };

static uint32_t mixed(uint32_t a, uint32_t b, uint32_t c)
{
    uint64_t v = ((uint64_t)a << 40 ^ (uint64_t)b << 20 ^ c) * UINT64_C(0x9e3779b97f4a7c15);
    v = (v ^ v >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return (uint32_t)(v >> 32);
}

static void user_dn(char *out, size_t size, unsigned u, unsigned moment)
{
    unsigned moved = moment && mixed(3, u, moment) % 10 == 0 ? moment : 0; /* some move, and come back */
    snprintf(out, size, "CN=u%u,OU=ou%u,DC=corp,DC=example", u, moved);
}

static bool is_there(unsigned u, unsigned moment)
{
    return mixed(1, u, moment) % 20 != 0;
}

static void put_group(struct store_run *r, unsigned g, unsigned moment)
{
    static char dn[USERS][64];
    static const char *members[USERS + 1];
    char own[64], sam[16], title[16];
    unsigned n = 0;
    for (unsigned u = 0; u < USERS; u++) {
        if (!is_there(u, moment) || mixed(g + 10, u, mixed(2, u, moment) % 8 ? 0 : moment) % 6) continue;
        user_dn(dn[u], sizeof dn[u], u, moment);
        members[n++] = dn[u];
    }
    members[n] = NULL;
    snprintf(own, sizeof own, "CN=g%u,DC=corp,DC=example", g);
    snprintf(sam, sizeof sam, "g%u", g);
    snprintf(title, sizeof title, "%u", g % 7 == 0 ? moment : 0);
    struct someone who = {
        .kind = KIND_group, .id = 5000 + g, .rid = 5000 + g, .dn = own, .sam = sam, .title = title};
    if (g % 3) {
        who.members = members;
        run_put_one(r, &who);
        return;
    }
    who.flags = RECORD_MORE_MEMBERS;
    run_put_one(r, &who);
    run_put_members(r, members, false);
}

static void put_user(struct store_run *r, unsigned u, unsigned moment)
{
    char dn[64], sam[16], title[16];
    user_dn(dn, sizeof dn, u, moment);
    snprintf(sam, sizeof sam, "u%u", u);
    snprintf(title, sizeof title, "%u", mixed(4, u, moment) % 5 ? 0 : moment);
    run_put_one(r, &(struct someone){.kind = KIND_user,
                                     .id = 1 + u,
                                     .rid = 1000 + u,
                                     .dn = dn,
                                     .sam = sam,
                                     .title = title,
                                     .logons = mixed(5, u, moment) % 3,
                                     .primary = 5000 + mixed(6, u, u % 50 ? 0 : moment) % 2});
}

static struct run_result sync_moment(struct store *s, const char *connector, unsigned moment)
{
    struct store_run *r = run_start(s, connector, 1000 * (moment + 1));
    for (unsigned g = 0; g < GROUPS; g++) put_group(r, g, moment);
    for (unsigned u = 0; u < USERS; u++)
        if (is_there(u, moment)) put_user(r, u, moment);
    run_done_all(r);
    return run_finish(r, 1000 * (moment + 1) + 1);
}

/* --- what a store shows, and should show ------------------------------------------------------ */

struct shown {
    unsigned n_runs; /* visible ones */
    int64_t ids[64];
    char *entities;
    struct buf changes; /* of each visible run, in order */
};

static bool note_run(void *ctx, const struct run_row *row)
{
    struct shown *s = ctx;
    if (row->status == RUN_FAILED || row->status == RUN_RUNNING) return true;
    assert_true(s->n_runs < n_elements(s->ids));
    s->ids[s->n_runs++] = row->id;
    return true;
}

static struct shown show(struct store *store, const char *connector)
{
    struct shown s = {.changes = buf_new((size_t)1 << 28)};
    struct err e;
    int rc = store_runs(store, str_from(connector), 0, note_run, &s, &e);
    if (rc < 0 && rc != ERR_NOTFOUND) fail_msg("%s", e.message);
    s.entities = entities_text(store, connector);
    for (unsigned i = s.n_runs; i-- > 0;) { /* newest come first */
        char *text = changes_text(store, s.ids[i]);
        buf_printf(&s.changes, "--- %u\n%s\n", s.n_runs - 1 - i, text);
        free(text);
    }
    return s;
}

static void shown_free(struct shown *s)
{
    free(s->entities);
    buf_free(&s->changes);
}

static void assert_same(struct shown *actual, struct shown *expected)
{
    assert_int_equal(actual->n_runs, expected->n_runs);
    assert_string_equal(actual->entities, expected->entities);
    assert_string_equal(buf_cstr(&actual->changes), buf_cstr(&expected->changes));
}

/* What is visible after the first n moments, in a store where nothing ever went wrong. */
static struct shown clean[MOMENTS + 1];
static double seconds_of_all;

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int make_clean(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    for (unsigned m = 0; m <= MOMENTS; m++) {
        clean[m] = show(f.store, "corp");
        double start = now_s();
        if (m < MOMENTS) sync_moment(f.store, "corp", m);
        seconds_of_all += now_s() - start;
    }
    fixture_close(&f);
    return 0;
}

static int free_clean(void **state)
{
    (void)state;
    for (unsigned m = 0; m <= MOMENTS; m++) shown_free(&clean[m]);
    return 0;
}

/* --- kills ------------------------------------------------------------------------------------ */

static void sync_the_rest(const struct fixture *f)
{
    struct store *s = fixture_another(f);
    struct shown now = show(s, "corp");
    for (unsigned m = now.n_runs; m < MOMENTS; m++) sync_moment(s, "corp", m);
    shown_free(&now);
    store_close(s);
}

static void kill_after(const struct fixture *f, double seconds)
{
    pid_t pid = fork();
    if (pid == 0) {
        sync_the_rest(f);
        _exit(0);
    }
    assert_true(pid > 0);
    struct timespec wait = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&wait, NULL);
    kill(pid, SIGKILL);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
}

static void test_kill_anywhere(void **state)
{
    (void)state;
    const char *wanted = getenv("ROLLCALL_KILLS");
    unsigned n = wanted ? (unsigned)strtoul(wanted, NULL, 10) : 20;
    unsigned at[MOMENTS + 1] = {0};
    unsigned seed = (unsigned)getpid();
    print_message("# seed %u\n", seed);
    for (unsigned i = 0; i < n; i++) {
        struct fixture f;
        fixture_open(&f);
        store_close(f.store);
        for (unsigned k = 0; k < 3; k++) { /* also kill who cleans up after a kill */
            kill_after(&f, seconds_of_all * (rand_r(&seed) % 1000) / 1000);
            f.store = fixture_another(&f);
            struct shown now = show(f.store, "corp");
            assert_true(now.n_runs <= MOMENTS);
            assert_same(&now, &clean[now.n_runs]);
            at[now.n_runs]++;
            shown_free(&now);
            store_close(f.store);
        }
        sync_the_rest(&f);
        f.store = fixture_another(&f);
        struct shown now = show(f.store, "corp");
        assert_same(&now, &clean[MOMENTS]);
        shown_free(&now);
        fixture_close(&f);
    }
    for (unsigned m = 0; m <= MOMENTS; m++)
        print_message("# killed with %u runs visible: %u times\n", m, at[m]);
}

static bool is_crash_row(void *ctx, const struct run_row *row)
{
    if (row->status == RUN_FAILED && str_equal(row->error_class, STR("CANCEL"))) ++*(unsigned *)ctx;
    return true;
}

static void test_killed_run_is_recorded(void **state)
{
    (void)state;
    struct fixture f;
    struct err e;
    unsigned n = 0;
    fixture_open(&f);
    pid_t pid = fork();
    if (pid == 0) {
        struct store *s = fixture_another(&f);
        struct store_run *r = run_start(s, "corp", 1);
        put_user(r, 1, 0);
        if (store_run_rest(r, &e) < 0) _exit(1);
        raise(SIGKILL);
    }
    waitpid(pid, NULL, 0);
    sync_moment(f.store, "corp", 0);
    assert_int_equal(store_runs(f.store, STR("corp"), 0, is_crash_row, &n, &e), 0);
    assert_int_equal(n, 1);
    fixture_close(&f);
}

/* --- a full disk ------------------------------------------------------------------------------ */

static int refused(int class, const struct err *e)
{
    if (class != ERR_LIMIT) print_message("# %s (%d)\n", e->message, e->code);
    return -class;
}

/* In a child whose files may not grow beyond `kb`: 0 it went through, else the class that a call gave,
 * negated. */
static int sync_with_limit(const struct fixture *f, unsigned moment, unsigned kb)
{
    struct rlimit limit = {kb * 1024, kb * 1024};
    struct err e = {0};
    struct store *s;
    struct store_run *r;
    struct run_start start = {
        .connector = STR("corp"), .source = STR("active_directory"), .mode = STR("full")};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    int rc = store_open(&s, str_from(f->url), &e);
    if (rc == 0) rc = store_run_begin(&r, s, &start, &e);
    if (rc < 0) return refused(rc, &e);
    rc = store_run_domain(r, &fixture_domain, &e);
    for (unsigned u = 0; rc == 0 && u < 20000; u++) {
        char dn[64];
        struct record rec = {.kind = KIND_user, .stats = {(const uint8_t *)"", 0}};
        snprintf(dn, sizeof dn, "CN=filler%u-%u,DC=corp,DC=example", moment, u);
        rec.dn = str_from(dn);
        guid_of_id(rec.guid, 100000 + u);
        rc = store_run_put(r, &rec, &e);
    }
    struct run_end end = {.ended_ms = 1};
    struct run_result result;
    if (rc == 0) rc = store_run_end(r, &end, &result, &e);
    if (rc == 0) return 0;
    store_run_abort(r, &e, 2);
    store_close(s);
    return refused(rc, &e);
}

static void test_full_disk(void **state)
{
    (void)state;
    for (unsigned visible = 0; visible <= 2; visible += 2) {
        struct fixture f;
        fixture_open(&f);
        for (unsigned m = 0; m < visible; m++) sync_moment(f.store, "corp", m);
        store_close(f.store);
        unsigned n_refused = 0;
        for (unsigned kb = 64; kb < 4000; kb += kb / 4) {
            pid_t pid = fork();
            if (pid == 0) _exit(sync_with_limit(&f, 9, kb));
            int status;
            waitpid(pid, &status, 0);
            assert_true(WIFEXITED(status));
            if (WEXITSTATUS(status) == 0) break;
            assert_int_equal(-WEXITSTATUS(status), ERR_LIMIT);
            n_refused++;
        }
        assert_true(n_refused > 3);
        f.store = fixture_another(&f);
        struct shown now = show(f.store, "corp");
        if (now.n_runs == visible) { /* no limit was high enough, as it should be */
            assert_same(&now, &clean[visible]);
            sync_moment(f.store, "corp", visible);
            struct shown then = show(f.store, "corp");
            assert_same(&then, &clean[visible + 1]);
            shown_free(&then);
        }
        shown_free(&now);
        fixture_close(&f);
    }
}

/* --- company ---------------------------------------------------------------------------------- */

static void test_lock(void **state)
{
    (void)state;
    struct fixture f;
    struct err e, why = {.class = ERR_CANCEL};
    struct store_run *r = NULL, *other_run;
    struct run_start start = {
        .connector = STR("corp"), .source = STR("x"), .mode = STR("full"), .started_ms = 5};
    char pid[32];
    fixture_open(&f);
    struct store *other = fixture_another(&f);
    assert_int_equal(store_run_begin(&r, f.store, &start, &e), 0);
    assert_int_equal(store_run_begin(&other_run, other, &start, &e), ERR_CONFLICT);
    snprintf(pid, sizeof pid, "pid %ld", (long)getpid());
    assert_non_null(strstr(e.message, pid));
    assert_non_null(strstr(e.message, "1970-01-01"));
    pid_t child = fork();
    if (child == 0) {
        struct store *s = fixture_another(&f);
        _exit(store_run_begin(&other_run, s, &start, &e) == ERR_CONFLICT ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(WEXITSTATUS(status), 0);
    start.connector = STR("cloud"); /* another connector is free */
    assert_int_equal(store_run_begin(&other_run, other, &start, &e), 0);
    store_run_abort(other_run, &why, 6);
    store_run_abort(r, &why, 6);
    start.connector = STR("corp");
    assert_int_equal(store_run_begin(&other_run, other, &start, &e), 0);
    store_run_abort(other_run, &why, 6);
    store_close(other);
    fixture_close(&f);
}

/* A run that waits for its directory holds nobody up, whatever it has been given. */
static void test_no_lock_while_waiting(void **state)
{
    (void)state;
    struct fixture f;
    struct err e;
    fixture_open(&f);
    for (unsigned round = 0; round < 2; round++) {
        struct store_run *r = run_start(f.store, "corp", 1000 * (round + 1));
        assert_int_equal(store_run_sd(r, 1, bytes_of(round ? STR("one descriptor") : STR("another")), &e), 0);
        put_group(r, 1, round);
        put_user(r, 1, round);
        assert_int_equal(
            store_run_gap(r, &(struct gap){KIND_user, GAP_INFO, STR("hm"), STR(""), STR("")}, &e), 0);
        struct store *other = fixture_another(&f);
        struct shown now;
        double start = now_s();
        sync_moment(other, "lab", round);
        assert_true(now_s() - start < 20); /* else it would have waited for half a minute, and failed */
        now = show(other, "lab");
        assert_int_equal(now.n_runs, round + 1);
        shown_free(&now);
        store_close(other);
        run_done_all(r);
        run_finish(r, 1000 * (round + 1) + 1);
    }
    fixture_close(&f);
}

static void test_side_by_side(void **state)
{
    (void)state;
    static const char *const names[] = {"corp", "lab", "branch"};
    struct fixture f;
    pid_t children[n_elements(names)];
    fixture_open(&f);
    for (size_t i = 0; i < n_elements(names); i++) {
        children[i] = fork();
        if (children[i]) continue;
        struct store *s = fixture_another(&f);
        for (unsigned m = 0; m < MOMENTS; m++) sync_moment(s, names[i], m);
        store_close(s);
        _exit(0);
    }
    for (size_t i = 0; i < n_elements(names); i++) {
        int status;
        waitpid(children[i], &status, 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    for (size_t i = 0; i < n_elements(names); i++) {
        struct shown now = show(f.store, names[i]);
        assert_same(&now, &clean[MOMENTS]);
        shown_free(&now);
    }
    fixture_close(&f);
}

static void test_reader_sees_whole_runs(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    sync_moment(f.store, "corp", 0);
    pid_t child = fork();
    if (child == 0) {
        struct store *s = fixture_another(&f);
        for (unsigned m = 1; m < MOMENTS; m++) sync_moment(s, "corp", m);
        store_close(s);
        _exit(0);
    }
    unsigned seen[MOMENTS + 1] = {0}, n = 0;
    int status;
    pid_t ended = 0;
    while (!ended) {
        ended = waitpid(child, &status, WNOHANG);
        char *now = entities_text(f.store, "corp");
        unsigned m = 1;
        while (m <= MOMENTS && strcmp(now, clean[m].entities) != 0) m++;
        if (m > MOMENTS) fail_msg("a mixture of runs was visible");
        seen[m]++;
        n++;
        free(now);
    }
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(seen[MOMENTS] > 0);
    print_message("# %u readings\n", n);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kill_anywhere),
        cmocka_unit_test(test_killed_run_is_recorded),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_lock),
        cmocka_unit_test(test_no_lock_while_waiting),
        cmocka_unit_test(test_side_by_side),
        cmocka_unit_test(test_reader_sees_whole_runs),
    };
    return cmocka_run_group_tests(tests, make_clean, free_clean);
}
