/* emit.c - frames to a descriptor, 256 KiB at a time; each descriptor once. */
#include "base/hash.h"
#include "base/when.h"
#include "model/sd.h"
#include "source/source.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define EMIT_AT        ((size_t)256 << 10)
#define PROGRESS_EVERY 250  /* ms */
#define SD_SLOTS       8192 /* a power of two */
#define SD_PROBES      4
#define SD_BYTES       ((size_t)24 << 20) /* of descriptors kept to compare with */
#define SD_MAX         ((size_t)1 << 20)  /* of one; a controller's own limit is 64 KiB */

struct known_sd {
    uint64_t hash;
    uint32_t number; /* 0: free */
    uint32_t len;
    uint8_t *bytes;
};

struct emit {
    int fd;
    bool is_socket, is_gone;
    struct buf out;
    struct bytes hidden; /* the secret that must not be quoted */
    int64_t progress_at; /* monotonic ms of the last one that left */
    uint64_t n_repairs;  /* as told last */
    struct known_sd *last, *sds;
    size_t sd_bytes;
    uint32_t n_sds; /* numbers given */
    uint64_t seed[2];
};

int emit_open(struct emit **out, int fd, struct err *e)
{
    int type;
    socklen_t len = sizeof type;
    struct emit *m = x_zalloc(sizeof *m);
    m->fd = fd;
    m->is_socket = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
    if (!m->is_socket && errno == EBADF) {
        free(m);
        return err_set(e, ERR_BUG, "descriptor %d is not open", fd);
    }
    m->out = buf_new(FRAME_MAX + EMIT_AT + 64);
    m->sds = x_zalloc(SD_SLOTS * sizeof *m->sds);
    memcpy(m->seed, hash_process_key()->bytes, sizeof m->seed);
    *out = m;
    return 0;
}

void emit_close(struct emit *m)
{
    if (!m) return;
    for (size_t i = 0; i < SD_SLOTS; i++) free(m->sds[i].bytes);
    free(m->sds);
    buf_free(&m->out);
    free(m);
}

void emit_conceal(struct emit *m, struct bytes secret)
{
    m->hidden = secret.len >= 4 ? secret : (struct bytes){NULL, 0};
}

static void conceal(const struct emit *m, uint8_t *text, size_t len)
{
    uint8_t *at = text;
    while (m->hidden.len && (at = memmem(at, len - (size_t)(at - text), m->hidden.ptr, m->hidden.len))) memset(at, '*', m->hidden.len);
}

/* --- writing ------------------------------------------------------------------------------------------- */

static ssize_t write_some(struct emit *m, struct bytes b)
{
    return m->is_socket ? send(m->fd, b.ptr, b.len, MSG_NOSIGNAL) : write(m->fd, b.ptr, b.len);
}

static int gone(struct emit *m, int saved_errno, struct err *e)
{
    m->is_gone = true;
    return err_errno(e, ERR_CANCEL, saved_errno, "the reader of the records went away");
}

static int flush(struct emit *m, struct err *e)
{
    if (m->is_gone) return err_set(e, ERR_CANCEL, "the reader of the records went away");
    if (m->out.failed) return err_set(e, ERR_LIMIT, "one entity is larger than %zu MiB", FRAME_MAX >> 20);
    struct bytes left = buf_bytes(&m->out);
    while (left.len) {
        ssize_t n = write_some(m, left);
        if (n > 0) {
            left.ptr += n;
            left.len -= (size_t)n;
        } else if (n < 0 && errno == EAGAIN) {
            struct pollfd p = {.fd = m->fd, .events = POLLOUT};
            poll(&p, 1, -1);
        } else if (n == 0 || errno != EINTR) {
            return gone(m, n ? errno : EPIPE, e);
        }
    }
    buf_clear(&m->out);
    return 0;
}

