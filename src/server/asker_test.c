/* The asker against a child that this test plays itself: what is asked comes whole, and whatever the child does, the next question is answered. */
#include "server/asker.h"
#include "server/asker_wire.h"

#include "base/file.h"
#include "base/jsonv.h"
#include "base/when.h"

#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* --- the child ------------------------------------------------------------------------------------------ */

static bool get(void *to, size_t n)
{
    uint8_t *at = to;
    while (n) {
        ssize_t got = read(ASKER_FD, at, n);
        if (got <= 0) return false;
        at += got;
        n -= (size_t)got;
    }
    return true;
}

static void put(uint32_t length, const char *text, size_t n)
{
    struct buf b = buf_new((size_t)128 << 20);
    struct err e;
    buf_add_u32le(&b, length);
    buf_add(&b, text, n);
    if (file_write_all(ASKER_FD, buf_bytes(&b), &e) < 0) _exit(0);
    buf_free(&b);
}

static void put_text(const char *text)
{
    put((uint32_t)strlen(text), text, strlen(text));
}

static unsigned n_open_descriptors(void)
{
    unsigned n = 0;
    DIR *d = opendir("/proc/self/fd");
    for (struct dirent *one; (one = readdir(d));) n += one->d_name[0] != '.' && strtol(one->d_name, NULL, 10) != dirfd(d);
    closedir(d);
    return n;
}

static void tell_self(void)
{
    char text[256];
    snprintf(text, sizeof text, "{\"pid\": %ld, \"descriptors\": %u, \"secret\": %s}", (long)getpid(), n_open_descriptors(), getenv("ASKER_TEST_SECRET") ? "true" : "false");
    put_text("{}");
    put_text(text);
}

static void behave(const char *how, const json_t *question)
{
    if (strcmp(how, "hang") == 0) pause();
    if (strcmp(how, "die") == 0) _exit(3);
    if (strcmp(how, "half") == 0) {
        put_text("{}");
        put(100, "half", 4);
        _exit(0);
    }
    if (strcmp(how, "no-json") == 0) put_text("no"), put_text("");
    if (strcmp(how, "no-body") == 0) put_text("{}"), put_text("");
    if (strcmp(how, "long-head") == 0) put(ASKER_HEAD_MAX + 1, "x", 1), pause();
    if (strcmp(how, "long-body") == 0) put_text("{}"), put(UINT32_MAX, "x", 1), pause();
    if (strcmp(how, "refuse") == 0) put_text("{\"class\": \"NOTFOUND\", \"message\": \"there is no 'x'\", \"hint\": \"look\"}"), put_text("");
    if (strcmp(how, "page") == 0) put_text("{\"total\": 5, \"hidden\": 2, \"gaps\": []}"), put_text("[1, 2]");
    if (strcmp(how, "self") == 0) tell_self();
    if (strcmp(how, "slow") == 0) usleep(1000000), put_text("{}"), put_text("[]");
    if (strcmp(how, "big") == 0) {
        size_t n = ASKER_BODY_MAX;
        char *text = x_alloc(n);
        memset(text, ' ', n);
        text[0] = '7';
        put_text("{}");
        put((uint32_t)n, text, n);
        free(text);
    }
    if (strcmp(how, "echo") == 0) {
        char *text = json_dumps(question, JSON_COMPACT);
        put_text("{}");
        put_text(text);
        free(text);
    }
}

static int be_the_child(void)
{
    uint8_t raw[4];
    while (get(raw, sizeof raw)) {
        size_t n = (size_t)raw[0] | (size_t)raw[1] << 8 | (size_t)raw[2] << 16 | (size_t)raw[3] << 24;
        char *text = x_alloc(n + 1);
        if (!get(text, n)) return 1;
        json_t *q = json_loadb(text, n, 0, NULL);
        const char *how = json_string_value(json_array_get(json_object_get(q, "words"), 0));
        if (how && strcmp(how, "once") == 0) { /* idle for too long: ends behind its answer */
            put_text("{}");
            put_text("[]");
            return 0;
        }
        behave(how ? how : "", q);
        json_decref(q);
        free(text);
    }
    return 0;
}

/* --- helpers ------------------------------------------------------------------------------------------------ */

