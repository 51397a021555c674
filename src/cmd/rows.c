#include "cmd/rows.h"

#include "base/jsonw.h"
#include "model/sid.h"

#include <stdio.h>

/* --- runs -------------------------------------------------------------------------------------------- */

static json_t *counts(const struct run_result *r)
{
    json_t *j = json_object();
    for (unsigned k = 1; k < KIND_COUNT; k++) {
        const struct run_counts *n = &r->counts[k];
        if (!n->read && !n->created && !n->changed && !n->deleted && !r->held[k]) continue;
        json_t *one = json_pack("{s:I, s:I, s:I, s:I}", "read", (json_int_t)n->read, "created", (json_int_t)n->created, "changed",
                                (json_int_t)n->changed, "deleted", (json_int_t)n->deleted);
        if (r->held[k]) out_put(one, "held", json_integer((json_int_t)r->held[k]));
        out_put(j, kind_name((enum kind)k), one);
    }
    return j;
}

static json_t *run_object(const struct run_row *r)
{
    json_t *j = json_object();
    out_put(j, "id", json_integer(r->id));
    out_put(j, "connector", out_str(r->connector));
    out_put(j, "mode", out_str(r->mode));
    out_put(j, "started", out_time(r->started_ms));
    out_put(j, "ended", out_time(r->ended_ms));
    out_put(j, "status", json_string(run_status_name(r->status)));
    out_put(j, "counts", counts(&r->result));
    out_put(j, "server", out_str(r->server));
    out_put(j, "requests", json_integer((json_int_t)r->requests));
    out_put(j, "bytes", json_integer((json_int_t)r->bytes));
    if (r->error_message.len) {
        json_t *error = json_object();
        out_put(error, "class", out_str(r->error_class));
        out_put(error, "message", out_str(r->error_message));
        if (r->error_hint.len) out_put(error, "hint", out_str(r->error_hint));
        out_put(j, "error", error);
    }
    return j;
}

static void take_run(void *ctx, const struct run_row *r)
{
    *(json_t **)ctx = run_object(r);
    json_object_set_new(*(json_t **)ctx, "gaps", json_array());
}

static void take_gap(void *ctx, const struct gap *g)
{
    json_t *run = *(json_t **)ctx;
    if (run) json_array_append_new(json_object_get(run, "gaps"), out_gap(g));
}

int rows_run_get(struct store *s, int64_t id, json_t **out, struct err *e)
{
    *out = NULL;
    return store_run_get(s, id, take_run, take_gap, out, e);
}

static void ignore_run(void *ctx, const struct run_row *r)
{
    (void)ctx;
    (void)r;
}

static void print_gap(void *ctx, const struct gap *g)
{
    (void)ctx;
    out_print_gap(g);
}

int rows_print_gaps(struct store *s, int64_t run, struct err *e)
{
    return store_run_get(s, run, ignore_run, print_gap, NULL, e);
}

/* --- values ---------------------------------------------------------------------------------------------- */

static json_t *bytes_value(enum attr_type type, struct bytes b)
{
    char text[SID_TEXT];
    if (type == ATTR_SID) return json_string(sid_format_bytes(text, b));
    if (type == ATTR_GUID && b.len == GUID_SIZE) return json_string(guid_format(text, b.ptr));
    if (type == ATTR_STRING || type == ATTR_DN) return out_str(str_of(b));
    struct buf base64 = buf_new((size_t)64 << 20);
    buf_add_base64(&base64, b);
    json_t *j = out_str(buf_str(&base64));
    buf_free(&base64);
    return j;
}

static json_t *int_value(enum attr_type type, int64_t v)
{
    if (type == ATTR_BOOL) return json_boolean(v);
    if (type != ATTR_TIME) return json_integer(v);
    json_t *t = out_time(v);
    return t ? t : json_null();
}

static json_t *one_value(struct values *v)
{
    struct bytes b;
    int64_t i;
    bool is_number = v->type == ATTR_INT || v->type == ATTR_TIME || v->type == ATTR_SPAN || v->type == ATTR_BOOL;
    if (is_number) return values_next_int(v, &i) ? int_value(v->type, i) : NULL;
    return values_next_bytes(v, &b) ? bytes_value(v->type, b) : NULL;
}

static json_t *all_values(struct values *v)
{
    if (!v->is_multi || (v->id == ATTR_CUSTOM && v->n == 1)) return one_value(v);
    json_t *list = json_array(), *one;
    while ((one = one_value(v))) json_array_append_new(list, one);
    return list;
}

static void add_body(json_t *attributes, struct bytes body)
{
    struct cursor c = cursor_new(body);
    struct values v;
    while (body_next(&c, &v)) {
        char name[256];
        snprintf(name, sizeof name, "%.*s", STR_FMT(v.name));
        out_put(attributes, name, all_values(&v));
    }
}

/* --- changes ------------------------------------------------------------------------------------------------ */

