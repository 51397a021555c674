#include "model/sid.h"

#include "base/cursor.h"

#define MAX_SUBS        15
#define AUTHORITY_LIMIT ((uint64_t)1 << 48)

/* NULL, or what is wrong. */
static const char *read_sid(struct sid *out, struct bytes in)
{
    struct cursor c = cursor_new(in);
    uint8_t revision = cursor_u8(&c);
    uint8_t n = cursor_u8(&c);
    out->authority = cursor_u48be(&c);
    if (c.failed) return "shorter than its 8 byte header";
    if (revision != 1) return "revision is not 1";
    if (n > MAX_SUBS) return "more than 15 sub-authorities";
    for (unsigned i = 0; i < n; i++) out->sub[i] = cursor_u32le(&c);
    if (c.failed) return "runs past its end";
    if (c.in.len) return "bytes are left over";
    out->n_sub = n;
    return NULL;
}

int sid_decode(struct sid *out, struct bytes in, struct err *e)
{
    struct sid s = {0};
    const char *why = read_sid(&s, in);
    if (why) return err_set(e, ERR_PROTO, "SID of %zu bytes: %s", in.len, why);
    *out = s;
    return 0;
}

bool sid_is_valid(struct bytes in)
{
    struct cursor c = cursor_new(in);
    uint8_t revision = cursor_u8(&c), n = cursor_u8(&c);
    return !c.failed && revision == 1 && n <= MAX_SUBS && in.len == 8 + 4 * (size_t)n;
}

size_t sid_encode(uint8_t out[SID_MAX], const struct sid *s)
{
    size_t n = s->n_sub < MAX_SUBS ? s->n_sub : MAX_SUBS, at = 0;
    out[at++] = 1;
    out[at++] = (uint8_t)n;
    for (int shift = 40; shift >= 0; shift -= 8) out[at++] = (uint8_t)(s->authority >> shift);
    for (size_t i = 0; i < n; i++)
        for (int shift = 0; shift < 32; shift += 8) out[at++] = (uint8_t)(s->sub[i] >> shift);
    return at;
}

static char *put_decimal(char *to, uint32_t v)
{
    char digits[10];
    unsigned n = 0;
    do digits[n++] = (char)('0' + v % 10);
    while (v /= 10);
    while (n) *to++ = digits[--n];
    return to;
}

/* "0x" and 12 digits, MS-DTYP 2.4.2.1 IdentifierAuthorityHex. */
static char *put_authority_hex(char *to, uint64_t v)
{
    static const char hex[] = "0123456789abcdef";
    *to++ = '0';
    *to++ = 'x';
    for (int shift = 44; shift >= 0; shift -= 4) *to++ = hex[v >> shift & 15];
    return to;
}

char *sid_format(char out[SID_TEXT], const struct sid *s)
{
    char *p = out;
    *p++ = 'S', *p++ = '-', *p++ = '1', *p++ = '-';
    p = s->authority <= UINT32_MAX ? put_decimal(p, (uint32_t)s->authority)
                                   : put_authority_hex(p, s->authority);
    for (unsigned i = 0; i < s->n_sub && i < MAX_SUBS; i++) {
        *p++ = '-';
        p = put_decimal(p, s->sub[i]);
    }
    *p = 0;
    return out;
}

char *sid_format_bytes(char out[SID_TEXT], struct bytes in)
{
    struct sid s;
    out[0] = 0;
    return read_sid(&s, in) ? out : sid_format(out, &s);
}

static int digit(char c, unsigned base)
{
    int v = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
    return v < (int)base ? v : -1;
}

/* Digits from *at up to the next dash or the end; false if there are none, others, or the value reaches
 * limit. */
static bool read_number(struct str t, size_t *at, unsigned base, uint64_t limit, uint64_t *out)
{
    size_t start = *at;
    *out = 0;
    for (; *at < t.len && t.ptr[*at] != '-'; ++*at) {
        int d = digit(t.ptr[*at], base);
        if (d < 0) return false;
        *out = *out * base + (unsigned)d;
        if (*out >= limit) return false;
    }
    return *at > start;
}

static bool read_authority(struct str t, size_t *at, uint64_t *out)
{
    unsigned base = 10;
    if (t.len - *at >= 2 && t.ptr[*at] == '0' && (t.ptr[*at + 1] | 32) == 'x') {
        base = 16;
        *at += 2;
    }
    return read_number(t, at, base, AUTHORITY_LIMIT, out);
}

