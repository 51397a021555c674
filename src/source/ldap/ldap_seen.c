#include "source/ldap/ldap_seen.h"

#include "base/file.h"

#include <errno.h>
#include <unistd.h>

#define PENDING_MAX ((size_t)64 << 10)

struct ldap_seen seen_new(void)
{
    return (struct ldap_seen){.fd = -1, .pending = buf_new(PENDING_MAX)};
}

void seen_free(struct ldap_seen *s)
{
    if (s->fd >= 0) close(s->fd);
    s->fd = -1;
    buf_free(&s->pending);
    hmap_free(&s->set);
}

static void put(struct ldap_seen *s, const uint8_t guid[GUID_SIZE])
{
    bool is_new;
    hmap_put(&s->set, hash128_fast((struct bytes){guid, GUID_SIZE}), &is_new);
}

static void write_out(struct ldap_seen *s)
{
    struct err e;
    if (!s->broken.class && ((s->fd < 0 && file_spill(&s->fd, &e) < 0) ||
                             file_spill_write(s->fd, buf_bytes(&s->pending), &e) < 0))
        s->broken = e;
    buf_clear(&s->pending);
}

void seen_add(struct ldap_seen *s, const uint8_t guid[GUID_SIZE])
{
    buf_add(&s->pending, guid, GUID_SIZE);
    s->n++;
    if (s->is_loaded) put(s, guid);
    if (s->pending.len == PENDING_MAX) write_out(s);
}

static int read_file(struct ldap_seen *s, struct err *e)
{
    uint8_t chunk[PENDING_MAX];
    off_t at = 0;
    for (;;) {
        ssize_t n = pread(s->fd, chunk, sizeof chunk, at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return err_errno(e, ERR_LIMIT, errno, "temporary file");
        n -= n % GUID_SIZE; /* a short read may end within one */
        if (n == 0) return 0;
        for (ssize_t i = 0; i < n; i += GUID_SIZE) put(s, chunk + i);
        at += n;
    }
}

int seen_load(struct ldap_seen *s, struct err *e)
{
    if (s->broken.class) {
        *e = s->broken;
        return err_wrap(e, "the listing cannot start over");
    }
    s->is_loaded = true;
    for (size_t i = 0; i < s->pending.len; i += GUID_SIZE) put(s, s->pending.ptr + i);
    return s->fd < 0 ? 0 : read_file(s, e);
}

bool seen_has(const struct ldap_seen *s, const uint8_t guid[GUID_SIZE])
{
    return s->is_loaded && hmap_find(&s->set, hash128_fast((struct bytes){guid, GUID_SIZE}));
}
