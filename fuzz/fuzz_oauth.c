/* fuzz_oauth.c - what a login service may answer: tokens, their claims, refusals. */
#include "fuzz.h"
#include "net/oauth_int.h"

#define NOW ((int64_t)1775001600000)

static bool is_printable(const char *s)
{
    for (; *s; s++)
        if ((uint8_t)*s < 0x20 || *s == 0x7f) return false;
    return true;
}

static void check_text(const char *s)
{
    HOLDS(is_printable(s) && str_is_utf8(str_from(s)));
}

static void as_answer(struct bytes in)
{
    struct secret token = {0};
    struct err e;
    int64_t life_ms = -1;
    int rc = oauth_answer_read(&token, &life_ms, in, NOW, &e);
    HOLDS(rc == 0 || (rc == ERR_PROTO && !token.len && e.message[0]));
    if (rc < 0) return;
    HOLDS(token.len && life_ms > 0 && life_ms <= (int64_t)48 * 3600 * 1000);
    for (size_t i = 0; i < token.len; i++)
        HOLDS(token.ptr[i] > 0x20 && token.ptr[i] < 0x7f); /* it will be part of a header */
    json_decref(oauth_claims_decode(secret_bytes(&token)));
    secret_drop(&token);
}

static void as_claims(struct bytes in)
{
    json_t *claims = oauth_claims_decode(in);
    HOLDS(!claims || json_is_object(claims));
    json_decref(claims);
}

/* The first byte chooses the status and how we signed in; the rest is the body. */
static void as_refusal(struct bytes in)
{
    static const long statuses[] = {200, 302, 400, 401, 403, 404, 410, 429, 500, 503};
    uint8_t how = in.len ? in.ptr[0] : 0;
    struct bytes body = {in.ptr + (in.len ? 1 : 0), in.len - (in.len ? 1 : 0)};
    struct oauth_refusal r;
    struct err e;
    struct oauth_circumstances c = {.host = "login.example",
                                    .by = how & 3,
                                    .clock_offset_ms = (int64_t)how * 1000,
                                    .sent = {bytes_of(STR("S3cret~1"))}};
    oauth_refusal_read(&r, statuses[how % 10], body);
    check_text(r.error);
    check_text(r.line);
    check_text(r.trace);
    check_text(r.correlation);
    HOLDS(r.aadsts >= 0);
    HOLDS(oauth_refusal_explain(&e, &r, &c) < 0);
    check_text(e.message);
    check_text(e.hint);
    HOLDS(e.message[0] && e.hint[0] && !strstr(e.message, "S3cret~1"));
    if (e.class == ERR_NET || e.class == ERR_LIMIT) HOLDS(oauth_refusal_passes(&r, c.by));
}

static void as_words(struct str in)
{
    char out[24];
    HOLDS(oauth_quote(out, sizeof out, in) == out);
    check_text(out);
    oauth_looks_like_secret_id(bytes_of(in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = {data, size};
    as_answer(in);
    as_claims(in);
    as_refusal(in);
    as_words(str_of(in));
    return 0;
}
