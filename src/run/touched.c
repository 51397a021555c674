#include "run/touched.h"

#include "base/hash.h"
#include "model/dn.h"

#include <stdlib.h>

#define NAMES_MAX 50000 /* renamed or gone; for more, everything is read */
#define DN_MAX    ((size_t)64 << 10)
/* Whose attributes attr.h does not tell by kind, but for those that Active Directory has as well (users, groups). */
#define ENTRA_KINDS                                                                                                                   \
    (KIND_BIT(KIND_user) | KIND_BIT(KIND_group) | KIND_BIT(KIND_role) | KIND_BIT(KIND_administrative_unit) | KIND_BIT(KIND_device) |    \
     KIND_BIT(KIND_service_principal))

struct touched {
    struct store *store;
    struct str connector;
    struct hmap old_names; /* comparison forms of DNs that nobody has any more */
    json_t *old_places;    /* of containers, renamed or gone: comparison forms */
    bool some_place_is_gone;
    json_t *guids; /* by the name of a kind */
    json_t *groups, *member_of, *references, *below;
    struct hmap known_guids;
    bool visibility, domain;
    bool strangers; /* somebody who is in no snapshot may have another name, or none */
    struct buf form;
};

struct touched *touched_new(struct store *s, struct str connector)
{
    struct touched *t = x_zalloc(sizeof *t);
    t->store = s;
    t->connector = connector;
    t->old_places = json_array();
    t->guids = json_object();
    t->groups = json_array();
    t->member_of = json_array();
    t->references = json_array();
    t->below = json_array();
    t->form = buf_new(DN_MAX);
    return t;
}

void touched_free(struct touched *t)
{
    if (!t) return;
    json_t *all[] = {t->old_places, t->guids, t->groups, t->member_of, t->references, t->below};
    for (size_t i = 0; i < n_elements(all); i++) json_decref(all[i]);
    hmap_free(&t->old_names);
    hmap_free(&t->known_guids);
    buf_free(&t->form);
    free(t);
}

static void add_text(json_t *list, struct str s)
{
    json_t *v = json_stringn(s.ptr, s.len);
    if (v) json_array_append_new(list, v);
}

static struct str form_of(struct touched *t, struct str dn)
{
    buf_clear(&t->form);
    dn_normalize(&t->form, dn);
    return t->form.failed ? dn : buf_str(&t->form);
}

static void add_guid(struct touched *t, enum kind k, const uint8_t guid[GUID_SIZE])
{
    char text[GUID_TEXT];
    bool is_new;
    hmap_put(&t->known_guids, hash128_fast((struct bytes){guid, GUID_SIZE}), &is_new);
    if (!is_new) return;
    json_t *list = json_object_get(t->guids, kind_name(k));
    if (!list) json_object_set_new(t->guids, kind_name(k), list = json_array());
    add_text(list, str_from(guid_format(text, guid)));
}

static bool is_place(enum kind k)
{
    return k == KIND_ou || k == KIND_container || k == KIND_domain;
}

/* --- as it was before this run ------------------------------------------------------------------------ */

struct before {
    struct touched *t;
    int64_t id; /* 0: was not there */
    enum kind kind;
};

static void take_before(void *ctx, const struct entity *x)
{
    struct before *b = ctx;
    bool is_new;
    struct str form = form_of(b->t, x->record.dn);
    b->id = x->id;
    b->kind = x->record.kind;
    hmap_put(&b->t->old_names, hash128_fast(bytes_of(form)), &is_new);
    if (is_place(b->kind)) add_text(b->t->old_places, form);
}

static int look_before(struct touched *t, const uint8_t guid[GUID_SIZE], struct before *out, struct err *e)
{
    char text[GUID_TEXT];
    *out = (struct before){.t = t};
    int rc = store_entity_find(t->store, t->connector, str_from(guid_format(text, guid)), false, take_before, out, e);
    return rc == ERR_NOTFOUND ? 0 : rc;
}

/* --- what comes in ------------------------------------------------------------------------------------ */

static void add_groups_of(struct touched *t, const struct record *r)
{
    struct dn_list rest = r->member_of;
    struct str dn;
    while (dn_list_next(&rest, &dn)) add_text(t->groups, dn);
}

