#include "access/pairs.h"

#include "base/buf.h"

#include <errno.h>

int pair_parse(struct pair *out, struct bytes line, uint64_t number, struct err *e)
{
    json_error_t why;
    *out = (struct pair){0};
    out->json = json_loadb((const char *)line.ptr, line.len, JSON_REJECT_DUPLICATES, &why);
    if (out->json && json_unpack(out->json, "{s:s, s:s}", "principal", &out->principal, "target", &out->target) == 0) return 0;
    err_set(e, ERR_INPUT, "--pairs: line %llu is no {\"principal\": ..., \"target\": ...}: %s", (unsigned long long)number,
            out->json ? "principal or target is missing, or no text" : why.text);
    pair_free(out);
    return err_hint(e, "one JSON object a line");
}

void pair_free(struct pair *p)
{
    json_decref(p->json);
    *p = (struct pair){0};
}

/* Without its end. 1: got one; 0: the end. Never more than PAIR_LINE_MAX in memory. */
static int read_line(struct buf *line, FILE *in, uint64_t number, struct err *e)
{
    int c;
    buf_clear(line);
    while ((c = getc_unlocked(in)) != EOF && c != '\n') {
        buf_add_byte(line, (uint8_t)c);
        if (line->failed) return err_set(e, ERR_INPUT, "--pairs: line %llu is longer than 1 MiB", (unsigned long long)number);
    }
    if (ferror(in)) return err_errno(e, ERR_NET, errno, "--pairs: line %llu", (unsigned long long)number);
    if (line->len && line->ptr[line->len - 1] == '\r') line->len--;
    return c != EOF || line->len;
}

static bool is_blank(const struct buf *line)
{
    for (size_t i = 0; i < line->len; i++)
        if (line->ptr[i] != ' ' && line->ptr[i] != '\t') return false;
    return true;
}

int pairs_read(FILE *in, int (*each)(void *ctx, const struct pair *p, struct err *e), void *ctx, struct err *e)
{
    struct buf line = buf_new(PAIR_LINE_MAX);
    int rc;
    for (uint64_t number = 1; (rc = read_line(&line, in, number, e)) > 0; number++) {
        struct pair p;
        if (is_blank(&line)) continue;
        rc = pair_parse(&p, buf_bytes(&line), number, e);
        if (rc == 0) rc = each(ctx, &p, e);
        pair_free(&p);
        if (rc < 0) break;
    }
    buf_free(&line);
    return rc;
}
