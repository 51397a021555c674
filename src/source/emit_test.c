#include "source/source.h"

#include "base/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A worker's end and a file that collects what it says. */
struct stream {
    struct emit *m;
    FILE *file;
    struct buf all;
    struct err e;
};

static int stream_start(void **state)
{
    struct stream *s = calloc(1, sizeof *s);
    s->file = tmpfile();
    s->all = buf_new((size_t)512 << 20);
    assert_int_equal(emit_open(&s->m, fileno(s->file), &s->e), 0);
    *state = s;
    return 0;
}

static int stream_end(void **state)
{
    struct stream *s = *state;
    emit_close(s->m);
    fclose(s->file);
    buf_free(&s->all);
    free(s);
    return 0;
}

/* Ends the stream and takes all frames; returns how many. */
static size_t frames_of(struct stream *s, struct frame *out, size_t most)
{
    struct err e;
    size_t n = 0;
    assert_int_equal(emit_end(s->m, 1, 2, "dc", &e), 0);
    long size = ftell(s->file) >= 0 ? lseek(fileno(s->file), 0, SEEK_END) : 0;
    uint8_t *to = buf_reserve(&s->all, (size_t)size);
    assert_int_equal(pread(fileno(s->file), to, (size_t)size, 0), size);
    buf_advance(&s->all, (size_t)size);
    struct bytes left = buf_bytes(&s->all);
    while (n < most && frame_next(&out[n], &left, &e) == 1) n++;
    assert_int_equal(left.len, 0);
    assert_int_equal(out[n - 1].type, FRAME_END);
    return n;
}

static const uint8_t sd_good[] = {1, 0, 4,  0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                  0, 0, 20, 0,    0, 0, 4, 0, 8, 0, 0, 0, 0, 0};

/* Descriptors that differ, and are all well-formed: an empty DACL with slack behind it. */
static struct bytes sd_number(uint8_t out[32], uint32_t n)
{
    memcpy(out, sd_good, sizeof sd_good);
    memcpy(out + sizeof sd_good, &n, sizeof n);
    return (struct bytes){out, 32};
}

static void a_descriptor_is_sent_once(void **state)
{
    struct stream *s = *state;
    struct frame f[4];
    uint8_t a[32], b[32];
    uint32_t first, second, again;
    assert_int_equal(emit_sd(s->m, sd_number(a, 1), &first, &s->e), 0);
    assert_int_equal(emit_sd(s->m, sd_number(b, 2), &second, &s->e), 0);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(emit_sd(s->m, sd_number(a, 1), &again, &s->e), 0);
        assert_int_equal(again, first);
        assert_int_equal(emit_sd(s->m, sd_number(b, 2), &again, &s->e), 0);
        assert_int_equal(again, second);
    }
    assert_true(first && second && first != second);
    assert_int_equal(frames_of(s, f, n_elements(f)), 3);
    assert_int_equal(f[0].type, FRAME_SD);
    assert_memory_equal(f[0].payload.ptr, &first, 4);
    assert_memory_equal(f[0].payload.ptr + 4, a, 32);
}

static void no_or_bad_descriptors_have_no_number(void **state)
{
    struct stream *s = *state;
    struct frame f[2];
    uint32_t number = 9;
    uint8_t bad[32];
    assert_int_equal(emit_sd(s->m, (struct bytes){NULL, 0}, &number, &s->e), 0);
    assert_int_equal(number, 0);
    for (size_t len = 1; len < sizeof sd_good; len++) {
        if (len == 20 || len > 24) continue; /* handled below, or an ACL's tail */
        assert_int_equal(emit_sd(s->m, (struct bytes){sd_good, len}, &number, &s->e), 0);
        assert_int_equal(number, 0);
    }
    memset(bad, 0xff, sizeof bad);
    assert_int_equal(emit_sd(s->m, (struct bytes){bad, sizeof bad}, &number, &s->e), 0);
    assert_int_equal(number, 0);
    assert_int_equal(frames_of(s, f, n_elements(f)), 1);
}

/* More descriptors than the cache holds: numbers stay unique, and each number is announced before it is used.
 */
