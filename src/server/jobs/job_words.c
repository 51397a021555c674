#include "server/jobs/job_int.h"

#include "base/jsonv.h"

#include <stdlib.h>

static void add(struct job_words *w, const char *word)
{
    if (w->n < JOB_WORDS_MAX) w->list[w->n++] = word;
    w->list[w->n] = NULL;
}

/* --name=value, in one word: a value that begins with a dash stays one. */
static void add_value(struct job_words *w, const char *name, const char *value)
{
    struct buf b = buf_new(65536);
    buf_printf(&b, "--%s=%s", name, value);
    w->made[w->n_made] = x_strdup(buf_str(&b));
    add(w, w->made[w->n_made++]);
    buf_free(&b);
}

static bool is_set(const struct job *j, const char *option)
{
    return json_is_true(json_object_get(j->options, option));
}

static void add_flag(struct job_words *w, const struct job *j, const char *option, const char *flag)
{
    if (is_set(j, option)) add(w, flag);
}

static void sync_words(struct job_words *w, const struct job *j)
{
    add(w, "sync");
    add_flag(w, j, "full", "--full");
    add_flag(w, j, "accept_deletions", "--accept-deletions");
    add_flag(w, j, "try_now", "--try-now");
}

static void test_words(struct job_words *w, const struct job *j)
{
    (void)j;
    w->is_by_line = true;
    add(w, "check");
}

static void discover_words(struct job_words *w, const struct job *j)
{
    add(w, "controllers");
    if (*jsonv_cstr(j->options, "domain")) add_value(w, "domain", jsonv_cstr(j->options, "domain"));
}

static void browse_words(struct job_words *w, const struct job *j)
{
    add(w, "browse");
    add_value(w, "base", jsonv_cstr(j->options, "base"));
}

static void report_words(struct job_words *w, const struct job *j)
{
    size_t i;
    json_t *one;
    struct buf rules = buf_new(8192);
    json_array_foreach(json_object_get(j->options, "rules"), i, one) if (json_is_string(one))
        buf_printf(&rules, "%s%s", rules.len ? "," : "", json_string_value(one));
    add(w, "report");
    add(w, "run");
    if (rules.len) add_value(w, "rule", buf_cstr(&rules));
    add(w, "--findings");
    add(w, "--limit=100");
    buf_free(&rules);
}

static void forget_words(struct job_words *w, const struct job *j)
{
    (void)j;
    add(w, "forget");
}

struct job_kind {
    const char *name;
    void (*words)(struct job_words *w, const struct job *j);
    bool has_connector, is_whole_run;
};
static const struct job_kind kinds[] = {
    {"sync", sync_words, true, true},     {"test", test_words, true, false},     {"discover", discover_words, true, false},
    {"browse", browse_words, true, false}, {"report", report_words, false, false},
    {"forget", forget_words, false, false},
};

static const struct job_kind *find(const char *name)
{
    for (size_t i = 0; i < n_elements(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
    return NULL;
}

bool job_kind_is_whole_run(const char *name)
{
    const struct job_kind *k = find(name);
    return k && k->is_whole_run;
}

int job_words_make(struct job_words *w, const struct job *j, struct err *e)
{
    const struct job_kind *k = find(j->kind);
    *w = (struct job_words){.n = 0};
    if (!k) return err_set(e, ERR_INPUT, "no job of kind '%s'", j->kind);
    if (k->has_connector && !*j->connector) return err_set(e, ERR_INPUT, "a job of kind %s needs a connector", j->kind);
    add(w, "rollcall");
    k->words(w, j);
    add(w, w->is_by_line ? "--output=jsonl" : "--output=json");
    add(w, "--progress=json");
    add(w, "--log=info");
    w->has_connector = k->has_connector;
    if (k->has_connector) {
        add(w, "--");
        add(w, j->connector);
    }
    return 0;
}

void job_words_free(struct job_words *w)
{
    for (size_t i = 0; i < w->n_made; i++) free(w->made[i]);
    w->n_made = 0;
}
