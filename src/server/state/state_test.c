#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "server/state/audit.h"
#include "server/state/documents.h"
#include "server/state/state_test.h"

#include "base/secret.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Somebody with sqlite3 and no scruples. */
static void tamper(const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(test_path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    char *why = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK) fail_msg("%s: %s", sql, why);
    sqlite3_close(db);
}

static void reopen(void)
{
    state_close(test_state);
    test_state = test_open();
    assert_non_null(test_state);
}

/* --- the file ------------------------------------------------------------------------------------------------- */

static void test_modes(void **state)
{
    struct stat st;
    struct err e;
    struct state *s;
    char name[128];
    static const char *const tails[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < n_elements(tails); i++) {
        snprintf(name, sizeof name, "%s%s", test_path, tails[i]);
        assert_int_equal(stat(name, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
    }
    assert_int_equal(chmod(test_path, 0644), 0);
    assert_int_equal(state_open(&s, test_path, NULL, &e), ERR_DENIED);
    assert_non_null(strstr(e.hint, "chmod 600"));
    assert_int_equal(chmod(test_path, 0600), 0);
    assert_int_equal(state_open(&s, "/nonexistent/x.server", NULL, &e), ERR_DENIED);
}

static void test_other_files(void **state)
{
    struct err e;
    struct state *s;
    char path[128], command[512];
    snprintf(path, sizeof path, "%s/other", test_dir);
    snprintf(command, sizeof command, "printf 'not a database at all, but long enough to be one ......' > %s && chmod 600 %s", path, path);
    assert_int_equal(system(command), 0);
    assert_int_equal(state_open(&s, path, NULL, &e), ERR_INPUT);
    tamper("PRAGMA user_version = 99");
    assert_int_equal(state_open(&s, test_path, NULL, &e), ERR_INPUT);
    assert_non_null(strstr(e.message, "format 99"));
    tamper("PRAGMA user_version = 1; PRAGMA application_id = 7");
    assert_int_equal(state_open(&s, test_path, NULL, &e), ERR_INPUT);
    tamper("PRAGMA application_id = 1919112022");
    reopen();
}

static void test_tables_begin_with_tenant(void **state)
{
    sqlite3 *db;
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_open(test_path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT m.name, l.name, (SELECT name FROM pragma_index_info(l.name) WHERE seqno = 0), t.strict FROM sqlite_schema m JOIN"
                                        " pragma_index_list(m.name) l JOIN pragma_table_list(m.name) t WHERE m.type = 'table'",
                                        -1, &st, NULL),
                     SQLITE_OK);
    int n = 0;
    for (; sqlite3_step(st) == SQLITE_ROW; n++) {
        assert_string_equal((const char *)sqlite3_column_text(st, 2), "tenant_id");
        assert_int_equal(sqlite3_column_int(st, 3), 1);
    }
    assert_true(n >= 9);
    sqlite3_finalize(st);
    sqlite3_close(db);
}

/* --- transactions -------------------------------------------------------------------------------------------------- */

static int64_t count_documents(void)
{
    int64_t n;
    struct err e;
    assert_int_equal(state_number(test_state, &n, -1, &e, "SELECT count(*) FROM document", ""), 0);
    return n;
}

static int put(const char *id, int64_t version)
{
    struct err e;
    json_t *body = json_pack("{s:s}", "at", id);
    int rc = document_put(test_state, "draft", "alice", id, body, version, &e);
    json_decref(body);
    return rc;
}

static void test_transactions(void **state)
{
    struct err e;
    assert_int_equal(state_begin(test_state, &e), 0);
    assert_int_equal(put("a", 0), 0);
    assert_int_equal(state_end(test_state, ERR_CANCEL, &e), ERR_CANCEL);
    assert_int_equal(count_documents(), 0);
    assert_int_equal(state_begin(test_state, &e), 0);
    assert_int_equal(put("a", 0), 0);
    assert_int_equal(state_begin(test_state, &e), 0);
    assert_int_equal(put("b", 0), 0);
    assert_int_equal(state_end(test_state, ERR_CANCEL, &e), ERR_CANCEL); /* the inner one only */
    assert_int_equal(state_end(test_state, 0, &e), 0);
    assert_int_equal(count_documents(), 1);
}

static int stop_at_two(void *ctx, sqlite3_stmt *row, struct err *e)
{
    int *n = ctx;
    return ++*n == 2 ? err_set(e, ERR_CANCEL, "enough") : 0;
}

static void test_rows_within_rows(void **state)
{
    struct err e;
    int n = 0;
    put("a", 0);
    put("b", 0);
    put("c", 0);
    assert_int_equal(state_rows(test_state, &e, stop_at_two, &n, "SELECT document_id FROM document", ""), ERR_CANCEL);
    assert_int_equal(n, 2);
    assert_int_equal(count_documents(), 3); /* the statement was given back */
}

static void *write_many(void *arg)
{
    struct state *s = arg;
    struct err e;
    for (int i = 0; i < 50; i++) {
        json_t *body = json_object();
        if (document_put(s, "shared", "", "counter", body, 0, &e) < 0) return "failed";
        json_decref(body);
    }
    return NULL;
}

/* Two handles as of two processes, four threads each. */
static void test_many_writers(void **state)
{
    pthread_t threads[8];
    struct state *other = test_open();
    struct err e;
    int64_t version;
    json_t *body;
    for (size_t i = 0; i < 8; i++) assert_int_equal(pthread_create(&threads[i], NULL, write_many, i % 2 ? other : test_state), 0);
    for (size_t i = 0; i < 8; i++) {
        void *why;
        pthread_join(threads[i], &why);
        assert_null(why);
    }
    assert_int_equal(document_get(test_state, "shared", "", "counter", &body, &version, &e), 0);
    assert_int_equal(version, 400); /* none was lost */
    json_decref(body);
    state_close(other);
}

/* --- documents --------------------------------------------------------------------------------------------------------- */

static void test_documents(void **state)
{
    struct err e;
    json_t *body, *list;
    int64_t version;
    assert_int_equal(document_get(test_state, "draft", "alice", "a", &body, &version, &e), ERR_NOTFOUND);
    assert_int_equal(put("a", 0), 0);
    assert_int_equal(put("a", 1), 0);
    assert_int_equal(put("a", 1), ERR_CONFLICT); /* somebody else was first */
    assert_int_equal(put("new", 7), ERR_CONFLICT);
    assert_int_equal(document_get(test_state, "draft", "alice", "a", &body, &version, &e), 0);
    assert_int_equal(version, 2);
    json_decref(body);
    assert_int_equal(document_get(test_state, "draft", "bob", "a", &body, NULL, &e), ERR_NOTFOUND);
    body = json_string("x");
    assert_int_equal(document_put(test_state, "draft", "bob", "a\n'; DROP TABLE document;--", body, 0, &e), 0);
    assert_int_equal(document_put(test_state, "draft", "bob", "", body, 0, &e), ERR_INPUT);
    assert_int_equal(document_put(test_state, "draft", "bob", "\xff", body, 0, &e), ERR_INPUT);
    json_decref(body);
    assert_int_equal(document_list(test_state, "draft", NULL, &list, &e), 0);
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "updated")), "2026-01-01T00:00:00Z");
    json_decref(list);
    assert_int_equal(document_list(test_state, "draft", "bob", &list, &e), 0);
    assert_int_equal(json_array_size(list), 1);
    json_decref(list);
    assert_int_equal(document_delete(test_state, "draft", "alice", "a", &e), 0);
    assert_int_equal(document_delete(test_state, "draft", "alice", "a", &e), ERR_NOTFOUND);
}