static void many_descriptors_keep_their_meaning(void **state)
{
    struct stream *s = *state;
    enum { KINDS = 30000, ROUNDS = 2 };
    struct frame *f = calloc(KINDS * ROUNDS + 2, sizeof *f);
    uint32_t *numbers = calloc(KINDS * ROUNDS, sizeof *numbers);
    uint8_t sd[32];
    for (uint32_t i = 0; i < KINDS * ROUNDS; i++)
        assert_int_equal(emit_sd(s->m, sd_number(sd, i % KINDS), &numbers[i], &s->e), 0);
    size_t n = frames_of(s, f, KINDS * ROUNDS + 2) - 1;
    assert_in_range(n, KINDS, KINDS * ROUNDS);
    for (uint32_t i = 0; i < KINDS * ROUNDS; i++) {
        uint32_t announced;
        assert_in_range(numbers[i], 1, n);
        memcpy(&announced, f[numbers[i] - 1].payload.ptr, 4);
        assert_int_equal(announced, numbers[i]);
        assert_memory_equal(f[numbers[i] - 1].payload.ptr + 4, sd_number(sd, i % KINDS).ptr, 32);
    }
    free(f);
    free(numbers);
}

static void records_come_back(void **state)
{
    struct stream *s = *state;
    struct frame f[3];
    struct record r = {.kind = KIND_user,
                       .flags = RECORD_NO_SD,
                       .guid = {1, 2, 3},
                       .dn = STR("CN=x"),
                       .sd = 0},
                  back;
    r.sid = bytes_of(STR("sid"));
    assert_int_equal(emit_record(s->m, &r, &s->e), 0);
    struct gap g = {KIND_user, GAP_LOSS, STR("what"), STR("where"), STR("fix")}, gap;
    assert_int_equal(emit_gap(s->m, &g, &s->e), 0);
    assert_int_equal(frames_of(s, f, n_elements(f)), 3);
    assert_int_equal(record_decode(&back, f[0].payload, &s->e), 0);
    assert_true(str_equal(back.dn, r.dn) && bytes_equal(back.sid, r.sid) && back.flags == RECORD_NO_SD);
    assert_int_equal(gap_decode(&gap, f[1].payload, &s->e), 0);
    assert_true(str_equal(gap.where, STR("where")) && gap.severity == GAP_LOSS);
}

static void fill_members(struct buf *block, uint32_t n)
{
    char dn[64];
    for (uint32_t i = 0; i < n; i++) {
        int len = snprintf(dn, sizeof dn, "CN=member %u,DC=x", i);
        buf_add_lstr(block, (struct bytes){(uint8_t *)dn, (size_t)len});
    }
}

static uint32_t check_members(struct dn_list list, uint32_t from)
{
    struct str dn;
    char expected[64];
    while (dn_list_next(&list, &dn)) {
        int len = snprintf(expected, sizeof expected, "CN=member %u,DC=x", from++);
        assert_true(str_equal(dn, (struct str){expected, (size_t)len}));
    }
    assert_int_equal(list.block.len, 0);
    return from;
}

static void long_member_lists_are_split(void **state)
{
    struct stream *s = *state;
    enum { N = 200000 };
    struct frame f[32];
    struct buf block = buf_new((size_t)64 << 20);
    struct record r = {.kind = KIND_group, .guid = {7}, .dn = STR("CN=g")}, back;
    struct members_part part;
    fill_members(&block, N);
    r.member = (struct dn_list){N, buf_bytes(&block)};
    assert_int_equal(emit_record(s->m, &r, &s->e), 0);
    size_t n = frames_of(s, f, n_elements(f)) - 1;
    assert_true(n > 2);
    assert_int_equal(record_decode(&back, f[0].payload, &s->e), 0);
    assert_int_equal(back.flags, RECORD_MORE_MEMBERS);
    uint32_t at = check_members(back.member, 0);
    for (size_t i = 1; i < n; i++) {
        assert_int_equal(f[i].type, FRAME_MEMBERS);
        assert_true(f[i].payload.len < FRAME_MEMBERS_AT + 4096);
        assert_int_equal(members_decode(&part, f[i].payload, &s->e), 0);
        assert_memory_equal(part.guid, r.guid, GUID_SIZE);
        assert_int_equal(part.more, i + 1 < n);
        at = check_members(part.list, at);
    }
    assert_int_equal(at, N);
    buf_free(&block);
}

