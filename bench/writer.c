/* writer - what one OCSF event costs: our tables, and the same event as a jansson tree that is dumped.
 *
 * Both are measured in one run, turn about; the ratio is the result, the microseconds depend on the machine.
 * The tree is built from texts that lie ready, so jansson is spared the mapping: reading the record, SIDs,
 * GUIDs and time. build/bench/writer [rounds]
 */
#include "map/sample.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ITERATIONS 20000

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A new tree like `from`, made with the calls that a program makes. */
static json_t *build(json_t *from)
{
    const char *key;
    json_t *value, *to;
    size_t i;
    switch (json_typeof(from)) {
    case JSON_OBJECT:
        to = json_object();
        json_object_foreach(from, key, value) json_object_set_new(to, key, build(value));
        return to;
    case JSON_ARRAY:
        to = json_array();
        json_array_foreach(from, i, value) json_array_append_new(to, build(value));
        return to;
    case JSON_STRING:
        return json_stringn(json_string_value(from), json_string_length(from));
    case JSON_INTEGER:
        return json_integer(json_integer_value(from));
    default:
        return json_boolean(json_is_true(from));
    }
}

static double time_jansson(json_t *model, struct buf *out)
{
    double start = cpu_seconds();
    for (unsigned i = 0; i < ITERATIONS; i++) {
        json_t *tree = build(model);
        size_t n = json_dumpb(tree, (char *)out->ptr, out->cap, JSON_COMPACT);
        if (!n || n > out->cap) abort();
        json_decref(tree);
    }
    return (cpu_seconds() - start) / ITERATIONS * 1e6;
}

/* with_index: also the pass over the record's bytes that makes its attributes findable. */
static double time_own(struct dialect *d, struct sample *a, struct buf *out, bool with_index)
{
    struct err e;
    double start = cpu_seconds();
    for (unsigned i = 0; i < ITERATIONS; i++) {
        buf_clear(out);
        if (with_index && record_index(&a->index, &a->record, &e) < 0) abort();
        if (dialect_entity(d, &a->s, out, &e) < 0) abort();
    }
    return (cpu_seconds() - start) / ITERATIONS * 1e6;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
static double median(double *v, size_t n)
{
    qsort(v, n, sizeof *v, by_value);
    return v[n / 2];
}

static unsigned count_values(const struct sample *a)
{
    unsigned n = 0;
    for (size_t i = 0; i < ATTR_INDEX_SIZE; i++) n += a->n[i];
    return n;
}

static void prepare_groups(struct dialect *d, struct sample *a, struct buf *kept)
{
    size_t end[SAMPLE_MEMBERS] = {0};
    for (size_t i = 0; i < a->s.n_groups; i++) {
        dialect_prepare_ref(d, a->s.domain, &a->groups[i], kept);
        end[i] = kept->len;
    }
    for (size_t i = 0; i < a->s.n_groups; i++) {
        size_t start = i ? end[i - 1] : 0;
        a->groups[i].prepared = (struct str){(const char *)kept->ptr + start, end[i] - start};
    }
}

#define ROUNDS_MAX 99

int main(int argc, char **argv)
{
    struct err e;
    struct dialect *d;
    size_t rounds = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 7;
    double own[ROUNDS_MAX], indexed[ROUNDS_MAX], prepared[ROUNDS_MAX], jansson[ROUNDS_MAX];
    struct dialect_options o = {.context = {STR("corp"), SAMPLE_NOW, 1, STR("run-1"), ROLLCALL_VERSION}};
    struct buf out = buf_new((size_t)1 << 20), kept = buf_new((size_t)1 << 20);
    if (rounds < 1 || rounds > ROUNDS_MAX) rounds = 7;
    if (dialect_open(&d, STR("ocsf"), &o, &e) < 0) return 1;
    struct sample *plain = sample_typical_user(), *fast = sample_typical_user();
    sample_subject(plain, 0);
    sample_subject(fast, 0);
    prepare_groups(d, fast, &kept);
    if (dialect_entity(d, &plain->s, &out, &e) < 0) return 1;
    size_t length = out.len;
    json_t *model = json_loadb((const char *)out.ptr, out.len, 0, NULL);
    if (!model) return 1;
    for (size_t i = 0; i < rounds; i++) {
        own[i] = time_own(d, plain, &out, false);
        jansson[i] = time_jansson(model, &out);
        indexed[i] = time_own(d, plain, &out, true);
        prepared[i] = time_own(d, fast, &out, false);
    }
    double j = median(jansson, rounds), w = median(own, rounds), x = median(indexed, rounds),
           p = median(prepared, rounds);
    printf("event of %zu bytes from %u values, median of %zu rounds of %d, us of CPU\n", length,
           count_values(plain), rounds, ITERATIONS);
    printf("jansson tree and dump     %6.2f\n", j);
    printf("own tables                %6.2f   1/%.1f of jansson\n", w, j / w);
    printf("  and indexing the record %6.2f   1/%.1f\n", x, j / x);
    printf("  groups prepared         %6.2f   1/%.1f\n", p, j / p);
    json_decref(model);
    dialect_close(d);
    sample_free(plain);
    sample_free(fast);
    buf_free(&out);
    buf_free(&kept);
    return 0;
}
