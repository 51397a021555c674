#include "base/jsonw.h"
#include "map/dialect.h"
#include "map/program.h"

#include <stdlib.h>

/* --- paths --------------------------------------------------------------------------------------- */
struct path {
    const char *text;
    unsigned depth;
    size_t start[DEPTH_MAX + 1]; /* of level i's own name in text; start[depth]: of the value's name */
    size_t end[DEPTH_MAX + 1];
    bool is_array[DEPTH_MAX], is_element[DEPTH_MAX];
};

static void add_level(struct path *p, size_t start, size_t end, bool array, bool element)
{
    if (p->depth >= DEPTH_MAX) abort();
    p->start[p->depth] = start;
    p->end[p->depth] = end;
    p->is_array[p->depth] = array;
    p->is_element[p->depth] = element;
    p->depth++;
}

/* "enrichments[1].data.title": array enrichments, element [1], object data, name title. */
static struct path path_parse(const char *text)
{
    struct path p = {.text = text};
    size_t start = 0, at = 0;
    for (; text[at]; at++) {
        if (text[at] == '[') {
            add_level(&p, start, at, true, false);
            start = at;
        } else if (text[at] == '.') {
            add_level(&p, start, at, false, text[start] == '[');
            start = at + 1;
        }
    }
    p.start[p.depth] = start;
    p.end[p.depth] = at;
    return p;
}

static unsigned path_shared(const struct path *a, const struct path *b)
{
    unsigned i = 0;
    while (i < a->depth && i < b->depth && a->end[i] == b->end[i] && a->is_array[i] == b->is_array[i] &&
           !strncmp(a->text, b->text, a->end[i]))
        i++;
    return i;
}

/* --- compiling ----------------------------------------------------------------------------------- */
static bool is_fixed(const struct row *r)
{
    static get_fn *const fixed[] = {
        fixed_text,      fixed_number,           fixed_json,   fixed_version, fixed_connector,
        fixed_read_time, fixed_rollcall_version, fixed_run_uid};
    for (size_t i = 0; i < n_elements(fixed); i++)
        if (r->get == fixed[i]) return true;
    return false;
}
static bool is_in_version(const struct row *r, unsigned version)
{
    return version >= r->since && (!r->before || version < r->before);
}

struct compiler {
    struct view *v;
    const struct row *rows;
    unsigned version;
    struct buf text;
};

static void append_fixed(struct compiler *c, const struct row *r)
{
    struct cell cell;
    if (!r->get(c->v, r, &cell)) abort(); /* has_fixed_value has asked */
    cell_append(c->v, &cell, &c->text);
}

static bool has_fixed_value(struct compiler *c, const struct row *r)
{
    struct cell cell;
    return r->get(c->v, r, &cell);
}

static void append_name(struct compiler *c, const struct path *p, unsigned level)
{
    buf_add_byte(&c->text, '"');
    buf_add(&c->text, p->text + p->start[level], p->end[level] - p->start[level]);
    buf_add(&c->text, "\":", 2);
}

/* The lead rows of the object at `level` of p, each with a comma: something always follows. */
static void append_leads(struct compiler *c, const struct path *p, unsigned level)
{
    for (const struct row *r = c->rows; r->path; r++) {
        if (r->get != lead_text || !is_in_version(r, c->version)) continue;
        struct path lead = path_parse(r->path);
        if (lead.depth != level + 1 || path_shared(&lead, p) != level + 1) continue;
        append_name(c, &lead, lead.depth);
        append_fixed(c, r);
        buf_add_byte(&c->text, ',');
    }
}

static void append_level(struct compiler *c, const struct path *p, unsigned level)
{
    if (!p->is_element[level]) append_name(c, p, level);
    buf_add_byte(&c->text, p->is_array[level] ? '[' : '{');
    if (!p->is_array[level]) append_leads(c, p, level);
}

static char *take_text(struct compiler *c, size_t *len)
{
    if (c->text.failed) abort();
    *len = c->text.len;
    char *copy = x_strdup(buf_str(&c->text));
    buf_clear(&c->text);
    return copy;
}

static void step_close_levels(struct step *s, const struct path *p)
{
    s->depth = (uint8_t)p->depth;
    for (unsigned i = 0; i < p->depth; i++) s->close[i] = p->is_array[i] ? ']' : '}';
}

static void step_open(struct compiler *c, struct step *s, const struct row *r, const struct path *p)
{
    *s = (struct step){.get = r->get, .row = r};
    for (unsigned i = 0; i < p->depth; i++) {
        s->at[i] = (uint16_t)c->text.len;
        append_level(c, p, i);
    }
    s->at[p->depth] = (uint16_t)c->text.len;
    append_name(c, p, p->depth);
    size_t len;
    s->key = take_text(c, &len);
    if (len > UINT16_MAX) abort();
    s->key_len = (uint16_t)len;
    step_close_levels(s, p);
}

