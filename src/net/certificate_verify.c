/* tls_verify: every fault of a certificate as a sentence of its own, the first one with the advice. */
#include "net/certificate_int.h"

#include "base/when.h"

#include <openssl/err.h>
#include <stdio.h>

#define NAMES_SHOWN 6
#define ERRORS_MAX  32

struct chain_error {
    int code, depth;
    X509 *cert; /* held; may be NULL */
};

struct verdict {
    const struct tls_peer *p;
    struct buf sentences;
    char hint[384];
    X509_STORE *store;
    struct chain_error errors[ERRORS_MAX];
    size_t n_errors;
    bool is_pinned; /* the very certificate is in the CA file */
};

static void fault(struct verdict *v, const char *hint, const char *fmt, ...) printf_like(3, 4);
static void fault(struct verdict *v, const char *hint, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (!v->sentences.len) snprintf(v->hint, sizeof v->hint, "%s", hint);
    buf_printf(&v->sentences, "%s%s", v->sentences.len ? "; " : "", text);
}

/* --- texts ---------------------------------------------------------------------------------------------- */

#define SUBJECT_SHOWN 128
static const char *name_of(char out[SUBJECT_SHOWN], const X509_NAME *name)
{
    struct buf b = buf_new(8192);
    name_text(&b, name);
    snprintf(out, SUBJECT_SHOWN, "%s", buf_cstr(&b));
    if (b.len >= SUBJECT_SHOWN) { /* cut before the character that would be cut in two */
        size_t n = SUBJECT_SHOWN - 4;
        while (n && ((uint8_t)out[n] & 0xc0) == 0x80) n--;
        memcpy(out + n, "...", 4);
    }
    buf_free(&b);
    return out;
}

static const char *authorities(const struct verdict *v)
{
    return v->p->ca ? v->p->q->ca_path : "the system's authorities";
}

static const char *in_authorities(char out[320], const struct verdict *v)
{
    snprintf(out, 320, "%s%s", v->p->ca ? "in " : "among ", authorities(v));
    return out;
}

/* "dc1.corp.example, dc1 and 3 more" */
static void list_names(struct buf *out, const X509 *cert)
{
    json_t *names = json_array(), *one;
    size_t i, n = names_of(names, cert, NAMES_SHOWN);
    json_array_foreach(names, i, one) buf_printf(out, "%s%s", i ? ", " : "", json_string_value(one));
    if (n > NAMES_SHOWN) buf_printf(out, " and %zu more", n - NAMES_SHOWN);
    json_decref(names);
}

static void common_name(struct buf *out, const X509 *cert)
{
    const X509_NAME *subject = X509_get_subject_name(cert);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    X509_NAME *alone = X509_NAME_new();
    if (at >= 0 && alone) X509_NAME_add_entry(alone, X509_NAME_get_entry(subject, at), -1, 0);
    if (at >= 0 && alone) name_text(out, alone);
    X509_NAME_free(alone);
}

/* --- time ----------------------------------------------------------------------------------------------- */

static void check_time(struct verdict *v, const X509 *cert, const char *what)
{
    int64_t now = when_now_ms(), from = time_of(X509_get0_notBefore(cert)),
            to = time_of(X509_get0_notAfter(cert));
    char text[WHEN_TEXT], clock[WHEN_TEXT], hint[128];
    snprintf(hint, sizeof hint, "this machine's clock says %s; if that is wrong, set it",
             when_format(clock, now));
    if (now < from) fault(v, hint, "%s is not valid before %s", what, when_format(text, from));
    if (now <= to) return;
    long long days = (long long)((now - to) / WHEN_DAY_MS);
    fault(v, "renew it", "%s expired on %s (%lld day%s ago)", what, when_format(text, to), days,
          days == 1 ? "" : "s");
}

/* --- name ----------------------------------------------------------------------------------------------- */

static bool matches(const X509 *cert, const char *name, unsigned flags)
{
    struct str s = str_from(name);
    char address[64];
    X509 *x = (X509 *)(uintptr_t)cert;
    if (!host_is_literal(name)) {
        if (s.len && s.ptr[s.len - 1] == '.') s.len--;
        return X509_check_host(x, s.ptr, s.len, flags, NULL) == 1;
    }
    if (s.ptr[0] == '[') s = (struct str){s.ptr + 1, s.len - 2};
    snprintf(address, sizeof address, "%.*s", (int)str_index(s, '%'), s.ptr);
    return X509_check_ip_asc(x, address, 0) == 1;
}

static void fault_no_names(struct verdict *v, const char *cn)
{
    fault(v,
          "have it issued again with the controller's name as subject alternative name, or put this very "
          "certificate into ca_certificate",
          "the certificate has no subject alternative name, only \"%s\"", cn);
}

