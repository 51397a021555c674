#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], path[128];

static int make_dir(void **state)
{
    snprintf(dir, sizeof dir, "/tmp/rollcall-file-test.XXXXXX");
    if (!mkdtemp(dir)) return -1;
    snprintf(path, sizeof path, "%s/f", dir);
    return 0;
}

static int remove_dir(void **state)
{
    unlink(path);
    return rmdir(dir); /* fails if a temporary file was left behind */
}

static void writes_whole_and_reads_back(void **state)
{
    struct err e;
    struct buf b = buf_new(1 << 20), out = buf_new(1 << 20);
    for (int i = 0; i < 100000; i++) buf_add_byte(&b, (uint8_t)i);
    assert_int_equal(file_write_atomic(path, buf_bytes(&b), 0600, &e), 0);
    assert_int_equal(file_read(&out, path, &e), 0);
    assert_true(bytes_equal(buf_bytes(&b), buf_bytes(&out)));
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(file_write_atomic(path, bytes_of(STR("new")), 0600, &e), 0);
    buf_clear(&out);
    assert_int_equal(file_read(&out, path, &e), 0);
    assert_string_equal(buf_cstr(&out), "new");
    buf_free(&b);
    buf_free(&out);
}

/* A left-over of a killed process must neither stop us nor lend its permissions or its target. */
static void a_left_over_is_replaced(void **state)
{
    struct err e;
    char name[200], other[200];
    snprintf(name, sizeof name, "%s.%ld.tmp", path, (long)getpid());
    snprintf(other, sizeof other, "%s/other", dir);
    int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, 0666), 0);
    close(fd);
    assert_int_equal(file_write_atomic(path, bytes_of(STR("x")), 0600, &e), 0);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(symlink(other, name), 0);
    assert_int_equal(file_write_atomic(path, bytes_of(STR("y")), 0600, &e), 0);
    assert_int_equal(access(other, F_OK), -1);
}

static void errors_have_their_class(void **state)
{
    struct err e;
    struct buf b = buf_new(10);
    char missing[200];
    snprintf(missing, sizeof missing, "%s/no/such", dir);
    assert_int_equal(file_read(&b, missing, &e), ERR_NOTFOUND);
    assert_non_null(strstr(e.message, missing));
    assert_int_equal(file_read(&b, dir, &e), ERR_INPUT); /* a directory */
    assert_int_equal(file_write_atomic(missing, bytes_of(STR("x")), 0600, &e), ERR_NOTFOUND);
    assert_int_equal(file_write_atomic(path, bytes_of(STR("0123456789")), 0600, &e), 0);
    assert_int_equal(file_read(&b, path, &e), 0); /* exactly the limit */
    buf_clear(&b);
    assert_int_equal(file_write_atomic(path, bytes_of(STR("0123456789a")), 0600, &e), 0);
    assert_int_equal(file_read(&b, path, &e), ERR_LIMIT);
    buf_free(&b);
}

static void a_pipe_without_reader_is_net(void **state)
{
    struct err e;
    int p[2];
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe(p), 0);
    close(p[0]);
    assert_int_equal(file_write_all(p[1], bytes_of(STR("x")), &e), ERR_NET);
    close(p[1]);
}

static void spills(void **state)
{
    struct err e;
    int fd;
    assert_int_equal(setenv("TMPDIR", dir, 1), 0);
    assert_int_equal(file_spill(&fd, &e), 0);
    assert_int_equal(file_write_all(fd, bytes_of(STR("abc")), &e), 0);
    char back[4] = "";
    assert_int_equal(pread(fd, back, 3, 0), 3);
    assert_string_equal(back, "abc");
    close(fd);
    assert_int_equal(setenv("TMPDIR", "/no/such/dir", 1), 0);
    assert_int_equal(file_spill(&fd, &e), ERR_INPUT);
    assert_non_null(strstr(e.message, "/no/such/dir"));
    assert_non_null(strstr(e.hint, "TMPDIR"));
}

static void a_full_disk_under_a_spill_is_named(void **state)
{
    struct err e;
    int fd = open("/dev/full", O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(setenv("TMPDIR", "/some/where", 1), 0);
    assert_int_equal(file_spill_write(fd, bytes_of(STR("abc")), &e), ERR_LIMIT);
    assert_non_null(strstr(e.message, "temporary file in /some/where: write: No space left"));
    assert_non_null(strstr(e.hint, "make room"));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_whole_and_reads_back, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_left_over_is_replaced, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(errors_have_their_class, make_dir, remove_dir),
        cmocka_unit_test(a_pipe_without_reader_is_net),
        cmocka_unit_test_setup_teardown(spills, make_dir, remove_dir),
        cmocka_unit_test(a_full_disk_under_a_spill_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
