/* frame.h - the wire between a worker and whoever started it: a socketpair today, TLS to another host later.
 *
 * A frame is u32le length (of type and payload) . u8 type . payload; at most FRAME_MAX. Pure encoding: no I/O
 * here. The stream of one read: BEGIN . (SD | RECORD . MEMBERS* | GONE | PRESENT | KIND_DONE | GAP | PROGRESS | REPAIRS | SCHEMA)* .
 * (END | ABORT).
 * Only END makes what came before it the truth. Payloads of J frames are one JSON object, see docs/wire.md.
 */
#ifndef ROLLCALL_FRAME_H
#define ROLLCALL_FRAME_H

#include "model/gap.h"
#include "model/record.h"

#define FRAME_MAX        ((size_t)64 << 20)
#define FRAME_MEMBERS_AT ((size_t)1 << 20) /* a longer member block is sent in several frames */
#define WIRE_VERSION     1

enum frame_type {
    /* to the worker */
    FRAME_JOB = 1,    /* J: what to do, settings without secrets */
    FRAME_SECRET = 2, /* lstr name . bytes */
    FRAME_GO = 3,     /* empty: job and secrets are complete */
    /* from the worker */
    FRAME_BEGIN = 16,     /* J: scope, server, domain facts */
    FRAME_SD = 17,        /* u32le number . security descriptor, self-relative (MS-DTYP 2.4.6) */
    FRAME_RECORD = 18,    /* record.h */
    FRAME_MEMBERS = 19,   /* guid . u8 more? . u32le n . block: continues the last RECORD's member list */
    FRAME_KIND_DONE = 20, /* u8 kind . u8 complete? . u64le received */
    FRAME_GAP = 21,       /* gap.h */
    FRAME_PROGRESS = 22,  /* u8 kind . u64le received in it . u64le requests . u64le bytes */
    FRAME_STEP = 23,      /* J: one step of check or discover */
    FRAME_END = 24,       /* J: counts */
    FRAME_ABORT = 25,     /* J: the error */
    FRAME_GONE = 26,      /* guid . u8 evidence: of a read of changes */
    FRAME_PRESENT = 27,   /* u8 kind . n x guid: there, but not read */
    FRAME_WATERMARK = 28, /* J: for the next job's "since"; just before END */
    FRAME_SCHEMA = 29,    /* schema.h: what the GUIDs in descriptors mean */
    FRAME_REPAIRS = 30,   /* u64le asked again . u64le throttled . u64le ms rested for it: so far */
};

struct frame {
    enum frame_type type;
    struct bytes payload;
};

/* Takes the next whole frame off *in (borrowed). 1: got one; 0: more bytes are needed; ERR_PROTO: oversized,
 * empty or of unknown type. */
int frame_next(struct frame *out, struct bytes *in, struct err *e) must_use;
/* Starts a frame at the end of out; frame_close patches its length in, or sets out->failed if it has passed FRAME_MAX.
 * No other frame may start in between. */
size_t frame_open(struct buf *out, enum frame_type type);
void frame_close(struct buf *out, size_t opened);

struct members_part {
    uint8_t guid[GUID_SIZE];
    bool more;
    struct dn_list list;
};
void members_encode(struct buf *out, const struct members_part *m);
int members_decode(struct members_part *out, struct bytes in, struct err *e) must_use;

#endif
