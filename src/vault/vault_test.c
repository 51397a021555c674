#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "vault/vault.h"

#include "conf/reference.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define WHAT "password of corp"

static char dir[] = "/tmp/rollcall-vault-XXXXXX";
static char path[64];

static int setup(void **state)
{
    if (!mkdtemp(dir)) return -1;
    snprintf(path, sizeof path, "%s/pw", dir);
    return 0;
}

static int teardown(void **state)
{
    unlink(path);
    return rmdir(dir);
}

static void write_file(struct str content, mode_t mode)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content.ptr, content.len), (ssize_t)content.len);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static int resolve_file(struct secret *out, struct err *e)
{
    char reference[80];
    snprintf(reference, sizeof reference, "file:%s", path);
    *e = (struct err){0};
    return secret_resolve(out, str_from(reference), WHAT, e);
}

static void assert_secret(const struct secret *s, struct str want)
{
    assert_int_equal(s->len, want.len);
    assert_memory_equal(s->ptr, want.ptr, want.len);
}

static void test_file_content(void **state)
{
    static const struct {
        struct str content, secret;
    } cases[] = {
        {{"pw", 2}, {"pw", 2}},         {{"pw\n", 3}, {"pw", 2}},
        {{"pw\r\n", 4}, {"pw", 2}},     {{"pw\n\n", 4}, {"pw\n", 3}},
        {{"pw\r", 3}, {"pw\r", 3}},     {{" pw \n", 5}, {" pw ", 4}},
        {{"a\nb\n", 4}, {"a\nb", 3}},   {{"p\xc3\xa4\n", 4}, {"p\xc3\xa4", 3}},
        {{"p\xe4\n", 3}, {"p\xe4", 2}},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct secret s;
        struct err e;
        write_file(cases[i].content, 0600);
        assert_int_equal(resolve_file(&s, &e), 0);
        assert_secret(&s, cases[i].secret);
        secret_drop(&s);
    }
}

static void test_file_refused(void **state)
{
    static const struct {
        struct str content;
        int rc;
        const char *part;
    } cases[] = {
        {{"", 0}, ERR_INPUT, "the secret is empty"},
        {{"\n", 1}, ERR_INPUT, "the secret is empty"},
        {{"\r\n", 2}, ERR_INPUT, "the secret is empty"},
        {{"s3cr3t\0x", 8}, ERR_INPUT, "NUL"},
        {{"\xef\xbb\xbfs3cr3t", 9}, ERR_INPUT, "byte order mark"},
        {{"\xff\xfes\0", 4}, ERR_INPUT, "byte order mark"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct secret s;
        struct err e;
        write_file(cases[i].content, 0600);
        assert_int_equal(resolve_file(&s, &e), cases[i].rc);
        assert_non_null(strstr(e.message, cases[i].part));
        assert_null(strstr(e.message, "s3cr3t"));
        assert_int_equal(strncmp(e.message, WHAT ": ", strlen(WHAT) + 2), 0);
        assert_null(s.ptr);
    }
}

static void test_file_size(void **state)
{
    char *big = x_alloc(SECRET_MAX + 10);
    memset(big, 'x', SECRET_MAX + 10);
    static const struct {
        size_t len;
        bool newline, ok;
    } cases[] = {{SECRET_MAX, false, true},
                 {SECRET_MAX + 1, true, true},
                 {SECRET_MAX + 1, false, false},
                 {SECRET_MAX + 10, false, false}};
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct secret s;
        struct err e;
        big[cases[i].len - 1] = cases[i].newline ? '\n' : 'x';
        write_file((struct str){big, cases[i].len}, 0600);
        assert_int_equal(resolve_file(&s, &e), cases[i].ok ? 0 : ERR_INPUT);
        if (cases[i].ok) assert_int_equal(s.len, SECRET_MAX);
        secret_drop(&s);
        big[cases[i].len - 1] = 'x';
    }
    free(big);
}

/* The file's owner is whoever runs the test; the rule differs for root. */
static void test_file_modes(void **state)
{
    static const struct {
        mode_t mode;
        bool user_ok, root_ok;
    } cases[] = {{0600, true, true},   {0400, true, true},   {0700, true, true},   {0640, false, true},
                 {0440, false, true},  {0660, false, false}, {0644, false, false}, {0604, false, false},
                 {0620, false, false}, {0601, false, false}, {0666, false, false}, {0602, false, false}};
    bool is_root = geteuid() == 0;
    for (size_t i = 0; i < n_elements(cases); i++) {
        struct secret s;
        struct err e;
        write_file(STR("s3cr3t\n"), cases[i].mode);
        bool ok = is_root ? cases[i].root_ok : cases[i].user_ok;
        assert_int_equal(resolve_file(&s, &e), ok ? 0 : ERR_DENIED);
        if (ok) continue;
        char want[256], hint[128];
        snprintf(want, sizeof want, WHAT ": %s: %s may read or change the file (mode %04o)", path,
                 cases[i].mode & 007 ? "others" : "its group", cases[i].mode);
        assert_string_equal(e.message, want);
        snprintf(hint, sizeof hint, "chmod 600 %s", path);
        assert_int_equal(strncmp(e.hint, hint, strlen(hint)), 0);
        secret_drop(&s);
    }
}

