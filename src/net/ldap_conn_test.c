/* The paged search and the guard against a server that is a script: its answers are written before they are
 * asked for. */
#include "base/when.h"
#include "net/ldap_conn_int.h"
#include "net/ldap_test.h"

#include <openldap.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/ldap_conn_fixture.h" /* asserts with cmocka */

#define PAGED   "1.2.840.113556.1.4.319"
#define NOTICE  "1.3.6.1.4.1.1466.20036"
#define NO_TEXT ""

/* --- the script ---------------------------------------------------------------------------------------- */

struct script {
    struct ldap_conn *c;
    int server;
    struct buf out;
    char seen[4096]; /* DNs and URLs handed out */
    int stop_after;  /* entries; 0: never */
    struct err e;
    struct ldap_stats stats;
};

static int script_start(void **state)
{
    struct script *s = calloc(1, sizeof *s);
    s->c = conn_to_script(&s->server);
    s->out = buf_new((size_t)1 << 20);
    *state = s;
    return 0;
}

static int script_end(void **state)
{
    struct script *s = *state;
    ldap_conn_close(s->c);
    if (s->server >= 0) close(s->server);
    buf_free(&s->out);
    free(s);
    return 0;
}

static void say_entry(struct script *s, int id, const char *dn)
{
    size_t message = put_open(&s->out, BER_SEQUENCE);
    put_int(&s->out, BER_INTEGER, id);
    size_t op = put_open(&s->out, 0x64);
    put_text(&s->out, dn);
    size_t attributes = put_open(&s->out, BER_SEQUENCE);
    put_attribute(&s->out, "cn", VALUES(dn));
    put_close(&s->out, attributes);
    put_close(&s->out, op);
    put_close(&s->out, message);
}

static void say_reference(struct script *s, int id, const char *url)
{
    size_t message = put_open(&s->out, BER_SEQUENCE);
    put_int(&s->out, BER_INTEGER, id);
    size_t op = put_open(&s->out, 0x73);
    put_text(&s->out, url);
    put_close(&s->out, op);
    put_close(&s->out, message);
}

static void say_result(struct script *s, int id, uint8_t tag, int code, const char *text, const char *oid)
{
    put_int(&s->out, BER_INTEGER, id);
    size_t op = put_open(&s->out, tag);
    put_int(&s->out, BER_ENUMERATED, code);
    put_text(&s->out, "");
    put_text(&s->out, text);
    if (oid) put_octets(&s->out, 0x8a, oid, strlen(oid));
    put_close(&s->out, op);
}

/* n controls, each with this value (NULL: without a value) */
static void say_done_raw(struct script *s, int id, int code, unsigned n, const void *value, size_t len)
{
    size_t message = put_open(&s->out, BER_SEQUENCE);
    say_result(s, id, 0x65, code, code ? "00002024: some text" : "", NULL);
    size_t controls = put_open(&s->out, 0xa0);
    for (unsigned i = 0; i < n; i++) {
        size_t control = put_open(&s->out, BER_SEQUENCE);
        put_text(&s->out, PAGED);
        if (value) put_octets(&s->out, BER_OCTETS, value, len);
        put_close(&s->out, control);
    }
    put_close(&s->out, controls);
    put_close(&s->out, message);
}

static void say_done(struct script *s, int id, int code, const char *cookie)
{
    struct buf value = buf_new(4096);
    size_t at = put_open(&value, BER_SEQUENCE);
    put_int(&value, BER_INTEGER, 0);
    put_text(&value, cookie);
    put_close(&value, at);
    say_done_raw(s, id, code, 1, value.ptr, value.len);
    buf_free(&value);
}

static void say_notification(struct script *s, int code, const char *text, const char *oid)
{
    size_t message = put_open(&s->out, BER_SEQUENCE);
    say_result(s, 0, LDAP_RES_EXTENDED, code, text, oid);
    put_close(&s->out, message);
}

static int each(void *ctx, LDAP *ld, LDAPMessage *m, struct err *e)
{
    struct script *s = ctx;
    char *dn = ldap_get_dn(ld, m);
    snprintf(s->seen + strlen(s->seen), sizeof s->seen - strlen(s->seen), "%s ", dn);
    ldap_memfree(dn);
    if (s->stop_after && --s->stop_after == 0) return err_set(e, ERR_CANCEL, "enough");
    return 0;
}

