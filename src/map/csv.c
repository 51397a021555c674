/* RFC 4180: CRLF, quotes where they are needed and doubled inside. A spreadsheet takes a cell that starts
 * with = + - @ TAB or CR for a formula, so text that people can write gets an apostrophe in front; keys never
 * do, they are compared. */
#include "map/dialect.h"

static char delimiter_of(const struct dialect *d)
{
    return d->options.csv_delimiter ? d->options.csv_delimiter : ',';
}

static bool needs_quotes(struct str s, char delimiter)
{
    if (!s.len) return false;
    if (s.ptr[0] == ' ' || s.ptr[s.len - 1] == ' ') return true;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == delimiter || s.ptr[i] == '"' || s.ptr[i] == '\r' || s.ptr[i] == '\n') return true;
    return false;
}

/* Appends with each quote doubled. */
static void append_doubled(struct buf *out, struct str s)
{
    while (s.len) {
        size_t run = str_index(s, '"');
        buf_add(out, s.ptr, run);
        if (run == s.len) return;
        buf_add(out, "\"\"", 2);
        s.ptr += run + 1;
        s.len -= run + 1;
    }
}

static bool looks_like_formula(struct str s)
{
    return s.len && memchr("=+-@\t\r", s.ptr[0], 6);
}

static void append_text(struct buf *out, struct str s, bool guard, char delimiter)
{
    bool apostrophe = guard && looks_like_formula(s), quotes = needs_quotes(s, delimiter);
    if (quotes) buf_add_byte(out, '"');
    if (apostrophe) buf_add_byte(out, '\'');
    if (quotes)
        append_doubled(out, s);
    else
        buf_add_str(out, s);
    if (quotes) buf_add_byte(out, '"');
}

static void append_parts(struct buf *out, const struct view *v, bool guard)
{
    buf_add_byte(out, '"');
    if (guard && v->n_parts && looks_like_formula(v->parts[0])) buf_add_byte(out, '\'');
    for (unsigned i = 0; i < v->n_parts; i++) append_doubled(out, v->parts[i]);
    buf_add_byte(out, '"');
}

/* An item of a list; the separator and the backslash are escaped, so that the list can be taken apart again.
 */
static void append_item(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == ';' || s.ptr[i] == '\\') buf_add_byte(out, '\\');
        if (s.ptr[i] == '"') buf_add_byte(out, '"');
        buf_add_byte(out, (uint8_t)s.ptr[i]);
    }
}

static void append_list(struct buf *out, struct view *v, bool guard)
{
    struct str s;
    for (size_t n = 0;; n++) {
        if (!v->list.next(v, &s)) {
            if (n) buf_add_byte(out, '"');
            return;
        }
        buf_add_byte(out, n ? ';' : '"');
        if (!n && guard && looks_like_formula(s)) buf_add_byte(out, '\'');
        append_item(out, s);
    }
}

static void append_int(struct buf *out, int64_t n)
{
    uint8_t *to = text_room(out, TEXT_DECIMAL);
    if (to) buf_advance(out, text_decimal(to, n));
}

static void append_cell(const struct dialect *d, struct view *v, const struct row *row, struct buf *out)
{
    struct cell c;
    char t[WHEN_TEXT];
    bool guard = !row->is_key && !d->options.raw_csv;
    if (!row->get(v, row, &c)) return;
    switch (c.type) {
    case CELL_TEXT:
        append_text(out, c.text, guard, delimiter_of(d));
        break;
    case CELL_PLAIN:
        append_text(out, c.text, false, delimiter_of(d));
        break;
    case CELL_PARTS:
        append_parts(out, v, guard);
        break;
    case CELL_LIST:
        append_list(out, v, guard);
        break;
    case CELL_INT:
        append_int(out, c.number);
        break;
    case CELL_BOOL:
        buf_add_str(out, c.number ? STR("true") : STR("false"));
        break;
    case CELL_TIME:
        buf_add(out, t, text_time(t, c.number));
        break;
    default:
        break; /* arrays and objects have no cell */
    }
}

void csv_header(const struct dialect *d, const struct program *p, struct buf *out)
{
    for (size_t i = 0; i < program_columns(p); i++) {
        if (i) buf_add_byte(out, (uint8_t)delimiter_of(d));
        append_text(out, str_from(program_column(p, i)->path), false, delimiter_of(d));
    }
    buf_add(out, "\r\n", 2);
}

void csv_row(const struct dialect *d, const struct program *p, struct view *v, struct buf *out)
{
    for (size_t i = 0; i < program_columns(p); i++) {
        if (i) buf_add_byte(out, (uint8_t)delimiter_of(d));
        append_cell(d, v, program_column(p, i), out);
    }
    buf_add(out, "\r\n", 2);
}
