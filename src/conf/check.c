#include "conf/check.h"

#include "conf/value.h"
#include "model/dn.h"
#include "model/kind.h"

#include <stdio.h>

struct check {
    const struct type_spec *type;
    const struct node *map;
    json_t *settings;
    const char *dir;
    const struct node_place *place;
};

static struct str text_of(const struct check *c, const char *key)
{
    return str_from(json_string_value(json_object_get(c->settings, key)));
}

static bool is_text(const struct check *c, const char *key, const char *value)
{
    return str_equal(text_of(c, key), str_from(value));
}

/* Where a key's value stands; the block itself if it was not written. */
static const struct node *place_of(const struct check *c, const char *key)
{
    const struct node *n = node_find(c->map, str_from(key));
    return n ? n : c->map;
}

/* "corp: " in messages that point at a whole block of a file. */
static const char *name_of(const struct check *c, char out[NODE_SHOWN + 2])
{
    out[0] = 0;
    if (c->map->key.len)
        snprintf(out, NODE_SHOWN + 2, "%.*s: ", c->map->key.len > 64 ? 64 : (int)c->map->key.len,
                 c->map->key.ptr);
    return out;
}

/* --- key by key ----------------------------------------------------------------------------------------- */

int settings_unknown_key(const struct type_spec *t, const struct node *n, const struct node_place *p)
{
    const char *meant = key_spec_guess(t, n->key);
    int rc = node_fail_unknown(p, n, meant);
    return meant ? rc : err_hint(p->e, "`rollcall connector spec %s` lists the keys there are", t->name);
}

static int check_known(const struct check *c)
{
    for (const struct node *n = c->map->first; n; n = n->next)
        if (!str_equal(n->key, STR("type")) && !key_spec_find(c->type, n->key))
            return settings_unknown_key(c->type, n, c->place);
    return 0;
}

static int take_value(const struct check *c, const struct key_spec *k)
{
    const struct node *n = node_find(c->map, str_from(k->name));
    json_t *v = NULL;
    if (n)
        try(value_check(&v, k, n, c->dir, c->place));
    else
        v = value_fallback(k);
    if (v) json_object_set_new(c->settings, k->name, v);
    return 0;
}

static int take_values(const struct check *c)
{
    for (size_t i = 0; i < c->type->n_keys; i++) try(take_value(c, &c->type->keys[i]));
    return 0;
}

static int check_required_key(const struct check *c, const struct key_spec *k)
{
    char name[NODE_SHOWN + 2];
    if (!k->is_required || json_object_get(c->settings, k->name) || !key_spec_applies(k, c->settings)) return 0;
    name_of(c, name);
    if (k->when_key)
        node_fail_key(c->place, c->map, "%s%s is missing (needed with %s: %s)", name, k->name, k->when_key,
                      json_string_value(json_object_get(c->settings, k->when_key)));
    else
        node_fail_key(c->place, c->map, "%s%s is missing", name, k->name);
    return err_hint(c->place->e, "%s; for example: %s: %s", k->doc, k->name, k->example);
}

static int check_required(const struct check *c)
{
    for (size_t i = 0; i < c->type->n_keys; i++) try(check_required_key(c, &c->type->keys[i]));
    return 0;
}

/* --- known, but not built yet: refused, so that nothing is silently ignored ----------------------------- */

static bool is_later(const struct key_spec *k, const json_t *v)
{
    if (!k->later) return false;
    if (json_is_array(v)) return json_array_size(v) > 0;
    if (json_is_boolean(v)) return json_is_true(v) && words_have(k->later, STR("true"));
    return words_have(k->later, str_from(json_string_value(v)));
}

static int check_later(const struct check *c)
{
    for (size_t i = 0; i < c->type->n_keys; i++) {
        const struct key_spec *k = &c->type->keys[i];
        const json_t *v = json_object_get(c->settings, k->name);
        if (!is_later(k, v)) continue;
        const char *word = json_string_value(v);
        const struct node *at = place_of(c, k->name);
        if (word && k->fallback)
            return node_fail(c->place, at, "%s: %s is not in this version; use %s", k->name, word,
                             k->fallback);
        return node_fail(c->place, at, "%s is not in this version; leave the key out", k->name);
    }
    return 0;
}