static int bad_text(struct err *e, struct str t, size_t at, const char *why)
{
    size_t shown = t.len < 80 ? t.len : 80;
    err_set(e, ERR_INPUT, "\"%.*s\" is not a SID: character %zu: %s", (int)shown, t.ptr, at + 1, why);
    return err_hint(e, "write it as S-1-5-21-1004336348-1177238915-682003330-512");
}

int sid_parse(struct sid *out, struct str t, struct err *e)
{
    if (t.len < 5 || !str_equal_nocase((struct str){t.ptr, 4}, STR("S-1-")))
        return bad_text(e, t, 0, "no S-1-");
    struct sid s = {0};
    size_t at = 4;
    if (!read_authority(t, &at, &s.authority))
        return bad_text(e, t, at, "no identifier authority below 2^48");
    while (at < t.len) {
        uint64_t v;
        at++; /* the dash */
        if (s.n_sub == MAX_SUBS) return bad_text(e, t, at, "more than 15 sub-authorities");
        if (!read_number(t, &at, 10, (uint64_t)1 << 32, &v))
            return bad_text(e, t, at, "no decimal number below 2^32");
        s.sub[s.n_sub++] = (uint32_t)v;
    }
    *out = s;
    return 0;
}

uint32_t sid_rid(struct bytes in)
{
    if (!sid_is_valid(in) || in.len == 8) return 0;
    struct cursor c = cursor_new(in);
    cursor_bytes(&c, in.len - 4);
    return cursor_u32le(&c);
}

bool sid_is_in_domain(struct bytes in, struct bytes domain)
{
    if (!sid_is_valid(in) || !sid_is_valid(domain) || in.len != domain.len + 4) return false;
    return memcmp(in.ptr + 2, domain.ptr + 2, domain.len - 2) == 0; /* all but revision and count */
}