/* Adds a constant row to the constant step before it: closes what they do not share, opens the rest. */
static void step_join(struct compiler *c, struct step *s, const struct row *r, const struct path *p,
                      unsigned shared)
{
    buf_add(&c->text, s->fixed, s->fixed_len);
    for (unsigned i = s->depth; i > shared; i--) buf_add_byte(&c->text, (uint8_t)s->close[i - 1]);
    buf_add_byte(&c->text, ',');
    for (unsigned i = shared; i < p->depth; i++) append_level(c, p, i);
    append_name(c, p, p->depth);
    append_fixed(c, r);
    free(s->fixed);
    s->fixed = take_text(c, &s->fixed_len);
    step_close_levels(s, p);
}

static void step_fix(struct compiler *c, struct step *s, const struct row *r)
{
    append_fixed(c, r);
    s->fixed = take_text(c, &s->fixed_len);
    s->get = NULL;
}

/* Rows of one object must stand together, or it would be written twice. */
static void check_order(const struct path *seen, size_t n, const struct path *p)
{
    unsigned now = n ? path_shared(&seen[n - 1], p) : 0;
    for (size_t i = 0; i < n; i++)
        if (path_shared(&seen[i], p) > now) abort();
}

static size_t count_rows(const struct row *rows)
{
    size_t n = 0;
    while (rows[n].path) n++;
    return n;
}

static struct program *program_new(size_t n)
{
    return x_zalloc(sizeof(struct program) + n * sizeof(struct step));
}

static struct program *compile_columns(const struct row *rows)
{
    struct program *prog = program_new(count_rows(rows));
    for (const struct row *r = rows; r->path; r++)
        prog->steps[prog->n++] = (struct step){.get = r->get, .row = r};
    return prog;
}

static void compile_row(struct compiler *c, struct program *prog, const struct row *r, const struct path *p,
                        unsigned shared)
{
    bool fixed = is_fixed(r);
    if (fixed && prog->n && !prog->steps[prog->n - 1].get) {
        step_join(c, &prog->steps[prog->n - 1], r, p, shared);
        return;
    }
    struct step *s = &prog->steps[prog->n++];
    step_open(c, s, r, p);
    s->shared = (uint8_t)shared;
    if (fixed) step_fix(c, s, r);
}

struct program *table_compile(struct view *v, const struct row *rows, enum dialect_shape shape)
{
    if (shape == SHAPE_CSV) return compile_columns(rows);
    struct compiler c = {v, rows, v->d->version, buf_new((size_t)1 << 20)};
    size_t n = count_rows(rows), n_seen = 0;
    struct program *prog = program_new(n);
    struct path *seen = x_zalloc((n + 1) * sizeof *seen);
    for (const struct row *r = rows; r->path; r++) {
        if (!is_in_version(r, c.version) || r->get == lead_text || (is_fixed(r) && !has_fixed_value(&c, r)))
            continue;
        struct path p = path_parse(r->path);
        check_order(seen, n_seen, &p);
        compile_row(&c, prog, r, &p, n_seen ? path_shared(&seen[n_seen - 1], &p) : 0);
        seen[n_seen++] = p;
    }
    free(seen);
    buf_free(&c.text);
    return prog;
}

void program_free(struct program *p)
{
    if (!p) return;
    for (size_t i = 0; i < p->n; i++) {
        free(p->steps[i].key);
        free(p->steps[i].fixed);
    }
    free(p);
}

size_t program_columns(const struct program *p)
{
    return p->n;
}
const struct row *program_column(const struct program *p, size_t i)
{
    return p->steps[i].row;
}

bool fixed_text(struct view *v, const struct row *row, struct cell *out)
{
    out->type = CELL_TEXT;
    out->text = str_from(row->text);
    return true;
}
bool fixed_json(struct view *v, const struct row *row, struct cell *out)
{
    out->type = CELL_JSON;
    out->text = str_from(row->text);
    return true;
}
bool fixed_number(struct view *v, const struct row *row, struct cell *out)
{
    out->type = CELL_INT;
    out->number = row->arg;
    return true;
}
bool lead_text(struct view *v, const struct row *row, struct cell *out)
{
    return fixed_text(v, row, out);
}

static bool fixed_str(struct cell *out, struct str s)
{
    out->type = CELL_TEXT;
    out->text = s;
    return s.len > 0;
}
bool fixed_version(struct view *v, const struct row *row, struct cell *out)
{
    return fixed_str(out, v->d->options.ocsf_version);
}
bool fixed_connector(struct view *v, const struct row *row, struct cell *out)
{
    return fixed_str(out, v->d->options.context.connector);
}
bool fixed_rollcall_version(struct view *v, const struct row *row, struct cell *out)
{
    return fixed_str(out, str_from(v->d->options.context.version));
}
bool fixed_run_uid(struct view *v, const struct row *row, struct cell *out)
{
    return fixed_str(out, v->d->options.context.run_uid);
}
bool fixed_read_time(struct view *v, const struct row *row, struct cell *out)
{
    out->type = CELL_TIME;
    out->number = v->d->options.context.time_ms;
    return true;
}
