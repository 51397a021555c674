#include "cmd/step.h"

#include "cmd/out.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *mark(const char *verdict, bool color)
{
    switch (verdict[0]) {
    case 'o': return color ? "\033[32m✓\033[0m" : "ok  ";
    case 'w': return color ? "\033[33m⚠\033[0m" : "WARN";
    case 'f': return color ? "\033[31m✗\033[0m" : "FAIL";
    default: return color ? "–" : "skip";
    }
}

static void print_text(const char *text)
{
    struct buf b = buf_new(65536);
    out_visible(&b, str_from(text));
    puts(buf_cstr(&b));
    buf_free(&b);
}

void step_print(const json_t *step)
{
    bool color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    const char *fix = json_string_value(json_object_get(step, "fix"));
    printf("%s %-12s %6lld ms  ", mark(json_string_value(json_object_get(step, "verdict")), color),
           json_string_value(json_object_get(step, "name")), (long long)json_integer_value(json_object_get(step, "took_ms")));
    print_text(json_string_value(json_object_get(step, "evidence")));
    if (fix && *fix) {
        printf("    fix: ");
        print_text(fix);
    }
    fflush(stdout);
}

static const struct out_column columns[] = {{"name", NULL}, {"verdict", NULL}, {"took_ms", NULL}, {"evidence", NULL}, {"fix", NULL}, {NULL, NULL}};

int step_row(struct cli *c, const json_t *step, struct err *e)
{
    struct out *o;
    try(out_open(&o, c, columns, e));
    int rc = out_finish(o, out_row(o, json_incref((json_t *)step), e), e);
    fflush(stdout);
    return rc;
}

int step_rows(struct cli *c, const char *subject, const char *name, json_t *steps, bool is_ok, struct err *e)
{
    if (c->format != OUT_JSON) return out_list(c, columns, steps, e);
    return out_object(c, json_pack("{s:s, s:b, s:O}", subject, name, "ok", is_ok, "steps", steps), e);
}
