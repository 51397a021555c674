/* One record: the keys it may be found by, the marks that confirm it. */
#include "base/hash.h"
#include "base/jsonw.h"
#include "model/dn.h"
#include "model/sid.h"
#include "run/identity_int.h"
#include "store/lookup.h"

#include <stdio.h>

#define GUID_BASE64 24 /* 16 bytes: 22 characters and "==" */

/* Spaces of keys, so that a GUID is never found as something else. */
enum { SPACE_SID = 's', SPACE_ANCHOR = 'a', SPACE_DEVICE = 'd', SPACE_CUSTOM = 'c' };

enum kind identity_kind_in_entra(enum kind ad_kind)
{
    if (ad_kind == KIND_computer) return KIND_device;
    return ad_kind == KIND_user || ad_kind == KIND_group || ad_kind == KIND_contact ? ad_kind : KIND_NONE;
}

enum kind identity_kind_in_ad(enum kind entra_kind)
{
    return entra_kind == KIND_device ? KIND_computer : entra_kind;
}

struct hash128 identity_hash(enum kind kind, char space, struct bytes b)
{
    struct hash128 h = hash128_of(hash_process_key(), b);
    struct {
        struct hash128 of;
        uint64_t kind, space;
    } whole = {h, kind, (uint64_t)space};
    return hash128_of(hash_process_key(), (struct bytes){(const uint8_t *)&whole, sizeof whole});
}

/* --- marks ---------------------------------------------------------------------------------------------- */

static uint32_t mark_of(const struct buf *text)
{
    uint32_t h = (uint32_t)hash64_of(hash_process_key(), buf_bytes(text));
    return h ? h : 1;
}

static uint32_t folded_mark(struct buf *text, struct str s)
{
    if (!s.len) return 0;
    buf_clear(text);
    text_fold(text, s);
    return mark_of(text);
}

static uint32_t dn_mark(struct buf *text, struct str dn)
{
    if (!dn.len) return 0;
    buf_clear(text);
    dn_normalize(text, dn);
    return mark_of(text);
}

static struct str str_at(const struct record_index *x, enum attr id)
{
    struct str s = {0};
    return record_str(x, id, &s) ? s : (struct str){0};
}

uint32_t identity_domain_hash(struct buf *text, struct str dns_name)
{
    return folded_mark(text, dns_name);
}

struct identity_marks identity_ad_marks(struct buf *text, const struct record_index *x, uint32_t domain)
{
    return (struct identity_marks){.dn = dn_mark(text, x->record->dn),
                                   .domain = domain,
                                   .sam = folded_mark(text, str_at(x, ATTR_SAM_ACCOUNT_NAME)),
                                   .upn = folded_mark(text, str_at(x, ATTR_USER_PRINCIPAL_NAME))};
}

/* --- keys ----------------------------------------------------------------------------------------------- */

static bool first_bytes(const struct record_index *x, enum attr id, struct bytes *out)
{
    struct values v = record_values(x, id);
    return values_next_bytes(&v, out) && out->len > 0;
}

static bool is_guid_base64(struct bytes b)
{
    return b.len == GUID_BASE64 && b.ptr[GUID_BASE64 - 1] == '=' && b.ptr[GUID_BASE64 - 2] == '=';
}

size_t identity_person(struct person *out, struct hash128 keys[PERSON_KEYS_MAX], struct buf *text,
                       const struct record_index *x)
{
    enum kind kind = x->record->kind;
    uint8_t guid[GUID_SIZE];
    struct bytes b;
    int64_t synced = 0;
    size_t n = 0;
    *out = (struct person){.kind = (uint8_t)kind};
    if (record_int(x, ATTR_SYNC_ENABLED, &synced) && synced) out->flags |= PERSON_SYNCED;
    if (first_bytes(x, ATTR_ON_PREMISES_SID, &b)) {
        out->flags |= PERSON_HAS_SID;
        keys[n++] = identity_hash(kind, SPACE_SID, b);
    }
    if (kind == KIND_user && first_bytes(x, ATTR_IMMUTABLE_ID, &b)) {
        out->flags |= PERSON_HAS_ANCHOR;
        if (is_guid_base64(b)) out->flags |= PERSON_GUID_ANCHOR;
        keys[n++] = identity_hash(kind, SPACE_ANCHOR, b);
    }
    if (kind == KIND_device && guid_parse(guid, str_at(x, ATTR_DEVICE_ID))) {
        out->flags |= PERSON_HAS_ANCHOR;
        keys[n++] = identity_hash(kind, SPACE_DEVICE, (struct bytes){guid, sizeof guid});
    }
    out->marks = (struct identity_marks){.dn = dn_mark(text, str_at(x, ATTR_ON_PREMISES_DN)),
                                         .domain = folded_mark(text, str_at(x, ATTR_ON_PREMISES_DOMAIN)),
                                         .sam = folded_mark(text, str_at(x, ATTR_ON_PREMISES_SAM)),
                                         .upn = folded_mark(text, str_at(x, ATTR_ON_PREMISES_UPN))};
    return n;
}

typedef int take_key(void *ctx, uint8_t found, struct hash128 key, struct err *e);