/* Root's file within another owner's hands: only when the test runs as root. */
static void test_file_of_other_owner(void **state)
{
    struct secret s;
    struct err e;
    if (geteuid() != 0) skip();
    write_file(STR("pw"), 0640);
    assert_int_equal(chown(path, 65534, 65534), 0);
    assert_int_equal(resolve_file(&s, &e), ERR_DENIED);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(resolve_file(&s, &e), 0);
    secret_drop(&s);
}

static void test_file_kinds(void **state)
{
    struct secret s;
    struct err e;
    unlink(path);
    assert_int_equal(resolve_file(&s, &e), ERR_NOTFOUND);
    assert_int_equal(mkfifo(path, 0600), 0); /* must not hang */
    assert_int_equal(resolve_file(&s, &e), ERR_INPUT);
    assert_non_null(strstr(e.message, "not a regular file"));
    unlink(path);
    assert_int_equal(secret_resolve(&s, STR("file:/"), WHAT, &e), ERR_INPUT);
    assert_int_equal(secret_resolve(&s, STR("file:/dev/zero"), WHAT, &e), ERR_INPUT);
    assert_int_equal(secret_resolve(&s, STR("file:/etc/passwd/x"), WHAT, &e), ERR_NOTFOUND);
}

static void test_env(void **state)
{
    struct secret s;
    struct err e;
    setenv("ROLLCALL_TEST_PW", "a b", 1);
    assert_int_equal(secret_resolve(&s, STR("env:ROLLCALL_TEST_PW"), WHAT, &e), 0);
    assert_secret(&s, STR("a b"));
    secret_drop(&s);
    setenv("ROLLCALL_TEST_PW", "", 1);
    assert_int_equal(secret_resolve(&s, STR("env:ROLLCALL_TEST_PW"), WHAT, &e), ERR_INPUT);
    assert_string_equal(e.message,
                        "password of corp: environment variable ROLLCALL_TEST_PW: the secret is empty");
    unsetenv("ROLLCALL_TEST_PW");
    assert_int_equal(secret_resolve(&s, STR("env:ROLLCALL_TEST_PW"), WHAT, &e), ERR_NOTFOUND);
    assert_string_equal(e.message, "password of corp: the environment variable ROLLCALL_TEST_PW is not set");
}

static void test_credential(void **state)
{
    struct secret s;
    struct err e;
    unsetenv("CREDENTIALS_DIRECTORY");
    assert_int_equal(secret_resolve(&s, STR("cred:pw"), WHAT, &e), ERR_NOTFOUND);
    assert_string_equal(e.hint, "cred: works in a systemd unit with LoadCredential=pw:PATH");
    write_file(STR("hidden\n"), 0400);
    setenv("CREDENTIALS_DIRECTORY", dir, 1);
    assert_int_equal(secret_resolve(&s, STR("cred:pw"), WHAT, &e), 0);
    assert_secret(&s, STR("hidden"));
    secret_drop(&s);
    assert_int_equal(secret_resolve(&s, STR("cred:other"), WHAT, &e), ERR_NOTFOUND);
    assert_string_equal(e.hint, "add LoadCredential=other:PATH to the systemd unit");
    unsetenv("CREDENTIALS_DIRECTORY");
}

static void test_references(void **state)
{
    static const struct {
        const char *text, *described;
    } good[] = {{"file:/a b/c", "file /a b/c"},
                {"file:rel", "file rel"},
                {"env:A_1", "environment variable A_1"},
                {"cred:corp.pw", "systemd credential corp.pw"},
                {"prompt:", "asked on the terminal"}};
    static const char *const bad[] = {"",        "hunter2", "file:",   "file:a\nb", "env:",     "env:1A",
                                      "env:A=B", "env:A B", "cred:",   "cred:..",   "cred:a/b", "prompt:x",
                                      "prompt",  "vault:x", "FILE:/x", "pass:word"};
    struct reference r;
    struct err e;
    for (size_t i = 0; i < n_elements(good); i++) {
        struct buf b = buf_new(100);
        assert_int_equal(reference_parse(&r, str_from(good[i].text), &e), 0);
        secret_describe(&b, str_from(good[i].text));
        assert_string_equal(buf_cstr(&b), good[i].described);
        buf_free(&b);
    }
    for (size_t i = 0; i < n_elements(bad); i++) {
        struct buf b = buf_new(100);
        assert_int_equal(reference_parse(&r, str_from(bad[i]), &e), ERR_INPUT);
        assert_null(strstr(e.message, "hunter2"));
        secret_describe(&b, str_from(bad[i]));
        assert_string_equal(buf_cstr(&b), "not a reference");
        buf_free(&b);
    }
}

