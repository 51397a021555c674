/* The SASL exchange and the sealing layer against a server that is a script, with a GSSAPI that is a toy:
 * tokens are words, sealing is exclusive or. The real GSSAPI is tested against real controllers
 * (tests/doors_test.py). */
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

/* --- the toy ---------------------------------------------------------------------------------------------
 */

struct gss {
    enum gss_mechanism mechanism;
    bool is_sealed;
};
static unsigned n_open;

int gss_open(struct gss **out, const struct gss_how *how, struct err *e)
{
    *out = x_zalloc(sizeof **out);
    (*out)->mechanism = how->mechanism;
    n_open++;
    return 0;
}

void gss_close(struct gss *g)
{
    n_open -= g != NULL;
    free(g);
}

static bool is(struct bytes b, const char *word)
{
    return str_equal(str_of(b), str_from(word));
}

/* "" -> "first", "second" -> done */
int gss_step(struct gss *g, struct bytes in, struct buf *reply, bool *is_done, struct err *e)
{
    *is_done = false;
    if (!in.len) {
        buf_add_str(reply, STR("first"));
        return 0;
    }
    if (is(in, "krb-error")) {
        err_set(e, ERR_AUTH, "ldap/script@X: the clocks differ too much (Kerberos 37)");
        return err_code(e, DOM_KRB5, 37);
    }
    if (!is(in, "second")) return err_set(e, ERR_PROTO, "GSSAPI: the server's token makes no sense");
    *is_done = true;
    g->is_sealed = g->mechanism == GSS_MECH_SPNEGO;
    return 0;
}

int gss_choose_layer(struct gss *g, struct bytes offer, struct buf *reply, struct err *e)
{
    if (!is(offer, "offer"))
        return err_set(e, ERR_PROTO, "the server's offer of security layers makes no sense");
    buf_add_str(reply, STR("choice"));
    g->is_sealed = true;
    return 0;
}

bool gss_is_sealed(const struct gss *g)
{
    return g->is_sealed;
}

size_t gss_seal_limit(struct gss *g)
{
    return 100;
}

static void add_toy(struct buf *out, struct bytes b)
{
    for (size_t i = 0; i < b.len; i++) buf_add_byte(out, b.ptr[i] ^ 0x55);
}

int gss_encrypt(struct gss *g, struct bytes plain, struct buf *out, struct err *e)
{
    buf_add_byte(out, '#');
    add_toy(out, plain);
    return 0;
}

int gss_decrypt(struct gss *g, struct bytes sealed, struct buf *out, struct err *e)
{
    if (!sealed.len || sealed.ptr[0] != '#')
        return err_set(e, ERR_PROTO, "a message is not sealed as it must be, or was changed on its way");
    add_toy(out, (struct bytes){sealed.ptr + 1, sealed.len - 1});
    return 0;
}

/* --- the script ------------------------------------------------------------------------------------------
 */

struct script {
    struct ldap_conn *c;
    int server;
    struct buf out, plain;
    struct err e;
    struct ldap_stats stats;
    unsigned n_entries;
};

static int start(void **state)
{
    struct script *s = calloc(1, sizeof *s);
    s->c = conn_to_script(&s->server);
    s->out = buf_new((size_t)32 << 20);
    s->plain = buf_new((size_t)32 << 20);
    *state = s;
    return 0;
}

static int end(void **state)
{
    struct script *s = *state;
    ldap_conn_close(s->c);
    if (s->server >= 0) close(s->server);
    buf_free(&s->out);
    buf_free(&s->plain);
    free(s);
    assert_int_equal(n_open, 0);
    return 0;
}

static void say_bind(struct buf *out, int id, int code, const char *text, const char *token)
{
    size_t message = put_open(out, BER_SEQUENCE);
    put_int(out, BER_INTEGER, id);
    size_t op = put_open(out, 0x61);
    put_int(out, BER_ENUMERATED, code);
    put_text(out, "");
    put_text(out, text);
    if (token) put_octets(out, 0x87, token, strlen(token));
    put_close(out, op);
    put_close(out, message);
}

static void say_entry(struct buf *out, int id, const char *dn, size_t n_value)
{
    char *value = calloc(1, n_value + 1);
    memset(value, 'v', n_value);
    size_t message = put_open(out, BER_SEQUENCE);
    put_int(out, BER_INTEGER, id);
    size_t op = put_open(out, 0x64);
    put_text(out, dn);
    size_t attributes = put_open(out, BER_SEQUENCE);
    put_attribute(out, "cn", VALUES(value));
    put_close(out, attributes);
    put_close(out, op);
    put_close(out, message);
    free(value);
}

