#include "run/watermark.h"

#include <stdlib.h>

#define NOTE     STR("watermark")
#define NOTE_MAX ((size_t)4 << 20)

static bool is_tenant(const struct connector_conf *c)
{
    return strcmp(c->type, "entra_id") == 0;
}

/* A newer program asks for more attributes; another account sees other things. */
static void scope_of(const struct connector_conf *c, char out[65])
{
    static const char *const of_domain[] = {"domain",       "base_dn",  "group_scope", "extract_disabled_users",
                                            "extract_acls", "username", "auth",        "custom_properties",
                                            "keytab",       "credential_cache", NULL};
    static const char *const of_tenant[] = {"tenant_id", "client_id",        "managed_identity", "cloud", "login_url", "graph_url",
                                            "kinds",     "mfa", "sign_in_activity", "incremental", NULL};
    struct sha256 sum;
    json_t *scope = json_pack("{s:s, s:i}", "version", ROLLCALL_VERSION, "attributes", (int)n_attr_table);
    for (const char *const *key = is_tenant(c) ? of_tenant : of_domain; *key; key++) {
        json_t *v = json_object_get(c->settings, *key);
        if (v) json_object_set(scope, *key, v);
    }
    char *text = json_dumps(scope, JSON_COMPACT | JSON_SORT_KEYS);
    sha256_init(&sum);
    sha256_add(&sum, bytes_of(str_from(text)));
    sha256_hex(&sum, out);
    free(text);
    json_decref(scope);
}

static int read_note(json_t **out, struct store *s, const struct connector_conf *c, struct err *e)
{
    struct buf text = buf_new(NOTE_MAX);
    *out = NULL;
    int rc = store_note_get(s, str_from(c->name), NOTE, &text, e);
    if (rc == 0) *out = json_loadb((const char *)text.ptr, text.len, 0, NULL);
    buf_free(&text);
    return rc == ERR_NOTFOUND ? 0 : rc;
}

static void judge(struct watermark *w, json_t *note, const struct connector_conf *c, int64_t now_ms)
{
    char scope[65];
    const char *was = json_string_value(json_object_get(note, "scope"));
    json_t *mark = json_object_get(note, "mark");
    int64_t every = conf_int(c->settings, "full_sync_every");
    scope_of(c, scope);
    w->full_ms = json_integer_value(json_object_get(note, "full_ms"));
    if (!was || !json_is_object(mark)) {
        w->reason = "the watermark of the last run is damaged";
        return;
    }
    if (strcmp(was, scope) != 0) {
        w->reason = "the settings that decide what is read have changed";
        return;
    }
    json_decref(w->mark);
    w->mark = json_incref(mark);
    w->is_due = every > 0 && (now_ms - w->full_ms >= every || now_ms < w->full_ms);
}

static bool is_off(const struct connector_conf *c)
{
    const char *method = conf_str(c->settings, "incremental");
    return !method || strcmp(method, "off") == 0;
}

int watermark_load(struct watermark *out, struct store *s, const struct connector_conf *c, int64_t now_ms, struct err *e)
{
    struct connector_state state;
    struct err ignored;
    json_t *note = NULL;
    *out = (struct watermark){.mark = json_object()};
    if (is_off(c)) return 0;
    int rc = read_note(&note, s, c, e);
    if (rc == 0 && note)
        judge(out, note, c, now_ms);
    else if (rc == 0 && store_connector(s, str_from(c->name), &state, &ignored) == 0 && state.visible_run)
        out->reason = is_tenant(c) ? "the last run left no watermark (it had losses, or incremental was off)"
                                   : "the last run left no watermark (it had losses, or read two controllers, or the account may not see "
                                     "the invocationId)";
    json_decref(note);
    return rc;
}

int watermark_keep(struct store_run *run, const struct connector_conf *c, const json_t *mark, int64_t full_ms, struct err *e)
{
    char scope[65];
    if (!mark) return store_run_note(run, NOTE, (struct bytes){NULL, 0}, e);
    scope_of(c, scope);
    json_t *note = json_pack("{s:s, s:I, s:O}", "scope", scope, "full_ms", (json_int_t)full_ms, "mark", mark);
    char *text = note ? json_dumps(note, JSON_COMPACT) : NULL;
    int rc = text ? store_run_note(run, NOTE, bytes_of(str_from(text)), e) : err_set(e, ERR_BUG, "the watermark cannot be written as JSON");
    free(text);
    json_decref(note);
    return rc;
}

void watermark_free(struct watermark *w)
{
    json_decref(w->mark);
    w->mark = NULL;
}
