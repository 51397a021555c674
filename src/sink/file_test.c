#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "net/sigpipe.h"
#include "sink/sink.h"

static char path[] = "/tmp/rollcall-file-test-XXXXXX";
static int fd;

static int set_up(void **state)
{
    memcpy(path + sizeof path - 7, "XXXXXX", 6);
    fd = mkostemp(path, O_CLOEXEC);
    return fd < 0;
}

static int tear_down(void **state)
{
    close(fd);
    return unlink(path);
}

static void add_line(struct sink_file *f, size_t n, char c)
{
    uint8_t *to = buf_reserve(sink_file_buf(f), n + 1);
    if (!to) return;
    memset(to, c, n);
    to[n] = '\n';
    buf_advance(sink_file_buf(f), n + 1);
}

static off_t size_of(const char *p)
{
    struct stat st;
    assert_int_equal(stat(p, &st), 0);
    return st.st_size;
}

static void test_writes_everything_in_order(void **state)
{
    struct err e;
    struct sink_file *f;
    assert_int_equal(sink_file_open(&f, fd, false, &e), 0);
    for (int i = 0; i < 100000; i++) {
        buf_printf(sink_file_buf(f), "line %d\n", i);
        assert_int_equal(sink_file_flush_some(f, &e), 0);
    }
    assert_true(size_of(path) > 0); /* not all of it is kept in memory */
    assert_int_equal(sink_file_close(f, &e), 0);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    char line[64], expected[64];
    int n = 0;
    for (; fgets(line, sizeof line, in); n++) {
        snprintf(expected, sizeof expected, "line %d\n", n);
        assert_string_equal(line, expected);
    }
    assert_int_equal(n, 100000);
    fclose(in);
}

static void test_buffers_256_kib(void **state)
{
    struct err e;
    struct sink_file *f;
    assert_int_equal(sink_file_open(&f, fd, false, &e), 0);
    add_line(f, (256 << 10) - 1, 'a');
    assert_int_equal(sink_file_flush_some(f, &e), 0);
    assert_int_equal(size_of(path), 0);
    add_line(f, 0, 'b');
    assert_int_equal(sink_file_flush_some(f, &e), 0);
    assert_int_equal(size_of(path), (256 << 10) + 1);
    assert_int_equal(sink_file_close(f, &e), 0);
}

static void test_nothing_written_nothing_there(void **state)
{
    struct err e;
    struct sink_file *f;
    assert_int_equal(sink_file_open(&f, fd, false, &e), 0);
    assert_int_equal(sink_file_close(f, &e), 0);
    assert_int_equal(size_of(path), 0);
    assert_int_equal(sink_file_close(NULL, &e), 0);
}

static void test_close_fd(void **state)
{
    struct err e;
    struct sink_file *f;
    int mine = dup(fd);
    assert_int_equal(sink_file_open(&f, mine, true, &e), 0);
    assert_int_equal(sink_file_close(f, &e), 0);
    assert_int_equal(fcntl(mine, F_GETFD), -1);
    assert_int_equal(sink_file_open(&f, fd, false, &e), 0);
    assert_int_equal(sink_file_close(f, &e), 0);
    assert_true(fcntl(fd, F_GETFD) >= 0);
}

static void test_bad_descriptor(void **state)
{
    struct err e;
    struct sink_file *f = (void *)1;
    assert_int_equal(sink_file_open(&f, 99, true, &e), ERR_INPUT);
    assert_null(f);
}

/* /dev/full: every write fails as on a full disk. */
static void test_full_disk(void **state)
{
    struct err e;
    struct sink_file *f;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(full >= 0);
    assert_int_equal(sink_file_open(&f, full, true, &e), 0);
    add_line(f, 10, 'a');
    assert_int_equal(sink_file_flush_some(f, &e), 0); /* still waits in memory */
    add_line(f, 300 << 10, 'b');
    assert_int_equal(sink_file_flush_some(f, &e), ERR_LIMIT);
    assert_int_equal(e.code, ENOSPC);
    assert_true(e.hint[0]);
    for (int i = 0; i < 100; i++) { /* sticky, and no memory is spent on what cannot be written */
        add_line(f, 1 << 20, 'c');
        assert_int_equal(sink_file_flush_some(f, &e), ERR_LIMIT);
    }
    assert_int_equal(sink_file_close(f, &e), ERR_LIMIT);
    assert_int_equal(e.code, ENOSPC);
}