static int on_reference(void *ctx, const char *url, struct err *e)
{
    struct script *s = ctx;
    (void)e;
    snprintf(s->seen + strlen(s->seen), sizeof s->seen - strlen(s->seen), "<%s> ", url);
    return 0;
}

static int search(struct script *s, unsigned page_size)
{
    const char *attributes[] = {"cn", NULL};
    struct ldap_search q = {.base = "DC=x",
                            .scope = LDAP_SCOPE_SUBTREE,
                            .filter = "(cn=*)",
                            .attributes = attributes,
                            .page_size = page_size};
    if (s->out.len) assert_int_equal(write(s->server, s->out.ptr, s->out.len), (ssize_t)s->out.len);
    buf_clear(&s->out);
    return ldap_conn_search(s->c, &q, each, on_reference, s, &s->stats, &s->e);
}

static void assert_says(const struct script *s, const char *part)
{
    if (!strstr(s->e.message, part)) fail_msg("'%s' does not say '%s'", s->e.message, part);
}

/* --- paging -------------------------------------------------------------------------------------------- */

static void three_pages_in_order(void **state)
{
    struct script *s = *state;
    say_reference(s, 1, "ldap://a/");
    say_entry(s, 1, "CN=1");
    say_entry(s, 1, "CN=2");
    say_done(s, 1, 0, "c1");
    say_done(s, 2, 0, "c2"); /* an empty page is not the end */
    say_entry(s, 3, "CN=3");
    say_done(s, 3, 0, "");
    assert_int_equal(search(s, 2), 0);
    assert_string_equal(s->seen, "<ldap://a/> CN=1 CN=2 CN=3 ");
    assert_int_equal(s->stats.requests, 3);
    assert_int_equal(s->stats.entries, 3);
    assert_int_equal(s->stats.references, 1);
    assert_true(s->stats.bytes > 200);
}

static void unpaged_needs_no_control(void **state)
{
    struct script *s = *state;
    say_entry(s, 1, "CN=1");
    say_done_raw(s, 1, 0, 0, NULL, 0);
    assert_int_equal(search(s, 0), 0);
    assert_string_equal(s->seen, "CN=1 ");
}

static void a_refused_page_size_is_halved(void **state)
{
    struct script *s = *state;
    say_entry(s, 1, "CN=1"); /* of the refused page: not handed out twice */
    say_done(s, 1, LDAP_ADMINLIMIT_EXCEEDED, "");
    say_done(s, 2, LDAP_SIZELIMIT_EXCEEDED, "");
    say_entry(s, 3, "CN=1");
    say_done(s, 3, 0, "");
    assert_int_equal(search(s, 1000), 0);
    assert_string_equal(s->seen, "CN=1 ");
    assert_int_equal(s->stats.entries, 1);
}

static void a_page_size_is_not_halved_for_ever(void **state)
{
    struct script *s = *state;
    for (int id = 1; id <= 20; id++) say_done(s, id, LDAP_ADMINLIMIT_EXCEEDED, "");
    assert_int_equal(search(s, 1000), ERR_LIMIT);
    assert_true(s->stats.requests < 10);
}

static void busy_is_asked_again(void **state)
{
    struct script *s = *state;
    say_entry(s, 1, "CN=1");
    say_done(s, 1, 0, "c");
    say_done(s, 2, LDAP_BUSY, "");
    say_entry(s, 3, "CN=2");
    say_done(s, 3, 0, "");
    assert_int_equal(search(s, 1), 0);
    assert_string_equal(s->seen, "CN=1 CN=2 ");
}

static void repeated_pages_are_noticed(void **state)
{
    struct script *s = *state;
    for (int id = 1; id <= 3; id++) {
        say_entry(s, id, id == 2 ? "CN=b" : "CN=a");
        say_done(s, id, 0, "c");
    }
    assert_int_equal(search(s, 1), ERR_PROTO);
    assert_says(s, "repeats pages");
    assert_string_equal(s->seen, "CN=a CN=b ");
}

static void empty_pages_end_some_time(void **state)
{
    struct script *s = *state;
    for (int id = 1; id <= 1002; id++) say_done(s, id, 0, "c");
    assert_int_equal(search(s, 1), ERR_PROTO);
    assert_says(s, "without an entry");
}

static void an_endless_page_ends(void **state)
{
    struct script *s = *state;
    for (int i = 0; i < 1100; i++) say_entry(s, 1, "CN=a");
    assert_int_equal(search(s, 5), ERR_LIMIT);
    assert_says(s, "for a page of 5");
    assert_string_equal(s->seen, "");
}

