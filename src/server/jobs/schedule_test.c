/* The decisions of the schedule by table; then the whole of it with a clock that the test turns and children that it plays itself. */
#include "server/jobs/schedule_int.h"

#include "base/log.h"
#include "base/when.h"
#include "server/state/state_test.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* --- decisions ---------------------------------------------------------------------------------------------- */

static void test_table(void **state)
{
    static const struct {
        const char *what;
        int64_t every, started, ended, retry_at;
        enum schedule_verdict verdict;
        int class;
        unsigned attempt;
        int64_t least, most; /* of the next time */
        unsigned next_attempt;
    } table[] = {
        {"good: one interval after its beginning", HOUR, 0, 5 * MINUTE, 0, SCHEDULE_GOOD, 0, 0, HOUR, HOUR + 3 * MINUTE, 0},
        {"longer than its interval: at once", HOUR, 0, 90 * MINUTE, 0, SCHEDULE_GOOD, 0, 0, 90 * MINUTE, 90 * MINUTE, 0},
        {"good after failures: they are forgotten", HOUR, 0, MINUTE, 0, SCHEDULE_GOOD, 0, 5, HOUR, HOUR + 3 * MINUTE, 0},
        {"jitter is at most five minutes", 7 * DAY, 0, MINUTE, 0, SCHEDULE_GOOD, 0, 0, 7 * DAY, 7 * DAY + 5 * MINUTE, 0},
        {"network: a minute", HOUR, 0, MINUTE, 0, SCHEDULE_FAILED, ERR_NET, 0, 2 * MINUTE, 2 * MINUTE + 6000, 1},
        {"again: two", HOUR, 0, MINUTE, 0, SCHEDULE_FAILED, ERR_TIMEOUT, 1, 3 * MINUTE, 3 * MINUTE + 12000, 2},
        {"again: thirty-two", HOUR, 0, 0, 0, SCHEDULE_FAILED, ERR_LIMIT, 5, 32 * MINUTE, 36 * MINUTE, 6},
        {"never more than the interval", HOUR, 0, 0, 0, SCHEDULE_FAILED, ERR_NET, 40, HOUR, HOUR + 6 * MINUTE, 41},
        {"nor than six hours", 30 * DAY, 0, 0, 0, SCHEDULE_FAILED, ERR_NET, 40, 6 * HOUR, 6 * HOUR + 36 * MINUTE, 41},
        {"TLS is put right by others", HOUR, 0, 0, 0, SCHEDULE_FAILED, ERR_TLS, 0, MINUTE, MINUTE + 6000, 1},
        {"the peer said when", HOUR, 0, 0, 20 * MINUTE, SCHEDULE_FAILED, ERR_LIMIT, 0, 20 * MINUTE, 20 * MINUTE + 15000, 1},
        {"refused: the next period", HOUR, 0, MINUTE, 0, SCHEDULE_FAILED, ERR_AUTH, 0, HOUR, HOUR + 3 * MINUTE, 0},
        {"refused, and the pause is longer", HOUR, 0, MINUTE, 2 * HOUR, SCHEDULE_FAILED, ERR_AUTH, 0, 2 * HOUR, 2 * HOUR + 15000, 0},
        {"no right: the next period", HOUR, 0, MINUTE, 0, SCHEDULE_FAILED, ERR_DENIED, 3, HOUR, HOUR + 3 * MINUTE, 0},
        {"wrong settings: the next period", HOUR, 0, MINUTE, 0, SCHEDULE_FAILED, ERR_INPUT, 0, HOUR, HOUR + 3 * MINUTE, 0},
        {"a defect: the next period", HOUR, 0, MINUTE, 0, SCHEDULE_FAILED, ERR_BUG, 0, HOUR, HOUR + 3 * MINUTE, 0},
        {"nonsense: the next period", HOUR, 0, MINUTE, 0, SCHEDULE_FAILED, ERR_PROTO, 0, HOUR, HOUR + 3 * MINUTE, 0},
        {"cancelled: the next period", HOUR, 0, MINUTE, 0, SCHEDULE_CANCELLED, 0, 0, HOUR, HOUR + 3 * MINUTE, 0},
        {"interrupted: at once, as the same attempt", HOUR, 0, MINUTE, 0, SCHEDULE_INTERRUPTED, 0, 2, MINUTE, MINUTE, 2},
    };
    for (size_t i = 0; i < n_elements(table); i++)
        for (uint64_t seed = 0; seed < 200; seed++) {
            struct schedule_rule r = {.every_ms = table[i].every};
            struct schedule_outcome o = {.verdict = table[i].verdict,
                                         .class = table[i].class,
                                         .started_ms = START_MS + table[i].started,
                                         .ended_ms = START_MS + table[i].ended,
                                         .retry_at_ms = table[i].retry_at ? START_MS + table[i].retry_at : 0,
                                         .attempt = table[i].attempt};
            struct schedule_next n = schedule_decide(&r, &o, seed);
            if (n.at_ms < START_MS + table[i].least || n.at_ms > START_MS + table[i].most || n.attempt != table[i].next_attempt)
                fail_msg("%s: after %lld s, attempt %u", table[i].what, (long long)(n.at_ms - START_MS) / 1000, n.attempt);
        }
}

