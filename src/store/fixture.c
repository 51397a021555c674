#include "store/fixture.h"

#include "model/record_test.h"
#include "model/sid.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const uint8_t domain_sid[] = {1, 4, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0};
const struct domain_info fixture_domain = {.dns_name = {"corp.example", 12},
                                           .netbios_name = {"CORP", 4},
                                           .base = {"DC=corp,DC=example", 18},
                                           .server = {"dc1.corp.example", 16},
                                           .sid = {domain_sid, sizeof domain_sid},
                                           .max_pwd_age_ms = 3628800000,
                                           .has_policy = true};

/* --- a store in a new directory --------------------------------------------------------------- */

void fixture_open(struct fixture *f)
{
    snprintf(f->dir, sizeof f->dir, "/tmp/rollcall-store-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    const char *engine = getenv("ROLLCALL_TEST_ENGINE");
    if (engine && strcmp(engine, "sqlite") != 0) fail_msg("no fixture for engine %s", engine);
    snprintf(f->url, sizeof f->url, "sqlite:%s/store.db", f->dir);
    f->store = fixture_another(f);
}

struct store *fixture_another(const struct fixture *f)
{
    struct store *s = NULL;
    OK(store_open(&s, str_from(f->url), &e_));
    return s;
}

void fixture_reopen(struct fixture *f)
{
    store_close(f->store);
    f->store = fixture_another(f);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

void fixture_close(struct fixture *f)
{
    store_close(f->store);
    nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* --- records ---------------------------------------------------------------------------------- */

void guid_of_id(uint8_t out[GUID_SIZE], unsigned id)
{
    uint64_t mix = id * UINT64_C(0x9e3779b97f4a7c15); /* in no order */
    memset(out, 0, GUID_SIZE);
    memcpy(out, &mix, sizeof mix);
    memcpy(out + 8, &id, sizeof id);
}

static size_t sid_of(uint8_t out[SID_MAX], const struct someone *who)
{
    struct sid s = {.n_sub = 2, .authority = 5, .sub = {32, who->builtin}};
    if (!who->builtin) s = (struct sid){.n_sub = 5, .authority = 5, .sub = {21, 1, 2, 3, who->rid}};
    return who->rid || who->builtin ? sid_encode(out, &s) : 0;
}

static struct dn_list list_of(struct buf *block, const char *const *members)
{
    struct dn_list l = {0};
    for (; members && *members; members++, l.n++) buf_add_lstr(block, bytes_of(str_from(*members)));
    l.block = buf_bytes(block);
    return l;
}

void run_put_one(struct store_run *r, const struct someone *who)
{
    struct buf state = buf_new(1 << 20), stats = buf_new(1 << 20), members = buf_new((size_t)1 << 26);
    uint8_t sid[SID_MAX];
    struct record rec = {.kind = who->kind, .flags = who->flags, .dn = str_from(who->dn), .sd = who->sd};
    guid_of_id(rec.guid, who->id);
    rec.sid = (struct bytes){sid, sid_of(sid, who)};
    body_add_text(&state, ATTR_SAM_ACCOUNT_NAME, who->sam);
    body_add_text(&state, ATTR_USER_PRINCIPAL_NAME, who->upn);
    if (who->primary) body_add_int(&state, ATTR_PRIMARY_GROUP_ID, who->primary);
    body_add_text(&state, ATTR_MAIL, who->mail);
    body_add_text(&state, ATTR_TITLE, who->title);
    body_add_text(&state, ATTR_MANAGER, who->manager);
    body_add_text(&state, ATTR_ROLE_TEMPLATE_ID, who->role_template);
    body_add_text(&state, ATTR_ASSIGNMENT_TYPE, who->assignment);
    if (who->mfa) body_add_bool(&state, ATTR_IS_MFA_REGISTERED, strcmp(who->mfa, "yes") == 0);
    if (who->logons) body_add_int(&stats, ATTR_LOGON_COUNT, who->logons);
    if (who->sign_in) body_add_int(&stats, ATTR_LAST_SIGN_IN, who->sign_in);
    rec.state = buf_bytes(&state);
    rec.stats = buf_bytes(&stats);
    rec.member = list_of(&members, who->members);
    OK(store_run_put(r, &rec, &e_));
    buf_free(&state);
    buf_free(&stats);
    buf_free(&members);
}

void run_put_members(struct store_run *r, const char *const *members, bool more)
{
    struct buf block = buf_new((size_t)1 << 26);
    struct dn_list part = list_of(&block, members);
    OK(store_run_members(r, part, more, &e_));
    buf_free(&block);
}

/* --- runs ------------------------------------------------------------------------------------- */

struct store_run *run_start(struct store *s, const char *connector, int64_t at_ms)
{
    struct store_run *r = NULL;
    struct run_start start = {.connector = str_from(connector),
                              .source = STR("active_directory"),
                              .mode = STR("full"),
                              .started_ms = at_ms};
    OK(store_run_begin(&r, s, &start, &e_));
    OK(store_run_domain(r, &fixture_domain, &e_));
    return r;
}

void run_done(struct store_run *r, enum kind k)
{
    OK(store_run_kind_done(r, k, true, 0, &e_));
}

void run_done_all(struct store_run *r)
{
    static const enum kind all[] = {KIND_ou,
                                    KIND_group,
                                    KIND_user,
                                    KIND_computer,
                                    KIND_service_account,
                                    KIND_contact,
                                    KIND_foreign_principal};
    for (size_t i = 0; i < n_elements(all); i++) run_done(r, all[i]);
}

struct run_result run_finish(struct store_run *r, int64_t at_ms)
{
    struct run_result result;
    struct run_end end = {.ended_ms = at_ms, .server = STR("dc1.corp.example"), .requests = 3, .bytes = 1000};
    OK(store_run_end(r, &end, &result, &e_));
    return result;
}

struct run_result sync_all(struct fixture *f, const struct someone *who, size_t n, int64_t at_ms)
{
    struct store_run *r = run_start(f->store, "corp", at_ms);
    for (size_t i = 0; i < n; i++) run_put_one(r, &who[i]);
    run_done_all(r);
    return run_finish(r, at_ms + 1);
}

/* --- what is visible, as text ----------------------------------------------------------------- */

struct lines {
    struct buf text, *line;
    struct store *store;
    char **at;
    size_t n;
    bool in_order;
};

static void add_line(struct lines *l, struct buf *line)
{
    l->at = x_realloc(l->at, (l->n + 1) * sizeof *l->at);
    l->at[l->n++] = x_strdup(str_from(buf_cstr(line)));
    buf_free(line);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *join(struct lines *l, const char *between)
{
    struct buf all = buf_new((size_t)1 << 30);
    if (!l->in_order && l->n) qsort(l->at, l->n, sizeof *l->at, by_text);
    for (size_t i = 0; i < l->n; i++) {
        buf_printf(&all, "%s%s", i ? between : "", l->at[i]);
        free(l->at[i]);
    }
    free(l->at);
    char *out = x_strdup(buf_str(&all));
    buf_free(&all);
    return out;
}

static void add_value(struct buf *line, struct bytes v, struct str attribute)
{
    struct cursor c = cursor_new(v);
    struct values values;
    char sid[SID_TEXT];
    int64_t number;
    struct bytes b;
    if (str_equal(attribute, STR("objectSid"))) {
        buf_printf(line, "%s", sid_format_bytes(sid, v));
    } else if (str_equal(attribute, STR("distinguishedName")) ||
               str_equal(attribute, STR("nTSecurityDescriptor")) || str_equal(attribute, STR("member")) ||
               str_equal(attribute, STR("primaryGroupID-member"))) {
        buf_add_bytes(line, v);
    } else if (body_next(&c, &values)) {
        bool is_number = values.type == ATTR_INT || values.type == ATTR_TIME || values.type == ATTR_BOOL;
        if (is_number && values_next_int(&values, &number))
            buf_printf(line, "%lld", (long long)number);
        else if (values_next_bytes(&values, &b))
            buf_add_bytes(line, b);
    }
}

static bool change_line(void *ctx, const struct change *c)
{
    struct buf line = buf_new(1 << 20);
    bool is_member = c->type == CHANGE_member_added || c->type == CHANGE_member_removed;
    buf_printf(&line, "%s %s %.*s", change_type_name(c->type), kind_name(c->kind), STR_FMT(c->name));
    if (is_member) {
        buf_printf(&line, " %.*s", STR_FMT(c->member_name));
        if (str_equal(c->attribute, STR("primaryGroupID"))) buf_printf(&line, " by primary_group");
    } else if (c->attribute.len) {
        buf_printf(&line, " %.*s: ", STR_FMT(c->attribute));
        add_value(&line, c->old, c->attribute);
        buf_printf(&line, " -> ");
        add_value(&line, c->new, c->attribute);
    }
    if (c->evidence) buf_printf(&line, " (%s)", evidence_name(c->evidence));
    add_line(ctx, &line);
    return true;
}

char *changes_text(struct store *s, int64_t run)
{
    struct lines l = {.store = s};
    struct change_query q = {.run = run};
    OK(store_changes(s, &q, change_line, &l, &e_));
    return join(&l, "\n");
}

static bool link_word(void *ctx, const struct link *k)
{
    struct buf line = buf_new(1 << 16);
    struct str name = k->entity_id || k->name.len ? k->name : k->dn;
    buf_printf(&line, "%s%.*s/%s", k->entity_id ? "" : "?", STR_FMT(name), link_via_name(k->via));
    add_line(ctx, &line);
    return true;
}

static char *links_of_id(struct store *s, int64_t id, enum link_side side)
{
    struct lines l = {.store = s};
    OK(store_links(s, id, side, link_word, &l, &e_));
    return join(&l, " ");
}

static void add_body(struct buf *line, struct bytes body)
{
    struct cursor c = cursor_new(body);
    struct values v;
    while (c.in.len) {
        struct bytes from = c.in;
        if (!body_next(&c, &v)) return;
        buf_printf(line, " %.*s=", STR_FMT(v.name));
        add_value(line, (struct bytes){from.ptr, from.len - c.in.len}, v.name);
    }
}

static bool entity_line(void *ctx, const struct entity *x)
{
    struct lines *l = ctx;
    struct buf line = buf_new(1 << 20);
    char sid[SID_TEXT];
    char *groups = links_of_id(l->store, x->id, LINK_GROUPS_OF),
         *members = links_of_id(l->store, x->id, LINK_MEMBERS_OF);
    buf_printf(&line, "%s %.*s %.*s %s", kind_name(x->record.kind), STR_FMT(x->name), STR_FMT(x->record.dn),
               sid_format_bytes(sid, x->record.sid));
    add_body(&line, x->record.state);
    add_body(&line, x->record.stats);
    buf_printf(&line, " sd=%zu privileges=%u in [%s] has [%s]%s", x->sd.len, x->privileges, groups, members,
               x->deleted_ms ? " deleted" : "");
    free(groups);
    free(members);
    add_line(l, &line);
    return true;
}

char *entities_text(struct store *s, const char *connector)
{
    struct lines l = {.store = s};
    struct entity_query q = {.connector = str_from(connector), .with_deleted = true};
    struct err e;
    int rc = store_entities(s, &q, entity_line, &l, &e);
    if (rc < 0 && rc != ERR_NOTFOUND) fail_msg("store_entities: %s", e.message);
    return join(&l, "\n");
}

static void take_id(void *ctx, const struct entity *x)
{
    *(int64_t *)ctx = x->id;
}

int64_t entity_id_of_key(struct store *s, const char *key)
{
    int64_t id = 0;
    struct err e;
    int rc = store_entity_find(s, STR("corp"), str_from(key), true, take_id, &id, &e);
    if (rc < 0 && rc != ERR_NOTFOUND) fail_msg("find %s: %s", key, e.message);
    return id;
}

char *links_text(struct store *s, const char *key, enum link_side side)
{
    int64_t id = entity_id_of_key(s, key);
    if (!id) fail_msg("%s is not in the store", key);
    return links_of_id(s, id, side);
}