static void paging_controls_must_be_sound(void **state)
{
    static const struct {
        unsigned n;
        const char *value; /* NULL: none */
        size_t len;
    } cases[] = {{0, NULL, 0},
                 {1, NULL, 0},
                 {1, "", 0},
                 {1, "\x30\x00", 2},
                 {1, "\x30\x03\x02\x01\x00", 5},
                 {1, "\x30\x05\x02\x01\x00\x04\x00x", 8},
                 {1, "\x30\x06\x02\x01\x00\x04\x00x", 8},
                 {1, "\x30\x05\x04\x00\x02\x01\x00", 7},
                 {1, "\x30\x05\x02\x01\x00\x04\x05", 7},
                 {2, "\x30\x05\x02\x01\x00\x04\x00", 7}};
    (void)state;
    for (size_t i = 0; i < n_elements(cases); i++) {
        void *one;
        script_start(&one);
        struct script *s = one;
        say_entry(s, 1, "CN=1");
        say_done_raw(s, 1, 0, cases[i].n, cases[i].value, cases[i].len);
        if (search(s, 10) != ERR_PROTO) fail_msg("case %zu was believed", i);
        script_end(&one);
    }
}

static void refusals_are_classed(void **state)
{
    static const struct {
        int code, class;
        const char *says;
    } cases[] = {{LDAP_INSUFFICIENT_ACCESS, ERR_DENIED, "LDAP 50: 00002024"},
                 {LDAP_NO_SUCH_OBJECT, ERR_NOTFOUND, "no such object"},
                 {LDAP_REFERRAL, ERR_INPUT, "another server"},
                 {LDAP_UNWILLING_TO_PERFORM, ERR_DENIED, "unwilling"},
                 {LDAP_TIMELIMIT_EXCEEDED, ERR_LIMIT, "time limit"},
                 {4711, ERR_PROTO, "LDAP 4711"}};
    (void)state;
    for (size_t i = 0; i < n_elements(cases); i++) {
        void *one;
        script_start(&one);
        struct script *s = one;
        say_done(s, 1, cases[i].code, "");
        assert_int_equal(search(s, 10), cases[i].class);
        assert_says(s, cases[i].says);
        assert_int_equal(s->e.domain, DOM_LDAP);
        assert_int_equal(s->e.code, cases[i].code);
        script_end(&one);
    }
}

static void a_refused_cookie_is_named(void **state)
{
    struct script *s = *state;
    say_entry(s, 1, "CN=1");
    say_done(s, 1, 0, "c");
    say_done(s, 2, LDAP_UNWILLING_TO_PERFORM, "");
    assert_int_equal(search(s, 1), ERR_COOKIE);
    assert_says(s, "page 2, after 1 entries: the paging cookie was refused");
}

static void a_callback_may_end_it(void **state)
{
    struct script *s = *state;
    say_entry(s, 1, "CN=1");
    say_entry(s, 1, "CN=2");
    say_done(s, 1, 0, "c");
    say_entry(s, 2, "CN=3"); /* late answers to the abandoned request */
    say_done(s, 2, 0, "");
    s->stop_after = 1;
    assert_int_equal(search(s, 2), ERR_CANCEL);
    assert_string_equal(s->seen, "CN=1 ");
    s->stop_after = 0;
    say_entry(s, 4, "CN=4"); /* 3 was the abandon request */
    say_done(s, 4, 0, "");
    assert_int_equal(search(s, 2), 0);
    assert_string_equal(s->seen, "CN=1 CN=4 ");
}

/* --- connections that end or fall silent --------------------------------------------------------------- */

static void silence_has_an_end(void **state)
{
    struct script *s = *state;
    int64_t began = when_monotonic_ms();
    say_entry(s, 1, "CN=1");
    assert_int_equal(search(s, 10), ERR_TIMEOUT);
    assert_says(s, "after 1 entries of page 1");
    assert_in_range(when_monotonic_ms() - began, 150, 2000);
}

