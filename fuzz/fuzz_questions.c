/* fuzz_questions.c - what people and programs ask of access: pairs, conditions, rights. The first byte chooses which. */
#include "access/filter.h"
#include "access/pairs.h"
#include "fuzz.h"
#include "model/rights.h"

#define NOW ((int64_t)1775001600000)

static void as_pair(struct bytes in)
{
    struct pair p;
    struct err e;
    int rc = pair_parse(&p, in, 7, &e);
    HOLDS(rc == 0 ? p.principal && p.target : rc == ERR_INPUT && !p.json && strstr(e.message, "line 7"));
    pair_free(&p);
}

static void as_condition(struct bytes in)
{
    struct filter *f;
    struct err e;
    struct record r = {.kind = KIND_user, .dn = STR("CN=a,DC=x")};
    struct record_index x;
    struct filter_subject s = {.record = &x, .name = STR("a"), .domain = STR("x.y")};
    int rc = filter_parse(&f, str_of(in), NOW, &e);
    HOLDS(rc == 0 || (rc == ERR_INPUT && e.message[0]));
    if (rc < 0) return;
    HOLDS(record_index(&x, &r, &e) == 0);
    HOLDS(filter_matches(f, &s) == filter_matches(f, &s));
    filter_free(f);
}

static void as_right(struct bytes in)
{
    struct right r, again;
    struct err e;
    struct buf text = buf_new(4096);
    const struct schema *s = schema_builtin();
    int rc = right_parse(&r, str_of(in), s, &e);
    HOLDS(rc == 0 || (rc < 0 && e.message[0]));
    if (rc == 0) {
        right_format(&text, &r, s);
        HOLDS(!text.failed && right_parse(&again, buf_str(&text), s, &e) == 0);
        HOLDS(again.bit == r.bit && again.is_typed == r.is_typed && (!r.is_typed || memcmp(again.guid, r.guid, sizeof r.guid) == 0));
    }
    buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const ways[])(struct bytes in) = {as_pair, as_condition, as_right};
    if (!size) return 0;
    ways[data[0] % n_elements(ways)]((struct bytes){data + 1, size - 1});
    return 0;
}
