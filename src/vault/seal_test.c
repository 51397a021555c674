#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "vault/seal.h"

#include "base/file.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64], path[80];

static int setup(void **state)
{
    snprintf(dir, sizeof dir, "/tmp/rollcall-seal-XXXXXX");
    if (!mkdtemp(dir)) return -1;
    snprintf(path, sizeof path, "%s/key", dir);
    unsetenv("CREDENTIALS_DIRECTORY");
    return 0;
}

static int teardown(void **state)
{
    char other[96];
    unlink(path);
    snprintf(other, sizeof other, "%s/rollcall-master-key", dir);
    unlink(other);
    return rmdir(dir);
}

static struct seal *open_seal(void)
{
    struct seal *s;
    struct err e = {0};
    assert_int_equal(seal_open(&s, path, true, &e), 0);
    return s;
}

static char *sealed(const struct seal *s, const char *secret, const char *bound)
{
    struct buf b = buf_new(200000);
    struct err e;
    assert_int_equal(seal_put(s, bytes_of(str_from(secret)), str_from(bound), &b, &e), 0);
    char *out = x_strdup(buf_str(&b));
    buf_free(&b);
    return out;
}

static int opens(const struct seal *s, const char *text, const char *bound, const char *want)
{
    struct secret out;
    struct err e = {0};
    int rc = seal_get(s, str_from(text), str_from(bound), &out, &e);
    if (rc == 0) assert_string_equal((char *)out.ptr, want);
    if (rc < 0) assert_null(out.ptr);
    assert_null(strstr(e.message, "hunter2"));
    secret_drop(&out);
    return rc;
}

static void test_round_trip(void **state)
{
    struct seal *s = open_seal();
    struct stat st;
    char *one = sealed(s, "hunter2", "corp:password:dc1"), *two = sealed(s, "hunter2", "corp:password:dc1");
    assert_string_not_equal(one, two); /* nobody sees that two are alike */
    assert_null(strstr(one, "hunter2"));
    assert_int_equal(opens(s, one, "corp:password:dc1", "hunter2"), 0);
    assert_int_equal(opens(s, one, "corp:password:dc2", "hunter2"), ERR_AUTH);
    assert_int_equal(opens(s, one, "", "hunter2"), ERR_AUTH);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    seal_close(s);
    s = open_seal(); /* another process */
    assert_int_equal(opens(s, two, "corp:password:dc1", "hunter2"), 0);
    assert_int_equal(seal_number(s), 1);
    assert_non_null(strstr(seal_describe(s), path));
    seal_close(s);
    free(one);
    free(two);
}

static void test_every_character_counts(void **state)
{
    struct seal *s = open_seal();
    char *text = sealed(s, "hunter2", "b");
    size_t n = strlen(text), refused = 0;
    for (size_t i = 0; i < n; i++) {
        char was = text[i];
        text[i] = was == 'A' ? 'B' : 'A';
        int rc = opens(s, text, "b", "hunter2");
        refused += rc == ERR_AUTH || rc == ERR_NOTFOUND;
        text[i] = was;
    }
    assert_int_equal(refused, n);
    for (size_t i = 0; i < n; i++) {
        char cut = text[i];
        text[i] = 0;
        assert_int_equal(opens(s, text, "b", "hunter2"), ERR_AUTH);
        text[i] = cut;
    }
    free(text);
    seal_close(s);
}

static void test_limits(void **state)
{
    struct seal *s = open_seal();
    struct err e;
    struct buf b = buf_new(200000), small = buf_new(50);
    struct secret out;
    char *big = x_alloc(SECRET_MAX + 2);
    memset(big, 'x', SECRET_MAX + 2);
    assert_int_equal(seal_put(s, (struct bytes){NULL, 0}, STR("b"), &b, &e), ERR_INPUT);
    assert_int_equal(seal_put(s, (struct bytes){(uint8_t *)big, SECRET_MAX + 1}, STR("b"), &b, &e), ERR_INPUT);
    assert_int_equal(seal_put(s, (struct bytes){(uint8_t *)big, SECRET_MAX}, STR("b"), &b, &e), 0);
    assert_int_equal(seal_get(s, buf_str(&b), STR("b"), &out, &e), 0);
    assert_int_equal(out.len, SECRET_MAX);
    secret_drop(&out);
    assert_int_equal(seal_put(s, (struct bytes){(uint8_t *)big, 100}, STR("b"), &small, &e), ERR_LIMIT);
    free(big);
    buf_free(&b);
    buf_free(&small);
    seal_close(s);
}