static void test_cron(void **state)
{
    struct cron *c;
    struct err e;
    assert_int_equal(cron_parse(&c, STR("0 3 * * *"), &e), 0);
    struct schedule_rule r = {.every_ms = HOUR, .cron = c};
    /* down for a week: the next time is tomorrow at three, once */
    int64_t at = schedule_regular(&r, START_MS - 7 * DAY, START_MS, 1);
    assert_true(at >= START_MS + 3 * HOUR && at < START_MS + 3 * HOUR + MINUTE);
    struct schedule_outcome o = {.verdict = SCHEDULE_FAILED, .class = ERR_NET, .started_ms = START_MS, .ended_ms = START_MS};
    assert_true(schedule_decide(&r, &o, 1).at_ms < START_MS + 2 * MINUTE);
    cron_free(c);
    /* failing for hours: asked at its regular times, not only every six hours */
    assert_int_equal(cron_parse(&c, STR("*/15 * * * *"), &e), 0);
    r.cron = c;
    o.attempt = 20;
    assert_true(schedule_decide(&r, &o, 1).at_ms <= START_MS + 16 * MINUTE);
    o.retry_at_ms = START_MS + HOUR; /* unless the peer asks for more */
    assert_true(schedule_decide(&r, &o, 1).at_ms >= START_MS + HOUR);
    cron_free(c);
}

/* Connectors of one interval do not stay together. */
static void test_spread(void **state)
{
    struct schedule_rule r = {.every_ms = HOUR};
    int64_t least = INT64_MAX, most = 0;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        int64_t at = schedule_regular(&r, START_MS, START_MS, seed * UINT64_C(0x9e3779b97f4a7c15));
        if (at < least) least = at;
        if (at > most) most = at;
    }
    assert_true(most - least > 150000);
}

/* --- the whole ------------------------------------------------------------------------------------------------- */

/* What a child does is in a file, so that it can change while the server runs. */
static int play(const char *name)
{
    char path[256], word[32] = "";
    snprintf(path, sizeof path, "%s/%s.does", getenv("TMPDIR"), name);
    FILE *f = fopen(path, "r");
    if (f) (void)!fscanf(f, "%31s", word);
    if (f) fclose(f);
    if (strcmp(word, "hang") == 0) pause();
    if (!*word) return puts("{}") < 0;
    fprintf(stderr, "{\"class\":\"%s\",\"code\":0,\"message\":\"as told\",\"hint\":\"do\"}\n", word);
    return 1;
}

static void let(const char *name, const char *word)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s.does", test_dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(word, f);
    fclose(f);
}

static struct conf conf;
static struct connectors *connectors;
static struct jobs *jobs;
static struct schedule *schedule;
static _Atomic int64_t now_ms;

static int64_t clock_of_test(void)
{
    return now_ms;
}

static void open_server(const char *text)
{
    struct buf yaml = buf_new(8192);
    struct err e;
    char dir[128];
    buf_printf(&yaml, "store: sqlite:%s/x.db\nconnectors:\n%s", test_dir, text);
    snprintf(dir, sizeof dir, "%s/x.db.jobs", test_dir);
    int rc = conf_parse(&conf, buf_str(&yaml), "test.yaml", "/", NULL, &e);
    buf_free(&yaml);
    if (rc == 0) rc = connectors_open(&connectors, test_state, &conf, &e);
    struct jobs_options o = {.state = test_state, .connectors = connectors, .dir = dir, .parallel = 4};
    if (rc == 0) rc = jobs_open(&jobs, &o, &e);
    if (rc == 0) rc = schedule_open(&schedule, test_state, connectors, jobs, &e);
    if (rc < 0) fail_msg("%s", e.message);
}

