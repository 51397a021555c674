#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "server/accounts/accounts_int.h"
#include "server/state/state_test.h"

#include <pthread.h>
#include <time.h>

#define GOOD "correct horse battery"
#define FROM "192.0.2.7"

static struct bytes pw(const char *text)
{
    return bytes_of(str_from(text));
}

static void add(const char *name, enum role role)
{
    struct err e;
    assert_int_equal(accounts_user_add(test_state, name, role, pw(GOOD), &e), 0);
}

static int login(const char *name, const char *password, struct actor *who, char session[TOKEN_TEXT], struct err *e)
{
    *e = (struct err){0};
    return accounts_login(test_state, name, pw(password), FROM, who, session, e);
}

/* --- the first start -------------------------------------------------------------------------------------------- */

static void test_setup(void **state)
{
    struct err e;
    char first[TOKEN_TEXT], second[TOKEN_TEXT];
    assert_true(accounts_are_empty(test_state));
    assert_int_equal(accounts_setup_token(test_state, first, &e), 0);
    assert_int_equal(accounts_setup_token(test_state, second, &e), 0);
    assert_int_equal(accounts_setup(test_state, first, "alice", pw(GOOD), &e), ERR_AUTH); /* void: there is a newer one */
    assert_int_equal(accounts_setup(test_state, "", "alice", pw(GOOD), &e), ERR_AUTH);
    assert_int_equal(accounts_setup(test_state, second, "alice", pw("short"), &e), ERR_INPUT);
    assert_int_equal(accounts_setup(test_state, second, "al/ice", pw(GOOD), &e), ERR_INPUT);
    test_now += 15 * 60 * 1000;
    assert_int_equal(accounts_setup(test_state, second, "alice", pw(GOOD), &e), ERR_AUTH); /* too old */
    test_now -= 1;
    assert_int_equal(accounts_setup(test_state, second, "alice", pw(GOOD), &e), 0);
    assert_false(accounts_are_empty(test_state));
    assert_int_equal(accounts_setup(test_state, second, "bob", pw(GOOD), &e), ERR_AUTH);
    assert_int_equal(accounts_setup_token(test_state, first, &e), ERR_CONFLICT);
}

static void *set_up_as(void *arg)
{
    struct err e;
    char name[16];
    snprintf(name, sizeof name, "user%p", (void *)&e);
    return accounts_setup(test_state, arg, name, pw(GOOD), &e) == 0 ? "in" : NULL;
}

static void test_setup_by_two(void **state)
{
    struct err e;
    char token[TOKEN_TEXT];
    pthread_t threads[4];
    int n = 0;
    assert_int_equal(accounts_setup_token(test_state, token, &e), 0);
    for (size_t i = 0; i < 4; i++) pthread_create(&threads[i], NULL, set_up_as, token);
    for (size_t i = 0; i < 4; i++) {
        void *in;
        pthread_join(threads[i], &in);
        n += in != NULL;
    }
    assert_int_equal(n, 1);
}

/* --- users ------------------------------------------------------------------------------------------------------- */

static void test_names(void **state)
{
    static const char *const bad[] = {"", " a", "a ", "a\tb", "a\nb", "token:ci", "Setup", "schedule", "a/b", "a\xe2\x80\xae" "b", "a\xe2\x80\x8b" "b", "\xff", "\xc3"};
    static const char *const good[] = {"alice", "Alice Liddell", "al\xc3\xafs@corp.example", "CORP\\alice", "'; DROP TABLE user;--", "%s%n", "\xe6\x84\x9b"};
    struct err e;
    char longest[200];
    for (size_t i = 0; i < n_elements(bad); i++)
        if (accounts_user_add(test_state, bad[i], ROLE_VIEWER, (struct bytes){NULL, 0}, &e) != ERR_INPUT) fail_msg("'%s' was taken", bad[i]);
    for (size_t i = 0; i < n_elements(good); i++) assert_int_equal(accounts_user_add(test_state, good[i], ROLE_VIEWER, (struct bytes){NULL, 0}, &e), 0);
    assert_int_equal(accounts_user_add(test_state, "ALICE", ROLE_VIEWER, (struct bytes){NULL, 0}, &e), ERR_CONFLICT); /* another only by case */
    memset(longest, 'x', sizeof longest);
    longest[128] = 0;
    assert_int_equal(accounts_user_add(test_state, longest, ROLE_VIEWER, (struct bytes){NULL, 0}, &e), ERR_INPUT);
    longest[127] = 0;
    assert_int_equal(accounts_user_add(test_state, longest, ROLE_VIEWER, (struct bytes){NULL, 0}, &e), 0);
    json_t *users;
    assert_int_equal(accounts_users(test_state, &users, &e), 0);
    assert_int_equal(json_array_size(users), n_elements(good) + 1);
    json_decref(users);
}

