/* progress.h - what a run is doing, on standard error: a line that rewrites itself on a terminal, JSON Lines elsewhere.
 *
 * Counts first, a rate when there is one; never on standard output. --progress auto|json|none.
 */
#ifndef ROLLCALL_PROGRESS_H
#define ROLLCALL_PROGRESS_H

#include "cmd/cli.h"
#include "run/facts.h"

struct progress {
    enum { PROGRESS_NONE, PROGRESS_LINE, PROGRESS_JSON } mode;
    const char *connector;
    int64_t started_ms, shown_ms; /* monotonic */
    uint64_t expected[KIND_COUNT]; /* of the last run; 0: unknown */
    bool is_shown;
    const struct stream_report *report;
    enum kind now; /* of what moved last */
};
/* Fills report->progress. expected may be NULL. */
void progress_start(struct progress *p, const struct cli *c, const char *connector, const uint64_t *expected,
                    struct stream_report *report);
void progress_phase(struct progress *p, const char *phase); /* of what follows the run */
void progress_stop(struct progress *p); /* clears the line */

/* After a run, to standard error: kinds and counts, gaps with severity and fix. Returns true if any gap is a loss. */
bool report_gaps(const struct stream_report *report);

#endif
