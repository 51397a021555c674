/* ldap_bind_gss.c - the SASL bind by Kerberos: GSSAPI (RFC 4752) and GSS-SPNEGO (MS-ADTS 5.1.1.1.2). */
#include "net/ldap_conn_int.h"

#include <krb5.h>

#define ROUNDS_MAX 8 /* GSSAPI takes three, SPNEGO one or two */

struct exchange {
    struct ldap_conn *c;
    const struct ldap_kerberos *how;
    struct gss *gss;
    struct buf ours; /* to be sent */
    struct buf theirs;
    int code; /* of the last answer */
    bool is_established, is_layer_chosen;
    char *text, *matched;
};

/* --- refusals --------------------------------------------------------------------------------------------
 */

/* Some servers put a KRB-ERROR into the refusal, which mostly says more than the result code. */
static bool has_reason(struct exchange *x, struct err *e)
{
    bool is_done;
    if (!x->theirs.len || x->is_established) return false;
    buf_clear(&x->ours);
    return gss_step(x->gss, buf_bytes(&x->theirs), &x->ours, &is_done, e) < 0 && e->domain == DOM_KRB5 &&
           e->code != KRB5KRB_ERR_GENERIC;
}

static int refused_ticket(struct exchange *x, struct err *e)
{
    char text[256];
    server_text(text, sizeof text, str_from(x->text));
    err_set(e, ERR_AUTH, "the server does not accept the ticket for %s (LDAP 49%s%s)", x->how->service,
            *text ? ": " : "", text);
    err_code(e, DOM_LDAP, LDAP_INVALID_CREDENTIALS);
    if (x->c->is_encrypted)
        return err_hint(e, "does something end TLS between here and the controller (channel binding)? is the "
                           "service name the "
                           "controller's own (kerberos_spn)? are the clocks in step?");
    return err_hint(e, "is the service name the controller's own (kerberos_spn)? are the clocks in step?");
}

static int refused(struct exchange *x, struct err *e)
{
    struct err inner;
    if (has_reason(x, &inner)) {
        *e = inner;
        return e->class;
    }
    int rc = ldap_conn_explain(x->code, x->text, x->matched, e);
    bool is_plain =
        e->domain != DOM_AD || e->code == 0x52e; /* "wrong password" says nothing where none was sent */
    if (x->code == LDAP_INVALID_CREDENTIALS && is_plain) return refused_ticket(x, e);
    if (x->code == LDAP_STRONG_AUTH_REQUIRED && x->c->is_encrypted)
        return err_hint(e, "it insists on signing even over TLS: use security: ldap, which Kerberos signs "
                           "and seals (Samba: ldap "
                           "server require strong auth = allow_sasl_over_tls)");
    if (x->code == LDAP_AUTH_METHOD_NOT_SUPPORTED)
        return err_hint(e, "try the other mechanism: gssapi or spnego");
    return rc;
}

/* --- one round -------------------------------------------------------------------------------------------
 */

static int take_answer(struct exchange *x, LDAPMessage *m, struct err *e)
{
    struct berval *cred = NULL;
    LDAP *ld = x->c->ld;
    ldap_memfree(x->text);
    ldap_memfree(x->matched);
    x->text = x->matched = NULL;
    buf_clear(&x->theirs);
    if (ldap_parse_result(ld, m, &x->code, &x->matched, &x->text, NULL, NULL, 0) != LDAP_SUCCESS)
        return err_set(e, ERR_PROTO, "the answer cannot be read");
    int rc = ldap_parse_sasl_bind_result(ld, m, &cred, 0);
    if (cred && cred->bv_val) buf_add(&x->theirs, cred->bv_val, cred->bv_len);
    ber_bvfree(cred);
    if (rc == LDAP_DECODING_ERROR) return err_set(e, ERR_PROTO, "the answer cannot be read");
    return x->theirs.failed ? err_set(e, ERR_LIMIT, "the server's token is too long") : 0;
}

