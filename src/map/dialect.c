#include "map/dialect.h"

#include "conf/conf.h"

#include <stdlib.h>

#define COLUMNS_MAX 128 /* of one table: csv4's largest has half of it */

/* Of a directory, of a tenant. */
static const struct dialect_type *const types[][2] = {
#define X(name, shape, doc) {&dialect_##name, &dialect_##name##_entra},
    DIALECTS(X)
#undef X
};

const struct dialect_doc dialect_docs[] = {
#define X(name, shape, doc) {#name, doc, shape},
    DIALECTS(X)
#undef X
        {NULL, NULL, SHAPE_JSON_LINES},
};

static const struct {
    const char *text;
    unsigned number;
} versions[] = {{"1.8.0", V1_8}, {"1.6.0", V1_6}, {"1.1.0", V1_1}};

static int find_type(const struct dialect_type **out, struct str name, bool is_tenant, struct err *e)
{
    for (size_t i = 0; i < n_elements(types); i++) {
        *out = types[i][is_tenant];
        if (str_equal(name, str_from((*out)->name))) return 0;
    }
    err_set(e, ERR_INPUT, "unknown dialect \"%.*s\"", STR_FMT(text_cut(name, 64)));
#define X(name, shape, doc) " " #name
    return err_hint(e, "one of%s", DIALECTS(X));
#undef X
}

static int find_version(unsigned *out, const char **text, struct str wanted, struct err *e)
{
    for (size_t i = 0; i < n_elements(versions); i++) {
        *out = versions[i].number;
        *text = versions[i].text;
        if (!wanted.len || str_equal(wanted, str_from(*text))) return 0;
    }
    err_set(e, ERR_INPUT, "no OCSF version \"%.*s\"", STR_FMT(text_cut(wanted, 32)));
    return err_hint(e, "one of 1.8.0, 1.6.0, 1.1.0");
}

static struct str copy(struct dialect *d, struct str s)
{
    if (!s.len) return STR("");
    struct str c = arena_str(&d->texts, s);
    return c.ptr ? c : STR("");
}

static void copy_options(struct dialect *d, const struct dialect_options *o, const char *version)
{
    d->options = *o;
    d->options.ocsf_version = str_from(version);
    d->options.csv4_domain = copy(d, o->csv4_domain);
    d->options.context.connector = copy(d, o->context.connector);
    d->options.context.run_uid = copy(d, o->context.run_uid);
    d->options.context.version = arena_printf(&d->texts, "%s", o->context.version ? o->context.version : "");
    d->uid_state = event_uid_key(o->context.connector, "state");
    d->uid_second = event_uid_key(o->context.connector, "state as user");
    d->uid_change = event_uid_key(o->context.connector, "change");
}

static void set_entity(struct dialect *d, kind_set kinds, struct program *p)
{
    for (unsigned k = 1; k < KIND_COUNT; k++)
        if (kinds & KIND_BIT(k)) d->entity[k] = p;
    d->kinds |= kinds;
}

/* Which of csv4's column choices a table takes: users, groups, members, owners. */
static const struct csv_columns *chosen_columns(const struct dialect *d, const struct table *t)
{
    static const struct csv_columns none;
    if (!d->type->takes_columns) return &none;
    if (t->use == TABLE_MEMBER_REF) return &d->options.csv4[2];
    if (t->use == TABLE_OWNER_REF) return &d->options.csv4[3];
    return &d->options.csv4[t->kinds & KIND_BIT(KIND_group) ? 1 : 0];
}

static const struct row *find_property(const struct row *rows, struct str property)
{
    for (; rows->path; rows++)
        if (str_equal_nocase(property, str_from(rows->path))) return rows;
    return NULL;
}

static size_t count_rows(const struct row *rows)
{
    size_t n = 0;
    while (rows[n].path) n++;
    return n;
}