static void test_passwords(void **state)
{
    static const char *const bad[] = {"short", "elevenchars", "x\ny\nzzzzzzzzzz", "alice liddell", "\xc3\x28 not utf-8 at all"};
    struct err e;
    char longest[1100];
    for (size_t i = 0; i < n_elements(bad); i++)
        assert_int_equal(accounts_user_add(test_state, "Alice Liddell", ROLE_VIEWER, pw(bad[i]), &e), ERR_INPUT);
    memset(longest, 'x', sizeof longest);
    longest[1025] = 0;
    assert_int_equal(accounts_user_add(test_state, "bob", ROLE_VIEWER, pw(longest), &e), ERR_INPUT);
    longest[1024] = 0;
    assert_int_equal(accounts_user_add(test_state, "bob", ROLE_VIEWER, pw(longest), &e), 0);
    struct actor who;
    char session[TOKEN_TEXT];
    assert_int_equal(login("bob", longest, &who, session, &e), 0);
    longest[1024] = 'x';
    assert_int_equal(login("bob", longest, &who, session, &e), ERR_AUTH); /* not cut and then right */
}

static void test_last_admin(void **state)
{
    struct err e;
    add("root", ROLE_ADMIN);
    add("alice", ROLE_OPERATOR);
    assert_int_equal(accounts_user_change(test_state, "root", ROLE_VIEWER, -1, &e), ERR_CONFLICT);
    assert_int_equal(accounts_user_change(test_state, "root", ROLE_NONE, 0, &e), ERR_CONFLICT);
    assert_int_equal(accounts_user_delete(test_state, "root", &e), ERR_CONFLICT);
    assert_int_equal(accounts_user_change(test_state, "alice", ROLE_ADMIN, -1, &e), 0);
    assert_int_equal(accounts_user_delete(test_state, "root", &e), 0);
    assert_int_equal(accounts_user_delete(test_state, "root", &e), ERR_NOTFOUND);
    assert_int_equal(accounts_user_change(test_state, "root", ROLE_VIEWER, 1, &e), ERR_NOTFOUND);
    assert_int_equal(accounts_user_password(test_state, "root", pw(GOOD), &e), ERR_NOTFOUND);
    assert_int_equal(accounts_user_add(test_state, "x", ROLE_NONE, pw(GOOD), &e), ERR_INPUT);
}

/* --- sessions ---------------------------------------------------------------------------------------------------- */

static void test_session(void **state)
{
    struct err e;
    struct actor who, again;
    char session[TOKEN_TEXT], other[TOKEN_TEXT];
    add("Alice", ROLE_ANALYST);
    assert_int_equal(login("alice", GOOD, &who, session, &e), 0);
    assert_string_equal(who.name, "Alice");
    assert_int_equal(who.role, ROLE_ANALYST);
    assert_int_equal(login("alice", GOOD, &who, other, &e), 0);
    assert_string_not_equal(session, other); /* never the same again */
    assert_int_equal(accounts_session(test_state, session, FROM, &again, &e), 0);
    assert_string_not_equal(again.csrf, who.csrf);
    assert_int_equal(strlen(again.csrf), 43);
    assert_int_equal(strlen(again.session_id), 43);
    assert_null(strstr(again.session_id, session));
    assert_int_equal(accounts_logout(test_state, &again, &e), 0);
    assert_int_equal(accounts_session(test_state, session, FROM, &again, &e), ERR_AUTH);
    assert_int_equal(accounts_session(test_state, other, FROM, &again, &e), 0);
    assert_int_equal(accounts_session(test_state, "", FROM, &again, &e), ERR_AUTH);
    assert_int_equal(again.role, ROLE_NONE);
    assert_string_equal(again.name, "");
}