static int round_trip(struct exchange *x, struct err *e)
{
    struct berval cred = {x->ours.len, (char *)(uintptr_t)buf_cstr(&x->ours)};
    LDAPMessage *m;
    const char *mechanism = x->how->mechanism == GSS_MECH_SPNEGO ? "GSS-SPNEGO" : "GSSAPI";
    try(conn_bind(x->c, "", mechanism, &cred, &m, e));
    int rc = take_answer(x, m, e);
    ldap_msgfree(m);
    return rc;
}

/* What the server's last token calls for; what is to be sent is in x->ours afterwards. */
static int answer_token(struct exchange *x, struct err *e)
{
    buf_clear(&x->ours);
    if (!x->is_established) return gss_step(x->gss, buf_bytes(&x->theirs), &x->ours, &x->is_established, e);
    if (x->how->mechanism == GSS_MECH_SPNEGO || x->is_layer_chosen)
        return err_set(e, ERR_PROTO, "the server goes on after the end");
    x->is_layer_chosen = true;
    return gss_choose_layer(x->gss, buf_bytes(&x->theirs), &x->ours, e);
}

/* LDAP's "success" proves nothing: the context must be established, and for GSSAPI the layer agreed on. */
static int finish(struct exchange *x, struct err *e)
{
    if (!x->is_established && x->theirs.len) try(answer_token(x, e));
    bool needs_layer = x->how->mechanism == GSS_MECH_GSSAPI;
    if (x->is_established && (!needs_layer || x->is_layer_chosen)) return 0;
    err_set(e, ERR_AUTH, "the server says success without having proved that it is %s", x->how->service);
    return err_hint(e, "somebody may be posing as the controller");
}

static int converse(struct exchange *x, struct err *e)
{
    try(answer_token(x, e));
    for (unsigned i = 0; i < ROUNDS_MAX; i++) {
        try(round_trip(x, e));
        if (x->code == LDAP_SUCCESS) return finish(x, e);
        if (x->code != LDAP_SASL_BIND_IN_PROGRESS) return refused(x, e);
        try(answer_token(x, e));
    }
    return err_set(e, ERR_PROTO, "the server does not come to an end");
}

/* --- the bind --------------------------------------------------------------------------------------------
 */

static int open_gss(struct exchange *x, struct err *e)
{
    struct berval der = {0, NULL};
    struct gss_how how = {.cache = x->how->cache, .service = x->how->service, .mechanism = x->how->mechanism};
    if (x->c->is_encrypted) {
        if (ldap_get_option(x->c->ld, LDAP_OPT_X_TLS_PEERCERT, &der) != LDAP_OPT_SUCCESS || !der.bv_len)
            return err_set(e, ERR_TLS, "the server's certificate cannot be read");
        how.certificate = (struct bytes){(const uint8_t *)der.bv_val, der.bv_len};
    }
    int rc = gss_open(&x->gss, &how, e);
    ldap_memfree(der.bv_val);
    return rc;
}

static int bind_kerberos(struct exchange *x, struct err *e)
{
    try(open_gss(x, e));
    try(converse(x, e));
    if (x->c->is_encrypted) return 0;
    if (!gss_is_sealed(x->gss)) return err_set(e, ERR_BUG, "neither TLS nor a seal");
    struct gss *g = x->gss;
    x->gss = NULL;
    return seal_install(x->c, g, e);
}

int ldap_conn_bind_kerberos(struct ldap_conn *c, const struct ldap_kerberos *how, struct err *e)
{
    struct exchange x = {
        .c = c, .how = how, .ours = buf_new(GSS_TOKEN_MAX), .theirs = buf_new(GSS_TOKEN_MAX)};
    int rc = bind_kerberos(&x, e);
    gss_close(x.gss);
    buf_free(&x.ours);
    buf_free(&x.theirs);
    ldap_memfree(x.text);
    ldap_memfree(x.matched);
    if (rc < 0) {
        err_wrap(e, "bind as %s", how->who);
        return err_wrap(e, "%s", c->host);
    }
    return 0;
}
