/* report.c - report list, report run */
#include "access/report/report.h"
#include "access/report/html.h"
#include "cmd/out.h"

#include "base/when.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* --- list --------------------------------------------------------------------------------------------------------------- */

static json_t *places(const struct report_rule *r)
{
    json_t *j = json_array();
    if (r->place & REPORT_IN_DOMAIN) json_array_append_new(j, json_string("active_directory"));
    if (r->place & REPORT_IN_TENANT) json_array_append_new(j, json_string("entra_id"));
    return j;
}

static json_t *kinds(kind_set set)
{
    json_t *j = json_array();
    for (unsigned k = 1; k < KIND_COUNT; k++)
        if (set & KIND_BIT(k)) json_array_append_new(j, json_string(kind_name((enum kind)k)));
    return j;
}

static json_t *rule_row(const struct report_rule *r)
{
    json_t *j = json_pack("{s:s, s:s, s:s}", "rule", r->id, "severity", report_severity_name(r->severity), "title", r->title);
    jsonv_put(j, "applies_to", places(r));
    jsonv_put(j, "kinds", kinds(r->kinds));
    jsonv_put(j, "why", json_string(r->why));
    jsonv_put(j, "fix", json_string(r->fix));
    char needs[256];
    snprintf(needs, sizeof needs, "needs %s", r->needs ? r->needs : "");
    if (r->needs) jsonv_put(j, "not_applicable", json_string(needs));
    return j;
}

static const struct out_column list_columns[] = {{"rule", NULL}, {"severity", NULL}, {"title", NULL}, {"not_applicable", "not applicable"}, {NULL, NULL}};

static int list(struct cli *c, struct err *e)
{
    struct out *o;
    int rc = 0;
    try(out_open(&o, c, list_columns, e));
    for (size_t i = 0; rc == 0 && i < report_n; i++) rc = out_row(o, rule_row(&report_rules[i]), e);
    return out_finish(o, rc, e);
}

const struct command cmd_report_list = {.name = "report list",
                                        .arguments = "",
                                        .summary = "list the rules of report run",
                                        .doc = "Each with why it matters and what to do, and, where the data cannot tell it, what is missing.",
                                        .run = list};

/* --- run ---------------------------------------------------------------------------------------------------------------- */

struct telling {
    struct report *report;
    struct out *out;
    const struct report_rule *rule;
};

static json_t *row_object(const struct report_row *row)
{
    json_t *j = json_object();
    if (row->connector.len) jsonv_put(j, "connector", jsonv_str(row->connector));
    if (row->kind) jsonv_put(j, "kind", json_string(kind_name(row->kind)));
    jsonv_put(j, "name", jsonv_str(row->name));
    if (row->detail.len) jsonv_put(j, "detail", jsonv_str(row->detail));
    if (row->uid.len) jsonv_put(j, "uid", jsonv_str(row->uid));
    if (row->sid.len) jsonv_put(j, "sid", jsonv_str(row->sid));
    if (row->dn.len) jsonv_put(j, "dn", jsonv_str(row->dn));
    return j;
}

static int each_row(void *ctx, const struct report_row *row, struct err *e)
{
    struct telling *t = ctx;
    json_t *j = json_pack("{s:s, s:s}", "rule", t->rule->id, "severity", report_severity_name(t->rule->severity)), *more = row_object(row);
    json_object_update(j, more);
    json_decref(more);
    return out_row(t->out, j, e);
}

static const struct out_column row_columns[] = {{"rule", NULL},   {"severity", NULL}, {"connector", NULL}, {"kind", NULL},
                                                {"name", NULL},   {"detail", NULL},   {"dn", NULL},        {NULL, NULL}};

static const struct out_column count_columns[] = {{"rule", NULL}, {"severity", NULL}, {"count", NULL}, {"title", NULL}, {"not_applicable", "not applicable"},
                                                  {NULL, NULL}};

static json_t *count_row(const struct report *r, size_t i)
{
    const struct report_rule *rule = &report_rules[i];
    const struct report_result *result = report_result(r, i);
    json_t *j = json_pack("{s:s, s:s, s:s}", "rule", rule->id, "severity", report_severity_name(rule->severity), "title", rule->title);
    char needs[256];
    snprintf(needs, sizeof needs, "needs %s", result->not_applicable ? result->not_applicable : "");
    if (result->not_applicable)
        jsonv_put(j, "not_applicable", json_string(needs));
    else
        jsonv_put(j, "count", json_integer((json_int_t)result->count));
    return j;
}

/* --- rules with their findings ------------------------------------------------------------------------------------------ */

static int each_item(void *ctx, const struct report_row *row, struct err *e)
{
    (void)e;
    json_array_append_new(ctx, row_object(row));
    return 0;
}

static int tell_finding(struct telling *t, size_t i, struct err *e)
{
    json_t *items = json_array(), *j = count_row(t->report, i);
    jsonv_put(j, "why", json_string(report_rules[i].why));
    jsonv_put(j, "fix", json_string(report_rules[i].fix));
    jsonv_put(j, "items", items);
    int rc = report_rows(t->report, i, each_item, items, e);
    if (rc == 0) return out_row(t->out, j, e);
    json_decref(j);
    return rc;
}

