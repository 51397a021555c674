#include "run/rows.h"

#include "base/jsonv.h"
#include "base/jsonw.h"
#include "model/sid.h"

#include <stdio.h>

/* --- runs -------------------------------------------------------------------------------------------- */

json_t *rows_counts(const struct run_result *r)
{
    json_t *j = json_object();
    for (unsigned k = 1; k < KIND_COUNT; k++) {
        const struct run_counts *n = &r->counts[k];
        if (!n->read && !n->created && !n->changed && !n->deleted && !r->held[k]) continue;
        json_t *one = json_pack("{s:I, s:I, s:I, s:I}", "read", (json_int_t)n->read, "created", (json_int_t)n->created, "changed",
                                (json_int_t)n->changed, "deleted", (json_int_t)n->deleted);
        if (r->held[k]) jsonv_put(one, "held", json_integer((json_int_t)r->held[k]));
        jsonv_put(j, kind_name((enum kind)k), one);
    }
    return j;
}

json_t *rows_gap(const struct gap *g)
{
    json_t *j = json_object();
    if (g->kind) jsonv_put(j, "kind", json_string(kind_name(g->kind)));
    jsonv_put(j, "severity", json_string(gap_severity_name(g->severity)));
    jsonv_put(j, "what", jsonv_str(g->what));
    jsonv_put(j, "where", jsonv_str(g->where));
    jsonv_put(j, "fix", jsonv_str(g->fix));
    return j;
}

json_t *rows_run(const struct run_row *r)
{
    json_t *j = json_object();
    jsonv_put(j, "id", json_integer(r->id));
    jsonv_put(j, "connector", jsonv_str(r->connector));
    jsonv_put(j, "mode", jsonv_str(r->mode));
    jsonv_put(j, "started", jsonv_time(r->started_ms));
    jsonv_put(j, "ended", jsonv_time(r->ended_ms));
    jsonv_put(j, "status", json_string(run_status_name(r->status)));
    jsonv_put(j, "counts", rows_counts(&r->result));
    jsonv_put(j, "server", jsonv_str(r->server));
    jsonv_put(j, "requests", json_integer((json_int_t)r->requests));
    jsonv_put(j, "bytes", json_integer((json_int_t)r->bytes));
    if (r->error_message.len) {
        json_t *error = json_object();
        jsonv_put(error, "class", jsonv_str(r->error_class));
        jsonv_put(error, "message", jsonv_str(r->error_message));
        if (r->error_hint.len) jsonv_put(error, "hint", jsonv_str(r->error_hint));
        jsonv_put(j, "error", error);
    }
    return j;
}

static void take_run(void *ctx, const struct run_row *r)
{
    *(json_t **)ctx = rows_run(r);
    json_object_set_new(*(json_t **)ctx, "gaps", json_array());
}

static void take_gap(void *ctx, const struct gap *g)
{
    json_t *run = *(json_t **)ctx;
    if (run) json_array_append_new(json_object_get(run, "gaps"), rows_gap(g));
}

int rows_run_get(struct store *s, int64_t id, json_t **out, struct err *e)
{
    *out = NULL;
    return store_run_get(s, id, take_run, take_gap, out, e);
}

/* --- values ---------------------------------------------------------------------------------------------- */

static json_t *bytes_value(enum attr_type type, struct bytes b)
{
    char text[SID_TEXT];
    if (type == ATTR_SID) return json_string(sid_format_bytes(text, b));
    if (type == ATTR_GUID && b.len == GUID_SIZE) return json_string(guid_format(text, b.ptr));
    if (type == ATTR_STRING || type == ATTR_DN) return jsonv_str(str_of(b));
    struct buf base64 = buf_new((size_t)64 << 20);
    buf_add_base64(&base64, b);
    json_t *j = jsonv_str(buf_str(&base64));
    buf_free(&base64);
    return j;
}

static json_t *int_value(enum attr_type type, int64_t v)
{
    if (type == ATTR_BOOL) return json_boolean(v);
    if (type != ATTR_TIME) return json_integer(v);
    return jsonv_or_null(jsonv_time(v));
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
        jsonv_put(attributes, name, all_values(&v));
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
    if (is_text) return jsonv_str(str_of(b));
    if (str_equal(c->attribute, STR("objectSid"))) return json_string(sid_format_bytes(text, b));
    struct cursor at = cursor_new(b);
    struct values v;
    return body_next(&at, &v) ? all_values(&v) : NULL;
}

