/* connectors_judge.c - everything that is wrong with a connector's settings, key by key, in sentences that name the fix. */
#include "server/connectors/connectors_int.h"

#include "base/jsonv.h"
#include "vault/vault.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <unistd.h>

struct judge {
    struct connectors *c;
    const char *name, *type;
    const struct connector_form *form;
    json_t *effective; /* with defaults */
    json_t *problems;
    json_t *denied; /* keys that the form's maker may not set as they are */
};

static void say(struct judge *j, const char *key, const char *severity, const char *message, const char *hint)
{
    json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "key", key, "severity", severity, "message", message, "hint", hint ? hint : "");
    if (o) json_array_append_new(j->problems, o);
}

/* The key stands beside the message: it is not said twice. */
static void say_err(struct judge *j, const char *key, const char *severity, const struct err *e)
{
    size_t n = strlen(key);
    const char *message = e->message;
    if (n && strncmp(message, key, n) == 0 && message[n] == ':') message += n + 1 + (message[n + 1] == ' ');
    say(j, key, severity, message, e->hint);
}

static void say_denied(void *ctx, const char *key, const struct err *e)
{
    struct judge *j = ctx;
    say_err(j, key, "error", e);
    json_array_append_new(j->denied, json_string(key));
}

static void say_found(void *ctx, const char *key, const struct err *e)
{
    say_err(ctx, key, "error", e);
}

static const char *text(const struct judge *j, const char *key)
{
    return jsonv_cstr(j->effective, key);
}

static bool is_text(const struct judge *j, const char *key, const char *value)
{
    return strcmp(text(j, key), value) == 0;
}

static const char *entered(const struct judge *j, const char *key)
{
    const char *t = json_string_value(json_object_get(j->form->secrets, key));
    return t && *t ? t : NULL;
}

static bool is_active_directory(const struct judge *j)
{
    return strcmp(j->type, "active_directory") == 0;
}

/* --- the name --------------------------------------------------------------------------------------------------- */

static bool is_taken(struct connectors *c, const char *name)
{
    struct stored s;
    struct err ignored;
    if (connectors_of_file(c, name)) return true;
    if (stored_load(c, name, &s, &ignored) < 0) return false;
    bool is_found = s.is_found;
    stored_free(&s);
    return is_found;
}

static void judge_name(struct judge *j, bool is_new)
{
    struct err e;
    if (connectors_check_name(j->name, &e) < 0)
        say_err(j, "name", "error", &e);
    else if (is_new && is_taken(j->c, j->name))
        say(j, "name", "error", "there is a connector of this name already", "choose another name");
}

/* --- Active Directory --------------------------------------------------------------------------------------------- */

static bool is_address(const char *host)
{
    struct in6_addr six;
    struct in_addr four;
    return inet_pton(AF_INET, host, &four) == 1 || inet_pton(AF_INET6, host, &six) == 1 || host[0] == '[';
}

static void judge_host(struct judge *j)
{
    char hint[320];
    bool has_tls = !is_text(j, "security", "ldap");
    if (!has_tls || !is_address(text(j, "host")) || *text(j, "certificate_name")) return;
    snprintf(hint, sizeof hint, "use a name such as dc1.%.200s, or set certificate_name to the name in the certificate",
             *text(j, "domain") ? text(j, "domain") : "corp.example");
    say(j, "host", "warning", "a certificate rarely contains an IP address", hint);
}

static void judge_user(struct judge *j)
{
    char hint[640];
    const char *user = text(j, "username"), *slash = strchr(user, '\\');
    if (!is_text(j, "auth", "simple") || !slash || !slash[1]) return;
    snprintf(hint, sizeof hint, "%.300s@%.255s also works across renames", slash + 1, *text(j, "domain") ? text(j, "domain") : "corp.example");
    say(j, "username", "hint", "accepted; a UPN is the better name", hint);
}

static void judge_clear_text(struct judge *j)
{
    if (json_integer_value(json_object_get(j->effective, "port")) != 389 || !is_text(j, "security", "ldap") || !is_text(j, "auth", "simple")) return;
    say(j, "port", "error", "refused: the password would travel in clear", "choose StartTLS, LDAPS or Kerberos");
}

