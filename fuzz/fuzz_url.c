/* fuzz_url.c - URLs, and links against a base: the input is "base\nlink", or one URL. */
#include "fuzz.h"
#include "net/url.h"

/* Whatever is shown may stand in a log, whatever is asked. */
static void check_error(const struct err *e, int class)
{
    HOLDS(e->class == class && e->message[0]);
    for (const char *p = e->message; *p; p++) HOLDS(*p >= 0x20 && *p < 0x7f);
}

/* The parts put together again are the same place. */
static void check_parts(const struct url *u)
{
    char text[512];
    struct url again;
    struct err e;
    bool is_v6 = strchr(u->host, ':');
    HOLDS(u->host[0] && u->port);
    for (const char *p = u->host; *p; p++)
        HOLDS(*p > 0x20 && *p < 0x7f && !strchr("/\\@?#%[]ABCDEFGHIJKLMNOPQRSTUVWXYZ", *p));
    HOLDS(!u->path.len || u->path.ptr[0] == '/');
    snprintf(text, sizeof text, "%s://%s%s%s:%u", u->is_https ? "https" : "http", is_v6 ? "[" : "", u->host,
             is_v6 ? "]" : "", u->port);
    HOLDS(url_parse(&again, str_from(text), &e) == 0 && url_same_origin(u, &again));
}

static bool has_dots(struct str path)
{
    for (size_t i = 0; i + 1 < path.len; i++)
        if (path.ptr[i] == '/' && path.ptr[i + 1] == '.' && (i + 2 == path.len || path.ptr[i + 2] == '/'))
            return true;
    return path.len >= 3 &&
           (memmem(path.ptr, path.len, "/../", 4) || memcmp(path.ptr + path.len - 3, "/..", 3) == 0);
}

/* What may be followed is the same origin, begins with the base's path, and holds nothing to climb out of it.
 */
static void check_link(const struct url *base, struct str text)
{
    struct url link;
    struct err e;
    if (url_check_link(base, text, &e) < 0) {
        check_error(&e, ERR_PROTO);
        return;
    }
    HOLDS(url_parse(&link, text, &e) == 0 && url_same_origin(base, &link));
    struct str root = base->path;
    if (root.len && root.ptr[root.len - 1] == '/') root.len--;
    HOLDS(str_starts(link.path, root) && (link.path.len == root.len || link.path.ptr[root.len] == '/'));
    HOLDS(!has_dots(link.path) && (!link.path.len || !memmem(link.path.ptr, link.path.len, "//", 2)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = {(const char *)data, size};
    size_t end = str_index(in, '\n');
    struct str first = {in.ptr, end}, second = first;
    struct url u, graph;
    struct err e;
    HOLDS(url_parse(&graph, STR("https://graph.microsoft.com/v1.0"), &e) == 0);
    if (end < in.len) second = (struct str){in.ptr + end + 1, in.len - end - 1};
    check_link(&graph, second);
    if (url_parse(&u, first, &e) < 0) {
        check_error(&e, ERR_INPUT);
        return 0;
    }
    check_parts(&u);
    check_link(&u, second);
    return 0;
}
