#include "access/report/report_int.h"

#include "access/world_int.h"
#include "base/cursor.h"
#include "base/file.h"
#include "base/near.h"

#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#define SORTED_MAX ((uint64_t)256 << 20) /* bytes of one rule's rows that are sorted in memory */
#define ROW_MAX    ((size_t)64 << 20)

const char *report_severity_name(enum report_severity s)
{
    static const char *const names[] = {"info", "low", "medium", "high", "critical"};
    return names[s];
}

size_t report_find(struct str id)
{
    for (size_t i = 0; i < report_n; i++)
        if (str_equal_nocase(id, str_from(report_rules[i].id))) return i;
    return SIZE_MAX;
}

/* --- choosing --------------------------------------------------------------------------------------------------- */

static const char *nearest(struct str id)
{
    const char *best = NULL;
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < report_n; i++) {
        size_t d = near_distance(id, str_from(report_rules[i].id));
        if (d < least) {
            least = d;
            best = report_rules[i].id;
        }
    }
    return best;
}

int report_choose(struct report *r, struct str id, struct err *e)
{
    size_t at = report_find(id);
    if (at == SIZE_MAX) {
        err_set(e, ERR_INPUT, "there is no rule '%.*s'", STR_FMT(id));
        const char *near = nearest(id);
        return near ? err_hint(e, "did you mean %s? rollcall report list tells all", near) : err_hint(e, "rollcall report list tells all");
    }
    if (report_rules[at].pass == PASS_NEVER) {
        err_set(e, ERR_INPUT, "%s cannot be told: it needs %s", report_rules[at].id, report_rules[at].needs);
        return err_hint(e, "rollcall report list tells which rules apply");
    }
    r->results[at].is_chosen = true;
    return 0;
}

void report_choose_all(struct report *r)
{
    for (size_t i = 0; i < report_n; i++) r->results[i].is_chosen = report_rules[i].pass != PASS_NEVER;
}

/* --- directories -------------------------------------------------------------------------------------------------- */

struct run_facts {
    struct report *r;
    struct report_directory *d;
};

static void take_run(void *ctx, const struct run_row *row)
{
    ((struct run_facts *)ctx)->d->as_of_ms = row->started_ms;
}

static void take_gap(void *ctx, const struct gap *g)
{
    struct run_facts *f = ctx;
    if (g->severity == GAP_LOSS) report_add_gap(f->r, f->d->name, g->what, g->where);
}

void report_add_gap(struct report *r, struct str connector, struct str what, struct str where)
{
    for (size_t i = 0; i < r->n_gaps; i++) /* the run and the world may both have noticed */
        if (str_equal(r->gaps[i].connector, connector) && str_equal(r->gaps[i].what, what)) return;
    GROW(r->gaps, r->n_gaps, r->cap_gaps, 16);
    r->gaps[r->n_gaps++] = (struct report_gap){connector, arena_str(&r->memory, what), arena_str(&r->memory, where)};
}

static int add_place(struct report *r, struct str name, struct err *e)
{
    struct connector_state c;
    try(store_connector(r->options.store, name, &c, e));
    if (!c.visible_run) return 0;
    struct report_place_of *p = &r->places[r->n_places];
    *p = (struct report_place_of){.domain = world_domain_copy(&r->memory, &c.domain)};
    p->told = (struct report_directory){.name = arena_str(&r->memory, name), .is_tenant = domain_is_tenant(&c.domain), .run = c.visible_run};
    p->told.title = p->domain.organization.len ? p->domain.organization : p->domain.dns_name;
    for (unsigned k = 0; k < KIND_COUNT; k++) p->told.n_entities += c.n_entities[k];
    r->n_places++;
    struct run_facts f = {r, &p->told};
    return store_run_get(r->options.store, c.visible_run, take_run, take_gap, &f, e);
}

static int read_places(struct report *r, struct err *e)
{
    struct str *names;
    size_t n;
    int rc = world_names(&names, &n, &r->memory, r->options.store, r->options.connector, e);
    r->places = x_zalloc((n + 1) * sizeof *r->places);
    for (size_t i = 0; rc == 0 && i < n; i++) rc = add_place(r, names[i], e);
    free(names);
    if (rc < 0) return rc;
    r->directories = x_zalloc((r->n_places + 1) * sizeof *r->directories);
    for (size_t i = 0; i < r->n_places; i++) r->directories[i] = r->places[i].told;
    if (r->n_places) return 0;
    err_set(e, ERR_NOTFOUND, "nothing was synced into this store");
    return err_hint(e, "rollcall sync CONNECTOR first");
}

