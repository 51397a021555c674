#include "map/table.h"

#include "base/jsonw.h"
#include "map/dialect.h"
#include "map/program.h"

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
    if (f == TIME_RFC3339)
        append_plain(out, (struct str){t, text_time(t, ms)});
    else
        append_int(out, f == TIME_SECONDS ? ms / 1000 : ms);
}

void cell_append(struct view *v, const struct cell *c, struct buf *out)
{
    switch (c->type) {
    case CELL_TEXT:
        append_text(v, c->text, out);
        break;
    case CELL_PLAIN:
        append_plain(out, c->text);
        break;
    case CELL_PARTS:
        append_parts(v, out);
        break;
    case CELL_BOOL:
        buf_add_str(out, c->number ? STR("true") : STR("false"));
        break;
    case CELL_TIME:
        append_time(v, c->number, out);
        break;
    case CELL_JSON:
        buf_add_str(out, c->text);
        break;
    default:
        append_int(out, c->number);
        break;
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
        if (v->list.is_plain)
            append_plain(out, s);
        else
            append_text(v, s, out);
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
        cell_append(v, &c, out);
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
