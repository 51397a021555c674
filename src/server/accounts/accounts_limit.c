/* accounts_limit.c - how often somebody may be wrong: the first failures cost nothing, each further one twice the wait of the one before.
 *
 * Of a name 5, then 6, 12, 24 ... 300 s: at most 8 tries in a minute. Of an address (of IPv6 the /64) 8, then 15, 30 ... 300 s: at most 10. A quarter of an hour without a
 * failure forgets them. Rows, so that a restart forgets nothing; at most ROWS_MAX of them, the oldest going first.
 */
#include "server/accounts/accounts_int.h"

#include <arpa/inet.h>
#include <stdio.h>

#define FORGET_MS  (15 * 60 * 1000)
#define WAIT_MAX_S 300
#define ROWS_MAX   10000
#define SUBJECT    (ACCOUNT_NAME_MAX + 80)

struct limit {
    const char *subject;
    int64_t n, last_ms;
    int64_t free;   /* failures before the first wait */
    int64_t wait_s; /* the first */
};

static int take_row(void *ctx, sqlite3_stmt *row, struct err *e)
{
    struct limit *l = ctx;
    l->n = row_int(row, 0);
    l->last_ms = row_int(row, 1);
    return 0;
}

static int64_t wait_ms(const struct limit *l)
{
    int64_t s = l->wait_s;
    if (l->n < l->free) return 0;
    for (int64_t i = l->free; i < l->n && s < WAIT_MAX_S; i++) s *= 2;
    return (s < WAIT_MAX_S ? s : WAIT_MAX_S) * 1000;
}

static int look(struct state *s, struct limit *l, struct err *e)
{
    int64_t now = state_now_ms(s);
    try(state_rows(s, e, take_row, l, "SELECT n, last_ms FROM refusal WHERE tenant_id = " TENANT " AND subject = ?", "s", l->subject));
    bool is_old = now - l->last_ms >= FORGET_MS || now < l->last_ms; /* the clock went back: nobody is locked out for years */
    if (is_old) l->n = 0;
    int64_t until = l->last_ms + wait_ms(l);
    if (!l->n || now >= until) return 0;
    err_set(e, ERR_LIMIT, "too many attempts failed; the next one may be made in %lld s", (long long)((until - now + 999) / 1000));
    e->retry_at_ms = until;
    return ERR_LIMIT;
}

static int count(struct state *s, const struct limit *l, struct err *e)
{
    return state_run(s, e, "INSERT OR REPLACE INTO refusal (tenant_id, subject, n, last_ms) VALUES (" TENANT ", ?, ?, ?)", "sii", l->subject, l->n + 1,
                     state_now_ms(s));
}

static int keep_few(struct state *s, struct err *e)
{
    int64_t n;
    try(state_run(s, e, "DELETE FROM refusal WHERE tenant_id = " TENANT " AND last_ms < ?", "i", state_now_ms(s) - FORGET_MS));
    try(state_number(s, &n, 0, e, "SELECT count(*) FROM refusal WHERE tenant_id = " TENANT, ""));
    if (n <= ROWS_MAX) return 0;
    return state_run(s, e,
                     "DELETE FROM refusal WHERE tenant_id = " TENANT " AND subject IN (SELECT subject FROM refusal WHERE tenant_id = " TENANT
                     " ORDER BY last_ms LIMIT ?)",
                     "i", n - ROWS_MAX);
}

/* Whoever has one IPv6 address has its /64. */
static void name_address(char out[SUBJECT], const char *from)
{
    struct in6_addr a;
    char text[INET6_ADDRSTRLEN];
    if (strchr(from, ':') && inet_pton(AF_INET6, from, &a) == 1 && !IN6_IS_ADDR_V4MAPPED(&a)) {
        memset(a.s6_addr + 8, 0, 8);
        snprintf(out, SUBJECT, "from:%s/64", inet_ntop(AF_INET6, &a, text, sizeof text));
    } else {
        snprintf(out, SUBJECT, "from:%.70s", from);
    }
}

/* Names differ by case only for the eye. */
static void name_name(char out[SUBJECT], const char *name)
{
    snprintf(out, SUBJECT, "name:%.*s", ACCOUNT_NAME_MAX, name);
    for (char *c = out; *c; c++)
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c - 'A' + 'a');
}

static int charge(struct state *s, struct limit *name, struct limit *from, struct err *e)
{
    try(look(s, name, e));
    try(look(s, from, e));
    try(count(s, name, e));
    try(count(s, from, e));
    return keep_few(s, e);
}

int limit_charge(struct state *s, const char *name, const char *from, struct err *e)
{
    char by_name[SUBJECT], by_address[SUBJECT];
    name_name(by_name, name);
    name_address(by_address, from);
    struct limit n = {by_name, 0, 0, 5, 6}, f = {by_address, 0, 0, 8, 15};
    try(state_begin(s, e));
    return state_end(s, charge(s, &n, &f, e), e);
}

int limit_refund(struct state *s, const char *name, const char *from, struct err *e)
{
    char by_name[SUBJECT], by_address[SUBJECT];
    name_name(by_name, name);
    name_address(by_address, from);
    try(state_begin(s, e));
    int rc = state_run(s, e, "DELETE FROM refusal WHERE tenant_id = " TENANT " AND subject = ?", "s", by_name);
    if (rc == 0) rc = state_run(s, e, "UPDATE refusal SET n = max(n - 1, 0) WHERE tenant_id = " TENANT " AND subject = ?", "s", by_address);
    return state_end(s, rc, e);
}
