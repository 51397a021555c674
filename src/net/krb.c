/* krb.c - tickets; the words are in krb_explain.c, names and krb5.conf in krb_text.c, the way to the KDCs in
 * krb_kdc.c. */
#include "net/krb_int.h"

#include "base/file.h"
#include "base/when.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIFETIME_S (5 * 24 * 3600) /* asked for; the domain's policy may give less */

/* --- errors ----------------------------------------------------------------------------------------------
 */

static int fail(struct krb *k, krb5_error_code code, struct krb_story s, struct err *e)
{
    const char *text = krb5_get_error_message(k->ctx, code);
    bool is_unreachable = code == KRB5_KDC_UNREACH || code == KRB5_REALM_CANT_RESOLVE;
    s.realm = k->realm;
    s.complaint = &k->complaint;
    s.text = text;
    if (is_unreachable && k->unreachable.class)
        *e = k->unreachable;
    else
        krb_explain(code, &s, e);
    krb5_free_error_message(k->ctx, text);
    return e->class;
}

static void forget_complaints(struct krb *k)
{
    k->complaint = (struct krb_complaint){0};
    k->unreachable.class = ERR_NONE;
}

/* --- configuration ---------------------------------------------------------------------------------------
 */

static int generate_config(struct krb *k, struct err *e)
{
    char path[64];
    const char *kdcs[KRB_KDCS_MAX];
    struct buf text = buf_new(65536);
    for (size_t i = 0; i < k->n_kdcs; i++) kdcs[i] = k->kdcs[i];
    int rc = krb_config_text(&text, str_from(k->domain), kdcs, k->n_kdcs, e);
    if (rc == 0)
        k->config_fd = memfd_create("krb5.conf", MFD_CLOEXEC); /* gone with the process, however it ends */
    if (rc == 0 && k->config_fd < 0) rc = err_errno(e, ERR_LIMIT, errno, "memfd_create");
    if (rc == 0) rc = file_write_all(k->config_fd, buf_bytes(&text), e);
    buf_free(&text);
    if (rc < 0) return rc;
    snprintf(path, sizeof path, "/proc/self/fd/%d", k->config_fd);
    setenv("KRB5_CONFIG", path, 1);
    return 0;
}

/* libkrb5 passes over a file that is not there. */
static int use_config(const char *config, struct err *e)
{
    bool is_list = strchr(config, ':') != NULL;
    if (!is_list && access(config, R_OK) < 0) {
        int saved = errno;
        err_errno(e, ERR_INPUT, saved, "the Kerberos configuration %s", config);
        return err_hint(e, "check krb5_config or $KRB5_CONFIG; without them one is generated");
    }
    setenv("KRB5_CONFIG", config, 1);
    return 0;
}

static int start(struct krb *k, const struct krb_how *how, struct err *e)
{
    struct krb_name unused;
    try(krb_name_parse(&unused, STR("x"), str_from(how->domain), e));
    k->realm = x_strdup(str_from(unused.realm));
    k->domain = x_strdup(str_from(how->domain));
    for (size_t i = 0; i < how->n_kdcs && i < KRB_KDCS_MAX; i++)
        k->kdcs[k->n_kdcs++] = x_strdup(str_from(how->kdcs[i]));
    if (how->dns_servers) k->dns_servers = x_strdup(str_from(how->dns_servers));
    if (how->config)
        try(use_config(how->config, e));
    else
        try(generate_config(k, e));
    krb5_error_code code = krb5_init_context(&k->ctx);
    if (code) {
        k->ctx = NULL;
        struct krb_story s = {.file = how->config ? how->config : "krb5.conf",
                              .text = "libkrb5 does not start"};
        return krb_explain(code, &s, e) == ERR_AUTH ? (e->class = ERR_INPUT) : e->class;
    }
    krb_kdc_install(k, !how->config && k->n_kdcs);
    return 0;
}

int krb_open(struct krb **out, const struct krb_how *how, struct err *e)
{
    struct krb *k = x_zalloc(sizeof *k);
    *out = NULL;
    k->config_fd = -1;
    k->timeout_ms = how->timeout_ms;
    k->deadline_ms = how->deadline_ms;
    int rc = start(k, how, e);
    if (rc < 0)
        krb_close(k);
    else
        *out = k;
    return rc;
}

static void drop_cache(struct krb *k)
{
    if (k->cache) krb5_cc_destroy(k->ctx, k->cache); /* wipes the keys */
    free(k->cache_name);
    k->cache = NULL;
    k->cache_name = NULL;
    k->has_ticket = false;
}