/* --- Active Directory ----------------------------------------------------------------------------------- */

int settings_default_port(const json_t *settings)
{
    const char *security = json_string_value(json_object_get(settings, "security"));
    if (!security) return 0;
    return strcmp(security, "ldaps") == 0 ? 636 : 389;
}

static int check_clear_text(const struct check *c)
{
    if (!is_text(c, "security", "ldap") || !is_text(c, "auth", "simple")) return 0;
    return node_fail(c->place, place_of(c, "security"),
                     "security: with ldap the password would travel in clear text; use starttls or ldaps");
}

static int check_port(const struct check *c)
{
    const struct node *at = place_of(c, "port");
    int64_t port = json_integer_value(json_object_get(c->settings, "port"));
    bool is_ldaps = is_text(c, "security", "ldaps");
    if (!text_of(c, "security").len) return 0;
    if (port == 389 && is_ldaps)
        return node_fail(c->place, at,
                         "port: 389 speaks LDAP without TLS at first, but security is ldaps; write port: "
                         "636, or security: starttls");
    if (port == 636 && !is_ldaps)
        return node_fail(
            c->place, at,
            "port: 636 speaks TLS at once, but security is %s; write port: 389, or security: ldaps",
            text_of(c, "security").ptr);
    if (port == 3268 || port == 3269)
        return node_fail(c->place, at,
                         "port: %d is the global catalog, which holds only a part of every object; use %d",
                         (int)port, settings_default_port(c->settings));
    return 0;
}

/* --- Active Directory: Kerberos --- */

static bool by_kerberos(const struct check *c)
{
    return text_of(c, "auth").len && !is_text(c, "auth", "simple");
}

/* One secret too many. */
static int check_no_password(const struct check *c)
{
    if (!by_kerberos(c) || !json_object_get(c->settings, "password") || is_text(c, "auth", "kerberos")) return 0;
    return node_fail(c->place, place_of(c, "password"), "password: not used with auth: %s; leave the key out", text_of(c, "auth").ptr);
}

static int check_kerberos_user(const struct check *c)
{
    struct str user = text_of(c, "username");
    bool is_dn = by_kerberos(c) && str_index(user, '=') < user.len && str_index(user, '@') == user.len && str_index(user, '\\') == user.len;
    if (!is_dn) return 0;
    return node_fail(c->place, place_of(c, "username"), "username: a DN is no name for Kerberos; write the UPN, or DOMAIN\\user");
}

/* Whoever sets these thinks that TLS protects. */
static int check_no_tls_keys(const struct check *c)
{
    static const char *const keys[] = {"ca_certificate", "certificate_name"};
    if (!by_kerberos(c) || !is_text(c, "security", "ldap")) return 0;
    for (size_t i = 0; i < n_elements(keys); i++)
        if (json_object_get(c->settings, keys[i]))
            return node_fail(c->place, place_of(c, keys[i]), "%s: there is no certificate with security: ldap; leave the key out, or use ldaps", keys[i]);
    return 0;
}

static int check_spn(const struct check *c)
{
    struct str spn = text_of(c, "kerberos_spn"), certificate = text_of(c, "certificate_name");
    size_t slash = str_index(spn, '/');
    if (!by_kerberos(c)) return 0;
    if (spn.len) {
        bool is_good = slash && slash + 1 < spn.len && str_index(spn, ' ') == spn.len;
        return is_good ? 0 : node_fail(c->place, place_of(c, "kerberos_spn"), "kerberos_spn: no service name; write ldap/dc1.corp.example");
    }
    if (!host_is_address(text_of(c, "host")) || (certificate.len && !host_is_address(certificate))) return 0;
    node_fail(c->place, place_of(c, "host"), "host: an address, but Kerberos asks for the controller by name");
    return err_hint(c->place->e, "write the controller's name, or add kerberos_spn: ldap/<controller's name>");
}

