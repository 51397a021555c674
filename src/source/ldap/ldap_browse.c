/* ldap_browse.c - for forms: what lies below a place of the directory, and which controllers there are. */
#include "source/ldap/ldap_count.h"
#include "source/ldap/ldap_entry.h"
#include "source/ldap/ldap_source.h"

#include "base/when.h"
#include "model/dn.h"
#include "net/ldap_ber.h"

#include <stdio.h>
#include <stdlib.h>

#define CHILDREN_MAX 1000
#define COUNTED_MAX  100                /* children that are looked into */
#define USERS_MAX    1000               /* counted in one of them */
#define PATIENCE_MS  15000              /* of looking into them: somebody is waiting */
#define LOOK_MS      5000               /* at one controller */
#define PLACES       "(|(objectClass=organizationalUnit)(objectClass=container)(objectClass=builtinDomain)(objectClass=domainDNS))"
#define USERS        "(&(objectCategory=person)(objectClass=user))"

static int tell(struct emit *m, const char *name, int64_t began_ms, json_t *detail, struct err *e)
{
    struct step step = {.name = name, .verdict = STEP_OK, .evidence = "see detail", .took_ms = when_monotonic_ms() - began_ms, .detail = detail};
    return emit_step(m, &step, e);
}

/* --- below a place ---------------------------------------------------------------------------------------- */

static const char *kind_of_class(struct bytes classes)
{
    struct cursor c = cursor_new(classes);
    const char *kind = "container";
    struct bytes one;
    while (ber_next_value(&c, &one)) {
        if (str_equal_nocase(str_of(one), STR("organizationalUnit"))) kind = "ou";
        if (str_equal_nocase(str_of(one), STR("domainDNS"))) kind = "domain";
    }
    return kind;
}

static json_t *name_of(struct str dn)
{
    struct str attribute, value, rest;
    struct buf plain = buf_new(4096);
    if (dn_split(dn, &attribute, &value, &rest)) dn_unescape(&plain, value);
    bool is_fine = plain.len && !plain.failed && str_is_utf8(buf_str(&plain));
    json_t *name = is_fine ? json_stringn((const char *)plain.ptr, plain.len) : json_stringn(dn.ptr, dn.len);
    buf_free(&plain);
    return name;
}

static int on_place(void *ctx, struct bytes content, struct err *e)
{
    struct str dn, name;
    struct bytes set;
    struct cursor attributes;
    const char *kind = "container";
    try(ldap_entry_dn(content, &dn, &attributes, e));
    while (ber_next_attribute(&attributes, &name, &set))
        if (str_equal_nocase(name, STR("objectClass"))) kind = kind_of_class(set);
    if (attributes.failed) return err_set(e, ERR_PROTO, "attributes that are not well-formed");
    json_t *child = json_object();
    json_object_set_new(child, "dn", json_stringn(dn.ptr, dn.len));
    json_object_set_new(child, "name", name_of(dn));
    json_object_set_new(child, "kind", json_string(kind));
    if (json_object_get(child, "dn")) /* one that is no UTF-8 cannot be chosen either */
        json_array_append(ctx, child);
    json_decref(child);
    return 0;
}

/* What the account may not look into is shown without counts. */
static int look_into(struct ldap_session *s, json_t *place, struct err *e)
{
    const char *dn = json_string_value(json_object_get(place, "dn"));
    uint64_t n;
    bool is_all;
    int rc = ldap_count(s, dn, LDAP_SCOPE_ONELEVEL, PLACES, 1, &n, &is_all, e);
    if (rc == 0) json_object_set_new(place, "has_children", json_boolean(n > 0));
    if (rc == 0) rc = ldap_count(s, dn, LDAP_SCOPE_SUBTREE, USERS, USERS_MAX, &n, &is_all, e);
    if (rc == 0) json_object_set_new(place, "users", json_integer((json_int_t)n));
    if (rc == 0 && !is_all) json_object_set_new(place, "users_more", json_true());
    return rc < 0 && ldap_is_answer(e) ? 0 : rc;
}

static int look_into_all(struct ldap_session *s, json_t *children, struct err *e)
{
    int64_t until = when_monotonic_ms() + PATIENCE_MS;
    json_t *one;
    size_t i;
    json_array_foreach(children, i, one)
    {
        json_object_set_new(one, "has_children", json_true()); /* not known yet: one can look */
        if (i < COUNTED_MAX && when_left_ms(until)) try(look_into(s, one, e));
    }
    return 0;
}

