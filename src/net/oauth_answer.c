/* oauth_answer.c - answers of token endpoints: the token, the claims it carries, or why there is none. */
#include "net/oauth_int.h"

#include "base/jsonv.h"
#include "base/visible.h"

#include <malloc.h>
#include <math.h>
#include <sodium.h>
#include <stdlib.h>

#define LIFE_MAX_S     ((int64_t)48 * 3600) /* continuous access evaluation gives up to 28 hours */
#define LIFE_UNKNOWN_S 300                  /* RFC 6749 5.1 only recommends expires_in */
#define TOKEN_MAX      ((size_t)48 << 10)

/* --- the service's words -------------------------------------------------------------------------------- */

char *oauth_quote(char *out, size_t size, struct str said)
{
    struct str s = str_trim(said);
    size_t used = 0;
    for (size_t i = 0, n; i < s.len && s.ptr[i] != '\n' && s.ptr[i] != '\r'; i += n) {
        int32_t c;
        n = visible_read(&c, (struct str){s.ptr + i, s.len - i});
        size_t step = visible_is(c) ? n : 1;
        if (used + step >= size) break;
        if (visible_is(c))
            memcpy(out + used, s.ptr + i, n);
        else
            out[used] = c == '\t' ? ' ' : '?';
        used += step;
    }
    out[used] = 0;
    return out;
}

/* --- JSON that holds a token -----------------------------------------------------------------------------
 */

/* Behind jansson while a token answer is in memory: all that it gives back is wiped, its parser's scratch
 * too. Of malloc's memory, as jansson has it. A worker has one thread. */
static json_free_t free_before;

static void free_wiped(void *p)
{
    if (p) secret_wipe(p, malloc_usable_size(p));
    free_before(p);
}

static void wiping_begin(void)
{
    json_malloc_t m;
    json_get_alloc_funcs(&m, &free_before);
    json_set_alloc_funcs(m, free_wiped);
}

static void wiping_end(void)
{
    json_malloc_t m;
    json_get_alloc_funcs(&m, NULL);
    json_set_alloc_funcs(m, free_before);
}

static json_t *parse(struct bytes body)
{
    if (body.len > OAUTH_BODY_MAX) return NULL;
    json_t *root = json_loadb((const char *)body.ptr, body.len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(root)) return root;
    json_decref(root);
    return NULL;
}

/* Whole seconds, as a number or as decimal text. */
static bool seconds_of(int64_t *out, const json_t *v)
{
    if (json_is_integer(v)) *out = (int64_t)json_integer_value(v);
    if (json_is_integer(v)) return true;
    if (json_is_real(v) && fabs(json_real_value(v)) < 1e15) {
        *out = (int64_t)json_real_value(v);
        return true;
    }
    struct str s = json_is_string(v) ? (struct str){json_string_value(v), json_string_length(v)} : STR("");
    int64_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9' || s.len > 15) return false;
        n = n * 10 + (s.ptr[i] - '0');
    }
    if (s.len) *out = n;
    return s.len > 0;
}

/* expires_in counts from the answer and so does not depend on our clock: it goes before expires_on. */
static int read_life(int64_t *life_ms, const json_t *root, int64_t now_ms, struct err *e)
{
    int64_t s = LIFE_UNKNOWN_S, on;
    if (!seconds_of(&s, json_object_get(root, "expires_in")) &&
        seconds_of(&on, json_object_get(root, "expires_on")))
        s = on - now_ms / 1000;
    if (s <= 0) return err_set(e, ERR_PROTO, "the token that came is already over");
    *life_ms = (s < LIFE_MAX_S ? s : LIFE_MAX_S) * 1000;
    return 0;
}

/* RFC 6750 2.1: b64token. Anything else has no place in a header. */
static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!ascii_is_alnum(c) && (c == 0 || !strchr("-._~+/=", c))) return false;
    }
    return s.len > 0 && s.len <= TOKEN_MAX;
}

