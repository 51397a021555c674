#include "source/ldap/ldap_logons.h"

#include "model/filetime.h"
#include "net/ldap_ber.h"
#include "source/ldap/ldap_entry.h"
#include "source/ldap/ldap_value.h"

#include <stdio.h>
#include <stdlib.h>

#define LOGONS_MAX ((size_t)8 << 20) /* 192 MiB */

struct logon {
    uint8_t guid[GUID_SIZE];
    int64_t ticks;
};
struct ldap_logons {
    struct logon *list; /* sorted by GUID once a controller is done */
    size_t n, cap;
};

void ldap_logons_free(struct ldap_logons *l)
{
    if (!l) return;
    free(l->list);
    free(l);
}

static int by_guid(const void *a, const void *b)
{
    return memcmp(((const struct logon *)a)->guid, ((const struct logon *)b)->guid, GUID_SIZE);
}

int64_t ldap_logons_find(const struct ldap_logons *l, const uint8_t guid[GUID_SIZE])
{
    struct logon key = {.ticks = 0};
    memcpy(key.guid, guid, GUID_SIZE);
    const struct logon *found = l->n ? bsearch(&key, l->list, l->n, sizeof key, by_guid) : NULL;
    return found ? found->ticks : 0;
}

static int add(struct ldap_logons *l, const uint8_t *guid, int64_t ticks, struct err *e)
{
    if (l->n == LOGONS_MAX)
        return err_set(e, ERR_LIMIT, "more than %zu accounts have a last logon", LOGONS_MAX);
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap + l->cap / 2 : 4096;
        l->list = x_realloc(l->list, l->cap * sizeof *l->list);
    }
    memcpy(l->list[l->n].guid, guid, GUID_SIZE);
    l->list[l->n++].ticks = ticks;
    return 0;
}

/* One entry for each account, with the latest. */
static void merge(struct ldap_logons *l)
{
    size_t w = 0;
    if (l->n) qsort(l->list, l->n, sizeof *l->list, by_guid);
    for (size_t i = 0; i < l->n; i++) {
        if (w && by_guid(&l->list[w - 1], &l->list[i]) == 0) {
            if (l->list[w - 1].ticks < l->list[i].ticks) l->list[w - 1].ticks = l->list[i].ticks;
        } else {
            l->list[w++] = l->list[i];
        }
    }
    l->n = w;
}

/* --- one controller --------------------------------------------------------------------------------------
 */

static int take_entry(struct ldap_logons *l, struct bytes content, struct err *e)
{
    struct cursor attributes;
    struct str dn, name;
    struct bytes set, v, guid = {NULL, 0};
    int64_t ticks = 0;
    try(ldap_entry_dn(content, &dn, &attributes, e));
    while (ber_next_attribute(&attributes, &name, &set)) {
        if (!value_single(set, &v)) continue;
        if (str_equal_nocase(name, STR("objectGUID"))) guid = v;
        if (str_equal_nocase(name, STR("lastLogon")) && !decimal_parse(&ticks, str_of(v))) ticks = 0;
    }
    if (attributes.failed) return err_set(e, ERR_PROTO, "attributes that are not well-formed");
    return guid.len == GUID_SIZE && ticks > 0 && ticks < INT64_MAX ? add(l, guid.ptr, ticks, e) : 0;
}

static int on_entry(void *ctx, LDAP *ld, LDAPMessage *m, struct err *e)
{
    BerElement *hold;
    struct bytes content;
    try(ldap_entry_open(ld, m, &hold, &content, e));
    int rc = take_entry(ctx, content, e);
    ber_free(hold, 0);
    return rc;
}

/* objectClass=user: computers and service accounts derive from it. */
static int list_logons(struct ldap_logons *l, struct ldap_session *at, struct err *e)
{
    const char *attributes[] = {"objectGUID", "lastLogon", NULL};
    struct ldap_search q = {.base = at->set.base_dn ? at->set.base_dn : at->facts.naming_context,
                            .scope = LDAP_SCOPE_SUBTREE,
                            .filter = "(&(objectClass=user)(lastLogon>=1))",
                            .attributes = attributes,
                            .page_size = at->set.page_size};
    return ldap_conn_search(at->conn, &q, on_entry, NULL, l, &at->stats, e);
}

static bool is_asked(const struct ldap_session *s, size_t i, const char *service)
{
    if (!service || !*service) return false;
    for (size_t k = 0; k < i; k++)
        if (strcmp(s->controllers.list[k].service, service) == 0) return true;
    return strcmp(s->controllers.list[s->serving].service, service) == 0;
}

static int ask_one(struct ldap_session *s, size_t i, struct err *e)
{
    struct ldap_session *at = x_alloc(sizeof *at);
    int rc = ldap_session_open_at(at, s, i, e);
    const char *service = rc == 0 ? at->facts.ds_service_name : NULL;
    if (rc == 0 && !is_asked(s, i, service)) rc = list_logons(s->logons, at, e);
    if (service)
        snprintf(s->controllers.list[i].service, sizeof s->controllers.list[i].service, "%s", service);
    s->stats.requests += at->stats.requests;
    s->stats.bytes += at->stats.bytes;
    ldap_session_close(at);
    free(at);
    return rc;
}

static int tell_not_asked(struct ldap_session *s, const char *host, const struct err *why, struct err *e)
{
    char what[1100];
    snprintf(what, sizeof what,
             "lastLogon was not asked of %.250s (%.700s): the last logons may be older than they are", host,
             why->message);
    return ldap_session_tell(s, what, host, why->hint, e);
}

/* A credential that one of them refuses is tried at no other: it was accepted here, but it may be locked
 * there. */
int ldap_logons_collect(struct ldap_session *s, kind_set kinds, struct err *e)
{
    const kind_set accounts = KIND_BIT(KIND_user) | KIND_BIT(KIND_computer) | KIND_BIT(KIND_service_account);
    struct err refused = {0};
    if (!s->set.all_logons || !(kinds & accounts) || s->logons) return 0;
    s->logons = x_zalloc(sizeof *s->logons);
    try(ldap_session_discover(s, e));
    for (size_t i = 0; i < s->controllers.n; i++) {
        struct err why = refused;
        if (i == s->serving || (!refused.class && ask_one(s, i, &why) == 0)) continue;
        if (why.class == ERR_CANCEL) return err_set(e, ERR_CANCEL, "interrupted");
        if (why.class == ERR_AUTH) refused = why;
        try(tell_not_asked(s, s->controllers.list[i].host, &why, e));
    }
    merge(s->logons);
    if (s->discovery.class) return tell_not_asked(s, s->set.dc_discovery_domain, &s->discovery, e);
    if (s->controllers.n > 1) return 0;
    return ldap_session_tell(s, "last_logon: all_controllers knows of one controller only", s->set.host,
                             "set dc_discovery: true, or list the others in failover_hosts", e);
}