static void test_document_limits(void **state)
{
    struct err e;
    char *big = x_alloc(300 * 1024);
    memset(big, 'x', 300 * 1024 - 1);
    big[300 * 1024 - 1] = 0;
    json_t *body = json_string(big);
    assert_int_equal(document_put(test_state, "draft", "a", "big", body, 0, &e), ERR_LIMIT);
    json_decref(body);
    free(big);
}

static void test_document_secrets(void **state)
{
    struct err e;
    struct secret s;
    assert_int_equal(document_secret_get(test_state, "oidc", "https://a", &s, &e), ERR_NOTFOUND);
    assert_int_equal(document_secret_put(test_state, "oidc", "https://a", bytes_of(STR("hunter2")), &e), 0);
    assert_int_equal(document_secret_put(test_state, "vault", "https://a", bytes_of(STR("other")), &e), 0);
    assert_int_equal(document_secret_get(test_state, "oidc", "https://a", &s, &e), 0);
    assert_string_equal((char *)s.ptr, "hunter2");
    secret_drop(&s);
    assert_int_equal(document_secret_get(test_state, "oidc", "https://evil", &s, &e), ERR_AUTH);
    tamper("UPDATE secret SET sealed = (SELECT sealed FROM secret WHERE name = 'vault') WHERE name = 'oidc'");
    assert_int_equal(document_secret_get(test_state, "oidc", "https://a", &s, &e), ERR_AUTH); /* moved */
    assert_int_equal(document_secret_delete(test_state, "oidc", &e), 0);
    assert_int_equal(document_secret_get(test_state, "oidc", "https://a", &s, &e), ERR_NOTFOUND);
}

/* --- the audit log ------------------------------------------------------------------------------------------------------ */