/* --- rotation -------------------------------------------------------------------------------------------------- */

static void test_rotation(void **state)
{
    struct err e;
    struct seal *s = open_seal();
    char *old = sealed(s, "hunter2", "b");
    assert_int_equal(seal_rotate(s, &e), 0);
    uint32_t number = seal_number(s);
    char *new = sealed(s, "hunter2", "b");
    assert_int_equal(opens(s, old, "b", "hunter2"), 0);
    struct seal *other = open_seal(); /* killed here: both keys are on disk */
    assert_int_equal(opens(other, old, "b", "hunter2"), 0);
    assert_int_equal(opens(other, new, "b", "hunter2"), 0);
    seal_close(other);
    assert_int_equal(seal_retire(s, &e), 0);
    assert_int_equal(opens(s, old, "b", "hunter2"), ERR_NOTFOUND);
    assert_int_equal(opens(s, new, "b", "hunter2"), 0);
    other = open_seal();
    assert_int_equal(opens(other, old, "b", "hunter2"), ERR_NOTFOUND);
    assert_int_equal(opens(other, new, "b", "hunter2"), 0);
    assert_int_equal(seal_number(other), number);
    seal_close(other);
    seal_close(s);
    free(old);
    free(new);
}

static void test_rotation_that_cannot_write(void **state)
{
    struct err e;
    struct seal *s = open_seal();
    char *old = sealed(s, "hunter2", "b");
    uint32_t number = seal_number(s);
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0); /* as a disk that is full: root writes everywhere */
    assert_true(seal_rotate(s, &e) < 0);
    assert_int_equal(seal_number(s), number); /* nothing is sealed with what is not on disk */
    assert_int_equal(opens(s, old, "b", "hunter2"), 0);
    rmdir(path);
    free(old);
    seal_close(s);
}

/* A child rotates and retires until it is killed: whenever that was, the file opens and holds what the last secret was sealed with. */
static void test_killed(void **state)
{
    struct err e;
    for (unsigned round = 0; round < 40; round++) {
        int told[2];
        struct seal *s = open_seal();
        assert_int_equal(pipe(told), 0);
        pid_t pid = fork();
        if (pid == 0) {
            for (;;) {
                if (seal_keys(s) > 1 && seal_retire(s, &e) < 0) _exit(1);
                if (seal_rotate(s, &e) < 0) _exit(1);
                char *text = sealed(s, "hunter2", "b"); /* the reseal */
                if (write(told[1], text, strlen(text) + 1) < 0) _exit(1);
                free(text);
                if (seal_retire(s, &e) < 0) _exit(1);
            }
        }
        close(told[1]);
        usleep(2000 + round * 700);
        assert_true(pid > 0);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        char text[65536] = "";
        ssize_t n = read(told[0], text, sizeof text - 1);
        close(told[0]);
        seal_close(s);
        s = open_seal();
        const char *last = NULL;
        for (char *at = text; n > 0 && at < text + n; at += strlen(at) + 1)
            if (at + strlen(at) < text + n) last = at;
        if (last && n < (ssize_t)sizeof text - 1) assert_int_equal(opens(s, last, "b", "hunter2"), 0);
        seal_close(s);
    }
    struct seal *s = open_seal();
    char command[128];
    assert_int_equal(seal_rotate(s, &e), 0);
    assert_int_equal(seal_retire(s, &e), 0);
    seal_close(s);
    snprintf(command, sizeof command, "ls %s/*.tmp >/dev/null 2>&1", dir);
    assert_int_not_equal(system(command), 0); /* no key is left in half of a file */
}

/* --- where keys come from ----------------------------------------------------------------------------------------- */

