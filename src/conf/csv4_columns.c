#include "conf/csv4_columns.h"

#include "base/file.h"
#include "conf/conf.h"
#include "conf/value.h"

#define COLUMNS_MAX 128
#define NAME_MAX_   256

static const char *const keys[] = {"users", "groups", "members", "owners", "delimiter", "encoding", "file_domain", NULL};
static const char *const column_keys[] = {"property", "title", NULL};

struct parsing {
    struct csv4_columns *out;
    const struct node_place *place;
};

/* One word or title: something, within one line. */
static int check_text(const struct node_place *p, const struct node *n)
{
    if (n->type != NODE_SCALAR) return node_fail(p, n, "one word is expected here");
    if (!n->text.len) return node_fail(p, n, "has no value");
    if (n->text.len > NAME_MAX_) return node_fail(p, n, "longer than %d bytes", NAME_MAX_);
    for (size_t i = 0; i < n->text.len; i++)
        if ((uint8_t)n->text.ptr[i] < 0x20 || n->text.ptr[i] == 0x7f) return node_fail(p, n, "a control character within the value");
    return 0;
}

/* --- columns -------------------------------------------------------------------------------------------- */

static int take_map(const struct parsing *x, const struct node *map, struct csv4_column *c)
{
    for (const struct node *n = map->first; n; n = n->next) {
        bool is_property = str_equal(n->key, STR("property"));
        if (!is_property && !str_equal(n->key, STR("title"))) return node_fail_unknown(x->place, n, did_you_mean(n->key, column_keys));
        try(check_text(x->place, n));
        *(is_property ? &c->property : &c->title) = n->text;
    }
    return c->property.len ? 0 : node_fail(x->place, map, "a column without property; write {property: displayName, title: Name}");
}

static struct str title_of(const struct csv4_column *c)
{
    return c->title.len ? c->title : c->property;
}

static int take_column(const struct parsing *x, enum csv4_file f, const struct node *n)
{
    struct csv4_column c = {.property = {"", 0}}, *columns = x->out->files[f].columns;
    char shown[NODE_SHOWN];
    if (n->type == NODE_LIST) return node_fail(x->place, n, "%s: a column is a property, or {property: displayName, title: Name}", keys[f]);
    if (n->type == NODE_MAP)
        try(take_map(x, n, &c));
    else
        try(check_text(x->place, n));
    if (n->type == NODE_SCALAR) c.property = n->text;
    for (size_t i = 0; i < x->out->files[f].n; i++)
        if (str_equal(title_of(&columns[i]), title_of(&c)))
            return node_fail(x->place, n, "%s: a second column %s; give it a title of its own", keys[f], node_show(shown, title_of(&c)));
    c.property = arena_str(&x->out->text, c.property);
    c.title = arena_str(&x->out->text, c.title);
    columns[x->out->files[f].n++] = c;
    return 0;
}

static int take_columns(const struct parsing *x, enum csv4_file f, const struct node *list)
{
    if (list->type != NODE_LIST) return node_fail(x->place, list, "%s: a list is expected, as in [id, displayName]", keys[f]);
    if (!list->first) return node_fail(x->place, list, "%s: names no column; leave the key out for the columns as shipped", keys[f]);
    x->out->files[f].columns = arena_alloc(&x->out->text, COLUMNS_MAX * sizeof(struct csv4_column));
    for (const struct node *n = list->first; n; n = n->next) {
        if (x->out->files[f].n == COLUMNS_MAX) return node_fail(x->place, n, "%s: more than %d columns", keys[f], COLUMNS_MAX);
        try(take_column(x, f, n));
    }
    return 0;
}

/* --- the rest ------------------------------------------------------------------------------------------- */

static int take_delimiter(const struct parsing *x, const struct node *n)
{
    char shown[NODE_SHOWN];
    if (n->type == NODE_SCALAR && (str_equal(n->text, STR("tab")) || str_equal(n->text, STR("\t")))) {
        x->out->delimiter = '\t';
        return 0;
    }
    try(check_text(x->place, n));
    if (n->text.len != 1 || !strchr(",;|", n->text.ptr[0]))
        return node_fail(x->place, n, "delimiter: %s is none of \",\", \";\", \"|\" and tab", node_show(shown, n->text));
    x->out->delimiter = n->text.ptr[0];
    return 0;
}

static int take_encoding(const struct parsing *x, const struct node *n)
{
    char shown[NODE_SHOWN];
    try(check_text(x->place, n));
    x->out->with_mark = str_equal_nocase(n->text, STR("utf-8-bom"));
    if (x->out->with_mark || str_equal_nocase(n->text, STR("utf-8"))) return 0;
    return node_fail(x->place, n, "encoding: %s is neither utf-8 nor utf-8-bom", node_show(shown, n->text));
}

static int take_domain(const struct parsing *x, const struct node *n)
{
    struct err inner;
    try(check_text(x->place, n));
    if (domain_check(n->text, &inner) < 0) return node_fail(x->place, n, "file_domain: %s", inner.message);
    x->out->file_domain = arena_str(&x->out->text, n->text);
    return 0;
}

static int take_key(const struct parsing *x, const struct node *n)
{
    for (enum csv4_file f = 0; f < CSV4_FILES; f++)
        if (str_equal(n->key, str_from(keys[f]))) return take_columns(x, f, n);
    if (str_equal(n->key, STR("delimiter"))) return take_delimiter(x, n);
    if (str_equal(n->key, STR("encoding"))) return take_encoding(x, n);
    if (str_equal(n->key, STR("file_domain"))) return take_domain(x, n);
    return node_fail_unknown(x->place, n, did_you_mean(n->key, keys));
}

static int take_all(const struct parsing *x, const struct node *root)
{
    if (root->type != NODE_MAP) return node_fail(x->place, root, "csv4.yaml begins with keys: users, groups, members, owners");
    for (const struct node *n = root->first; n; n = n->next) try(take_key(x, n));
    return 0;
}

int csv4_columns_parse(struct csv4_columns *out, struct str yaml, const char *name, struct err *e)
{
    struct arena nodes = arena_new(NODE_ARENA_MAX);
    struct node_place place = {.file = name, .e = e};
    struct parsing x = {out, &place};
    struct node *root;
    *out = (struct csv4_columns){.text = arena_new((size_t)4 << 20)};
    int rc = node_parse(&root, &nodes, yaml, name, e);
    if (rc == 0) rc = take_all(&x, root);
    arena_free(&nodes);
    if (rc < 0) csv4_columns_free(out);
    return rc;
}

int csv4_columns_load(struct csv4_columns *out, const char *path, struct err *e)
{
    struct buf text = buf_new(NODE_MAX_BYTES);
    *out = (struct csv4_columns){.delimiter = 0};
    int rc = file_read(&text, path, e);
    if (rc == 0) rc = csv4_columns_parse(out, buf_str(&text), path, e);
    buf_free(&text);
    return rc;
}

void csv4_columns_free(struct csv4_columns *c)
{
    arena_free(&c->text);
    *c = (struct csv4_columns){.delimiter = 0};
}