static struct asker *open_asker(void)
{
    struct asker *a;
    struct err e;
    assert_int_equal(asker_open(&a, "sqlite:/nowhere", 60000, &e), 0);
    return a;
}

static int ask_one(struct asker *a, const char *word, int timeout_ms, json_t **out, struct err *e)
{
    const char *words[] = {word, NULL};
    return asker_ask(a, words, timeout_ms, out, e);
}

static int64_t child_of(struct asker *a)
{
    json_t *j;
    struct err e;
    assert_int_equal(ask_one(a, "self", 5000, &j, &e), 0);
    int64_t pid = json_integer_value(json_object_get(j, "pid"));
    json_decref(j);
    return pid;
}

/* --- the tests ------------------------------------------------------------------------------------------------ */

static void test_words_come_as_they_are(void **state)
{
    (void)state;
    static const char *const words[] = {"echo", "--x=a b", "--", "-r", "ä\n\"'$(id)\\", "", NULL};
    struct asker *a = open_asker();
    struct err e;
    json_t *j;
    assert_int_equal(asker_ask(a, words, 5000, &j, &e), 0);
    const json_t *got = json_object_get(j, "words");
    assert_int_equal(json_array_size(got), 6);
    for (size_t i = 0; words[i]; i++) assert_string_equal(json_string_value(json_array_get(got, i)), words[i]);
    assert_string_equal(json_string_value(json_object_get(j, "as")), "json");
    json_decref(j);
    assert_int_equal(asker_page(a, (const char *const[]){"page", NULL}, 10, 2, 5000, &j, &e), 0);
    assert_int_equal(json_array_size(json_object_get(j, "items")), 2);
    assert_int_equal(json_integer_value(json_object_get(j, "hidden")), 2);
    json_decref(j);
    assert_int_equal(asker_ask(a, (const char *const[]){"echo", "\xff", NULL}, 5000, &j, &e), ERR_INPUT);
    char *much = x_alloc(ASKER_QUESTION_MAX + 1);
    memset(much, 'x', ASKER_QUESTION_MAX);
    much[ASKER_QUESTION_MAX] = 0;
    assert_int_equal(asker_ask(a, (const char *const[]){"echo", much, NULL}, 5000, &j, &e), ERR_INPUT);
    free(much);
    asker_close(a);
}

static void test_the_child_gets_nothing(void **state)
{
    (void)state;
    struct asker *a = open_asker();
    struct err e;
    json_t *j;
    setenv("ASKER_TEST_SECRET", "x", 1);
    assert_true(dup2(STDERR_FILENO, 77) == 77); /* inheritable */
    assert_int_equal(ask_one(a, "self", 5000, &j, &e), 0);
    assert_int_equal(json_integer_value(json_object_get(j, "descriptors")), 4);
    assert_true(json_is_false(json_object_get(j, "secret")));
    json_decref(j);
    close(77);
    asker_close(a);
}

static void test_refusals_and_nonsense(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        int class;
    } cases[] = {{"die", ERR_BUG}, {"half", ERR_BUG}, {"no-json", ERR_BUG}, {"no-body", ERR_BUG}, {"long-head", ERR_BUG}, {"long-body", ERR_BUG}, {"refuse", ERR_NOTFOUND}};
    struct asker *a = open_asker();
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct err e;
        json_t *j;
        assert_int_equal(ask_one(a, cases[i].word, 5000, &j, &e), cases[i].class);
        assert_null(j);
        assert_true(e.message[0]);
        assert_true(child_of(a) > 0);
    }
    asker_close(a);
}

static void test_time(void **state)
{
    (void)state;
    struct asker *a = open_asker();
    struct err e;
    json_t *j;
    int64_t before = child_of(a), began = when_monotonic_ms();
    assert_int_equal(ask_one(a, "hang", 200, &j, &e), ERR_TIMEOUT);
    assert_in_range(when_monotonic_ms() - began, 190, 15000);
    assert_int_not_equal(child_of(a), before);
    assert_int_not_equal(kill((pid_t)before, 0), 0); /* ended, and no zombie */
    asker_close(a);
}

