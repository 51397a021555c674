/* fuzz_sid.c - SIDs as bytes and as text. */
#include "fuzz.h"
#include "model/sid.h"

static void as_bytes(struct bytes in)
{
    struct sid s, again;
    struct err e;
    char text[SID_TEXT], direct[SID_TEXT];
    uint8_t out[SID_MAX];
    bool ok = sid_decode(&s, in, &e) == 0;
    HOLDS(ok == sid_is_valid(in));
    sid_format_bytes(direct, in);
    HOLDS(ok == (direct[0] != 0));
    sid_is_in_domain(in, (struct bytes){in.ptr, in.len > 4 ? in.len - 4 : 0});
    if (!ok) return;
    HOLDS(strlen(sid_format(text, &s)) < SID_TEXT);
    HOLDS(strcmp(text, direct) == 0);
    HOLDS(sid_parse(&again, str_from(text), &e) == 0);
    HOLDS(bytes_equal((struct bytes){out, sid_encode(out, &again)}, in));
    HOLDS(!s.n_sub || sid_rid(in) == s.sub[s.n_sub - 1]);
    const char *name = sid_well_known_name(in);
    HOLDS(!name || name[0]);
}

static void as_text(struct str in)
{
    struct sid s, again;
    struct err e;
    char text[SID_TEXT];
    uint8_t out[SID_MAX];
    if (sid_parse(&s, in, &e) < 0) {
        HOLDS(e.class == ERR_INPUT && e.message[0]);
        return;
    }
    HOLDS(s.n_sub <= 15 && s.authority >> 48 == 0);
    HOLDS(sid_parse(&again, str_from(sid_format(text, &s)), &e) == 0);
    HOLDS(again.n_sub == s.n_sub && again.authority == s.authority);
    HOLDS(memcmp(again.sub, s.sub, sizeof s.sub) == 0);
    HOLDS(sid_is_valid((struct bytes){out, sid_encode(out, &s)}));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    as_bytes((struct bytes){data, size});
    as_text((struct str){(const char *)data, size});
    return 0;
}
