#include "sink/sink.h"

#include "base/file.h"
#include "base/when.h"
#include "sink/set_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROW_MAX_BYTES ((size_t)64 << 20)
#define FLUSH_AT      ((size_t)256 << 10)
#define PART_NAME     SET_MANIFEST ".part" /* until it is complete and synced */

struct sink_set_file {
    char *name;
    const char *dir; /* the set's */
    int fd;
    struct buf buf;
    struct sha256 sum;
    char sha256[65];
    uint64_t rows, bytes;
    struct err failed; /* sticky; class 0: none */
};

struct sink_set {
    struct set_dir dir;
    struct sink_set_file *files[SET_FILES_MAX];
    size_t n_files;
    bool committed;
};

#define FAIL(e, ...) err_errno((e), set_errno_class(errno), errno, __VA_ARGS__)

/* --- preparing --------------------------------------------------------------------------------------- */

int sink_set_open(struct sink_set **out, const char *dir, struct err *e)
{
    *out = NULL;
    struct sink_set *s = x_zalloc(sizeof *s);
    int rc = set_dir_open(&s->dir, dir, e);
    if (rc < 0)
        free(s);
    else
        *out = s;
    return rc;
}

static int check_new_name(const struct sink_set *s, struct str name, struct err *e)
{
    try(set_name_check(name, e));
    if (s->n_files == SET_FILES_MAX)
        return err_set(e, ERR_LIMIT, "more than %d files in one set", SET_FILES_MAX);
    for (size_t i = 0; i < s->n_files; i++) /* ignoring case: so does many a file system */
        if (str_equal_nocase(name, str_from(s->files[i]->name)))
            return err_set(e, ERR_INPUT, "two files of one set are named %s", s->files[i]->name);
    return 0;
}