static void test_full_disk_seen_at_close(void **state)
{
    struct err e;
    struct sink_file *f;
    assert_int_equal(sink_file_open(&f, open("/dev/full", O_WRONLY | O_CLOEXEC), true, &e), 0);
    add_line(f, 10, 'a');
    assert_int_equal(sink_file_close(f, &e), ERR_LIMIT);
}

static void test_file_size_limit(void **state)
{
    struct err e;
    struct sink_file *f;
    struct rlimit old, small = {1 << 20, RLIM_INFINITY};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(sink_file_open(&f, fd, false, &e), 0);
    int rc = 0;
    for (int i = 0; i < 8 && rc == 0; i++) {
        add_line(f, 300 << 10, 'x');
        rc = sink_file_flush_some(f, &e);
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(rc, ERR_LIMIT);
    assert_int_equal(sink_file_close(f, &e), ERR_LIMIT);
}

/* `rollcall read corp | head`: an error, never a death by SIGPIPE (whose default action stands here). */
static void test_reader_gone(void **state)
{
    struct err e;
    struct sink_file *f;
    int ends[2];
    signal(SIGPIPE, SIG_DFL);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    close(ends[0]);
    assert_int_equal(sink_file_open(&f, ends[1], true, &e), 0);
    add_line(f, 300 << 10, 'a');
    assert_int_equal(sink_file_flush_some(f, &e), ERR_NET);
    assert_int_equal(e.domain, DOM_ERRNO);
    assert_int_equal(e.code, EPIPE);
    assert_int_equal(sink_file_close(f, &e), ERR_NET);
    sigset_t pending;
    sigpending(&pending);
    assert_false(sigismember(&pending, SIGPIPE));
}

/* A SIGPIPE that somebody else held back stays pending for him. */
static void test_guard_leaves_a_pending_one(void **state)
{
    sigset_t set, old, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, &old);
    raise(SIGPIPE);
    struct sigpipe_guard g = sigpipe_begin();
    sigpipe_end(&g);
    sigpending(&pending);
    assert_true(sigismember(&pending, SIGPIPE));
    int got;
    assert_int_equal(sigwait(&set, &got), 0);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* A non-blocking pipe with a slow reader: everything arrives. */
static void test_non_blocking_pipe(void **state)
{
    enum { LINES = 20, LINE = 100000 };
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct err e;
        struct sink_file *f;
        close(ends[0]);
        int rc = sink_file_open(&f, ends[1], true, &e);
        for (int i = 0; i < LINES && rc == 0; i++) {
            add_line(f, LINE - 1, 'z');
            rc = sink_file_flush_some(f, &e);
        }
        _exit(rc || sink_file_close(f, &e));
    }
    close(ends[1]);
    size_t total = 0;
    for (;;) {
        static char chunk[65536];
        struct pollfd p = {.fd = ends[0], .events = POLLIN};
        poll(&p, 1, 1000);
        ssize_t n = read(ends[0], chunk, sizeof chunk);
        if (n == 0) break;
        if (n > 0) total += (size_t)n;
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    close(ends[0]);
    assert_int_equal(status, 0);
    assert_int_equal(total, LINES * LINE);
}

/* The buffer's maximum cuts the line that passes it, not the ones before it. */
static void test_endless_line(void **state)
{
    struct err e;
    struct sink_file *f;
    assert_int_equal(sink_file_open(&f, fd, false, &e), 0);
    add_line(f, 9, 'a');
    assert_int_equal(sink_file_flush_some(f, &e), 0);
    for (int i = 0; i < 80 && buf_reserve(sink_file_buf(f), 1 << 20); i++)
        buf_advance(sink_file_buf(f), 1 << 20);
    assert_true(sink_file_buf(f)->failed);
    assert_int_equal(sink_file_flush_some(f, &e), ERR_LIMIT);
    add_line(f, 9, 'b');
    assert_int_equal(sink_file_flush_some(f, &e), ERR_LIMIT);
    assert_int_equal(sink_file_close(f, &e), ERR_LIMIT);
    assert_int_equal(size_of(path), 10);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(writes_everything_in_order),
        T(buffers_256_kib),
        T(nothing_written_nothing_there),
        T(close_fd),
        T(bad_descriptor),
        T(full_disk),
        T(full_disk_seen_at_close),
        T(file_size_limit),
        T(reader_gone),
        T(guard_leaves_a_pending_one),
        T(non_blocking_pipe),
        T(endless_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