/* old or new of a change: a body entry for an attribute, else what change.h says. */
static json_t *change_value(const struct change *c, struct bytes b)
{
    char text[SID_TEXT];
    if (!b.len) return NULL;
    bool is_text = c->type == CHANGE_moved || c->type == CHANGE_renamed || c->type == CHANGE_member_added ||
                   c->type == CHANGE_member_removed || str_equal(c->attribute, STR("nTSecurityDescriptor"));
    if (is_text) return out_str(str_of(b));
    if (str_equal(c->attribute, STR("objectSid"))) return json_string(sid_format_bytes(text, b));
    struct cursor at = cursor_new(b);
    struct values v;
    return body_next(&at, &v) ? all_values(&v) : NULL;
}

json_t *rows_change(const struct change *c)
{
    char guid[GUID_TEXT];
    json_t *j = json_object();
    out_put(j, "run", json_integer(c->run));
    out_put(j, "time", out_time(c->time_ms));
    out_put(j, "connector", out_str(c->connector));
    out_put(j, "kind", json_string(kind_name(c->kind)));
    out_put(j, "uid", json_string(guid_format(guid, c->guid)));
    out_put(j, "name", out_str(c->name));
    out_put(j, "change", json_string(change_type_name(c->type)));
    if (c->attribute.len) out_put(j, "attribute", out_str(c->attribute));
    out_put(j, "old", change_value(c, c->old));
    out_put(j, "new", change_value(c, c->new));
    if (c->member_name.len) out_put(j, "member", out_str(c->member_name));
    if (c->evidence) out_put(j, "evidence", json_string(evidence_name(c->evidence)));
    return j;
}

/* --- entities ----------------------------------------------------------------------------------------------- */

static json_t *tri(enum tri t)
{
    return t == TRI_UNKNOWN ? NULL : json_boolean(t == TRI_YES);
}

static void add_flag(void *ctx, const char *name)
{
    json_array_append_new(ctx, json_string(name));
}

static json_t *derived(const struct subject *s)
{
    const struct derived *d = &s->derived;
    json_t *j = json_object();
    int64_t uac;
    out_put(j, "is_active", tri(d->is_active));
    out_put(j, "is_locked", tri(d->is_locked));
    out_put(j, "last_logon", out_time(d->last_logon_ms));
    if (d->last_logon_source) out_put(j, "last_logon_source", json_string(d->last_logon_source));
    out_put(j, "password_expires", out_time(d->password_expires_ms));
    out_put(j, "password_never_expires", d->password_expires == TRI_UNKNOWN ? NULL : json_boolean(d->password_expires == TRI_NO));
    out_put(j, "domain_admin", json_boolean(d->privileges & PRIV_DOMAIN_ADMIN));
    out_put(j, "full_admin", json_boolean(d->privileges & PRIV_FULL_ADMIN));
    out_put(j, "privileged", json_boolean(d->privileges & PRIV_PROTECTED));
    if (record_int(s->record, ATTR_USER_ACCOUNT_CONTROL, &uac)) {
        json_t *flags = json_array();
        uac_flag_names(uac, add_flag, flags);
        out_put(j, "user_account_control", flags);
    }
    if (s->manager) out_put(j, "manager_principal_name", out_str(s->manager->principal));
    return j;
}

static json_t *groups(const struct subject *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->n_groups; i++) {
        char guid[GUID_TEXT];
        json_t *g = json_object();
        out_put(g, "uid", json_string(guid_format(guid, s->groups[i].guid)));
        out_put(g, "name", out_str(s->groups[i].name));
        out_put(g, "via", json_string(s->groups[i].via));
        json_array_append_new(list, g);
    }
    return list;
}

json_t *rows_entity(const struct subject *s, const struct entity *entity)
{
    char guid[GUID_TEXT], sid[SID_TEXT];
    const struct record *r = &entity->record;
    struct str display;
    json_t *j = json_object(), *attributes = json_object();
    guid_format(guid, r->guid);
    out_put(j, "connector", out_str(entity->connector));
    out_put(j, "kind", json_string(kind_name(r->kind)));
    out_put(j, "uid", json_string(guid));
    out_put(j, "guid", json_string(guid));
    if (r->sid.len) out_put(j, "sid", json_string(sid_format_bytes(sid, r->sid)));
    if (!domain_is_tenant(s->domain)) out_put(j, "dn", out_str(r->dn));
    out_put(j, "name", out_str(entity->name));
    if (record_str(s->record, ATTR_DISPLAY_NAME, &display)) out_put(j, "display_name", out_str(display));
    out_put(j, "domain", out_str(s->domain->dns_name));
    if (kind_is_account(r->kind)) out_put(j, "enabled", tri(s->derived.is_active));
    out_put(j, "first_seen", out_time(entity->first_seen_ms));
    out_put(j, "last_changed", out_time(entity->last_changed_ms));
    out_put(j, "deleted", out_time(entity->deleted_ms));
    add_body(attributes, r->state);
    add_body(attributes, r->stats);
    out_put(j, "attributes", attributes);
    out_put(j, "derived", kind_is_account(r->kind) || r->kind == KIND_group ? derived(s) : json_object());
    out_put(j, "member_of", groups(s));
    out_put(j, "gaps", json_array());
    return j;
}
