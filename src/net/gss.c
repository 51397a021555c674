#include "net/gss.h"

#include "base/cursor.h"
#include "net/krb_int.h"

#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <openssl/x509.h>
#include <stdlib.h>

#define LAYER_NONE 1 /* RFC 4752 3.3 */
#define LAYER_SEAL 4

struct gss {
    gss_ctx_id_t context;
    gss_cred_id_t credential;
    gss_name_t target;
    enum gss_mechanism mechanism;
    char *service;
    struct buf end_point; /* empty: no TLS */
    uint32_t peer_max;
    bool is_sealed;
};

static gss_OID_desc krb5_oid = {9, (void *)(uintptr_t) "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"};
static gss_OID_desc spnego_oid = {6, (void *)(uintptr_t) "\x2b\x06\x01\x05\x05\x02"};

/* --- errors ----------------------------------------------------------------------------------------------
 */

static void library_text(char *out, size_t size, OM_uint32 code, int type)
{
    OM_uint32 minor, more = 0;
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    out[0] = 0;
    if (gss_display_status(&minor, code, type, &krb5_oid, &more, &text) != GSS_S_COMPLETE) return;
    size_t n = text.length < size ? text.length : size - 1;
    memcpy(out, text.value, n);
    out[n] = 0;
    gss_release_buffer(&minor, &text);
}

/* The minor code of the Kerberos mechanism is libkrb5's own (the glue renumbers only on a clash). */
static int fail(const struct gss *g, OM_uint32 major, OM_uint32 minor, const char *what, struct err *e)
{
    char text[256];
    struct krb_story s = {.who = g->service, .service = g->service, .file = g->service, .text = text};
    library_text(text, sizeof text, minor ? minor : major, minor ? GSS_C_MECH_CODE : GSS_C_GSS_CODE);
    uint32_t routine = GSS_ROUTINE_ERROR(major);
    if (routine == GSS_S_DEFECTIVE_TOKEN || routine == GSS_S_BAD_SIG)
        return err_set(e, ERR_PROTO, "%s: the server's token makes no sense: %s", what, text);
    krb_explain((krb5_error_code)minor, &s, e);
    return err_wrap(e, "%s", what);
}

/* --- channel binding -------------------------------------------------------------------------------------
 */

/* The hash of the certificate's signature, but MD5 and SHA-1 become SHA-256; so does what has no hash of its
 * own. */
static const EVP_MD *hash_of(X509 *cert)
{
    int nid = NID_undef;
    if (X509_get_signature_info(cert, &nid, NULL, NULL, NULL) != 1) nid = NID_undef;
    if (nid == NID_undef || nid == NID_md5 || nid == NID_sha1 || nid == NID_md5_sha1) return EVP_sha256();
    const EVP_MD *md = EVP_get_digestbynid(nid);
    return md ? md : EVP_sha256();
}

int gss_end_point(struct buf *out, struct bytes certificate, struct err *e)
{
    const uint8_t *at = certificate.ptr;
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    X509 *cert = d2i_X509(NULL, &at, (long)certificate.len);
    bool is_good = cert && X509_digest(cert, hash_of(cert), hash, &n) == 1;
    X509_free(cert);
    if (!is_good) return err_set(e, ERR_PROTO, "the server's certificate cannot be read");
    buf_add_str(out, STR("tls-server-end-point:"));
    buf_add(out, hash, n);
    return 0;
}

/* --- open and close --------------------------------------------------------------------------------------
 */

static int import_target(struct gss *g, struct err *e)
{
    OM_uint32 minor;
    gss_buffer_desc name = {strlen(g->service), g->service};
    OM_uint32 major = gss_import_name(&minor, &name, GSS_KRB5_NT_PRINCIPAL_NAME, &g->target);
    return GSS_ERROR(major) ? fail(g, major, minor, "service name", e) : 0;
}

/* For both mechanisms: SPNEGO looks for a credential of the one that it wraps. */
static int acquire(struct gss *g, const char *cache, struct err *e)
{
    OM_uint32 minor;
    gss_OID_desc both[] = {krb5_oid, spnego_oid};
    gss_OID_set_desc wanted = {2, both}, krb5_alone = {1, &krb5_oid};
    gss_key_value_element_desc element = {"ccache", cache};
    gss_key_value_set_desc store = {1, &element};
    OM_uint32 major = gss_acquire_cred_from(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &wanted, GSS_C_INITIATE,
                                            &store, &g->credential, NULL, NULL);
    if (!GSS_ERROR(major)) major = gss_set_neg_mechs(&minor, g->credential, &krb5_alone); /* never NTLM */
    return GSS_ERROR(major) ? fail(g, major, minor, "ticket", e) : 0;
}