static void test_session_ends(void **state)
{
    struct err e;
    struct actor who;
    char session[TOKEN_TEXT];
    int64_t start;
    add("alice", ROLE_ADMIN);
    assert_int_equal(login("alice", GOOD, &who, session, &e), 0);
    test_now += 30 * 60 * 1000 - 1;
    assert_int_equal(accounts_session(test_state, session, FROM, &who, &e), 0);
    test_now += 30 * 60 * 1000;
    assert_int_equal(accounts_session(test_state, session, FROM, &who, &e), ERR_AUTH); /* idle */
    start = test_now;
    assert_int_equal(login("alice", GOOD, &who, session, &e), 0);
    while (test_now - start < 12 * 3600 * 1000) {
        assert_int_equal(accounts_session(test_state, session, FROM, &who, &e), 0);
        test_now += 20 * 60 * 1000;
    }
    assert_int_equal(accounts_session(test_state, session, FROM, &who, &e), ERR_AUTH); /* old */
    add("bob", ROLE_ADMIN);
    for (int way = 0; way < 4; way++) {
        assert_int_equal(login("alice", GOOD, &who, session, &e), 0);
        if (way == 0) assert_int_equal(accounts_user_change(test_state, "alice", ROLE_VIEWER, -1, &e), 0);
        if (way == 1) assert_int_equal(accounts_user_password(test_state, "ALICE", pw(GOOD), &e), 0);
        if (way == 2) assert_int_equal(accounts_user_change(test_state, "alice", ROLE_NONE, 0, &e), 0);
        if (way == 2) assert_int_equal(accounts_user_change(test_state, "alice", ROLE_NONE, 1, &e), 0);
        if (way == 3) assert_int_equal(accounts_user_delete(test_state, "alice", &e), 0);
        assert_int_equal(accounts_session(test_state, session, FROM, &who, &e), ERR_AUTH);
    }
}

static void test_few_sessions_each(void **state)
{
    struct err e;
    struct actor who;
    char first[TOKEN_TEXT], session[TOKEN_TEXT];
    int64_t n;
    add("alice", ROLE_ADMIN);
    for (int i = 0; i < 40; i++, test_now++) assert_int_equal(accounts_session_new(test_state, "alice", FROM, &who, i ? session : first, &e), 0);
    assert_int_equal(state_number(test_state, &n, 0, &e, "SELECT count(*) FROM session", ""), 0);
    assert_int_equal(n, 32);
    assert_int_equal(accounts_session(test_state, first, FROM, &who, &e), ERR_AUTH);
    assert_int_equal(accounts_session(test_state, session, FROM, &who, &e), 0);
}

/* --- being wrong ---------------------------------------------------------------------------------------------------- */

static void test_one_sentence(void **state)
{
    struct err e;
    struct actor who;
    char session[TOKEN_TEXT];
    add("root", ROLE_ADMIN);
    add("disabled", ROLE_VIEWER);
    assert_int_equal(accounts_user_change(test_state, "disabled", ROLE_NONE, 0, &e), 0);
    assert_int_equal(accounts_user_add(test_state, "oidc", ROLE_VIEWER, (struct bytes){NULL, 0}, &e), 0);
    static const char *const names[] = {"root", "disabled", "oidc", "nobody here", ""};
    for (size_t i = 0; i < n_elements(names); i++) {
        assert_int_equal(login(names[i], i == 0 ? "wrong password" : GOOD, &who, session, &e), ERR_AUTH);
        assert_string_equal(e.message, "name or password is wrong");
        assert_string_equal(e.hint, "");
        assert_string_equal(session, "");
    }
    assert_int_equal(login("oidc", "", &who, session, &e), ERR_AUTH);
}

