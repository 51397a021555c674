#include "api/http/static.h"

#include "api/http/http_int.h"
#include "base/file.h"
#include "base/hash.h"

#include <stdlib.h>

static int by_path(const void *key, const void *row)
{
    return strcmp(key, ((const struct page_file *)row)->path);
}

static const struct page_file *find(const char *path)
{
    return bsearch(path, page_files, n_page_files, sizeof *page_files, by_path);
}

const struct page_file *static_find(const char *path)
{
    return find(strcmp(path, "/") == 0 ? "/index.html" : path);
}

/* Only for who works on the page: the name is one of the table, so that no path of a request reaches the file system. */
static int reply_from_directory(struct request *q, const struct page_file *f, const char *dir, struct err *e)
{
    char path[4096];
    struct buf b = buf_new(16 * 1024 * 1024);
    snprintf(path, sizeof path, "%s%s", dir, f->path);
    int rc = file_read(&b, path, e);
    if (rc == 0) rc = reply_bytes(q, 200, f->type, buf_bytes(&b));
    buf_free(&b);
    return rc;
}

int reply_page(struct request *q, const struct page_file *f)
{
    struct err e;
    const char *dir = getenv("ROLLCALL_WEB_DIR");
    if (dir && *dir && reply_from_directory(q, f, dir, &e) == 0) return 0;
    bool is_hashed = strcmp(f->path, "/index.html") != 0 && strchr(f->path, '-');
    return reply_static(own(q), f->type, (struct bytes){f->plain, f->plain_len}, (struct bytes){f->gzip, f->gzip_len}, f->etag, is_hashed ? KEEP_FOR_EVER : KEEP_ASK);
}