int report_open(struct report **out, const struct report_options *o, struct err *e)
{
    struct report *r = x_zalloc(sizeof *r);
    r->options = *o;
    r->memory = arena_new((size_t)1 << 30);
    r->results = x_zalloc(report_n * sizeof *r->results);
    r->spills = x_zalloc(report_n * sizeof *r->spills);
    r->line = buf_new(ROW_MAX);
    r->detail = buf_new((size_t)1 << 20);
    int rc = read_places(r, e);
    if (rc < 0)
        report_close(r);
    else
        *out = r;
    return rc;
}

void report_close(struct report *r)
{
    if (!r) return;
    for (size_t i = 0; i < report_n; i++)
        if (r->spills[i].file) fclose(r->spills[i].file);
    for (size_t i = 0; i < r->n_places; i++) free(r->places[i].facts);
    free(r->places);
    free(r->directories);
    free(r->results);
    free(r->spills);
    free(r->gaps);
    buf_free(&r->line);
    buf_free(&r->detail);
    arena_free(&r->memory);
    free(r);
}

const struct report_result *report_result(const struct report *r, size_t rule)
{
    return &r->results[rule];
}

const struct report_gap *report_all_gaps(const struct report *r, size_t *n)
{
    *n = r->n_gaps;
    return r->gaps;
}

const struct report_directory *report_all_directories(const struct report *r, size_t *n)
{
    *n = r->n_places;
    return r->directories;
}

struct report_place_of *report_place_named(struct report *r, struct str connector)
{
    for (size_t i = 0; i < r->n_places; i++)
        if (str_equal(r->places[i].told.name, connector)) return &r->places[i];
    return NULL;
}

/* --- running ------------------------------------------------------------------------------------------------------- */

static bool has_pass(const struct report *r, enum report_pass pass)
{
    for (size_t i = 0; i < report_n; i++)
        if (r->results[i].is_chosen && !r->results[i].not_applicable && report_rules[i].pass == pass) return true;
    return false;
}

static void mark_inapplicable(struct report *r)
{
    unsigned here = 0;
    for (size_t i = 0; i < r->n_places; i++) here |= r->places[i].told.is_tenant ? REPORT_IN_TENANT : REPORT_IN_DOMAIN;
    for (size_t i = 0; i < report_n; i++) {
        if (report_rules[i].pass == PASS_NEVER)
            r->results[i].not_applicable = report_rules[i].needs;
        else if (!(report_rules[i].place & here))
            r->results[i].not_applicable = here == REPORT_IN_TENANT ? "an Active Directory" : "an Entra ID tenant";
    }
}

int report_run(struct report *r, struct err *e)
{
    mark_inapplicable(r);
    bool groups = has_pass(r, PASS_GROUPS);
    if (groups || has_pass(r, PASS_ENTITIES)) try(report_entities(r, e));
    if (groups) try(report_groups(r, e));
    if (has_pass(r, PASS_ACCESS)) try(report_access(r, e));
    if (has_pass(r, PASS_CHANGES)) try(report_changes(r, e));
    return 0;
}

/* --- rows ------------------------------------------------------------------------------------------------------------- */

static int spill(struct report_spill *s, struct bytes row, struct err *e)
{
    uint32_t len = (uint32_t)row.len;
    if (!s->file) {
        int fd;
        try(file_spill(&fd, e));
        s->file = fdopen(fd, "w+");
        if (!s->file) {
            close(fd);
            return err_set(e, ERR_LIMIT, "no temporary file");
        }
    }
    s->bytes += row.len + sizeof len;
    if (fwrite(&len, sizeof len, 1, s->file) == 1 && fwrite(row.ptr, 1, row.len, s->file) == row.len) return 0;
    err_set(e, ERR_LIMIT, "the rows of the report cannot be put aside: the disk of temporary files is full");
    return err_hint(e, "set TMPDIR to a larger disk, or use --limit");
}