/* --- the terminal: a child with a pseudo-terminal of its own asks, the test types ----------------------- */

static void child_asks(int slave, int result)
{
    struct secret s;
    struct err e = {0};
    setsid();
    ioctl(slave, TIOCSCTTY, 0);
    int rc = secret_resolve(&s, STR("prompt:"), WHAT, &e);
    struct termios t;
    char flag = tcgetattr(slave, &t) == 0 && (t.c_lflag & ECHO) && (t.c_lflag & ICANON) && (t.c_lflag & ISIG)
                    ? 'y'
                    : 'n';
    dprintf(result, "%d%c", rc, flag);
    if (rc == 0 && write(result, s.ptr, s.len) < 0) _exit(1);
    secret_drop(&s);
    _exit(0);
}

static size_t read_until(int fd, char *to, size_t size, const char *end)
{
    size_t n = 0;
    struct pollfd p = {fd, POLLIN, 0};
    while (n + 1 < size && poll(&p, 1, 10000) > 0) {
        ssize_t got = read(fd, to + n, size - 1 - n);
        if (got <= 0) break;
        n += (size_t)got;
        to[n] = 0;
        if (end && strstr(to, end)) break;
    }
    to[n] = 0;
    return n;
}

static void converse(const char *typed, const char *result, const char *screen)
{
    char seen[4096] = "", answer[2048];
    int pipe_fd[2], master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0);
    assert_int_equal(grantpt(master), 0);
    assert_int_equal(unlockpt(master), 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(slave >= 0);
    assert_int_equal(pipe(pipe_fd), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(master);
        child_asks(slave, pipe_fd[1]);
    }
    close(slave);
    close(pipe_fd[1]);
    size_t n = read_until(master, seen, sizeof seen, WHAT ": ");
    assert_int_equal(write(master, typed, strlen(typed)), (ssize_t)strlen(typed));
    read_until(pipe_fd[0], answer, sizeof answer, NULL);
    read_until(master, seen + n, sizeof seen - n, "\n");
    waitpid(pid, NULL, 0);
    close(pipe_fd[0]);
    close(master);
    assert_string_equal(answer, result);
    assert_string_equal(seen, screen);
}

static void test_prompt(void **state)
{
    static const struct {
        const char *typed, *result;
    } cases[] = {
        {"hunter2\r", "0yhunter2"},
        {"p\xc3\xa4ss w\r", "0yp\xc3\xa4ss w"},
        {"hunterX\x7f"
         "2\n",
         "0yhunter2"},
        {"a\xc3\xa4\x7f\x08\x7f"
         "bc\r",
         "0ybc"},
        {"wrong\x15right\r", "0yright"},
        {"\r", "-11y"},
        {"abc\x03", "-12y"},
        {"\x04", "-12y"},
        {"abc\x04", "0yabc"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) converse(cases[i].typed, cases[i].result, WHAT ": \r\n");
}

static void test_prompt_long(void **state)
{
    char typed[1100], result[1100];
    memset(typed, 'x', sizeof typed);
    typed[1024] = '\r';
    typed[1025] = 0;
    snprintf(result, sizeof result, "0y%.1024s", typed);
    converse(typed, result, WHAT ": \r\n");
    typed[1024] = 'x';
    typed[1025] = '\r';
    typed[1026] = 0;
    converse(typed, "-11y", WHAT ": \r\n");
}

static void test_prompt_without_terminal(void **state)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        struct secret s;
        struct err e;
        setsid();
        int rc = secret_resolve(&s, STR("prompt:"), WHAT, &e);
        _exit(rc == ERR_INPUT &&
                      strcmp(e.message, "password of corp: prompt: there is no terminal to ask on") == 0
                  ? 0
                  : 1);
    }
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_content),
        cmocka_unit_test(test_file_refused),
        cmocka_unit_test(test_file_size),
        cmocka_unit_test(test_file_modes),
        cmocka_unit_test(test_file_of_other_owner),
        cmocka_unit_test(test_file_kinds),
        cmocka_unit_test(test_env),
        cmocka_unit_test(test_credential),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_prompt),
        cmocka_unit_test(test_prompt_long),
        cmocka_unit_test(test_prompt_without_terminal),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