/* The part of dn from its first DC component on; all of it is "not DC" if there is none. */
static struct str domain_part(struct str dn)
{
    struct str attribute, value, rest;
    while (dn.len && dn_split(dn, &attribute, &value, &rest)) {
        if (str_equal_nocase(attribute, STR("DC"))) return dn;
        dn = rest;
    }
    return (struct str){dn.ptr, 0};
}

static bool same_dn(struct str a, struct str b)
{
    struct buf x = buf_new(32768), y = buf_new(32768);
    dn_normalize(&x, a);
    dn_normalize(&y, b);
    bool same = !x.failed && !y.failed && str_equal(buf_str(&x), buf_str(&y));
    buf_free(&x);
    buf_free(&y);
    return same;
}

static bool ends_with_nocase(struct str s, struct str tail)
{
    return s.len > tail.len && str_equal_nocase((struct str){s.ptr + s.len - tail.len, tail.len}, tail);
}

/* "OU=Users,DC=company" in company.com: the same with the domain that was set. */
static int refuse_base(const struct check *c, struct str base, struct str tail, const char *domain_dn)
{
    struct buf meant = buf_new(8192), child = buf_new(8192);
    const struct node *at = place_of(c, "base_dn");
    struct str domain = text_of(c, "domain");
    size_t own = tail.len ? base.len - tail.len : base.len;
    dn_to_dns(&child, tail);
    buf_add_str(&meant, (struct str){base.ptr, own});
    buf_printf(&meant, "%s%s", tail.len ? "" : ",", domain_dn);
    if (ends_with_nocase(buf_str(&child), domain) && child.ptr[child.len - domain.len - 1] == '.') {
        node_fail(c->place, at, "base_dn: lies in the domain %s, not in %s", buf_cstr(&child), domain.ptr);
        err_hint(c->place->e, "add a connector for %s", buf_cstr(&child));
    } else {
        node_fail(c->place, at, "base_dn: does not end in the domain's own name, %s; did you mean '%s'?",
                  domain_dn, buf_cstr(&meant));
    }
    buf_free(&meant);
    buf_free(&child);
    return ERR_INPUT;
}

static int check_base_dn(const struct check *c)
{
    struct str base = text_of(c, "base_dn");
    if (!base.len || !text_of(c, "domain").len) return 0;
    struct buf domain_dn = buf_new(4096);
    dn_from_dns(&domain_dn, text_of(c, "domain"));
    struct str tail = domain_part(base);
    int rc =
        tail.len && same_dn(tail, buf_str(&domain_dn)) ? 0 : refuse_base(c, base, tail, buf_cstr(&domain_dn));
    buf_free(&domain_dn);
    return rc;
}

typedef int rule(const struct check *c);
static rule *const active_directory_rules[] = {check_clear_text,  check_later, check_no_password, check_kerberos_user,
                                               check_no_tls_keys, check_spn,   check_port,        check_base_dn};

static void fill_port(const struct check *c)
{
    int port = settings_default_port(c->settings);
    if (port && !json_object_get(c->settings, "port")) json_object_set_new(c->settings, "port", json_integer(port));
}

/* --- Entra ID ------------------------------------------------------------------------------------------- */

static bool is_set(const struct check *c, const char *key)
{
    const json_t *v = json_object_get(c->settings, key);
    return v && !json_is_false(v);
}

static int check_one_way_in(const struct check *c)
{
    static const char *const ways[] = {"client_secret", "client_certificate", "federated_token_file", "managed_identity"};
    char name[NODE_SHOWN + 2];
    const char *found = NULL;
    for (size_t i = 0; i < n_elements(ways); i++) {
        if (!is_set(c, ways[i])) continue;
        if (found)
            return node_fail(c->place, place_of(c, ways[i]), "%s and %s: one way to sign in is enough; remove one of them", found, ways[i]);
        found = ways[i];
    }
    if (found) return 0;
    node_fail_key(c->place, c->map, "%sno way to sign in", name_of(c, name));
    return err_hint(c->place->e, "set client_certificate, client_secret, federated_token_file or managed_identity: true");
}