json_t *rows_change(const struct change *c)
{
    char guid[GUID_TEXT];
    json_t *j = json_object();
    jsonv_put(j, "run", json_integer(c->run));
    jsonv_put(j, "time", jsonv_time(c->time_ms));
    jsonv_put(j, "connector", jsonv_str(c->connector));
    jsonv_put(j, "kind", json_string(kind_name(c->kind)));
    jsonv_put(j, "uid", json_string(guid_format(guid, c->guid)));
    jsonv_put(j, "name", jsonv_str(c->name));
    jsonv_put(j, "change", json_string(change_type_name(c->type)));
    if (c->attribute.len) jsonv_put(j, "attribute", jsonv_str(c->attribute));
    jsonv_put(j, "old", change_value(c, c->old));
    jsonv_put(j, "new", change_value(c, c->new));
    if (c->member_name.len) jsonv_put(j, "member", jsonv_str(c->member_name));
    if (c->evidence) jsonv_put(j, "evidence", json_string(evidence_name(c->evidence)));
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
    jsonv_put(j, "is_active", tri(d->is_active));
    jsonv_put(j, "is_locked", tri(d->is_locked));
    jsonv_put(j, "last_logon", jsonv_time(d->last_logon_ms));
    if (d->last_logon_source) jsonv_put(j, "last_logon_source", json_string(d->last_logon_source));
    jsonv_put(j, "password_expires", jsonv_time(d->password_expires_ms));
    jsonv_put(j, "password_never_expires", d->password_expires == TRI_UNKNOWN ? NULL : json_boolean(d->password_expires == TRI_NO));
    jsonv_put(j, "domain_admin", json_boolean(d->privileges & PRIV_DOMAIN_ADMIN));
    jsonv_put(j, "full_admin", json_boolean(d->privileges & PRIV_FULL_ADMIN));
    jsonv_put(j, "privileged", json_boolean(d->privileges & PRIV_PROTECTED));
    if (record_int(s->record, ATTR_USER_ACCOUNT_CONTROL, &uac)) {
        json_t *flags = json_array();
        uac_flag_names(uac, add_flag, flags);
        jsonv_put(j, "user_account_control", flags);
    }
    if (s->manager) jsonv_put(j, "manager_principal_name", jsonv_str(s->manager->principal));
    return j;
}

static json_t *groups(const struct subject *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->n_groups; i++) {
        char guid[GUID_TEXT];
        json_t *g = json_object();
        jsonv_put(g, "uid", json_string(guid_format(guid, s->groups[i].guid)));
        jsonv_put(g, "name", jsonv_str(s->groups[i].name));
        jsonv_put(g, "via", json_string(s->groups[i].via));
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
    jsonv_put(j, "connector", jsonv_str(entity->connector));
    jsonv_put(j, "kind", json_string(kind_name(r->kind)));
    jsonv_put(j, "uid", json_string(guid));
    jsonv_put(j, "guid", json_string(guid));
    if (r->sid.len) jsonv_put(j, "sid", json_string(sid_format_bytes(sid, r->sid)));
    if (!domain_is_tenant(s->domain)) jsonv_put(j, "dn", jsonv_str(r->dn));
    jsonv_put(j, "name", jsonv_str(entity->name));
    if (record_str(s->record, ATTR_DISPLAY_NAME, &display)) jsonv_put(j, "display_name", jsonv_str(display));
    jsonv_put(j, "domain", jsonv_str(s->domain->dns_name));
    if (kind_is_account(r->kind)) jsonv_put(j, "enabled", tri(s->derived.is_active));
    jsonv_put(j, "first_seen", jsonv_time(entity->first_seen_ms));
    jsonv_put(j, "last_changed", jsonv_time(entity->last_changed_ms));
    jsonv_put(j, "deleted", jsonv_time(entity->deleted_ms));
    add_body(attributes, r->state);
    add_body(attributes, r->stats);
    jsonv_put(j, "attributes", attributes);
    jsonv_put(j, "derived", kind_is_account(r->kind) || r->kind == KIND_group ? derived(s) : json_object());
    jsonv_put(j, "member_of", groups(s));
    jsonv_put(j, "gaps", json_array());
    return j;
}
