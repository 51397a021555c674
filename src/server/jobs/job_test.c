/* Jobs against children that this test plays itself: whatever a child does, the job says so, and nothing is left behind. */
#include "server/jobs/job_int.h"

#include "base/file.h"
#include "base/log.h"
#include "base/when.h"
#include "server/state/state_test.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

/* --- the child: what it does is the name of its connector -------------------------------------------------- */

static void say(const char *line)
{
    fprintf(stderr, "%s\n", line);
}

static int play_good(void)
{
    say("{\"event\":\"run\",\"connector\":\"good\",\"run\":7}");
    say("{\"event\":\"phase\",\"connector\":\"good\",\"phase\":\"read\"}");
    say("{\"event\":\"progress\",\"connector\":\"good\",\"kind\":\"user\",\"received\":5,\"total\":5,\"left_s\":3}");
    say("{\"event\":\"gap\",\"connector\":\"good\",\"severity\":\"info\",\"what\":\"something\"}");
    say("{\"time\":\"2026-01-01T00:00:00Z\",\"level\":\"warn\",\"event\":\"graph.throttled\",\"wait_ms\":500}");
    say("plain words \033[31m with control characters");
    say("{\"event\":\"progress\",\"connector\":\"good\",\"kind\":\"group\",\"received\":2,\"total\":7}");
    puts("{\"id\":7,\"status\":\"complete\"}");
    return 0;
}

static int play_refused(void)
{
    say("{\"class\":\"AUTH\",\"code\":49,\"message\":\"sync refused: no\",\"hint\":\"do this\",\"retry_at\":\"2026-01-01T01:00:00Z\"}");
    return 4;
}

static int play_hang(bool is_stubborn)
{
    if (is_stubborn) signal(SIGTERM, SIG_IGN);
    say("{\"event\":\"phase\",\"phase\":\"read\"}");
    while (pause() < 0) continue;
    return 0;
}

static int play_flood(void)
{
    static char line[300000];
    memset(line, 'x', sizeof line - 1);
    say(line);                                              /* longer than any line may be */
    say("{\"event\":\"phase\",\"phase\":\"behind it\"}"); /* is read all the same */
    for (int i = 0; i < 30000; i++) fprintf(stderr, "{\"level\":\"info\",\"event\":\"spam\",\"n\":%d}\n", i);
    for (int i = 0; i < 20 * 1024; i++) fwrite(line, 1, 1024, stdout); /* 20 MiB of result */
    return 0;
}

static int play_garbage(void)
{
    static const char *const lines[] = {"{", "}", "[]", "null", "{\"event\":7}", "{\"event\":\"run\",\"run\":\"x\"}", "{\"event\":\"run\"}", "{\"class\":7,\"message\":8}",
                                        "{\"event\":\"progress\"}", "{\"event\":\"phase\",\"phase\":[]}", "{\"event\":\"log\",\"level\":{}}", "\xff\xfe\x01", "",
                                        "{\"event\":\"gap\"}", "{\"class\":\"NOSUCH\",\"message\":\"odd\"}"};
    for (size_t i = 0; i < n_elements(lines); i++) say(lines[i]);
    fputs("{\"event\":\"phase\",\"phase\":\"without its newline\"}", stderr);
    fputs("not json", stdout);
    return 1;
}

static int play_inventory(void)
{
    json_t *fds = json_array(), *env = json_array();
    DIR *d = opendir("/proc/self/fd");
    for (struct dirent *one; (one = readdir(d));)
        if (one->d_name[0] != '.' && strtol(one->d_name, NULL, 10) != dirfd(d)) json_array_append_new(fds, json_integer(strtol(one->d_name, NULL, 10)));
    closedir(d);
    for (char **one = environ; *one; one++) json_array_append_new(env, json_string(*one));
    json_t *settings = json_load_file("/proc/self/fd/20", 0, NULL);
    json_t *o = json_pack("{s:o, s:o, s:o?, s:i, s:i}", "fds", fds, "env", env, "settings", settings, "group", (int)getpgid(0), "pid", (int)getpid());
    json_dumpf(o, stdout, 0);
    json_decref(o);
    return 0;
}

static int play_steps(void)
{
    puts("{\"name\":\"dns\",\"verdict\":\"ok\",\"evidence\":\"x\",\"took_ms\":1}");
    fflush(stdout);
    puts("{\"name\":\"bind\",\"verdict\":\"fail\",\"evidence\":\"y\",\"took_ms\":1,\"class\":\"AUTH\"}");
    return 4;
}