static void a_cut_is_told_with_its_place(void **state)
{
    struct script *s = *state;
    say_entry(s, 1, "CN=1");
    say_done(s, 1, 0, "c");
    say_entry(s, 2, "CN=2");
    say_entry(s, 2, "CN=3");
    s->out.len -= 3;
    assert_int_equal(write(s->server, s->out.ptr, s->out.len), (ssize_t)s->out.len);
    buf_clear(&s->out);
    shutdown(s->server, SHUT_WR);
    assert_int_equal(search(s, 1), ERR_NET);
    assert_says(s, "after 1 entries of page 2: the server closed the connection");
}

static void a_notice_of_disconnection_is_told(void **state)
{
    struct script *s = *state;
    say_entry(s, 1, "CN=1");
    say_notification(s, LDAP_UNAVAILABLE, "shutting\x1b[31m down", NOTICE);
    assert_int_equal(search(s, 1), ERR_NET);
    assert_says(s, "announced that it disconnects: the server is unavailable (LDAP 52: shutting [31m down)");
}

static void other_notifications_are_skipped(void **state)
{
    struct script *s = *state;
    say_notification(s, 0, "", "1.2.3");
    say_notification(s, 0, "", "");
    say_entry(s, 1, "CN=1");
    say_notification(s, 0, "", "1.2.3");
    say_done(s, 1, 0, "");
    assert_int_equal(search(s, 1), 0);
    assert_string_equal(s->seen, "CN=1 ");
}

static void too_many_notifications(void **state)
{
    struct script *s = *state;
    for (int i = 0; i < 101; i++) say_notification(s, 0, "", "1.2.3");
    assert_int_equal(search(s, 1), ERR_LIMIT);
}

static void only_answers_are_let_in(void **state)
{
    (void)state;
    for (int id = -1; id <= 3; id++) {
        if (id == 0 || id == 1) continue;
        void *one;
        script_start(&one);
        struct script *s = one;
        say_entry(s, id, "CN=1");
        say_done(s, 1, 0, "");
        if (search(s, 1) != ERR_PROTO) fail_msg("an entry with messageID %d was let in or dropped", id);
        script_end(&one);
    }
}

static void frames_must_be_sound(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        int class;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\n", 17, ERR_PROTO},
        {"\x30\x80\x02\x01\x01\x64\x00", 7, ERR_PROTO},                  /* indefinite length */
        {"\x30\x85\x01\x00\x00\x00\x00\x02\x01\x01", 10, ERR_PROTO},     /* five length octets */
        {"\x30\x84\x7f\xff\xff\xff\x02\x01\x01\x64\x00", 11, ERR_LIMIT}, /* 2 GiB */
        {"\x30\x84\x04\x00\x00\x01\x02\x01\x01\x64\x00", 11, ERR_LIMIT}, /* 64 MiB and a byte */
        {"\x30\x05\x04\x01\x01\x64\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 19,
         ERR_PROTO}, /* the ID is text */
        {"\x30\x05\x02\x00\x64\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 19,
         ERR_PROTO}, /* it is empty */
        {"\x30\x0a\x02\x05\x00\x00\x00\x00\x01\x64\x01\x00\x00\x00\x00\x00\x00\x00\x00", 19,
         ERR_PROTO}, /* five octets */
        {"\x30\x03\x02\x01\x01\x64\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 19,
         ERR_PROTO}, /* no operation */
        {"\x30\x06\x02\x01\x01\x64\x7f\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 19,
         ERR_PROTO},                                            /* it does not fit */
        {"\x30\x07\x02\x01\x00\x78\x02\x01\x01", 9, ERR_PROTO}, /* a malformed notification */
    };
    (void)state;
    for (size_t i = 0; i < n_elements(cases); i++) {
        void *one;
        script_start(&one);
        struct script *s = one;
        buf_add(&s->out, cases[i].bytes, cases[i].len);
        int rc = search(s, 1);
        if (rc != cases[i].class) fail_msg("case %zu: %d (%s)", i, rc, s->e.message);
        script_end(&one);
    }
}

static void bytes_may_come_one_by_one(void **state)
{
    struct script *s = *state;
    say_notification(s, 0, "", "1.2.3");
    say_entry(s, 1, "CN=1");
    say_done(s, 1, 0, "");
    s->c->answer_timeout_ms = 5000;
    pid_t child = fork();
    if (child == 0) {
        for (size_t i = 0; i < s->out.len; i++) {
            if (write(s->server, s->out.ptr + i, 1) != 1) _exit(1);
            usleep(200);
        }
        _exit(0);
    }
    buf_clear(&s->out);
    assert_int_equal(search(s, 1), 0);
    assert_string_equal(s->seen, "CN=1 ");
}

