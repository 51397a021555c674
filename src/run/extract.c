#include "run/extract.h"

#include "run/sync.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct room { /* a directory for one store */
    char path[1024];
    char url[1100];
};

static int make_room(struct room *r, struct err *e)
{
    const char *dir = getenv("TMPDIR");
    if (!dir || !*dir) dir = "/var/tmp";
    int n = snprintf(r->path, sizeof r->path, "%s/rollcall-extract-XXXXXX", dir);
    if (n < 0 || (size_t)n >= sizeof r->path) return err_set(e, ERR_INPUT, "TMPDIR: too long a path");
    if (!mkdtemp(r->path)) {
        int saved = errno;
        r->path[0] = 0;
        err_errno(e, ERR_LIMIT, saved, "no temporary directory in %s", dir);
        return err_hint(e, "make room there, or name a writable directory in TMPDIR");
    }
    snprintf(r->url, sizeof r->url, "sqlite:%s/store.db", r->path);
    return 0;
}

static void clear_room(const struct room *r)
{
    char path[sizeof r->path + 260];
    DIR *d = r->path[0] ? opendir(r->path) : NULL;
    for (struct dirent *one; d && (one = readdir(d));) {
        if (one->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", r->path, one->d_name);
        unlink(path);
    }
    if (d) closedir(d);
    if (r->path[0]) rmdir(r->path);
}

static void take_gap(void *ctx, const struct gap *g)
{
    gap_list_add(ctx, g);
}

/* The stream's own and what only the store could know. */
static int tell_gaps(struct store *s, int64_t run, struct stream_report *report, struct err *e)
{
    gap_list_free(report->gaps);
    report->gaps = gap_list_new();
    return store_run_get(s, run, NULL, take_gap, report->gaps, e);
}

static int extract_in(struct store *s, const struct connector_conf *c, const struct export_options *o, struct stream_report *report,
                      uint64_t *n_rows, struct err *e)
{
    struct sync_options sync = {.connector = c, .store = s, .full = true};
    struct sync_result result;
    try(sync_directory(&sync, report, &result, e));
    try(tell_gaps(s, result.runs[result.n_runs - 1].id, report, e));
    struct export_options set = *o;
    set.is_test = true;
    return export_set(s, &set, n_rows, e);
}

int extract_set(const struct connector_conf *c, const struct export_options *o, struct stream_report *report, uint64_t *n_rows,
                struct err *e)
{
    struct room room;
    struct store *s = NULL;
    *n_rows = 0;
    int rc = make_room(&room, e);
    if (rc == 0) rc = store_open(&s, str_from(room.url), e);
    if (rc == 0) rc = extract_in(s, c, o, report, n_rows, e);
    store_close(s);
    clear_room(&room);
    return rc;
}
