/* sink.h - where events go: standard output or a file, a directory written as one set, an HTTP receiver.
 *
 * A sink says yes only when the data is safe (written and synced, or acknowledged by the peer); the caller
 * moves its cursor after that, so everything arrives at least once, and event ids let the receiver drop
 * doubles.
 */
#ifndef ROLLCALL_SINK_H
#define ROLLCALL_SINK_H

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/secret.h"

#include <signal.h>

/* --- one stream: stdout or a file ------------------------------------------------------------------- */
/* Buffers 256 KiB; a write error is sticky and reported by the next call. */
struct sink_file;
int sink_file_open(struct sink_file **out, int fd, bool close_fd, struct err *e) must_use;
/* The place to append to; call sink_file_flush_some after each line. */
struct buf *sink_file_buf(struct sink_file *f);
/* Writes when more than 256 KiB wait. ERR_NET with errno EPIPE: the reader has gone (never a SIGPIPE);
 * ERR_LIMIT: disk full, or a line longer than 64 MiB. What is out always ends at a line's end unless the
 * write itself was cut. */
int sink_file_flush_some(struct sink_file *f, struct err *e) must_use;
/* Flushes; a regular file is synced. Frees f whatever it returns; NULL is legal. */
int sink_file_close(struct sink_file *f, struct err *e) must_use;

/* --- a directory, written as one set ------------------------------------------------------------------ */
/* Files appear under temporary names in DIR/.rollcall-XXXX; sink_set_commit syncs them, writes manifest.json
 * (generator, version, run, time, per file: rows, bytes, sha256; raw_csv) and moves all into place, the
 * manifest last. Without commit DIR is as it was. A set that is there is replaced file by file; files of an
 * older set that this one does not have are removed if the old manifest names them.
 *
 * Invariant, at every moment and after a crash at any point: manifest.json is absent or whole; every file it
 * names is whole, of this set or of the next one, never a part; nothing that no manifest of ours named is
 * removed. While a set is being moved in (some renames, milliseconds) the files may be newer than the
 * manifest, or gone: so a reader takes the manifest, then the files, and compares each sha256; if one differs
 * it begins again. A crash before the commit has prepared everything leaves the old set; a crash behind that
 * point is finished by the next sink_set_open. One writer a directory: a second one gets ERR_CONFLICT, and so
 * does a manifest.json that is not rollcall's. Names are [A-Za-z0-9._-], at most 64 of them in a set. */
struct sink_set;
struct sink_set_file;
/* Makes the last directory of the path if it is missing. */
int sink_set_open(struct sink_set **out, const char *dir, struct err *e) must_use;
int sink_set_file(struct sink_set *s, struct sink_set_file **out, const char *name, struct err *e) must_use;
struct buf *sink_set_buf(struct sink_set_file *f);
/* After appending; flushes when large. A failure is sticky: sink_set_commit then returns it too. */
int sink_set_wrote_rows(struct sink_set_file *f, uint64_t rows, struct err *e) must_use;
/* extra_json: members of the manifest object without braces ("\"run\":7,..."), may be empty; a "time" in it
 * is used in place of now. The handle lives until sink_set_discard. */
int sink_set_commit(struct sink_set *s, struct str extra_json, struct err *e) must_use;
void sink_set_discard(struct sink_set *s); /* legal after commit and on NULL */

/* --- HTTP ---------------------------------------------------------------------------------------------- */
struct sink_http_config {
    struct str url;             /* https, or http to loopback only */
    const struct secret *token; /* bearer; NULL: none; copied */
    struct str ca_certificate;  /* path, PEM or DER; then nothing else is trusted; empty: the system's */
    int timeout_ms;             /* of one request; default 30000 */
    int give_up_after_ms;       /* total time for one batch, waits and requests; default 300000 */
    int first_wait_ms;          /* where the back-off begins, doubling up to 60 s; default 1000 */
    struct str content_type;    /* empty: application/json */
    const volatile sig_atomic_t *cancel; /* not zero: stop with ERR_CANCEL; NULL: never */
};
struct sink_http;
int sink_http_open(struct sink_http **out, const struct sink_http_config *c, struct err *e) must_use;
/* POSTs one body. Retries network faults, 408, 425, 429 and 5xx with jittered back-off, obeying Retry-After
 * (seconds or date); never follows redirects. Other 4xx: ERR_DENIED (401, 403), ERR_INPUT (else) with the
 * status and the first 200 bytes of the answer. 0: the receiver said 2xx and its answer was not cut off. When
 * it asks to wait longer than is left: ERR_LIMIT at once, with retry_at_ms. Otherwise the last fault's class,
 * saying how often and how long it was tried. ERR_TLS is not retried, ERR_PROTO neither. The body may have
 * arrived although this returns an error, and twice although it returns 0. https_proxy, all_proxy and
 * no_proxy of the environment are obeyed (the token travels inside the tunnel only); plain http to this
 * machine never takes a proxy. */
int sink_http_post(struct sink_http *h, struct bytes body, struct err *e) must_use;
void sink_http_close(struct sink_http *h); /* NULL is legal */

#endif
