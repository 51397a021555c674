#include "store/sqlite/hints.h"
#include "store/sqlite/read.h"

#include "model/sid.h"

#define FOUND_MAX 5 /* told when a key is ambiguous */

/* --- lists ------------------------------------------------------------------------------------ */

struct listing {
    struct sqlite_store *s;
    const struct entity_query *q;
    struct buf needle, hay;
    struct entity_reader reader;
    bool (*each)(void *, const struct entity *);
    void *ctx;
    int64_t n;
    bool is_stopped;
};

static bool passes(const struct entity_query *q, const struct version *v)
{
    if (v->deleted_run && !q->with_deleted) return false;
    if (q->kinds && !(q->kinds & KIND_BIT(v->kind))) return false;
    return v->changed_run > q->changed_since_run;
}

static bool contains(struct listing *l, struct str text)
{
    return text_has_folded(&l->hay, text, buf_str(&l->needle));
}

static bool matches_search(struct listing *l, const struct entity *x)
{
    struct record_index index;
    struct err ignored;
    struct str s;
    if (!l->needle.len) return true;
    if (contains(l, x->name) || contains(l, x->record.dn)) return true;
    if (record_index(&index, &x->record, &ignored) < 0) return false;
    if (record_str(&index, ATTR_DISPLAY_NAME, &s) && contains(l, s)) return true;
    return record_str(&index, ATTR_MAIL, &s) && contains(l, s);
}

static int give(struct listing *l, struct known_connector *c, const struct version *v, struct err *e)
{
    struct entity *x = &l->reader.entity;
    if (!passes(l->q, v)) return 0;
    try(entity_read(&l->reader, c, v, e));
    if (!matches_search(l, x)) return 0;
    try(privileges_of(l->s, c, v->seq, &x->privileges, e));
    l->n++;
    l->is_stopped = !l->each(l->ctx, x) || l->n == l->q->limit;
    return 0;
}

/* Versions come newest first; the first one of each entity is the visible one. */
static int list_rows(struct listing *l, struct known_connector *c, sqlite3_stmt *q, struct err *e)
{
    uint32_t last = 0;
    int rc;
    while (!l->is_stopped && (rc = sq_step(&l->s->q, q, e)) != 0) {
        if (rc < 0) return rc;
        struct version v = version_of_row(q, NULL);
        if (v.seq == last) continue;
        last = v.seq;
        try(give(l, c, &v, e));
    }
    return 0;
}

static int list_connector(struct listing *l, struct known_connector *c, struct err *e)
{
    sqlite3_stmt *q;
    int64_t from = entity_id_of(c->id, 0), end = entity_id_of(c->id + 1, 0);
    if (l->q->after_id >= end || !c->visible_run) return 0;
    if (l->q->after_id >= from) from = l->q->after_id + 1;
    try(sq_take(&l->s->q, SQL_VERSION_FROM, &q, e));
    sq_int(q, 1, from);
    sq_int(q, 2, end);
    sq_int(q, 3, c->visible_run);
    sq_int(q, 4, -1);
    int rc = list_rows(l, c, q, e);
    sq_give(&l->s->q, SQL_VERSION_FROM, q);
    return rc;
}

static int list_all(struct listing *l, struct err *e)
{
    struct known_connector *one = NULL;
    if (l->q->connector.len) try(handle_connector_get(l->s, l->q->connector, &one, e));
    if (one) return list_connector(l, one, e);
    for (size_t i = 0; !l->is_stopped && i < l->s->n_connectors; i++)
        try(list_connector(l, &l->s->connectors[i], e));
    return 0;
}

int read_entities(struct store *store, const struct entity_query *q,
                  bool (*each)(void *, const struct entity *), void *ctx, struct err *e)
{
    struct sqlite_store *s = sqlite_of(store);
    struct reading reading;
    struct listing l = {.s = s,
                        .q = q,
                        .needle = buf_new((size_t)1 << 20),
                        .hay = buf_new((size_t)64 << 20),
                        .each = each,
                        .ctx = ctx};
    try(reading_begin(&reading, s, e));
    l.reader = entity_reader_new(s);
    text_fold(&l.needle, q->search);
    int rc = list_all(&l, e);
    entity_reader_free(&l.reader);
    buf_free(&l.needle);
    buf_free(&l.hay);
    reading_end(&reading);
    return rc;
}

