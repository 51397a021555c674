#include "catalog/catalog_int.h"

#include "base/hash.h"
#include "base/when.h"
#include "model/sid.h"

#include <utf8proc.h>


/* --- text ------------------------------------------------------------------------------------------ */

static bool is_ascii(struct str s)
{
    uint8_t any = 0;
    for (size_t i = 0; i < s.len; i++) any |= (uint8_t)s.ptr[i];
    return any < 0x80;
}

static uint8_t fold_ascii(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') return (uint8_t)(c + 32);
    return c < 0x20 || c == 0x7f ? ' ' : c;
}

/* Compatibility forms too, so that a full-width or ligature letter is found by the plain one. */
static void fold_char(struct buf *out, utf8proc_int32_t cp, size_t end)
{
    utf8proc_int32_t folded[20];
    int last = 0;
    utf8proc_option_t how = UTF8PROC_CASEFOLD | UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_STRIPMARK;
    utf8proc_ssize_t n = utf8proc_decompose_char(cp, folded, n_elements(folded), how, &last);
    for (utf8proc_ssize_t k = 0; k < n && k < (utf8proc_ssize_t)n_elements(folded); k++) {
        uint8_t utf8[4];
        size_t len = (size_t)utf8proc_encode_char(folded[k], utf8);
        if (len == 1) utf8[0] = fold_ascii(utf8[0]);
        if (out->len + len <= end) buf_add(out, utf8, len);
    }
}

static void fold_unicode(struct buf *out, struct str s, size_t end)
{
    while (s.len && out->len < end) {
        utf8proc_int32_t cp;
        utf8proc_ssize_t n = utf8proc_iterate((const uint8_t *)s.ptr, (utf8proc_ssize_t)s.len, &cp);
        if (n < 1) cp = 0xfffd, n = 1; /* not UTF-8 */
        if (cp >= 0x80 && cp < 0xa0) cp = ' ';
        fold_char(out, cp, end);
        s = (struct str){s.ptr + n, s.len - (size_t)n};
    }
}

void catalog_fold(struct buf *out, struct str s, size_t max)
{
    if (!is_ascii(s)) {
        fold_unicode(out, s, out->len + max);
        return;
    }
    size_t n = s.len < max ? s.len : max;
    uint8_t *to = buf_reserve(out, n);
    if (!to) return;
    for (size_t i = 0; i < n; i++) to[i] = fold_ascii((uint8_t)s.ptr[i]);
    buf_advance(out, n);
}

static void add_line(struct buf *out, struct str s)
{
    catalog_fold(out, s, TEXT_CUT);
    buf_add_byte(out, '\n');
}

void asset_words(struct buf *out, struct str name, struct str account, struct str display_name, struct str mail)
{
    add_line(out, name);
    if (!str_equal(account, name)) add_line(out, account);
    if (!str_equal(display_name, name)) add_line(out, display_name);
    if (!str_equal(mail, account)) add_line(out, mail);
}

/* At a character's border. */
static struct str cut(struct str s)
{
    if (s.len <= TEXT_CUT) return s;
    s.len = TEXT_CUT;
    while (s.len && ((uint8_t)s.ptr[s.len] & 0xc0) == 0x80) s.len--;
    return s;
}

/* --- facts ----------------------------------------------------------------------------------------- */

const char *const tri_names[3] = {"unknown", "no", "yes"};
const char *const sign_in_names[SIGN_IN_COUNT] = {"unknown", "never", "7d", "30d", "90d", "older"};

struct facts {
    const struct record_index *x;
    const struct derived *d;
    const struct domain_info *domain;
    enum kind kind;
    int64_t as_of_ms, last_sign_in;
    int64_t uac;
    bool is_enabled; /* as far as known */
    unsigned privileges;
};

static bool has(const struct facts *f, enum attr a)
{
    return f->x->present[a];
}

static bool says(const struct facts *f, enum attr a, const char *part)
{
    struct str s;
    return record_str(f->x, a, &s) && s.len && memmem(s.ptr, s.len, part, strlen(part));
}

static bool number(const struct facts *f, enum attr a, int64_t *out)
{
    return record_int(f->x, a, out);
}

static bool is_true(const struct facts *f, enum attr a)
{
    int64_t v;
    return number(f, a, &v) && v;
}

static bool is_account(const struct facts *f)
{
    return kind_is_account(f->kind);
}

/* Somebody who could sign in and has not for 90 days; of one that was made since then nothing follows. */
static bool is_stale(const struct facts *f)
{
    int64_t made = 0, limit = f->as_of_ms - 90 * WHEN_DAY_MS;
    if (!f->is_enabled || !is_account(f) || f->kind == KIND_service_principal) return false;
    if (!number(f, ATTR_WHEN_CREATED, &made) && !number(f, ATTR_CREATED, &made)) number(f, ATTR_REGISTRATION, &made);
    if (made > limit) return false;
    return f->last_sign_in ? f->last_sign_in < limit : !domain_is_tenant(f->domain) && has(f, ATTR_USER_ACCOUNT_CONTROL);
}

