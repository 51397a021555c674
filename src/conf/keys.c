/* The keys of a type as those see them who keep settings: which are secrets, files, or say where a connection goes and as whom. */
#include "base/arena.h"
#include "conf/check.h"
#include "conf/conf.h"
#include "conf/value.h"

/* Whatever decides whom a secret is shown to. */
static bool is_aim(const struct key_spec *k)
{
    static const char *const groups[] = {"Connection", "Sign-in", "Availability"};
    for (size_t i = 0; i < n_elements(groups); i++)
        if (strcmp(k->group, groups[i]) == 0) return k->kind != KEY_SECRET;
    return false;
}

static bool is_path(const struct key_spec *k)
{
    return k->kind == KEY_PATH || k->kind == KEY_CACHE;
}

/* The authority's own certificate is no secret. */
bool key_is_place(const struct key_spec *k)
{
    return k->kind == KEY_SECRET || k->kind == KEY_LOCAL_URL || (is_path(k) && strcmp(k->name, "ca_certificate") != 0);
}

bool conf_key(struct conf_key *out, const char *type, size_t i)
{
    const struct type_spec *t = type_spec_find(str_from(type));
    if (!t || i >= t->n_keys) return false;
    const struct key_spec *k = &t->keys[i];
    *out = (struct conf_key){k->name, .is_secret = k->kind == KEY_SECRET, .is_path = is_path(k), .is_aim = is_aim(k), .is_place = key_is_place(k), .own = k->own};
    return true;
}

bool conf_key_applies(const char *type, const char *key, const json_t *settings)
{
    const struct type_spec *t = type_spec_find(str_from(type));
    const struct key_spec *k = t ? key_spec_find(t, str_from(key)) : NULL;
    return k && key_spec_applies(k, settings);
}

static json_t *typed(const struct key_spec *k, json_t *value, struct arena *a)
{
    struct err ignored;
    struct node *n;
    struct node_place p = {.e = &ignored};
    json_t *out = NULL;
    bool is_good = node_from_json(&n, a, value, &ignored) == 0 && value_check(&out, k, n, "/", &p) == 0;
    return is_good ? out : json_incref(value);
}

json_t *conf_effective(const char *type, const json_t *settings)
{
    const struct type_spec *t = type_spec_find(str_from(type));
    json_t *out = json_copy((json_t *)(uintptr_t)settings);
    struct arena a = arena_new(NODE_ARENA_MAX);
    for (size_t i = 0; t && i < t->n_keys; i++) {
        json_t *value = json_object_get(settings, t->keys[i].name), *now = value ? typed(&t->keys[i], value, &a) : value_fallback(&t->keys[i]);
        if (now) json_object_set_new(out, t->keys[i].name, now);
    }
    int port = settings_default_port(out);
    if (port && !json_object_get(out, "port")) json_object_set_new(out, "port", json_integer(port));
    arena_free(&a);
    return out;
}