/* Fails at `key`, which only makes sense together with another one. */
static int check_needs(const struct check *c, const char *key, const char *other, const char *why)
{
    if (!is_set(c, key) || is_set(c, other)) return 0;
    return node_fail(c->place, place_of(c, key), "%s without %s: %s", key, other, why);
}

static int check_client(const struct check *c)
{
    char name[NODE_SHOWN + 2];
    struct str client = text_of(c, "client_id");
    if (!client.len && !is_set(c, "managed_identity")) {
        node_fail_key(c->place, c->map, "%sclient_id is missing", name_of(c, name));
        return err_hint(c->place->e, "Application (client) ID of the app registration; for example: client_id: 00000000-0000-0000-0000-000000000000");
    }
    bool is_placeholder = str_starts(client, STR("00000000-0000-0000-0000-"));
    if (!client.len || is_placeholder || !str_equal_nocase(client, text_of(c, "tenant_id"))) return 0;
    return node_fail(c->place, place_of(c, "client_id"),
                     "client_id: the same as tenant_id; write the application (client) ID of the app registration's overview");
}

/* An address to which paths are added. */
static int check_base_url(const struct check *c, const char *key)
{
    struct str url = text_of(c, key);
    if (str_index(url, '?') == url.len && str_index(url, '#') == url.len) return 0;
    return node_fail(c->place, place_of(c, key), "%s: write the address only, without ? or # and what follows", key);
}

static int check_login_url(const struct check *c)
{
    try(check_needs(c, "login_url", "graph_url", "they belong together; set both, or cloud"));
    return check_base_url(c, "login_url");
}

static int check_graph_url(const struct check *c)
{
    try(check_needs(c, "graph_url", "login_url", "they belong together; set both, or cloud"));
    return check_base_url(c, "graph_url");
}

static int check_cloud(const struct check *c)
{
    if (!is_set(c, "login_url") || is_text(c, "cloud", "global")) return 0;
    return node_fail(c->place, place_of(c, "cloud"), "cloud: login_url and graph_url say where the cloud is; remove cloud, or both of them");
}

#define ENTRA_KINDS                                                                                                                       \
    (KIND_BIT(KIND_user) | KIND_BIT(KIND_group) | KIND_BIT(KIND_role) | KIND_BIT(KIND_administrative_unit) |                              \
     KIND_BIT(KIND_service_principal) | KIND_BIT(KIND_device) | KIND_BIT(KIND_contact) | KIND_BIT(KIND_tenant))
#define ENTRA_KIND_WORDS "user group role administrative_unit service_principal device contact tenant"

static int check_entra_kinds(const struct check *c)
{
    struct str list = text_of(c, "kinds"), bad = {"", 0};
    kind_set kinds = 0;
    char shown[NODE_SHOWN], guess[64], words[256];
    if (!list.len) return 0;
    const struct node *at = place_of(c, "kinds");
    words_list(words, ENTRA_KIND_WORDS);
    if (!kind_set_parse(&kinds, list, &bad)) {
        const char *meant = words_guess(guess, ENTRA_KIND_WORDS, bad);
        node_show(shown, bad);
        if (!meant) return node_fail(c->place, at, "kinds: %s is none of %s", shown, words);
        return node_fail(c->place, at, "kinds: %s is none of %s; did you mean '%s'?", shown, words, meant);
    }
    for (enum kind k = 1; k < KIND_COUNT; k++)
        if (kinds & KIND_BIT(k) & ~ENTRA_KINDS)
            return node_fail(c->place, at, "kinds: Entra ID has no %s; choose among %s", kind_plural(k), words);
    return kinds ? 0 : node_fail(c->place, at, "kinds: names none; choose among %s", words);
}

static int check_passphrase(const struct check *c)
{
    return check_needs(c, "client_certificate_password", "client_certificate", "it is the passphrase of that certificate's key; leave it out");
}

static int check_identity_url(const struct check *c)
{
    return check_needs(c, "identity_url", "managed_identity", "it is where managed identities come from; leave it out, or set managed_identity: true");
}

