#include "source/ldap/ldap_watermark.h"

#include "conf/conf.h"
#include "model/record.h"
#include "net/ldap_dirsync.h"

#include <sodium.h>
#include <stdlib.h>

void ldap_watermark_free(struct ldap_watermark *w)
{
    buf_free(&w->cookie);
}

enum ldap_method ldap_watermark_method(const struct ldap_session *s)
{
    const char *method = conf_str(s->job->settings, "incremental");
    if (method && strcmp(method, "off") == 0) return METHOD_OFF;
    return method && strcmp(method, "usn") == 0 ? METHOD_USN : METHOD_DIRSYNC;
}

/* --- JSON ---------------------------------------------------------------------------------------------- */

static const char *text_of(const json_t *o, const char *key)
{
    const char *v = json_string_value(json_object_get(o, key));
    return v ? v : "";
}

static bool read_cookie(struct ldap_watermark *w, const char *text)
{
    size_t len = strlen(text), n = 0;
    if (!len) return true;
    uint8_t *to = len <= 2 * DIRSYNC_COOKIE_MAX ? buf_reserve(&w->cookie, len) : NULL;
    if (!to || sodium_base642bin(to, len, text, len, NULL, &n, NULL, sodium_base64_VARIANT_ORIGINAL) != 0) return false;
    buf_advance(&w->cookie, n);
    w->has_cookie = n > 0;
    return true;
}

static void tell_server(struct buf *why, const json_t *in, const struct ldap_facts *f)
{
    buf_printf(why, "another controller serves: %s instead of %s", f->server, text_of(in, "server"));
}

bool ldap_watermark_read(struct ldap_watermark *out, const json_t *in, const struct ldap_facts *f,
                         struct buf *why)
{
    char invocation[GUID_TEXT];
    *out = (struct ldap_watermark){.cookie = buf_new(2 * DIRSYNC_COOKIE_MAX)};
    const json_t *usn = json_object_get(in, "usn");
    out->usn = json_integer_value(usn);
    if (!json_is_integer(usn) || out->usn <= 0 || !*text_of(in, "server_object") || !read_cookie(out, text_of(in, "cookie")))
        buf_printf(why, "the watermark of the last run is damaged");
    else if (!f->has_invocation_id || !f->ds_service_name || f->highest_usn <= 0)
        buf_printf(why, "the account cannot read the invocationId of %s", f->server);
    else if (!str_equal_nocase(str_from(text_of(in, "server_object")), str_from(f->ds_service_name)))
        tell_server(why, in, f);
    else if (strcmp(text_of(in, "invocation_id"), guid_format(invocation, f->invocation_id)) != 0)
        buf_printf(why, "%s was restored or its database replaced: its invocationId is another one", f->server);
    else if (f->highest_usn < out->usn)
        buf_printf(why, "the update sequence numbers of %s went back from %lld to %lld: it was set back without notice",
                   f->server, (long long)out->usn, (long long)f->highest_usn);
    return why->len == 0;
}

json_t *ldap_watermark_json(const struct ldap_facts *f, struct bytes cookie)
{
    char invocation[GUID_TEXT];
    if (!f->has_invocation_id || !f->ds_service_name || f->highest_usn <= 0) return NULL;
    json_t *o = json_pack("{s:s, s:s, s:s, s:I}", "server", f->server, "server_object", f->ds_service_name,
                          "invocation_id", guid_format(invocation, f->invocation_id), "usn", (json_int_t)f->highest_usn);
    if (!o || !cookie.len) return o;
    size_t size = sodium_base64_ENCODED_LEN(cookie.len, sodium_base64_VARIANT_ORIGINAL);
    char *text = x_alloc(size);
    json_object_set_new(o, "cookie", json_string(sodium_bin2base64(text, size, cookie.ptr, cookie.len, sodium_base64_VARIANT_ORIGINAL)));
    free(text);
    return o;
}

/* --- a cookie ------------------------------------------------------------------------------------------ */

static int ignore(void *ctx, LDAP *ld, LDAPMessage *m, struct err *e)
{
    return 0;
}

/* A filter that matches nothing: the controller walks its changes and sends none of them. */
int ldap_watermark_cookie(struct ldap_session *s, struct buf *cookie, struct err *e)
{
    const char *attributes[] = {"objectGUID", NULL};
    struct ldap_search q = {.base = s->facts.naming_context, .filter = "(!(objectClass=*))", .attributes = attributes};
    buf_clear(cookie);
    if (ldap_conn_dirsync(s->conn, &q, cookie, ignore, NULL, &s->stats, e) == 0) return 0;
    if (!ldap_is_answer(e)) return err_wrap(e, "%s", s->set.host);
    buf_clear(cookie);
    return 0;
}