int sink_set_file(struct sink_set *s, struct sink_set_file **out, const char *name, struct err *e)
{
    *out = NULL;
    if (check_new_name(s, str_from(name), e) < 0) return err_wrap(e, "%s", s->dir.path);
    int fd = openat(s->dir.tmp, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (fd < 0) return FAIL(e, "%s/%s", s->dir.path, name);
    struct sink_set_file *f = x_zalloc(sizeof *f);
    f->name = x_strdup(str_from(name));
    f->dir = s->dir.path;
    f->fd = fd;
    f->buf = buf_new(FLUSH_AT + ROW_MAX_BYTES);
    sha256_init(&f->sum);
    s->files[s->n_files++] = *out = f;
    return 0;
}

struct buf *sink_set_buf(struct sink_set_file *f)
{
    return &f->buf;
}

static int report(struct sink_set_file *f, struct err *e)
{
    *e = f->failed;
    return f->failed.class;
}

static int flush(struct sink_set_file *f)
{
    int rc = file_write_all(f->fd, buf_bytes(&f->buf), &f->failed);
    if (rc < 0) {
        err_wrap(&f->failed, "%s/%s", f->dir, f->name);
        if (rc == ERR_LIMIT)
            err_hint(&f->failed, "make room on that disk and run again; the older set is untouched");
    }
    sha256_add(&f->sum, buf_bytes(&f->buf));
    f->bytes += f->buf.len;
    buf_clear(&f->buf);
    return rc;
}

int sink_set_wrote_rows(struct sink_set_file *f, uint64_t rows, struct err *e)
{
    if (!f->failed.class && f->buf.failed)
        err_set(&f->failed, ERR_LIMIT, "%s: a row longer than %zu MiB", f->name, ROW_MAX_BYTES >> 20);
    if (f->failed.class) {
        buf_clear(&f->buf);
        return report(f, e);
    }
    f->rows += rows;
    if (f->buf.len > FLUSH_AT && flush(f) < 0) return report(f, e);
    return 0;
}

/* --- deciding ---------------------------------------------------------------------------------------- */

static int finish_file(struct sink_set *s, struct sink_set_file *f, struct err *e)
{
    struct stat there;
    try(sink_set_wrote_rows(f, 0, e)); /* tells of an earlier failure */
    if (flush(f) < 0) return report(f, e);
    if (fsync(f->fd) < 0) return FAIL(e, "%s/%s: fsync", f->dir, f->name);
    int fd = f->fd;
    f->fd = -1;
    if (close(fd) < 0 && errno != EINTR) return FAIL(e, "%s/%s: close", f->dir, f->name);
    sha256_hex(&f->sum, f->sha256);
    /* found now, while nothing has been moved yet */
    if (fstatat(s->dir.dir, f->name, &there, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(there.st_mode))
        return err_set(e, ERR_CONFLICT, "%s is a directory there", f->name);
    return 0;
}

/* generator, version, time, what the caller adds (it may give its own time), files. NULL: extra is not JSON.
 */
static json_t *manifest_build(const struct sink_set *s, struct str extra)
{
    char now[WHEN_TEXT];
    struct buf text = buf_new(extra.len + 16);
    buf_printf(&text, "{%.*s}", STR_FMT(extra));
    json_t *added = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    buf_free(&text);
    json_t *m = json_pack("{s:s, s:s, s:s}", "generator", "rollcall", "version", ROLLCALL_VERSION, "time",
                          when_format(now, when_now_ms()));
    json_t *files = json_array();
    for (size_t i = 0; i < s->n_files; i++) {
        const struct sink_set_file *f = s->files[i];
        json_array_append_new(files,
                              json_pack("{s:s, s:I, s:I, s:s}", "name", f->name, "rows", (json_int_t)f->rows,
                                        "bytes", (json_int_t)f->bytes, "sha256", f->sha256));
    }
    bool ok = added && json_object_update(m, added) == 0;
    ok = json_object_set_new(m, "files", files) == 0 && ok;
    json_decref(added);
    if (ok) return m;
    json_decref(m);
    return NULL;
}

static int write_part(struct sink_set *s, struct str text, struct err *e)
{
    defer_close int fd =
        openat(s->dir.tmp, PART_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (fd < 0) return FAIL(e, "%s", SET_MANIFEST);
    try(file_write_all(fd, bytes_of(text), e));
    try(file_write_all(fd, bytes_of(STR("\n")), e));
    if (fsync(fd) < 0) return FAIL(e, "%s: fsync", SET_MANIFEST);
    return 0;
}

static int write_manifest(struct sink_set *s, struct str extra, struct err *e)
{
    json_t *m = manifest_build(s, extra);
    if (!m) return err_set(e, ERR_BUG, "the members given for the manifest are not JSON");
    char *text = json_dumps(m, JSON_INDENT(2));
    json_decref(m);
    if (!text) return err_set(e, ERR_BUG, "the manifest cannot be written as JSON");
    int rc = write_part(s, str_from(text), e);
    free(text);
    return rc;
}

/* The rename here is the decision. Everything it speaks of is on the disk before it is made, and it is on the
 * disk itself before anything follows from it. */
static int decide(struct sink_set *s, struct err *e)
{
    try(set_dir_sync(s->dir.tmp, s->dir.path, e));
    if (renameat(s->dir.tmp, PART_NAME, s->dir.tmp, SET_MANIFEST) < 0) return FAIL(e, "%s", SET_MANIFEST);
    try(set_dir_sync(s->dir.tmp, s->dir.path, e));
    return set_dir_sync(s->dir.dir, s->dir.path, e);
}

static int commit_steps(struct sink_set *s, struct str extra, struct err *e)
{
    if (s->committed) return err_set(e, ERR_BUG, "committed twice");
    for (size_t i = 0; i < s->n_files; i++) try(finish_file(s, s->files[i], e));
    try(write_manifest(s, extra, e));
    try(decide(s, e));
    return set_dir_move_in(&s->dir, e);
}

int sink_set_commit(struct sink_set *s, struct str extra_json, struct err *e)
{
    if (commit_steps(s, extra_json, e) < 0) return err_wrap(e, "%s", s->dir.path);
    s->committed = true;
    return 0;
}

/* --- end --------------------------------------------------------------------------------------------- */

void sink_set_discard(struct sink_set *s)
{
    if (!s) return;
    for (size_t i = 0; i < s->n_files; i++) {
        struct sink_set_file *f = s->files[i];
        if (f->fd >= 0) close(f->fd);
        buf_free(&f->buf);
        free(f->name);
        free(f);
    }
    set_dir_close(&s->dir);
    free(s);
}