static void log_some(int n)
{
    struct actor who = {.role = ROLE_ADMIN, .name = "alice", .from = "127.0.0.1"};
    struct err e;
    for (int i = 0; i < n; i++) {
        json_t *after = json_pack("{s:i, s:s}", "n", i, "text", "\xe2\x80\xae \" \\ <script>");
        assert_int_equal(audit_add(test_state, &who, "user.create", "bob\n{\"id\":99}", NULL, after, "ok", &e), 0);
        json_decref(after);
        test_now += 1000;
    }
}

static int verify(struct err *e)
{
    uint64_t n;
    char head[65];
    *e = (struct err){0};
    return audit_verify(test_state, &n, head, e);
}

static void test_audit(void **state)
{
    struct err e;
    json_t *list;
    uint64_t n;
    char head[65];
    assert_int_equal(audit_verify(test_state, &n, head, &e), 0);
    assert_int_equal(n, 0);
    log_some(5);
    assert_int_equal(audit_verify(test_state, &n, head, &e), 0);
    assert_int_equal(n, 5);
    assert_int_equal(audit_list(test_state, 0, 2, &list, &e), 0);
    const json_t *newest = json_array_get(list, 0);
    assert_int_equal(json_array_size(list), 2);
    assert_int_equal(json_integer_value(json_object_get(newest, "id")), 5);
    assert_string_equal(json_string_value(json_object_get(newest, "hash")), head);
    assert_string_equal(json_string_value(json_object_get(newest, "who")), "alice");
    assert_true(json_is_null(json_object_get(newest, "before")));
    json_decref(list);
    assert_int_equal(audit_list(test_state, 4, 50, &list, &e), 0);
    assert_int_equal(json_array_size(list), 3);
    json_decref(list);
}

/* Each byte of each entry, and of each hash. */
static void test_every_byte_is_proved(void **state)
{
    struct err e;
    log_some(3);
    tamper("DROP TRIGGER audit_is_not_changed");
    sqlite3 *db;
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_open(test_path, &db), SQLITE_OK);
    static const char *const columns[] = {"entry", "hash"};
    for (size_t c = 0; c < 2; c++)
        for (int id = 1; id <= 3; id++) {
            char sql[128], was[2048];
            snprintf(sql, sizeof sql, "SELECT %s FROM audit WHERE audit_id = %d", columns[c], id);
            assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
            assert_int_equal(sqlite3_step(st), SQLITE_ROW);
            snprintf(was, sizeof was, "%s", (const char *)sqlite3_column_text(st, 0));
            sqlite3_finalize(st);
            snprintf(sql, sizeof sql, "UPDATE audit SET %s = ? WHERE audit_id = %d", columns[c], id);
            assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
            for (size_t i = 0, n = strlen(was); i <= n; i++) {
                char changed[2048];
                memcpy(changed, was, n + 1);
                if (i < n) changed[i] = changed[i] == 'x' ? 'y' : 'x';
                sqlite3_bind_text(st, 1, changed, (int)n, SQLITE_TRANSIENT); /* at last: as it was */
                assert_int_equal(sqlite3_step(st), SQLITE_DONE);
                sqlite3_reset(st);
                assert_int_equal(verify(&e), i < n ? ERR_BUG : 0);
                if (i < n) assert_non_null(strstr(e.message, "entry "));
            }
            sqlite3_finalize(st);
        }
    sqlite3_close(db);
}

static void test_missing_entries_are_seen(void **state)
{
    struct err e;
    static const struct {
        const char *sql, *says;
    } cases[] = {
        {"DELETE FROM audit WHERE audit_id = 2", "entry 2 is missing"},
        {"DELETE FROM audit WHERE audit_id = 1", "entry 1 is missing"},
        {"DELETE FROM audit WHERE audit_id = 6", "entry 6 is missing"},
        {"DELETE FROM audit", "entry 1 is missing"},
        {"INSERT INTO audit SELECT 1, 7, entry, hash FROM audit WHERE audit_id = 6", "entry 7 was put in"},
        {"INSERT INTO audit SELECT 1, 0, entry, hash FROM audit WHERE audit_id = 6", "was put in"},
        {"UPDATE audit SET audit_id = 100 WHERE audit_id = 3", "entry 3 is missing"},
        {"DELETE FROM audit_head", "was put in"},
        {"UPDATE audit_head SET audit_id = 5, hash = (SELECT hash FROM audit WHERE audit_id = 5)", "entry 6 was put in"},
    };
    log_some(6);
    tamper("DROP TRIGGER audit_is_not_changed; DROP TRIGGER audit_is_not_cut; CREATE TABLE keep_a AS SELECT * FROM audit; CREATE TABLE keep_h AS SELECT * FROM audit_head");
    for (size_t i = 0; i < n_elements(cases); i++) {
        tamper(cases[i].sql);
        assert_int_equal(verify(&e), ERR_BUG);
        if (!strstr(e.message, cases[i].says)) fail_msg("%s: %s", cases[i].sql, e.message);
        tamper("DELETE FROM audit; INSERT INTO audit SELECT * FROM keep_a; DELETE FROM audit_head; INSERT INTO audit_head SELECT * FROM keep_h");
        assert_int_equal(verify(&e), 0);
    }
}