static rule *const entra_id_rules[] = {check_later,        check_one_way_in, check_client,    check_passphrase,
                                       check_identity_url, check_login_url,  check_graph_url, check_cloud, check_entra_kinds};

/* -------------------------------------------------------------------------------------------------------- */

static int check_vault(const struct check *c)
{
    static const char *const secrets[] = {"token", "secret_id"};
    for (size_t i = 0; i < n_elements(secrets); i++) {
        if (!str_starts(text_of(c, secrets[i]), STR("vault:"))) continue;
        node_fail(c->place, place_of(c, secrets[i]), "%s: what opens the vault cannot be in the vault", secrets[i]);
        return err_hint(c->place->e, "use file:PATH, env:NAME or cred:NAME");
    }
    return check_base_url(c, "address");
}

/* What must hold for a block as a whole, once its values are good. */
static rule *const *rules_of(const struct type_spec *t, size_t *n)
{
    static rule *const vault_rules[] = {check_vault}, *const other_rules[] = {check_later};
    bool is_ad = strcmp(t->name, "active_directory") == 0, is_entra = strcmp(t->name, "entra_id") == 0;
    *n = is_ad ? n_elements(active_directory_rules) : is_entra ? n_elements(entra_id_rules) : 1;
    return is_ad ? active_directory_rules : is_entra ? entra_id_rules : t == &vault_spec ? vault_rules : other_rules;
}

static int check_all(const struct check *c)
{
    size_t n;
    rule *const *rules = rules_of(c->type, &n);
    try(check_known(c));
    try(take_values(c));
    try(check_required(c));
    fill_port(c);
    for (size_t i = 0; i < n; i++) try(rules[i](c));
    return 0;
}

int settings_check(json_t **out, const struct type_spec *t, const struct node *map, const char *dir,
                   const struct node_place *p)
{
    struct check c = {t, map, json_object(), dir, p};
    json_object_set_new(c.settings, "type", json_string(t->name));
    int rc = check_all(&c);
    if (rc < 0) {
        json_decref(c.settings);
        return rc;
    }
    *out = c.settings;
    return 0;
}

/* --- all that is wrong, instead of the first ------------------------------------------------------------- */

/* The key that a message of ours begins with; "" if it is about the block. */
static const char *key_of(const struct type_spec *t, const char *message)
{
    struct str word = {message, strcspn(message, ": ")};
    const struct key_spec *k = key_spec_find(t, word);
    return k ? k->name : "";
}

/* What could not be read is null from then on: present, and nothing that a rule could object to. */
static void judge_values(const struct check *c, settings_tell *tell, void *ctx)
{
    char key[NODE_MAX_KEY + 1];
    for (const struct node *n = c->map->first; n; n = n->next) {
        if (str_equal(n->key, STR("type")) || key_spec_find(c->type, n->key)) continue;
        settings_unknown_key(c->type, n, c->place);
        snprintf(key, sizeof key, "%.*s", STR_FMT(n->key));
        tell(ctx, key, c->place->e);
    }
    for (size_t i = 0; i < c->type->n_keys; i++) {
        const struct key_spec *k = &c->type->keys[i];
        if (take_value(c, k) == 0) continue;
        json_object_set_new(c->settings, k->name, json_null());
        tell(ctx, k->name, c->place->e);
    }
}

void settings_judge(const struct type_spec *t, const struct node *map, const struct node_place *p, settings_tell *tell, void *ctx)
{
    struct check c = {t, map, json_object(), NULL, p};
    size_t n;
    rule *const *rules = rules_of(t, &n);
    json_object_set_new(c.settings, "type", json_string(t->name));
    judge_values(&c, tell, ctx);
    for (size_t i = 0; i < t->n_keys; i++)
        if (check_required_key(&c, &t->keys[i]) < 0) tell(ctx, t->keys[i].name, p->e);
    fill_port(&c);
    for (size_t i = 0; i < n; i++)
        if (rules[i](&c) < 0) tell(ctx, key_of(t, p->e->message), p->e);
    json_decref(c.settings);
}