/* The thread's own work: what else the machine does has no part in it. */
static double took_ms(const char *name, const char *password)
{
    struct timespec a, b;
    struct actor who;
    struct err e;
    char session[TOKEN_TEXT];
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
    (void)!login(name, password, &who, session, &e);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
    return (double)(b.tv_sec - a.tv_sec) * 1000 + (double)(b.tv_nsec - a.tv_nsec) / 1e6;
}

static void test_same_time(void **state)
{
    double known = 1e9, unknown = 1e9;
    add("alice", ROLE_VIEWER);
    for (int i = 0; i < 8; i++) { /* the best of eight */
        double a = took_ms("alice", "wrong password"), b = took_ms("nobody", "wrong password");
        if (a < known) known = a;
        if (b < unknown) unknown = b;
        test_now += 16 * 60 * 1000;
    }
    if (known > unknown * 2 || unknown > known * 2) fail_msg("known %.1f ms, unknown %.1f ms", known, unknown);
}

static int tries_in(int64_t ms, const char *name, bool new_address_each, struct err *e)
{
    char from[32];
    int n = 0;
    for (int64_t end = test_now + ms; test_now < end; test_now += 500) {
        snprintf(from, sizeof from, "192.0.2.%d", new_address_each ? n : 1);
        char other[32];
        snprintf(other, sizeof other, "%s%d", name, new_address_each ? 0 : n);
        int rc = limit_charge(test_state, other, from, e);
        n += rc == 0;
        if (rc < 0) assert_int_equal(rc, ERR_LIMIT);
        if (rc < 0) assert_true(e->retry_at_ms > test_now);
    }
    return n;
}

static void test_limits(void **state)
{
    struct err e;
    struct actor who;
    char session[TOKEN_TEXT];
    int of_name = tries_in(60000, "alice", true, &e);
    assert_in_range(of_name, 5, 10);
    test_now += 16 * 60 * 1000;
    int of_address = tries_in(60000, "user", false, &e);
    assert_in_range(of_address, 8, 10);
    test_now += 16 * 60 * 1000;
    int in_an_hour = tries_in(3600 * 1000, "bob", true, &e);
    assert_in_range(in_an_hour, 10, 25);
    /* a restart forgets nothing */
    state_close(test_state);
    test_state = test_open();
    assert_int_equal(limit_charge(test_state, "BOB0", "192.0.2.200", &e), ERR_LIMIT);
    /* nor does the right password get through before its time; afterwards it wipes the slate */
    add("carol", ROLE_VIEWER);
    for (int i = 0; i < 5; i++) assert_int_equal(login("carol", "wrong password", &who, session, &e), ERR_AUTH);
    assert_int_equal(login("carol", GOOD, &who, session, &e), ERR_LIMIT);
    test_now += 6000;
    assert_int_equal(login("carol", GOOD, &who, session, &e), 0);
    assert_int_equal(login("carol", "wrong password", &who, session, &e), ERR_AUTH);
    assert_int_equal(login("carol", GOOD, &who, session, &e), 0);
}

static void test_addresses(void **state)
{
    struct err e;
    for (int i = 0; i < 8; i++) {
        char name[16], from[64];
        snprintf(name, sizeof name, "n%d", i);
        snprintf(from, sizeof from, "2001:db8:1:2:%x::%x", i, i);
        assert_int_equal(limit_charge(test_state, name, from, &e), 0);
    }
    assert_int_equal(limit_charge(test_state, "n9", "2001:db8:1:2:ffff::1", &e), ERR_LIMIT); /* of one /64 */
    assert_int_equal(limit_charge(test_state, "n9", "2001:db8:1:3::1", &e), 0);
    test_now -= 3600 * 1000; /* the clock was set back */
    assert_int_equal(limit_charge(test_state, "n10", "2001:db8:1:2::1", &e), 0);
}

