#include "map/sample.h"

#include "base/when.h"

#include <stdlib.h>

static const uint8_t domain_sid[] = {1,    4,    0,    0,    0,    0,    0,    5,    21,   0,    0,    0,
                                     0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x38, 0x99, 0xaa, 0xbb, 0x1c};

const struct domain_info sample_domain = {
    .dns_name = {"corp.example", 12},
    .netbios_name = {"CORP", 4},
    .base = {"DC=corp,DC=example", 18},
    .server = {"dc1.corp.example", 16},
    .sid = {domain_sid, sizeof domain_sid},
    .max_pwd_age_ms = INT64_C(42) * 86400000,
    .lockout_duration_ms = 1800000,
    .lockout_threshold = 5,
    .has_policy = true,
};

const struct domain_info sample_tenant = {
    .dns_name = {"contoso.example", 15},
    .tenant_id = {"0000c017-0000-4000-8000-00000000c017", 36},
    .organization = {"Contoso \"Ltd\"", 13},
};

static void make_guid(uint8_t out[GUID_SIZE], uint32_t number)
{
    char text[40];
    struct buf b = buf_new(64);
    buf_printf(&b, "%08x-0000-4000-8000-%012x", number, number);
    memcpy(text, buf_cstr(&b), 37);
    if (number && !guid_parse(out, str_from(text))) abort();
    buf_free(&b);
}

static struct bytes make_sid(uint8_t out[SID_MAX], const char *text)
{
    struct sid s;
    struct err e;
    if (!text) return (struct bytes){out, 0};
    if (sid_parse(&s, str_from(text), &e) < 0) abort();
    return (struct bytes){out, sid_encode(out, &s)};
}

static bool next_member(void *ctx, struct ref *out)
{
    struct sample *a = ctx;
    if (a->position >= a->n_members * a->repeat) return false;
    *out = a->members[a->position++ % a->n_members];
    return true;
}
static void rewind_members(void *ctx)
{
    ((struct sample *)ctx)->position = 0;
}

struct sample *sample_new(enum kind k, uint32_t number, const char *sid, const char *dn)
{
    struct sample *a = x_zalloc(sizeof *a);
    a->record.kind = k;
    a->record.dn = str_from(dn);
    make_guid(a->record.guid, number);
    a->record.sid = make_sid(a->sid, sid);
    for (size_t i = 0; i < ATTR_INDEX_SIZE; i++) a->entry[i] = buf_new((size_t)64 << 20);
    a->custom = buf_new((size_t)1 << 20);
    a->state = buf_new((size_t)64 << 20);
    a->stats = buf_new((size_t)64 << 20);
    a->repeat = 1;
    a->source = (struct member_source){next_member, rewind_members, a, 0};
    if (kind_has_members(k)) a->s.members = &a->source;
    a->s.domain = &sample_domain;
    a->s.first_seen_ms = SAMPLE_NOW - 86400000;
    a->s.last_changed_ms = SAMPLE_NOW - 3600000;
    return a;
}

void sample_free(struct sample *a)
{
    if (!a) return;
    for (size_t i = 0; i < ATTR_INDEX_SIZE; i++) buf_free(&a->entry[i]);
    buf_free(&a->custom);
    buf_free(&a->state);
    buf_free(&a->stats);
    free(a);
}

void sample_bytes(struct sample *a, enum attr id, struct bytes b)
{
    body_value_bytes(&a->entry[id], b);
    a->n[id]++;
}
void sample_str(struct sample *a, enum attr id, struct str text)
{
    sample_bytes(a, id, bytes_of(text));
}
void sample_text(struct sample *a, enum attr id, const char *text)
{
    sample_str(a, id, str_from(text));
}
void sample_int(struct sample *a, enum attr id, int64_t n)
{
    body_value_int(&a->entry[id], n);
    a->n[id]++;
}
void sample_bool(struct sample *a, enum attr id, bool b)
{
    body_value_bool(&a->entry[id], b);
    a->n[id]++;
}
void sample_time(struct sample *a, enum attr id, const char *rfc3339)
{
    int64_t ms;
    if (!when_parse(&ms, str_from(rfc3339))) abort();
    sample_int(a, id, ms);
}
void sample_sid(struct sample *a, enum attr id, const char *sid)
{
    uint8_t b[SID_MAX];
    sample_bytes(a, id, make_sid(b, sid));
}
void sample_custom(struct sample *a, const char *name, const char *text)
{
    struct buf v = buf_new((size_t)1 << 20);
    body_value_bytes(&v, bytes_of(str_from(text)));
    body_add_custom(&a->custom, str_from(name), ATTR_STRING, 1, buf_bytes(&v));
    buf_free(&v);
}