static int browse(struct ldap_session *s, const char *base, json_t *answer, struct err *e)
{
    const char *attributes[] = {"objectClass", NULL};
    struct ldap_search q = {.base = base, .scope = LDAP_SCOPE_ONELEVEL, .filter = PLACES, .attributes = attributes, .page_size = s->set.page_size};
    json_t *children = json_object_get(answer, "children");
    int rc = ldap_sample(s, &q, CHILDREN_MAX, on_place, children, e);
    if (rc < 0) return err_wrap(e, "%s: below %.200s", s->set.host, base);
    if (json_array_size(children) == CHILDREN_MAX) json_object_set_new(answer, "more", json_true());
    return look_into_all(s, children, e);
}

/* The base of the settings is what is being chosen: whether it exists is no question here. */
static json_t *without_base(const struct job *j)
{
    json_t *settings = json_deep_copy(j->settings);
    json_object_del(settings, "base_dn");
    return settings;
}

int ldap_browse(const struct job *j, struct emit *m, struct err *e)
{
    struct ldap_session s;
    struct job mine = *j;
    int64_t began = when_monotonic_ms();
    const char *asked = json_string_value(json_object_get(j->ask, "base"));
    mine.settings = without_base(j);
    int rc = ldap_session_open(&s, &mine, m, e);
    if (rc == 0) {
        const char *base = asked && *asked ? asked : s.facts.naming_context;
        json_t *answer = json_pack("{s:s, s:[]}", "base", base, "children");
        rc = answer ? browse(&s, base, answer, e) : err_set(e, ERR_PROTO, "%s: the naming context is no UTF-8", s.set.host);
        if (rc == 0) rc = tell(m, "browse", began, answer, e);
        if (rc == 0) rc = emit_end(m, s.stats.requests, s.stats.bytes, s.facts.server, e);
        json_decref(answer);
    }
    ldap_session_close(&s);
    json_decref(mine.settings);
    return rc;
}

/* --- the controllers ----------------------------------------------------------------------------------------- */

static json_t *look_at(const struct ldap_controllers *all, size_t i, const struct ldap_settings *s, int64_t deadline_ms)
{
    const struct controller *one = &all->list[i];
    struct ldap_target target = ldap_controllers_target(all, i, s, deadline_ms);
    struct ldap_conn *conn = NULL;
    struct err why;
    int64_t began = when_monotonic_ms();
    if (target.connect_timeout_ms > LOOK_MS) target.connect_timeout_ms = LOOK_MS;
    int rc = ldap_conn_open(&conn, &target, &why);
    json_t *o = json_pack("{s:s, s:i, s:s, s:b, s:I}", "host", one->host, "port", one->port, "from", controller_origin_name(one->origin), "reachable", rc == 0,
                          "took_ms", (json_int_t)(when_monotonic_ms() - began));
    if (rc == 0) json_object_set_new(o, "address", json_string(ldap_conn_address(conn)));
    if (rc < 0) json_object_set_new(o, "error", json_pack("{s:s, s:s, s:s}", "class", err_class_name(rc), "message", why.message, "hint", why.hint));
    ldap_conn_close(conn);
    return o;
}

int ldap_list_controllers(const struct job *j, struct emit *m, struct err *e)
{
    struct ldap_settings s;
    int64_t began = when_monotonic_ms();
    try(ldap_settings_read(&s, j->settings, e));
    struct ldap_controllers *all = x_zalloc(sizeof *all);
    int rc = ldap_controllers_discover(all, &s, began + s.connect_timeout_ms, e); /* DNS alone: the settings' own are not news */
    json_t *list = json_array(), *answer = json_pack("{s:o}", "controllers", list);
    for (size_t i = 0; rc == 0 && i < all->n; i++) json_array_append_new(list, look_at(all, i, &s, j->deadline_ms));
    if (rc == 0 && all->n_outside) json_object_set_new(answer, "outside", json_string(all->outside));
    if (rc == 0) rc = tell(m, "controllers", began, answer, e);
    if (rc == 0) rc = emit_end(m, 0, 0, "", e);
    json_decref(answer);
    free(all);
    return rc;
}