static int play(int argc, char **argv)
{
    const char *name = argv[argc - 1];
    if (strcmp(argv[1], "report") == 0) return play_inventory();
    if (strcmp(argv[1], "check") == 0) return play_steps();
    if (strcmp(name, "good") == 0) return play_good();
    if (strcmp(name, "partial") == 0) return play_good() + 5;
    if (strcmp(name, "refused") == 0) return play_refused();
    if (strcmp(name, "dies") == 0) return kill(getpid(), SIGKILL);
    if (strcmp(name, "hangs") == 0) return play_hang(false);
    if (strcmp(name, "stubborn") == 0) return play_hang(true);
    if (strcmp(name, "floods") == 0) return play_flood();
    if (strcmp(name, "garbage") == 0) return play_garbage();
    if (strcmp(name, "inventory") == 0) return play_inventory();
    return 99;
}

/* --- a server of jobs ---------------------------------------------------------------------------------------- */

static struct conf conf;
static struct connectors *connectors;
static struct jobs *jobs;
static char dir[128];

static struct jobs *open_jobs(unsigned parallel)
{
    struct jobs *out;
    struct err e;
    struct jobs_options o = {.state = test_state, .connectors = connectors, .dir = dir, .parallel = parallel};
    if (jobs_open(&out, &o, &e) < 0) fail_msg("%s", e.message);
    return out;
}

static int set_up(void **state)
{
    static const char *const names[] = {"good", "partial", "refused", "dies", "hangs", "stubborn", "floods", "garbage", "inventory"};
    struct buf yaml = buf_new(8192);
    struct err e;
    if (test_set_up(state) < 0) return -1;
    snprintf(dir, sizeof dir, "%s/x.db.jobs", test_dir);
    buf_printf(&yaml, "store: sqlite:%s/x.db\nconnectors:\n", test_dir);
    for (size_t i = 0; i < n_elements(names); i++)
        buf_printf(&yaml, "  %s: {type: entra_id, tenant_id: 5a3e0c1d-7b64-4f0e-9d1b-2c6f8a9b0c1d, client_id: c1ae0f4e-6d0b-4c1e-8a58-0d6a3f3b7e21, client_secret: \"env:MINE\"}\n",
                   names[i]);
    int rc = conf_parse(&conf, buf_str(&yaml), "test.yaml", "/", NULL, &e);
    buf_free(&yaml);
    if (rc == 0) rc = connectors_open(&connectors, test_state, &conf, &e);
    if (rc < 0) fprintf(stderr, "%s\n", e.message);
    if (rc == 0) jobs = open_jobs(4);
    return rc;
}

static int tear_down(void **state)
{
    jobs_close(jobs, 200);
    jobs = NULL;
    connectors_close(connectors);
    conf_free(&conf);
    return test_tear_down(state);
}

static int64_t start(const char *kind, const char *connector)
{
    struct err e;
    int64_t id;
    struct job_request r = {.kind = kind, .connector = connector, .by = "alice"};
    if (jobs_start(jobs, &r, &id, &e) < 0) fail_msg("%s", e.message);
    return id;
}

static json_t *get(int64_t id)
{
    json_t *o;
    struct err e;
    if (jobs_get(jobs, id, &o, &e) < 0) fail_msg("%s", e.message);
    return o;
}

static const char *text(const json_t *o, const char *key)
{
    const char *v = json_string_value(json_object_get(o, key));
    return v ? v : "";
}

static json_t *wait_for_state(int64_t id, const char *wanted)
{
    for (int i = 0; i < 2000; i++) {
        json_t *o = get(id);
        bool is_there = wanted ? strcmp(text(o, "state"), wanted) == 0 : json_object_get(o, "ended") != NULL;
        if (is_there) return o;
        json_decref(o);
        usleep(10000);
    }
    fail_msg("job %lld is not %s", (long long)id, wanted ? wanted : "over");
    return NULL;
}

static json_t *run(const char *kind, const char *connector)
{
    return wait_for_state(start(kind, connector), NULL);
}