/* An oversized frame is taken back, so that the stream stays whole. */
static int finish(struct emit *m, size_t opened, struct err *e)
{
    if (m->out.failed || m->out.len - opened - 4 > FRAME_MAX) {
        m->out.failed = false;
        m->out.len = opened;
        return err_set(e, ERR_LIMIT, "one entity is larger than %zu MiB", FRAME_MAX >> 20);
    }
    frame_close(&m->out, opened);
    if (m->is_gone) return err_set(e, ERR_CANCEL, "the reader of the records went away");
    return m->out.len >= EMIT_AT ? flush(m, e) : 0;
}

static int emit_json(struct emit *m, enum frame_type type, const json_t *object, struct err *e)
{
    char *text = json_dumps(object, JSON_COMPACT);
    if (!text) return err_set(e, ERR_BUG, "a frame of type %d cannot be written as JSON", type);
    size_t at = frame_open(&m->out, type);
    buf_add_str(&m->out, str_from(text));
    free(text);
    try(finish(m, at, e));
    return flush(m, e);
}

/* --- descriptors --------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 p = (unsigned __int128)a * b;
    return (uint64_t)p ^ (uint64_t)(p >> 64);
}

/* Fast, seeded, not cryptographic: equality is decided by comparing, so collisions only cost a number. Four
 * lanes, since one multiplication has to wait for the one before. */
static uint64_t sd_hash(const struct emit *m, struct bytes b)
{
    uint64_t h[4] = {m->seed[0], m->seed[1], ~m->seed[0], ~m->seed[1]}, w[8];
    for (; b.len >= sizeof w; b.ptr += sizeof w, b.len -= sizeof w) {
        memcpy(w, b.ptr, sizeof w);
        for (unsigned i = 0; i < 4; i++) h[i] = mix(w[2 * i] ^ m->seed[1], w[2 * i + 1] ^ h[i]);
    }
    memset(w, 0, sizeof w);
    memcpy(w, b.ptr, b.len);
    w[7] ^= b.len;
    for (unsigned i = 0; i < 4; i++) h[i] = mix(w[2 * i] ^ m->seed[1], w[2 * i + 1] ^ h[i]);
    return mix(h[0] ^ h[1], h[2] ^ h[3] ^ m->seed[0]) ^ mix(h[0] + h[2], h[1] + h[3]);
}

static bool is_same(const struct known_sd *k, struct bytes sd)
{
    return k && k->number && k->len == sd.len && memcmp(k->bytes, sd.ptr, sd.len) == 0;
}

static void forget_all(struct emit *m)
{
    for (size_t i = 0; i < SD_SLOTS; i++) {
        free(m->sds[i].bytes);
        m->sds[i] = (struct known_sd){0};
    }
    m->sd_bytes = 0;
    m->last = NULL;
}

/* The slot that has it, else the one to use for it: a free one or, of a full group, one picked by the hash.
 */
static struct known_sd *sd_slot(struct emit *m, struct bytes sd, uint64_t hash)
{
    struct known_sd *use = NULL;
    for (size_t i = 0; i < SD_PROBES; i++) {
        struct known_sd *k = &m->sds[(hash + i) & (SD_SLOTS - 1)];
        if (k->number && k->hash == hash && is_same(k, sd)) return k;
        if (!k->number && !use) use = k;
    }
    return use ? use : &m->sds[(hash + (hash >> 62)) & (SD_SLOTS - 1)];
}

static int send_sd(struct emit *m, struct bytes sd, uint32_t number, struct err *e)
{
    size_t at = frame_open(&m->out, FRAME_SD);
    buf_add_u32le(&m->out, number);
    buf_add_bytes(&m->out, sd);
    return finish(m, at, e);
}

