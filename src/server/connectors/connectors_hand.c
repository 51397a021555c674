/* connectors_hand.c - settings and secrets for a child process, on descriptors. */
#include "server/connectors/connectors_int.h"

#include "base/file.h"
#include "model/kind.h"
#include "vault/seal.h"
#include "vault/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NO_HANDED ((struct handed){.settings_fd = -1})

/* --- descriptors --------------------------------------------------------------------------------------------- */

/* Memory without a name, which nobody can change any more. */
static int memory_file(int *out, struct bytes b, struct err *e)
{
    defer_close int fd = memfd_create("rollcall", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return err_errno(e, ERR_LIMIT, errno, "no memory for what a child process is handed");
    try(file_write_all(fd, b, e));
    if (fchmod(fd, 0600) < 0 || lseek(fd, 0, SEEK_SET) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
        return err_errno(e, ERR_LIMIT, errno, "what a child process is handed");
    *out = fd;
    fd = -1;
    return 0;
}

/* form: "fd:%d" or "/proc/self/fd/%d". */
static int hand_bytes(struct handed *h, json_t *settings, const char *key, const char *form, struct bytes b, struct err *e)
{
    char text[32];
    if (h->n_secrets == n_elements(h->secret_fds)) return err_set(e, ERR_LIMIT, "more than %zu secrets for one process", n_elements(h->secret_fds));
    try(memory_file(&h->secret_fds[h->n_secrets], b, e));
    int number = HANDED_SECRET_FD + (int)h->n_secrets++;
    snprintf(text, sizeof text, form, number);
    json_object_set_new(settings, key, json_string(text));
    return 0;
}

void handed_close(struct handed *h)
{
    if (!h) return;
    if (h->settings_fd >= 0) close(h->settings_fd);
    for (size_t i = 0; i < h->n_secrets; i++) close(h->secret_fds[i]);
    *h = NO_HANDED;
}

/* --- secrets ---------------------------------------------------------------------------------------------------- */

static int hand_entered(struct connectors *c, const struct plan *p, const struct stored *was, const struct entered *one, json_t *settings, struct handed *h,
                        struct err *e)
{
    const char *form = one->is_file ? "/proc/self/fd/%d" : "fd:%d";
    if (one->action == ENTERED_SET) return hand_bytes(h, settings, one->target, form, bytes_of(str_from(one->value)), e);
    if (one->action != ENTERED_KEEP) return 0;
    struct secret s;
    try(plan_read_kept(c, p, was, one, &s, e));
    int rc = hand_bytes(h, settings, one->target, form, secret_bytes(&s), e);
    secret_drop(&s);
    return rc;
}

/* The server opens the vault; a child gets the one secret. */
static int hand_vault(const char *name, const char *key, json_t *settings, struct handed *h, struct err *e)
{
    struct secret s;
    char what[256];
    snprintf(what, sizeof what, "%s of %s", key, name);
    try(secret_resolve(&s, str_from(conf_str(settings, key)), what, e));
    int rc = hand_bytes(h, settings, key, "fd:%d", secret_bytes(&s), e);
    secret_drop(&s);
    return rc;
}

static int hand_references(const char *name, const char *type, json_t *settings, struct handed *h, struct err *e)
{
    struct conf_key k;
    for (size_t i = 0; conf_key(&k, type, i); i++) {
        struct str value = str_from(k.is_secret ? conf_str(settings, k.name) : NULL);
        if (str_starts(value, STR("vault:"))) try(hand_vault(name, k.name, settings, h, e));
        if (!str_equal(value, STR("prompt:"))) continue;
        err_set(e, ERR_INPUT, "%s of %s: prompt: asks on a terminal, and a server has none", k.name, name);
        return err_hint(e, "use file:PATH, env:NAME, cred:NAME, vault:MOUNT/PATH#FIELD, or enter it on the page");
    }
    return 0;
}

/* --- the document -------------------------------------------------------------------------------------------------- */

/* A sink whose vault does not answer is no reason not to read a directory: what it refers to stays, and whoever delivers to it says so. */
static json_t *sinks_json(const struct connectors *c, struct handed *h)
{
    json_t *out = json_object();
    for (size_t i = 0; c->conf && i < c->conf->n_sinks; i++) {
        struct err ignored;
        const struct sink_conf *s = &c->conf->sinks[i];
        json_t *settings = json_deep_copy(s->settings);
        (void)!hand_references(s->name, s->type, settings, h, &ignored);
        json_object_set_new(out, s->name, settings);
    }
    return out;
}

static json_t *rules_json(const struct connectors *c)
{
    json_t *out = json_array();
    for (size_t i = 0; c->conf && i < c->conf->n_identity_rules; i++) {
        const struct identity_rule *r = &c->conf->identity_rules[i];
        json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:s, s:i, s:b, s:b, s:b}", "name", r->name, "kind", kind_name(r->kind), "active_directory",
                                             r->active_directory, "entra_id", r->entra_id, "confidence", (int)r->confidence, "ignore_case", r->ignore_case,
                                             "ignore_domain", r->ignore_domain, "ignore_special_characters", r->ignore_special_characters));
    }
    return out;
}

