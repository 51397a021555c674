#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/file.h"
#include "sink/set_dir.h"
#include "sink/sink.h"

/* --- faults: linked with --wrap, so that the n-th call of any of these dies or fails ------------------- */

static int calls_left = -1; /* -1: no fault */
static bool fault_kills;
static int fault_errno;

static bool fault_now(void)
{
    if (calls_left < 0 || calls_left-- > 0) return false;
    if (fault_kills) _exit(77); /* as kill -9: nothing is cleaned up */
    errno = fault_errno;
    return true;
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    return fault_now() ? -1 : __real_fsync(fd);
}
int __real_renameat(int a, const char *from, int b, const char *to);
int __wrap_renameat(int a, const char *from, int b, const char *to);
int __wrap_renameat(int a, const char *from, int b, const char *to)
{
    return fault_now() ? -1 : __real_renameat(a, from, b, to);
}
int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags)
{
    return fault_now() ? -1 : __real_unlinkat(dir, name, flags);
}
int __real_mkdirat(int dir, const char *name, mode_t mode);
int __wrap_mkdirat(int dir, const char *name, mode_t mode);
int __wrap_mkdirat(int dir, const char *name, mode_t mode)
{
    return fault_now() ? -1 : __real_mkdirat(dir, name, mode);
}
ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n)
{
    return fault_now() ? -1 : __real_write(fd, p, n);
}

static void (*before_flock)(void); /* once */
int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);
int __wrap_flock(int fd, int operation)
{
    void (*hook)(void) = before_flock;
    before_flock = NULL;
    if (hook) hook();
    return __real_flock(fd, operation);
}

/* --- a scratch directory ------------------------------------------------------------------------------ */

static char top[64], dir[96];

static int set_up(void **state)
{
    snprintf(top, sizeof top, "/tmp/rollcall-set-test-XXXXXX");
    if (!mkdtemp(top)) return -1;
    snprintf(dir, sizeof dir, "%s/out", top);
    return mkdir(dir, 0755);
}

static void run(const char *const *argv)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        execv(argv[0], (char *const *)argv);
        _exit(127);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static int tear_down(void **state)
{
    run((const char *const[]){"/bin/rm", "-rf", top, NULL});
    return 0;
}

