#include "conf/node.h"

#include "base/buf.h"
#include "base/hash.h"

#include <stdarg.h>
#include <stdio.h>
#include <yaml.h>

/* --- the tree ------------------------------------------------------------------------------------------- */

static struct node *node_new(struct arena *a, enum node_type type)
{
    struct node *n = arena_alloc(a, sizeof *n);
    if (n) *n = (struct node){.type = type};
    return n;
}

struct node *node_scalar(struct arena *a, struct str text)
{
    struct node *n = node_new(a, NODE_SCALAR);
    if (!n) return NULL;
    const char *copy = arena_printf(a, "%.*s", STR_FMT(text));
    n->text = str_from(copy);
    return copy ? n : NULL;
}

void node_append(struct node *parent, struct node *child)
{
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
}

struct node *node_find(const struct node *map, struct str key)
{
    for (struct node *n = map->first; n; n = n->next)
        if (str_equal(n->key, key)) return n;
    return NULL;
}

/* --- messages ------------------------------------------------------------------------------------------- */

const char *node_show(char out[NODE_SHOWN], struct str s)
{
    size_t n = s.len > 60 ? 60 : s.len;
    while (n < s.len && n && ((uint8_t)s.ptr[n] & 0xc0) == 0x80) n--;
    size_t w = 0;
    out[w++] = '\'';
    for (size_t i = 0; i < n; i++) {
        uint8_t c = (uint8_t)s.ptr[i];
        out[w++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
    }
    if (n < s.len) {
        memcpy(out + w, "...", 3);
        w += 3;
    }
    out[w++] = '\'';
    out[w] = 0;
    return out;
}

static int fail_at(const struct node_place *p, const char *origin, int line, int column, const char *fmt,
                   va_list ap)
{
    char text[640];
    vsnprintf(text, sizeof text, fmt, ap);
    err_set(p->e, ERR_INPUT, "%s", text);
    if (origin) return err_wrap(p->e, "%s", origin);
    if (p->file && line) return err_wrap(p->e, "%s:%d:%d", p->file, line, column);
    if (p->where && *p->where) err_wrap(p->e, "%s", p->where);
    return p->file ? err_wrap(p->e, "%s", p->file) : ERR_INPUT;
}

int node_fail(const struct node_place *p, const struct node *at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int rc = fail_at(p, at ? at->origin : NULL, at ? at->line : 0, at ? at->column : 0, fmt, ap);
    va_end(ap);
    return rc;
}

int node_fail_key(const struct node_place *p, const struct node *at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int rc = fail_at(p, at ? at->origin : NULL, at ? at->key_line : 0, at ? at->key_column : 0, fmt, ap);
    va_end(ap);
    return rc;
}

int node_fail_unknown(const struct node_place *p, const struct node *at, const char *meant)
{
    char shown[NODE_SHOWN];
    node_show(shown, at->key);
    if (meant) return node_fail_key(p, at, "unknown key %s; did you mean '%s'?", shown, meant);
    return node_fail_key(p, at, "unknown key %s", shown);
}

/* --- YAML events into the tree -------------------------------------------------------------------------- */

struct builder {
    struct arena *arena;
    struct node_place place;
    yaml_parser_t parser;
    struct node *root;
    struct node *open[NODE_MAX_DEPTH]; /* the lists and maps that are not closed yet */
    size_t depth, n_values, n_documents;
    struct hmap keys; /* of (map, key), for duplicates: value = line */
    struct str key;   /* read and waiting for its value */
    int key_line, key_column;
    bool has_key, done;
};

static int fail_mark(struct builder *b, const yaml_mark_t *m, const char *fmt, ...) printf_like(3, 4);
static int fail_mark(struct builder *b, const yaml_mark_t *m, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int rc = fail_at(&b->place, NULL, (int)m->line + 1, (int)m->column + 1, fmt, ap);
    va_end(ap);
    return rc;
}

/* libyaml's words are for YAML's authors; these are for those who write settings. */
static const char *hint_of(const char *problem)
{
    static const struct {
        const char *part, *hint;
    } hints[] = {
        {"tab character", "indent with spaces, never with tabs"},
        {"cannot start any token",
         "indent with spaces, never with tabs, and put quotes around values that begin with @ ` or %"},
        {"unknown escape", "a backslash within double quotes starts an escape: write CORP\\alice without "
                           "quotes or in single ones"},
        {"mapping values are not allowed",
         "check the indentation, and put quotes around values that hold \": \""},
        {"expected ':'", "every line is \"key: value\"; there is a space behind the colon"},
        {"expected key", "check the indentation: keys of one block stand in the same column"},
        {"block end", "check the indentation: keys of one block stand in the same column"},
        {"expected ',' or", "a bracket or brace is not closed, or a comma is missing"},
        {"quoted scalar", "a quotation mark is not closed"},
        {"control characters", "the file holds control characters: save it as plain UTF-8 text"},
    };
    for (size_t i = 0; i < n_elements(hints); i++)
        if (strstr(problem, hints[i].part)) return hints[i].hint;
    return NULL;
}

static int fail_yaml(struct builder *b)
{
    const yaml_parser_t *p = &b->parser;
    if (p->error == YAML_MEMORY_ERROR) return node_fail(&b->place, NULL, "no memory to read the settings");
    const char *problem = p->problem ? p->problem : "not YAML";
    yaml_mark_t mark = p->error == YAML_READER_ERROR ? p->mark : p->problem_mark;
    fail_mark(b, &mark, "%s", problem);
    const char *hint = hint_of(problem);
    if (hint) err_hint(b->place.e, "%s", hint);
    return ERR_INPUT;
}

static int fail_size(struct builder *b)
{
    return node_fail(&b->place, NULL, "more than %d values: this is not a settings file", NODE_MAX_VALUES);
}

/* A copy with a NUL behind it, as C libraries want it. */
static int copy_text(struct builder *b, struct str *out, const yaml_event_t *ev)
{
    struct str s = {(const char *)ev->data.scalar.value, ev->data.scalar.length};
    if (memchr(s.ptr, 0, s.len)) return fail_mark(b, &ev->start_mark, "a NUL character is not allowed");
    const char *copy = arena_printf(b->arena, "%.*s", STR_FMT(s));
    if (!copy) return fail_size(b);
    *out = (struct str){copy, s.len};
    return 0;
}

static int check_duplicate(struct builder *b, const yaml_mark_t *at)
{
    struct buf id = buf_new(NODE_MAX_KEY + sizeof(void *));
    const struct node *map = b->open[b->depth - 1];
    buf_add(&id, &map, sizeof(struct node *));
    buf_add_str(&id, b->key);
    bool is_new;
    uint32_t *line = hmap_put(&b->keys, hash128_of(hash_process_key(), buf_bytes(&id)), &is_new);
    buf_free(&id);
    if (!is_new) {
        char shown[NODE_SHOWN];
        return fail_mark(b, at, "key %s is there twice (first in line %u)", node_show(shown, b->key), *line);
    }
    *line = (uint32_t)at->line + 1;
    return 0;
}

static int take_key(struct builder *b, const yaml_event_t *ev)
{
    const yaml_mark_t *at = &ev->start_mark;
    if (ev->type != YAML_SCALAR_EVENT) return fail_mark(b, at, "a key is a plain word, not a list or map");
    if (ev->data.scalar.length == 0) return fail_mark(b, at, "an empty key");
    if (ev->data.scalar.length > NODE_MAX_KEY)
        return fail_mark(b, at, "a key longer than %d bytes", NODE_MAX_KEY);
    if (ev->data.scalar.length == 2 && memcmp(ev->data.scalar.value, "<<", 2) == 0)
        return fail_mark(b, at, "YAML merge keys (<<) are not accepted: write the keys out");
    try(copy_text(b, &b->key, ev));
    try(check_duplicate(b, at));
    b->key_line = (int)at->line + 1;
    b->key_column = (int)at->column + 1;
    b->has_key = true;
    return 0;
}

static int attach(struct builder *b, struct node *n, const yaml_mark_t *at)
{
    n->line = (int)at->line + 1;
    n->column = (int)at->column + 1;
    if (!b->depth) {
        b->root = n;
        return 0;
    }
    if (b->has_key) {
        n->key = b->key;
        n->key_line = b->key_line;
        n->key_column = b->key_column;
        b->has_key = false;
    }
    node_append(b->open[b->depth - 1], n);
    return 0;
}

static int take_value(struct builder *b, const yaml_event_t *ev, enum node_type type)
{
    struct node *parent = b->depth ? b->open[b->depth - 1] : NULL;
    if (parent && parent->type == NODE_MAP && !b->has_key) return take_key(b, ev);
    if (++b->n_values > NODE_MAX_VALUES) return fail_size(b);
    struct node *n = node_new(b->arena, type);
    if (!n) return fail_size(b);
    if (type == NODE_SCALAR) {
        try(copy_text(b, &n->text, ev));
        n->is_plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    }
    try(attach(b, n, &ev->start_mark));
    if (type == NODE_SCALAR) return 0;
    if (b->depth == NODE_MAX_DEPTH)
        return fail_mark(b, &ev->start_mark, "nested more than %d levels deep", NODE_MAX_DEPTH);
    b->open[b->depth++] = n;
    return 0;
}

static int refuse_anchor(struct builder *b, const yaml_event_t *ev, const yaml_char_t *anchor,
                         const yaml_char_t *tag)
{
    if (anchor)
        return fail_mark(b, &ev->start_mark,
                         "YAML anchors and aliases (& and *) are not accepted: write the value out");
    if (tag)
        return fail_mark(b, &ev->start_mark,
                         "YAML tags (!) are not accepted: put quotes around a value that begins with !");
    return 0;
}

static int take_document(struct builder *b, const yaml_event_t *ev)
{
    if (b->n_documents++)
        return fail_mark(b, &ev->start_mark, "a second YAML document (---): settings are one document");
    if (ev->data.document_start.tag_directives.start != ev->data.document_start.tag_directives.end)
        return fail_mark(b, &ev->start_mark, "YAML tag directives are not accepted");
    return 0;
}

static int take_event(struct builder *b, const yaml_event_t *ev)
{
    switch (ev->type) {
    case YAML_DOCUMENT_START_EVENT:
        return take_document(b, ev);
    case YAML_ALIAS_EVENT:
        return refuse_anchor(b, ev, ev->data.alias.anchor, NULL);
    case YAML_SCALAR_EVENT:
        try(refuse_anchor(b, ev, ev->data.scalar.anchor, ev->data.scalar.tag));
        return take_value(b, ev, NODE_SCALAR);
    case YAML_SEQUENCE_START_EVENT:
        try(refuse_anchor(b, ev, ev->data.sequence_start.anchor, ev->data.sequence_start.tag));
        return take_value(b, ev, NODE_LIST);
    case YAML_MAPPING_START_EVENT:
        try(refuse_anchor(b, ev, ev->data.mapping_start.anchor, ev->data.mapping_start.tag));
        return take_value(b, ev, NODE_MAP);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        b->depth--;
        return 0;
    case YAML_STREAM_END_EVENT:
        b->done = true;
        return 0;
    default:
        return 0;
    }
}

static int take_all(struct builder *b)
{
    while (!b->done) {
        yaml_event_t ev;
        if (!yaml_parser_parse(&b->parser, &ev)) return fail_yaml(b);
        int rc = take_event(b, &ev);
        yaml_event_delete(&ev);
        if (rc < 0) return rc;
    }
    return 0;
}

/* --- before libyaml: what is not text at all ------------------------------------------------------------ */

static int count_lines(struct str s)
{
    int n = 1;
    for (size_t i = 0; i < s.len; i++) n += s.ptr[i] == '\n';
    return n;
}

/* Line by line, to name the line; a line feed never is part of a longer character. */
static int fail_utf8(const struct node_place *p, struct str yaml)
{
    for (size_t start = 0; start < yaml.len;) {
        struct str rest = {yaml.ptr + start, yaml.len - start};
        size_t n = str_index(rest, '\n');
        if (!str_is_utf8((struct str){rest.ptr, n})) {
            err_set(p->e, ERR_INPUT, "%s:%d: not UTF-8 text", p->file,
                    count_lines((struct str){yaml.ptr, start}));
            return err_hint(p->e, "save the file as UTF-8");
        }
        start += n + 1;
    }
    return node_fail(p, NULL, "not UTF-8 text");
}

static int check_text(const struct node_place *p, struct str *yaml)
{
    if (yaml->len > NODE_MAX_BYTES)
        return node_fail(p, NULL, "longer than 1 MiB: this is not a settings file");
    if (str_starts(*yaml, STR("\xff\xfe")) || str_starts(*yaml, STR("\xfe\xff"))) {
        node_fail(p, NULL, "saved as UTF-16");
        return err_hint(p->e, "save the file as UTF-8");
    }
    if (str_starts(*yaml, STR("\xef\xbb\xbf"))) *yaml = (struct str){yaml->ptr + 3, yaml->len - 3};
    return str_is_utf8(*yaml) ? 0 : fail_utf8(p, *yaml);
}

int node_parse(struct node **out, struct arena *a, struct str yaml, const char *name, struct err *e)
{
    struct builder b = {.arena = a, .place = {.file = name, .e = e}};
    try(check_text(&b.place, &yaml));
    if (!yaml_parser_initialize(&b.parser)) return err_set(e, ERR_LIMIT, "no memory to read %s", name);
    yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b.parser, (const unsigned char *)(yaml.len ? yaml.ptr : ""), yaml.len);
    int rc = take_all(&b);
    yaml_parser_delete(&b.parser);
    hmap_free(&b.keys);
    if (rc < 0) return rc;
    if (!b.root) b.root = node_new(a, NODE_MAP);
    *out = b.root;
    return b.root ? 0 : fail_size(&b);
}