static void test_passphrase(void **state)
{
    struct err e = {0};
    struct seal *s;
    struct secret right, wrong;
    assert_int_equal(secret_take(&right, bytes_of(STR("correct horse")), &e), 0);
    assert_int_equal(secret_take(&wrong, bytes_of(STR("battery staple")), &e), 0);
    unlink(path);
    assert_int_equal(seal_open_passphrase(&s, &right, path, false, &e), ERR_NOTFOUND);
    assert_int_equal(seal_open_passphrase(&s, &right, path, true, &e), 0);
    char *text = sealed(s, "hunter2", "b");
    seal_close(s);
    assert_int_equal(seal_open_passphrase(&s, &wrong, path, true, &e), ERR_AUTH);
    assert_int_equal(seal_open(&s, path, true, &e), ERR_AUTH);
    assert_int_equal(seal_open_passphrase(&s, &right, path, true, &e), 0);
    assert_int_equal(opens(s, text, "b", "hunter2"), 0);
    assert_int_equal(seal_rotate(s, &e), 0);
    assert_int_equal(opens(s, text, "b", "hunter2"), 0);
    seal_close(s);
    unlink(path);
    s = open_seal();
    seal_close(s);
    assert_int_equal(seal_open_passphrase(&s, &right, path, true, &e), ERR_INPUT); /* not locked: somebody put it there */
    free(text);
    secret_drop(&right);
    secret_drop(&wrong);
}

static void write_credential(const char *text)
{
    char name[96];
    struct err e;
    snprintf(name, sizeof name, "%s/rollcall-master-key", dir);
    assert_int_equal(file_write_atomic(name, bytes_of(str_from(text)), 0400, &e), 0);
}

static void test_credential(void **state)
{
    struct err e;
    struct seal *s = open_seal();
    char *of_file = sealed(s, "hunter2", "b");
    seal_close(s);
    write_credential("too short\n");
    setenv("CREDENTIALS_DIRECTORY", dir, 1);
    assert_int_equal(seal_open(&s, path, true, &e), ERR_INPUT);
    write_credential("c2l4dGVlbiBieXRlcyBvZiByYW5kb21uZXNzIGFyZSBlbm91Z2g=\n");
    s = open_seal();
    assert_string_equal(seal_describe(s), "systemd credential rollcall-master-key");
    char *of_credential = sealed(s, "hunter2", "b");
    assert_int_equal(opens(s, of_file, "b", "hunter2"), 0); /* from before */
    assert_int_equal(opens(s, of_credential, "b", "hunter2"), 0);
    seal_close(s);
    unlink(path);
    s = open_seal();
    assert_int_equal(opens(s, of_credential, "b", "hunter2"), 0);
    assert_int_equal(opens(s, of_file, "b", "hunter2"), ERR_AUTH);
    assert_int_equal(seal_rotate(s, &e), ERR_CONFLICT);
    seal_close(s);
    assert_int_equal(access(path, F_OK), -1); /* nothing was made beside it */
    unsetenv("CREDENTIALS_DIRECTORY");
    free(of_file);
    free(of_credential);
}

static void test_bad_files(void **state)
{
    static const struct {
        const char *text;
        unsigned mode;
        int rc;
    } cases[] = {
        {"", 0600, ERR_INPUT},
        {"rollcall-keys 1\n", 0600, ERR_INPUT},
        {"rollcall-keys 1\n1 AAAA\n", 0600, ERR_INPUT},
        {"rollcall-keys 1\n0 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", 0600, ERR_INPUT},
        {"rollcall-keys 2\n1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", 0600, ERR_INPUT},
        {"rollcall-keys 1\n1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", 0640, ERR_DENIED},
        {"rollcall-keys 1\n1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", 0604, ERR_DENIED},
        {"rollcall-keys-locked 1\nx", 0600, ERR_AUTH},
        {"rollcall-keys 1\n1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n7 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 0600, 0},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct err e = {0};
        struct seal *s;
        assert_int_equal(file_write_atomic(path, bytes_of(str_from(cases[i].text)), 0600, &e), 0);
        assert_int_equal(chmod(path, cases[i].mode), 0);
        assert_int_equal(seal_open(&s, path, true, &e), cases[i].rc);
        if (cases[i].rc == 0) assert_int_equal(seal_number(s), 7);
        seal_close(s);
    }
    unlink(path);
    struct err e;
    struct seal *s;
    assert_int_equal(seal_open(&s, path, false, &e), ERR_NOTFOUND);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(seal_open(&s, path, true, &e), ERR_INPUT); /* and does not hang */
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_every_character_counts), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_rotation),   cmocka_unit_test(test_rotation_that_cannot_write), cmocka_unit_test(test_killed),
        cmocka_unit_test(test_passphrase), cmocka_unit_test(test_credential),                 cmocka_unit_test(test_bad_files),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