/* All events, read in pieces of this size. */
static json_t *events_of(int64_t id, size_t piece)
{
    json_t *list = json_array();
    uint64_t after = 0, last;
    bool over = false;
    struct err e;
    while (!over) {
        struct buf b = buf_new(piece);
        if (jobs_events(jobs, id, after, &b, &last, &over, &e) < 0) fail_msg("%s", e.message);
        assert_true(over || last > after);
        for (struct str rest = buf_str(&b); rest.len;) {
            size_t n = str_index(rest, '\n');
            json_t *one = json_loadb(rest.ptr, n, 0, NULL);
            if (!one) fail_msg("no JSON: %.*s", (int)n, rest.ptr);
            assert_true((uint64_t)json_integer_value(json_object_get(one, "id")) > after);
            after = (uint64_t)json_integer_value(json_object_get(one, "id"));
            json_array_append_new(list, one);
            rest = (struct str){rest.ptr + n + 1, rest.len - n - 1};
        }
        buf_free(&b);
    }
    return list;
}

static size_t count(const json_t *events, const char *event)
{
    size_t i, n = 0;
    json_t *one;
    json_array_foreach(events, i, one) n += strcmp(text(one, "event"), event) == 0;
    return n;
}

/* --- tests ------------------------------------------------------------------------------------------------------ */

static void test_good(void **state)
{
    int64_t id = start("sync", "good");
    json_t *o = wait_for_state(id, NULL), *progress = json_object_get(o, "progress"), *events = events_of(id, 65536);
    assert_string_equal(text(o, "state"), "done");
    assert_string_equal(text(o, "by"), "alice");
    assert_int_equal(json_integer_value(json_array_get(json_object_get(o, "runs"), 0)), 7);
    assert_string_equal(text(json_object_get(o, "result"), "status"), "complete");
    assert_string_equal(text(progress, "phase"), "read");
    assert_string_equal(text(progress, "kind"), "group");
    assert_null(json_object_get(progress, "left_s")); /* of an earlier line */
    assert_int_equal(count(events, "gap"), 1);
    assert_int_equal(count(events, "log"), 2);
    assert_int_equal(count(events, "end"), 1);
    assert_string_equal(text(json_array_get(events, json_array_size(events) - 1), "event"), "end");
    json_t *pieces = events_of(id, 700);
    assert_true(json_equal(events, pieces));
    json_decref(pieces);
    json_decref(events);
    json_decref(o);
}

static void test_ends(void **state)
{
    static const struct {
        const char *connector, *state, *class, *message;
    } table[] = {{"partial", "done", "", ""}, {"refused", "failed", "AUTH", "sync refused: no"}, {"dies", "failed", "BUG", "worker died of signal 9 (Killed)"},
                 {"garbage", "failed", "NOSUCH", "odd"}};
    for (size_t i = 0; i < n_elements(table); i++) {
        json_t *o = run("sync", table[i].connector), *error = json_object_get(o, "error");
        assert_string_equal(text(o, "state"), table[i].state);
        assert_string_equal(text(error, "class"), table[i].class);
        assert_string_equal(text(error, "message"), table[i].message);
        if (strcmp(table[i].connector, "refused") == 0) assert_string_equal(text(error, "retry_at"), "2026-01-01T01:00:00Z");
        json_decref(o);
    }
}

static void test_steps(void **state)
{
    json_t *o = run("test", "good"), *events = events_of(json_integer_value(json_object_get(o, "id")), 65536);
    assert_string_equal(text(o, "state"), "done"); /* it found something: that is its work */
    assert_true(json_is_false(json_object_get(json_object_get(o, "result"), "ok")));
    assert_int_equal(count(events, "step"), 2);
    json_decref(events);
    json_decref(o);
}

static void test_flood(void **state)
{
    struct stat st;
    char path[200];
    int64_t id = start("sync", "floods");
    json_t *o = wait_for_state(id, NULL), *events = events_of(id, 65536);
    assert_string_equal(text(json_object_get(o, "error"), "class"), "LIMIT"); /* of the result */
    assert_string_equal(text(json_object_get(o, "progress"), "phase"), "behind it");
    assert_true(json_array_size(events) < JOB_LOG_EVENTS + 20);
    assert_int_equal(count(events, "end"), 1);
    snprintf(path, sizeof path, "%s/%lld.jsonl", dir, (long long)id);
    assert_int_equal(stat(path, &st), 0);
    assert_true((size_t)st.st_size < JOB_LOG_BYTES + JOB_LINE_MAX);
    assert_int_equal(st.st_mode & 07777, 0600);
    json_decref(events);
    json_decref(o);
}

