/* How many entities of a kind have an attribute, and of what form its values are. */
#include "catalog/catalog_int.h"

#include <stdio.h>
#include <stdlib.h>

#define CUSTOM_MAX 1000 /* different custom properties that are told of */
#define SAMPLE_MAX 64

struct fill {
    enum kind kind;
    enum attr number;
    enum attr_type type;
    bool is_multi;
    char name[128], sample[SAMPLE_MAX];
    int64_t n;
};

struct fills {
    uint32_t by_number[KIND_COUNT][ATTR_INDEX_SIZE]; /* place + 1 */
    struct fill *list;
    size_t n, cap, n_custom;
};

struct fills *fills_new(void)
{
    return x_zalloc(sizeof(struct fills));
}

void fills_free(struct fills *f)
{
    if (!f) return;
    free(f->list);
    free(f);
}

/* The form of a text and nothing of its content: Xxxxx.Xxxxx@xxxx.xxx, 999. */
static void mask(char out[SAMPLE_MAX], struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len && n < SAMPLE_MAX - 4; i++) {
        uint8_t c = (uint8_t)s.ptr[i];
        if ((c & 0xc0) == 0x80) continue; /* one x a character */
        bool is_upper = c >= 'A' && c <= 'Z', is_digit = c >= '0' && c <= '9', is_mark = c > 0x20 && c < 0x7f && !is_upper && !is_digit && !(c >= 'a' && c <= 'z');
        out[n++] = is_upper ? 'X' : is_digit ? '9' : is_mark || c == ' ' ? (char)c : 'x';
    }
    out[n] = 0;
    if (n == SAMPLE_MAX - 4) memcpy(out + n, "...", 4);
}

static void mask_number(char out[SAMPLE_MAX], enum attr_type type, int64_t v)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%lld", (long long)v);
    if (type == ATTR_BOOL)
        memcpy(out, v ? "true" : "false", v ? 5 : 6);
    else if (type == ATTR_TIME)
        snprintf(out, SAMPLE_MAX, "9999-99-99T99:99:99Z");
    else
        mask(out, str_from(digits));
}

static void make_sample(struct fill *f, struct values v)
{
    struct bytes b;
    int64_t n;
    if (v.type == ATTR_STRING || v.type == ATTR_DN) {
        if (values_next_bytes(&v, &b)) mask(f->sample, str_of(b));
    } else if (v.type == ATTR_SID || v.type == ATTR_GUID || v.type == ATTR_BINARY) {
        if (values_next_bytes(&v, &b)) snprintf(f->sample, sizeof f->sample, "%zu bytes", b.len);
    } else if (values_next_int(&v, &n)) {
        mask_number(f->sample, v.type, n);
    }
}

static struct fill *add(struct fills *f, enum kind kind, const struct values *v)
{
    GROW(f->list, f->n, f->cap, 64);
    struct fill *x = &f->list[f->n++];
    *x = (struct fill){.kind = kind, .number = v->id, .type = v->type, .is_multi = v->is_multi};
    snprintf(x->name, sizeof x->name, "%.*s", STR_FMT(v->name));
    make_sample(x, *v);
    return x;
}

static struct fill *custom(struct fills *f, enum kind kind, const struct values *v)
{
    for (size_t i = 0; i < f->n; i++) {
        struct fill *x = &f->list[i];
        if (x->number == ATTR_CUSTOM && x->kind == kind && str_equal(str_from(x->name), v->name)) return x;
    }
    if (v->name.len >= sizeof f->list->name || f->n_custom++ >= CUSTOM_MAX) return NULL;
    return add(f, kind, v);
}

static struct fill *known(struct fills *f, enum kind kind, const struct values *v)
{
    uint32_t *place = &f->by_number[kind][v->id];
    if (*place) return &f->list[*place - 1];
    struct fill *x = add(f, kind, v);
    *place = (uint32_t)f->n;
    return x;
}

static void add_body(struct fills *f, enum kind kind, struct bytes body)
{
    struct cursor at = cursor_new(body);
    struct values v;
    while (body_next(&at, &v)) {
        bool is_known = v.id != ATTR_CUSTOM && (unsigned)v.id < ATTR_INDEX_SIZE;
        struct fill *x = is_known ? known(f, kind, &v) : custom(f, kind, &v);
        if (x) x->n++;
    }
}

void fills_add(struct fills *f, const struct record *r)
{
    if ((unsigned)r->kind >= KIND_COUNT) return;
    add_body(f, r->kind, r->state);
    add_body(f, r->kind, r->stats);
}

int fills_write(struct fills *f, struct db *d, int64_t source, struct err *e)
{
    sqlite3_stmt *s;
    try(db_take(d, SQL_FILL_CLEAR, &s, e));
    db_int(s, 1, source);
    try(db_run(d, s, e));
    for (size_t i = 0; i < f->n; i++) {
        const struct fill *x = &f->list[i];
        try(db_take(d, SQL_FILL_PUT, &s, e));
        const int64_t numbers[] = {source, x->kind, 0, x->type, x->is_multi, x->number, x->n};
        for (int k = 0; k < 7; k++)
            if (k != 2) db_int(s, k + 1, numbers[k]);
        db_text(s, 3, str_from(x->name));
        db_text(s, 8, str_from(x->sample));
        try(db_run(d, s, e));
    }
    return 0;
}