/* MIT asks for integrity and confidentiality by itself. Within SPNEGO a server takes that for a wish to seal,
 * and over TLS everything after the bind would be garbage to the other side. */
static int refuse_layers(struct gss *g, struct err *e)
{
    OM_uint32 minor;
    gss_buffer_desc none = GSS_C_EMPTY_BUFFER;
    OM_uint32 major =
        gss_set_cred_option(&minor, &g->credential, (gss_OID)(uintptr_t)GSS_KRB5_CRED_NO_CI_FLAGS_X, &none);
    return GSS_ERROR(major) ? fail(g, major, minor, "credential option", e) : 0;
}

int gss_open(struct gss **out, const struct gss_how *how, struct err *e)
{
    struct gss *g = x_zalloc(sizeof *g);
    *out = NULL;
    g->mechanism = how->mechanism;
    g->service = x_strdup(str_from(how->service));
    g->end_point = buf_new(256);
    int rc = how->certificate.len ? gss_end_point(&g->end_point, how->certificate, e) : 0;
    if (rc == 0) rc = import_target(g, e);
    if (rc == 0) rc = acquire(g, how->cache, e);
    if (rc == 0 && g->end_point.len) rc = refuse_layers(g, e);
    if (rc < 0)
        gss_close(g);
    else
        *out = g;
    return rc;
}

void gss_close(struct gss *g)
{
    OM_uint32 minor;
    if (!g) return;
    gss_delete_sec_context(&minor, &g->context, GSS_C_NO_BUFFER);
    gss_release_cred(&minor, &g->credential);
    gss_release_name(&minor, &g->target);
    buf_free(&g->end_point);
    free(g->service);
    free(g);
}

/* --- the exchange ----------------------------------------------------------------------------------------
 */

static OM_uint32 flags_wanted(const struct gss *g)
{
    OM_uint32 flags = GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG;
    return g->end_point.len ? flags : flags | GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG;
}

static bool is_oid(gss_OID a, const gss_OID_desc *b)
{
    return a && a->length == b->length && memcmp(a->elements, b->elements, b->length) == 0;
}

/* Whatever the negotiation made of it. */
static int check_done(const struct gss *g, OM_uint32 flags, gss_OID mechanism, struct err *e)
{
    OM_uint32 missing = flags_wanted(g) & ~flags;
    if (!is_oid(mechanism, &krb5_oid))
        return err_set(e, ERR_AUTH, "the server chose another mechanism than Kerberos");
    if (missing & GSS_C_MUTUAL_FLAG)
        return err_set(e, ERR_AUTH, "the server did not prove that it is %s", g->service);
    if (missing) return err_set(e, ERR_DENIED, "no sealed connection was agreed on with %s", g->service);
    return 0;
}

int gss_step(struct gss *g, struct bytes in, struct buf *reply, bool *is_done, struct err *e)
{
    OM_uint32 minor, ignored, flags = 0;
    gss_OID mechanism = NULL;
    gss_buffer_desc token = {in.len, (void *)(uintptr_t)in.ptr}, out = GSS_C_EMPTY_BUFFER;
    struct gss_channel_bindings_struct binding = {.application_data = {g->end_point.len, g->end_point.ptr}};
    if (in.len > GSS_TOKEN_MAX)
        return err_set(e, ERR_LIMIT, "the server's token is longer than %zu KiB", GSS_TOKEN_MAX >> 10);
    OM_uint32 major =
        gss_init_sec_context(&minor, g->credential, &g->context, g->target,
                             g->mechanism == GSS_MECH_SPNEGO ? &spnego_oid : &krb5_oid, flags_wanted(g), 0,
                             g->end_point.len ? &binding : GSS_C_NO_CHANNEL_BINDINGS,
                             in.len ? &token : GSS_C_NO_BUFFER, &mechanism, &out, &flags, NULL);
    buf_add(reply, out.value, out.length);
    gss_release_buffer(&ignored, &out);
    if (GSS_ERROR(major)) return fail(g, major, minor, "GSSAPI", e);
    *is_done = !(major & GSS_S_CONTINUE_NEEDED);
    if (!*is_done) return 0;
    g->is_sealed = g->mechanism == GSS_MECH_SPNEGO && !g->end_point.len; /* there it begins without a word */
    return check_done(g, flags, mechanism, e);
}

/* --- layers ----------------------------------------------------------------------------------------------
 */