static char *path_of(const char *name)
{
    static char path[4][512];
    static unsigned turn;
    char *p = path[turn++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

static void put(const char *name, const char *text)
{
    struct err e;
    assert_int_equal(file_write_atomic(path_of(name), bytes_of(str_from(text)), 0644, &e), 0);
}

static bool has(const char *name)
{
    struct stat st;
    return lstat(path_of(name), &st) == 0;
}

/* The file's text in a buffer that the next four calls leave alone; "" if there is none. */
static const char *text_of(const char *name)
{
    static char kept[4][65536];
    static unsigned turn;
    char *t = kept[turn++ % 4];
    struct buf b = buf_new(sizeof kept[0] - 1);
    struct err e;
    t[0] = 0;
    if (file_read(&b, path_of(name), &e) == 0) {
        memcpy(t, buf_cstr(&b), b.len);
        t[b.len] = 0;
    }
    buf_free(&b);
    return t;
}

static unsigned n_entries(void)
{
    unsigned n = 0;
    DIR *d = opendir(dir);
    if (!d) return 0;
    while (readdir(d)) n++;
    closedir(d);
    return n - 2;
}

/* --- sets -------------------------------------------------------------------------------------------- */

struct spec {
    const char *name, *text;
};
static const struct spec old_set[] = {{"users.csv", "old users\r\n"},
                                      {"groups.csv", "old groups\r\n"},
                                      {"gone.csv", "old gone\r\n"},
                                      {NULL, NULL}};
static const struct spec new_set[] = {{"users.csv", "NEW users\r\n"},
                                      {"groups.csv", "NEW groups\r\n"},
                                      {"added.csv", "NEW added\r\n"},
                                      {NULL, NULL}};

static int prepare(struct sink_set **s, const struct spec *files, struct err *e)
{
    try(sink_set_open(s, dir, e));
    for (; files->name; files++) {
        struct sink_set_file *f;
        try(sink_set_file(*s, &f, files->name, e));
        buf_add_str(sink_set_buf(f), str_from(files->text));
        try(sink_set_wrote_rows(f, 1, e));
    }
    return 0;
}

static int write_set(const struct spec *files, struct err *e)
{
    struct sink_set *s = NULL;
    int rc = prepare(&s, files, e);
    if (rc == 0) rc = sink_set_commit(s, STR("\"run\":7"), e);
    sink_set_discard(s);
    return rc;
}

static void must_write_set(const struct spec *files)
{
    struct err e;
    if (write_set(files, &e) < 0) fail_msg("%s", e.message);
}

static void sha256_of(char out[65], const char *text)
{
    struct sha256 sum;
    sha256_init(&sum);
    sha256_add(&sum, bytes_of(str_from(text)));
    sha256_hex(&sum, out);
}

/* What a careful reader does. 0: every file there is the manifest's; 1: a set is just being moved in. */
static int read_as_documented(void)
{
    json_t *m = json_loads(text_of("manifest.json"), 0, NULL);
    assert_non_null(m); /* at every moment it is whole */
    size_t i;
    json_t *f;
    int mixed = 0;
    json_array_foreach(json_object_get(m, "files"), i, f)
    {
        char sum[65];
        sha256_of(sum, text_of(json_string_value(json_object_get(f, "name"))));
        if (strcmp(sum, json_string_value(json_object_get(f, "sha256"))) != 0) mixed = 1;
    }
    json_decref(m);
    return mixed;
}

static bool is_set(const struct spec *files)
{
    size_t n = 0;
    for (; files[n].name; n++)
        if (strcmp(text_of(files[n].name), files[n].text) != 0) return false;
    json_t *m = json_loads(text_of("manifest.json"), 0, NULL);
    bool same = json_array_size(json_object_get(m, "files")) == n;
    json_decref(m);
    return same && read_as_documented() == 0 && n_entries() == n + 1;
}

/* --- tests ------------------------------------------------------------------------------------------- */

static void test_commit(void **state)
{
    struct err e;
    struct sink_set *s;
    struct sink_set_file *users, *empty;
    struct stat st;
    umask(0);
    assert_int_equal(sink_set_open(&s, dir, &e), 0);
    assert_int_equal(sink_set_file(s, &users, "users.csv", &e), 0);
    assert_int_equal(sink_set_file(s, &empty, "corp.example_groups.csv", &e), 0);
    for (int i = 0; i < 1000; i++) {
        buf_printf(sink_set_buf(users), "%d,someone\r\n", i);
        assert_int_equal(sink_set_wrote_rows(users, 1, &e), 0);
    }
    assert_false(has("users.csv"));
    assert_int_equal(sink_set_commit(s, STR("\"run\":7,\"raw_csv\":false"), &e), 0);
    sink_set_discard(s);
    umask(022);

    assert_int_equal(n_entries(), 3);
    assert_int_equal(strncmp(text_of("users.csv"), "0,someone\r\n1,someone\r\n", 22), 0);
    assert_string_equal(text_of("corp.example_groups.csv"), "");
    assert_int_equal(stat(path_of("users.csv"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);

    json_t *m = json_loads(text_of("manifest.json"), JSON_REJECT_DUPLICATES, NULL);
    const char *generator, *version, *when, *name, *sum;
    json_int_t run_id, rows, bytes;
    int raw;
    json_t *files;
    assert_int_equal(json_unpack(m, "{s:s,s:s,s:s,s:I,s:b,s:o!}", "generator", &generator, "version",
                                 &version, "time", &when, "run", &run_id, "raw_csv", &raw, "files", &files),
                     0);
    assert_string_equal(generator, "rollcall");
    assert_string_equal(version, ROLLCALL_VERSION);
    assert_int_equal(strlen(when) >= 20 && when[10] == 'T', 1);
    assert_int_equal(run_id, 7);
    assert_false(raw);
    assert_int_equal(json_array_size(files), 2);
    assert_int_equal(json_unpack(json_array_get(files, 0), "{s:s,s:I,s:I,s:s!}", "name", &name, "rows", &rows,
                                 "bytes", &bytes, "sha256", &sum),
                     0);
    assert_string_equal(name, "users.csv");
    assert_int_equal(rows, 1000);
    assert_int_equal(bytes, (json_int_t)strlen(text_of("users.csv")));
    char expected[65];
    sha256_of(expected, text_of("users.csv"));
    assert_string_equal(sum, expected);
    json_unpack(json_array_get(files, 1), "{s:s,s:I}", "sha256", &sum, "rows", &rows);
    assert_string_equal(sum,
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"); /* of nothing */
    assert_int_equal(rows, 0);
    json_decref(m);
}

/* Far more than the buffer: the sum is of all of it, memory stays small. */
static void test_large(void **state)
{
    struct err e;
    struct sink_set *s;
    struct sink_set_file *f;
    struct sha256 sum;
    char expected[65], row[100];
    sha256_init(&sum);
    memset(row, 'r', sizeof row);
    row[99] = '\n';
    assert_int_equal(sink_set_open(&s, dir, &e), 0);
    assert_int_equal(sink_set_file(s, &f, "big.csv", &e), 0);
    for (int i = 0; i < 100000; i++) {
        buf_add(sink_set_buf(f), row, sizeof row);
        sha256_add(&sum, (struct bytes){(const uint8_t *)row, sizeof row});
        assert_int_equal(sink_set_wrote_rows(f, 1, &e), 0);
        assert_true(sink_set_buf(f)->len <= 300 * 1024);
    }
    assert_int_equal(sink_set_commit(s, STR(""), &e), 0);
    sink_set_discard(s);
    sha256_hex(&sum, expected);
    assert_non_null(strstr(text_of("manifest.json"), expected));
    assert_non_null(strstr(text_of("manifest.json"), "10000000"));
}

static void test_without_commit_nothing_happened(void **state)
{
    struct err e;
    struct sink_set *s;
    assert_int_equal(prepare(&s, new_set, &e), 0);
    sink_set_discard(s);
    assert_int_equal(n_entries(), 0);

    must_write_set(old_set);
    put("mine.txt", "mine");
    char before[65536];
    snprintf(before, sizeof before, "%s", text_of("manifest.json"));
    assert_int_equal(prepare(&s, new_set, &e), 0);
    sink_set_discard(s);
    assert_string_equal(before, text_of("manifest.json"));
    assert_int_equal(n_entries(), 5);
    assert_string_equal(text_of("mine.txt"), "mine");
    sink_set_discard(NULL);
}

static void test_makes_the_directory(void **state)
{
    struct err e;
    struct sink_set *s;
    struct stat st;
    assert_int_equal(rmdir(dir), 0);
    assert_int_equal(prepare(&s, old_set, &e), 0);
    sink_set_discard(s);
    assert_int_equal(stat(dir, &st), -1); /* as it was: absent */
    must_write_set(old_set);
    assert_true(is_set(old_set));
    assert_int_equal(sink_set_open(&s, "/nonexistent/parent/out", &e), ERR_NOTFOUND);
    assert_null(s);
    assert_int_equal(sink_set_open(&s, "/dev/null", &e), ERR_NOTFOUND);
    assert_non_null(strstr(e.message, "/dev/null"));
}

static void test_replaces_and_removes(void **state)
{
    must_write_set(old_set);
    put("mine.txt", "mine");
    put("gone.csv.bak", "mine too");
    must_write_set(new_set);
    assert_string_equal(text_of("users.csv"), "NEW users\r\n");
    assert_string_equal(text_of("added.csv"), "NEW added\r\n");
    assert_false(has("gone.csv"));
    assert_string_equal(text_of("mine.txt"), "mine");
    assert_string_equal(text_of("gone.csv.bak"), "mine too");
    assert_int_equal(n_entries(), 6);
    assert_int_equal(read_as_documented(), 0);
}

/* A manifest is only a file: what it names is removed within the directory or not at all. */
static void test_hostile_older_manifest(void **state)
{
    char victim[128];
    struct err e;
    snprintf(victim, sizeof victim, "%s/victim", top);
    assert_int_equal(file_write_atomic(victim, bytes_of(STR("v")), 0600, &e), 0);
    put(".hidden", "h");
    put("-rf", "dash");
    assert_int_equal(mkdir(path_of("sub"), 0755), 0);
    put("sub/inner", "i");
    put("stale.csv", "s");
    put("manifest.json", "{\"generator\":\"rollcall\",\"files\":[{\"name\":\"../"
                         "victim\"},{\"name\":\".hidden\"},{\"name\":\"-rf\"},"
                         "{\"name\":\"sub/inner\"},{\"name\":7},9,null,{\"name\":\"stale.csv\"}]}");
    must_write_set(old_set);
    assert_int_equal(access(victim, F_OK), 0);
    assert_true(has(".hidden") && has("-rf") && has("sub/inner"));
    assert_false(has("stale.csv"));
}

static void test_a_manifest_that_is_not_ours(void **state)
{
    static const char *const others[] = {"{\"name\":\"web app\"}",
                                         "",
                                         "[]",
                                         "\"rollcall\"",
                                         "{\"generator\":\"rollcall2\"}",
                                         "{\"generator\":{}}",
                                         "\xff\xfe",
                                         "{\"generator\":\"rollcall\",\"x\":\"\\u0000\"}"};
    struct err e;
    struct sink_set *s;
    for (size_t i = 0; i < n_elements(others); i++) {
        put("manifest.json", others[i]);
        assert_int_equal(sink_set_open(&s, dir, &e), ERR_CONFLICT);
        assert_true(e.hint[0]);
        assert_string_equal(text_of("manifest.json"), others[i]);
        assert_int_equal(n_entries(), 1);
    }
    assert_int_equal(truncate(path_of("manifest.json"), 100 << 20), 0);
    assert_int_equal(sink_set_open(&s, dir, &e), ERR_CONFLICT);
    unlink(path_of("manifest.json"));
    assert_int_equal(mkfifo(path_of("manifest.json"), 0600), 0); /* must not wait for a writer */
    assert_int_equal(sink_set_open(&s, dir, &e), ERR_CONFLICT);
    unlink(path_of("manifest.json"));
    assert_int_equal(symlink("/etc/passwd", path_of("manifest.json")), 0);
    assert_true(sink_set_open(&s, dir, &e) < 0);
}

static void test_destination_is_a_link(void **state)
{
    char victim[128];
    struct err e;
    snprintf(victim, sizeof victim, "%s/victim", top);
    assert_int_equal(file_write_atomic(victim, bytes_of(STR("v")), 0600, &e), 0);
    assert_int_equal(symlink(victim, path_of("users.csv")), 0);
    must_write_set(old_set);
    assert_true(is_set(old_set)); /* the link was replaced, not followed */
    struct buf b = buf_new(100);
    assert_int_equal(file_read(&b, victim, &e), 0);
    assert_string_equal(buf_cstr(&b), "v");
    buf_free(&b);
}

static void test_destination_is_a_directory(void **state)
{
    struct err e;
    must_write_set(old_set);
    assert_int_equal(mkdir(path_of("added.csv"), 0755), 0);
    assert_int_equal(write_set(new_set, &e), ERR_CONFLICT);
    assert_non_null(strstr(e.message, "added.csv"));
    assert_int_equal(rmdir(path_of("added.csv")), 0);
    assert_true(is_set(old_set)); /* nothing had been moved */
}

static void test_names(void **state)
{
    static const char *const good[] = {"users.csv", "a", "0", "_x", "corp.example_groups_members.csv",
                                       "A-b.c_d"};
    static const char *const bad[] = {
        "",    ".",    "..",       ".hidden",  "-rf",  "a/b", "../x",          "/etc/passwd",
        "a b", "a\nb", "a\x1b[2J", "\xc3\xa9", "a\\b", "a:b", "manifest.json", "MANIFEST.JSON",
        "a*",  "~",    "$x",       "\x7f"};
    struct err e;
    struct sink_set *s;
    struct sink_set_file *f;
    char longest[SET_NAME_MAX + 2];
    memset(longest, 'n', sizeof longest);
    longest[SET_NAME_MAX + 1] = 0;
    assert_int_equal(sink_set_open(&s, dir, &e), 0);
    for (size_t i = 0; i < n_elements(good); i++) assert_int_equal(sink_set_file(s, &f, good[i], &e), 0);
    for (size_t i = 0; i < n_elements(bad); i++) {
        assert_int_equal(sink_set_file(s, &f, bad[i], &e), ERR_INPUT);
        assert_null(f);
        for (const char *c = e.message; *c; c++)
            assert_true((unsigned char)*c >= 0x20 && (unsigned char)*c < 0x7f);
    }
    assert_int_equal(sink_set_file(s, &f, longest, &e), ERR_INPUT);
    longest[SET_NAME_MAX] = 0;
    assert_int_equal(sink_set_file(s, &f, longest, &e), 0);
    assert_int_equal(sink_set_file(s, &f, "USERS.csv", &e),
                     ERR_INPUT); /* the same file on many file systems */
    sink_set_discard(s);
    assert_int_equal(n_entries(), 0);
}

static void test_too_many_files(void **state)
{
    struct err e;
    struct sink_set *s;
    struct sink_set_file *f;
    char name[16];
    assert_int_equal(sink_set_open(&s, dir, &e), 0);
    for (int i = 0; i < SET_FILES_MAX; i++) {
        snprintf(name, sizeof name, "f%d", i);
        assert_int_equal(sink_set_file(s, &f, name, &e), 0);
    }
    assert_int_equal(sink_set_file(s, &f, "one_more", &e), ERR_LIMIT);
    assert_int_equal(sink_set_commit(s, STR(""), &e), 0);
    sink_set_discard(s);
    assert_int_equal(n_entries(), SET_FILES_MAX + 1);
}

static void test_endless_row(void **state)
{
    struct err e;
    struct sink_set *s;
    struct sink_set_file *f;
    must_write_set(old_set);
    assert_int_equal(sink_set_open(&s, dir, &e), 0);
    assert_int_equal(sink_set_file(s, &f, "users.csv", &e), 0);
    while (buf_reserve(sink_set_buf(f), 1 << 20)) buf_advance(sink_set_buf(f), 1 << 20);
    assert_int_equal(sink_set_wrote_rows(f, 1, &e), ERR_LIMIT);
    assert_int_equal(sink_set_commit(s, STR(""), &e), ERR_LIMIT); /* also when the caller went on */
    sink_set_discard(s);
    assert_true(is_set(old_set));
}

static void test_members_that_are_not_json(void **state)
{
    struct err e;
    struct sink_set *s;
    assert_int_equal(prepare(&s, old_set, &e), 0);
    assert_int_equal(sink_set_commit(s, STR("\"run\":7}{"), &e), ERR_BUG);
    sink_set_discard(s);
    assert_int_equal(n_entries(), 0);
}

static void test_commit_twice(void **state)
{
    struct err e;
    struct sink_set *s;
    assert_int_equal(prepare(&s, old_set, &e), 0);
    assert_int_equal(sink_set_commit(s, STR(""), &e), 0);
    assert_int_equal(sink_set_commit(s, STR(""), &e), ERR_BUG);
    sink_set_discard(s);
    assert_true(is_set(old_set));
}

static void test_one_writer(void **state)
{
    struct err e;
    struct sink_set *s, *other;
    char me[32];
    assert_int_equal(prepare(&s, old_set, &e), 0);
    assert_int_equal(sink_set_open(&other, dir, &e), ERR_CONFLICT);
    snprintf(me, sizeof me, "pid %ld", (long)getpid());
    assert_non_null(strstr(e.message, me));
    assert_int_equal(sink_set_commit(s, STR(""), &e), 0); /* it was not disturbed */
    sink_set_discard(s);
    assert_int_equal(sink_set_open(&other, dir, &e), 0);
    sink_set_discard(other);
    assert_true(is_set(old_set));
}

/* Between our open of the lock file and our flock its holder ends (and removes it) and another one begins. */
static int other_lock;

static void another_takes_over(void)
{
    unlink(path_of(".rollcall-lock"));
    other_lock = open(path_of(".rollcall-lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(__real_flock(other_lock, LOCK_EX | LOCK_NB), 0);
}

static void test_the_lock_file_changes_hands(void **state)
{
    struct err e;
    struct sink_set *s;
    before_flock = another_takes_over;
    assert_int_equal(sink_set_open(&s, dir, &e), ERR_CONFLICT); /* not on the strength of a removed file */
    close(other_lock);
    assert_int_equal(sink_set_open(&s, dir, &e), 0);
    sink_set_discard(s);
    assert_int_equal(n_entries(), 0);
}

static void test_a_killed_writer(void **state)
{
    struct err e;
    int ready[2];
    must_write_set(old_set);
    assert_int_equal(mkdir(path_of(".rollcall-old"), 0755), 0); /* a user's own */
    put(".rollcall-old/keep", "k");
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct sink_set *s;
        if (prepare(&s, new_set, &e) == 0 && write(ready[1], "r", 1) == 1) pause();
        _exit(1);
    }
    char r;
    assert_int_equal(read(ready[0], &r, 1), 1);
    struct sink_set *s;
    assert_int_equal(sink_set_open(&s, dir, &e), ERR_CONFLICT); /* alive: its files are not touched */
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(n_entries(), 4 + 1 + 2); /* set, user's own, lock and leftovers */
    assert_int_equal(sink_set_open(&s, dir, &e), 0);
    sink_set_discard(s);
    assert_int_equal(n_entries(), 4 + 1);
    assert_true(has(".rollcall-old/keep"));
    assert_int_equal(read_as_documented(), 0);
    close(ready[0]);
    close(ready[1]);
}

/* After any fault: each visible file is wholly old or wholly new, and the next open leaves one set or the
 * other. */
static void check_after_fault(int n, bool commit_said_yes)
{
    static const char *const shared[] = {"users.csv", "groups.csv"};
    calls_left = -1;
    read_as_documented(); /* the manifest is whole */
    for (size_t i = 0; i < n_elements(shared); i++) {
        const char *t = text_of(shared[i]);
        if (strcmp(t, old_set[i].text) != 0 && strcmp(t, new_set[i].text) != 0)
            fail_msg("fault %d: %s is '%s'", n, shared[i], t);
    }
    struct err e;
    struct sink_set *s;
    if (sink_set_open(&s, dir, &e) < 0) fail_msg("fault %d: %s", n, e.message);
    sink_set_discard(s);
    if (commit_said_yes ? !is_set(new_set) : !is_set(new_set) && !is_set(old_set))
        fail_msg("fault %d: a mixed set", n);
}

static void each_fault(bool kills, int error, unsigned *n_old, unsigned *n_new)
{
    for (int n = 0;; n++) {
        assert_true(n < 1000);
        must_write_set(old_set);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            struct err e;
            calls_left = n;
            fault_kills = kills;
            fault_errno = error;
            int rc = write_set(new_set, &e);
            bool reached = calls_left < 0;
            _exit(rc < 0 ? 1 : reached ? 2 : 0);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        int code = WEXITSTATUS(
            status); /* 0: no fault left to inject, 1: commit said no, 2: yes all the same, 77: dead */
        assert_true(code <= 2 || code == 77);
        check_after_fault(n, code == 0 || code == 2);
        *(is_set(new_set) ? n_new : n_old) += 1;
        if (code == 0) return;
    }
}

static void test_killed_at_every_step(void **state)
{
    unsigned n_old = 0, n_new = 0;
    each_fault(true, 0, &n_old, &n_new);
    assert_true(n_old >= 8 && n_new >= 8); /* before and behind the decision */
}

static void test_every_step_fails_once(void **state)
{
    unsigned n_old = 0, n_new = 0;
    each_fault(false, ENOSPC, &n_old, &n_new);
    assert_true(n_old >= 5 && n_new >= 5);
    each_fault(false, EIO, &n_old, &n_new);
}

static void test_full_disk(void **state)
{
    struct err e;
    must_write_set(old_set);
    struct sink_set *s;
    struct sink_set_file *f;
    assert_int_equal(sink_set_open(&s, dir, &e), 0);
    assert_int_equal(sink_set_file(s, &f, "users.csv", &e), 0);
    buf_add_str(sink_set_buf(f), STR("row\r\n"));
    calls_left = 0;
    fault_kills = false;
    fault_errno = ENOSPC;
    assert_int_equal(sink_set_commit(s, STR(""), &e), ERR_LIMIT);
    assert_int_equal(e.code, ENOSPC);
    assert_non_null(strstr(e.message, "users.csv"));
    assert_true(e.hint[0]);
    sink_set_discard(s);
    assert_true(is_set(old_set));
}

/* A reader that follows the manual never takes a mixed set for a whole one. */
static void test_reader_beside_a_writer(void **state)
{
    must_write_set(old_set);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct err e;
        for (int i = 0; i < 60; i++)
            if (write_set(i & 1 ? old_set : new_set, &e) < 0) _exit(1);
        _exit(0);
    }
    int status;
    while (waitpid(child, &status, WNOHANG) == 0) read_as_documented();
    assert_int_equal(status, 0);
    assert_int_equal(read_as_documented(), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(commit),
        T(large),
        T(without_commit_nothing_happened),
        T(makes_the_directory),
        T(replaces_and_removes),
        T(hostile_older_manifest),
        T(a_manifest_that_is_not_ours),
        T(destination_is_a_link),
        T(destination_is_a_directory),
        T(names),
        T(too_many_files),
        T(endless_row),
        T(members_that_are_not_json),
        T(commit_twice),
        T(one_writer),
        T(the_lock_file_changes_hands),
        T(a_killed_writer),
        T(killed_at_every_step),
        T(every_step_fails_once),
        T(full_disk),
        T(reader_beside_a_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
