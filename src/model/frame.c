#include "model/frame.h"

static bool is_known(uint8_t type)
{
    return (type >= FRAME_JOB && type <= FRAME_GO) || (type >= FRAME_BEGIN && type <= FRAME_REPAIRS);
}

int frame_next(struct frame *out, struct bytes *in, struct err *e)
{
    struct cursor c = cursor_new(*in);
    uint32_t len = cursor_u32le(&c);
    if (c.failed) return 0;
    if (len < 1 || len > FRAME_MAX) return err_set(e, ERR_PROTO, "frame of %u bytes", len);
    if (c.in.len && !is_known(c.in.ptr[0]))
        return err_set(e, ERR_PROTO, "frame of unknown type %u", c.in.ptr[0]);
    struct bytes body = cursor_bytes(&c, len);
    if (c.failed) return 0;
    out->type = (enum frame_type)body.ptr[0];
    out->payload = (struct bytes){body.ptr + 1, body.len - 1};
    *in = c.in;
    return 1;
}

size_t frame_open(struct buf *out, enum frame_type type)
{
    size_t opened = out->len;
    buf_add_u32le(out, 0);
    buf_add_byte(out, (uint8_t)type);
    return opened;
}

void frame_close(struct buf *out, size_t opened)
{
    if (out->failed) return;
    size_t len = out->len - opened - 4;
    if (len > FRAME_MAX) { /* the other end would refuse it */
        out->failed = true;
        return;
    }
    for (unsigned i = 0; i < 4; i++) out->ptr[opened + i] = (uint8_t)(len >> (8 * i));
}

void members_encode(struct buf *out, const struct members_part *m)
{
    buf_add(out, m->guid, GUID_SIZE);
    buf_add_byte(out, m->more);
    buf_add_u32le(out, m->list.n);
    buf_add_bytes(out, m->list.block);
}

int members_decode(struct members_part *out, struct bytes in, struct err *e)
{
    struct cursor c = cursor_new(in);
    struct bytes guid = cursor_bytes(&c, GUID_SIZE);
    out->more = cursor_u8(&c) != 0;
    out->list.n = cursor_u32le(&c);
    out->list.block = c.in;
    if (c.failed || !dn_list_is_whole(out->list)) return err_set(e, ERR_PROTO, "malformed member list");
    memcpy(out->guid, guid.ptr, GUID_SIZE);
    return 0;
}