static void *guess(void *arg)
{
    struct err e;
    struct actor who;
    char session[TOKEN_TEXT];
    int n = 0;
    for (int i = 0; i < 5; i++) n += accounts_login(test_state, "alice", pw("wrong password"), FROM, &who, session, &e) == ERR_AUTH;
    return (void *)(intptr_t)n;
}

/* Many at once are not more than one after the other. */
static void test_guesses_at_once(void **state)
{
    pthread_t threads[8];
    intptr_t n = 0;
    add("alice", ROLE_VIEWER);
    for (size_t i = 0; i < 8; i++) pthread_create(&threads[i], NULL, guess, NULL);
    for (size_t i = 0; i < 8; i++) {
        void *got;
        pthread_join(threads[i], &got);
        n += (intptr_t)got;
    }
    assert_int_equal(n, 5);
}

/* --- API tokens -------------------------------------------------------------------------------------------------------- */

static void test_tokens(void **state)
{
    struct err e;
    struct actor alice = {.role = ROLE_OPERATOR, .name = "alice"}, who;
    char token[TOKEN_TEXT], other[TOKEN_TEXT];
    json_t *list;
    add("root", ROLE_ADMIN);
    add("alice", ROLE_OPERATOR);
    assert_int_equal(accounts_token_add(test_state, &alice, "ci", ROLE_ADMIN, 0, token, &e), ERR_DENIED);
    assert_int_equal(accounts_token_add(test_state, &alice, "ci", ROLE_VIEWER, test_now, token, &e), ERR_INPUT);
    assert_int_equal(accounts_token_add(test_state, &alice, "ci", ROLE_OPERATOR, test_now + 1000, token, &e), 0);
    assert_int_equal(accounts_token_add(test_state, &alice, "for ever", ROLE_VIEWER, 0, other, &e), 0);
    assert_int_equal(strncmp(token, "rc_", 3), 0);
    assert_int_equal(strlen(token), 46);
    assert_int_equal(accounts_token(test_state, token, FROM, &who, &e), 0);
    assert_string_equal(who.name, "token:ci");
    assert_int_equal(who.role, ROLE_OPERATOR);
    assert_true(who.is_token);
    assert_int_equal(accounts_token_add(test_state, &who, "child", ROLE_VIEWER, 0, token, &e), ERR_DENIED); /* a token makes no tokens */
    struct actor root = {.role = ROLE_ADMIN, .name = "root"};
    assert_int_equal(accounts_token_add(test_state, &root, "CI", ROLE_VIEWER, 0, token, &e), ERR_CONFLICT); /* the log would not tell one from the other */
    assert_int_equal(accounts_user_change(test_state, "alice", ROLE_ANALYST, -1, &e), 0);
    assert_int_equal(accounts_tokens(test_state, "alice", &list, &e), 0);
    assert_int_equal(json_array_size(list), 2);
    json_decref(list);
    assert_int_equal(accounts_token(test_state, other, FROM, &who, &e), 0);
    assert_int_equal(who.role, ROLE_VIEWER);
    test_now += 1000;
    assert_int_equal(accounts_token(test_state, "rc_nothing", FROM, &who, &e), ERR_AUTH);
    assert_int_equal(accounts_token_delete(test_state, 2, "root", &e), ERR_NOTFOUND); /* not his */
    assert_int_equal(accounts_user_change(test_state, "alice", ROLE_NONE, 0, &e), 0);
    assert_int_equal(accounts_token(test_state, other, FROM, &who, &e), ERR_AUTH);
    assert_int_equal(accounts_user_change(test_state, "alice", ROLE_NONE, 1, &e), 0);
    assert_int_equal(accounts_token(test_state, other, FROM, &who, &e), 0);
    assert_int_equal(accounts_token_delete(test_state, 2, NULL, &e), 0);
    assert_int_equal(accounts_token(test_state, other, FROM, &who, &e), ERR_AUTH);
    assert_int_equal(who.role, ROLE_NONE);
}

