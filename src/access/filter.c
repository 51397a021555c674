#include "access/filter.h"

#include "base/arena.h"
#include "base/when.h"
#include "model/sid.h"

#include <stdio.h>
#include <stdlib.h>

#define TEXT_LIMIT  65536
#define TERMS_MAX   1000
#define DEPTH_MAX   200 /* of parentheses */

enum op { OP_EQUAL, OP_NOT_EQUAL, OP_CONTAINS, OP_LESS, OP_LESS_EQUAL, OP_MORE, OP_MORE_EQUAL };
enum node_type { TERM, NOT, AND, OR, OPEN };

struct node { /* in the order of a stack machine: operands first */
    enum node_type type;
    enum op op;
    struct str field, value;
    bool has_time;
    int64_t time_ms;
};
struct filter {
    struct arena text;
    struct node *nodes;
    size_t n;
};

/* --- reading ------------------------------------------------------------------------------------------------------- */

struct reader {
    struct filter *f;
    struct str all;
    size_t at;
    int64_t now_ms;
    enum node_type waiting[DEPTH_MAX]; /* operators that wait for their right side */
    size_t n_waiting, n_open;
    struct err *e;
};

static int fail(struct reader *r, size_t at, const char *what)
{
    err_set(r->e, ERR_INPUT, "filter: character %zu: %s", at + 1, what);
    return err_hint(r->e, "write conditions like enabled=false and department=Finance");
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

static void skip_spaces(struct reader *r)
{
    while (r->at < r->all.len && is_space(r->all.ptr[r->at])) r->at++;
}

static bool is_end_of_word(char c)
{
    return is_space(c) || c == '(' || c == ')' || c == '=' || c == '!' || c == '<' || c == '>' || c == '~';
}

static struct str read_word(struct reader *r)
{
    size_t from = r->at;
    while (r->at < r->all.len && !is_end_of_word(r->all.ptr[r->at])) r->at++;
    return (struct str){r->all.ptr + from, r->at - from};
}

static int add_node(struct reader *r, const struct node *n)
{
    struct filter *f = r->f;
    if (f->n == TERMS_MAX) return fail(r, r->at, "more than 1000 conditions");
    f->nodes = x_realloc(f->nodes, (f->n + 1) * sizeof *f->nodes);
    f->nodes[f->n++] = *n;
    return 0;
}

static int read_op(struct reader *r, enum op *out)
{
    static const struct {
        const char *text;
        enum op op;
    } ops[] = {{"!=", OP_NOT_EQUAL}, {"<=", OP_LESS_EQUAL}, {">=", OP_MORE_EQUAL}, {"=", OP_EQUAL}, {"~", OP_CONTAINS}, {"<", OP_LESS}, {">", OP_MORE}};
    skip_spaces(r);
    struct str rest = {r->all.ptr + r->at, r->all.len - r->at};
    for (size_t i = 0; i < n_elements(ops); i++) {
        struct str op = str_from(ops[i].text);
        if (!str_starts(rest, op)) continue;
        *out = ops[i].op;
        r->at += op.len;
        return 0;
    }
    return fail(r, r->at, "one of = != ~ < <= > >= is wanted here");
}

static int read_quoted(struct reader *r, struct str *out)
{
    char quote = r->all.ptr[r->at];
    size_t from = ++r->at;
    while (r->at < r->all.len && r->all.ptr[r->at] != quote) r->at++;
    if (r->at == r->all.len) return fail(r, from - 1, "this quotation mark is not closed");
    *out = (struct str){r->all.ptr + from, r->at++ - from};
    return 0;
}

static int read_value(struct reader *r, struct str *out)
{
    skip_spaces(r);
    if (r->at < r->all.len && (r->all.ptr[r->at] == '"' || r->all.ptr[r->at] == '\'')) return read_quoted(r, out);
    size_t from = r->at;
    while (r->at < r->all.len && !is_space(r->all.ptr[r->at]) && r->all.ptr[r->at] != '(' && r->all.ptr[r->at] != ')') r->at++;
    *out = (struct str){r->all.ptr + from, r->at - from};
    return out->len ? 0 : fail(r, from, "a value is wanted here; an empty one is \"\"");
}

static bool read_number(struct str text, int64_t *out)
{
    bool is_negative = text.len && text.ptr[0] == '-';
    int64_t v = 0;
    for (size_t i = is_negative; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9' || v > (INT64_MAX - 9) / 10) return false;
        v = v * 10 + (text.ptr[i] - '0');
    }
    *out = is_negative ? -v : v;
    return text.len > (size_t)is_negative;
}

/* 90d, 12h, 30m, 45s, 8w */
static bool read_age(struct str text, int64_t *out_ms)
{
    int64_t n, unit = text.len < 2 ? 0 : when_unit_ms(text.ptr[text.len - 1]);
    if (!unit || !read_number((struct str){text.ptr, text.len - 1}, &n) || n < 0 || n > 1000000) return false;
    *out_ms = n * unit;
    return true;
}

/* RFC 3339, a date, or an age. */
static bool read_time(struct reader *r, struct str text, int64_t *out)
{
    int64_t age;
    char day[32];
    if (when_parse(out, text)) return true;
    if (text.len == 10) {
        snprintf(day, sizeof day, "%.10sT00:00:00Z", text.ptr);
        if (when_parse(out, str_from(day))) return true;
    }
    if (!read_age(text, &age)) return false;
    *out = r->now_ms - age;
    return true;
}

static int read_term(struct reader *r, struct str field)
{
    struct node n = {.type = TERM};
    struct str value;
    try(read_op(r, &n.op));
    try(read_value(r, &value));
    n.field = arena_str(&r->f->text, field);
    n.value = arena_str(&r->f->text, value);
    n.has_time = read_time(r, value, &n.time_ms);
    return add_node(r, &n);
}

static int pop(struct reader *r)
{
    return add_node(r, &(struct node){.type = r->waiting[--r->n_waiting]});
}

static int push(struct reader *r, enum node_type t)
{
    if (r->n_waiting == DEPTH_MAX) return fail(r, r->at, "too deep");
    r->waiting[r->n_waiting++] = t;
    return 0;
}

/* not binds closer than and, and closer than or: the order of enum node_type. */
static int push_operator(struct reader *r, enum node_type t)
{
    while (r->n_waiting && r->waiting[r->n_waiting - 1] != OPEN && r->waiting[r->n_waiting - 1] <= t) try(pop(r));
    return push(r, t);
}

static int close_parenthesis(struct reader *r)
{
    if (!r->n_open) return fail(r, r->at, "there is nothing that this parenthesis closes");
    while (r->waiting[r->n_waiting - 1] != OPEN) try(pop(r));
    r->n_waiting--;
    r->n_open--;
    r->at++;
    return 0;
}

/* Something that is true or false by itself begins here. *is_whole: it also ended. */
static int read_operand(struct reader *r, bool *is_whole)
{
    *is_whole = false;
    if (r->all.ptr[r->at] == '(') {
        r->at++;
        r->n_open++;
        return push(r, OPEN);
    }
    size_t from = r->at;
    struct str word = read_word(r);
    if (!word.len) return fail(r, from, "the name of a field is wanted here");
    if (str_equal_nocase(word, STR("not"))) return push(r, NOT);
    *is_whole = true;
    return read_term(r, word);
}

static int read_operator(struct reader *r, bool *is_operand_next)
{
    *is_operand_next = false;
    if (r->all.ptr[r->at] == ')') return close_parenthesis(r);
    size_t from = r->at;
    struct str word = read_word(r);
    *is_operand_next = true;
    if (str_equal_nocase(word, STR("and"))) return push_operator(r, AND);
    if (str_equal_nocase(word, STR("or"))) return push_operator(r, OR);
    return fail(r, from, "\"and\" or \"or\" is wanted here");
}

static int read_all(struct reader *r)
{
    bool wants_operand = true;
    for (skip_spaces(r); r->at < r->all.len; skip_spaces(r)) {
        bool flag;
        if (wants_operand) {
            try(read_operand(r, &flag));
            wants_operand = !flag;
        } else {
            try(read_operator(r, &flag));
            wants_operand = flag;
        }
    }
    if (wants_operand) return fail(r, r->at, "a condition is missing here");
    if (r->n_open) return fail(r, r->at, "a parenthesis is not closed");
    while (r->n_waiting) try(pop(r));
    return 0;
}

int filter_parse(struct filter **out, struct str text, int64_t now_ms, struct err *e)
{
    if (text.len > TEXT_LIMIT) return err_set(e, ERR_INPUT, "filter: longer than 64 KiB");
    struct filter *f = x_zalloc(sizeof *f);
    f->text = arena_new((size_t)1 << 20);
    struct reader r = {.f = f, .all = text, .now_ms = now_ms, .e = e};
    int rc = read_all(&r);
    if (rc < 0)
        filter_free(f);
    else
        *out = f;
    return rc;
}

void filter_free(struct filter *f)
{
    if (!f) return;
    arena_free(&f->text);
    free(f->nodes);
    free(f);
}

/* --- judging ------------------------------------------------------------------------------------------------------- */

static bool contains(struct str hay, struct str needle)
{
    for (size_t i = 0; i + needle.len <= hay.len; i++)
        if (str_equal_nocase((struct str){hay.ptr + i, needle.len}, needle)) return true;
    return false;
}

/* '*' stands for anything. The last star is the only one that is ever gone back to, so the time is at most |text| * |pattern|. */
static bool fits(struct str text, struct str pattern)
{
    size_t t = 0, p = 0, star = SIZE_MAX, from = 0;
    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            from = t;
        } else if (p < pattern.len && ascii_lower(pattern.ptr[p]) == ascii_lower(text.ptr[t])) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++from;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*') p++;
    return p == pattern.len;
}