static void test_audit_is_only_added_to(void **state)
{
    struct err e;
    log_some(1);
    assert_true(state_run(test_state, &e, "DELETE FROM audit", "") < 0);
    assert_true(state_run(test_state, &e, "UPDATE audit SET entry = '{}'", "") < 0);
    assert_int_equal(verify(&e), 0);
}

static void *log_many(void *arg)
{
    struct actor who = {.role = ROLE_ADMIN, .name = "a", .from = "::1"};
    struct err e;
    for (int i = 0; i < 40; i++)
        if (audit_add(arg, &who, "x", "y", NULL, NULL, "ok", &e) < 0) return "failed";
    return NULL;
}

static void test_audit_by_many(void **state)
{
    struct err e;
    pthread_t threads[4];
    struct state *other = test_open();
    for (size_t i = 0; i < 4; i++) pthread_create(&threads[i], NULL, log_many, i % 2 ? other : test_state);
    for (int i = 0; i < 20; i++) assert_int_equal(verify(&e), 0); /* while they write */
    for (size_t i = 0; i < 4; i++) {
        void *why;
        pthread_join(threads[i], &why);
        assert_null(why);
    }
    uint64_t n;
    char head[65];
    assert_int_equal(audit_verify(test_state, &n, head, &e), 0);
    assert_int_equal(n, 160);
    state_close(other);
}

/* A writer is killed again and again: the chain is whole each time. */
static void test_audit_killed(void **state)
{
    struct err e;
    state_close(test_state);
    for (int round = 0; round < 15; round++) {
        pid_t pid = fork();
        if (pid == 0) {
            struct state *s = test_open();
            for (;;) log_many(s);
        }
        usleep(15000 + (useconds_t)round * 3000);
        assert_true(pid > 0);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        test_state = test_open();
        assert_non_null(test_state);
        assert_int_equal(verify(&e), 0);
        state_close(test_state);
    }
    test_state = test_open();
}

/* --- copies, checks, the claim -------------------------------------------------------------------------------------------- */

static void count_lines(void *ctx, const char *line)
{
    ++*(int *)ctx;
}

static void test_backup_and_check(void **state)
{
    struct err e;
    char to[128];
    struct stat st;
    int lines = 0;
    log_some(3);
    assert_int_equal(document_secret_put(test_state, "oidc", "b", bytes_of(STR("hunter2")), &e), 0);
    snprintf(to, sizeof to, "%s/copy.server", test_dir);
    assert_int_equal(state_copy_database(state_path(test_state), to, &e), 0);
    assert_int_equal(state_copy_database(state_path(test_state), to, &e), ERR_CONFLICT);
    assert_int_equal(stat(to, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    struct state *copy;
    assert_int_equal(state_open(&copy, to, test_seal, &e), 0);
    assert_int_equal(state_check(copy, count_lines, &lines, &e), 0);
    assert_int_equal(lines, 2);
    state_close(copy);
    tamper("UPDATE secret SET bound = bound || 'x'");
    assert_int_equal(state_check(test_state, count_lines, &lines, &e), ERR_BUG);
}

/* Whoever has the file has neither sessions nor secrets in clear. */
static void test_stolen_file(void **state)
{
    struct err e;
    char token[TOKEN_TEXT], command[256];
    assert_int_equal(accounts_setup_token(test_state, token, &e), 0);
    assert_int_equal(document_secret_put(test_state, "oidc", "b", bytes_of(STR("hunter2-hunter2")), &e), 0);
    snprintf(command, sizeof command, "grep -qa -e '%s' -e hunter2-hunter2 %s*", token, test_path);
    assert_int_not_equal(system(command), 0);
}

static void test_claim(void **state)
{
    struct err e;
    int one, two;
    assert_int_equal(state_claim(&one, test_path, &e), 0);
    assert_int_equal(state_claim(&two, test_path, &e), ERR_CONFLICT);
    assert_non_null(strstr(e.message, "pid "));
    close(one);
    assert_int_equal(state_claim(&two, test_path, &e), 0);
    close(two);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, test_set_up, test_tear_down)
    const struct CMUnitTest tests[] = {
        T(test_modes),     T(test_other_files),      T(test_tables_begin_with_tenant), T(test_transactions),  T(test_rows_within_rows),
        T(test_documents), T(test_document_limits),  T(test_document_secrets),         T(test_audit),         T(test_every_byte_is_proved),
        T(test_claim),     T(test_backup_and_check), T(test_stolen_file),              T(test_audit_by_many), T(test_audit_killed),
        T(test_missing_entries_are_seen), T(test_audit_is_only_added_to), T(test_many_writers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