/* --- one by key ------------------------------------------------------------------------------- */

enum key_type { KEY_GUID, KEY_SID, KEY_DN, KEY_ACCOUNT, KEY_UPN };

struct finding {
    struct sqlite_store *s;
    struct known_connector *c;
    enum key_type type;
    struct str text; /* of DN, account, UPN */
    struct bytes sid;
    bool with_deleted;
    struct {
        int64_t connector;
        uint32_t seq;
    } found[FOUND_MAX], buried[FOUND_MAX];
    size_t n_found, n_buried;
};

static bool has_text(const struct record_index *x, enum attr id, struct str text)
{
    struct str s;
    return record_str(x, id, &s) && text_equal_folded(s, text);
}

static bool key_matches(const struct finding *f, const struct record *rec)
{
    struct record_index x;
    struct err ignored;
    if (f->type == KEY_SID) return bytes_equal(rec->sid, f->sid);
    if (f->type == KEY_DN) return dn_equal(rec->dn, f->text);
    if (record_index(&x, rec, &ignored) < 0) return false;
    return has_text(&x, f->type == KEY_ACCOUNT ? ATTR_SAM_ACCOUNT_NAME : ATTR_USER_PRINCIPAL_NAME, f->text);
}

static void note(struct finding *f, uint32_t seq, bool is_deleted)
{
    size_t *n = is_deleted ? &f->n_buried : &f->n_found;
    for (size_t i = 0; i < *n && i < FOUND_MAX; i++) {
        int64_t connector = is_deleted ? f->buried[i].connector : f->found[i].connector;
        if ((is_deleted ? f->buried[i].seq : f->found[i].seq) == seq && connector == f->c->id) return;
    }
    if (*n < FOUND_MAX && is_deleted) f->buried[*n].connector = f->c->id, f->buried[*n].seq = seq;
    if (*n < FOUND_MAX && !is_deleted) f->found[*n].connector = f->c->id, f->found[*n].seq = seq;
    ++*n;
}

static int consider(void *ctx, uint32_t seq, struct err *e)
{
    struct finding *f = ctx;
    struct version v;
    struct body b;
    bool found;
    try(version_get(f->s, entity_id_of(f->c->id, seq), f->c->visible_run, &v, &found, NULL, e));
    if (!found || (v.deleted_run && !f->with_deleted)) return 0;
    if (f->type != KEY_GUID) {
        try(body_open(&b, f->s, entity_id_of(f->c->id, seq), v.body_run, e));
        found = key_matches(f, &b.record);
        body_close(&b, f->s);
    }
    if (found) note(f, seq, v.deleted_run != 0);
    return 0;
}

static int consider_guid(struct finding *f, const uint8_t guid[GUID_SIZE], struct err *e)
{
    sqlite3_stmt *q;
    try(sq_take(&f->s->q, SQL_ENTITY_FIND, &q, e));
    sq_int(q, 1, f->c->id);
    sq_blob(q, 2, (struct bytes){guid, GUID_SIZE});
    int rc = sq_step(&f->s->q, q, e);
    uint32_t seq = rc > 0 ? seq_of(sq_col_int(q, 0)) : 0;
    sq_give(&f->s->q, SQL_ENTITY_FIND, q);
    if (rc <= 0) return rc;
    f->type = KEY_GUID;
    return consider(f, seq, e);
}

static int consider_hint(struct finding *f, enum key_type type, struct str text, uint64_t hint, struct err *e)
{
    f->type = type;
    f->text = text;
    return hints_find(f->s, f->c->id, hint, consider, f, e);
}

/* CORP\bob and corp.example\bob: the account name, if that is this connector's domain. */
static int consider_qualified(struct finding *f, struct str key, struct err *e)
{
    struct err ignored;
    struct connector_state state;
    size_t at = str_index(key, '\\');
    struct str domain = {key.ptr, at}, account = {key.ptr + at + 1, key.len - at - 1};
    if (read_connector_state(&f->s->base, str_from(f->c->name), &state, &ignored) < 0) return 0;
    if (!str_equal_nocase(domain, state.domain.netbios_name) &&
        !str_equal_nocase(domain, state.domain.dns_name))
        return 0;
    return consider_hint(f, KEY_ACCOUNT, account, lookup_account(&f->s->lookup, account), e);
}

