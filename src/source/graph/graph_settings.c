#include "source/graph/graph_settings.h"

#include "conf/conf.h"

#include <stdio.h>

/* concepts/deployments of Microsoft Graph: tokens of one cloud are worth nothing in another. */
static const struct {
    const char *name, *login, *graph;
} clouds[] = {
    {"global", "https://login.microsoftonline.com", "https://graph.microsoft.com"},
    {"us_gov", "https://login.microsoftonline.us", "https://graph.microsoft.us"},
    {"us_gov_dod", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us"},
    {"china", "https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn"},
};

static const char *optional(const json_t *settings, const char *key)
{
    const char *v = conf_str(settings, key);
    return v && *v ? v : NULL;
}

static int read_credential(struct oauth_settings *o, const json_t *settings, struct err *e)
{
    o->client_id = optional(settings, "client_id");
    o->certificate_path = optional(settings, "client_certificate");
    o->federated_token_path = optional(settings, "federated_token_file");
    o->identity_url = optional(settings, "identity_url");
    if (conf_bool(settings, "managed_identity")) {
        o->by = OAUTH_BY_MANAGED_IDENTITY;
        return 0;
    }
    o->by = o->certificate_path ? OAUTH_BY_CERTIFICATE : o->federated_token_path ? OAUTH_BY_FEDERATED : OAUTH_BY_SECRET;
    if (!o->client_id) return err_set(e, ERR_INPUT, "client_id is not set");
    return 0;
}

static int read_root(struct graph_settings *s, const char *graph_url, struct err *e)
{
    struct str root = str_from(graph_url);
    while (root.len && root.ptr[root.len - 1] == '/') root.len--;
    if (root.len > 5 && str_equal((struct str){root.ptr + root.len - 5, 5}, STR("/v1.0"))) root.len -= 5;
    if (root.len >= sizeof s->graph_root) return err_set(e, ERR_INPUT, "graph_url is too long");
    snprintf(s->graph_root, sizeof s->graph_root, "%.*s", STR_FMT(root));
    snprintf(s->base_text, sizeof s->base_text, "%s/v1.0", s->graph_root);
    if (url_parse(&s->base, str_from(s->base_text), e) < 0) return err_wrap(e, "graph_url");
    if (s->base.query.len) return err_set(e, ERR_INPUT, "graph_url holds a query: it is scheme, host and path alone");
    s->oauth.resource = s->graph_root;
    return 0;
}

static int read_cloud(struct graph_settings *s, const json_t *settings, struct err *e)
{
    const char *cloud = optional(settings, "cloud"), *login = optional(settings, "login_url"), *graph = optional(settings, "graph_url");
    size_t i = 0;
    while (cloud && i < n_elements(clouds) && strcmp(cloud, clouds[i].name) != 0) i++;
    if (i == n_elements(clouds)) return err_set(e, ERR_INPUT, "cloud: '%s' is none of global, us_gov, us_gov_dod, china", cloud);
    if (!login != !graph) return err_set(e, ERR_INPUT, "%s is set and %s is not: they go together", login ? "login_url" : "graph_url", login ? "graph_url" : "login_url");
    s->oauth.login_url = login ? login : clouds[i].login;
    return read_root(s, graph ? graph : clouds[i].graph, e);
}

static int read_word(unsigned *out, const json_t *settings, const char *key, const char *const *words, size_t n, struct err *e)
{
    const char *v = optional(settings, key);
    *out = 0;
    if (!v) return 0;
    while (*out < n && strcmp(v, words[*out]) != 0) ++*out;
    return *out < n ? 0 : err_set(e, ERR_INPUT, "%s: '%s' is not known", key, v);
}

static int read_kinds(struct graph_settings *s, const json_t *settings, struct err *e)
{
    const char *list = optional(settings, "kinds");
    struct str bad;
    s->kinds = GRAPH_KINDS;
    if (!list) return 0;
    if (!kind_set_parse(&s->kinds, str_from(list), &bad)) return err_set(e, ERR_INPUT, "kinds: there is no kind '%.*s'", STR_FMT(bad));
    if (s->kinds & ~(kind_set)GRAPH_KINDS) return err_set(e, ERR_INPUT, "kinds: Entra ID has not all of '%s'", list);
    return 0;
}

static int64_t number_or(const json_t *settings, const char *key, int64_t otherwise)
{
    int64_t v = conf_int(settings, key);
    return v > 0 ? v : otherwise;
}

static int read_choices(struct graph_settings *s, const json_t *settings, struct err *e)
{
    static const char *const mfa[] = {"auto", "report", "methods", "off"}, *const incremental[] = {"delta", "created_since", "off"},
                            *const sign_in[] = {"auto", "off"};
    unsigned v;
    try(read_word(&v, settings, "mfa", mfa, n_elements(mfa), e));
    s->mfa = (enum graph_mfa)v;
    try(read_word(&v, settings, "incremental", incremental, n_elements(incremental), e));
    s->incremental = (enum graph_incremental)v;
    try(read_word(&v, settings, "sign_in_activity", sign_in, n_elements(sign_in), e));
    s->sign_in_activity = v == 0;
    return 0;
}

int graph_settings_read(struct graph_settings *out, const json_t *settings, struct err *e)
{
    struct graph_settings *s = out;
    *s = (struct graph_settings){0};
    s->oauth.tenant = optional(settings, "tenant_id");
    if (!s->oauth.tenant) return err_set(e, ERR_INPUT, "tenant_id is not set");
    try(read_credential(&s->oauth, settings, e));
    try(read_cloud(s, settings, e));
    try(read_kinds(s, settings, e));
    try(read_choices(s, settings, e));
    s->oauth.ca_path = optional(settings, "ca_certificate");
    s->parallel = (unsigned)number_or(settings, "parallel", 16);
    s->page_size = (unsigned)number_or(settings, "page_size", 999);
    s->connect_timeout_ms = s->oauth.connect_timeout_ms = (int)number_or(settings, "connect_timeout", 10000);
    s->answer_timeout_ms = s->oauth.answer_timeout_ms = (int)number_or(settings, "answer_timeout", 60000);
    s->methods_time_ms = number_or(settings, "mfa_methods_time", 300000);
    bool is_set = json_object_get(settings, "reports_every") != NULL; /* 0s: in every run */
    s->reports_every_ms = is_set ? conf_int(settings, "reports_every") : (int64_t)24 * 3600 * 1000;
    return 0;
}