static void say_done(struct buf *out, int id)
{
    size_t message = put_open(out, BER_SEQUENCE);
    put_int(out, BER_INTEGER, id);
    size_t op = put_open(out, 0x65);
    put_int(out, BER_ENUMERATED, 0);
    put_text(out, "");
    put_text(out, "");
    put_close(out, op);
    put_close(out, message);
}

static void flush_script(struct script *s)
{
    assert_int_equal(write(s->server, s->out.ptr, s->out.len), (ssize_t)s->out.len);
    buf_clear(&s->out);
}

static int bind_by(struct script *s, enum gss_mechanism mechanism)
{
    struct ldap_kerberos how = {"MEMORY:x", "ldap/script@X", "svc@X", mechanism};
    flush_script(s);
    return ldap_conn_bind_kerberos(s->c, &how, &s->e);
}

static void bound(struct script *s)
{
    say_bind(&s->out, 1, LDAP_SASL_BIND_IN_PROGRESS, "", "second");
    say_bind(&s->out, 2, LDAP_SASL_BIND_IN_PROGRESS, "", "offer");
    say_bind(&s->out, 3, LDAP_SUCCESS, "", NULL);
    assert_int_equal(bind_by(s, GSS_MECH_GSSAPI), 0);
    assert_non_null(s->c->seal.gss);
}

/* --- the exchange ----------------------------------------------------------------------------------------
 */

static size_t take_all(struct script *s, uint8_t *to, size_t size)
{
    ssize_t n = recv(s->server, to, size, MSG_DONTWAIT);
    return n > 0 ? (size_t)n : 0;
}

static void test_gssapi(void **state)
{
    struct script *s = *state;
    uint8_t seen[4096];
    bound(s);
    size_t n = take_all(s, seen, sizeof seen);
    assert_non_null(memmem(seen, n, "GSSAPI", 6));
    assert_non_null(memmem(seen, n, "first", 5));
    assert_non_null(memmem(seen, n, "choice", 6));
}

static void test_spnego(void **state)
{
    struct script *s = *state;
    say_bind(&s->out, 1, LDAP_SUCCESS, "", "second");
    assert_int_equal(bind_by(s, GSS_MECH_SPNEGO), 0);
    assert_non_null(s->c->seal.gss);
}

struct refusal {
    int code;
    const char *text, *token, *message, *hint;
    enum err_class class;
};

static void test_refusals(void **state)
{
    static const struct refusal cases[] = {
        {49, "", NULL,
         "script: bind as svc@X: the server does not accept the ticket for ldap/script@X (LDAP 49)",
         "kerberos_spn", ERR_AUTH},
        {49, "8009030C: LdapErr: DSID-0C0905F0, comment: AcceptSecurityContext error, data 52e, v3839", NULL,
         "does not accept the ticket", "kerberos_spn", ERR_AUTH},
        {49, "80090346: LdapErr: DSID-0C0905F0, comment: AcceptSecurityContext error, data 80090346, v3839",
         NULL, "channel binding", "LdapEnforceChannelBinding", ERR_AUTH},
        {49, "80090308: LdapErr: DSID-0C0905F0, comment: AcceptSecurityContext error, data 533, v3839", NULL,
         "disabled", "enable", ERR_AUTH},
        {49, "", "krb-error",
         "script: bind as svc@X: ldap/script@X: the clocks differ too much (Kerberos 37)", "", ERR_AUTH},
        {8, "", NULL, "stronger kind of authentication", "", ERR_DENIED},
        {7, "", NULL, "does not support this kind of bind", "gssapi or spnego", ERR_DENIED},
        {53, "", NULL, "unwilling", "", ERR_DENIED},
        {51, "", NULL, "busy", "later", ERR_LIMIT},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        if (i) {
            end(state);
            start(state);
        }
        struct script *s = *state;
        say_bind(&s->out, 1, cases[i].code, cases[i].text, cases[i].token);
        assert_int_equal(bind_by(s, GSS_MECH_GSSAPI), cases[i].class);
        if (!strstr(s->e.message, cases[i].message)) fail_msg("%zu: %s", i, s->e.message);
        if (!strstr(s->e.hint, cases[i].hint)) fail_msg("%zu: %s", i, s->e.hint);
    }
}