void krb_close(struct krb *k)
{
    if (!k) return;
    drop_cache(k);
    if (k->ctx) krb5_free_context(k->ctx);
    if (k->config_fd >= 0) close(k->config_fd);
    for (size_t i = 0; i < k->n_kdcs; i++) free(k->kdcs[i]);
    free(k->realm);
    free(k->domain);
    free(k->dns_servers);
    free(k);
}

void krb_prefer(struct krb *k, const char *kdc)
{
    size_t i = 0;
    while (i < k->n_kdcs && strcmp(k->kdcs[i], kdc) != 0) i++;
    char *first = i < k->n_kdcs ? k->kdcs[i] : x_strdup(str_from(kdc));
    if (i == KRB_KDCS_MAX) free(k->kdcs[--i]); /* the least preferred */
    if (i == k->n_kdcs) k->n_kdcs++;
    memmove(k->kdcs + 1, k->kdcs, i * sizeof *k->kdcs);
    k->kdcs[0] = first;
}

/* --- names -----------------------------------------------------------------------------------------------
 */

/* From its parts, so that nothing in a name needs quoting. */
static int make_principal(struct krb *k, krb5_principal *out, const char *username, struct err *e)
{
    struct krb_name n;
    try(krb_name_parse(&n, str_from(username), str_from(k->domain), e));
    krb5_error_code code =
        krb5_build_principal(k->ctx, out, (unsigned)strlen(n.realm), n.realm, n.user, (char *)NULL);
    if (code) return fail(k, code, (struct krb_story){.who = username}, e);
    if (n.is_enterprise) (*out)->type = KRB5_NT_ENTERPRISE_PRINCIPAL;
    return 0;
}

static void write_principal(struct krb *k, char out[KRB_NAME_MAX], krb5_const_principal p, int flags)
{
    char *text = NULL;
    if (krb5_unparse_name_flags(k->ctx, p, flags, &text) != 0) text = NULL;
    snprintf(out, KRB_NAME_MAX, "%s", text ? text : "");
    for (char *at = out; *at; at++)
        if ((uint8_t)*at < 0x20 || *at == 0x7f) *at = ' ';
    krb5_free_unparsed_name(k->ctx, text);
}

static void show_principal(struct krb *k, char out[KRB_NAME_MAX], krb5_const_principal p)
{
    write_principal(k, out, p, KRB5_PRINCIPAL_UNPARSE_DISPLAY);
}

/* --- the cache -------------------------------------------------------------------------------------------
 */

static int64_t ms_of(krb5_timestamp t) /* seconds as uint32_t: they last until 2106 */
{
    return (int64_t)(uint32_t)t * 1000;
}

static int new_cache(struct krb *k, krb5_principal owner, struct err *e)
{
    char *name = NULL;
    drop_cache(k);
    krb5_error_code code = krb5_cc_new_unique(k->ctx, "MEMORY", NULL, &k->cache);
    if (!code) code = krb5_cc_initialize(k->ctx, k->cache, owner);
    if (!code) code = krb5_cc_get_full_name(k->ctx, k->cache, &name);
    if (code) return fail(k, code, (struct krb_story){.file = "MEMORY:"}, e);
    k->cache_name = x_strdup(str_from(name));
    krb5_free_string(k->ctx, name);
    return 0;
}

static void take_times(struct krb *k, const krb5_creds *c)
{
    k->ticket.ends_ms = ms_of(c->times.endtime);
    k->ticket.renewable_until_ms = c->ticket_flags & TKT_FLG_RENEWABLE ? ms_of(c->times.renew_till) : 0;
}

static int keep(struct krb *k, krb5_creds *c, struct err *e)
{
    try(new_cache(k, c->client, e));
    krb5_error_code code = krb5_cc_store_cred(k->ctx, k->cache, c);
    if (code) return fail(k, code, (struct krb_story){.file = k->cache_name}, e);
    show_principal(k, k->ticket.principal, c->client);
    take_times(k, c);
    k->has_ticket = true;
    return 0;
}

/* --- signing in ------------------------------------------------------------------------------------------
 */

typedef krb5_error_code set_proof(struct krb *k, krb5_init_creds_context icc, const void *proof);

static krb5_error_code set_password(struct krb *k, krb5_init_creds_context icc, const void *proof)
{
    const struct secret *password = proof;
    return krb5_init_creds_set_password(k->ctx, icc,
                                        (const char *)secret_bytes(password).ptr); /* NUL-terminated */
}