static void ranges_follow_their_record(void **state)
{
    struct stream *s = *state;
    struct frame f[8];
    struct buf block = buf_new((size_t)1 << 20);
    struct record r = {.kind = KIND_group, .flags = RECORD_MORE_MEMBERS, .guid = {7}, .dn = STR("CN=g")};
    struct members_part part = {.guid = {7}, .more = true}, back;
    fill_members(&block, 3);
    assert_int_equal(emit_record(s->m, &r, &s->e), 0);
    part.list = (struct dn_list){3, buf_bytes(&block)};
    assert_int_equal(emit_members(s->m, &part, &s->e), 0);
    part = (struct members_part){.guid = {7}};
    assert_int_equal(emit_members(s->m, &part, &s->e), 0);
    assert_int_equal(frames_of(s, f, n_elements(f)), 4);
    assert_int_equal(members_decode(&back, f[1].payload, &s->e), 0);
    assert_true(back.more && check_members(back.list, 0) == 3);
    assert_int_equal(members_decode(&back, f[2].payload, &s->e), 0);
    assert_true(!back.more && back.list.n == 0);
    buf_free(&block);
}

static void an_oversized_record_leaves_the_stream_whole(void **state)
{
    struct stream *s = *state;
    struct frame f[4];
    uint8_t *big = calloc(1, FRAME_MAX);
    struct record r = {.kind = KIND_user, .dn = STR("CN=x")};
    assert_int_equal(emit_record(s->m, &r, &s->e), 0);
    r.state = (struct bytes){big, FRAME_MAX};
    assert_int_equal(emit_record(s->m, &r, &s->e), ERR_LIMIT);
    r.state.len = 10;
    assert_int_equal(emit_record(s->m, &r, &s->e), 0);
    assert_int_equal(frames_of(s, f, n_elements(f)), 3);
    free(big);
}

static void progress_is_not_chatty(void **state)
{
    struct stream *s = *state;
    struct frame f[16];
    int64_t until = when_monotonic_ms() + 600;
    while (when_monotonic_ms() < until) assert_int_equal(emit_progress(s->m, KIND_user, 1, 2, 3, &s->e), 0);
    assert_in_range(frames_of(s, f, n_elements(f)), 2, 5);
    assert_int_equal(f[0].type, FRAME_PROGRESS);
    assert_int_equal(f[0].payload.len, 25);
}

static void steps_and_aborts_are_json(void **state)
{
    struct stream *s = *state;
    struct frame f[4];
    struct err why;
    struct step step = {.name = "dns",
                        .verdict = STEP_FAIL,
                        .evidence = "not \xff text",
                        .fix = "do",
                        .class = ERR_NOTFOUND,
                        .took_ms = 5};
    assert_int_equal(emit_step(s->m, &step, &s->e), 0);
    err_set(&why, ERR_AUTH, "no");
    err_hint(&why, "hint");
    err_code(&why, DOM_AD, 0x775);
    emit_abort(s->m, &why);
    assert_int_equal(frames_of(s, f, n_elements(f)), 3);
    json_t *j = json_loadb((const char *)f[0].payload.ptr, f[0].payload.len, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(j, "verdict")), "fail");
    assert_string_equal(json_string_value(json_object_get(j, "class")), "NOTFOUND");
    json_decref(j);
    j = json_loadb((const char *)f[1].payload.ptr, f[1].payload.len, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(j, "hint")), "hint");
    assert_int_equal(json_integer_value(json_object_get(j, "code")), 0x775);
    json_decref(j);
}

