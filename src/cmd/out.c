#include "cmd/out.h"

#include "base/file.h"
#include "base/visible.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <utf8proc.h>

#define MAX_COLUMNS  32
#define TABLE_LOOK   500 /* rows looked at for column widths */
#define WIDTH_MAX    60

struct out {
    const struct cli *cli;
    char *names; /* of --fields, cut up */
    struct out_column columns[MAX_COLUMNS + 1];
    size_t n_columns;
    bool picked; /* by --fields */
    json_t *waiting; /* rows of a table not yet printed */
    size_t widths[MAX_COLUMNS];
    bool header_done;
    uint64_t n;
    struct buf buf;
};

static int pick_fields(struct out *o, const char *fields, struct err *e)
{
    o->names = x_strdup(str_from(fields));
    o->picked = true;
    char *save = NULL;
    for (char *name = strtok_r(o->names, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
        if (o->n_columns == MAX_COLUMNS) return err_set(e, ERR_INPUT, "--fields: more than %d", MAX_COLUMNS);
        o->columns[o->n_columns++] = (struct out_column){name, NULL};
    }
    if (o->n_columns) return 0;
    err_set(e, ERR_INPUT, "--fields names none");
    return err_hint(e, "--fields name,kind: any member of the rows that -o json shows");
}

static void out_free(struct out *o)
{
    json_decref(o->waiting);
    buf_free(&o->buf);
    free(o->names);
    free(o);
}

int out_open(struct out **out, const struct cli *c, const struct out_column *columns, struct err *e)
{
    struct out *o = x_zalloc(sizeof *o);
    int rc = 0;
    o->cli = c;
    o->buf = buf_new((size_t)64 << 20);
    o->waiting = json_array();
    const char *fields = cli_value(c, "fields");
    if (fields) rc = pick_fields(o, fields, e);
    for (; !fields && columns[o->n_columns].key; o->n_columns++) o->columns[o->n_columns] = columns[o->n_columns];
    if (rc < 0)
        out_free(o);
    else
        *out = o;
    return rc;
}

static const json_t *member(const json_t *row, const char *path)
{
    char key[128];
    const char *dot;
    while ((dot = strchr(path, '.')) && (size_t)(dot - path) < sizeof key) {
        memcpy(key, path, (size_t)(dot - path));
        key[dot - path] = 0;
        row = json_object_get(row, key);
        path = dot + 1;
    }
    return json_object_get(row, path);
}

/* --- text of a value ---------------------------------------------------------------------------------- */

/* Appends text with control and bidirectional characters as \u{..}; returns its width on a terminal. */
static size_t add_visible(struct buf *b, struct str s, size_t max_width)
{
    size_t width = 0;
    const uint8_t *p = (const uint8_t *)s.ptr;
    for (size_t left = s.len; left;) {
        int32_t cp;
        size_t n = visible_read(&cp, (struct str){(const char *)p, left});
        if (cp < 0) cp = 0xfffd;
        if (max_width && width >= max_width) {
            buf_add_str(b, STR("…"));
            return width + 1;
        }
        if (!visible_is(cp)) {
            buf_printf(b, "\\u{%x}", (unsigned)cp);
            width += cp > 0xfff ? 8 : cp > 0xff ? 7 : cp > 0xf ? 6 : 5;
        } else {
            int w = utf8proc_charwidth(cp);
            buf_add(b, p, (size_t)n);
            width += w > 0 ? (size_t)w : 0;
        }
        p += n;
        left -= (size_t)n;
    }
    return width;
}

void out_visible(struct buf *b, struct str text)
{
    (void)add_visible(b, text, 0);
}

void out_print_gap(const struct gap *g)
{
    struct buf b = buf_new(65536);
    buf_printf(&b, "  gap (%s)%s%s: ", gap_severity_name(g->severity), g->kind ? " " : "", g->kind ? kind_name(g->kind) : "");
    out_visible(&b, g->what);
    if (g->where.len) {
        buf_add_str(&b, STR(" ["));
        out_visible(&b, g->where);
        buf_add_byte(&b, ']');
    }
    if (g->fix.len) {
        buf_add_str(&b, STR("\n    fix: "));
        out_visible(&b, g->fix);
    }
    fprintf(stderr, "%s\n", buf_cstr(&b));
    buf_free(&b);
}

static struct str value_text(const json_t *v, char **to_free)
{
    *to_free = NULL;
    if (!v || json_is_null(v)) return (struct str){"", 0};
    if (json_is_string(v)) return (struct str){json_string_value(v), json_string_length(v)};
    *to_free = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
    return str_from(*to_free);
}

/* --- table ------------------------------------------------------------------------------------------------ */

static void table_cell(struct out *o, size_t column, struct str text)
{
    bool last = column + 1 == o->n_columns;
    size_t w = add_visible(&o->buf, text, last ? 0 : WIDTH_MAX);
    if (last) {
        buf_add_byte(&o->buf, '\n');
        return;
    }
    for (; w < o->widths[column] + 2; w++) buf_add_byte(&o->buf, ' ');
}

static void table_row(struct out *o, const json_t *row)
{
    for (size_t i = 0; i < o->n_columns; i++) {
        char *text;
        struct str s = value_text(member(row, o->columns[i].key), &text);
        table_cell(o, i, s);
        free(text);
    }
}

static const char *title(const struct out_column *c)
{
    return c->title ? c->title : c->key;
}

static void measure(struct out *o, size_t column, struct str text)
{
    struct buf scratch = buf_new((size_t)64 << 20);
    size_t w = add_visible(&scratch, text, WIDTH_MAX);
    buf_free(&scratch);
    if (w > o->widths[column]) o->widths[column] = w;
}

static int write_out(struct out *o, struct err *e)
{
    int rc = file_write_all(STDOUT_FILENO, buf_bytes(&o->buf), e);
    buf_clear(&o->buf);
    return rc;
}

static void table_header(struct out *o)
{
    size_t i;
    json_t *row;
    for (size_t c = 0; c < o->n_columns; c++) measure(o, c, str_from(title(&o->columns[c])));
    json_array_foreach(o->waiting, i, row) {
        for (size_t c = 0; c < o->n_columns; c++) {
            char *text;
            measure(o, c, value_text(member(row, o->columns[c].key), &text));
            free(text);
        }
    }
    for (size_t c = 0; c < o->n_columns; c++) table_cell(o, c, str_from(title(&o->columns[c])));
    o->header_done = true;
}

static int table_flush(struct out *o, struct err *e)
{
    size_t i;
    json_t *row;
    if (!o->header_done) table_header(o);
    json_array_foreach(o->waiting, i, row) table_row(o, row);
    json_array_clear(o->waiting);
    return write_out(o, e);
}

/* --- CSV, JSON ----------------------------------------------------------------------------------------------- */

static void csv_cell(struct buf *b, struct str s, bool first)
{
    if (!first) buf_add_byte(b, ',');
    bool formula = s.len && strchr("=+-@\t\r", s.ptr[0]);
    bool quote = formula;
    for (size_t i = 0; i < s.len && !quote; i++) quote = s.ptr[i] == '"' || s.ptr[i] == ',' || s.ptr[i] == '\n' || s.ptr[i] == '\r';
    if (!quote) {
        buf_add_str(b, s);
        return;
    }
    buf_add_byte(b, '"');
    if (formula) buf_add_byte(b, '\'');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"') buf_add_byte(b, '"');
        buf_add_byte(b, (uint8_t)s.ptr[i]);
    }
    buf_add_byte(b, '"');
}