static int take_sids(const struct record_index *x, enum kind kind, take_key *take, void *ctx, struct err *e)
{
    struct values history = record_values(x, ATTR_SID_HISTORY);
    struct bytes b;
    if (x->record->sid.len) try(take(ctx, FOUND(SID), identity_hash(kind, SPACE_SID, x->record->sid), e));
    while (values_next_bytes(&history, &b))
        if (b.len) try(take(ctx, FOUND(SID_HISTORY), identity_hash(kind, SPACE_SID, b), e));
    return 0;
}

/* The immutable id is compared as the text that it is: base64 tells upper from lower case. */
static int take_anchor(struct buf *text, uint8_t found, struct bytes raw, take_key *take, void *ctx,
                       struct err *e)
{
    buf_clear(text);
    buf_add_base64(text, raw);
    return take(ctx, found, identity_hash(KIND_user, SPACE_ANCHOR, buf_bytes(text)), e);
}

int identity_ad_keys(struct buf *text, const struct record_index *x, take_key *take, void *ctx, struct err *e)
{
    enum kind kind = identity_kind_in_entra(x->record->kind);
    struct bytes guid = {x->record->guid, GUID_SIZE}, b;
    try(take_sids(x, kind, take, ctx, e));
    if (kind == KIND_device) return take(ctx, FOUND(DEVICE_ID), identity_hash(kind, SPACE_DEVICE, guid), e);
    if (kind != KIND_user) return 0;
    if (first_bytes(x, ATTR_CONSISTENCY_GUID, &b))
        try(take_anchor(text, FOUND(CONSISTENCY_GUID), b, take, ctx, e));
    return take_anchor(text, FOUND(OBJECT_GUID), guid, take, ctx, e);
}

/* --- rules of the settings --------------------------------------------------------------------------- */

static struct str without_domain(struct str s)
{
    size_t slash = str_index(s, '\\');
    if (slash < s.len) s = (struct str){s.ptr + slash + 1, s.len - slash - 1};
    return (struct str){s.ptr, str_index(s, '@')};
}

static bool is_special(char c)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return !letter && (unsigned char)c < 0x80;
}

static bool custom_hash(struct hash128 *out, struct buf *text, const struct identity_rule *rule, struct str s)
{
    if (rule->ignore_domain) s = without_domain(s);
    buf_clear(text);
    if (rule->ignore_case)
        text_fold(text, s);
    else
        buf_add_str(text, s);
    size_t n = 0;
    for (size_t i = 0; i < text->len; i++)
        if (!rule->ignore_special_characters || !is_special((char)text->ptr[i]))
            text->ptr[n++] = text->ptr[i];
    text->len = n;
    *out = identity_hash(rule->kind, SPACE_CUSTOM, buf_bytes(text));
    return n > 0 && !text->failed;
}

/* As the entity's JSON tells it: the two sides may have different types. */
static bool next_as_text(struct values *v, struct str *out, char room[SID_TEXT])
{
    struct bytes b;
    int64_t i;
    bool is_number =
        v->type == ATTR_INT || v->type == ATTR_TIME || v->type == ATTR_SPAN || v->type == ATTR_BOOL;
    if (is_number) {
        if (!values_next_int(v, &i)) return false;
        snprintf(room, SID_TEXT, "%lld", (long long)i);
        *out = str_from(room);
        return true;
    }
    if (!values_next_bytes(v, &b)) return false;
    *out = str_of(b);
    if (v->type == ATTR_SID) *out = str_from(sid_format_bytes(room, b));
    if (v->type == ATTR_GUID && b.len == GUID_SIZE) *out = str_from(guid_format(room, b.ptr));
    return true;
}

/* The two directories spell some names alike (employeeID, employeeId): whichever the record has. */
static struct values values_named(const struct record_index *x, struct str attribute)
{
    if (str_equal(attribute, STR("display_name"))) attribute = STR("displayName");
    for (size_t i = 0; i < n_attr_table; i++) {
        const struct attr_info *a = &attr_table[i];
        if (a->name_len != attribute.len || !str_equal_nocase(str_from(a->name), attribute)) continue;
        struct values v = record_values(x, a->id);
        if (v.n) return v;
    }
    return record_custom(x, attribute);
}

int identity_custom_keys(struct buf *text, const struct identity_rule *rule, bool is_entra,
                         const struct record_index *x, struct str name,
                         int (*take)(void *ctx, struct hash128 key, struct err *e), void *ctx, struct err *e)
{
    struct str attribute = str_from(is_entra ? rule->entra_id : rule->active_directory), s;
    char room[SID_TEXT];
    struct hash128 h;
    if (str_equal(attribute, STR("name"))) return custom_hash(&h, text, rule, name) ? take(ctx, h, e) : 0;
    struct values v = values_named(x, attribute);
    while (next_as_text(&v, &s, room))
        if (custom_hash(&h, text, rule, s)) try(take(ctx, h, e));
    return 0;
}

/* --- enabled ----------------------------------------------------------------------------------------- */

enum tri identity_enabled(const struct record_index *x)
{
    int64_t v;
    if (record_int(x, ATTR_ACCOUNT_ENABLED, &v)) return v ? TRI_YES : TRI_NO;
    if (record_int(x, ATTR_USER_ACCOUNT_CONTROL, &v)) return v & UAC_ACCOUNTDISABLE ? TRI_NO : TRI_YES;
    return TRI_UNKNOWN;
}