int emit_sd(struct emit *m, struct bytes sd, uint32_t *number, struct err *e)
{
    struct sd decoded;
    struct err why;
    *number = 0;
    if (!sd.len) return 0;
    if (is_same(m->last, sd)) {
        *number = m->last->number;
        return 0;
    }
    uint64_t hash = sd_hash(m, sd);
    struct known_sd *k = sd_slot(m, sd, hash);
    if (!k->number || k->hash != hash || !is_same(k, sd)) {
        if (sd.len > SD_MAX || sd_decode(&decoded, sd, &why) < 0) return 0;
        if (m->sd_bytes + sd.len > SD_BYTES) {
            forget_all(m);
            k = sd_slot(m, sd, hash);
        }
        try(send_sd(m, sd, m->n_sds + 1, e));
        m->sd_bytes += sd.len - k->len;
        k->bytes = x_realloc(k->bytes, sd.len);
        memcpy(k->bytes, sd.ptr, sd.len);
        k->len = (uint32_t)sd.len;
        k->hash = hash;
        k->number = ++m->n_sds;
    }
    m->last = k;
    *number = k->number;
    return 0;
}

/* --- records ------------------------------------------------------------------------------------------- */

static int send_members(struct emit *m, const struct members_part *p, struct err *e)
{
    size_t at = frame_open(&m->out, FRAME_MEMBERS);
    members_encode(&m->out, p);
    return finish(m, at, e);
}

/* As many DNs of *rest as fit in one frame. */
static struct dn_list take_some(struct dn_list *rest)
{
    struct dn_list all = *rest, part = {0, rest->block};
    struct str dn;
    while (dn_list_next(rest, &dn)) {
        part.n++;
        if (all.block.len - rest->block.len >= FRAME_MEMBERS_AT) break;
    }
    part.block.len = all.block.len - rest->block.len;
    return part;
}

static int send_rest(struct emit *m, const uint8_t guid[GUID_SIZE], struct dn_list rest, bool more,
                     struct err *e)
{
    struct members_part p;
    memcpy(p.guid, guid, GUID_SIZE);
    do {
        p.list = take_some(&rest);
        p.more = more || rest.n > 0;
        try(send_members(m, &p, e));
    } while (rest.n);
    return 0;
}

int emit_record(struct emit *m, const struct record *r, struct err *e)
{
    struct record first = *r;
    struct dn_list rest = r->member;
    bool is_long = r->member.block.len > FRAME_MEMBERS_AT;
    if (is_long) {
        first.member = take_some(&rest);
        first.flags |= RECORD_MORE_MEMBERS;
    }
    size_t at = frame_open(&m->out, FRAME_RECORD);
    record_encode(&m->out, &first);
    try(finish(m, at, e));
    return is_long ? send_rest(m, r->guid, rest, (r->flags & RECORD_MORE_MEMBERS) != 0, e) : 0;
}

int emit_members(struct emit *m, const struct members_part *p, struct err *e)
{
    return send_rest(m, p->guid, p->list, p->more, e);
}

/* --- the rest ------------------------------------------------------------------------------------------ */

int emit_begin(struct emit *m, json_t *facts, struct err *e)
{
    return emit_json(m, FRAME_BEGIN, facts, e);
}

int emit_watermark(struct emit *m, const json_t *watermark, struct err *e)
{
    return emit_json(m, FRAME_WATERMARK, watermark, e);
}

int emit_schema(struct emit *m, struct bytes schema, struct err *e)
{
    size_t at = frame_open(&m->out, FRAME_SCHEMA);
    buf_add_bytes(&m->out, schema);
    return finish(m, at, e);
}

int emit_gap(struct emit *m, const struct gap *g, struct err *e)
{
    size_t at = frame_open(&m->out, FRAME_GAP);
    size_t from = m->out.len;
    gap_encode(&m->out, g);
    if (m->out.len > from) conceal(m, m->out.ptr + from, m->out.len - from);
    return finish(m, at, e);
}

int emit_gone(struct emit *m, const uint8_t guid[GUID_SIZE], enum evidence v, struct err *e)
{
    size_t at = frame_open(&m->out, FRAME_GONE);
    buf_add(&m->out, guid, GUID_SIZE);
    buf_add_byte(&m->out, (uint8_t)v);
    return finish(m, at, e);
}

int emit_present(struct emit *m, enum kind k, struct bytes guids, struct err *e)
{
    size_t at = frame_open(&m->out, FRAME_PRESENT);
    buf_add_byte(&m->out, (uint8_t)k);
    buf_add_bytes(&m->out, guids);
    return finish(m, at, e);
}

