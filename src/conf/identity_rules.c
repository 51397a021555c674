#include "conf/identity_rules.h"

#include "conf/conf.h"
#include "conf/reference.h"
#include "conf/value.h"
#include "model/attr.h"

#include <stdlib.h>

#define EXAMPLE            "{name: by-mail, active_directory: mail, entra_id: mail}"
#define KINDS_WORDS        "user group device contact"
#define DEFAULT_CONFIDENCE 50

static const char *const keys[] = {
    "name",        "kind",          "active_directory",          "entra_id", "confidence",
    "ignore_case", "ignore_domain", "ignore_special_characters", NULL};

struct reading {
    const struct node *root, *map; /* map: the rule */
    const struct node_place *place;
};

static int check_keys(const struct reading *r)
{
    char shown[NODE_SHOWN];
    for (const struct node *n = r->map->first; n; n = n->next) {
        size_t i = 0;
        if (n->type != NODE_SCALAR)
            return node_fail(r->place, n, "identity_rules: one word is expected here");
        while (keys[i] && !str_equal(n->key, str_from(keys[i]))) i++;
        if (keys[i]) continue;
        const char *meant = did_you_mean(n->key, keys);
        node_show(shown, n->key);
        if (meant)
            return node_fail_key(r->place, n, "identity_rules: unknown key %s; did you mean '%s'?", shown,
                                 meant);
        return node_fail_key(r->place, n, "identity_rules: unknown key %s; a rule is %s", shown, EXAMPLE);
    }
    return 0;
}

static int need(const struct node **out, const struct reading *r, const char *key)
{
    *out = node_find(r->map, str_from(key));
    if (*out && (*out)->text.len) return 0;
    return node_fail(r->place, r->map, "identity_rules: a rule without %s; write %s", key, EXAMPLE);
}

static int take_name(struct identity_rule *rule, const struct reading *r, const struct identity_rule *before,
                     size_t n)
{
    const struct node *at;
    char shown[NODE_SHOWN];
    try(need(&at, r, "name"));
    node_show(shown, at->text);
    if (!is_name(at->text))
        return node_fail(r->place, at, "identity_rules: name %s: 1 to 64 letters, digits, - or _", shown);
    if (words_have(IDENTITY_RULES_BUILT_IN, at->text))
        return node_fail(r->place, at, "identity_rules: name %s is that of a rule which is built in", shown);
    for (size_t i = 0; i < n; i++)
        if (str_equal(at->text, str_from(before[i].name)))
            return node_fail(r->place, at, "identity_rules: name %s is there twice", shown);
    rule->name = x_strdup(at->text);
    return 0;
}

static int take_kind(struct identity_rule *rule, const struct reading *r)
{
    const struct node *at = node_find(r->map, STR("kind"));
    char shown[NODE_SHOWN], list[256];
    rule->kind = KIND_user;
    if (!at) return 0;
    if (!words_have(KINDS_WORDS, at->text))
        return node_fail(r->place, at, "identity_rules: kind %s is none of %s", node_show(shown, at->text),
                         words_list(list, KINDS_WORDS));
    rule->kind = kind_parse(at->text);
    return 0;
}

/* An attribute that some connector reads because its settings say so. */
static bool is_custom_property(const struct node *root, struct str name)
{
    const struct node *connectors = node_find(root, STR("connectors"));
    for (const struct node *c = connectors ? connectors->first : NULL; c; c = c->next) {
        const struct node *list = c->type == NODE_MAP ? node_find(c, STR("custom_properties")) : NULL;
        for (const struct node *p = list ? list->first : NULL; p; p = p->next) {
            const struct node *at = p->type == NODE_MAP ? node_find(p, STR("name")) : NULL;
            if (at && str_equal_nocase(at->text, name)) return true;
        }
    }
    return false;
}

static const char *guess_attribute(struct str word)
{
    const char **names = x_alloc((n_attr_table + 1) * sizeof *names);
    for (size_t i = 0; i < n_attr_table; i++) names[i] = attr_table[i].name;
    names[n_attr_table] = NULL;
    const char *meant = did_you_mean(word, names);
    free(names);
    return meant;
}

