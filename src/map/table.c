#include "map/table.h"

#include "base/jsonw.h"
#include "map/dialect.h"

#include <stdlib.h>

#define DEPTH_MAX 7

/* One row, or several constant ones, for one version. Levels are the objects and arrays around a value. */
struct step {
    get_fn *get;           /* NULL: `fixed` is all there is to say */
    const struct row *row;
    char *key;             /* opening text of every level, then the quoted name: "user":{"org":{"name": */
    uint16_t key_len;
    uint16_t at[DEPTH_MAX + 1]; /* where in key level i opens; at[depth] is the name itself */
    uint8_t shared;        /* levels in common with the step before */
    uint8_t depth;         /* levels that are open after it */
    char close[DEPTH_MAX]; /* and what closes them */
    char *fixed;
    size_t fixed_len;
};

struct program {
    size_t n;
    struct step steps[];
};

/* --- paths ------------------------------------------------------------------------------------------- */
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

/* --- compiling --------------------------------------------------------------------------------------- */
static bool is_fixed(const struct row *r)
{
    static get_fn *const fixed[] = {fixed_text,      fixed_number,           fixed_version,  fixed_connector,
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

static void append_value(struct view *v, const struct cell *c, struct buf *out);

static void append_fixed(struct compiler *c, const struct row *r)
{
    struct cell cell;
    if (!r->get(c->v, r, &cell)) abort(); /* has_fixed_value has asked */
    append_value(c->v, &cell, &c->text);
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
static void step_join(struct compiler *c, struct step *s, const struct row *r, const struct path *p, unsigned shared)
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

static void compile_row(struct compiler *c, struct program *prog, const struct row *r, const struct path *p, unsigned shared)
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
        if (!is_in_version(r, c.version) || r->get == lead_text || (is_fixed(r) && !has_fixed_value(&c, r))) continue;
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

/* --- running ----------------------------------------------------------------------------------------- */
static void append_int(struct buf *out, int64_t n)
{
    uint8_t *to = text_room(out, TEXT_DECIMAL);
    if (to) buf_advance(out, text_decimal(to, n));
}

static void append_text(struct view *v, struct str s, struct buf *out)
{
    struct str cut = text_cut(s, v->is_tight ? TEXT_MAX_TIGHT : TEXT_MAX);
    if (cut.len < s.len) v->is_cut = true;
    text_json(out, cut);
}

static void append_plain(struct buf *out, struct str s)
{
    uint8_t *to = text_room(out, s.len + 2);
    if (!to) return;
    to[0] = '"';
    memcpy(to + 1, s.ptr, s.len);
    to[s.len + 1] = '"';
    buf_advance(out, s.len + 2);
}

static void append_parts(struct view *v, struct buf *out)
{
    size_t left = v->is_tight ? TEXT_MAX_TIGHT : TEXT_MAX;
    buf_add_byte(out, '"');
    for (unsigned i = 0; i < v->n_parts; i++) {
        struct str cut = text_cut(v->parts[i], left);
        if (cut.len < v->parts[i].len) v->is_cut = true;
        left -= cut.len;
        jsonw_escape(out, cut);
    }
    buf_add_byte(out, '"');
}

static void append_time(struct view *v, int64_t ms, struct buf *out)
{
    char t[WHEN_TEXT];
    enum time_format f = v->d->type->times;
    if (f == TIME_RFC3339) append_plain(out, (struct str){t, text_time(t, ms)});
    else append_int(out, f == TIME_SECONDS ? ms / 1000 : ms);
}

static void append_value(struct view *v, const struct cell *c, struct buf *out)
{
    switch (c->type) {
    case CELL_TEXT: append_text(v, c->text, out); break;
    case CELL_PLAIN: append_plain(out, c->text); break;
    case CELL_PARTS: append_parts(v, out); break;
    case CELL_BOOL: buf_add_str(out, c->number ? STR("true") : STR("false")); break;
    case CELL_TIME: append_time(v, c->number, out); break;
    default: append_int(out, c->number); break;
    }
}

/* true: the event is long enough; what is left of a list is left out. */
static bool is_full(struct view *v, const struct buf *out)
{
    if (out->len - v->start < EVENT_LIST_MAX && !out->failed) return false;
    v->is_cut = true;
    return true;
}

static size_t append_list(struct view *v, struct buf *out)
{
    size_t n = 0;
    struct str s;
    while (!is_full(v, out) && v->list.next(v, &s)) {
        if (n++) buf_add_byte(out, ',');
        if (v->list.is_plain) append_plain(out, s);
        else append_text(v, s, out);
    }
    return n;
}

static size_t append_items(struct view *v, const struct cell *c, struct buf *out)
{
    size_t n = 0, mark = out->len;
    while (!is_full(v, out)) {
        if (n) buf_add_byte(out, ',');
        if (!c->item(v, out)) {
            out->len = mark; /* takes the comma back */
            break;
        }
        n++;
        mark = out->len;
    }
    return n;
}

static bool append_many(struct view *v, const struct cell *c, struct buf *out)
{
    if (c->type == CELL_VALUE) return c->item(v, out);
    buf_add_byte(out, c->type == CELL_OBJECT ? '{' : '[');
    size_t n = c->type == CELL_LIST ? append_list(v, out) : append_items(v, c, out);
    buf_add_byte(out, c->type == CELL_OBJECT ? '}' : ']');
    return n > 0;
}

/* What is open in the object that is being written. */
struct run {
    const struct step *last; /* written; NULL: nothing yet */
    unsigned common;         /* levels of `last` that the next step may keep */
};

/* Closes what the step does not share with the last one and opens its own levels. */
static void append_key(struct run *run, const struct step *s, struct buf *out)
{
    uint8_t *to = text_room(out, DEPTH_MAX + 1 + (size_t)s->key_len);
    if (!to) return;
    size_t n = 0, from = s->at[run->common];
    if (run->last) {
        for (unsigned i = run->last->depth; i > run->common; i--) to[n++] = (uint8_t)run->last->close[i - 1];
        to[n++] = ',';
    }
    memcpy(to + n, s->key + from, s->key_len - from);
    buf_advance(out, n + s->key_len - from);
}

/* false: no value, nothing appended. */
static bool append_step(struct run *run, const struct step *s, struct view *v, struct buf *out)
{
    struct cell c;
    if (!s->get) {
        append_key(run, s, out);
        buf_add(out, s->fixed, s->fixed_len);
        return true;
    }
    if (!s->get(v, s->row, &c)) return false;
    if (c.type <= CELL_PLAIN && !c.text.len) return false;
    size_t mark = out->len;
    append_key(run, s, out);
    if (c.type < CELL_LIST) {
        append_value(v, &c, out);
    } else if (!append_many(v, &c, out)) {
        out->len = mark;
        return false;
    }
    return true;
}

bool program_json(const struct program *p, struct view *v, struct buf *out)
{
    struct run run = {0};
    size_t mark = out->len;
    buf_add_byte(out, '{');
    for (const struct step *s = p->steps, *end = s + p->n; s < end; s++) {
        if (s->shared < run.common) run.common = s->shared;
        if (!append_step(&run, s, v, out)) continue;
        run.last = s;
        run.common = s->depth;
    }
    if (!run.last) {
        out->len = mark;
        return false;
    }
    for (unsigned i = run.last->depth; i; i--) buf_add_byte(out, (uint8_t)run.last->close[i - 1]);
    buf_add_byte(out, '}');
    return true;
}

int program_event(const struct program *p, struct view *v, struct buf *out, struct err *e)
{
    v->start = out->len;
    v->is_tight = v->is_cut = false;
    bool written = program_json(p, v, out);
    if (!out->failed && (v->is_cut || out->len - v->start >= EVENT_MAX)) {
        out->len = v->start; /* once more, shorter, and saying so */
        v->is_tight = v->is_cut = true;
        written = program_json(p, v, out);
    }
    if (written) buf_add_byte(out, '\n');
    if (out->failed) return err_set(e, ERR_LIMIT, "an event does not fit the buffer of %zu bytes", out->max);
    return 0;
}