static void fault_name(struct verdict *v, const char *names)
{
    const char *name = v->p->q->name;
    char hint[320];
    snprintf(hint, sizeof hint, "%sset host, or certificate_name, to one of the certificate's names",
             host_is_literal(name) ? "a certificate rarely holds an address: " : "");
    fault(v, hint, "the certificate is for %s, not for %.256s", names, name);
}

/* RFC 6125 6.4.4: the common name counts for nothing, except in a certificate that the user has pinned. */
static void check_name(struct verdict *v)
{
    const X509 *leaf = v->p->leaf;
    struct buf names = buf_new(1024);
    unsigned flags =
        X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | (v->is_pinned ? 0 : X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (matches(leaf, v->p->q->name, flags)) return;
    list_names(&names, leaf);
    bool has_names = names.len > 0;
    if (!has_names) common_name(&names, leaf);
    if (has_names || (v->is_pinned && names.len))
        fault_name(v, buf_cstr(&names));
    else
        fault_no_names(v, buf_cstr(&names));
    buf_free(&names);
}

/* --- purpose -------------------------------------------------------------------------------------------- */

static bool serves_tls(const json_t *usages)
{
    size_t i;
    json_t *one;
    json_array_foreach(usages, i, one)
    {
        const char *name = json_string_value(one);
        if (strcmp(name, "serverAuth") == 0 || strcmp(name, "anyExtendedKeyUsage") == 0) return true;
    }
    return json_array_size(usages) == 0;
}

static void join(struct buf *out, const json_t *words)
{
    size_t i;
    json_t *one;
    json_array_foreach(words, i, one) buf_printf(out, "%s%s", i ? ", " : "", json_string_value(one));
}

/* RFC 5280 4.2.1.12 and 4.2.1.3 */
static void check_purpose(struct verdict *v)
{
    X509 *leaf = v->p->leaf;
    json_t *usages = usages_of(leaf);
    if (!serves_tls(usages)) {
        struct buf list = buf_new(256);
        join(&list, usages);
        fault(v,
              "issue it from a template with Server Authentication, such as Domain Controller or Kerberos "
              "Authentication",
              "the certificate is not meant for servers: its extended key usage is %s, without serverAuth",
              buf_cstr(&list));
        buf_free(&list);
    }
    json_decref(usages);
    uint32_t needed = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT;
    bool is_ca = X509_check_ca(leaf) == 1 && !v->is_pinned;
    if (is_ca)
        fault(v, "give the controller a server certificate of its own; a CA's belongs into ca_certificate",
              "the certificate is a certification authority's own, not a server's");
    else if (!(X509_get_key_usage(leaf) & needed))
        fault(v, "issue it from a server template", "the certificate's key usage does not allow TLS");
}

/* --- the chain: OpenSSL's errors, collected ------------------------------------------------------------- */

static bool has_error(const struct verdict *v, int code, int depth)
{
    for (size_t i = 0; i < v->n_errors; i++)
        if (v->errors[i].code == code && v->errors[i].depth == depth) return true;
    return false;
}

static void add_error(struct verdict *v, int code, int depth, X509 *cert)
{
    if (v->n_errors == ERRORS_MAX || has_error(v, code, depth)) return;
    if (cert) X509_up_ref(cert);
    v->errors[v->n_errors++] = (struct chain_error){code, depth, cert};
}

static int collect(int ok, X509_STORE_CTX *ctx)
{
    struct verdict *v = X509_STORE_CTX_get_app_data(ctx);
    if (!ok)
        add_error(v, X509_STORE_CTX_get_error(ctx), X509_STORE_CTX_get_error_depth(ctx),
                  X509_STORE_CTX_get_current_cert(ctx));
    X509_STORE_CTX_set_error(ctx, X509_V_OK); /* or it would stand in for the verdict on the chain */
    return 1;
}

static X509_STORE *new_store(const struct tls_peer *p)
{
    X509_STORE *s = X509_STORE_new();
    if (!s) return NULL;
    if (!p->ca) X509_STORE_set_default_paths(s);
    for (int i = 0; p->ca && i < sk_X509_num(p->ca->certs); i++)
        X509_STORE_add_cert(s, sk_X509_value(p->ca->certs, i));
    return s;
}

/* Level 2 asks for 112 bits: RSA 2048, EC 224, and no SHA-1 in signatures. A pinned leaf or intermediate is
 * an anchor as good as a root. Names and the leaf's purpose are judged above, with better words. */
static X509_STORE_CTX *new_verification(struct verdict *v)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    if (!ctx || X509_STORE_CTX_init(ctx, v->store, v->p->leaf, v->p->chain) != 1) {
        X509_STORE_CTX_free(ctx);
        return NULL;
    }
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_auth_level(param, 2);
    return ctx;
}