int emit_kind_done(struct emit *m, enum kind k, bool complete, uint64_t received, struct err *e)
{
    size_t at = frame_open(&m->out, FRAME_KIND_DONE);
    buf_add_byte(&m->out, (uint8_t)k);
    buf_add_byte(&m->out, complete);
    buf_add_u64le(&m->out, received);
    return finish(m, at, e);
}

int emit_progress(struct emit *m, enum kind k, uint64_t received, uint64_t requests, uint64_t bytes,
                  struct err *e)
{
    int64_t now = when_monotonic_ms();
    if (m->progress_at && now - m->progress_at < PROGRESS_EVERY) return 0;
    m->progress_at = now;
    size_t at = frame_open(&m->out, FRAME_PROGRESS);
    buf_add_byte(&m->out, (uint8_t)k);
    buf_add_u64le(&m->out, received);
    buf_add_u64le(&m->out, requests);
    buf_add_u64le(&m->out, bytes);
    try(finish(m, at, e));
    return flush(m, e); /* a slow directory shall be seen to move */
}

int emit_repairs(struct emit *m, uint64_t repeated, uint64_t throttled, uint64_t rested_ms, struct err *e)
{
    if (repeated + throttled == m->n_repairs) return 0;
    m->n_repairs = repeated + throttled;
    size_t at = frame_open(&m->out, FRAME_REPAIRS);
    buf_add_u64le(&m->out, repeated);
    buf_add_u64le(&m->out, throttled);
    buf_add_u64le(&m->out, rested_ms);
    return finish(m, at, e);
}

/* What a server wrote may be no UTF-8: its other bytes are still worth reading. */
static void set_text(json_t *object, const char *key, const char *text)
{
    if (!text) return;
    json_t *v = json_string(text);
    if (!v) {
        char *copy defer_free = x_strdup(str_from(text));
        for (char *c = copy; *c; c++)
            if ((unsigned char)*c >= 0x80) *c = '?';
        v = json_string(copy);
    }
    json_object_set_new(object, key, v);
}

/* A text that may hold what a server wrote. */
static void set_said(const struct emit *m, json_t *object, const char *key, const char *text)
{
    if (!text) return;
    char *copy defer_free = x_strdup(str_from(text));
    conceal(m, (uint8_t *)copy, strlen(copy));
    set_text(object, key, copy);
}

int emit_step(struct emit *m, const struct step *s, struct err *e)
{
    static const char *const verdicts[] = {"ok", "warn", "fail", "skip"};
    json_t *j = json_object();
    set_text(j, "name", s->name);
    set_text(j, "verdict", verdicts[s->verdict]);
    set_said(m, j, "evidence", s->evidence);
    set_said(m, j, "fix", s->fix);
    if (s->class) set_text(j, "class", err_class_name(s->class));
    json_object_set_new(j, "took_ms", json_integer(s->took_ms));
    if (s->detail) json_object_set(j, "detail", s->detail);
    int rc = emit_json(m, FRAME_STEP, j, e);
    json_decref(j);
    return rc;
}

int emit_end(struct emit *m, uint64_t requests, uint64_t bytes, const char *server, struct err *e)
{
    json_t *j = json_pack("{s:I, s:I}", "requests", (json_int_t)requests, "bytes", (json_int_t)bytes);
    set_text(j, "server", server);
    int rc = emit_json(m, FRAME_END, j, e);
    json_decref(j);
    return rc;
}

void emit_abort(struct emit *m, const struct err *why)
{
    struct err ignored;
    json_t *j = json_pack("{s:i, s:i, s:I}", "domain", why->domain, "code", why->code, "retry_at_ms",
                          (json_int_t)why->retry_at_ms);
    set_text(j, "class", err_class_name(why->class));
    set_said(m, j, "message", why->message);
    if (*why->hint) set_said(m, j, "hint", why->hint);
    (void)emit_json(m, FRAME_ABORT, j, &ignored);
    json_decref(j);
}