static int compare_text(struct str a, struct str b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++)
        if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i])) return ascii_lower(a.ptr[i]) < ascii_lower(b.ptr[i]) ? -1 : 1;
    return COMPARE(a.len, b.len);
}

static bool ordered(enum op op, int order)
{
    switch (op) {
    case OP_LESS: return order < 0;
    case OP_LESS_EQUAL: return order <= 0;
    case OP_MORE: return order > 0;
    case OP_MORE_EQUAL: return order >= 0;
    default: return order == 0;
    }
}

/* Equal and contains; != is the opposite of equal, for all values together. */
static bool text_fits(const struct node *n, struct str text)
{
    if (n->op == OP_CONTAINS) return contains(text, n->value);
    if (n->op == OP_EQUAL || n->op == OP_NOT_EQUAL) return fits(text, n->value);
    return ordered(n->op, compare_text(text, n->value));
}

static bool number_fits(const struct node *n, int64_t value)
{
    char text[24];
    int64_t wanted = 0;
    snprintf(text, sizeof text, "%lld", (long long)value);
    if (n->op == OP_EQUAL || n->op == OP_NOT_EQUAL || n->op == OP_CONTAINS) return text_fits(n, str_from(text));
    if (!read_number(n->value, &wanted)) return false;
    return ordered(n->op, COMPARE(value, wanted));
}