/* Goes on behind every error, to collect them all. */
static void walk_chain(struct verdict *v)
{
    X509_STORE_CTX *ctx = new_verification(v);
    if (ctx) {
        X509_STORE_CTX_set_app_data(ctx, v);
        X509_STORE_CTX_set_verify_cb(ctx, collect);
        X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_SERVER);
    }
    if (!ctx || X509_verify_cert(ctx) != 1)
        add_error(v, X509_V_ERR_UNSPECIFIED, 0, NULL); /* gave up without asking */
    X509_STORE_CTX_free(ctx);
}

/* The same without the indulgence: nothing is called trusted that OpenSSL by itself does not verify. */
static void verify_strictly(struct verdict *v)
{
    X509_STORE_CTX *ctx = new_verification(v);
    if (!ctx || X509_verify_cert(ctx) != 1)
        fault(v, "have the certificate issued again", "the certificate does not verify: %s",
              X509_verify_cert_error_string(ctx ? X509_STORE_CTX_get_error(ctx) : X509_V_ERR_OUT_OF_MEM));
    X509_STORE_CTX_free(ctx);
}

static bool is_untrusted(int code)
{
    switch (code) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
        return true;
    default:
        return false;
    }
}

/* The last certificate that is reached from the leaf through those that the peer sent. */
static X509 *end_of_chain(const struct tls_peer *p)
{
    X509 *at = p->leaf;
    for (int hops = 0; hops < 16; hops++) {
        X509 *next = NULL;
        for (int i = 0; i < sk_X509_num(p->chain) && !next; i++) {
            X509 *one = sk_X509_value(p->chain, i);
            if (X509_cmp(one, at) != 0 && X509_check_issued(one, at) == X509_V_OK) next = one;
        }
        if (!next) return at;
        at = next;
    }
    return at;
}

static bool store_holds_name(const struct verdict *v, const X509_NAME *name)
{
    for (int i = 0; v->p->ca && i < sk_X509_num(v->p->ca->certs); i++)
        if (X509_NAME_cmp(X509_get_subject_name(sk_X509_value(v->p->ca->certs, i)), name) == 0) return true;
    return false;
}

/* The authority key identifier may name the issuer's own issuer (RFC 5280 4.2.1.1): if that one is known,
 * only the certificate between is missing. */
static bool issuer_of_issuer_is_known(const struct verdict *v, const X509 *cert)
{
    AUTHORITY_KEYID *id = X509_get_ext_d2i(cert, NID_authority_key_identifier, NULL, NULL);
    bool known = false;
    for (int i = 0; id && i < sk_GENERAL_NAME_num(id->issuer); i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(id->issuer, i);
        if (g->type == GEN_DIRNAME && store_holds_name(v, g->d.directoryName)) known = true;
    }
    AUTHORITY_KEYID_free(id);
    return known;
}

static void fault_self_signed(struct verdict *v)
{
    char sha256[96], hint[320], where[320];
    fingerprint_text(sha256, v->p->leaf);
    snprintf(hint, sizeof hint,
             "compare its SHA-256 %s with the controller's; if it is the same, put the certificate into "
             "ca_certificate",
             sha256);
    fault(v, hint, "the certificate is self-signed and not %s", in_authorities(where, v));
}

static void fault_pin(struct verdict *v)
{
    char presented[96], hint[320];
    fingerprint_text(presented, v->p->leaf);
    snprintf(hint, sizeof hint,
             "presented is SHA-256 %s; if the controller's certificate was renewed, put the new one into "
             "ca_certificate",
             presented);
    fault(v, hint, "the certificate is not the one pinned in %s", authorities(v));
}

static void fault_issuer(struct verdict *v)
{
    char end[SUBJECT_SHOWN], issuer[SUBJECT_SHOWN], where[320];
    X509 *last = end_of_chain(v->p);
    const X509_NAME *by = X509_get_issuer_name(last);
    bool is_root = X509_NAME_cmp(X509_get_subject_name(last), by) == 0;
    name_of(end, X509_get_subject_name(last));
    name_of(issuer, by);
    in_authorities(where, v);
    if (store_holds_name(v, by))
        fault(v,
              "put the authority's present certificate into ca_certificate; if it was not renewed, somebody "
              "else uses its name",
              "the certificate is issued by \"%s\", but the certificate of that name %s has another key",
              issuer, where);
    else if (is_root)
        fault(v, "put this root into ca_certificate, after comparing its fingerprint",
              "the certificate is issued under \"%s\", which is not %s", end, where);
    else if (issuer_of_issuer_is_known(v, last))
        fault(v, "install the intermediate certificate on the controller, or add it to ca_certificate",
              "the server does not send the intermediate certificate \"%s\"", issuer);
    else if (last == v->p->leaf)
        fault(v,
              "if the issuer is a root, put it into ca_certificate; if it is an intermediate, the server "
              "should send it, or ca_certificate hold it",
              "the certificate is issued by \"%s\", which is not %s, and the server sends no intermediate "
              "certificate",
              issuer, where);
    else
        fault(v, "put that authority's root into ca_certificate",
              "the certificate's chain ends in \"%s\", issued by \"%s\", which is not %s", end, issuer,
              where);
}