static void close_server(void)
{
    schedule_close(schedule);
    jobs_close(jobs, 200);
    connectors_close(connectors);
    conf_free(&conf);
}

#define KEYS "type: entra_id, tenant_id: 5a3e0c1d-7b64-4f0e-9d1b-2c6f8a9b0c1d, client_id: c1ae0f4e-6d0b-4c1e-8a58-0d6a3f3b7e21, client_secret: \"env:MINE\""

static int set_up(void **state)
{
    if (test_set_up(state) < 0) return -1;
    setenv("TMPDIR", test_dir, 1);
    now_ms = START_MS;
    state_set_clock(test_state, clock_of_test);
    return 0;
}

static int64_t n_jobs(const char *connector, json_t **newest)
{
    json_t *list;
    struct err e;
    if (jobs_list(jobs, connector, NULL, 0, 100, &list, &e) < 0) fail_msg("%s", e.message);
    int64_t n = (int64_t)json_array_size(list);
    if (newest) *newest = json_incref(json_array_get(list, 0));
    json_decref(list);
    return n;
}

/* Until there are so many, and the newest is in this state and judged. */
static void wait_for(const char *connector, int64_t n, const char *state)
{
    for (int i = 0; i < 1500; i++) {
        json_t *newest, *told = schedule_tell(schedule, connector);
        int64_t got = n_jobs(connector, &newest);
        const char *is = json_string_value(json_object_get(newest, "state"));
        bool is_judged = json_integer_value(json_object_get(told, "last_job")) == json_integer_value(json_object_get(newest, "id"));
        bool is_there = got == n && (n == 0 || (is && strcmp(is, state) == 0 && (is_judged || strcmp(state, "running") == 0)));
        json_decref(newest);
        json_decref(told);
        if (is_there) return;
        usleep(10000);
    }
    fail_msg("%s: not %lld jobs, the newest %s", connector, (long long)n, state);
}

static void nothing_more(const char *connector, int64_t n)
{
    schedule_wake(schedule);
    usleep(200000);
    assert_int_equal(n_jobs(connector, NULL), n);
}

static void pass(int64_t ms)
{
    now_ms += ms;
    schedule_wake(schedule);
}

/* Until the schedule has seen settings by which it is due within this time. */
static void wait_for_next(const char *connector, int64_t within_ms)
{
    int64_t next = 0;
    for (int i = 0; i < 1500; i++) {
        json_t *told = schedule_tell(schedule, connector);
        const char *text = json_string_value(json_object_get(told, "next"));
        bool is_there = text && when_parse(&next, str_from(text)) && next <= now_ms + within_ms;
        json_decref(told);
        if (is_there) return;
        usleep(10000);
    }
    fail_msg("%s: next is %lld", connector, (long long)next);
}

static void test_life(void **state)
{
    open_server("  a: {" KEYS ", frequency: 1h}\n");
    wait_for("a", 1, "done"); /* never read: at once */
    nothing_more("a", 1);
    pass(50 * MINUTE);
    nothing_more("a", 1);
    let("a", "NET");
    pass(14 * MINUTE);
    wait_for("a", 2, "failed");
    nothing_more("a", 2);
    pass(2 * MINUTE); /* first retry */
    wait_for("a", 3, "failed");
    pass(MINUTE);
    nothing_more("a", 3);
    let("a", "");
    pass(2 * MINUTE); /* second */
    wait_for("a", 4, "done");
    let("a", "AUTH");
    pass(2 * HOUR);
    wait_for("a", 5, "failed");
    json_t *told = schedule_tell(schedule, "a");
    assert_true(json_is_true(json_object_get(told, "paused")));
    assert_string_equal(json_string_value(json_object_get(told, "reason")), "as told");
    json_decref(told);
    pass(30 * MINUTE);
    nothing_more("a", 5);
    close_server();
}

/* Down for days: one run, not one for each that was missed; and what it was to do next is not forgotten. */
static void test_restart(void **state)
{
    open_server("  a: {" KEYS ", frequency: 1h}\n");
    wait_for("a", 1, "done");
    close_server();
    now_ms += 10 * MINUTE;
    open_server("  a: {" KEYS ", frequency: 1h}\n");
    nothing_more("a", 1);
    close_server();
    now_ms += 5 * DAY;
    open_server("  a: {" KEYS ", frequency: 1h}\n");
    wait_for("a", 2, "done");
    nothing_more("a", 2);
    close_server();
}