static bool bool_fits(const struct node *n, bool value)
{
    bool is_yes = str_equal_nocase(n->value, STR("true")) || str_equal_nocase(n->value, STR("yes")) || str_equal(n->value, STR("1"));
    return str_equal(n->value, STR("*")) || is_yes == value;
}

static bool time_fits(const struct node *n, int64_t ms)
{
    char text[WHEN_TEXT];
    if (!ms) return false; /* never, or not known: no time */
    if (n->op == OP_EQUAL || n->op == OP_NOT_EQUAL || n->op == OP_CONTAINS || !n->has_time) return text_fits(n, str_from(when_format(text, ms)));
    return ordered(n->op, COMPARE(ms, n->time_ms));
}

static bool bytes_fit(const struct node *n, enum attr_type type, struct bytes b)
{
    char text[SID_TEXT], guid[GUID_TEXT];
    if (type == ATTR_SID) return text_fits(n, str_from(sid_format_bytes(text, b)));
    if (type == ATTR_GUID) return b.len == GUID_SIZE && text_fits(n, str_from(guid_format(guid, b.ptr)));
    return text_fits(n, str_of(b));
}

static bool values_fit(const struct node *n, struct values v)
{
    struct bytes b;
    int64_t number;
    bool is_number = v.type == ATTR_INT || v.type == ATTR_BOOL || v.type == ATTR_TIME || v.type == ATTR_SPAN;
    while (is_number && values_next_int(&v, &number)) {
        if (v.type == ATTR_BOOL ? bool_fits(n, number != 0) : v.type == ATTR_TIME ? time_fits(n, number) : number_fits(n, number)) return true;
    }
    while (!is_number && values_next_bytes(&v, &b))
        if (bytes_fit(n, v.type, b)) return true;
    return false;
}

