/* facts.h - the BEGIN frame's facts about a domain, as struct domain_info, and the report of one stream.
 */
#ifndef ROLLCALL_FACTS_H
#define ROLLCALL_FACTS_H

#include "base/arena.h"
#include "model/derive.h"
#include "model/gap.h"

#include <jansson.h>

/* Strings are copied into the arena. ERR_PROTO: not an object, or a malformed SID. */
int facts_domain(struct domain_info *out, const json_t *facts, struct arena *a, struct err *e) must_use;

/* Does the setting `kinds` leave out somebody of these kinds? */
bool facts_leave_out(const json_t *settings, kind_set kinds);

/* Gaps kept for the report at the end of a command, at most 200 (the rest is counted). */
struct gap_list {
    struct arena text;
    struct gap list[200];
    size_t n;
    unsigned n_info, n_loss; /* all, kept or not */
};
struct gap_list *gap_list_new(void);
void gap_list_free(struct gap_list *l);
void gap_list_add(struct gap_list *l, const struct gap *g);

/* What a command wants to know of a stream under way and when it is over. */
struct stream_report {
    uint64_t received[KIND_COUNT];
    bool complete[KIND_COUNT], asked[KIND_COUNT];
    uint64_t requests, bytes;
    uint64_t repeated, throttled, rested_ms; /* what was asked again, and why it took longer */
    char server[256];
    struct gap_list *gaps;
    /* called when something moved, or has just become known; may be NULL */
    void (*progress)(void *ctx, const struct stream_report *r, enum kind now);
    void (*run)(void *ctx, int64_t run);
    void (*phase)(void *ctx, const char *phase); /* "sign_in", "read", "read_touched", "make_visible", "access" */
    void (*gap)(void *ctx, const struct gap *g);
    void *progress_ctx;
};

/* What the stream's frames say goes in by these; each but the last tells progress. */
void report_kind_done(struct stream_report *r, enum kind k, bool complete, uint64_t received);
void report_progress(struct stream_report *r, enum kind k, uint64_t received, uint64_t requests, uint64_t bytes);
void report_end(struct stream_report *r, const json_t *facts);

void report_begun(const struct stream_report *r, int64_t run);
void report_phase(const struct stream_report *r, const char *phase);
void report_gap(const struct stream_report *r, const struct gap *g); /* kept in gaps too */

#endif