static void a_secret_is_not_quoted(void **state)
{
    struct stream *s = *state;
    struct frame f[8];
    struct err why;
    struct gap g = {KIND_user, GAP_LOSS, STR("refused: hunter2hunter2!"), STR("at hunter2"), STR("ask \xff hunter")};
    struct step step = {.name = "bind", .verdict = STEP_FAIL, .evidence = "hunter2 said hunter2", .fix = "try hunter2"};
    emit_conceal(s->m, bytes_of(STR("hunter2")));
    assert_int_equal(emit_gap(s->m, &g, &s->e), 0);
    assert_int_equal(emit_step(s->m, &step, &s->e), 0);
    err_set(&why, ERR_AUTH, "the server said hunter2");
    err_hint(&why, "not hunter2");
    emit_abort(s->m, &why);
    size_t n = frames_of(s, f, n_elements(f));
    assert_in_range(n, 3, 4);
    for (size_t i = 0; i < n; i++) assert_null(memmem(f[i].payload.ptr, f[i].payload.len, "hunter2", 7));
    assert_int_equal(gap_decode(&g, f[0].payload, &s->e), 0);
    assert_true(str_equal(g.what, STR("refused: **************!")));
    json_t *j = json_loadb((const char *)f[1].payload.ptr, f[1].payload.len, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(j, "evidence")), "******* said *******");
    json_decref(j);
}

static void a_short_secret_spoils_no_text(void **state)
{
    struct stream *s = *state;
    struct frame f[4];
    struct step step = {.name = "bind", .verdict = STEP_FAIL, .evidence = "the bind was refused"};
    emit_conceal(s->m, bytes_of(STR("the")));
    assert_int_equal(emit_step(s->m, &step, &s->e), 0);
    frames_of(s, f, n_elements(f));
    assert_non_null(memmem(f[0].payload.ptr, f[0].payload.len, "the bind", 8));
}

static void a_gone_reader_cancels(void **state)
{
    int pair[2];
    struct emit *m;
    struct err e;
    struct record r = {.kind = KIND_user, .dn = STR("CN=x")};
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(emit_open(&m, pair[0], &e), 0);
    close(pair[1]);
    int rc = 0;
    for (int i = 0; i < 100000 && rc == 0; i++) rc = emit_record(m, &r, &e);
    assert_int_equal(rc, ERR_CANCEL);
    assert_int_equal(emit_record(m, &r, &e), ERR_CANCEL);
    assert_int_equal(emit_end(m, 0, 0, "", &e), ERR_CANCEL);
    emit_abort(m, &e);
    emit_close(m);
    close(pair[0]);
}

/* Reads slowly to the end; returns how many whole records came before END, -1 if anything else did. */
static int read_slowly(int fd)
{
    struct buf in = buf_new((size_t)16 << 20);
    struct frame f = {.type = FRAME_JOB};
    struct err e;
    ssize_t n = -1;
    int records = 0;
    while (n != 0) {
        n = recv(fd, buf_reserve(&in, 65536), 65536, 0);
        if (n > 0) buf_advance(&in, (size_t)n);
        usleep(500);
    }
    struct bytes left = buf_bytes(&in);
    while (frame_next(&f, &left, &e) == 1) records += f.type == FRAME_RECORD;
    return f.type == FRAME_END && !left.len ? records : -1;
}

static void a_slow_reader_is_waited_for(void **state)
{
    int pair[2], status = 0;
    struct emit *m;
    struct err e;
    uint8_t pad[1000] = {0};
    struct record r = {.kind = KIND_user, .dn = STR("CN=x"), .stats = {pad, sizeof pad}};
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    pid_t child = fork();
    if (child == 0) {
        close(pair[0]);
        _exit(read_slowly(pair[1]) == 2000 ? 0 : 1);
    }
    close(pair[1]);
    assert_int_equal(emit_open(&m, pair[0], &e), 0);
    for (int i = 0; i < 2000; i++) assert_int_equal(emit_record(m, &r, &e), 0);
    assert_int_equal(emit_end(m, 0, 0, "", &e), 0);
    emit_close(m);
    close(pair[0]);
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#define STREAM(f) cmocka_unit_test_setup_teardown(f, stream_start, stream_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STREAM(a_descriptor_is_sent_once),
        STREAM(no_or_bad_descriptors_have_no_number),
        STREAM(many_descriptors_keep_their_meaning),
        STREAM(records_come_back),
        STREAM(long_member_lists_are_split),
        STREAM(ranges_follow_their_record),
        STREAM(an_oversized_record_leaves_the_stream_whole),
        STREAM(progress_is_not_chatty),
        STREAM(steps_and_aborts_are_json),
        STREAM(a_secret_is_not_quoted),
        STREAM(a_short_secret_spoils_no_text),
        cmocka_unit_test(a_gone_reader_cancels),
        cmocka_unit_test(a_slow_reader_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