/* "did you mean "mobilePhone"? columns: id userPrincipalName ...", as many as the hint takes. */
static int no_such_column(const struct row *rows, struct str property, struct err *e)
{
    const char *names[COLUMNS_MAX + 1] = {NULL};
    for (size_t i = 0; i < COLUMNS_MAX && rows[i].path; i++) names[i] = rows[i].path;
    const char *near = did_you_mean(property, names);
    struct buf hint = buf_new(8192);
    if (near) buf_printf(&hint, "did you mean \"%s\"? ", near);
    buf_printf(&hint, "columns:");
    size_t n = 0;
    for (; names[n] && hint.len + strlen(names[n]) < sizeof e->hint - 32; n++)
        buf_printf(&hint, " %s", names[n]);
    if (names[n]) buf_printf(&hint, " and %zu more", count_rows(rows) - n);
    err_set(e, ERR_INPUT, "no such column: \"%.*s\"", STR_FMT(text_cut(property, 64)));
    err_hint(e, "%s", buf_cstr(&hint));
    buf_free(&hint);
    return e->class;
}

static struct row *new_rows(struct dialect *d, size_t n)
{
    struct row *rows = arena_alloc(&d->texts, (n + 1) * sizeof *rows);
    if (rows) memset(rows, 0, (n + 1) * sizeof *rows);
    return rows;
}

/* The rows of a CSV table: as shipped without the extras, or those that were chosen, under their titles. */
static int choose_columns(struct dialect *d, const struct row **out, const struct table *t, struct err *e)
{
    const struct csv_columns *c = chosen_columns(d, t);
    struct row *rows = new_rows(d, c->n ? c->n : count_rows(t->rows));
    if (!rows) return err_set(e, ERR_LIMIT, "too many columns");
    size_t n = 0;
    for (const struct row *r = t->rows; !c->n && r->path; r++)
        if (!r->is_extra) rows[n++] = *r;
    for (size_t i = 0; i < c->n; i++) {
        const struct row *r = find_property(t->rows, c->columns[i].property);
        if (!r) return no_such_column(t->rows, c->columns[i].property, e);
        rows[n] = *r;
        if (c->columns[i].title.len)
            rows[n].path = arena_printf(&d->texts, "%.*s", STR_FMT(c->columns[i].title));
        if (!rows[n].path) return err_set(e, ERR_LIMIT, "too many columns");
        n++;
    }
    *out = rows;
    return 0;
}

static int compile(struct dialect *d, const struct table *t, struct err *e)
{
    struct view v = {.d = d};
    const struct row *rows = t->rows;
    if (d->type->shape == SHAPE_CSV) try(choose_columns(d, &rows, t, e));
    struct program *p = table_compile(&v, rows, d->type->shape);
    d->programs[d->n_programs++] = p;
    if (t->use == TABLE_ENTITY)
        set_entity(d, t->kinds, p);
    else
        d->other[t->use] = p;
    return 0;
}

static bool is_in_version(const struct dialect *d, const struct table *t)
{
    return d->version >= t->since && (!t->before || d->version < t->before);
}
static bool is_wanted(const struct dialect *d, const struct table *t)
{
    if (t->use == TABLE_SECOND) return d->options.computers_as_users;
    return t->use != TABLE_ENTITY || !d->options.no_groups_events || !(t->kinds & d->type->structure);
}

int dialect_open(struct dialect **out, struct str name, const struct dialect_options *o, struct err *e)
{
    const struct dialect_type *type;
    unsigned version;
    const char *version_text;
    *out = NULL;
    try(find_type(&type, name, o->is_tenant, e));
    try(find_version(&version, &version_text, type->has_versions ? o->ocsf_version : STR(""), e));
    struct dialect *d = x_zalloc(sizeof *d + type->n_tables * sizeof d->programs[0]);
    d->type = type;
    d->version = version;
    d->texts = arena_new((size_t)4 << 20);
    copy_options(d, o, version_text);
    for (size_t i = 0; i < type->n_tables; i++) {
        if (!is_in_version(d, &type->tables[i]) || !is_wanted(d, &type->tables[i])) continue;
        int rc = compile(d, &type->tables[i], e);
        if (rc < 0) {
            dialect_close(d);
            return err_wrap(e, "dialect %s", type->name);
        }
    }
    *out = d;
    return 0;
}

void dialect_close(struct dialect *d)
{
    if (!d) return;
    for (size_t i = 0; i < d->n_programs; i++) program_free(d->programs[i]);
    arena_free(&d->texts);
    free(d);
}

enum dialect_shape dialect_shape(const struct dialect *d)
{
    return d->type->shape;
}
kind_set dialect_kinds(const struct dialect *d)
{
    return d->kinds;
}