static int find_in(struct finding *f, struct str key, struct err *e)
{
    uint8_t guid[GUID_SIZE], sid[SID_MAX];
    struct sid parsed;
    struct err ignored;
    struct lookup *l = &f->s->lookup;
    if (guid_parse(guid, key)) {
        try(consider_guid(f, guid, e));
        if (f->n_found || f->n_buried) return 0; /* an identity comes before somebody whose name looks like it */
    }
    if (str_starts(key, STR("S-1-")) && sid_parse(&parsed, key, &ignored) == 0) {
        f->sid = (struct bytes){sid, sid_encode(sid, &parsed)};
        try(consider_hint(f, KEY_SID, key, lookup_sid(l, f->sid), e));
    }
    if (str_index(key, '=') < key.len) try(consider_hint(f, KEY_DN, key, lookup_dn(l, key), e));
    if (str_index(key, '@') < key.len) try(consider_hint(f, KEY_UPN, key, lookup_upn(l, key), e));
    if (str_index(key, '\\') < key.len) try(consider_qualified(f, key, e));
    return consider_hint(f, KEY_ACCOUNT, key, lookup_account(l, key), e);
}

static int find_all(struct finding *f, struct str connector, struct str key, struct err *e)
{
    if (connector.len) {
        try(handle_connector_get(f->s, connector, &f->c, e));
        return find_in(f, key, e);
    }
    for (size_t i = 0; i < f->s->n_connectors; i++) {
        f->c = &f->s->connectors[i];
        if (f->c->visible_run) try(find_in(f, key, e));
    }
    return 0;
}

static int read_found(struct finding *f, size_t i, struct entity_reader *reader, struct arena *strings,
                      struct err *e)
{
    struct version v;
    bool found;
    uint32_t seq = f->n_found ? f->found[i].seq : f->buried[i].seq;
    struct known_connector *c =
        handle_connector(f->s, f->n_found ? f->found[i].connector : f->buried[i].connector);
    try(version_get(f->s, entity_id_of(c->id, seq), c->visible_run, &v, &found, strings, e));
    try(entity_read(reader, c, &v, e));
    return privileges_of(f->s, c, seq, &reader->entity.privileges, e);
}

static int several(struct finding *f, struct str key, struct entity_reader *reader, struct arena *strings,
                   struct err *e)
{
    struct buf names = buf_new(600);
    size_t n = f->n_found ? f->n_found : f->n_buried;
    for (size_t i = 0; i < n && i < FOUND_MAX; i++) {
        try(read_found(f, i, reader, strings, e));
        buf_printf(&names, "%s%.*s: %.*s", i ? "; " : "", STR_FMT(reader->entity.connector),
                   STR_FMT(reader->entity.record.dn));
    }
    err_set(e, ERR_CONFLICT, "%.*s: %zu entities match: %s", STR_FMT(key), n, buf_cstr(&names));
    buf_free(&names);
    return err_hint(e, "name one by its DN, SID or GUID, or name the connector");
}

static int give_found(struct finding *f, struct str key, void (*found)(void *, const struct entity *),
                      void *ctx, struct err *e)
{
    size_t n = f->n_found ? f->n_found : f->n_buried; /* who is there comes before who is gone */
    if (!n) {
        err_set(e, ERR_NOTFOUND, "%.*s: no such entity", STR_FMT(key));
        return err_hint(e, "look for it with: rollcall entity list --search");
    }
    struct entity_reader reader = entity_reader_new(f->s);
    struct arena strings = arena_new((size_t)128 << 20);
    int rc = n > 1 ? several(f, key, &reader, &strings, e) : read_found(f, 0, &reader, &strings, e);
    if (rc == 0) found(ctx, &reader.entity);
    entity_reader_free(&reader);
    arena_free(&strings);
    return rc;
}

int read_entity_find(struct store *store, struct str connector, struct str key, bool with_deleted,
                     void (*found)(void *, const struct entity *), void *ctx, struct err *e)
{
    struct finding f = {.s = sqlite_of(store), .with_deleted = with_deleted};
    struct reading reading;
    try(reading_begin(&reading, f.s, e));
    int rc = find_all(&f, connector, key, e);
    if (rc == 0) rc = give_found(&f, key, found, ctx, e);
    reading_end(&reading);
    return rc;
}