/* --- from JSON ------------------------------------------------------------------------------------------ */

static struct node *scalar_from_json(struct arena *a, const json_t *v)
{
    char number[32];
    if (json_is_string(v)) return node_scalar(a, (struct str){json_string_value(v), json_string_length(v)});
    if (json_is_boolean(v)) return node_scalar(a, json_is_true(v) ? STR("true") : STR("false"));
    if (!json_is_integer(v)) return NULL;
    snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    return node_scalar(a, str_from(number));
}

static struct node *map_from_json(struct arena *a, const json_t *v)
{
    struct node *map = node_new(a, NODE_MAP);
    const char *key;
    json_t *one;
    json_object_foreach((json_t *)(uintptr_t)v, key, one)
    {
        struct node *n = scalar_from_json(a, one);
        struct node *name = n ? node_scalar(a, str_from(key)) : NULL;
        if (!map || !name) return NULL;
        n->key = name->text;
        node_append(map, n);
    }
    return map;
}

static struct node *list_from_json(struct arena *a, const json_t *v)
{
    struct node *list = node_new(a, NODE_LIST);
    size_t i;
    json_t *one;
    json_array_foreach(v, i, one)
    {
        struct node *n = json_is_object(one) ? map_from_json(a, one) : scalar_from_json(a, one);
        if (!list || !n) return NULL;
        node_append(list, n);
    }
    return list;
}

int node_from_json(struct node **out, struct arena *a, const json_t *value, struct err *e)
{
    *out = json_is_array(value) ? list_from_json(a, value) : scalar_from_json(a, value);
    return *out ? 0 : err_set(e, ERR_INPUT, "neither text, number, true, false nor a list of them");
}