/* A person's account (not krbtgt, RID 502) with a service name: whoever asks gets a ticket to guess its password with. */
static bool is_kerberoastable(const struct facts *f)
{
    return f->kind == KIND_user && f->is_enabled && has(f, ATTR_SERVICE_PRINCIPAL_NAME) && sid_rid(f->x->record->sid) != 502;
}

/* Domain controllers (SERVER_TRUST_ACCOUNT) have it by nature. */
static bool is_unconstrained(const struct facts *f)
{
    return f->uac & UAC_TRUSTED_FOR_DELEGATION && !(f->uac & UAC_SERVER_TRUST_ACCOUNT);
}

static bool is_foreign_application(const struct facts *f)
{
    struct str owner;
    return record_str(f->x, ATTR_APP_OWNER_ORGANIZATION, &owner) && domain_is_tenant(f->domain) && !str_equal_nocase(owner, f->domain->tenant_id);
}

static bool is_delegating(const struct facts *f)
{
    return has(f, ATTR_ALLOWED_TO_DELEGATE_TO) || f->uac & UAC_TRUSTED_TO_AUTH_FOR_DELEGATION;
}

static bool is_tenants(const struct facts *f, enum attr a, int64_t expected)
{
    int64_t v;
    return domain_is_tenant(f->domain) && number(f, a, &v) && !!v == expected;
}

/* name, condition; the place is the bit, so new ones go to the end */
#define TAGS(X)                                                                                                                                                    \
    X("guest", says(f, ATTR_USER_TYPE, "Guest"))                                                                                                                   \
    X("locked", is_account(f) && f->d->is_locked == TRI_YES)                                                                                                       \
    X("stale", is_stale(f))                                                                                                                                        \
    X("password_never_expires", is_account(f) && (f->uac & UAC_DONT_EXPIRE_PASSWORD || says(f, ATTR_PASSWORD_POLICIES, "DisablePasswordExpiration")))              \
    X("password_not_required", f->uac & UAC_PASSWD_NOTREQD)                                                                                                        \
    X("must_change_password", f->kind == KIND_user && f->d->must_change_password)                                                                                  \
    X("kerberoastable", is_kerberoastable(f))                                                                                                                      \
    X("no_preauth", f->uac & UAC_DONT_REQ_PREAUTH)                                                                                                                 \
    X("unconstrained_delegation", is_unconstrained(f))                                                                                                             \
    X("delegation", is_delegating(f))                                                                                                                              \
    X("smartcard_required", f->uac & UAC_SMARTCARD_REQUIRED)                                                                                                       \
    X("sid_history", has(f, ATTR_SID_HISTORY))                                                                                                                     \
    X("domain_admin", f->privileges & PRIV_DOMAIN_ADMIN)                                                                                                           \
    X("full_admin", f->privileges & PRIV_FULL_ADMIN)                                                                                                               \
    X("directory_role", f->kind != KIND_role && f->privileges & PRIV_DIRECTORY_ROLE)                                                                               \
    X("synced", is_tenants(f, ATTR_SYNC_ENABLED, 1))                                                                                                               \
    X("pending_acceptance", says(f, ATTR_EXTERNAL_USER_STATE, "PendingAcceptance"))                                                                                \
    X("role_assignable", is_true(f, ATTR_IS_ASSIGNABLE_TO_ROLE))                                                                                                   \
    X("dynamic", has(f, ATTR_MEMBERSHIP_RULE))                                                                                                                     \
    X("managed_identity", says(f, ATTR_SERVICE_PRINCIPAL_TYPE, "ManagedIdentity"))                                                                                 \
    X("foreign_application", is_foreign_application(f))                                                                                                            \
    X("has_credentials", has(f, ATTR_PASSWORD_CREDENTIALS) || has(f, ATTR_KEY_CREDENTIALS))                                                                        \
    X("not_compliant", is_tenants(f, ATTR_IS_COMPLIANT, 0))

const char *const catalog_tags[] = {
#define X(name, condition) name,
    TAGS(X)
#undef X
    NULL};

const char *catalog_next_tag(uint32_t *tags)
{
    for (size_t i = 0; *tags >> i && catalog_tags[i]; i++) {
        if (!(*tags >> i & 1)) continue;
        *tags &= ~(1u << i);
        return catalog_tags[i];
    }
    return NULL;
}

static uint32_t tags_of(const struct facts *f)
{
    uint32_t tags = 0, bit = 1;
#define X(name, condition)                                                                                                                                         \
    if (condition) tags |= bit;                                                                                                                                    \
    bit <<= 1;
    TAGS(X)
#undef X
    return tags;
}

/* Any of the three says that a second factor is there (map/get_entra.c). */
static enum tri mfa_of(const struct facts *f)
{
    static const enum attr told[] = {ATTR_IS_MFA_REGISTERED, ATTR_IS_MFA_CAPABLE, ATTR_IS_PASSWORDLESS_CAPABLE};
    bool known = false;
    for (size_t i = 0; i < n_elements(told); i++) {
        int64_t yes;
        if (!number(f, told[i], &yes)) continue;
        if (yes) return TRI_YES;
        known |= told[i] != ATTR_IS_PASSWORDLESS_CAPABLE;
    }
    return known ? TRI_NO : TRI_UNKNOWN;
}

