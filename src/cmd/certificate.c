#include "net/certificate.h"
#include "base/file.h"
#include "base/when.h"
#include "cmd/out.h"

#include <stdio.h>
#include <stdlib.h>

static const struct cli_option options[] = {
    {"ca", 0, "FILE", "verify against this CA or pinned certificate (default: the system's)", NULL, false},
    {"name", 0, "NAME", "name to verify instead of HOST", NULL, false},
    {"starttls", 0, NULL, "LDAP StartTLS (default port 389) instead of TLS at once (636)", NULL, false},
    {"pem", 0, NULL, "with -o json: each certificate also as PEM", NULL, false},
    {"save", 0, "FILE", "save the chain as PEM; trusting it stays your act", NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};

/* HOST, HOST:PORT, [V6]:PORT; *port stays where there is none. */
static int split(const char *given, char host[256], uint16_t *port, struct err *e)
{
    struct str name;
    uint16_t found;
    bool is_fine = conf_split_port(&name, &found, str_from(given)) && name.len && name.len <= 255 && !memchr(name.ptr, '[', name.len);
    if (!is_fine) {
        err_set(e, ERR_INPUT, "certificate: '%s' is no HOST[:PORT]", given);
        return err_hint(e, "dc1.corp.example, dc1.corp.example:636, 192.0.2.1 or [2001:db8::1]:636");
    }
    if (found) *port = found;
    memcpy(host, name.ptr, name.len);
    host[name.len] = 0;
    return 0;
}

/* A certificate that nobody vouches for may hold anything. */
static void print_words(const char *key, const char *text)
{
    struct buf b = buf_new(65536);
    out_visible(&b, str_from(text));
    printf("%s%s\n", key, buf_cstr(&b));
    buf_free(&b);
}

static void print_certificate(const json_t *cert, size_t i)
{
    static const char *const keys[] = {"issuer", "names", "not_before", "not_after", "sha256", "key", "signature", "usages"};
    print_words(i ? "  issued by " : "leaf        ", json_string_value(json_object_get(cert, "subject")));
    for (size_t k = 0; k < n_elements(keys); k++) {
        const json_t *v = json_object_get(cert, keys[k]);
        if (!v) continue;
        char *text = json_is_string(v) ? NULL : json_dumps(v, JSON_ENCODE_ANY);
        printf("    %-12s ", keys[k]);
        print_words("", text ? text : json_string_value(v));
        free(text);
    }
}

/* The chain as PEM, a block for each certificate in the same order. */
static void put_pem(json_t *chain, struct str pem)
{
    static const char end[] = "-----END CERTIFICATE-----\n";
    size_t i;
    json_t *cert;
    json_array_foreach(chain, i, cert)
    {
        const char *at = memmem(pem.ptr, pem.len, end, sizeof end - 1);
        if (!at) return;
        size_t n = (size_t)(at - pem.ptr) + sizeof end - 1;
        jsonv_put(cert, "pem", jsonv_str((struct str){pem.ptr, n}));
        pem.ptr += n;
        pem.len -= n;
    }
}

static int print_report(struct cli *c, const struct tls_report *r, struct err *e)
{
    size_t i;
    json_t *cert;
    if (c->format != OUT_TABLE) {
        if (cli_flag(c, "pem")) put_pem(r->chain, buf_str(&r->pem));
        json_t *o = json_pack("{s:s, s:s, s:b, s:O}", "protocol", r->protocol, "cipher", r->cipher, "trusted", r->trusted, "chain", r->chain);
        if (!r->trusted) {
            jsonv_put(o, "why", json_string(r->why.message));
            jsonv_put(o, "fix", json_string(r->why.hint));
        }
        return out_object(c, o, e);
    }
    printf("%s, %s\n", r->protocol, r->cipher);
    json_array_foreach(r->chain, i, cert) print_certificate(cert, i);
    print_words(r->trusted ? "trusted: yes" : "trusted: NO, ", r->trusted ? "" : r->why.message);
    if (!r->trusted && r->why.hint[0]) print_words("    fix: ", r->why.hint);
    return 0;
}

static int run(struct cli *c, struct err *e)
{
    char host[256];
    bool starttls = cli_flag(c, "starttls");
    struct dial_addresses to;
    struct tls_report report;
    struct tls_question q = {.to = &to,
                             .port = starttls ? 389 : 636,
                             .start = starttls ? TLS_LDAP_STARTTLS : TLS_AT_ONCE,
                             .ca_path = cli_value(c, "ca"),
                             .deadline_ms = when_monotonic_ms() + 20000};
    try(split(c->args[0], host, &q.port, e));
    q.name = cli_value(c, "name") ? cli_value(c, "name") : host;
    if (dial_resolve(&to, host, q.deadline_ms, e) < 0 || tls_examine(&report, &q, e) < 0) return err_wrap(e, "certificate %s", c->args[0]);
    const char *save = cli_value(c, "save");
    int rc = print_report(c, &report, e);
    if (rc == 0 && save) rc = file_write_atomic(save, buf_bytes(&report.pem), 0644, e);
    if (rc == 0 && save) fprintf(stderr, "chain saved to %s; compare its fingerprint with the controller's before you trust it\n", save);
    bool trusted = report.trusted;
    tls_report_free(&report);
    if (rc < 0) return rc;
    return trusted || save ? 0 : err_class_exit(ERR_TLS);
}

const struct command cmd_certificate = {
    .name = "certificate",
    .arguments = "HOST[:PORT]",
    .min_args = 1,
    .max_args = 1,
    .summary = "Show the certificate chain a controller presents, and what is wrong with it",
    .doc = "Exit code 6 when it is not trusted. With --save the chain is written as PEM and the exit code is 0.",
    .options = options,
    .run = run,
};