static krb5_error_code set_keytab(struct krb *k, krb5_init_creds_context icc, const void *proof)
{
    return krb5_init_creds_set_keytab(k->ctx, icc, (krb5_keytab)(uintptr_t)proof);
}

/* krb5_init_creds_get goes through the exchange once; krb5_get_init_creds_password would ask the primary KDC
 * again after a refusal, which counts twice against the lock-out. */
static krb5_error_code exchange(struct krb *k, krb5_principal client, set_proof *set, const void *proof,
                                krb5_creds *out)
{
    krb5_get_init_creds_opt *options = NULL;
    krb5_init_creds_context icc = NULL;
    krb5_error_code code = krb5_get_init_creds_opt_alloc(k->ctx, &options);
    if (code) return code;
    krb5_get_init_creds_opt_set_tkt_life(options, LIFETIME_S);
    krb5_get_init_creds_opt_set_forwardable(options, 0);
    krb5_get_init_creds_opt_set_proxiable(options, 0);
    krb5_get_init_creds_opt_set_canonicalize(options, client->type == KRB5_NT_ENTERPRISE_PRINCIPAL);
    forget_complaints(k);
    code = krb5_init_creds_init(k->ctx, client, NULL, NULL, 0, options, &icc);
    if (!code) code = set(k, icc, proof);
    if (!code) code = krb5_init_creds_get(k->ctx, icc);
    if (!code) code = krb5_init_creds_get_creds(k->ctx, icc, out);
    krb5_init_creds_free(k->ctx, icc);
    krb5_get_init_creds_opt_free(k->ctx, options);
    return code;
}

/* An enterprise name is told as it was written: its realm is only where the search begins. */
static void show_client(struct krb *k, char out[KRB_NAME_MAX], krb5_const_principal p)
{
    show_principal(k, out, p);
    char *realm = strrchr(out, '@');
    if (p->type == KRB5_NT_ENTERPRISE_PRINCIPAL && realm) *realm = 0;
}

static int sign_in(struct krb *k, krb5_principal client, set_proof *set, const void *proof, const char *file,
                   struct err *e)
{
    char who[KRB_NAME_MAX];
    krb5_creds creds = {0};
    show_client(k, who, client);
    krb5_error_code code = exchange(k, client, set, proof, &creds);
    if (code) return fail(k, code, (struct krb_story){.who = who, .file = file}, e);
    int rc = keep(k, &creds, e);
    krb5_free_cred_contents(k->ctx, &creds);
    return rc;
}

int krb_sign_in(struct krb *k, const char *username, const struct secret *password, struct err *e)
{
    krb5_principal client = NULL;
    if (!password->len) return err_set(e, ERR_INPUT, "%s: the password is empty", username);
    try(make_principal(k, &client, username, e));
    int rc = sign_in(k, client, set_password, password, NULL, e);
    krb5_free_principal(k->ctx, client);
    return rc;
}

/* Keys and tickets in a file are as good as the password. */
static int check_file(const char *path, const char *setting, struct err *e)
{
    struct stat st;
    if (stat(path, &st) < 0 || access(path, R_OK) < 0) {
        int saved = errno;
        err_errno(e, ERR_INPUT, saved, "%s %s", setting, path);
        return err_hint(e, "check the setting %s%s; rollcall's user must be able to read the file", setting,
                        strcmp(setting, "keytab") ? " (or $KRB5CCNAME)" : "");
    }
    if (!S_ISREG(st.st_mode)) return err_set(e, ERR_INPUT, "%s %s: not a regular file", setting, path);
    bool is_open = st.st_uid == 0 ? st.st_mode & 027 : st.st_mode & 077;
    if (is_open) {
        err_set(e, ERR_INPUT, "%s %s: others may read or change the file (mode %04o)", setting, path,
                st.st_mode & 07777u);
        return err_hint(e, "chmod 600 %s, owned by rollcall's user", path);
    }
    if (st.st_uid == 0 || st.st_uid == geteuid() || geteuid() == 0) return 0;
    err_set(e, ERR_INPUT, "%s %s: belongs to another user (uid %u)", setting, path, (unsigned)st.st_uid);
    return err_hint(e, "chown it to rollcall's user: whoever owns it decides who rollcall is");
}

