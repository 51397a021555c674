/* One subject or change in, lines out: what the table of its kind says. */
#include "map/dialect.h"
#include "map/ocsf.h"

#define ROWS_AT_ONCE ((size_t)1 << 20) /* dialect_file_rows pauses here */

/* --- event ids ----------------------------------------------------------------------------------- */

/* SipHash with fixed keys: the same everywhere and always, 128 bits. It is no secret and proves nothing;
 * GUIDs come from domain controllers, who have no reason to look for collisions. */
struct hash_key event_uid_key(struct str connector, const char *what)
{
    static const struct hash_key root = {"rollcall event 1"};
    struct hash128 a = hash128_of(&root, bytes_of(connector));
    struct hash_key middle, key;
    memcpy(middle.bytes, &a, sizeof middle.bytes);
    a = hash128_of(&middle, bytes_of(str_from(what)));
    memcpy(key.bytes, &a, sizeof key.bytes);
    return key;
}

void event_uid_format(char out[33], const struct hash_key *key, const uint8_t guid[GUID_SIZE],
                      int64_t version)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t in[GUID_SIZE + 8], sum[16];
    memcpy(in, guid, GUID_SIZE);
    for (unsigned i = 0; i < 8; i++) in[GUID_SIZE + i] = (uint8_t)((uint64_t)version >> 8 * i);
    struct hash128 h = hash128_of(key, (struct bytes){in, sizeof in});
    memcpy(sum, &h, sizeof sum);
    for (unsigned i = 0; i < 16; i++) {
        out[2 * i] = hex[sum[i] >> 4];
        out[2 * i + 1] = hex[sum[i] & 15];
    }
    out[32] = 0;
}

void event_uid(char out[33], struct str connector, const uint8_t guid[GUID_SIZE], int64_t change_or_run,
               const char *what)
{
    struct hash_key key = event_uid_key(connector, what);
    event_uid_format(out, &key, guid, change_or_run);
}

/* --- writing ------------------------------------------------------------------------------------- */
static void remember_domain(struct dialect *d, const struct domain_info *domain)
{
    struct bytes sid = domain ? domain->sid : (struct bytes){NULL, 0};
    if (sid.len == d->domain_sid_len && (!sid.len || !memcmp(sid.ptr, d->domain_sid, sid.len))) return;
    d->domain_sid_len = 0;
    sid_format_bytes(d->domain_text, sid);
    d->domain_text_len = strlen(d->domain_text);
    if (!d->domain_text_len) return;
    memcpy(d->domain_sid, sid.ptr, sid.len);
    d->domain_sid_len = sid.len;
}

size_t view_sid(const struct view *v, char out[SID_TEXT], struct bytes sid)
{
    const struct dialect *d = v->d;
    /* Revision, then the number of sub-authorities, which is one more than the domain's: MS-DTYP 2.4.2.2. */
    bool in_domain = d->domain_sid_len && sid.len == d->domain_sid_len + 4 && sid.ptr[0] == 1 &&
                     d->domain_sid[1] < 15 && sid.ptr[1] == d->domain_sid[1] + 1 &&
                     !memcmp(sid.ptr + 2, d->domain_sid + 2, d->domain_sid_len - 2);
    if (!in_domain) return strlen(sid_format_bytes(out, sid));
    size_t n = d->domain_text_len;
    memcpy(out, d->domain_text, n);
    out[n++] = '-';
    n += text_decimal((uint8_t *)out + n, sid_rid(sid));
    out[n] = 0;
    return n;
}

void view_open(struct view *v, struct dialect *d, const struct subject *s)
{
    remember_domain(d, s->domain);
    v->d = d;
    v->s = s;
    v->r = s->record;
    v->domain = s->domain;
    v->change = NULL;
    v->other = NULL;
    v->is_second = v->is_tight = v->is_cut = false;
    v->start = 0;
    guid_format(v->guid, s->record->record->guid);
    v->uid_len = v->sid_len = (unsigned)view_sid(v, v->uid, s->record->record->sid);
    if (v->sid_len) return;
    memcpy(v->uid, v->guid, GUID_TEXT);
    v->uid_len = GUID_TEXT - 1;
}