/* Active Directory leaves the attributes out of who never signed in; a tenant may also not be asked for them. */
static enum sign_in sign_in_of(const struct facts *f)
{
    int64_t ago = f->as_of_ms - f->last_sign_in;
    if (!is_account(f)) return SIGN_IN_UNKNOWN;
    if (!f->last_sign_in) return has(f, ATTR_USER_ACCOUNT_CONTROL) ? SIGN_IN_NEVER : SIGN_IN_UNKNOWN;
    if (ago <= 7 * WHEN_DAY_MS) return SIGN_IN_7D;
    if (ago <= 30 * WHEN_DAY_MS) return SIGN_IN_30D;
    return ago <= 90 * WHEN_DAY_MS ? SIGN_IN_90D : SIGN_IN_OLDER;
}

static void fill_facts(struct asset *out, const struct asset_maker *m, const struct entity *x)
{
    struct derived d;
    struct facts f = {.x = &m->index, .d = &d, .domain = &m->domain, .kind = x->record.kind, .as_of_ms = m->as_of_ms};
    int64_t through_hidden = 0;
    derive_account(&d, &m->index, &m->domain, m->as_of_ms);
    number(&f, ATTR_HIDDEN_PRIVILEGES, &through_hidden);
    number(&f, ATTR_USER_ACCOUNT_CONTROL, &f.uac);
    f.last_sign_in = d.last_logon_ms;
    if (!f.last_sign_in) number(&f, ATTR_APPROXIMATE_LAST_SIGN_IN, &f.last_sign_in);
    f.is_enabled = d.is_active != TRI_NO;
    f.privileges = x->privileges | (unsigned)through_hidden;
    out->last_sign_in = f.last_sign_in;
    out->facts = (struct cell){.source = m->source,
                               .kind = (uint8_t)f.kind,
                               .enabled = (uint8_t)(is_account(&f) ? d.is_active : TRI_UNKNOWN),
                               .admin = f.privileges != 0,
                               .mfa = (uint8_t)mfa_of(&f),
                               .sign_in = (uint8_t)sign_in_of(&f),
                               .deleted = x->deleted_ms != 0,
                               .tags = tags_of(&f)};
}

/* --- the row --------------------------------------------------------------------------------------- */

static struct str text_of(const struct asset_maker *m, enum attr a)
{
    struct str s = {0};
    record_str(&m->index, a, &s);
    return cut(s);
}

static struct str account_of(const struct asset_maker *m)
{
    static const enum attr names[] = {ATTR_USER_PRINCIPAL_NAME, ATTR_SAM_ACCOUNT_NAME, ATTR_APP_ID, ATTR_DEVICE_ID};
    for (size_t i = 0; i < n_elements(names); i++) {
        struct str s = text_of(m, names[i]);
        if (s.len) return s;
    }
    return (struct str){"", 0};
}

static void hash_number(struct buf *b, int64_t v)
{
    buf_add_u64le(b, (uint64_t)v);
}

/* Of all that is written, but for the place. */
static int64_t hash_of(const struct asset_maker *m, const struct asset *a)
{
    struct buf b = buf_new((size_t)1 << 16);
    const struct str texts[] = {a->name, a->account, a->display_name, a->mail, a->dn};
    for (size_t i = 0; i < n_elements(texts); i++) buf_add_lstr(&b, bytes_of(texts[i]));
    hash_number(&b, a->last_sign_in);
    hash_number(&b, a->last_changed);
    hash_number(&b, a->deleted);
    hash_number(&b, a->facts.kind | a->facts.enabled << 8 | a->facts.admin << 10 | a->facts.mfa << 12 | a->facts.sign_in << 14 | a->facts.deleted << 18);
    hash_number(&b, a->facts.tags);
    int64_t hash = (int64_t)hash64_of(&m->key, buf_bytes(&b));
    buf_free(&b);
    return hash;
}

int asset_make(struct asset_maker *m, const struct entity *x, struct asset *out, struct err *e)
{
    try(record_index(&m->index, &x->record, e));
    *out = (struct asset){.entity = x->id, .last_changed = x->last_changed_ms, .deleted = x->deleted_ms};
    fill_facts(out, m, x);
    out->name = cut(x->name);
    out->account = account_of(m);
    out->display_name = text_of(m, ATTR_DISPLAY_NAME);
    out->mail = text_of(m, ATTR_MAIL);
    if (!domain_is_tenant(&m->domain)) out->dn = cut(x->record.dn);
    memcpy(out->guid, x->record.guid, GUID_SIZE);
    buf_clear(&m->name_key);
    buf_clear(&m->account_key);
    catalog_fold(&m->name_key, out->name, KEY_MAX);
    catalog_fold(&m->account_key, out->account, KEY_MAX);
    out->name_key = buf_str(&m->name_key);
    out->account_key = buf_str(&m->account_key);
    out->hash = hash_of(m, out);
    return 0;
}