static int first_of_keytab(struct krb *k, krb5_keytab keytab, krb5_principal *out, const char *path,
                           struct err *e)
{
    krb5_kt_cursor at;
    krb5_keytab_entry entry;
    krb5_error_code code = krb5_kt_start_seq_get(k->ctx, keytab, &at);
    if (!code) {
        code = krb5_kt_next_entry(k->ctx, keytab, &entry, &at);
        if (!code) {
            code = krb5_copy_principal(k->ctx, entry.principal, out);
            krb5_free_keytab_entry_contents(k->ctx, &entry);
        }
        krb5_kt_end_seq_get(k->ctx, keytab, &at);
    }
    return code ? fail(k, code, (struct krb_story){.file = path}, e) : 0;
}

/* "Wrong password" of somebody who gave none. */
static int blame_keytab(const char *path, struct err *e)
{
    bool is_proof = e->domain == DOM_KRB5 &&
                    (e->code == KRB5KDC_ERR_PREAUTH_FAILED || e->code == KRB5KRB_AP_ERR_BAD_INTEGRITY);
    int code = e->code;
    if (!is_proof) return e->class;
    err_set(e, ERR_AUTH, "the keytab %s does not hold the account's present key (Kerberos 24)", path);
    err_hint(e,
             "the password was changed since: make the keytab anew (ktpass, samba-tool domain exportkeytab)");
    return err_code(e, DOM_KRB5, code);
}

int krb_sign_in_keytab(struct krb *k, const char *path, const char *username, struct err *e)
{
    char name[4200];
    krb5_keytab keytab = NULL;
    krb5_principal client = NULL;
    try(check_file(path, "keytab", e));
    snprintf(name, sizeof name, "FILE:%s", path);
    krb5_error_code code = krb5_kt_resolve(k->ctx, name, &keytab);
    if (code) return fail(k, code, (struct krb_story){.file = path}, e);
    int rc =
        username ? make_principal(k, &client, username, e) : first_of_keytab(k, keytab, &client, path, e);
    if (rc == 0 && sign_in(k, client, set_keytab, keytab, path, e) < 0) rc = blame_keytab(path, e);
    krb5_free_principal(k->ctx, client);
    krb5_kt_close(k->ctx, keytab);
    return rc;
}

/* --- somebody else's cache -------------------------------------------------------------------------------
 */

static bool is_tgt(struct krb *k, const krb5_creds *c)
{
    const krb5_principal_data *s = c->server;
    return !krb5_is_config_principal(k->ctx, s) && s->length == 2 && s->data[0].length == 6 &&
           memcmp(s->data[0].data, "krbtgt", 6) == 0;
}

/* The ticket-granting ticket that lasts longest, else whatever ticket there is. */
static krb5_error_code look_through(struct krb *k, krb5_ccache from, bool *found)
{
    krb5_cc_cursor at;
    krb5_creds c;
    bool have_tgt = false;
    krb5_error_code code = krb5_cc_start_seq_get(k->ctx, from, &at);
    if (code) return code;
    k->ticket.ends_ms = k->ticket.renewable_until_ms = 0;
    while ((code = krb5_cc_next_cred(k->ctx, from, &at, &c)) == 0) {
        bool is_config = krb5_is_config_principal(k->ctx, c.server),
             is_better = ms_of(c.times.endtime) > k->ticket.ends_ms;
        bool tgt = is_tgt(k, &c);
        if (!is_config && ((tgt && !have_tgt) || (tgt == have_tgt && is_better))) take_times(k, &c);
        have_tgt |= tgt;
        *found |= !is_config;
        krb5_free_cred_contents(k->ctx, &c);
    }
    krb5_cc_end_seq_get(k->ctx, from, &at);
    return code == KRB5_CC_END ? 0 : code;
}

static int check_owner(struct krb *k, krb5_principal owner, const char *name, const char *username,
                       struct err *e)
{
    krb5_principal wanted = NULL;
    char have[KRB_NAME_MAX], want[KRB_NAME_MAX];
    show_principal(k, have, owner);
    snprintf(k->ticket.principal, sizeof k->ticket.principal, "%s", have);
    if (!username) return 0;
    try(make_principal(k, &wanted, username, e));
    show_principal(k, want, wanted);
    bool is_same =
        wanted->type == KRB5_NT_ENTERPRISE_PRINCIPAL || str_equal_nocase(str_from(have), str_from(want));
    krb5_free_principal(k->ctx, wanted);
    if (is_same) return 0;
    err_set(e, ERR_INPUT, "the ticket cache %s belongs to %s, not to %s", name, have, want);
    return err_hint(e, "get a ticket of that account (kinit), or leave username out");
}