static void check_inventory(const json_t *result, bool has_connector)
{
    size_t i;
    json_t *one, *fds = json_object_get(result, "fds");
    bool has_mine = false, has_config = false;
    json_array_foreach(fds, i, one)
    {
        int64_t fd = json_integer_value(one);
        if (fd > 2 && fd != HANDED_SETTINGS_FD) fail_msg("descriptor %lld is inherited", (long long)fd);
    }
    json_array_foreach(json_object_get(result, "env"), i, one)
    {
        if (strstr(json_string_value(one), "others")) fail_msg("%s is inherited", json_string_value(one));
        has_mine |= strcmp(json_string_value(one), "MINE=secret of mine") == 0;
        has_config |= strcmp(json_string_value(one), "ROLLCALL_CONFIG=/proc/self/fd/20") == 0;
    }
    assert_int_equal(has_mine, has_connector);
    assert_true(has_config);
    const json_t *settings = json_object_get(result, "settings");
    assert_int_equal(json_object_size(json_object_get(settings, "connectors")), has_connector);
    assert_int_equal(json_integer_value(json_object_get(result, "group")), json_integer_value(json_object_get(result, "pid")));
}

/* It gets its own settings and the one variable they name, and nothing of the server's. */
static void test_inherits_nothing(void **state)
{
    int loose = open("/dev/null", O_RDONLY); /* somebody forgot O_CLOEXEC */
    setenv("MINE", "secret of mine", 1);
    setenv("THEIRS", "secret of others", 1);
    json_t *o = run("sync", "inventory");
    check_inventory(json_object_get(o, "result"), true);
    json_decref(o);
    o = run("report", NULL);
    check_inventory(json_object_get(o, "result"), false);
    json_decref(o);
    close(loose);
}

static void test_conflict_and_cancel(void **state)
{
    struct err e;
    int64_t id = start("sync", "hangs"), other;
    json_t *o = wait_for_state(id, "running");
    json_decref(o);
    struct job_request again = {.kind = "sync", .connector = "hangs", .by = "bob"};
    assert_int_equal(jobs_start(jobs, &again, &other, &e), ERR_CONFLICT);
    assert_non_null(strstr(e.message, "running"));
    o = run("test", "hangs"); /* only runs exclude each other */
    json_decref(o);
    assert_int_equal(jobs_cancel(jobs, id, "bob", &e), 0);
    o = wait_for_state(id, NULL);
    assert_string_equal(text(o, "state"), "cancelled");
    assert_string_equal(text(json_object_get(o, "error"), "class"), "CANCEL");
    assert_int_equal(jobs_cancel(jobs, id, "bob", &e), ERR_CONFLICT);
    assert_int_equal(jobs_cancel(jobs, 4711, "bob", &e), ERR_NOTFOUND);
    json_decref(o);
    assert_int_equal(jobs_start(jobs, &again, &other, &e), 0); /* free again */
    jobs_cancel(jobs, other, "bob", &e) < 0 ? fail() : (void)0;
    json_decref(wait_for_state(other, NULL));
}

static void test_refused_requests(void **state)
{
    struct err e;
    int64_t id;
    struct job_request wrong[] = {{.kind = "format", .connector = "good"}, {.kind = "sync", .connector = ""}, {.kind = "sync"}};
    for (size_t i = 0; i < n_elements(wrong); i++) assert_int_equal(jobs_start(jobs, &wrong[i], &id, &e), ERR_INPUT);
    json_t *o = run("sync", "nobody");
    assert_string_equal(text(o, "state"), "failed");
    assert_string_equal(text(json_object_get(o, "error"), "class"), "NOTFOUND");
    json_decref(o);
}

/* The second waits for the first; waiting, it can be cancelled. */
static void test_queue(void **state)
{
    struct err e;
    jobs_close(jobs, 200);
    jobs = open_jobs(1);
    int64_t first = start("sync", "hangs"), second = start("sync", "stubborn"), third = start("sync", "good");
    json_decref(wait_for_state(first, "running"));
    json_decref(wait_for_state(second, "queued"));
    assert_int_equal(jobs_cancel(jobs, second, "bob", &e), 0);
    json_t *o = wait_for_state(second, "cancelled");
    assert_null(json_object_get(o, "started"));
    json_decref(o);
    assert_int_equal(jobs_cancel(jobs, first, "bob", &e), 0);
    o = wait_for_state(third, NULL);
    assert_string_equal(text(o, "state"), "done");
    json_decref(o);
}

static unsigned n_children(void)
{
    unsigned n = 0;
    while (waitpid(-1, NULL, WNOHANG) > 0) n++;
    return n;
}