static void judge_failover(struct judge *j)
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(j->effective, "failover_hosts"), i, one)
    {
        if (json_is_string(one) && strcasecmp(json_string_value(one), text(j, "host")) == 0)
            say(j, "failover_hosts", "hint", "the host itself is in the list", "name other controllers here");
    }
}

static void judge_active_directory(struct judge *j)
{
    judge_host(j);
    judge_user(j);
    judge_clear_text(j);
    judge_failover(j);
}

/* --- Entra ID --------------------------------------------------------------------------------------------------------- */

static bool is_guid_text(const char *s)
{
    for (size_t i = 0; i < 36; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool is_hex = (s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f') || (s[i] >= 'A' && s[i] <= 'F');
        if (is_dash ? s[i] != '-' : !is_hex) return false;
    }
    return s[36] == 0;
}

static void judge_entra_id(struct judge *j)
{
    const char *secret = entered(j, "client_secret");
    if (secret && is_guid_text(secret))
        say(j, "client_secret", "error", "this is the secret's ID. Entra shows the Value once, at creation", "make a new client secret and copy its Value");
}

/* --- secrets ---------------------------------------------------------------------------------------------------------- */

static void judge_entered_text(struct judge *j, const char *key)
{
    const char *value = entered(j, key);
    if (!value) return;
    struct str s = str_from(value);
    if (strpbrk(value, "\r\n"))
        say(j, key, "warning", "there is a line break in it", "enter it again, without the line break");
    else if (str_trim(s).len != s.len)
        say(j, key, "warning", "it begins or ends with a space", "enter it again, if that is not meant");
    else if (str_starts(s, STR("file:")) || str_starts(s, STR("vault:")) || str_starts(s, STR("cred:")))
        say(j, key, "warning", "this looks like a reference, but was entered as the secret itself", "choose \"reference\" for where the secret is");
}

/* A reference that leads nowhere now: the server may find it when it runs. */
static void judge_reference(struct judge *j, const char *key, const char *value)
{
    struct secret s;
    struct err e = {0};
    char what[128];
    snprintf(what, sizeof what, "%.100s", key);
    if (strncmp(value, "prompt:", 7) == 0) {
        say(j, key, "error", "prompt: asks on a terminal, and a server has none", "use file:PATH, env:NAME, cred:NAME or vault:MOUNT/PATH#FIELD, or enter it");
        return;
    }
    if (plan_check_reference(j->c, key, false, value, &e) < 0) {
        say_err(j, key, "error", &e);
        return;
    }
    bool is_local = strncmp(value, "file:", 5) == 0 || strncmp(value, "env:", 4) == 0 || strncmp(value, "cred:", 5) == 0;
    if (!is_local) return;
    if (secret_resolve(&s, str_from(value), what, &e) == 0)
        secret_drop(&s);
    else
        say_err(j, key, "warning", &e);
}

static void judge_path(struct judge *j, const char *key, const char *value)
{
    struct err e = {0};
    if (plan_check_reference(j->c, key, true, value, &e) < 0) {
        say_err(j, key, "error", &e);
        return;
    }
    if (value[0] == '/' && access(value, R_OK) < 0) say(j, key, "warning", "there is no such file on the server, or it may not read it", "check the path");
}

static bool is_denied(const struct judge *j, const char *key)
{
    size_t i;
    json_t *one;
    json_array_foreach(j->denied, i, one)
        if (strcmp(json_string_value(one), key) == 0) return true;
    return false;
}

static void judge_files_and_secrets(struct judge *j)
{
    struct conf_key k;
    for (size_t i = 0; conf_key(&k, j->type, i); i++) {
        const char *value = conf_str(j->form->settings, k.name);
        if (value && !*value) value = NULL;
        if (k.is_secret) judge_entered_text(j, k.name);
        if (is_denied(j, k.name)) continue; /* whether it is there is not told either */
        if (k.is_secret && value && strcmp(value, "entered:") != 0) judge_reference(j, k.name, value);
        if (k.is_path && value && strcmp(value, "entered:") != 0) judge_path(j, k.name, value);
    }
}

/* --- pasted certificates ------------------------------------------------------------------------------------------------ */

struct pasted {
    int n_certificates, n_keys, n_expired;
};

static void look_at(struct pasted *out, const char *pem)
{
    BIO *in = BIO_new_mem_buf(pem, -1);
    char *name = NULL, *header = NULL;
    unsigned char *data = NULL;
    long len = 0;
    while (in && out->n_certificates < 1000 && PEM_read_bio(in, &name, &header, &data, &len) == 1) {
        const unsigned char *at = data;
        X509 *x = strstr(name, "CERTIFICATE") ? d2i_X509(NULL, &at, len) : NULL;
        if (x) out->n_certificates++;
        if (x && X509_cmp_time(X509_get0_notAfter(x), NULL) < 0) out->n_expired++;
        if (strstr(name, "PRIVATE KEY")) out->n_keys++;
        X509_free(x);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, (size_t)len);
    }
    BIO_free(in);
    ERR_clear_error();
}

