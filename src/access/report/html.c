#include "access/report/html.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/jsonw.h"
#include "base/visible.h"
#include "base/when.h"


#define FLUSH_BYTES ((size_t)256 << 10)

/* The page's only style; its hash stands in the Content-Security-Policy, so that nothing else is applied. */
static const char style[] =
    ":root{color-scheme:light dark;--ink:#1b1f24;--soft:#5b6570;--paper:#fff;--card:#f6f8fa;--line:#d8dee4;--link:#0b57b7;"
    "--critical:#9b1c1c;--high:#b45309;--medium:#8a6d00;--low:#2563a8;--info:#5b6570}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa5b1;--paper:#0f1318;--card:#171c23;--line:#2d353f;--link:#79b8ff;"
    "--critical:#ff7b72;--high:#ffa657;--medium:#e3c04b;--low:#79b8ff;--info:#9aa5b1}}"
    "*{box-sizing:border-box}body{margin:0 auto;max-width:76rem;padding:2rem 1.25rem 4rem;font:15px/1.5 system-ui,sans-serif;color:var(--ink);"
    "background:var(--paper)}h1{font-size:1.7rem;margin:0 0 .25rem}h2{font-size:1.2rem;margin:2.5rem 0 .5rem}"
    "p{margin:.35rem 0;max-width:60rem}.soft{color:var(--soft)}a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}"
    "table{border-collapse:collapse;width:100%;margin:.75rem 0;font-size:.9rem}th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;"
    "border-bottom:1px solid var(--line);overflow-wrap:anywhere}th{font-weight:600;color:var(--soft);background:var(--card);white-space:nowrap;"
    "overflow-wrap:normal}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}"
    ".dn{color:var(--soft);font-size:.82rem}.id{font-family:ui-monospace,monospace;font-size:.85rem;white-space:nowrap}"
    "section{border:1px solid var(--line);border-radius:8px;padding:.25rem 1rem 1rem;margin:1.25rem 0}section h2{margin:.75rem 0 .25rem}"
    ".s{font-size:.75rem;font-weight:700;text-transform:uppercase;letter-spacing:.04em;white-space:nowrap}"
    ".critical{color:var(--critical)}.high{color:var(--high)}.medium{color:var(--medium)}.low{color:var(--low)}.info{color:var(--info)}"
    ".gaps{border-left:4px solid var(--high);background:var(--card);padding:.5rem 1rem;margin:1rem 0}"
    "@media print{body{max-width:none;padding:0;font-size:10pt}section{border:0;border-top:1px solid #999;border-radius:0;padding:0}"
    "h2{break-after:avoid}tr{break-inside:avoid}thead{display:table-header-group}a{color:inherit}}";

/* --- text --------------------------------------------------------------------------------------------------------------- */

static void add_character(struct buf *b, int32_t c, const uint8_t *at, size_t n)
{
    switch (c) {
    case '&': buf_add_str(b, STR("&amp;")); return;
    case '<': buf_add_str(b, STR("&lt;")); return;
    case '>': buf_add_str(b, STR("&gt;")); return;
    case '"': buf_add_str(b, STR("&quot;")); return;
    case '\'': buf_add_str(b, STR("&#39;")); return;
    default: break;
    }
    if (visible_is(c))
        buf_add(b, at, n);
    else
        buf_printf(b, "\\u{%x}", (unsigned)c);
}

void html_add(struct buf *b, struct str text)
{
    for (size_t i = 0, n; i < text.len; i += n) {
        int32_t c;
        struct str rest = {text.ptr + i, text.len - i};
        n = visible_read(&c, rest);
        if (c < 0)
            buf_add_str(b, STR("\xef\xbf\xbd"));
        else
            add_character(b, c, (const uint8_t *)rest.ptr, n);
    }
}

struct page {
    struct report *r;
    struct buf b;
    int fd;
    bool many;      /* directories */
};

static void raw(struct page *p, const char *markup)
{
    buf_add_str(&p->b, str_from(markup));
}

static void text(struct page *p, struct str s)
{
    html_add(&p->b, s);
}

static void words(struct page *p, const char *s)
{
    html_add(&p->b, str_from(s));
}

static void number(struct page *p, uint64_t n)
{
    buf_add_decimal(&p->b, (int64_t)n);
}

