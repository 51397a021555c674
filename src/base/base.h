/* base.h - the words every other file uses: bytes, str, allocation that does not return without memory, must_use.
 *
 * Values are passed as {pointer, length}; a C string appears only at a library's border.
 * Small allocations end the process on failure. A size that a peer chooses never reaches x_alloc: it goes
 * through a struct buf with a maximum and yields ERR_LIMIT.
 */
#ifndef ROLLCALL_BASE_H
#define ROLLCALL_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define must_use __attribute__((warn_unused_result))
#define printf_like(f, a) __attribute__((format(printf, f, a)))
#define n_elements(a) (sizeof(a) / sizeof((a)[0]))

/* Borrowed bytes. */
struct bytes {
    const uint8_t *ptr;
    size_t len;
};

/* Borrowed text, not NUL-terminated; UTF-8 wherever it has left a decoder. */
struct str {
    const char *ptr;
    size_t len;
};

#define BYTES_OF(object) ((struct bytes){(const uint8_t *)&(object), sizeof(object)}) /* a variable or an array; for keys */
#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_FMT(s) (int)(s).len, (s).ptr /* for "%.*s" */

static inline struct str str_from(const char *c)
{
    return (struct str){c, c ? strlen(c) : 0};
}
static inline struct bytes bytes_of(struct str s)
{
    return (struct bytes){(const uint8_t *)s.ptr, s.len};
}
static inline struct str str_of(struct bytes b)
{
    return (struct str){(const char *)b.ptr, b.len};
}
static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}
static inline bool str_equal(struct str a, struct str b)
{
    return bytes_equal(bytes_of(a), bytes_of(b));
}
/* -1, 0 or 1, as qsort wants it; each is looked at twice. */
#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))
/* Below, at or above 0: byte by byte, and the shorter first. */
static inline int bytes_compare(struct bytes a, struct bytes b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int d = n ? memcmp(a.ptr, b.ptr, n) : 0;
    return d ? d : COMPARE(a.len, b.len);
}
static inline int str_compare(struct str a, struct str b)
{
    return bytes_compare(bytes_of(a), bytes_of(b));
}
int u32_compare(const void *a, const void *b); /* of uint32_t, for qsort */

/* ASCII, whatever the locale; every other byte stays as it is, and is neither letter nor digit. */
static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}
static inline bool ascii_is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}
/* ASCII letters folded; for LDAP attribute names, host names and keywords, never for people's names. */
bool str_equal_nocase(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
/* Position of c in s, or s.len. */
size_t str_index(struct str s, char c);
/* Both ends without spaces, tabs, CR, LF. */
struct str str_trim(struct str s);
/* true if s is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). NUL is allowed. */
bool str_is_utf8(struct str s);

/* Says so and ends the process: no unwinding, no exit handlers. What is visible in the store stays, as after a kill. For want of a small
 * allocation of ours, and where a library cannot tell. */
_Noreturn void x_out_of_memory(void);
#define X_OUT_OF_MEMORY 6 /* exit code, as of ERR_LIMIT */
/* x_out_of_memory() on failure; never called with a size chosen by a peer. */
void *x_alloc(size_t size);
void *x_zalloc(size_t size);
void *x_realloc(void *p, size_t size);
char *x_strdup(struct str s); /* NUL-terminated copy; free() */

/* Cleanup attribute helpers: `defer_free char *p = ...`. */
void x_free_p(void *pointer_to_pointer);
void x_close_p(int *fd);
#define defer(fn) __attribute__((cleanup(fn)))
#define defer_free defer(x_free_p)
#define defer_close defer(x_close_p)

/* Room for one more element in a list of n with room for cap: twice as much, or `first`. */
#define GROW(array, n, cap, first)                                                                           \
    do {                                                                                                     \
        if ((n) == (cap)) {                                                                                  \
            (cap) = (cap) ? (cap)*2 : (first);                                                               \
            (array) = x_realloc((array), (size_t)(cap) * sizeof *(array));                                   \
        }                                                                                                    \
    } while (0)

/* The place of the first element that is not below what is looked for, n if all are: puts 0..n into the size_t `at`. is_below is an expression
 * of `at`, asked of places below n only, that is true of none behind the first of which it is false:
 *   LOWER_BOUND(at, x->n_list, x->list[at].id < id);
 */
#define LOWER_BOUND(at, n, is_below)                                                                         \
    do {                                                                                                     \
        size_t low_ = 0, high_ = (n);                                                                        \
        while (low_ < high_) {                                                                               \
            (at) = low_ + (high_ - low_) / 2;                                                                \
            if (is_below)                                                                                    \
                low_ = (at) + 1;                                                                             \
            else                                                                                             \
                high_ = (at);                                                                                \
        }                                                                                                    \
        (at) = low_;                                                                                         \
    } while (0)

#endif