static int read_token(struct secret *token, int64_t *life_ms, const json_t *root, int64_t now_ms,
                      struct err *e)
{
    struct str text = jsonv_text(root, "access_token");
    if (!root) return err_set(e, ERR_PROTO, "the answer is no JSON object");
    if (!str_equal_nocase(jsonv_text(root, "token_type"), STR("Bearer")))
        return err_set(e, ERR_PROTO, "the answer holds no token of type Bearer");
    if (!is_token(text)) return err_set(e, ERR_PROTO, "the answer holds no usable access_token");
    try(read_life(life_ms, root, now_ms, e));
    return secret_take(token, bytes_of(text), e);
}

int oauth_answer_read(struct secret *token, int64_t *life_ms, struct bytes body, int64_t now_ms,
                      struct err *e)
{
    wiping_begin();
    json_t *root = parse(body);
    int rc = read_token(token, life_ms, root, now_ms, e);
    json_decref(root);
    wiping_end();
    if (rc < 0) err_hint(e, "is this the login service, and nothing in between that answers for it?");
    return rc;
}

/* --- what a token says of itself --------------------------------------------------------------------------
 */

/* RFC 7519 3.1: three parts; the middle one. */
static struct str payload_of(struct str token)
{
    size_t first = str_index(token, '.');
    struct str rest =
        first < token.len ? (struct str){token.ptr + first + 1, token.len - first - 1} : STR("");
    size_t second = str_index(rest, '.');
    return second < rest.len ? (struct str){rest.ptr, second} : STR("");
}

json_t *oauth_claims_decode(struct bytes token)
{
    struct str part = payload_of(str_of(token));
    if (!part.len || part.len > TOKEN_MAX) return NULL;
    size_t n = 0, room = part.len / 4 * 3 + 3;
    uint8_t *text = x_alloc(room);
    json_t *claims = NULL;
    if (sodium_base642bin(text, room, part.ptr, part.len, NULL, &n, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0)
        claims = parse((struct bytes){text, n});
    secret_wipe(text, room);
    free(text);
    return claims;
}

/* --- why there is none ------------------------------------------------------------------------------------
 */

/* "AADSTS7000215: Invalid client secret...": the number, and *text moved behind it. */
static int take_number(struct str *text)
{
    static const struct str mark = {"AADSTS", 6};
    struct str s = str_trim(*text);
    if (!str_starts(s, mark)) return 0;
    size_t i = mark.len;
    int64_t n = 0;
    while (i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9' && i < mark.len + 9)
        n = n * 10 + (s.ptr[i++] - '0');
    if (i == mark.len) return 0;
    if (i < s.len && s.ptr[i] == ':') i++;
    *text = str_trim((struct str){s.ptr + i, s.len - i});
    return (int)n;
}

static int number_of(const json_t *root, struct str *description)
{
    const json_t *first = json_array_get(json_object_get(root, "error_codes"), 0);
    json_int_t n = json_integer_value(first);
    int said = take_number(description);
    return n > 0 && n <= 999999999 ? (int)n : said;
}

/* Some answers have it all in one line. */
static struct str without_trace(struct str s)
{
    static const char mark[] = " Trace ID:";
    const char *at = s.len ? memmem(s.ptr, s.len, mark, sizeof mark - 1) : NULL;
    return at ? (struct str){s.ptr, (size_t)(at - s.ptr)} : s;
}

void oauth_refusal_read(struct oauth_refusal *out, long status, struct bytes body)
{
    json_t *root = parse(body);
    struct str error = jsonv_text(root, "error"), description = jsonv_text(root, "error_description");
    *out = (struct oauth_refusal){.status = status, .is_json = error.len > 0};
    if (error.len) {
        out->aadsts = number_of(root, &description);
        oauth_quote(out->error, sizeof out->error, error);
        oauth_quote(out->line, sizeof out->line, without_trace(description));
        oauth_quote(out->trace, sizeof out->trace, jsonv_text(root, "trace_id"));
        oauth_quote(out->correlation, sizeof out->correlation, jsonv_text(root, "correlation_id"));
    }
    json_decref(root);
}