/* --- words --------------------------------------------------------------------------------------------- */

static void logon_failures_in_words(void **state)
{
    static const struct {
        const char *data, *says;
    } cases[] = {{"525", "no such user (LDAP 49, AD 525)"},
                 {"52e", "wrong user name or password (LDAP 49, AD 52e)"},
                 {"530", "at this time"},
                 {"531", "from this workstation"},
                 {"532", "password has expired"},
                 {"533", "account is disabled"},
                 {"701", "account has expired"},
                 {"773", "must be changed"},
                 {"775", "account locked (LDAP 49, AD 775)"},
                 {"80090346", "channel binding"}};
    struct err e;
    char text[128];
    (void)state;
    for (size_t i = 0; i < n_elements(cases); i++) {
        snprintf(text, sizeof text,
                 "80090308: LdapErr: DSID-0C09041C, comment: AcceptSecurityContext error, data %s, v4563",
                 cases[i].data);
        assert_int_equal(ldap_conn_explain(49, text, NULL, &e), ERR_AUTH);
        assert_non_null(strstr(e.message, cases[i].says));
        assert_true(*e.hint);
        assert_int_equal(e.domain, DOM_AD);
        assert_int_equal(e.code, (int)strtoul(cases[i].data, NULL, 16));
    }
    assert_int_equal(ldap_conn_explain(49, "no data here", NULL, &e), ERR_AUTH);
    assert_int_equal(e.domain, DOM_LDAP);
    assert_int_equal(ldap_conn_explain(49, "x, data zz", NULL, &e), ERR_AUTH);
    assert_int_equal(
        ldap_conn_explain(1, "In order to perform this operation a successful bind must be completed", NULL,
                          &e),
        ERR_DENIED);
    assert_int_equal(ldap_conn_explain(32, NULL, "DC=x", &e), ERR_NOTFOUND);
    assert_non_null(strstr(e.hint, "DC=x"));
    assert_int_equal(ldap_conn_explain(8, NULL, NULL, &e), ERR_DENIED);
}

static void server_texts_are_harmless(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {{"plain", "plain"},
                 {"a\r\nb", "a  b"},
                 {"\x1b[31mred", " [31mred"},
                 {"nul at the end", "nul at the end"},
                 {"caf\xc3\xa9", "caf\xc3\xa9"},
                 {"caf\xe9", "caf?"},
                 {"a\xc2\x9b"
                  "b",
                  "a??b"},
                 {"", ""},
                 {"  \n", ""}};
    char out[64], small[6];
    (void)state;
    for (size_t i = 0; i < n_elements(cases); i++)
        assert_string_equal(server_text(out, sizeof out, str_from(cases[i].in)), cases[i].out);
    assert_string_equal(server_text(out, sizeof out, (struct str){"x\0", 2}), "x");
    assert_string_equal(server_text(small, sizeof small, STR("abcd\xc3\xa9")), "abcd");
    assert_string_equal(server_text(small, sizeof small, STR("abcdefgh")), "abcde");
}

/* --- bind and open ------------------------------------------------------------------------------------- */

static void no_password_without_tls(void **state)
{
    struct script *s = *state;
    struct secret password = {0}, good = {0};
    assert_int_equal(ldap_conn_bind_simple(s->c, "", &password, &s->e), ERR_INPUT);
    assert_int_equal(ldap_conn_bind_simple(s->c, "u", &password, &s->e), ERR_INPUT);
    assert_says(s, "password is empty");
    assert_int_equal(secret_take(&good, bytes_of(STR("secret")), &s->e), 0);
    assert_int_equal(ldap_conn_bind_simple(s->c, "u", &good, &s->e), ERR_BUG);
    char byte;
    assert_int_equal(recv(s->server, &byte, 1, MSG_DONTWAIT), -1);
    secret_drop(&good);
}

static int bind_answered(struct script *s, int code, const char *text)
{
    struct secret good = {0};
    size_t message = put_open(&s->out, BER_SEQUENCE);
    say_result(s, 1, LDAP_RES_BIND, code, text, NULL);
    put_close(&s->out, message);
    assert_int_equal(write(s->server, s->out.ptr, s->out.len), (ssize_t)s->out.len);
    s->c->is_encrypted = true;
    assert_int_equal(secret_take(&good, bytes_of(STR("secret")), &s->e), 0);
    int rc = ldap_conn_bind_simple(s->c, "u@x", &good, &s->e);
    secret_drop(&good);
    return rc;
}