/* What a server that cannot prove itself, or a broken one, may say. */
static void test_impostors(void **state)
{
    static const struct {
        int code[4];
        const char *token[4];
        enum gss_mechanism mechanism;
        enum err_class class;
        const char *message;
    } cases[] = {
        {{0}, {NULL}, GSS_MECH_GSSAPI, ERR_AUTH, "says success without having proved"},
        {{0}, {NULL}, GSS_MECH_SPNEGO, ERR_AUTH, "says success without having proved"},
        {{0}, {"second"}, GSS_MECH_GSSAPI, ERR_AUTH, "says success without having proved"},
        {{14, 0}, {"second", NULL}, GSS_MECH_GSSAPI, ERR_AUTH, "says success without having proved"},
        {{14, 14},
         {"second", "nothing"},
         GSS_MECH_GSSAPI,
         ERR_PROTO,
         "offer of security layers makes no sense"},
        {{14, 14, 14}, {"second", "offer", "more"}, GSS_MECH_GSSAPI, ERR_PROTO, "goes on after the end"},
        {{14, 14}, {"second", "more"}, GSS_MECH_SPNEGO, ERR_PROTO, "goes on after the end"},
        {{14}, {"garbage"}, GSS_MECH_GSSAPI, ERR_PROTO, "makes no sense"},
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        if (i) {
            end(state);
            start(state);
        }
        struct script *s = *state;
        for (int k = 0; k < 4; k++) say_bind(&s->out, k + 1, cases[i].code[k], "", cases[i].token[k]);
        assert_int_equal(bind_by(s, cases[i].mechanism), cases[i].class);
        if (!strstr(s->e.message, cases[i].message)) fail_msg("%zu: %s", i, s->e.message);
        assert_null(s->c->seal.gss);
    }
}

/* An endless exchange: empty tokens lead nowhere. */
static void test_endless(void **state)
{
    struct script *s = *state;
    for (int i = 1; i <= 20; i++) say_bind(&s->out, i, LDAP_SASL_BIND_IN_PROGRESS, "", NULL);
    assert_int_equal(bind_by(s, GSS_MECH_GSSAPI), ERR_PROTO);
    assert_non_null(strstr(s->e.message, "does not come to an end"));
}

/* Plain text behind the last answer would be taken for the directory's. */
static void test_injected(void **state)
{
    struct script *s = *state;
    say_bind(&s->out, 1, LDAP_SUCCESS, "", "second");
    say_entry(&s->out, 2, "cn=injected", 5);
    assert_int_equal(bind_by(s, GSS_MECH_SPNEGO), ERR_PROTO);
    assert_non_null(strstr(s->e.message, "not sealed"));
}

/* --- sealed ----------------------------------------------------------------------------------------------
 */

static void put_length(struct buf *out, uint32_t n)
{
    for (unsigned i = 0; i < 4; i++) buf_add_byte(out, (uint8_t)(n >> (8 * (3 - i))));
}

/* s->plain, cut into tokens of at most `piece` bytes */
static void seal_script(struct script *s, size_t piece)
{
    struct bytes left = buf_bytes(&s->plain);
    while (left.len) {
        size_t n = left.len < piece ? left.len : piece;
        put_length(&s->out, (uint32_t)n + 1);
        buf_add_byte(&s->out, '#');
        add_toy(&s->out, (struct bytes){left.ptr, n});
        left = (struct bytes){left.ptr + n, left.len - n};
    }
    buf_clear(&s->plain);
}

static int each(void *ctx, LDAP *ld, LDAPMessage *m, struct err *e)
{
    struct script *s = ctx;
    s->n_entries++;
    return 0;
}

#define LONG_DN                                                                                              \
    "ou=a-rather-long-name-of-a-unit,ou=another-rather-long-name-of-a-unit,ou=and-a-third-one,dc=well-"      \
    "known-name"

static int search(struct script *s)
{
    const char *attributes[] = {"cn", NULL};
    struct ldap_search q = {
        .base = LONG_DN, .scope = LDAP_SCOPE_SUBTREE, .filter = "(cn=*)", .attributes = attributes};
    return ldap_conn_search(s->c, &q, each, NULL, s, &s->stats, &s->e);
}

