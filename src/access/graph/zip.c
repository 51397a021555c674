#include "access/graph/zip.h"

#include "base/file.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define FLUSH_AT       ((size_t)256 << 10)
#define PIECE_MAX      ((size_t)64 << 20)
#define LOCAL_HEADER   0x04034b50u
#define CENTRAL_HEADER 0x02014b50u
#define END_64         0x06064b50u
#define LOCATOR_64     0x07064b50u
#define END            0x06054b50u
#define NEEDS_64       45 /* version needed to extract */
#define NEEDS_PLAIN    10
#define FIRST_DAY      0x0021 /* 1980-01-01 */
#define MADE_BY_UNIX   (3u << 8 | NEEDS_64)
#define ID_64          1 /* of the extra field */
#define FULL           UINT32_MAX

struct zip_entry_row {
    char name[ZIP_NAME_MAX + 1];
    uint64_t start, size;
    uint32_t crc;
};
struct zip {
    int fd;
    struct buf buf;
    uint64_t at; /* bytes of the file so far */
    struct zip_entry_row entries[ZIP_ENTRIES_MAX];
    size_t n;
};

/* CRC-32 of IEEE 802.3, reflected; one table, made once. */
static const uint32_t *crc_table(void)
{
    static uint32_t table[256];
    if (table[1]) return table;
    for (uint32_t i = 256; i-- > 0;) { /* [1] last: it says that the table is there */
        uint32_t c = i;
        for (int k = 0; k < 8; k++) c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
        table[i] = c;
    }
    return table;
}

uint32_t zip_crc32(uint32_t before, struct bytes b)
{
    const uint32_t *table = crc_table();
    uint32_t c = ~before;
    for (size_t i = 0; i < b.len; i++) c = table[(c ^ b.ptr[i]) & 0xff] ^ (c >> 8);
    return ~c;
}

struct zip *zip_new(int fd)
{
    struct zip *z = x_zalloc(sizeof *z);
    z->fd = fd;
    z->buf = buf_new(PIECE_MAX + FLUSH_AT);
    return z;
}

void zip_free(struct zip *z)
{
    if (!z) return;
    buf_free(&z->buf);
    free(z);
}

struct buf *zip_buf(struct zip *z)
{
    return &z->buf;
}

static int put(struct zip *z, struct bytes b, struct err *e)
{
    try(file_write_all(z->fd, b, e));
    z->at += b.len;
    return 0;
}

static int flush(struct zip *z, struct err *e)
{
    if (z->buf.failed) return err_set(e, ERR_LIMIT, "one row is larger than %zu MiB", PIECE_MAX >> 20);
    if (!z->buf.len) return 0;
    if (!z->n) return err_set(e, ERR_BUG, "content before the first entry");
    struct zip_entry_row *row = &z->entries[z->n - 1];
    row->crc = zip_crc32(row->crc, buf_bytes(&z->buf));
    row->size += z->buf.len;
    try(put(z, buf_bytes(&z->buf), e));
    buf_clear(&z->buf);
    return 0;
}

int zip_wrote(struct zip *z, struct err *e)
{
    return z->buf.failed || z->buf.len >= FLUSH_AT ? flush(z, e) : 0;
}

/* 4.3.7. The sizes are in a ZIP64 field always, since there must be room for them before they are known. */
static void add_local(struct buf *out, const struct zip_entry_row *row)
{
    buf_add_u32le(out, LOCAL_HEADER);
    buf_add_u16le(out, NEEDS_64);
    buf_add_u16le(out, 0); /* flags */
    buf_add_u16le(out, 0); /* stored */
    buf_add_u16le(out, 0);
    buf_add_u16le(out, FIRST_DAY);
    buf_add_u32le(out, row->crc);
    buf_add_u32le(out, FULL);
    buf_add_u32le(out, FULL);
    buf_add_u16le(out, (uint16_t)strlen(row->name));
    buf_add_u16le(out, 20);
    buf_add_str(out, str_from(row->name));
    buf_add_u16le(out, ID_64);
    buf_add_u16le(out, 16);
    buf_add_u64le(out, row->size);
    buf_add_u64le(out, row->size);
}

static int rewrite(int fd, struct bytes b, uint64_t at, struct err *e)
{
    for (size_t done = 0; done < b.len;) {
        ssize_t n = pwrite(fd, b.ptr + done, b.len - done, (off_t)(at + done));
        if (n > 0) done += (size_t)n;
        if (n < 0 && errno != EINTR) return err_errno(e, ERR_INPUT, errno, "write");
    }
    return 0;
}