static int unwrap(struct gss *g, struct bytes in, struct buf *out, int *is_confidential, struct err *e)
{
    OM_uint32 minor, ignored;
    gss_qop_t qop = GSS_C_QOP_DEFAULT;
    gss_buffer_desc token = {in.len, (void *)(uintptr_t)in.ptr}, text = GSS_C_EMPTY_BUFFER;
    OM_uint32 major = gss_unwrap(&minor, g->context, &token, &text, is_confidential, &qop);
    if (major == GSS_S_COMPLETE) buf_add(out, text.value, text.length);
    gss_release_buffer(&ignored, &text);
    if (major == GSS_S_COMPLETE && !out->failed) return 0;
    if (major == GSS_S_COMPLETE) return err_set(e, ERR_LIMIT, "the server's sealed message is too long");
    if (GSS_ROUTINE_ERROR(major) == GSS_S_CONTEXT_EXPIRED)
        return err_set(e, ERR_NET, "the Kerberos ticket of this connection has expired");
    if (GSS_SUPPLEMENTARY_INFO(major))
        return err_set(e, ERR_PROTO, "a sealed message came twice or out of order"); /* RFC 2743 1.2.3 */
    err_set(e, ERR_PROTO, "a message is not sealed as it must be, or was changed on its way");
    return err_hint(e, "something between here and the controller changes the traffic; look for a proxy, or "
                       "use security: ldaps");
}

static int wrap(struct gss *g, struct bytes in, bool is_confidential, struct buf *out, struct err *e)
{
    OM_uint32 minor, ignored;
    int done = 0;
    gss_buffer_desc text = {in.len, (void *)(uintptr_t)in.ptr}, token = GSS_C_EMPTY_BUFFER;
    OM_uint32 major = gss_wrap(&minor, g->context, is_confidential, GSS_C_QOP_DEFAULT, &text, &done, &token);
    if (!GSS_ERROR(major)) buf_add(out, token.value, token.length);
    gss_release_buffer(&ignored, &token);
    if (GSS_ERROR(major)) return fail(g, major, minor, "sealing", e);
    return is_confidential && !done ? err_set(e, ERR_BUG, "GSSAPI does not encrypt") : 0;
}

/* RFC 4752 3.1, 3.3: four octets: the layers as bits, then the largest buffer as 24 bits. */
int gss_choose_layer(struct gss *g, struct bytes offer, struct buf *reply, struct err *e)
{
    int is_confidential;
    struct buf plain = buf_new(64);
    if (offer.len > GSS_TOKEN_MAX)
        return err_set(e, ERR_LIMIT, "the server's offer of security layers is too long");
    int rc = unwrap(g, offer, &plain, &is_confidential, e);
    uint8_t four[4] = {0};
    if (rc == 0 && plain.len != 4)
        rc = err_set(e, ERR_PROTO, "the server's offer of security layers makes no sense");
    if (rc == 0) memcpy(four, plain.ptr, 4);
    buf_free(&plain);
    if (rc < 0) return rc;
    uint8_t layer = g->end_point.len ? LAYER_NONE : LAYER_SEAL;
    g->peer_max = (uint32_t)four[1] << 16 | (uint32_t)four[2] << 8 | four[3];
    if (!(four[0] & layer) || (layer == LAYER_SEAL && g->peer_max < 1024)) {
        err_set(e, ERR_DENIED,
                layer == LAYER_SEAL ? "the server does not offer to seal the connection"
                                    : "the server insists on sealing although TLS is on");
        return err_hint(e, layer == LAYER_SEAL
                               ? "use security: ldaps"
                               : "use security: ldap, which is signed and sealed by Kerberos");
    }
    size_t ours = layer == LAYER_SEAL ? GSS_OUR_MAX : 0; /* 3.1: 0 without a layer */
    uint8_t choice[4] = {layer, (uint8_t)(ours >> 16), (uint8_t)(ours >> 8), (uint8_t)ours};
    try(wrap(g, (struct bytes){choice, 4}, false, reply, e));
    g->is_sealed = layer == LAYER_SEAL;
    return 0;
}

bool gss_is_sealed(const struct gss *g)
{
    return g->is_sealed;
}

size_t gss_seal_limit(struct gss *g)
{
    OM_uint32 minor, n = 0, peer = g->peer_max ? g->peer_max : 65535;
    if (GSS_ERROR(gss_wrap_size_limit(&minor, g->context, 1, GSS_C_QOP_DEFAULT, peer, &n))) n = 0;
    return n;
}

int gss_encrypt(struct gss *g, struct bytes plain, struct buf *out, struct err *e)
{
    return wrap(g, plain, true, out, e);
}

int gss_decrypt(struct gss *g, struct bytes sealed, struct buf *out, struct err *e)
{
    int is_confidential = 0;
    try(unwrap(g, sealed, out, &is_confidential, e));
    return is_confidential ? 0
                           : err_set(e, ERR_PROTO, "the server sent a message that is signed but not sealed");
}