/* Steals settings. */
static int hand_document(const struct connectors *c, const char *name, json_t *settings, struct handed *h, struct err *e)
{
    json_t *o = json_pack("{s:{s:o}, s:o}", "connectors", name, settings, "sinks", sinks_json(c, h));
    if (c->conf && c->conf->store_url) json_object_set_new(o, "store", json_string(c->conf->store_url));
    if (c->conf && c->conf->vault) json_object_set(o, "vault", c->conf->vault);
    if (c->conf && c->conf->n_identity_rules) json_object_set_new(o, "identity_rules", rules_json(c));
    defer_free char *text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(o);
    if (!text) return err_set(e, ERR_BUG, "settings cannot be written as JSON");
    return memory_file(&h->settings_fd, bytes_of(str_from(text)), e);
}

static int hand(struct connectors *c, const struct plan *p, const struct stored *was, struct handed *h, struct err *e)
{
    json_t *settings = json_deep_copy(p->settings);
    json_object_set_new(settings, "type", json_string(p->type));
    int rc = 0;
    for (size_t i = 0; i < p->n && rc == 0; i++) rc = hand_entered(c, p, was, &p->entered[i], settings, h, e);
    if (rc == 0) rc = hand_references(p->name, p->type, settings, h, e);
    if (rc == 0) return hand_document(c, p->name, settings, h, e);
    json_decref(settings);
    return rc;
}

/* --- asking for it -------------------------------------------------------------------------------------------------- */

static int hand_file(struct connectors *c, const struct connector_conf *conf, struct handed *h, struct err *e)
{
    json_t *settings = json_deep_copy(conf->settings);
    int rc = hand_references(conf->name, conf->type, settings, h, e);
    if (rc == 0) return hand_document(c, conf->name, settings, h, e);
    json_decref(settings);
    return rc;
}

/* Closes the plan. */
static int hand_planned(struct connectors *c, struct plan *p, const struct stored *was, struct handed *h, struct err *e)
{
    int rc = plan_check_references(c, p, was, e);
    if (rc == 0) rc = plan_check(p, e);
    if (rc == 0) rc = hand(c, p, was, h, e);
    plan_close(p);
    return rc;
}

int connectors_hand(struct connectors *c, const char *name, struct handed *out, struct err *e)
{
    struct stored s;
    struct plan p;
    const struct connector_conf *conf = connectors_of_file(c, name);
    *out = NO_HANDED;
    int rc;
    if (conf) {
        rc = hand_file(c, conf, out, e);
    } else {
        try(stored_load(c, name, &s, e));
        rc = plan_open_stored(&p, c, name, &s, e);
        if (rc == 0) rc = hand_planned(c, &p, &s, out, e);
        stored_free(&s);
    }
    if (rc < 0) handed_close(out);
    return rc < 0 ? err_wrap(e, "connector %.64s", name) : 0;
}

int connectors_hand_store(struct connectors *c, struct handed *out, struct err *e)
{
    json_t *o = json_object();
    *out = NO_HANDED;
    if (c->conf && c->conf->store_url) json_object_set_new(o, "store", json_string(c->conf->store_url));
    if (c->conf && c->conf->n_identity_rules) json_object_set_new(o, "identity_rules", rules_json(c));
    defer_free char *text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(o);
    return text ? memory_file(&out->settings_fd, bytes_of(str_from(text)), e) : err_set(e, ERR_BUG, "settings cannot be written as JSON");
}

int connectors_hand_unsaved(struct connectors *c, const char *name, const struct connector_form *form, struct handed *out, struct err *e)
{
    struct stored s;
    struct plan p;
    *out = NO_HANDED;
    try(connectors_check_name(name, e));
    try(stored_load(c, name, &s, e));
    int rc = plan_open(&p, c, name, form, &s, e);
    if (rc == 0) rc = hand_planned(c, &p, &s, out, e);
    stored_free(&s);
    if (rc < 0) handed_close(out);
    return rc;
}