static int tell_findings(struct telling *t, const struct cli *c, struct err *e)
{
    int rc = 0;
    try(out_open(&t->out, c, count_columns, e));
    for (size_t i = 0; rc == 0 && i < report_n; i++)
        if (report_result(t->report, i)->is_chosen) rc = tell_finding(t, i, e);
    return out_finish(t->out, rc, e);
}

static int tell_rows(struct telling *t, const struct cli *c, struct err *e)
{
    int rc = 0;
    try(out_open(&t->out, c, row_columns, e));
    for (size_t i = 0; rc == 0 && i < report_n; i++) {
        t->rule = &report_rules[i];
        if (report_result(t->report, i)->is_chosen) rc = report_rows(t->report, i, each_row, t, e);
    }
    return out_finish(t->out, rc, e);
}

static int tell_counts(struct telling *t, const struct cli *c, struct err *e)
{
    int rc = 0;
    try(out_open(&t->out, c, count_columns, e));
    for (size_t i = 0; rc == 0 && i < report_n; i++)
        if (report_result(t->report, i)->is_chosen) rc = out_row(t->out, count_row(t->report, i), e);
    return out_finish(t->out, rc, e);
}

static void print_gaps(const struct report *r)
{
    size_t n;
    const struct report_gap *gaps = report_all_gaps(r, &n);
    struct buf b = buf_new((size_t)1 << 20);
    for (size_t i = 0; i < n; i++) {
        buf_add_str(&b, STR("  gap "));
        out_visible(&b, gaps[i].connector);
        buf_add_str(&b, STR(": "));
        out_visible(&b, gaps[i].what);
        if (gaps[i].where.len) buf_add_str(&b, STR(" ["));
        out_visible(&b, gaps[i].where);
        buf_add_str(&b, gaps[i].where.len ? STR("]\n") : STR("\n"));
    }
    fputs(buf_cstr(&b), stderr);
    buf_free(&b);
}

static int write_html(struct report *r, const char *path, struct err *e)
{
    char temporary[4096];
    if (snprintf(temporary, sizeof temporary, "%s.part", path) >= (int)sizeof temporary) return err_set(e, ERR_INPUT, "--html: the name is too long");
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        err_set(e, ERR_DENIED, "--html: %s cannot be written", temporary);
        return err_hint(e, "name a file in a directory that exists and can be written to");
    }
    int rc = html_write(r, fd, when_now_ms(), e);
    if (fsync(fd) < 0 && rc == 0) rc = err_set(e, ERR_LIMIT, "--html: %s cannot be written: the disk is full", path);
    close(fd);
    if (rc == 0 && rename(temporary, path) < 0) rc = err_set(e, ERR_DENIED, "--html: %s cannot be written", path);
    if (rc < 0) unlink(temporary);
    return rc;
}

static const struct cli_option run_options[] = {
    {"connector", 'c', "NAME", "only this connector", NULL, false},
    {"limit", 'n', "N", "at most so many rows of each rule (0: all; with --html 1000 if not given)", NULL, false},
    {"counts", 0, NULL, "one row for each rule: how many", NULL, false},
    {"findings", 0, NULL, "one row for each rule: how many, and the findings in it", NULL, false},
    {"rule", 0, "A,B", "only these rules, like RULE", NULL, false},
    {"html", 0, "FILE", "one page for people, into this file; standard output has the counts", NULL, false},
    {NULL, 0, NULL, NULL, NULL, false},
};

static int choose_listed(struct report *r, struct str list, struct err *e)
{
    while (list.len) {
        size_t n = str_index(list, ',');
        try(report_choose(r, str_trim((struct str){list.ptr, n}), e));
        n += n < list.len;
        list.ptr += n;
        list.len -= n;
    }
    return 0;
}

static int choose(struct report *r, const struct cli *c, struct err *e)
{
    const char *listed = cli_value(c, "rule");
    if (!c->n_args && !listed) report_choose_all(r);
    try(choose_listed(r, str_from(listed), e));
    for (unsigned i = 0; i < c->n_args; i++) try(report_choose(r, str_from(c->args[i]), e));
    return 0;
}

static int run_open(struct report *r, const struct cli *c, struct err *e)
{
    struct telling t = {.report = r};
    const char *html = cli_value(c, "html");
    try(choose(r, c, e));
    try(report_run(r, e));
    if (html) try(write_html(r, html, e));
    print_gaps(r);
    if (cli_flag(c, "findings")) return tell_findings(&t, c, e);
    return html || cli_flag(c, "counts") ? tell_counts(&t, c, e) : tell_rows(&t, c, e);
}

static int run(struct cli *c, struct err *e)
{
    struct report *r;
    int64_t limit;
    struct report_options o = {.connector = str_from(cli_value(c, "connector"))};
    try(cli_number(c, "limit", 0, cli_value(c, "html") ? 1000 : 0, &limit, e));
    o.limit = (uint64_t)limit;
    try(cli_store(c, &o.store, e));
    try(report_open(&r, &o, e));
    int rc = run_open(r, c, e);
    report_close(r);
    return rc;
}

const struct command cmd_report_run = {.name = "report run",
                                       .arguments = "[RULE...]",
                                       .max_args = 100,
                                       .summary = "what rules find in the last snapshots of the store",
                                       .doc = "RULE is an id as report list tells it; none: every rule. Findings are no error: the exit code is 0.",
                                       .options = run_options,
                                       .run = run};
