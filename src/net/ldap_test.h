/* ldap_test.h - BER and LDAP answers for tests: written with four-octet lengths, as Active Directory does.
 */
#ifndef ROLLCALL_LDAP_TEST_H
#define ROLLCALL_LDAP_TEST_H

#include "base/buf.h"
#include "net/ldap_ber.h"

#include <string.h>

static inline size_t put_open(struct buf *b, uint8_t tag)
{
    size_t at = b->len;
    uint8_t head[6] = {tag, 0x84, 0, 0, 0, 0};
    buf_add(b, head, sizeof head);
    return at;
}

static inline void put_close(struct buf *b, size_t at)
{
    size_t len = b->len - at - 6;
    for (unsigned i = 0; i < 4; i++) b->ptr[at + 2 + i] = (uint8_t)(len >> (8 * (3 - i)));
}

static inline void put_octets(struct buf *b, uint8_t tag, const void *p, size_t n)
{
    size_t at = put_open(b, tag);
    buf_add(b, p, n);
    put_close(b, at);
}

static inline void put_text(struct buf *b, const char *text)
{
    put_octets(b, BER_OCTETS, text, strlen(text));
}

static inline void put_int(struct buf *b, uint8_t tag, int v)
{
    uint8_t octets[6] = {tag, 4, (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    buf_add(b, octets, sizeof octets);
}

/* An attribute of text values; the list ends with NULL. */
static inline void put_attribute(struct buf *b, const char *name, const char *const *values)
{
    size_t one = put_open(b, BER_SEQUENCE);
    put_text(b, name);
    size_t set = put_open(b, BER_SET);
    for (; *values; values++) put_text(b, *values);
    put_close(b, set);
    put_close(b, one);
}

/* An attribute of one value of any bytes. */
static inline void put_attribute_bytes(struct buf *b, const char *name, const void *p, size_t n)
{
    size_t one = put_open(b, BER_SEQUENCE);
    put_text(b, name);
    size_t set = put_open(b, BER_SET);
    put_octets(b, BER_OCTETS, p, n);
    put_close(b, set);
    put_close(b, one);
}

/* Asked by the leak sanitizer: libldap loses GnuTLS's default priorities when it is given others (8 KiB a
 * connection), and a message now and then when it gives up a connection. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:gnutls_priority_init\nleak:liblber\n";
}

#define VALUES(...) ((const char *const[]){__VA_ARGS__, NULL})

#endif
