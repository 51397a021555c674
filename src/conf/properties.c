#include "conf/properties.h"

#include "base/jsonv.h"
#include "conf/conf.h"
#include "conf/spec.h"
#include "model/attr.h"

#define KINDS_WORDS                                                                                          \
    "user computer service_account group contact ou container foreign_principal trust group_policy domain"
#define TYPES_WORDS "string string_list integer boolean timestamp binary"
#define NAME_MAX_   128

/* They have places of their own in a record (model/record.h). */
#define PLACED "objectguid objectsid distinguishedname member memberof ntsecuritydescriptor"
/* Passwords and keys. A controller gives most of them to nobody; LAPS and recovery keys it does give to those
 * who may read them, and an inventory is not where they belong. */
#define SECRETS                                                                                              \
    "unicodepwd dbcspwd userpassword unixuserpassword supplementalcredentials ntpwdhistory lmpwdhistory "    \
    "ms-mcs-admpwd mslaps-password mslaps-encryptedpassword mslaps-encryptedpasswordhistory "                \
    "mslaps-encrypteddsrmpassword mslaps-encrypteddsrmpasswordhistory msds-managedpassword "                 \
    "msfve-recoverypassword msfve-keypackage trustauthincoming trustauthoutgoing initialauthincoming "       \
    "initialauthoutgoing currentvalue priorvalue msds-executescriptpassword peklist"

/* keystring = leadkeychar *keychar, RFC 4512 1.4 */
static bool is_descriptor(struct str s)
{
    if (!s.len || s.len > NAME_MAX_ || (s.ptr[0] >= '0' && s.ptr[0] <= '9')) return false;
    for (size_t i = 0; i < s.len; i++)
        if (!ascii_is_alnum(s.ptr[i]) && !(i && s.ptr[i] == '-')) return false;
    return true;
}

static bool words_have_folded(const char *words, struct str s)
{
    char lower[NAME_MAX_ + 1];
    for (size_t i = 0; i < s.len; i++) lower[i] = ascii_lower(s.ptr[i]);
    return words_have(words, (struct str){lower, s.len});
}

/* The rows of Entra ID (attr.h: from 200 on) are not read from Active Directory. */
static bool is_read_anyway(struct str name)
{
    const struct attr_info *a = attr_find(name);
    return words_have_folded(PLACED, name) || (a && a->id < 200);
}

static int check_name(const struct node *n, const struct node_place *p)
{
    char shown[NODE_SHOWN];
    node_show(shown, n->text);
    if (!is_descriptor(n->text))
        return node_fail(
            p, n, "custom_properties: %s is not an attribute's lDAPDisplayName (letters, digits, -)", shown);
    if (words_have_folded(SECRETS, n->text))
        return node_fail(p, n, "custom_properties: %s holds secrets, which rollcall does not collect", shown);
    if (is_read_anyway(n->text))
        return node_fail(p, n, "custom_properties: %s is read without being asked for: remove it here",
                         shown);
    return 0;
}

static int check_word(const struct node *n, const char *key, const char *words, const struct node_place *p)
{
    char shown[NODE_SHOWN], list[256], guess[64];
    if (words_have(words, n->text)) return 0;
    node_show(shown, n->text);
    words_list(list, words);
    const char *meant = words_guess(guess, words, n->text);
    if (meant)
        return node_fail(p, n, "custom_properties: %s %s is none of %s; did you mean '%s'?", key, shown, list,
                         meant);
    return node_fail(p, n, "custom_properties: %s %s is none of %s", key, shown, list);
}

static int check_keys(const struct node *map, const struct node_place *p)
{
    static const char *const names[] = {"name", "kind", "type", NULL};
    char shown[NODE_SHOWN];
    for (const struct node *n = map->first; n; n = n->next) {
        if (n->type != NODE_SCALAR) return node_fail(p, n, "custom_properties: one word is expected here");
        if (str_equal(n->key, STR("name")) || str_equal(n->key, STR("kind")) ||
            str_equal(n->key, STR("type")))
            continue;
        const char *meant = did_you_mean(n->key, names);
        node_show(shown, n->key);
        if (meant)
            return node_fail_key(p, n, "custom_properties: unknown key %s; did you mean '%s'?", shown, meant);
        return node_fail_key(p, n, "custom_properties: unknown key %s; an entry is {name, kind, type}",
                             shown);
    }
    for (size_t i = 0; names[i]; i++)
        if (!node_find(map, str_from(names[i])))
            return node_fail(
                p, map,
                "custom_properties: an entry without %s; write {name: badgeNumber, kind: user, type: string}",
                names[i]);
    return 0;
}

static int check_repeated(const json_t *list, const struct node *name, const struct node *kind,
                          const struct node_place *p)
{
    size_t i;
    json_t *one;
    char shown[NODE_SHOWN];
    json_array_foreach(list, i, one)
    {
        bool same = str_equal_nocase(str_from(json_string_value(json_object_get(one, "name"))), name->text) &&
                    str_equal(str_from(json_string_value(json_object_get(one, "kind"))), kind->text);
        if (same)
            return node_fail(p, name, "custom_properties: %s is there twice", node_show(shown, name->text));
    }
    return 0;
}

static int check_entry(json_t *list, const struct node *map, const struct node_place *p)
{
    if (map->type != NODE_MAP)
        return node_fail(p, map,
                         "custom_properties: an entry is {name: badgeNumber, kind: user, type: string}");
    if (json_array_size(list) == PROPERTIES_MAX)
        return node_fail(p, map, "custom_properties: more than %d entries", PROPERTIES_MAX);
    try(check_keys(map, p));
    const struct node *name = node_find(map, STR("name"));
    const struct node *kind = node_find(map, STR("kind"));
    const struct node *type = node_find(map, STR("type"));
    try(check_name(name, p));
    try(check_word(kind, "kind", KINDS_WORDS, p));
    try(check_word(type, "type", TYPES_WORDS, p));
    try(check_repeated(list, name, kind, p));
    json_array_append_new(list, json_pack("{s:s,s:s,s:s}", "name", name->text.ptr, "kind", kind->text.ptr,
                                          "type", type->text.ptr));
    return 0;
}

int properties_check(json_t **out, const struct node *list, const struct node_place *p)
{
    if (list->type != NODE_LIST)
        return node_fail(
            p, list,
            "custom_properties: a list is expected, as in [{name: badgeNumber, kind: user, type: string}]");
    json_t *a = json_array();
    for (const struct node *n = list->first; n; n = n->next) {
        int rc = check_entry(a, n, p);
        if (rc == 0) continue;
        json_decref(a);
        return rc;
    }
    *out = a;
    return 0;
}

json_t *properties_schema(void)
{
    return json_pack("{s:s,s:i,s:{s:s,s:b,s:[sss],s:{s:{s:s,s:s},s:{s:s,s:o},s:{s:s,s:o}}}}", "type", "array",
                     "maxItems", PROPERTIES_MAX, "items", "type", "object", "additionalProperties", 0,
                     "required", "name", "kind", "type", "properties", "name", "type", "string", "pattern",
                     "^[A-Za-z][A-Za-z0-9-]{0,127}$", "kind", "type", "string", "enum",
                     jsonv_words(KINDS_WORDS), "type", "type", "string", "enum", jsonv_words(TYPES_WORDS));
}