static void bind_succeeds(void **state)
{
    struct script *s = *state;
    assert_int_equal(bind_answered(s, 0, ""), 0);
}

static void a_refused_bind_is_final(void **state)
{
    struct script *s = *state;
    char request[512];
    assert_int_equal(bind_answered(s, 49, "80090308: comment: AcceptSecurityContext error, data 775, v1db1"),
                     ERR_AUTH);
    assert_string_equal(s->e.message, "script: bind as u@x: account locked (LDAP 49, AD 775)");
    ssize_t n = recv(s->server, request, sizeof request, MSG_DONTWAIT);
    assert_true(n > 0 && (uint8_t)request[1] == n - 2); /* one request, nothing behind it */
}

static void bad_names_are_refused_at_once(void **state)
{
    static const char *const names[] = {"a b", "dc1/x", "dc1?", "u@dc1", "localhost", "LocalHost"};
    struct err e;
    struct ldap_conn *c;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_storage at;
    socklen_t len = sizeof at;
    (void)state;
    assert_int_equal(listen(listener, 5), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    uint16_t port;
    memcpy(&port, (char *)&at + 2, 2);
    for (size_t i = 0; i < n_elements(names); i++) {
        struct ldap_target t = {.host = "127.0.0.1",
                                .port = (uint16_t)(port >> 8 | port << 8),
                                .verify_name = names[i],
                                .connect_timeout_ms = 1000,
                                .answer_timeout_ms = 1000,
                                .deadline_ms = when_monotonic_ms() + 2000};
        assert_int_equal(ldap_conn_open(&c, &t, &e), ERR_INPUT);
        assert_null(c);
    }
    close(listener);
}

static void a_silent_peer_ends_the_handshake(void **state)
{
    struct err e;
    struct ldap_conn *c;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_storage at;
    socklen_t len = sizeof at;
    (void)state;
    assert_int_equal(listen(listener, 5), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    uint16_t port;
    memcpy(&port, (char *)&at + 2, 2);
    struct ldap_target t = {.host = "127.0.0.1",
                            .port = (uint16_t)(port >> 8 | port << 8),
                            .connect_timeout_ms = 300,
                            .answer_timeout_ms = 1000,
                            .deadline_ms = when_monotonic_ms() + 5000};
    for (t.security = LDAP_SEC_LDAPS; t.security <= LDAP_SEC_STARTTLS; t.security++) {
        int64_t began = when_monotonic_ms();
        assert_int_equal(ldap_conn_open(&c, &t, &e), ERR_TIMEOUT);
        assert_in_range(when_monotonic_ms() - began, 200, 2000);
    }
    close(listener);
}

#define SCRIPTED(f) cmocka_unit_test_setup_teardown(f, script_start, script_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRIPTED(three_pages_in_order),
        SCRIPTED(unpaged_needs_no_control),
        SCRIPTED(a_refused_page_size_is_halved),
        SCRIPTED(a_page_size_is_not_halved_for_ever),
        SCRIPTED(busy_is_asked_again),
        SCRIPTED(repeated_pages_are_noticed),
        SCRIPTED(empty_pages_end_some_time),
        SCRIPTED(an_endless_page_ends),
        cmocka_unit_test(paging_controls_must_be_sound),
        cmocka_unit_test(refusals_are_classed),
        SCRIPTED(a_refused_cookie_is_named),
        SCRIPTED(a_callback_may_end_it),
        SCRIPTED(silence_has_an_end),
        SCRIPTED(a_cut_is_told_with_its_place),
        SCRIPTED(a_notice_of_disconnection_is_told),
        SCRIPTED(other_notifications_are_skipped),
        SCRIPTED(too_many_notifications),
        cmocka_unit_test(only_answers_are_let_in),
        cmocka_unit_test(frames_must_be_sound),
        SCRIPTED(bytes_may_come_one_by_one),
        cmocka_unit_test(logon_failures_in_words),
        cmocka_unit_test(server_texts_are_harmless),
        SCRIPTED(no_password_without_tls),
        SCRIPTED(bind_succeeds),
        SCRIPTED(a_refused_bind_is_final),
        cmocka_unit_test(bad_names_are_refused_at_once),
        cmocka_unit_test(a_silent_peer_ends_the_handshake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
