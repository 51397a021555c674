/* krb_test.h - ticket caches made by hand, for tests: the tickets are well-formed and open no door.
 */
#ifndef ROLLCALL_KRB_TEST_H
#define ROLLCALL_KRB_TEST_H

#include "net/krb_int.h"
#include "net/ldap_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define TEST_REALM "CORP.EXAMPLE"

static inline void put_general(struct buf *b, uint8_t tag, const char *text)
{
    size_t at = put_open(b, tag);
    put_octets(b, 0x1b, text, strlen(text));
    put_close(b, at);
}

/* RFC 4120 5.3: a Ticket whose encrypted part is noise. */
static inline void put_ticket(struct buf *b, const char *service, const char *instance)
{
    size_t app = put_open(b, 0x61), seq = put_open(b, 0x30);
    size_t at = put_open(b, 0xa0);
    buf_add(b, "\x02\x01\x05", 3);
    put_close(b, at);
    put_general(b, 0xa1, TEST_REALM);
    at = put_open(b, 0xa2);
    size_t name = put_open(b, 0x30);
    buf_add(b, "\xa0\x03\x02\x01\x02", 5);
    size_t parts = put_open(b, 0xa1), list = put_open(b, 0x30);
    put_octets(b, 0x1b, service, strlen(service));
    put_octets(b, 0x1b, instance, strlen(instance));
    put_close(b, list);
    put_close(b, parts);
    put_close(b, name);
    put_close(b, at);
    at = put_open(b, 0xa3);
    size_t data = put_open(b, 0x30);
    buf_add(b, "\xa0\x03\x02\x01\x12\xa2\x12\x04\x10noise noise noi", 5 + 4 + 15);
    buf_add_byte(b, 's');
    put_close(b, data);
    put_close(b, at);
    put_close(b, seq);
    put_close(b, app);
}

/* Into the named cache: client svc's ticket for service/instance, ending in `seconds`. */
static inline void put_creds(krb5_context ctx, krb5_ccache cache, const char *service, const char *instance,
                             int seconds, bool is_renewable)
{
    krb5_creds c = {0};
    struct buf ticket = buf_new(4096);
    put_ticket(&ticket, service, instance);
    assert_int_equal(
        krb5_build_principal(ctx, &c.client, strlen(TEST_REALM), TEST_REALM, "svc", (char *)NULL), 0);
    assert_int_equal(
        krb5_build_principal(ctx, &c.server, strlen(TEST_REALM), TEST_REALM, service, instance, (char *)NULL),
        0);
    assert_int_equal(krb5_c_make_random_key(ctx, ENCTYPE_AES256_CTS_HMAC_SHA1_96, &c.keyblock), 0);
    c.times.authtime = c.times.starttime = (krb5_timestamp)(time(NULL) - 7200);
    c.times.endtime = (krb5_timestamp)(time(NULL) + seconds);
    c.times.renew_till = is_renewable ? c.times.endtime + 3600 : 0;
    c.ticket_flags = is_renewable ? TKT_FLG_RENEWABLE : 0;
    c.ticket.data = (char *)ticket.ptr;
    c.ticket.length = (unsigned)ticket.len;
    assert_int_equal(krb5_cc_store_cred(ctx, cache, &c), 0);
    c.ticket.data = NULL;
    krb5_free_cred_contents(ctx, &c);
    buf_free(&ticket);
}

static inline krb5_ccache open_cache(krb5_context ctx, const char *name)
{
    krb5_ccache cache;
    krb5_principal p;
    assert_int_equal(krb5_cc_resolve(ctx, name, &cache), 0);
    assert_int_equal(krb5_build_principal(ctx, &p, strlen(TEST_REALM), TEST_REALM, "svc", (char *)NULL), 0);
    assert_int_equal(krb5_cc_initialize(ctx, cache, p), 0);
    krb5_free_principal(ctx, p);
    return cache;
}

#endif