/* What was not known when the entry began. */
static int end_entry(struct zip *z, struct err *e)
{
    try(flush(z, e));
    if (!z->n) return 0;
    struct buf header = buf_new(1024);
    add_local(&header, &z->entries[z->n - 1]);
    int rc = rewrite(z->fd, buf_bytes(&header), z->entries[z->n - 1].start, e);
    buf_free(&header);
    return rc;
}

int zip_entry(struct zip *z, const char *name, struct err *e)
{
    try(end_entry(z, e));
    if (z->n == ZIP_ENTRIES_MAX || strlen(name) > ZIP_NAME_MAX)
        return err_set(e, ERR_LIMIT, "%s: no more room in the archive", name);
    struct zip_entry_row *row = &z->entries[z->n++];
    *row = (struct zip_entry_row){.start = z->at};
    memcpy(row->name, name, strlen(name));
    struct buf header = buf_new(1024);
    add_local(&header, row);
    int rc = put(z, buf_bytes(&header), e);
    buf_free(&header);
    return rc;
}

/* 4.3.12 */
static void add_central(struct buf *out, const struct zip_entry_row *row)
{
    bool is_big = row->size >= FULL, is_far = row->start >= FULL;
    unsigned extra = (is_big ? 16u : 0) + (is_far ? 8u : 0);
    buf_add_u32le(out, CENTRAL_HEADER);
    buf_add_u16le(out, MADE_BY_UNIX);
    buf_add_u16le(out, extra ? NEEDS_64 : NEEDS_PLAIN);
    buf_add_u16le(out, 0);
    buf_add_u16le(out, 0);
    buf_add_u16le(out, 0);
    buf_add_u16le(out, FIRST_DAY);
    buf_add_u32le(out, row->crc);
    buf_add_u32le(out, is_big ? FULL : (uint32_t)row->size);
    buf_add_u32le(out, is_big ? FULL : (uint32_t)row->size);
    buf_add_u16le(out, (uint16_t)strlen(row->name));
    buf_add_u16le(out, (uint16_t)(extra ? extra + 4 : 0));
    buf_add_u16le(out, 0); /* comment */
    buf_add_u16le(out, 0); /* disk */
    buf_add_u16le(out, 0);
    buf_add_u32le(out, 0x81800000u); /* a regular file, rw------- */
    buf_add_u32le(out, is_far ? FULL : (uint32_t)row->start);
    buf_add_str(out, str_from(row->name));
    if (extra) buf_add_u16le(out, ID_64);
    if (extra) buf_add_u16le(out, (uint16_t)extra);
    if (is_big) buf_add_u64le(out, row->size);
    if (is_big) buf_add_u64le(out, row->size);
    if (is_far) buf_add_u64le(out, row->start);
}

/* 4.3.14, 4.3.15 */
static void add_end_64(struct buf *out, const struct zip *z, uint64_t start, uint64_t size)
{
    buf_add_u32le(out, END_64);
    buf_add_u64le(out, 44);
    buf_add_u16le(out, MADE_BY_UNIX);
    buf_add_u16le(out, NEEDS_64);
    buf_add_u32le(out, 0);
    buf_add_u32le(out, 0);
    buf_add_u64le(out, z->n);
    buf_add_u64le(out, z->n);
    buf_add_u64le(out, size);
    buf_add_u64le(out, start);
    buf_add_u32le(out, LOCATOR_64);
    buf_add_u32le(out, 0);
    buf_add_u64le(out, start + size);
    buf_add_u32le(out, 1);
}

int zip_finish(struct zip *z, struct err *e)
{
    try(end_entry(z, e));
    struct buf out = buf_new((size_t)1 << 20);
    uint64_t start = z->at;
    for (size_t i = 0; i < z->n; i++) add_central(&out, &z->entries[i]);
    uint64_t size = out.len;
    if (start >= FULL) add_end_64(&out, z, start, size);
    buf_add_u32le(&out, END);
    buf_add_u32le(&out, 0);
    buf_add_u16le(&out, (uint16_t)z->n);
    buf_add_u16le(&out, (uint16_t)z->n);
    buf_add_u32le(&out, (uint32_t)size);
    buf_add_u32le(&out, start >= FULL ? FULL : (uint32_t)start);
    buf_add_u16le(&out, 0);
    int rc = put(z, buf_bytes(&out), e);
    buf_free(&out);
    return rc;
}
