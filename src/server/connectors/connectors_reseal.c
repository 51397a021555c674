/* connectors_reseal.c - all sealed secrets with the newest master key, and the proof that they open. */
#include "server/connectors/connectors_int.h"

#include "base/log.h"
#include "server/state/state_secrets.h"
#include "vault/seal.h"

#include <stdio.h>
#include <stdlib.h>

struct row {
    char *owner, *name, *sealed, *bound;
};
struct rows {
    struct row *list;
    size_t n, cap;
};

static int take_row(void *ctx, sqlite3_stmt *row, struct err *e)
{
    struct rows *r = ctx;
    GROW(r->list, r->n, r->cap, 16);
    r->list[r->n++] = (struct row){x_strdup(row_text(row, 0)), x_strdup(row_text(row, 1)), x_strdup(row_text(row, 2)), x_strdup(row_text(row, 3))};
    return 0;
}

static void rows_free(struct rows *r)
{
    for (size_t i = 0; i < r->n; i++) {
        free(r->list[i].owner);
        free(r->list[i].name);
        free(r->list[i].sealed);
        free(r->list[i].bound);
    }
    free(r->list);
}

static int load(struct state *s, struct rows *out, struct err *e)
{
    *out = (struct rows){.n = 0};
    if (!state_seal(s)) return err_set(e, ERR_BUG, "the state file was opened without its master key");
    int rc = state_rows(s, e, take_row, out, "SELECT owner, name, sealed, bound FROM secret WHERE tenant_id = " TENANT " ORDER BY owner, name", "");
    return rc < 0 ? rc : 0;
}

static int reseal_row(struct state *s, const struct row *r, uint64_t *n, struct err *e)
{
    struct secret clear;
    struct buf sealed = buf_new(4 * SECRET_MAX);
    int rc = seal_get(state_seal(s), str_from(r->sealed), str_from(r->bound), &clear, e);
    if (rc < 0) { /* opened by no key before either: it stays as it is, and server check tells it */
        log_event(LOG_WARN, "reseal.skipped", LOG_CSTR("owner", r->owner), LOG_CSTR("name", r->name), LOG_CSTR("why", e->message));
        return rc == ERR_AUTH || rc == ERR_NOTFOUND ? 0 : rc;
    }
    rc = seal_put(state_seal(s), secret_bytes(&clear), str_from(r->bound), &sealed, e);
    if (rc == 0)
        rc = state_run(s, e, "UPDATE secret SET sealed = ? WHERE tenant_id = " TENANT " AND owner = ? AND name = ?", "tss", buf_str(&sealed), r->owner, r->name);
    if (rc == 0) ++*n;
    secret_drop(&clear);
    buf_free(&sealed);
    return rc;
}

static int reseal(struct state *s, uint64_t *n, struct err *e)
{
    struct rows rows;
    int rc = load(s, &rows, e);
    for (size_t i = 0; i < rows.n && rc == 0; i++) rc = reseal_row(s, &rows.list[i], n, e);
    rows_free(&rows);
    return rc;
}

int state_reseal(struct state *s, uint64_t *n, struct err *e)
{
    *n = 0;
    try(state_begin(s, e));
    return state_end(s, reseal(s, n, e), e);
}

static int finish_rotation(struct state *s, uint64_t *n, struct err *e)
{
    try(state_reseal(s, n, e));
    return seal_retire(state_seal(s), e);
}

/* What an earlier one that was killed has left is finished first: else each would leave a key more. Of a credential that is all: its owner adds the keys. */
int state_rotate(struct state *s, uint64_t *n, struct err *e)
{
    if (!state_seal(s)) return err_set(e, ERR_BUG, "the state file was opened without its master key");
    bool is_unfinished = seal_keys(state_seal(s)) > 1;
    if (is_unfinished) try(finish_rotation(s, n, e));
    int rc = seal_rotate(state_seal(s), e);
    if (rc == ERR_CONFLICT && is_unfinished) return 0;
    return rc < 0 ? rc : finish_rotation(s, n, e);
}

int state_check_secrets(struct state *s, uint64_t *n, void (*tell)(void *ctx, const char *line), void *ctx, struct err *e)
{
    struct rows rows;
    int rc = load(s, &rows, e), worst = 0;
    *n = rows.n;
    for (size_t i = 0; i < rows.n && rc == 0; i++) {
        struct secret clear;
        struct err why;
        char line[1200];
        const struct row *r = &rows.list[i];
        if (seal_get(state_seal(s), str_from(r->sealed), str_from(r->bound), &clear, &why) == 0) {
            secret_drop(&clear);
            continue;
        }
        snprintf(line, sizeof line, "secret %.200s of %.200s: %s", r->name, r->owner, why.message);
        tell(ctx, line);
        worst = err_set(e, ERR_BUG, "%s", line);
    }
    rows_free(&rows);
    return rc < 0 ? rc : worst;
}