static bool attribute_fits(const struct node *n, const struct record_index *x)
{
    struct bytes bodies[] = {x->record->state, x->record->stats};
    for (size_t i = 0; i < n_elements(bodies); i++) {
        struct cursor c = cursor_new(bodies[i]);
        struct values v;
        while (body_next(&c, &v))
            if (str_equal_nocase(v.name, n->field) && values_fit(n, v)) return true;
    }
    return false;
}

static bool tri_fits(const struct node *n, enum tri t)
{
    return t != TRI_UNKNOWN && bool_fits(n, t == TRI_YES);
}

enum field { F_KIND, F_NAME, F_DN, F_SID, F_UID, F_DOMAIN, F_ENABLED, F_LOCKED, F_PRIVILEGED, F_DOMAIN_ADMIN, F_FULL_ADMIN, F_LAST_LOGON,
             F_PASSWORD_EXPIRES, F_NONE };

static enum field field_of(struct str name)
{
    static const char *const names[] = {"kind", "name", "dn", "sid", "uid", "domain", "enabled", "locked", "privileged", "domain_admin", "full_admin",
                                        "last_logon", "password_expires"};
    for (size_t i = 0; i < n_elements(names); i++)
        if (str_equal_nocase(name, str_from(names[i]))) return (enum field)i;
    return F_NONE;
}

static bool field_fits(const struct node *n, const struct filter_subject *s)
{
    const struct record *r = s->record->record;
    char sid[SID_TEXT], guid[GUID_TEXT];
    switch (field_of(n->field)) {
    case F_KIND: return text_fits(n, str_from(kind_name(r->kind)));
    case F_NAME: return text_fits(n, s->name);
    case F_DN: return text_fits(n, r->dn);
    case F_SID: return r->sid.len && text_fits(n, str_from(sid_format_bytes(sid, r->sid)));
    case F_UID: return text_fits(n, str_from(guid_format(guid, r->guid)));
    case F_DOMAIN: return text_fits(n, s->domain);
    case F_ENABLED: return tri_fits(n, s->derived.is_active);
    case F_LOCKED: return tri_fits(n, s->derived.is_locked);
    case F_PRIVILEGED: return bool_fits(n, s->derived.privileges & PRIV_PROTECTED);
    case F_DOMAIN_ADMIN: return bool_fits(n, s->derived.privileges & PRIV_DOMAIN_ADMIN);
    case F_FULL_ADMIN: return bool_fits(n, s->derived.privileges & PRIV_FULL_ADMIN);
    case F_LAST_LOGON: return time_fits(n, s->derived.last_logon_ms);
    case F_PASSWORD_EXPIRES: return time_fits(n, s->derived.password_expires_ms);
    default: return attribute_fits(n, s->record);
    }
}

bool filter_matches(const struct filter *f, const struct filter_subject *s)
{
    bool stack[TERMS_MAX];
    size_t n = 0;
    for (size_t i = 0; f && i < f->n; i++) {
        const struct node *node = &f->nodes[i];
        if (node->type == TERM) {
            stack[n++] = field_fits(node, s) != (node->op == OP_NOT_EQUAL);
        } else if (node->type == NOT) {
            stack[n - 1] = !stack[n - 1];
        } else {
            n--;
            stack[n - 1] = node->type == AND ? stack[n - 1] && stack[n] : stack[n - 1] || stack[n];
        }
    }
    return !f || stack[0];
}
