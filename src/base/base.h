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

#endif
