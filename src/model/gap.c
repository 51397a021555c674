#include "model/gap.h"

#include "base/cursor.h"

const char *gap_severity_name(enum gap_severity s)
{
    return s == GAP_LOSS ? "loss" : "info";
}

void gap_encode(struct buf *out, const struct gap *g)
{
    buf_add_byte(out, (uint8_t)g->kind);
    buf_add_byte(out, (uint8_t)g->severity);
    buf_add_lstr(out, bytes_of(g->what));
    buf_add_lstr(out, bytes_of(g->where));
    buf_add_lstr(out, bytes_of(g->fix));
}

int gap_decode(struct gap *out, struct bytes in, struct err *e)
{
    struct cursor c = cursor_new(in);
    uint8_t kind = cursor_u8(&c), severity = cursor_u8(&c);
    out->kind = (enum kind)kind;
    out->severity = severity ? GAP_LOSS : GAP_INFO;
    out->what = str_of(cursor_lstr(&c));
    out->where = str_of(cursor_lstr(&c));
    out->fix = str_of(cursor_lstr(&c));
    if (c.failed || c.in.len || kind >= KIND_COUNT || severity > 1)
        return err_set(e, ERR_PROTO, "malformed gap");
    return 0;
}
