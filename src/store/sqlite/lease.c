#include "store/sqlite/lease.h"

#include "base/file.h"
#include "base/when.h"
#include "store/sqlite/write.h"

#include <stdio.h>
#include <unistd.h>

#define MACHINE 128

struct lease {
    int64_t token, expires_ms; /* expires_ms 0: ended */
    char holder[MACHINE + 32]; /* "MACHINE PID" */
};

/* The same after a restart of the machine, another on another one. */
static void name_machine(char out[MACHINE])
{
    struct buf id = buf_new(MACHINE - 1);
    struct err ignored;
    out[0] = 0;
    if (file_read(&id, "/etc/machine-id", &ignored) == 0) snprintf(out, MACHINE, "%.*s", STR_FMT(str_trim(buf_str(&id))));
    buf_free(&id);
    if (!out[0] && gethostname(out, MACHINE - 1) < 0) snprintf(out, MACHINE, "?");
    for (char *c = out; *c; c++)
        if (*c == ' ') *c = '_';
}

static bool is_of_this_machine(const struct lease *l)
{
    char machine[MACHINE];
    name_machine(machine);
    size_t n = strlen(machine);
    return strncmp(l->holder, machine, n) == 0 && l->holder[n] == ' ';
}

static int read_lease(struct sqlite_run *r, struct lease *out, struct err *e)
{
    sqlite3_stmt *s;
    *out = (struct lease){0};
    try(sq_take(&r->s->q, SQL_LEASE_GET, &s, e));
    sq_int(s, 1, r->connector);
    int rc = sq_step(&r->s->q, s, e);
    if (rc > 0) {
        out->token = sq_col_int(s, 0);
        out->expires_ms = sq_col_int(s, 1);
        snprintf(out->holder, sizeof out->holder, "%.*s", STR_FMT(sq_col_text(s, 2)));
    }
    sq_give(&r->s->q, SQL_LEASE_GET, s);
    return rc < 0 ? rc : 0;
}

static int write_lease(struct sqlite_run *r, int64_t now_ms, struct err *e)
{
    sqlite3_stmt *s;
    char holder[MACHINE + 32];
    name_machine(holder);
    size_t n = strlen(holder);
    snprintf(holder + n, sizeof holder - n, " %ld", (long)getpid());
    try(sq_take(&r->s->q, SQL_LEASE_PUT, &s, e));
    sq_int(s, 1, r->connector);
    sq_int(s, 2, r->id);
    sq_text(s, 3, str_from(holder));
    sq_int(s, 4, now_ms + LEASE_MS);
    int rc = sq_run(&r->s->q, s, e);
    sq_give(&r->s->q, SQL_LEASE_PUT, s);
    if (rc == 0) r->lease_ms = when_monotonic_ms();
    return rc;
}

static int held_elsewhere(const struct lease *l, struct err *e)
{
    char until[WHEN_TEXT];
    err_set(e, ERR_CONFLICT, "a run of this connector is under way on another machine (%s)", l->holder);
    return err_hint(e, "wait until it ends; if that machine is gone, its run may be taken over after %s", when_format(until, l->expires_ms));
}

/* A lock that is free says that nobody of this machine has a run, whatever the lease says. One that is held for long by somebody whose lease has expired is held
 * by a process that hangs. */
int lease_take(struct sqlite_run *r, const struct err *lock_held, int64_t lock_since_ms, struct err *e)
{
    struct lease l;
    int64_t now = when_now_ms();
    try(sq_exec(&r->s->q, LEASE_TABLE, e)); /* files of before have none */
    try(read_lease(r, &l, e));
    bool is_alive = l.expires_ms > now, is_hanging = l.expires_ms && !is_alive && lock_since_ms + LEASE_MS < now;
    if (lock_held && !is_hanging) {
        *e = *lock_held;
        return e->class;
    }
    if (!lock_held && is_alive && !is_of_this_machine(&l)) return held_elsewhere(&l, e);
    return write_lease(r, now, e);
}

int lease_prove(struct sqlite_run *r, struct err *e)
{
    struct lease l;
    try(read_lease(r, &l, e));
    if (l.token == r->id) return 0;
    err_set(e, ERR_CONFLICT, "run %lld was taken over by run %lld (%s)", (long long)r->id, (long long)l.token, l.holder);
    return err_hint(e, "this process gave no sign of life for %d minutes; nothing of its run is visible", (int)(LEASE_MS / 60000));
}

bool lease_is_old(const struct sqlite_run *r)
{
    return when_monotonic_ms() - r->lease_ms > LEASE_MS / 8;
}

int lease_renew(struct sqlite_run *r, struct err *e)
{
    return lease_is_old(r) ? write_lease(r, when_now_ms(), e) : 0;
}

int lease_drop(struct sqlite_run *r, struct err *e)
{
    return SQ_DO(&r->s->q, SQL_LEASE_DROP, e, r->connector, r->id);
}