static struct program *program_of(const struct dialect *d, enum kind k)
{
    return (unsigned)k < KIND_COUNT ? d->entity[k] : NULL;
}

static int check_room(const struct buf *out, struct err *e)
{
    return out->failed ? err_set(e, ERR_LIMIT, "output does not fit the buffer of %zu bytes", out->max) : 0;
}

static int append_event(struct dialect *d, const struct program *p, struct view *v, struct buf *out,
                        struct err *e)
{
    d->sequence++;
    return program_event(p, v, out, e);
}

int dialect_entity(struct dialect *d, const struct subject *s, struct buf *out, struct err *e)
{
    enum kind k = s->record->record->kind;
    const struct program *p = program_of(d, k), *second = d->other[TABLE_SECOND];
    struct view v;
    if (!p) return 0;
    view_open(&v, d, s);
    if (d->type->shape == SHAPE_CSV) {
        csv_row(d, p, &v, out);
        return check_room(out, e);
    }
    try(append_event(d, p, &v, out, e));
    if (!second || k != KIND_computer) return 0;
    v.is_second = true;
    return append_event(d, second, &v, out, e);
}

/* What is left to say of an entity that is gone and not kept. */
static int change_without_subject(struct dialect *d, const struct change *c, const struct program *p,
                                  struct view *v, struct buf *out, struct err *e)
{
    struct record record = {.kind = c->kind};
    struct record_index index = {.record = &record};
    struct subject s = {.record = &index, .name = c->name};
    memcpy(record.guid, c->guid, GUID_SIZE);
    view_open(v, d, &s); /* leaves the activity */
    v->change = c;
    return append_event(d, p, v, out, e);
}

int dialect_change(struct dialect *d, const struct change *c, const struct subject *s, struct buf *out,
                   struct err *e)
{
    if (!d->type->tells_changes || (unsigned)c->kind >= KIND_COUNT) return 0;
    struct change_event event = ocsf_change_event(c, d->version);
    const struct program *p = d->other[event.use];
    struct view v;
    v.activity = event.activity;
    if (!s) return change_without_subject(d, c, p, &v, out, e);
    view_open(&v, d, s);
    v.change = c;
    return append_event(d, p, &v, out, e);
}

void dialect_header(struct dialect *d, enum kind k, struct buf *out)
{
    const struct program *p = program_of(d, k);
    if (p && d->type->shape == SHAPE_CSV) csv_header(d, p, out);
}

void dialect_prepare_ref(struct dialect *d, const struct domain_info *domain, const struct ref *group,
                         struct buf *out)
{
    const struct program *p = d->other[TABLE_GROUP_REF];
    struct view v;
    if (!p) return;
    remember_domain(d, domain);
    v.d = d;
    v.s = NULL;
    v.r = NULL;
    v.domain = domain;
    v.other = group;
    v.start = out->len;
    v.is_tight = v.is_cut = false;
    program_json(p, &v, out);
}

/* --- memberships and owners ---------------------------------------------------------------------- */

/* Rows until the members end (0) or ROWS_AT_ONCE bytes are written (1). */
static int append_members(struct dialect *d, const struct subject *group, struct buf *out, uint64_t *rows,
                          struct err *e)
{
    const struct program *p = d->other[TABLE_MEMBER_REF];
    struct member_source *m = group->members;
    size_t start = out->len;
    struct view v;
    struct ref member;
    if (!p || !m) return 0;
    view_open(&v, d, group);
    v.other = &member;
    while (m->next(m->ctx, &member)) {
        csv_row(d, p, &v, out);
        ++*rows;
        if (out->failed) break;
        if (out->len - start >= ROWS_AT_ONCE) return 1;
    }
    return check_room(out, e);
}