/* MS-DTYP 2.4.2.4 and Microsoft's page on well-known SIDs; authority, sub-authorities (n first), name. */
static const struct {
    uint8_t authority, n;
    uint32_t sub[2];
    const char *name;
} well_known[] = {
    {0, 1, {0}, "NULL SID"},
    {1, 1, {0}, "Everyone"},
    {2, 1, {0}, "LOCAL"},
    {2, 1, {1}, "CONSOLE LOGON"},
    {3, 1, {0}, "CREATOR OWNER"},
    {3, 1, {1}, "CREATOR GROUP"},
    {3, 1, {2}, "CREATOR OWNER SERVER"},
    {3, 1, {3}, "CREATOR GROUP SERVER"},
    {3, 1, {4}, "OWNER RIGHTS"},
    {5, 1, {1}, "NT AUTHORITY\\DIALUP"},
    {5, 1, {2}, "NT AUTHORITY\\NETWORK"},
    {5, 1, {3}, "NT AUTHORITY\\BATCH"},
    {5, 1, {4}, "NT AUTHORITY\\INTERACTIVE"},
    {5, 1, {6}, "NT AUTHORITY\\SERVICE"},
    {5, 1, {7}, "NT AUTHORITY\\ANONYMOUS LOGON"},
    {5, 1, {8}, "NT AUTHORITY\\PROXY"},
    {5, 1, {9}, "NT AUTHORITY\\ENTERPRISE DOMAIN CONTROLLERS"},
    {5, 1, {10}, "NT AUTHORITY\\SELF"},
    {5, 1, {11}, "NT AUTHORITY\\Authenticated Users"},
    {5, 1, {12}, "NT AUTHORITY\\RESTRICTED"},
    {5, 1, {13}, "NT AUTHORITY\\TERMINAL SERVER USER"},
    {5, 1, {14}, "NT AUTHORITY\\REMOTE INTERACTIVE LOGON"},
    {5, 1, {15}, "NT AUTHORITY\\This Organization"},
    {5, 1, {17}, "NT AUTHORITY\\IUSR"},
    {5, 1, {18}, "NT AUTHORITY\\SYSTEM"},
    {5, 1, {19}, "NT AUTHORITY\\LOCAL SERVICE"},
    {5, 1, {20}, "NT AUTHORITY\\NETWORK SERVICE"},
    {5, 1, {33}, "NT AUTHORITY\\WRITE RESTRICTED"},
    {5, 1, {113}, "NT AUTHORITY\\Local account"},
    {5, 1, {114}, "NT AUTHORITY\\Local account and member of Administrators group"},
    {5, 1, {1000}, "NT AUTHORITY\\Other Organization"},
    {5, 2, {32, 544}, "BUILTIN\\Administrators"},
    {5, 2, {32, 545}, "BUILTIN\\Users"},
    {5, 2, {32, 546}, "BUILTIN\\Guests"},
    {5, 2, {32, 547}, "BUILTIN\\Power Users"},
    {5, 2, {32, 548}, "BUILTIN\\Account Operators"},
    {5, 2, {32, 549}, "BUILTIN\\Server Operators"},
    {5, 2, {32, 550}, "BUILTIN\\Print Operators"},
    {5, 2, {32, 551}, "BUILTIN\\Backup Operators"},
    {5, 2, {32, 552}, "BUILTIN\\Replicator"},
    {5, 2, {32, 554}, "BUILTIN\\Pre-Windows 2000 Compatible Access"},
    {5, 2, {32, 555}, "BUILTIN\\Remote Desktop Users"},
    {5, 2, {32, 556}, "BUILTIN\\Network Configuration Operators"},
    {5, 2, {32, 557}, "BUILTIN\\Incoming Forest Trust Builders"},
    {5, 2, {32, 558}, "BUILTIN\\Performance Monitor Users"},
    {5, 2, {32, 559}, "BUILTIN\\Performance Log Users"},
    {5, 2, {32, 560}, "BUILTIN\\Windows Authorization Access Group"},
    {5, 2, {32, 561}, "BUILTIN\\Terminal Server License Servers"},
    {5, 2, {32, 562}, "BUILTIN\\Distributed COM Users"},
    {5, 2, {32, 568}, "BUILTIN\\IIS_IUSRS"},
    {5, 2, {32, 569}, "BUILTIN\\Cryptographic Operators"},
    {5, 2, {32, 573}, "BUILTIN\\Event Log Readers"},
    {5, 2, {32, 574}, "BUILTIN\\Certificate Service DCOM Access"},
    {5, 2, {32, 575}, "BUILTIN\\RDS Remote Access Servers"},
    {5, 2, {32, 576}, "BUILTIN\\RDS Endpoint Servers"},
    {5, 2, {32, 577}, "BUILTIN\\RDS Management Servers"},
    {5, 2, {32, 578}, "BUILTIN\\Hyper-V Administrators"},
    {5, 2, {32, 579}, "BUILTIN\\Access Control Assistance Operators"},
    {5, 2, {32, 580}, "BUILTIN\\Remote Management Users"},
    {5, 2, {32, 581}, "BUILTIN\\System Managed Accounts Group"},
    {5, 2, {32, 582}, "BUILTIN\\Storage Replica Administrators"},
    {5, 2, {32, 583}, "BUILTIN\\Device Owners"},
    {5, 2, {64, 10}, "NT AUTHORITY\\NTLM Authentication"},
    {5, 2, {64, 14}, "NT AUTHORITY\\SChannel Authentication"},
    {5, 2, {64, 21}, "NT AUTHORITY\\Digest Authentication"},
    {5, 2, {65, 1}, "NT AUTHORITY\\This Organization Certificate"},
    {5, 2, {80, 0}, "NT SERVICE\\ALL SERVICES"},
    {15, 2, {2, 1}, "APPLICATION PACKAGE AUTHORITY\\ALL APPLICATION PACKAGES"},
    {16, 1, {0}, "Mandatory Label\\Untrusted Mandatory Level"},
    {16, 1, {4096}, "Mandatory Label\\Low Mandatory Level"},
    {16, 1, {8192}, "Mandatory Label\\Medium Mandatory Level"},
    {16, 1, {8448}, "Mandatory Label\\Medium Plus Mandatory Level"},
    {16, 1, {12288}, "Mandatory Label\\High Mandatory Level"},
    {16, 1, {16384}, "Mandatory Label\\System Mandatory Level"},
    {18, 1, {1}, "Authentication authority asserted identity"},
    {18, 1, {2}, "Service asserted identity"},
    {18, 1, {3}, "Fresh public key identity"},
    {18, 1, {4}, "Key trust identity"},
    {18, 1, {5}, "Key property MFA"},
    {18, 1, {6}, "Key property attestation"},
};

const char *sid_well_known_name(struct bytes in)
{
    struct sid s;
    if (read_sid(&s, in) || s.n_sub < 1 || s.n_sub > 2) return NULL;
    for (size_t i = 0; i < n_elements(well_known); i++)
        if (well_known[i].authority == s.authority && well_known[i].n == s.n_sub &&
            well_known[i].sub[0] == s.sub[0] && (s.n_sub == 1 || well_known[i].sub[1] == s.sub[1]))
            return well_known[i].name;
    return NULL;
}