static void test_token_expires_and_shrinks(void **state)
{
    struct err e;
    struct actor alice = {.role = ROLE_OPERATOR, .name = "alice"}, who;
    char token[TOKEN_TEXT];
    add("alice", ROLE_OPERATOR);
    assert_int_equal(accounts_token_add(test_state, &alice, "ci", ROLE_OPERATOR, test_now + 1000, token, &e), 0);
    assert_int_equal(accounts_user_change(test_state, "alice", ROLE_VIEWER, -1, &e), 0);
    assert_int_equal(accounts_token(test_state, token, FROM, &who, &e), 0);
    assert_int_equal(who.role, ROLE_VIEWER); /* never more than its owner has now */
    test_now += 1000;
    assert_int_equal(accounts_token(test_state, token, FROM, &who, &e), ERR_AUTH);
    test_now -= 1000;
    assert_int_equal(accounts_user_delete(test_state, "alice", &e), 0);
    add("alice", ROLE_ADMIN); /* another of that name does not inherit it */
    assert_int_equal(accounts_token(test_state, token, FROM, &who, &e), ERR_AUTH);
}

/* --- users of a provider --------------------------------------------------------------------------------------------------- */

static void test_oidc(void **state)
{
    struct err e;
    struct actor who;
    char name[ACCOUNT_NAME_MAX], session[TOKEN_TEXT];
    add("alice", ROLE_ADMIN);
    assert_int_equal(accounts_oidc_user(test_state, "https://idp", "s1", "alice", ROLE_VIEWER, name, &e), 0);
    assert_string_equal(name, "alice (2)"); /* not the local one */
    assert_int_equal(accounts_oidc_user(test_state, "https://idp", "s1", "renamed", ROLE_OPERATOR, name, &e), 0);
    assert_string_equal(name, "alice (2)");
    assert_int_equal(accounts_session_new(test_state, name, FROM, &who, session, &e), 0);
    assert_int_equal(who.role, ROLE_OPERATOR);
    assert_int_equal(accounts_oidc_user(test_state, "https://other", "s1", "alice", ROLE_VIEWER, name, &e), 0);
    assert_string_equal(name, "alice (3)");
    assert_int_equal(accounts_oidc_user(test_state, "https://idp", "s2", "x", ROLE_NONE, name, &e), ERR_DENIED);
    assert_int_equal(accounts_oidc_user(test_state, "https://idp", "s3", "a/b\xe2\x80\xae" "c", ROLE_VIEWER, name, &e), 0);
    assert_string_equal(name, "a_b_c");
    assert_int_equal(accounts_oidc_user(test_state, "https://idp", "s4", "", ROLE_VIEWER, name, &e), 0);
    assert_int_equal(accounts_user_change(test_state, "alice (2)", ROLE_NONE, 0, &e), 0);
    assert_int_equal(accounts_oidc_user(test_state, "https://idp", "s1", "alice", ROLE_ADMIN, name, &e), ERR_AUTH);
    assert_int_equal(accounts_session(test_state, session, FROM, &who, &e), ERR_AUTH);
}

static void test_password_check(void **state)
{
    struct err e;
    add("alice", ROLE_VIEWER);
    assert_int_equal(accounts_password_check(test_state, "alice", pw(GOOD), FROM, &e), 0);
    assert_int_equal(accounts_password_check(test_state, "alice", pw("wrong password"), FROM, &e), ERR_AUTH);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, test_set_up, test_tear_down)
    const struct CMUnitTest tests[] = {
        T(test_setup),        T(test_setup_by_two),  T(test_names),           T(test_passwords), T(test_last_admin),     T(test_session),
        T(test_session_ends), T(test_few_sessions_each), T(test_one_sentence), T(test_same_time), T(test_limits),         T(test_addresses),
        T(test_guesses_at_once), T(test_tokens),     T(test_token_expires_and_shrinks), T(test_oidc), T(test_password_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