static void test_sealed(void **state)
{
    static const size_t pieces[] = {1, 2, 7, 100, 4096, 1000000};
    for (size_t i = 0; i < n_elements(pieces); i++) {
        if (i) {
            end(state);
            start(state);
        }
        struct script *s = *state;
        uint8_t seen[8192];
        s->c->answer_timeout_ms = 5000; /* another process writes */
        bound(s);
        take_all(s, seen, sizeof seen);
        for (int k = 0; k < 5; k++) say_entry(&s->plain, 4, "cn=a", 3000);
        say_done(&s->plain, 4);
        seal_script(s, pieces[i]);
        /* the peer's reader would block on a full socket, so it is written by another process */
        pid_t writer = fork();
        if (writer == 0) {
            for (size_t at = 0; at < s->out.len;) {
                ssize_t n = write(s->server, s->out.ptr + at, s->out.len - at);
                if (n <= 0) _exit(1);
                at += (size_t)n;
            }
            _exit(0);
        }
        if (search(s) != 0) fail_msg("%zu: %s", pieces[i], s->e.message);
        assert_int_equal(s->n_entries, 5);
        size_t n = take_all(s, seen, sizeof seen);
        assert_true(n > sizeof LONG_DN); /* cut at the peer's limit, and nothing of it readable */
        assert_null(memmem(seen, n, "well-known", 10));
        assert_int_equal(seen[0], 0);
        assert_int_equal(seen[4], '#');
    }
}

static void test_hostile(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        bool closes;
        const char *message;
    } cases[] = {
        {"\x30\x84\x00\x00\x00\x10", 6, false, "bytes that are not sealed"}, /* plain LDAP */
        {"\xff\xff\xff\xff#", 5, false, "bytes that are not sealed"},        /* 4 GiB announced */
        {"\x00\xb0\x00\x01#", 5, false, "bytes that are not sealed"},        /* one more than the most */
        {"\x00\x00\x00\x00", 4, false, "bytes that are not sealed"},         /* nothing */
        {"\x00\x00\x00\x01#", 5, false, "an empty sealed message"},          /* sealed nothing */
        {"\x00\x00\x00\x04!abc", 8, false, "not sealed as it must be"},      /* refused by GSSAPI */
        {"\x00\x00\x00\x05#\x45\x45\x45\x45", 9, false,
         "bytes that are no LDAP message"},                             /* well sealed, garbage inside */
        {"\x00\x00\x10\x00#ab", 7, true, "closed the connection"},      /* ends within a token */
        {"\x00\x00", 2, true, "closed the connection"},                 /* ends within a length */
        {"\x00\x00\x10\x00#ab", 7, false, "did not finish its answer"}, /* stalls within a token */
    };
    for (size_t i = 0; i < n_elements(cases); i++) {
        if (i) {
            end(state);
            start(state);
        }
        struct script *s = *state;
        bound(s);
        buf_add(&s->out, cases[i].bytes, cases[i].n);
        flush_script(s);
        if (cases[i].closes) shutdown(s->server, SHUT_WR);
        assert_true(search(s) < 0);
        if (!strstr(s->e.message, cases[i].message)) fail_msg("%zu: %s", i, s->e.message);
        assert_int_equal(s->n_entries, 0);
    }
}

/* Every prefix of a sealed answer, and every one of its bytes changed: never an entry that was not sent,
 * never a hang. */
static void test_cut_and_changed(void **state)
{
    struct buf whole = buf_new(4096);
    say_entry(&whole, 4, "cn=a", 10);
    say_done(&whole, 4);
    size_t n = whole.len + 2 * 5;
    buf_free(&whole);
    for (size_t i = 0; i < 2 * n; i++) {
        end(state);
        start(state);
        struct script *s = *state;
        bound(s);
        say_entry(&s->plain, 4, "cn=a", 10);
        seal_script(s, 4096);
        say_done(&s->plain, 4);
        seal_script(s, 4096);
        assert_int_equal(s->out.len, n);
        if (i < n)
            s->out.len = i;
        else
            s->out.ptr[i - n] ^= 0x80;
        flush_script(s);
        shutdown(s->server, SHUT_WR);
        int rc = search(s);
        assert_true(i >= n || rc < 0);
        assert_true(s->n_entries <= 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_gssapi, start, end),
        cmocka_unit_test_setup_teardown(test_spnego, start, end),
        cmocka_unit_test_setup_teardown(test_refusals, start, end),
        cmocka_unit_test_setup_teardown(test_impostors, start, end),
        cmocka_unit_test_setup_teardown(test_endless, start, end),
        cmocka_unit_test_setup_teardown(test_injected, start, end),
        cmocka_unit_test_setup_teardown(test_sealed, start, end),
        cmocka_unit_test_setup_teardown(test_hostile, start, end),
        cmocka_unit_test_setup_teardown(test_cut_and_changed, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