static struct ref make_ref(struct sample *a, enum kind k, uint32_t number, const char *sid, const char *name,
                           const char *dn)
{
    struct ref r = {
        .kind = k, .name = str_from(name), .principal = str_from(name), .dn = str_from(dn), .via = "member"};
    make_guid(r.guid, number);
    r.sid = make_sid(a->sids[a->n_sids++], sid);
    return r;
}

void sample_in_group(struct sample *a, uint32_t number, const char *sid, const char *name, int64_t type,
                     const char *description)
{
    struct ref r = make_ref(a, KIND_group, number, sid, name, "");
    r.group_type = type;
    r.description = str_from(description);
    a->groups[a->s.n_groups++] = r;
    a->s.groups = a->groups;
}
void sample_member(struct sample *a, enum kind k, uint32_t number, const char *sid, const char *name,
                   const char *dn)
{
    a->members[a->n_members++] = make_ref(a, k, number, sid, name, dn);
}
void sample_manager(struct sample *a, enum kind k, uint32_t number, const char *sid, const char *name,
                    const char *dn)
{
    a->one[0] = make_ref(a, k, number, sid, name, dn);
    a->s.manager = &a->one[0];
}
void sample_managed_by(struct sample *a, enum kind k, uint32_t number, const char *sid, const char *name,
                       const char *dn)
{
    a->one[1] = make_ref(a, k, number, sid, name, dn);
    a->s.managed_by = &a->one[1];
}
void sample_parent(struct sample *a, uint32_t number, const char *dn)
{
    a->one[2] = make_ref(a, KIND_ou, number, NULL, "", dn);
    a->s.parent = &a->one[2];
}

/* --- of a tenant --------------------------------------------------------------------------------- */
struct sample *sample_entra_new(enum kind k, uint32_t number)
{
    struct sample *a = sample_new(k, number, NULL, "");
    a->record.dn = str_from(guid_format(a->id, a->record.guid));
    a->s.domain = &sample_tenant;
    return a;
}
void sample_in_tenant_group(struct sample *a, enum kind k, uint32_t number, const char *name, int64_t type)
{
    sample_in_group(a, number, NULL, name, type, "");
    a->groups[a->s.n_groups - 1].kind = k;
}
void sample_role(struct sample *a, uint32_t number, const char *name, const char *template_id,
                 const char *scope, const char *assignment)
{
    sample_in_tenant_group(a, KIND_role, number, name, 0);
    struct ref *r = &a->groups[a->s.n_groups - 1];
    r->template_id = str_from(template_id);
    r->scope = str_from(scope);
    r->assignment = str_from(assignment);
}
void sample_tenant_member(struct sample *a, enum kind k, uint32_t number, const char *name,
                          const char *principal)
{
    sample_member(a, k, number, NULL, name, "");
    a->members[a->n_members - 1].principal = str_from(principal);
}
void sample_owner(struct sample *a, enum kind k, uint32_t number, const char *name, const char *principal)
{
    struct ref r = make_ref(a, k, number, NULL, name, "");
    char id[GUID_TEXT];
    r.principal = str_from(principal);
    a->owners[a->s.n_owners++] = r;
    a->s.owners = a->owners;
    sample_text(a, ATTR_OWNERS, guid_format(id, r.guid));
}

const struct subject *sample_subject(struct sample *a, unsigned privileges)
{
    struct err e;
    buf_clear(&a->state);
    buf_clear(&a->stats);
    for (size_t i = 0; i < n_attr_table; i++) {
        enum attr id = attr_table[i].id;
        if (a->n[id])
            body_add(attr_table[i].is_stat ? &a->stats : &a->state, id, a->n[id], buf_bytes(&a->entry[id]));
    }
    buf_add_bytes(&a->state, buf_bytes(&a->custom));
    a->record.state = buf_bytes(&a->state);
    a->record.stats = buf_bytes(&a->stats);
    if (record_index(&a->index, &a->record, &e) < 0) abort();
    a->s.record = &a->index;
    a->s.name = record_name(&a->index);
    bool account = kind_is_account(a->record.kind) || a->record.kind == KIND_service_principal ||
                   a->record.kind == KIND_device;
    if (account) derive_account(&a->s.derived, &a->index, a->s.domain, SAMPLE_NOW);
    a->s.derived.privileges = privileges;
    a->s.derived.privileges_known = account ? TRI_YES : TRI_NO;
    return &a->s;
}
