/* alerts_trial.c - what a rule would have fired in the past; nothing is written or sent. */
#include "server/alerts/alerts_int.h"

#include "base/jsonv.h"

enum { TRIAL_MOST = 100, TRIAL_DAYS = 400 };

struct trial {
    struct alerts *a;
    struct store *store;
    const struct rule *r;
    struct verdicts v;
    int64_t since_ms;
    json_t *fired;
    uint64_t n;
    struct buf note;
    int rc;
    struct err *e;
};

static int take(void *ctx, const char *connector, int64_t change_id, const struct firing *f, struct err *e)
{
    struct trial *t = ctx;
    if (!f) return 0;
    t->n++;
    if (json_array_size(t->fired) == TRIAL_MOST) return 0;
    json_t *change = json_array_get(f->changes, 0);
    json_array_append_new(t->fired, json_pack("{s:o, s:o, s:o, s:O*}", "time", jsonv_time(f->time_ms), "title", jsonv_str(str_from(f->title)), "detail",
                                              jsonv_str(buf_str(&f->detail)), "change", change));
    return 0;
}

static bool try_connector(void *ctx, struct str name)
{
    struct trial *t = ctx;
    defer_free char *connector = x_strdup(name);
    struct span span = {.connector = connector, .after_change = -1, .since_ms = t->since_ms};
    t->rc = judge_changes(t->store, t->r, &span, &t->v, t->e);
    return t->rc == 0;
}

static int try_changes(struct trial *t, struct err *e)
{
    if (t->r->connector) {
        try_connector(t, str_from(t->r->connector));
        return t->rc;
    }
    int rc = store_connectors(t->store, try_connector, t, e);
    return rc < 0 ? rc : t->rc;
}

static void note_limit(struct trial *t, int64_t looked_to_ms)
{
    char at[WHEN_TEXT];
    if (looked_to_ms) buf_printf(&t->note, "; there is too much to look at: nothing was looked for up to %s", when_format(at, looked_to_ms));
}

static int try_group(struct trial *t, struct err *e)
{
    int64_t looked_to_ms;
    try(past_group(t->store, t->r, t->since_ms, &t->v, &looked_to_ms, e));
    buf_add_str(&t->note, STR("what groups held that were deleted since is not known"));
    note_limit(t, looked_to_ms);
    return 0;
}

static int try_right(struct trial *t, struct err *e)
{
    int64_t looked_to_ms;
    try(past_right(t->a, t->store, t->r, t->since_ms, &t->v, &looked_to_ms, e));
    buf_add_str(&t->note, STR("accounts and objects that were created or deleted since count as they are now"));
    note_limit(t, looked_to_ms);
    return 0;
}

static int run_trial(struct trial *t, struct err *e)
{
    switch (t->r->type) {
    case CONDITION_ACCESS: return try_right(t, e);
    case CONDITION_SILENCE: return trial_silence(t->store, t->r, t->since_ms, &t->v, e);
    case CONDITION_GROUP: return t->r->is_nested ? try_group(t, e) : try_changes(t, e);
    case CONDITION_CHANGE: break;
    }
    return try_changes(t, e);
}

int alerts_trial(struct alerts *a, const json_t *body, int days, json_t **out, struct err *e)
{
    struct rule r;
    struct trial t = {.a = a, .r = &r, .v = {take, &t}, .fired = json_array(), .note = buf_new(1024), .e = e};
    json_t *checked = NULL;
    int rc = days < 1 || days > TRIAL_DAYS ? err_set(e, ERR_INPUT, "days: 1 to %d", TRIAL_DAYS) : rule_check(&checked, body, e);
    if (rc == 0) rule_read(&r, "trial", checked);
    if (rc == 0) t.since_ms = when_now_ms() - days * WHEN_DAY_MS;
    if (rc == 0 && store_exists(str_from(a->o.store_url))) {
        rc = store_open(&t.store, str_from(a->o.store_url), e);
        if (rc == 0) rc = run_trial(&t, e);
        store_close(t.store);
    }
    *out = rc == 0 ? json_pack("{s:O, s:I}", "fired", t.fired, "n", (json_int_t)t.n) : NULL;
    if (rc == 0 && t.note.len) jsonv_put(*out, "note", jsonv_str(buf_str(&t.note)));
    json_decref(t.fired);
    json_decref(checked);
    buf_free(&t.note);
    return rc;
}
