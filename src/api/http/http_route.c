#include "api/http/http_route.h"

#include "api/http/http_schema.h"

#include <stdlib.h>

static bool is_capture(struct str s)
{
    return s.len > 2 && s.ptr[0] == '{';
}

int path_split(struct split *out, struct str path, struct err *e)
{
    out->n = 0;
    if (!path.len || path.ptr[0] != '/') return err_set(e, ERR_INPUT, "the request names no path");
    for (size_t i = 0; i < path.len; i++)
        if (path.ptr[i] <= ' ' || path.ptr[i] > '~') return err_set(e, ERR_INPUT, "the path holds a character that must be percent-encoded");
    struct str left = {path.ptr + 1, path.len - 1};
    for (;;) {
        size_t at = str_index(left, '/');
        if (out->n == PATH_SEGMENTS) return err_set(e, ERR_INPUT, "the path has too many parts");
        out->segments[out->n++] = (struct str){left.ptr, at};
        if (at == left.len) return 0;
        left = (struct str){left.ptr + at + 1, left.len - at - 1};
    }
}

/* Literal segments before captures, so that /connectors/judge is not the connector "judge". */
static int by_literals(const void *a, const void *b)
{
    const struct compiled *x = a, *y = b;
    for (unsigned i = 0; i < x->n_segments && i < y->n_segments; i++) {
        int d = is_capture(x->segments[i]) - is_capture(y->segments[i]);
        if (d) return d;
    }
    return 0;
}

static int compile_one(struct compiled *out, const struct route *route, struct err *e)
{
    struct split s;
    *out = (struct compiled){.route = route};
    unsigned captures = 0;
    try(path_split(&s, str_from(route->pattern), e));
    out->n_segments = s.n;
    for (unsigned i = 0; i < s.n; i++) {
        out->segments[i] = s.segments[i];
        captures += is_capture(s.segments[i]);
    }
    if (captures > REQUEST_CAPTURES) return err_set(e, ERR_BUG, "more than %d captures", REQUEST_CAPTURES);
    if (!route->body) return 0;
    json_error_t je;
    out->schema = json_loads(route->body, JSON_REJECT_DUPLICATES, &je);
    return out->schema ? schema_lint(out->schema, e) : err_set(e, ERR_BUG, "schema of the body: %s at %d", je.text, je.position);
}

int routes_compile(struct routes *out, struct err *e)
{
    *out = (struct routes){0};
    size_t cap = 0;
    for (const struct route *const *t = route_tables; *t; t++) {
        for (const struct route *r = *t; r->pattern; r++) {
            GROW(out->list, out->n, cap, 64);
            if (compile_one(&out->list[out->n++], r, e) < 0) {
                err_wrap(e, "%s %s", r->method, r->pattern);
                routes_free(out);
                return e->class;
            }
        }
    }
    if (out->n) qsort(out->list, out->n, sizeof *out->list, by_literals);
    return 0;
}

void routes_free(struct routes *r)
{
    for (size_t i = 0; i < r->n; i++) json_decref(r->list[i].schema);
    free(r->list);
    *r = (struct routes){0};
}

static bool fits(const struct compiled *c, const struct split *path)
{
    if (c->n_segments != path->n) return false;
    for (unsigned i = 0; i < path->n; i++) {
        bool ok = is_capture(c->segments[i]) ? path->segments[i].len > 0 : str_equal(c->segments[i], path->segments[i]);
        if (!ok) return false;
    }
    return true;
}

const struct compiled *routes_find(const struct routes *r, const char *method, const struct split *path, char allowed[64])
{
    struct buf list = buf_new(60);
    const struct compiled *found = NULL;
    for (size_t i = 0; i < r->n && !found; i++) {
        const struct compiled *c = &r->list[i];
        if (!fits(c, path)) continue;
        if (strcmp(c->route->method, method) == 0)
            found = c;
        else if (!strstr(buf_cstr(&list), c->route->method))
            buf_printf(&list, "%s%s", list.len ? ", " : "", c->route->method);
    }
    size_t n = list.len < 63 ? list.len : 63;
    memcpy(allowed, buf_cstr(&list), n);
    allowed[n] = 0;
    buf_free(&list);
    return found;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int percent_decode(char *out, size_t size, struct str in, struct err *e)
{
    size_t n = 0;
    for (size_t i = 0; i < in.len; i++) {
        char c = in.ptr[i];
        if (c == '%') {
            int high = i + 2 < in.len ? hex_digit(in.ptr[i + 1]) : -1, low = i + 2 < in.len ? hex_digit(in.ptr[i + 2]) : -1;
            if (high < 0 || low < 0) return err_set(e, ERR_INPUT, "a percent sign without two hexadecimal digits");
            c = (char)(high << 4 | low);
            i += 2;
        }
        if ((uint8_t)c < 0x20 || c == 0x7f) return err_set(e, ERR_INPUT, "a control character");
        if (n + 1 >= size) return err_set(e, ERR_INPUT, "longer than %zu bytes", size - 1);
        out[n++] = c;
    }
    out[n] = 0;
    return str_is_utf8((struct str){out, n}) ? 0 : err_set(e, ERR_INPUT, "not UTF-8");
}

/* --- cookies --------------------------------------------------------------------------------------------------- */

static struct str next_part(struct str *left)
{
    size_t end = str_index(*left, ';');
    struct str part = str_trim((struct str){left->ptr, end});
    *left = end < left->len ? (struct str){left->ptr + end + 1, left->len - end - 1} : (struct str){NULL, 0};
    return part;
}

bool cookie_find(char *out, size_t size, struct str header, const char *name)
{
    unsigned n = 0;
    bool fits = false;
    while (header.len) {
        struct str part = next_part(&header);
        size_t at = str_index(part, '=');
        if (at == part.len || !str_equal((struct str){part.ptr, at}, str_from(name))) continue;
        struct str value = {part.ptr + at + 1, part.len - at - 1};
        fits = value.len && value.len < size && !memchr(value.ptr, 0, value.len);
        if (!n++ && fits) {
            memcpy(out, value.ptr, value.len);
            out[value.len] = 0;
        }
    }
    return n == 1 && fits;
}