static int copy_cache(struct krb *k, krb5_ccache from, const char *name, const char *username, struct err *e)
{
    krb5_principal owner = NULL;
    bool found = false;
    struct krb_story s = {.file = name};
    krb5_error_code code = krb5_cc_get_principal(k->ctx, from, &owner);
    if (code) return fail(k, code, s, e);
    int rc = check_owner(k, owner, name, username, e);
    if (rc == 0) rc = new_cache(k, owner, e);
    krb5_free_principal(k->ctx, owner);
    if (rc < 0) return rc;
    code = krb5_cc_copy_creds(k->ctx, from, k->cache);
    if (!code) code = look_through(k, k->cache, &found);
    if (!code && !found) code = KRB5_CC_NOTFOUND;
    if (code) return fail(k, code, s, e);
    k->has_ticket = true;
    return 0;
}

static const char *file_of(const char *name)
{
    if (str_starts(str_from(name), STR("FILE:"))) return name + 5;
    return strchr(name, ':') && name[0] != '/' ? NULL : name;
}

int krb_use_cache(struct krb *k, const char *name, const char *username, struct err *e)
{
    krb5_ccache from = NULL;
    forget_complaints(k);
    const char *path = file_of(name);
    if (path) try(check_file(path, "credential_cache", e));
    char *full = NULL;
    if (asprintf(&full, "%s%s", path ? "FILE:" : "", path ? path : name) < 0)
        return err_set(e, ERR_LIMIT, "no memory");
    krb5_error_code code = krb5_cc_resolve(k->ctx, full, &from);
    free(full);
    if (code) return fail(k, code, (struct krb_story){.file = name}, e);
    int rc = copy_cache(k, from, name, username, e);
    krb5_cc_close(k->ctx, from);
    return rc;
}

/* --- what is asked of it ---------------------------------------------------------------------------------
 */

const struct krb_ticket *krb_ticket(const struct krb *k)
{
    return k->has_ticket ? &k->ticket : NULL;
}

const char *krb_cache_name(const struct krb *k)
{
    return k->cache_name;
}

static int parse_service(struct krb *k, const char *spn, krb5_principal *out, struct err *e)
{
    char full[KRB_NAME_MAX];
    bool has_realm = strchr(spn, '@') != NULL;
    int n = snprintf(full, sizeof full, "%s%s%s", spn, has_realm ? "" : "@", has_realm ? "" : k->realm);
    krb5_error_code code =
        n < 0 || (size_t)n >= sizeof full ? KRB5_PARSE_MALFORMED : krb5_parse_name(k->ctx, full, out);
    if (!code) return 0;
    err_set(e, ERR_INPUT, "kerberos_spn: '%.200s' is no service name", spn);
    return err_hint(e, "write ldap/dc1.corp.example");
}

/* Said before the KDC is asked: it would only say that the ticket has expired. */
static int check_ended(struct krb *k, struct err *e)
{
    char when[WHEN_TEXT];
    krb5_timestamp now; /* as the KDC has it, where it told us */
    if (krb5_timeofday(k->ctx, &now) != 0 || k->ticket.ends_ms > ms_of(now)) return 0;
    err_set(e, ERR_AUTH, "%s: the ticket expired at %s", k->ticket.principal,
            when_format(when, k->ticket.ends_ms));
    err_hint(e, "get a new one (kinit), and renew it from cron before it ends");
    return err_code(e, DOM_KRB5, KRB5KRB_AP_ERR_TKT_EXPIRED);
}

int krb_service_ticket(struct krb *k, const char *spn, char out[KRB_NAME_MAX], struct err *e)
{
    krb5_creds wanted = {0}, *got = NULL;
    if (!k->has_ticket) return err_set(e, ERR_BUG, "a service ticket without a ticket");
    try(check_ended(k, e));
    forget_complaints(k);
    try(parse_service(k, spn, &wanted.server, e));
    write_principal(k, out, wanted.server, 0); /* to be parsed again */
    krb5_error_code code = krb5_cc_get_principal(k->ctx, k->cache, &wanted.client);
    if (!code) code = krb5_get_credentials(k->ctx, 0, k->cache, &wanted, &got);
    krb5_free_creds(k->ctx, got);
    krb5_free_cred_contents(k->ctx, &wanted);
    if (!code) return 0;
    if (code != KRB5_CC_NOTFOUND)
        return fail(k, code, (struct krb_story){.who = k->ticket.principal, .service = out}, e);
    err_set(e, ERR_AUTH, "%s: there is a ticket neither for %.200s nor for getting one", k->ticket.principal,
            out);
    err_hint(e, "get a ticket-granting ticket: kinit USER@REALM");
    return err_code(e, DOM_KRB5, code);
}
