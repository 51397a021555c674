#include "base/base.h"

#include <stdlib.h>
#include <unistd.h>
#include <utf8proc.h>

int u32_compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return COMPARE(x, y);
}

bool str_equal_nocase(struct str a, struct str b)
{
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++)
        if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i])) return false;
    return true;
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

size_t str_index(struct str s, char c)
{
    const char *p = s.len ? memchr(s.ptr, c, s.len) : NULL;
    return p ? (size_t)(p - s.ptr) : s.len;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.len && is_blank(s.ptr[0])) s.ptr++, s.len--;
    while (s.len && is_blank(s.ptr[s.len - 1])) s.len--;
    return s;
}

bool str_is_utf8(struct str s)
{
    if (!s.len) return true;
    const uint8_t *p = (const uint8_t *)s.ptr, *end = p + s.len;
    for (; end - p >= 8; p += 8) { /* ASCII, eight at a time: nearly everything is */
        uint64_t w;
        memcpy(&w, p, 8);
        if (w & 0x8080808080808080u) break;
    }
    while (p < end) {
        if (*p < 0x80) {
            p++;
            continue;
        }
        utf8proc_int32_t cp;
        utf8proc_ssize_t n = utf8proc_iterate(p, (utf8proc_ssize_t)(end - p), &cp);
        if (n < 1) return false;
        p += n;
    }
    return true;
}

void x_out_of_memory(void)
{
    static const char said[] = "rollcall: out of memory\n  fix: give it more: see ulimit -v, the MemoryMax of its service, or the memory of the machine\n";
    ssize_t ignored = write(STDERR_FILENO, said, sizeof said - 1); /* nothing here may allocate */
    (void)ignored;
    _exit(X_OUT_OF_MEMORY);
}

static void *need(void *p)
{
    if (!p) x_out_of_memory();
    return p;
}

void *x_alloc(size_t size)
{
    return need(malloc(size ? size : 1));
}
void *x_zalloc(size_t size)
{
    return need(calloc(1, size ? size : 1));
}
void *x_realloc(void *p, size_t size)
{
    return need(realloc(p, size ? size : 1));
}
char *x_strdup(struct str s)
{
    char *c = x_alloc(s.len + 1);
    if (s.len) memcpy(c, s.ptr, s.len);
    c[s.len] = 0;
    return c;
}

void x_free_p(void *pointer_to_pointer)
{
    void **p = pointer_to_pointer;
    free(*p);
}
void x_close_p(int *fd)
{
    if (*fd >= 0) close(*fd);
}