static void csv_header(struct out *o)
{
    for (size_t i = 0; i < o->n_columns; i++) csv_cell(&o->buf, str_from(o->columns[i].key), i == 0);
    buf_add_str(&o->buf, STR("\r\n"));
    o->header_done = true;
}

static void csv_row(struct out *o, const json_t *row)
{
    if (!o->header_done) csv_header(o);
    for (size_t i = 0; i < o->n_columns; i++) {
        char *text;
        csv_cell(&o->buf, value_text(member(row, o->columns[i].key), &text), i == 0);
        free(text);
    }
    buf_add_str(&o->buf, STR("\r\n"));
}

static json_t *picked_members(const struct out *o, json_t *row)
{
    json_t *picked = json_object();
    for (size_t i = 0; i < o->n_columns; i++) {
        const json_t *v = member(row, o->columns[i].key);
        if (v) json_object_set(picked, o->columns[i].key, (json_t *)v);
    }
    return picked;
}

static void json_row(struct out *o, json_t *row)
{
    json_t *shown = o->picked ? picked_members(o, row) : json_incref(row);
    char *text = json_dumps(shown, JSON_COMPACT);
    if (o->cli->format == OUT_JSON) buf_add_str(&o->buf, o->n ? STR(",\n ") : STR("["));
    buf_add_str(&o->buf, str_from(text));
    if (o->cli->format == OUT_JSONL) buf_add_byte(&o->buf, '\n');
    free(text);
    json_decref(shown);
}