static void test_interrupted(void **state)
{
    struct err e;
    int64_t id;
    open_server("  a: {" KEYS ", frequency: 365d}\n");
    wait_for("a", 1, "done");
    let("a", "hang");
    json_t *options = json_pack("{s:b}", "full", 1), *newest;
    struct job_request r = {.kind = "sync", .connector = "a", .by = "alice", .options = options};
    assert_int_equal(jobs_start(jobs, &r, &id, &e), 0);
    wait_for("a", 2, "running");
    close_server();
    let("a", "");
    open_server("  a: {" KEYS ", frequency: 365d}\n");
    wait_for("a", 3, "done"); /* a year is not waited for */
    assert_int_equal(n_jobs("a", &newest), 3);
    assert_true(json_equal(json_object_get(newest, "options"), options));
    json_decref(newest);
    json_decref(options);
    close_server();
}

/* The newest report and how many there are. */
static int64_t n_reports(char newest[32])
{
    json_t *list;
    struct err e;
    if (jobs_list(jobs, NULL, "report", 0, 100, &list, &e) < 0) fail_msg("%s", e.message);
    int64_t n = (int64_t)json_array_size(list);
    const char *is = json_string_value(json_object_get(json_array_get(list, 0), "state"));
    snprintf(newest, 32, "%s", is ? is : "none");
    json_decref(list);
    return n;
}

static void wait_for_report(int64_t n, const char *state)
{
    char is[32];
    for (int i = 0; i < 1500; i++) {
        if (n_reports(is) == n && strcmp(is, state) == 0) return;
        usleep(10000);
    }
    fail_msg("not %lld reports, the newest %s: %lld, %s", (long long)n, state, (long long)n_reports(is), is);
}

/* Once a day; what the server's end cut short is made again at once. */
static void test_report(void **state)
{
    char is[32];
    let("report", "hang");
    open_server("  a: {" KEYS ", frequency: 365d}\n");
    wait_for_report(1, "running");
    close_server();
    let("report", "");
    open_server("  a: {" KEYS ", frequency: 365d}\n");
    wait_for_report(2, "done");
    close_server();
    open_server("  a: {" KEYS ", frequency: 365d}\n");
    nothing_more("a", 1);
    assert_int_equal(n_reports(is), 2);
    pass(25 * HOUR);
    wait_for_report(3, "done");
    close_server();
}

/* A clock that went ahead and was set back stops nothing. */
static void test_clock_set_back(void **state)
{
    now_ms += 365 * DAY;
    open_server("  a: {" KEYS ", frequency: 1h}\n");
    wait_for("a", 1, "done");
    now_ms -= 365 * DAY;
    pass(0);
    wait_for("a", 2, "done");
    nothing_more("a", 2);
    pass(2 * HOUR);
    wait_for("a", 3, "done");
    close_server();
}

/* Another interval counts from the last run; a connector that has gone is forgotten, and new when it comes back. */
static void test_settings(void **state)
{
    open_server("  a: {" KEYS ", frequency: 30d}\n  b: {" KEYS "}\n");
    wait_for("a", 1, "done");
    wait_for("b", 1, "done");
    close_server();
    now_ms += 2 * HOUR;
    open_server("  a: {" KEYS ", frequency: 1h}\n");
    wait_for("a", 2, "done");
    json_t *told = schedule_tell(schedule, "b");
    assert_int_equal(json_object_size(told), 0);
    json_decref(told);
    close_server();
    now_ms += 2 * MINUTE;
    open_server("  a: {" KEYS ", cron: \"* * * * *\"}\n");
    wait_for_next("a", 2 * MINUTE);
    pass(2 * MINUTE);
    wait_for("a", 3, "done");
    nothing_more("a", 3);
    pass(2 * MINUTE);
    wait_for("a", 4, "done");
    close_server();
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[0], "rollcall") == 0) return play(strcmp(argv[1], "report") == 0 ? argv[1] : argv[argc - 1]);
    log_setup(LOG_OFF, LOG_AS_TEXT);
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, test_tear_down)
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table), cmocka_unit_test(test_cron), cmocka_unit_test(test_spread), TEST(test_life), TEST(test_restart),
                                       TEST(test_interrupted), TEST(test_report), TEST(test_clock_set_back), TEST(test_settings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
