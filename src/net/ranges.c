#include "net/ranges.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

struct block {
    const char *text;
    unsigned bits;
};

/* As 16 bytes, IPv4 mapped (RFC 4291 2.5.5.2). */
static bool bytes_of_address(uint8_t out[16], const struct sockaddr *a)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (a->sa_family == AF_INET) {
        memcpy(out, mapped, 12);
        memcpy(out + 12, &((const struct sockaddr_in *)(const void *)a)->sin_addr, 4);
    } else if (a->sa_family == AF_INET6) {
        memcpy(out, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, 16);
    }
    return a->sa_family == AF_INET || a->sa_family == AF_INET6;
}

static bool has_prefix(const uint8_t *a, const uint8_t *prefix, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a, prefix, whole) != 0) return false;
    return !rest || ((a[whole] ^ prefix[whole]) >> (8 - rest)) == 0;
}

static bool is_among(const uint8_t *a, int family, const struct block *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t prefix[16];
        if (inet_pton(family, list[i].text, prefix) == 1 && has_prefix(a, prefix, list[i].bits)) return true;
    }
    return false;
}

static bool is_public_v4(const uint8_t a[4])
{
    static const struct block inside[] = {
        {"0.0.0.0", 8},      {"10.0.0.0", 8},     {"100.64.0.0", 10}, {"127.0.0.0", 8},    {"169.254.0.0", 16}, {"172.16.0.0", 12}, {"192.0.0.0", 24}, {"192.0.2.0", 24},
        {"192.88.99.0", 24}, {"192.168.0.0", 16}, {"198.18.0.0", 15}, {"198.51.100.0", 24}, {"203.0.113.0", 24}, {"224.0.0.0", 4},   {"240.0.0.0", 4}};
    return !is_among(a, AF_INET, inside, n_elements(inside));
}

/* Global unicast is 2000::/3; of it, what is not anybody's. */
static bool is_public_v6(const uint8_t a[16])
{
    static const struct block global[] = {{"2000::", 3}}, inside[] = {{"2001::", 23}, {"2001:db8::", 32}, {"3fff::", 20}}, nat64[] = {{"64:ff9b::", 96}},
                              six_to_four[] = {{"2002::", 16}};
    if (is_among(a, AF_INET6, nat64, 1)) return is_public_v4(a + 12);
    if (is_among(a, AF_INET6, six_to_four, 1)) return is_public_v4(a + 2);
    return is_among(a, AF_INET6, global, 1) && !is_among(a, AF_INET6, inside, n_elements(inside));
}

static bool is_mapped(const uint8_t a[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(a, mapped, 12) == 0;
}

bool address_is_public(const struct sockaddr *a)
{
    uint8_t bytes[16];
    if (!bytes_of_address(bytes, a)) return false;
    return is_mapped(bytes) ? is_public_v4(bytes + 12) : is_public_v6(bytes);
}

/* AWS, Azure, Google, OpenStack; AWS by IPv6; Oracle; Alibaba; Azure's wire server. */
bool address_is_metadata(const struct sockaddr *a)
{
    static const struct block v4[] = {{"169.254.169.254", 32}, {"169.254.170.2", 32}, {"192.0.0.192", 32}, {"100.100.100.200", 32}, {"168.63.129.16", 32}},
                              v6[] = {{"fd00:ec2::", 32}, {"fe80::a9fe:a9fe", 128}};
    uint8_t bytes[16];
    if (!bytes_of_address(bytes, a)) return false;
    return is_mapped(bytes) ? is_among(bytes + 12, AF_INET, v4, n_elements(v4)) : is_among(bytes, AF_INET6, v6, n_elements(v6));
}

bool address_may_serve(void *ctx, const struct sockaddr *a)
{
    return !address_is_metadata(a);
}

/* --- what is allowed besides ----------------------------------------------------------------------------------------- */

static int fail(const char *text, struct err *e)
{
    err_set(e, ERR_INPUT, "'%.60s' is neither an address nor a range of addresses", text);
    return err_hint(e, "write for example 10.1.2.3, 10.0.0.0/8 or fd00::/8");
}

int address_range_parse(struct address_range *out, const char *text, struct err *e)
{
    char address[INET6_ADDRSTRLEN + 1];
    size_t n = strcspn(text, "/");
    *out = (struct address_range){0};
    if (n >= sizeof address) return fail(text, e);
    snprintf(address, sizeof address, "%.*s", (int)n, text);
    bool is_v4 = inet_pton(AF_INET, address, out->bytes + 12) == 1;
    if (!is_v4 && inet_pton(AF_INET6, address, out->bytes) != 1) return fail(text, e);
    if (is_v4) out->bytes[10] = out->bytes[11] = 0xff;
    unsigned long bits = is_v4 ? 32 : 128;
    if (text[n]) {
        char *end;
        bits = strtoul(text + n + 1, &end, 10);
        if (text[n + 1] < '0' || text[n + 1] > '9' || *end || bits > (is_v4 ? 32 : 128)) return fail(text, e);
    }
    out->bits = (unsigned)bits + (is_v4 ? 96 : 0);
    for (unsigned i = out->bits; i < 128; i++)
        if (out->bytes[i / 8] & (0x80 >> i % 8)) return fail(text, e);
    return 0;
}

bool address_range_has(const struct address_range *r, const struct sockaddr *a)
{
    uint8_t bytes[16];
    return bytes_of_address(bytes, a) && has_prefix(bytes, r->bytes, r->bits);
}
