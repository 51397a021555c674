#include "source/ldap/ldap_count.h"

#include "source/ldap/ldap_entry.h"

struct sampling {
    uint64_t n, most;
    bool enough; /* `most` were seen, and one more */
    int (*each)(void *ctx, struct bytes content, struct err *e);
    void *ctx;
};

static int on_entry(void *ctx, LDAP *ld, LDAPMessage *m, struct err *e)
{
    struct sampling *s = ctx;
    BerElement *hold;
    struct bytes content;
    if (s->n == s->most) {
        s->enough = true;
        return err_set(e, ERR_CANCEL, "enough");
    }
    s->n++;
    if (!s->each) return 0;
    try(ldap_entry_open(ld, m, &hold, &content, e));
    int rc = s->each(s->ctx, content, e);
    ber_free(hold, 0);
    return rc;
}

static int sample(struct ldap_session *s, const struct ldap_search *q, struct sampling *to, struct err *e)
{
    int rc = ldap_conn_search(s->conn, q, on_entry, NULL, to, &s->stats, e);
    return to->enough ? 0 : rc;
}

int ldap_sample(struct ldap_session *s, const struct ldap_search *q, uint64_t most,
                int (*each)(void *ctx, struct bytes content, struct err *e), void *ctx, struct err *e)
{
    struct sampling to = {.most = most, .each = each, .ctx = ctx};
    return sample(s, q, &to, e);
}

int ldap_count(struct ldap_session *s, const char *base, int scope, const char *filter, uint64_t most,
               uint64_t *n, bool *is_all, struct err *e)
{
    const char *attributes[] = {LDAP_NO_ATTRS, NULL};
    struct ldap_search q = {.base = base, .scope = scope, .filter = filter, .attributes = attributes};
    struct sampling to = {.most = most};
    q.page_size = s->set.page_size;
    int rc = sample(s, &q, &to, e);
    *n = to.n;
    *is_all = !to.enough;
    return rc;
}