static void fault_trust(struct verdict *v)
{
    X509 *leaf = v->p->leaf;
    if (X509_NAME_cmp(X509_get_subject_name(leaf), X509_get_issuer_name(leaf)) == 0)
        fault_self_signed(v);
    else if (v->p->ca && v->p->ca->is_leaf)
        fault_pin(v);
    else
        fault_issuer(v);
}

static void fault_weak_key(struct verdict *v, const X509 *cert, const char *what)
{
    struct buf key = buf_new(128);
    key_text(&key, cert);
    fault(v, "issue it again with RSA 2048 or more, or EC P-256", "the key of %s is too weak: %s", what,
          buf_cstr(&key));
    buf_free(&key);
}

static void fault_weak_signature(struct verdict *v, const X509 *cert, const char *what)
{
    struct buf algorithm = buf_new(128);
    signature_text(&algorithm, cert);
    fault(v, "issue it again with SHA-256 or better", "the signature of %s is too weak: %s", what,
          buf_cstr(&algorithm));
    buf_free(&algorithm);
}

static void fault_chain(struct verdict *v, const struct chain_error *x)
{
    char subject[SUBJECT_SHOWN], what[SUBJECT_SHOWN + 32] = "the certificate";
    const X509 *cert = x->cert ? x->cert : v->p->leaf;
    bool is_leaf = x->depth == 0;
    if (!is_leaf)
        snprintf(what, sizeof what, "the CA certificate \"%s\"",
                 name_of(subject, X509_get_subject_name(cert)));
    switch (x->code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        if (!is_leaf) check_time(v, cert, what); /* the leaf's was checked already */
        return;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
        fault_weak_key(v, cert, what);
        return;
    case X509_V_ERR_CA_MD_TOO_WEAK:
        fault_weak_signature(v, cert, what);
        return;
    case X509_V_ERR_INVALID_PURPOSE:
        if (!is_leaf && !has_error(v, X509_V_ERR_INVALID_CA, x->depth))
            fault(v, "that authority may not issue server certificates",
                  "%s is not for issuing server certificates", what);
        return;
    case X509_V_ERR_INVALID_CA:
        if (!is_leaf)
            fault(v, "only a CA's certificate can vouch for others", "%s does not belong to a CA", what);
        return;
    default:
        fault(v, "have the certificate issued again", "%s: %s", what, X509_verify_cert_error_string(x->code));
    }
}

static void check_chain(struct verdict *v)
{
    bool said = false;
    v->store = new_store(v->p);
    walk_chain(v);
    for (size_t i = 0; i < v->n_errors; i++) {
        if (!is_untrusted(v->errors[i].code)) continue;
        if (!said) fault_trust(v);
        said = true;
    }
    for (size_t i = 0; i < v->n_errors; i++)
        if (!is_untrusted(v->errors[i].code)) fault_chain(v, &v->errors[i]);
    if (!v->sentences.len) verify_strictly(v);
}

/* -------------------------------------------------------------------------------------------------------- */

static bool holds_leaf(const struct tls_peer *p)
{
    for (int i = 0; p->ca && i < sk_X509_num(p->ca->certs); i++)
        if (X509_cmp(sk_X509_value(p->ca->certs, i), p->leaf) == 0) return true;
    return false;
}

static void check_version(struct verdict *v)
{
    if (v->p->version >= TLS1_2_VERSION) return;
    fault(v, "enable TLS 1.2 on the controller (Schannel; Windows Server 2012 and later have it)",
          "the server offers nothing newer than TLS %s", v->p->version == TLS1_1_VERSION ? "1.1" : "1.0");
}

bool tls_verify(struct err *why, const struct tls_peer *p)
{
    struct verdict v = {.p = p, .sentences = buf_new(4096), .is_pinned = holds_leaf(p)};
    check_version(&v);
    check_time(&v, p->leaf, "the certificate");
    check_name(&v);
    check_purpose(&v);
    check_chain(&v);
    bool trusted = v.sentences.len == 0;
    *why = (struct err){0};
    if (!trusted) {
        err_set(why, ERR_TLS, "%s", buf_cstr(&v.sentences));
        err_hint(why, "%s", v.hint);
    }
    for (size_t i = 0; i < v.n_errors; i++) X509_free(v.errors[i].cert);
    X509_STORE_free(v.store);
    buf_free(&v.sentences);
    ERR_clear_error();
    return trusted;
}
