#include "source/ldap/ldap_fetch.h"

#include "model/filetime.h"
#include "net/ldap_ber.h"
#include "source/ldap/ldap_entry.h"

static int index_attributes(struct fetched *f, struct err *e)
{
    struct cursor attributes;
    struct fetched_attribute a;
    try(ldap_entry_dn(buf_bytes(&f->content), &f->dn, &attributes, e));
    while (f->n_attributes < FETCH_ATTRIBUTES_MAX && ber_next_attribute(&attributes, &a.name, &a.set))
        f->attributes[f->n_attributes++] = a;
    return attributes.failed ? err_set(e, ERR_PROTO, "the server sent attributes that are not well-formed")
                             : 0;
}

int fetched_take(struct fetched *f, LDAP *ld, LDAPMessage *m, struct err *e)
{
    BerElement *hold;
    struct bytes content;
    try(ldap_entry_open(ld, m, &hold, &content, e));
    buf_clear(&f->content);
    f->n_attributes = 0;
    buf_add_bytes(&f->content, content);
    ber_free(hold, 0);
    return index_attributes(f, e);
}

static int keep_first(void *ctx, LDAP *ld, LDAPMessage *m, struct err *e)
{
    struct fetched *f = ctx;
    return f->n_entries++ ? 0 : fetched_take(f, ld, m, e);
}

int ldap_fetch(struct fetched *out, struct ldap_conn *c, const struct ldap_search *s,
               struct ldap_stats *stats, struct err *e)
{
    memset(out, 0, sizeof *out);
    out->content = buf_new((size_t)64 << 20);
    int rc = ldap_conn_search(c, s, keep_first, NULL, out, stats, e);
    if (rc < 0) fetched_free(out);
    return rc;
}

void fetched_free(struct fetched *f)
{
    buf_free(&f->content);
    f->n_attributes = 0;
    f->n_entries = 0;
}

struct bytes fetched_set(const struct fetched *f, const char *name)
{
    for (size_t i = 0; i < f->n_attributes; i++)
        if (str_equal_nocase(f->attributes[i].name, str_from(name))) return f->attributes[i].set;
    return (struct bytes){NULL, 0};
}

bool fetched_bytes(const struct fetched *f, const char *name, struct bytes *out)
{
    struct cursor c = cursor_new(fetched_set(f, name));
    return ber_next_value(&c, out);
}

bool fetched_str(const struct fetched *f, const char *name, struct str *out)
{
    struct bytes b;
    if (!fetched_bytes(f, name, &b) || !str_is_utf8(str_of(b))) return false;
    *out = str_of(b);
    return true;
}

bool fetched_int(const struct fetched *f, const char *name, int64_t *out)
{
    struct str s;
    return fetched_str(f, name, &s) && decimal_parse(out, s);
}

bool ldap_is_answer(const struct err *e)
{
    return e->domain == DOM_LDAP && e->code > 0 && e->class != ERR_NET;
}