static int take_attribute(char **out, const struct reading *r, const char *key)
{
    const struct node *at;
    char shown[NODE_SHOWN];
    try(need(&at, r, key));
    bool is_handed = reference_allows_descriptors(); /* with one connector: who handed the rules over has judged them with all */
    bool known = is_handed || words_have("name display_name", at->text) || attr_find(at->text) ||
                 is_custom_property(r->root, at->text);
    const char *meant = known ? NULL : guess_attribute(at->text);
    node_show(shown, at->text);
    if (meant)
        return node_fail(r->place, at, "identity_rules: %s: no attribute %s is read; did you mean '%s'?", key,
                         shown, meant);
    if (!known) {
        node_fail(r->place, at, "identity_rules: %s: no attribute %s is read", key, shown);
        return err_hint(r->place->e,
                        "name it as `entity get -o json` does; others can be read as custom_properties");
    }
    *out = x_strdup(at->text);
    return 0;
}

static int take_confidence(struct identity_rule *rule, const struct reading *r)
{
    const struct node *at = node_find(r->map, STR("confidence"));
    char shown[NODE_SHOWN];
    unsigned v = 0;
    rule->confidence = DEFAULT_CONFIDENCE;
    if (!at) return 0;
    bool ok = at->text.len == 1 || at->text.len == 2;
    for (size_t i = 0; ok && i < at->text.len; i++) {
        ok = at->text.ptr[i] >= '0' && at->text.ptr[i] <= '9';
        v = v * 10 + (unsigned)(at->text.ptr[i] - '0');
    }
    if (!ok || !v)
        return node_fail(r->place, at, "identity_rules: confidence %s is not from 1 to 99",
                         node_show(shown, at->text));
    rule->confidence = v;
    return 0;
}

static int take_flag(bool *out, const struct reading *r, const char *key)
{
    const struct node *at = node_find(r->map, str_from(key));
    char shown[NODE_SHOWN];
    if (!at) return 0;
    *out = words_have("true yes on", at->text);
    if (*out || words_have("false no off", at->text)) return 0;
    return node_fail(r->place, at, "identity_rules: %s %s is neither true nor false", key,
                     node_show(shown, at->text));
}

static int take_rule(struct identity_rule *rule, const struct reading *r, const struct identity_rule *before,
                     size_t n)
{
    if (r->map->type != NODE_MAP) return node_fail(r->place, r->map, "identity_rules: a rule is %s", EXAMPLE);
    if (n == IDENTITY_RULES_MAX)
        return node_fail(r->place, r->map, "identity_rules: more than %d rules", IDENTITY_RULES_MAX);
    try(check_keys(r));
    try(take_name(rule, r, before, n));
    try(take_kind(rule, r));
    try(take_attribute(&rule->active_directory, r, "active_directory"));
    try(take_attribute(&rule->entra_id, r, "entra_id"));
    try(take_confidence(rule, r));
    try(take_flag(&rule->ignore_case, r, "ignore_case"));
    try(take_flag(&rule->ignore_domain, r, "ignore_domain"));
    return take_flag(&rule->ignore_special_characters, r, "ignore_special_characters");
}

int identity_rules_read(struct identity_rule **out, size_t *n, const struct node *list,
                        const struct node *root, const struct node_place *p)
{
    struct reading r = {.root = root, .place = p};
    if (list->type == NODE_SCALAR && !list->text.len) return 0; /* every rule commented out */
    if (list->type != NODE_LIST)
        return node_fail(p, list, "identity_rules: a list is expected, as in [%s]", EXAMPLE);
    *out = x_zalloc((IDENTITY_RULES_MAX + 1) * sizeof **out);
    for (r.map = list->first; r.map; r.map = r.map->next) {
        ++*n; /* before it is whole: what it has so far is freed with the others */
        try(take_rule(&(*out)[*n - 1], &r, *out, *n - 1));
    }
    return 0;
}

void identity_rules_free(struct identity_rule *rules, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(rules[i].name);
        free(rules[i].active_directory);
        free(rules[i].entra_id);
    }
    free(rules);
}