int out_row(struct out *o, json_t *row, struct err *e)
{
    int rc = 0;
    if (o->cli->format == OUT_TABLE) {
        json_array_append(o->waiting, row);
        if (json_array_size(o->waiting) >= TABLE_LOOK) rc = table_flush(o, e);
    } else if (o->cli->format == OUT_CSV) {
        csv_row(o, row);
    } else {
        json_row(o, row);
    }
    o->n++;
    json_decref(row);
    if (rc == 0 && o->buf.len > (256 << 10)) rc = write_out(o, e);
    return rc;
}

int out_close(struct out *o, struct err *e)
{
    int rc = 0;
    if (o->cli->format == OUT_TABLE) {
        rc = table_flush(o, e);
    } else {
        if (o->cli->format == OUT_CSV && !o->header_done) csv_header(o);
        if (o->cli->format == OUT_JSON) buf_add_str(&o->buf, o->n ? STR("]\n") : STR("[]\n"));
        rc = write_out(o, e);
    }
    out_free(o);
    return rc;
}

int out_finish(struct out *o, int rc, struct err *e)
{
    struct err later;
    int closed = out_close(o, &later);
    if (rc == 0 && closed < 0) *e = later;
    return rc < 0 ? rc : closed;
}

int out_list(const struct cli *c, const struct out_column *columns, const json_t *rows, struct err *e)
{
    struct out *o;
    size_t i;
    json_t *row;
    int rc = 0;
    try(out_open(&o, c, columns, e));
    json_array_foreach((json_t *)rows, i, row) if (rc == 0) rc = out_row(o, json_incref(row), e);
    return out_finish(o, rc, e);
}

/* --- one object ------------------------------------------------------------------------------------------------ */

static void object_lines(struct buf *b, const json_t *object, const char *indent)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        if (json_is_object(value) && json_object_size(value)) {
            buf_printf(b, "%s%s:\n", indent, key);
            object_lines(b, value, "    ");
            continue;
        }
        bool list = json_is_array(value) && json_array_size(value) > 0;
        buf_printf(b, "%s%-22s ", indent, key);
        size_t n = list ? json_array_size(value) : 1;
        for (size_t i = 0; i < n; i++) {
            char *text;
            if (i) buf_printf(b, "%s%-22s ", indent, "");
            add_visible(b, value_text(list ? json_array_get(value, i) : value, &text), 0);
            buf_add_byte(b, '\n');
            free(text);
        }
    }
}

static int print_object(const struct cli *c, const json_t *object, struct err *e)
{
    struct buf b = buf_new((size_t)256 << 20);
    if (c->format == OUT_TABLE) {
        object_lines(&b, object, "");
    } else if (c->format == OUT_CSV) {
        buf_free(&b);
        err_set(e, ERR_INPUT, "%s has no CSV form", c->command->name);
        return err_hint(e, "use -o json, jsonl or table");
    } else {
        char *text = json_dumps(object, c->format == OUT_JSON ? JSON_INDENT(2) : JSON_COMPACT);
        buf_add_str(&b, str_from(text));
        buf_add_byte(&b, '\n');
        free(text);
    }
    int rc = file_write_all(STDOUT_FILENO, buf_bytes(&b), e);
    buf_free(&b);
    return rc;
}

int out_object(const struct cli *c, json_t *object, struct err *e)
{
    int rc = print_object(c, object, e);
    json_decref(object);
    return rc;
}

static void ignore_run(void *ctx, const struct run_row *r)
{
    (void)ctx;
    (void)r;
}

static void print_gap(void *ctx, const struct gap *g)
{
    (void)ctx;
    out_print_gap(g);
}

int out_print_run_gaps(struct store *s, int64_t run, struct err *e)
{
    return store_run_get(s, run, ignore_run, print_gap, NULL, e);
}