/* One ends when asked, one does not: both are interrupted, and say so after a restart. */
static void test_close(void **state)
{
    int64_t ids[] = {start("sync", "hangs"), start("sync", "stubborn")};
    for (size_t i = 0; i < 2; i++) {
        json_decref(wait_for_state(ids[i], "running"));
        json_t *o = get(ids[i]);
        for (; !json_object_get(o, "progress"); o = get(ids[i])) json_decref(o), usleep(1000); /* its handler is in place */
        json_decref(o);
    }
    jobs_close(jobs, 300);
    assert_int_equal(n_children(), 0);
    jobs = open_jobs(4);
    for (size_t i = 0; i < 2; i++) {
        json_t *o = get(ids[i]), *events = events_of(ids[i], 65536);
        assert_string_equal(text(o, "state"), "interrupted");
        assert_int_equal(count(events, "end"), 1);
        json_decref(events);
        json_decref(o);
    }
}

/* A server that was killed: its rows say running, its event files have no end, perhaps half a line. */
static void test_killed_server(void **state)
{
    struct err e;
    char path[200];
    struct job_request r = {.kind = "sync", .connector = "good", .by = "schedule"};
    jobs_close(jobs, 200);
    struct job *j = job_new(&r);
    j->state = JOB_RUNNING;
    assert_int_equal(job_rows_add(test_state, j, &j->id, &e), 0);
    snprintf(path, sizeof path, "%s/%lld.jsonl", dir, (long long)j->id);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    const char left[] = "{\"id\":1,\"event\":\"state\",\"data\":{}}\n{\"id\":2,\"event\":\"log\",\"data\":{}}\n{\"id\":3,\"ev";
    assert_int_equal(write(fd, left, sizeof left - 1), sizeof left - 1);
    close(fd);
    jobs = open_jobs(4);
    json_t *o = get(j->id), *events = events_of(j->id, 65536);
    assert_string_equal(text(o, "state"), "interrupted");
    assert_int_equal(json_array_size(events), 4);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(events, 3), "id")), 4);
    assert_string_equal(text(json_array_get(events, 3), "event"), "end");
    json_decref(events);
    json_decref(o);
    job_free(j);
}

static void test_prune(void **state)
{
    struct err e;
    json_t *list;
    struct job_request r = {.kind = "sync", .connector = "good", .by = "schedule"};
    for (int i = 0; i < 1010; i++) {
        struct job *j = job_new(&r);
        j->state = JOB_DONE;
        assert_int_equal(job_rows_add(test_state, j, &j->id, &e), 0);
        assert_int_equal(job_rows_put(test_state, j, &e), 0);
        job_free(j);
    }
    json_decref(run("sync", "good"));
    assert_int_equal(jobs_list(jobs, "good", NULL, 0, 5000, &list, &e), 0);
    assert_int_equal(json_array_size(list), 1000);
    json_decref(list);
    assert_int_equal(jobs_list(jobs, NULL, "sync", 500, 3, &list, &e), 0);
    assert_int_equal(json_array_size(list), 3);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "id")), 499);
    json_decref(list);
}

struct seen {
    pthread_mutex_t lock;
    unsigned n, n_ended;
};

static void on_news(void *ctx, int64_t job, const json_t *ended)
{
    struct seen *s = ctx;
    pthread_mutex_lock(&s->lock);
    s->n++;
    s->n_ended += ended != NULL;
    pthread_mutex_unlock(&s->lock);
}

static void test_watch(void **state)
{
    struct seen s = {.lock = PTHREAD_MUTEX_INITIALIZER};
    jobs_watch(jobs, on_news, &s);
    json_decref(run("sync", "good"));
    for (int i = 0; i < 200 && !s.n_ended; i++) usleep(10000);
    jobs_unwatch(jobs, &s);
    assert_int_equal(s.n_ended, 1);
    assert_true(s.n >= 1);
    json_decref(run("sync", "good"));
    assert_int_equal(s.n_ended, 1);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[0], "rollcall") == 0) return play(argc, argv);
    log_setup(LOG_OFF, LOG_AS_TEXT);
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {TEST(test_good),  TEST(test_ends),  TEST(test_steps), TEST(test_flood),         TEST(test_inherits_nothing), TEST(test_conflict_and_cancel),
                                       TEST(test_refused_requests), TEST(test_queue), TEST(test_close), TEST(test_killed_server), TEST(test_prune), TEST(test_watch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