static int flush(struct page *p, struct err *e)
{
    if (p->b.failed) return err_set(e, ERR_LIMIT, "a row is too large for the page");
    int rc = file_write_all(p->fd, buf_bytes(&p->b), e);
    buf_clear(&p->b);
    return rc;
}

/* --- head ----------------------------------------------------------------------------------------------------------------- */

static unsigned digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static void add_style_hash(struct page *p)
{
    struct sha256 s;
    char hex[65];
    uint8_t raw_hash[32];
    sha256_init(&s);
    sha256_add(&s, bytes_of(str_from(style)));
    sha256_hex(&s, hex);
    for (size_t i = 0; i < sizeof raw_hash; i++) raw_hash[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
    buf_add_base64(&p->b, (struct bytes){raw_hash, sizeof raw_hash});
}

static void add_when(struct page *p, int64_t ms)
{
    char when[WHEN_TEXT];
    words(p, when_format(when, ms - ms % 1000));
}

static void tell_directories(struct page *p)
{
    size_t n;
    const struct report_directory *d = report_all_directories(p->r, &n);
    p->many = n > 1;
    raw(p, "<table><thead><tr><th>Connector</th><th>Directory</th><th>Kind</th><th>Read</th><th class=n>Entities</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < n; i++) {
        raw(p, "<tr><td>");
        text(p, d[i].name);
        raw(p, "</td><td>");
        text(p, d[i].title);
        raw(p, d[i].is_tenant ? "</td><td>Entra ID</td><td>" : "</td><td>Active Directory</td><td>");
        add_when(p, d[i].as_of_ms);
        raw(p, "</td><td class=n>");
        number(p, d[i].n_entities);
        raw(p, "</td></tr>\n");
    }
    raw(p, "</tbody></table>\n");
}

static void tell_gaps(struct page *p)
{
    size_t n;
    const struct report_gap *g = report_all_gaps(p->r, &n);
    if (!n) return;
    raw(p, "<div class=gaps><p><strong>What could not be read.</strong> Findings may be missing because of it.</p><ul>\n");
    for (size_t i = 0; i < n; i++) {
        raw(p, "<li>");
        text(p, g[i].connector);
        raw(p, ": ");
        text(p, g[i].what);
        if (g[i].where.len) raw(p, " <span class=dn>");
        text(p, g[i].where);
        raw(p, g[i].where.len ? "</span></li>\n" : "</li>\n");
    }
    raw(p, "</ul></div>\n");
}

static void tell_head(struct page *p, int64_t now_ms)
{
    raw(p, "<!doctype html>\n<html lang=en><head><meta charset=utf-8>\n<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'sha256-");
    add_style_hash(p);
    raw(p, "'; base-uri 'none'; form-action 'none'\">\n<meta name=viewport content=\"width=device-width,initial-scale=1\">\n"
           "<meta name=referrer content=no-referrer>\n<title>rollcall report</title>\n<style>");
    raw(p, style);
    raw(p, "</style></head><body>\n<h1>Identity report</h1>\n<p class=soft>Written by rollcall ");
    add_when(p, now_ms);
    raw(p, ". Ages count from when each directory was read.</p>\n");
    tell_directories(p);
    tell_gaps(p);
}

/* --- rules -------------------------------------------------------------------------------------------------------------------- */

static void add_severity(struct page *p, enum report_severity s)
{
    buf_printf(&p->b, "<span class=\"s %s\">%s</span>", report_severity_name(s), report_severity_name(s));
}

static bool is_found(const struct report_result *r)
{
    return r->is_chosen && !r->not_applicable && r->count;
}

static void tell_summary_row(struct page *p, size_t i)
{
    const struct report_rule *rule = &report_rules[i];
    raw(p, "<tr><td>");
    add_severity(p, rule->severity);
    buf_printf(&p->b, "</td><td class=id><a href=\"#%s\">%s</a></td><td>", rule->id, rule->id);
    words(p, rule->title);
    raw(p, "</td><td class=n>");
    number(p, report_result(p->r, i)->count);
    raw(p, "</td></tr>\n");
}

static void tell_summary(struct page *p)
{
    raw(p, "<h2>Found</h2>\n<table><thead><tr><th>Severity</th><th>Rule</th><th>What</th><th class=n>Count</th></tr></thead><tbody>\n");
    for (int s = REPORT_CRITICAL; s >= REPORT_INFO; s--)
        for (size_t i = 0; i < report_n; i++)
            if ((int)report_rules[i].severity == s && is_found(report_result(p->r, i))) tell_summary_row(p, i);
    raw(p, "</tbody></table>\n");
}

static int tell_row(void *ctx, const struct report_row *row, struct err *e)
{
    struct page *p = ctx;
    raw(p, "<tr>");
    if (p->many) {
        raw(p, "<td>");
        text(p, row->connector);
        raw(p, "</td>");
    }
    raw(p, "<td>");
    words(p, row->kind ? kind_name(row->kind) : "");
    raw(p, "</td><td>");
    text(p, row->name);
    raw(p, "</td><td>");
    text(p, row->detail);
    raw(p, "</td><td class=dn>");
    text(p, row->dn.len ? row->dn : row->uid.len ? row->uid : row->sid);
    raw(p, "</td></tr>\n");
    return p->b.len > FLUSH_BYTES ? flush(p, e) : 0;
}

static int tell_rule(struct page *p, size_t i, struct err *e)
{
    const struct report_rule *rule = &report_rules[i];
    const struct report_result *result = report_result(p->r, i);
    buf_printf(&p->b, "<section id=\"%s\"><h2>", rule->id);
    add_severity(p, rule->severity);
    buf_printf(&p->b, " <span class=id>%s</span> ", rule->id);
    words(p, rule->title);
    raw(p, " <span class=soft>(");
    number(p, result->count);
    raw(p, ")</span></h2>\n<p>");
    words(p, rule->why);
    raw(p, "</p>\n<p><strong>What to do:</strong> ");
    words(p, rule->fix);
    raw(p, "</p>\n<table><thead><tr>");
    if (p->many) raw(p, "<th>Connector</th>");
    raw(p, "<th>Kind</th><th>Name</th><th>Found</th><th>Where</th></tr></thead><tbody>\n");
    try(report_rows(p->r, i, tell_row, p, e));
    raw(p, "</tbody></table>\n");
    if (result->n_rows < result->count) {
        raw(p, "<p class=soft>");
        number(p, result->n_rows);
        raw(p, " of ");
        number(p, result->count);
        buf_printf(&p->b, " are shown; rollcall report run %s tells all.</p>\n", rule->id);
    }
    raw(p, "</section>\n");
    return 0;
}

static void tell_rest(struct page *p)
{
    raw(p, "<h2>Looked for and not found</h2>\n<table><tbody>\n");
    for (size_t i = 0; i < report_n; i++) {
        const struct report_result *result = report_result(p->r, i);
        if (!result->is_chosen || result->not_applicable || result->count) continue;
        buf_printf(&p->b, "<tr><td class=id>%s</td><td>", report_rules[i].id);
        words(p, report_rules[i].title);
        raw(p, "</td></tr>\n");
    }
    raw(p, "</tbody></table>\n<h2>Not looked for</h2>\n<table><tbody>\n");
    for (size_t i = 0; i < report_n; i++) {
        const struct report_result *result = report_result(p->r, i);
        if (!result->not_applicable) continue;
        buf_printf(&p->b, "<tr><td class=id>%s</td><td>", report_rules[i].id);
        words(p, report_rules[i].title);
        raw(p, "</td><td class=soft>needs ");
        words(p, result->not_applicable);
        raw(p, "</td></tr>\n");
    }
    raw(p, "</tbody></table>\n</body></html>\n");
}

static int tell_all(struct page *p, int64_t now_ms, struct err *e)
{
    tell_head(p, now_ms);
    tell_summary(p);
    for (int s = REPORT_CRITICAL; s >= REPORT_INFO; s--)
        for (size_t i = 0; i < report_n; i++)
            if ((int)report_rules[i].severity == s && is_found(report_result(p->r, i))) try(tell_rule(p, i, e));
    tell_rest(p);
    return flush(p, e);
}

int html_write(struct report *r, int fd, int64_t now_ms, struct err *e)
{
    struct page p = {.r = r, .b = buf_new((size_t)256 << 20), .fd = fd};
    int rc = tell_all(&p, now_ms, e);
    buf_free(&p.b);
    return rc;
}
