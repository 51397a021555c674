#include "store/lookup.h"

#include "model/dn.h"

#include <utf8proc.h>

#define TEXT_MAX ((size_t)64 << 20)

enum { OF_DN = 'd', OF_SID = 's', OF_ACCOUNT = 'a', OF_UPN = 'u', OF_ROLES = 'r' };

struct lookup lookup_new(const struct hash_key *key)
{
    return (struct lookup){*key, buf_new(TEXT_MAX)};
}

void lookup_free(struct lookup *l)
{
    buf_free(&l->text);
}

static void add_lower(struct buf *out, struct str s)
{
    uint8_t *to = buf_reserve(out, s.len);
    if (!to) return;
    for (size_t i = 0; i < s.len; i++)
        to[i] = (uint8_t)(s.ptr[i] + (s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ? 32 : 0));
    buf_advance(out, s.len);
}

static bool is_ascii(struct str s)
{
    uint8_t any = 0;
    for (size_t i = 0; i < s.len; i++) any |= (uint8_t)s.ptr[i];
    return any < 0x80;
}

static void add_folded_char(struct buf *out, utf8proc_int32_t cp)
{
    utf8proc_int32_t folded[8];
    int last = 0;
    utf8proc_ssize_t n = utf8proc_decompose_char(cp, folded, n_elements(folded), UTF8PROC_CASEFOLD, &last);
    for (utf8proc_ssize_t k = 0; k < n && k < (utf8proc_ssize_t)n_elements(folded); k++) {
        uint8_t utf8[4];
        buf_add(out, utf8, (size_t)utf8proc_encode_char(folded[k], utf8));
    }
}

void text_fold(struct buf *out, struct str s)
{
    if (is_ascii(s)) {
        add_lower(out, s);
        return;
    }
    while (s.len) {
        utf8proc_int32_t cp;
        utf8proc_ssize_t n = utf8proc_iterate((const uint8_t *)s.ptr, (utf8proc_ssize_t)s.len, &cp);
        if (n < 1) { /* not UTF-8: the byte as it is */
            buf_add_byte(out, (uint8_t)s.ptr[0]);
            n = 1;
        } else {
            add_folded_char(out, cp);
        }
        s.ptr += n;
        s.len -= (size_t)n;
    }
}

static bool equal_after(void (*form)(struct buf *, struct str), struct str a, struct str b)
{
    if (str_equal(a, b)) return true;
    struct buf x = buf_new(TEXT_MAX), y = buf_new(TEXT_MAX);
    form(&x, a);
    form(&y, b);
    bool same = !x.failed && !y.failed && str_equal(buf_str(&x), buf_str(&y));
    buf_free(&x);
    buf_free(&y);
    return same;
}

bool text_has_folded(struct buf *hay, struct str text, struct str folded)
{
    buf_clear(hay);
    text_fold(hay, text);
    return folded.len <= hay->len && memmem(hay->ptr, hay->len, folded.ptr, folded.len);
}

bool text_equal_folded(struct str a, struct str b)
{
    return equal_after(text_fold, a, b);
}

bool dn_equal(struct str a, struct str b)
{
    return equal_after(dn_normalize, a, b);
}

static uint64_t finish(const struct lookup *l)
{
    return hash64_of(&l->key, buf_bytes(&l->text)) >> (64 - 33) << SEQ_BITS;
}

static void start(struct lookup *l, uint8_t of)
{
    buf_clear(&l->text);
    buf_add_byte(&l->text, of);
}

uint64_t lookup_dn(struct lookup *l, struct str dn)
{
    start(l, OF_DN);
    dn_normalize(&l->text, dn);
    return finish(l);
}

uint64_t lookup_sid(struct lookup *l, struct bytes sid)
{
    start(l, OF_SID);
    buf_add_bytes(&l->text, sid);
    return finish(l);
}

uint64_t lookup_account(struct lookup *l, struct str sam_account_name)
{
    start(l, OF_ACCOUNT);
    text_fold(&l->text, sam_account_name);
    return finish(l);
}

uint64_t lookup_upn(struct lookup *l, struct str upn)
{
    start(l, OF_UPN);
    text_fold(&l->text, upn);
    return finish(l);
}

uint64_t lookup_roles(struct lookup *l)
{
    start(l, OF_ROLES);
    return finish(l);
}

size_t lookup_record(struct lookup *l, const struct record_index *x, uint64_t out[LOOKUPS_MAX])
{
    struct str s;
    size_t n = 0;
    if (x->record->dn.len) out[n++] = lookup_dn(l, x->record->dn);
    if (x->record->sid.len) out[n++] = lookup_sid(l, x->record->sid);
    if (record_str(x, ATTR_SAM_ACCOUNT_NAME, &s) && s.len) out[n++] = lookup_account(l, s);
    if (record_str(x, ATTR_USER_PRINCIPAL_NAME, &s) && s.len) out[n++] = lookup_upn(l, s);
    if (x->record->kind == KIND_role) out[n++] = lookup_roles(l);
    return n;
}

struct hash128 fingerprint_record(const struct hash_key *key, const struct record *r, struct hash128 dn)
{
    struct {
        struct hash128 state, dn, sid;
        uint64_t kind;
    } parts = {hash128_of(key, r->state), dn, hash128_of(key, r->sid), r->kind};
    return hash128_of(key, (struct bytes){(const uint8_t *)&parts, sizeof parts});
}