static int member_rows(struct dialect *d, const struct subject *group, struct buf *out, uint64_t *rows,
                       struct err *e)
{
    if (!group->members) return 0;
    if (!d->is_in_rows) group->members->rewind(group->members->ctx);
    int rc = append_members(d, group, out, rows, e);
    d->is_in_rows = rc == 1;
    return rc;
}

static int owner_rows(struct dialect *d, const struct subject *group, struct buf *out, uint64_t *rows,
                      struct err *e)
{
    struct view v;
    const struct ref *owners = group->n_owners ? group->owners : group->managed_by;
    size_t n = group->n_owners ? group->n_owners : group->managed_by != NULL;
    view_open(&v, d, group);
    for (size_t i = 0; i < n; i++) {
        v.other = &owners[i];
        csv_row(d, d->other[TABLE_OWNER_REF], &v, out);
        ++*rows;
    }
    return check_room(out, e);
}

static uint64_t count_lines(const struct buf *out, size_t from)
{
    uint64_t n = 0;
    for (size_t i = from; i < out->len; i++) n += out->ptr[i] == '\n';
    return n;
}

static int entity_rows(struct dialect *d, const struct subject *s, struct buf *out, uint64_t *rows,
                       struct err *e)
{
    size_t start = out->len;
    try(dialect_entity(d, s, out, e));
    if (d->type->shape == SHAPE_CSV)
        *rows += out->len > start; /* a cell may hold line feeds */
    else
        *rows += count_lines(out, start);
    return 0;
}

int dialect_file_rows(struct dialect *d, size_t index, const struct subject *s, struct buf *out,
                      uint64_t *rows, struct err *e)
{
    if (index >= d->type->n_files) return 0;
    const struct file_kind *f = &d->type->files[index];
    if (!(f->kinds & d->kinds & KIND_BIT(s->record->record->kind))) return 0;
    if (f->use == TABLE_MEMBER_REF) return member_rows(d, s, out, rows, e);
    if (f->use == TABLE_OWNER_REF) return owner_rows(d, s, out, rows, e);
    return entity_rows(d, s, out, rows, e);
}

void dialect_file_header(struct dialect *d, size_t index, struct buf *out)
{
    if (index >= d->type->n_files || d->type->shape != SHAPE_CSV) return;
    const struct file_kind *f = &d->type->files[index];
    if (f->use != TABLE_ENTITY) {
        csv_header(d, d->other[f->use], out);
        return;
    }
    for (unsigned k = 1; k < KIND_COUNT; k++) {
        if (!(f->kinds & KIND_BIT(k))) continue;
        dialect_header(d, (enum kind)k, out);
        return; /* all kinds of one file share a table */
    }
}

/* A domain's name comes from a directory: only what a DNS name is made of gets into a path. */
static size_t put_domain(char *to, size_t size, struct str name)
{
    size_t n = 0;
    for (; n < name.len && n < size; n++) {
        char c = name.ptr[n];
        bool safe = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                    (c == '.' && n);
        to[n] = safe ? c : '_';
    }
    return n;
}

bool dialect_file(const struct dialect *d, size_t index, const struct domain_info *domain,
                  struct dialect_file *out)
{
    if (index >= d->type->n_files) return false;
    const struct file_kind *f = &d->type->files[index];
    struct str name = str_from(f->name), dns = d->options.csv4_domain;
    if (!dns.len) dns = domain && domain->dns_name.len ? domain->dns_name : STR("domain");
    size_t n = 0;
    if (name.ptr[0] == '%') {
        n = put_domain(out->name, 255, dns);
        name = (struct str){name.ptr + 1, name.len - 1};
    }
    memcpy(out->name + n, name.ptr, name.len);
    out->name[n + name.len] = 0;
    out->kinds = f->kinds & d->kinds;
    return true;
}
