/* static.h - the page: files of web/dist embedded in the binary, found by their exact path; with ROLLCALL_WEB_DIR read from there (development).
 */
#ifndef ROLLCALL_API_STATIC_H
#define ROLLCALL_API_STATIC_H

#include "api/http.h"

struct page_file {
    const char *path, *type; /* "/assets/app-3f2a91.js" */
    const unsigned char *plain, *gzip;
    size_t plain_len, gzip_len;
    const char *etag;        /* of the content, without quotes */
};
/* By ascending path; made by page.py. */
extern const struct page_file page_files[];
extern const size_t n_page_files;

/* NULL: no such file. "/" is index.html; what the page shows is behind its #. */
const struct page_file *static_find(const char *path);
int reply_page(struct request *q, const struct page_file *f) must_use;

#endif