int touched_put(struct touched *t, const struct record *r, struct put_effect effect, struct err *e)
{
    struct before before;
    if (r->kind == KIND_domain) t->domain |= effect.is_changed || effect.has_new_sd;
    if (effect.is_restored) { /* links come back with their owner */
        add_text(t->references, r->dn);
        add_groups_of(t, r);
    }
    if (effect.is_moved && !effect.is_restored) try(look_before(t, r->guid, &before, e));
    if (is_place(r->kind) && effect.is_moved) t->strangers = true;
    if (!is_place(r->kind) || !(effect.is_moved || effect.has_new_sd || effect.is_restored)) return 0;
    add_text(t->below, r->dn);
    t->visibility = true;
    return 0;
}

static bool take_group(void *ctx, const struct link *l)
{
    add_guid(ctx, l->kind, l->guid);
    return true;
}

int touched_gone(struct touched *t, const uint8_t guid[GUID_SIZE], struct err *e)
{
    struct before before;
    try(look_before(t, guid, &before, e));
    t->some_place_is_gone |= before.id && is_place(before.kind);
    t->strangers |= !before.id;
    return before.id ? store_links(t->store, before.id, LINK_GROUPS_OF, take_group, t, e) : 0;
}

void touched_unknown(struct touched *t, enum kind k, const uint8_t guid[GUID_SIZE])
{
    add_guid(t, k, guid);
}

void touched_elsewhere(struct touched *t)
{
    t->strangers = true;
}

bool touched_places(const struct touched *t)
{
    return t->visibility;
}

void touched_sealed(struct touched *t, struct str dn)
{
    add_text(t->member_of, dn);
}

/* --- who names whom ----------------------------------------------------------------------------------- */

static bool is_in_old_place(struct touched *t, struct str form)
{
    size_t i;
    json_t *place;
    json_array_foreach(t->old_places, i, place)
    {
        struct str base = {json_string_value(place), json_string_length(place)};
        if (dn_is_under(form, base)) return true;
    }
    return false;
}

static bool is_old_name(struct touched *t, struct str dn)
{
    struct str form = form_of(t, dn);
    return hmap_find(&t->old_names, hash128_fast(bytes_of(form))) || is_in_old_place(t, form);
}

static bool names_old(struct touched *t, struct bytes state)
{
    struct cursor body = cursor_new(state);
    struct values v;
    struct bytes dn;
    while (body_next(&body, &v)) {
        if (v.type != ATTR_DN) continue;
        while (values_next_bytes(&v, &dn))
            if (is_old_name(t, str_of(dn))) return true;
    }
    return false;
}

/* Below a container that is hidden now, nothing can be found by where it is. */
static bool was_in_old_place(struct touched *t, struct str dn)
{
    return t->some_place_is_gone && is_in_old_place(t, form_of(t, dn));
}

static bool take_naming(void *ctx, const struct entity *x)
{
    struct touched *t = ctx;
    if (names_old(t, x->record.state) || was_in_old_place(t, x->record.dn)) add_guid(t, x->record.kind, x->record.guid);
    return true;
}

static int find_naming(struct touched *t, struct err *e)
{
    struct entity_query q = {.connector = t->connector};
    for (size_t i = 0; i < n_attr_table; i++)
        if (attr_table[i].type == ATTR_DN) q.kinds |= attr_table[i].kinds ? attr_table[i].kinds : ENTRA_KINDS;
    if (t->some_place_is_gone) q.kinds = 0;
    return t->old_names.n_used ? store_entities(t->store, &q, take_naming, t, e) : 0;
}

static int take_unresolved(void *ctx, enum kind k, const uint8_t guid[GUID_SIZE], struct err *e)
{
    add_guid(ctx, k, guid);
    return 0;
}

int touched_finish(struct touched *t, struct store_run *run, json_t **only, const char **everything, struct err *e)
{
    *only = NULL;
    *everything = NULL;
    if (t->domain) *everything = "the domain object itself changed";
    if (t->old_names.n_used > NAMES_MAX) *everything = "too many objects were renamed or are gone";
    if (*everything) return 0;
    try(find_naming(t, e));
    if (t->strangers) try(store_run_unresolved(run, take_unresolved, t, e));
    if (!json_object_size(t->guids) && !json_array_size(t->groups) && !json_array_size(t->member_of) &&
        !json_array_size(t->references) && !json_array_size(t->below))
        return 0;
    *only = json_pack("{s:O, s:O, s:O, s:O, s:O, s:b}", "guids", t->guids, "groups", t->groups, "member_of", t->member_of,
                      "references", t->references, "below", t->below, "present", t->visibility);
    return *only ? 0 : err_set(e, ERR_BUG, "the second job cannot be written as JSON");
}