static void test_idle(void **state)
{
    (void)state;
    struct asker *a = open_asker();
    struct err e;
    json_t *j;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask_one(a, "once", 5000, &j, &e), 0);
        json_decref(j);
        if (i == 1) usleep(100000);
    }
    assert_true(child_of(a) > 0);
    asker_close(a);
}

static void test_much(void **state)
{
    (void)state;
    struct asker *a = open_asker();
    struct err e;
    json_t *j;
    assert_int_equal(ask_one(a, "no-body", 5000, &j, &e), ERR_BUG);
    struct buf b = buf_new(ASKER_BODY_MAX);
    assert_int_equal(asker_text(a, (const char *const[]){"big", NULL}, 20000, &b, &e), 0);
    assert_int_equal(b.len, ASKER_BODY_MAX);
    buf_free(&b);
    b = buf_new(100);
    assert_int_equal(asker_text(a, (const char *const[]){"big", NULL}, 20000, &b, &e), ERR_LIMIT);
    buf_free(&b);
    asker_close(a);
}

struct thread {
    struct asker *asker;
    const char *word;
    int timeout_ms, rc;
    struct err e;
};

static void *in_thread(void *ctx)
{
    struct thread *t = ctx;
    json_t *j;
    t->rc = ask_one(t->asker, t->word, t->timeout_ms, &j, &t->e);
    json_decref(j);
    return NULL;
}

static void test_many_threads(void **state)
{
    (void)state;
    struct asker *a = open_asker();
    pthread_t threads[8];
    struct thread t[8];
    for (int i = 0; i < 8; i++) {
        t[i] = (struct thread){.asker = a, .word = i % 2 ? "echo" : "die", .timeout_ms = 60000};
        pthread_create(&threads[i], NULL, in_thread, &t[i]);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(t[i].rc, i % 2 ? 0 : ERR_BUG);
    }
    asker_close(a);
}

/* Who waits for another's long question is told so in time. */
static void test_turns(void **state)
{
    (void)state;
    struct asker *a = open_asker();
    struct err e;
    json_t *j;
    pthread_t thread;
    struct thread t = {.asker = a, .word = "slow", .timeout_ms = 30000};
    child_of(a);
    pthread_create(&thread, NULL, in_thread, &t);
    int rc;
    for (int i = 0; (rc = ask_one(a, "echo", 50, &j, &e)) == 0 && i < 1000; i++) { /* the other's turn has not begun */
        json_decref(j);
        usleep(1000);
    }
    assert_int_equal(rc, ERR_TIMEOUT);
    assert_non_null(strstr(e.message, "others"));
    pthread_join(thread, NULL);
    assert_int_equal(t.rc, 0);
    asker_close(a);
}

static void test_stop(void **state)
{
    (void)state;
    struct asker *a = open_asker();
    struct err e;
    json_t *j;
    pthread_t thread;
    struct thread t = {.asker = a, .word = "hang", .timeout_ms = 20000};
    int64_t began = when_monotonic_ms();
    pthread_create(&thread, NULL, in_thread, &t);
    usleep(100000);
    asker_stop(a);
    pthread_join(thread, NULL);
    assert_int_equal(t.rc, ERR_CANCEL);
    assert_true(when_monotonic_ms() - began < 5000);
    assert_int_equal(ask_one(a, "echo", 1000, &j, &e), ERR_CANCEL);
    asker_close(a);
    asker_close(NULL);
    asker_stop(NULL);
}

static void test_no_program(void **state)
{
    (void)state;
    struct asker *a;
    struct err e;
    json_t *j;
    assert_int_equal(asker_open_program(&a, "/nowhere/rollcall", "sqlite:x", 1000, &e), 0);
    assert_int_equal(ask_one(a, "echo", 1000, &j, &e), ERR_LIMIT);
    asker_close(a);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "answer") == 0) return be_the_child();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_come_as_they_are), cmocka_unit_test(test_the_child_gets_nothing), cmocka_unit_test(test_refusals_and_nonsense),
        cmocka_unit_test(test_time), cmocka_unit_test(test_idle), cmocka_unit_test(test_much), cmocka_unit_test(test_many_threads),
        cmocka_unit_test(test_turns), cmocka_unit_test(test_stop), cmocka_unit_test(test_no_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