int report_hit(struct report *r, enum rule rule, const struct report_row *row, struct err *e)
{
    struct report_result *out = &r->results[rule];
    out->count++;
    if (r->options.limit && out->n_rows >= r->options.limit) return 0;
    out->n_rows++;
    buf_clear(&r->line);
    buf_add_byte(&r->line, (uint8_t)row->kind);
    buf_add_lstr(&r->line, bytes_of(row->connector));
    buf_add_lstr(&r->line, bytes_of(row->name));
    buf_add_lstr(&r->line, bytes_of(row->detail));
    buf_add_lstr(&r->line, bytes_of(row->uid));
    buf_add_lstr(&r->line, bytes_of(row->sid));
    buf_add_lstr(&r->line, bytes_of(row->dn));
    if (r->line.failed) return err_set(e, ERR_LIMIT, "a row of %s is larger than 64 MiB", report_rules[rule].id);
    return spill(&r->spills[rule], buf_bytes(&r->line), e);
}

int report_hit_entity(struct report *r, enum rule rule, const struct entity *x, struct str detail, struct err *e)
{
    char guid[GUID_TEXT], sid[SID_TEXT];
    const struct report_place_of *p = report_place_named(r, x->connector);
    struct report_row row = {.connector = x->connector, .kind = x->record.kind, .name = x->name, .detail = detail};
    row.uid = str_from(guid_format(guid, x->record.guid));
    if (x->record.sid.len) row.sid = str_from(sid_format_bytes(sid, x->record.sid));
    if (p && !p->told.is_tenant) row.dn = x->record.dn;
    return report_hit(r, rule, &row, e);
}

static struct str lstr(struct cursor *c)
{
    return str_of(cursor_lstr(c));
}

static void row_decode(struct report_row *out, struct bytes b)
{
    struct cursor c = cursor_new(b);
    *out = (struct report_row){.kind = (enum kind)cursor_u8(&c)};
    out->connector = lstr(&c);
    out->name = lstr(&c);
    out->detail = lstr(&c);
    out->uid = lstr(&c);
    out->sid = lstr(&c);
    out->dn = lstr(&c);
}

static int compare_text(struct str a, struct str b)
{
    int c = a.len && b.len ? strncasecmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len) : 0;
    return c ? c : COMPARE(a.len, b.len);
}

static int compare_rows(const void *a, const void *b)
{
    const struct report_row *x = a, *y = b;
    int c = compare_text(x->connector, y->connector);
    if (!c) c = compare_text(x->name, y->name);
    if (!c) c = compare_text(x->detail, y->detail);
    return c ? c : compare_text(x->uid, y->uid);
}

typedef int each_row(void *ctx, const struct report_row *row, struct err *e);

static int give_sorted(struct report *r, size_t rule, each_row *each, void *ctx, struct err *e)
{
    size_t n = 0, size = (size_t)r->spills[rule].bytes;
    uint8_t *all = x_alloc(size + 1);
    struct report_row *rows = x_alloc((size_t)(r->results[rule].n_rows + 1) * sizeof *rows);
    int rc = fread(all, 1, size, r->spills[rule].file) == size ? 0 : err_set(e, ERR_LIMIT, "the temporary file of the report cannot be read");
    for (size_t at = 0; rc == 0 && at < size;) {
        uint32_t len;
        memcpy(&len, all + at, sizeof len);
        row_decode(&rows[n++], (struct bytes){all + at + sizeof len, len});
        at += sizeof len + len;
    }
    if (n) qsort(rows, n, sizeof *rows, compare_rows);
    for (size_t i = 0; rc == 0 && i < n; i++) rc = each(ctx, &rows[i], e);
    free(rows);
    free(all);
    return rc;
}

static int give_as_found(struct report *r, size_t rule, each_row *each, void *ctx, struct err *e)
{
    struct report_row row;
    FILE *f = r->spills[rule].file;
    uint32_t len;
    int rc = 0;
    while (rc == 0 && fread(&len, sizeof len, 1, f) == 1) {
        buf_clear(&r->line);
        uint8_t *to = len <= ROW_MAX ? buf_reserve(&r->line, len) : NULL;
        if (!to || fread(to, 1, len, f) != len) return err_set(e, ERR_LIMIT, "the temporary file of the report cannot be read");
        buf_advance(&r->line, len);
        row_decode(&row, buf_bytes(&r->line));
        rc = each(ctx, &row, e);
    }
    return rc;
}

int report_rows(struct report *r, size_t rule, each_row *each, void *ctx, struct err *e)
{
    if (!r->spills[rule].file) return 0;
    if (fflush(r->spills[rule].file) != 0) return err_set(e, ERR_LIMIT, "the disk of temporary files is full");
    rewind(r->spills[rule].file);
    return r->spills[rule].bytes <= SORTED_MAX ? give_sorted(r, rule, each, ctx, e) : give_as_found(r, rule, each, ctx, e);
}