static void judge_pasted(struct judge *j, const char *key, bool wants_key)
{
    struct pasted p = {0};
    const char *pem = entered(j, key);
    if (!pem) return;
    look_at(&p, pem);
    if (!p.n_certificates)
        say(j, key, "error", "there is no certificate in it", "paste all of the PEM text, from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----");
    else if (wants_key && !p.n_keys)
        say(j, key, "error", "the private key is missing", "paste the certificate and its private key, one after the other");
    else if (!wants_key && p.n_keys)
        say(j, key, "error", "there is a private key in it", "paste the certificate only, and change that key if somebody else could have seen it");
    else if (p.n_expired)
        say(j, key, "warning", p.n_certificates == 1 ? "the certificate has expired" : "one of the certificates has expired", "paste the present one");
}

/* --- everything ------------------------------------------------------------------------------------------------------------ */

static int judge_plan(struct judge *j, struct err *e)
{
    struct stored was;
    struct plan p;
    try(stored_load(j->c, j->name, &was, e));
    int rc = plan_open(&p, j->c, j->name, j->form, &was, e);
    if (rc == 0) {
        for (size_t i = 0; i < p.n; i++)
            if (p.entered[i].must_enter)
                say(j, p.entered[i].name, "error", "must be entered again: it was entered for another server, user or authority", "enter it again, or remove it");
        plan_each_denied(&p, &was, say_denied, j);
        rc = conf_judge_settings(j->type, p.check, say_found, j, e);
        plan_close(&p);
    }
    stored_free(&was);
    return rc;
}

/* What must be entered again is not also missing; a port in clear is told at the port. */
static bool is_said(const json_t *problems, size_t until, const char *key)
{
    for (size_t i = 0; i < until; i++)
        if (strcmp(json_string_value(json_object_get(json_array_get(problems, i), "key")), key) == 0) return true;
    return false;
}

static void drop_echoes(json_t *problems)
{
    for (size_t i = 0; i < json_array_size(problems);) {
        const json_t *one = json_array_get(problems, i);
        const char *key = json_string_value(json_object_get(one, "key")), *message = json_string_value(json_object_get(one, "message"));
        if (strstr(message, " is missing") && is_said(problems, i, key))
            json_array_remove(problems, i);
        else
            i++;
    }
}

int connectors_judge(struct connectors *c, const char *name, const struct connector_form *form, bool is_new, json_t **problems, struct err *e)
{
    struct judge j = {.c = c, .name = name, .type = form->type, .form = form, .problems = json_array(), .denied = json_array()};
    struct err plan_error = {0};
    *problems = NULL;
    int rc = judge_plan(&j, &plan_error);
    if (rc == ERR_INPUT) say(&j, "", "error", plan_error.message, plan_error.hint);
    if (rc < 0 && rc != ERR_INPUT) *e = plan_error;
    if (rc == 0) {
        j.effective = conf_effective(form->type, form->settings);
        judge_name(&j, is_new);
        if (is_active_directory(&j))
            judge_active_directory(&j);
        else
            judge_entra_id(&j);
        judge_files_and_secrets(&j);
        judge_pasted(&j, CA_PEM, false);
        judge_pasted(&j, CLIENT_PEM, true);
        drop_echoes(j.problems);
        json_decref(j.effective);
    }
    json_decref(j.denied);
    if (rc < 0 && rc != ERR_INPUT) {
        json_decref(j.problems);
        return rc;
    }
    *problems = j.problems;
    return 0;
}
