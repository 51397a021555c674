/* answer.c - answer: the process behind server/asker.h. */
#include "access/report/report.h"
#include "base/file.h"
#include "cmd/access.h"
#include "cmd/access_keep.h"
#include "cmd/access_past.h"
#include "server/asker_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define KEPT_ANSWERS 8
#define FIRST_ROWS   1000
#define GAPS_MAX     100

/* An answer that is told by pages. */
struct kept_answer {
    char *key; /* its words, one behind the other; NULL: free */
    int fd;    /* its rows, a line each */
    int64_t *starts, n, limit; /* limit: rows that were asked for; fewer came: it is whole */
    uint64_t used;
    json_t *head;
};

struct answering {
    struct access_keep keep;
    const char *store_url;
    int nowhere; /* /dev/null */
    struct kept_answer kept[KEPT_ANSWERS];
    uint64_t n_questions;
};

struct question {
    json_t *json;
    const char *words[ASKER_WORDS_MAX + 1];
    unsigned n_words;
    const char *as;
    int64_t offset, limit;
    struct buf body;
    json_t *head;
};

/* --- which commands ---------------------------------------------------------------------------------------------------- */

/* What may be asked, and with which options: none that names a file to read or to write, or other settings. */
static const struct allowed {
    const struct command *command;
    const char *options;
} allowed[] = {
    {&cmd_access_who_can, "kind principal-filter groups count why limit run connector rule output"},
    {&cmd_access_what_can, "right kind target-filter all count limit connector rule output"},
    {&cmd_access_why, "principal right target connector rule output"},
    {&cmd_access_check, "principal target connector rule output"},
    {&cmd_access_members, "kind principal-filter direct limit run connector output"},
    {&cmd_access_token, "at connector limit output"},
    {&cmd_report_list, "output"},
    {&cmd_report_run, "connector limit counts output"},
    {&cmd_identity_list, "connector kind rule conflicts limit output"},
    {&cmd_identity_orphans, "connector kind limit output"},
};

static const struct allowed *find_command(const struct question *q, struct err *e)
{
    char name[64];
    if (q->n_words < 2) {
        err_set(e, ERR_INPUT, "a question is a command of two words and its arguments");
        return NULL;
    }
    snprintf(name, sizeof name, "%s %s", q->words[0], q->words[1]);
    for (size_t i = 0; i < n_elements(allowed); i++)
        if (strcmp(allowed[i].command->name, name) == 0) return &allowed[i];
    err_set(e, ERR_DENIED, "'%s' is not answered here", name);
    return NULL;
}

static bool is_word_of(const char *list, const char *word)
{
    struct str rest = str_from(list);
    while (rest.len) {
        size_t n = str_index(rest, ' ');
        if (str_equal((struct str){rest.ptr, n}, str_from(word))) return true;
        n += n < rest.len;
        rest.ptr += n;
        rest.len -= n;
    }
    return false;
}

static int check_options(const struct cli *c, const struct allowed *a, struct err *e)
{
    const struct cli_option *tables[] = {a->command->options, cli_common_options};
    for (size_t t = 0; t < n_elements(tables); t++)
        for (const struct cli_option *o = tables[t]; o && o->name; o++)
            if (cli_value(c, o->name) && !is_word_of(a->options, o->name)) return err_set(e, ERR_DENIED, "--%s is not answered here", o->name);
    return 0;
}

/* --- running one --------------------------------------------------------------------------------------------------------- */

#define MORE_WORDS 8
struct call {
    const char *more[MORE_WORDS]; /* options of ours, in front */
    unsigned n_more;
    bool unfiltered;              /* the words without filters */
};

static bool is_filter(const char *word)
{
    static const char *const options[] = {"--kind=", "--principal-filter=", "--target-filter=", "--right=", "--limit="};
    for (size_t i = 0; i < n_elements(options); i++)
        if (str_starts(str_from(word), str_from(options[i]))) return true;
    return strcmp(word, "--all") == 0;
}

static int make_argv(char **argv, const struct question *q, const struct call *call)
{
    int n = 0;
    bool is_option = true;
    argv[n++] = (char *)q->words[0];
    for (unsigned i = 0; i < call->n_more; i++) argv[n++] = (char *)call->more[i];
    for (unsigned i = 2; i < q->n_words; i++) {
        is_option = is_option && strcmp(q->words[i], "--") != 0;
        if (!(call->unfiltered && is_option && is_filter(q->words[i]))) argv[n++] = (char *)q->words[i];
    }
    argv[n] = NULL;
    return n;
}

static int run_parsed(struct answering *a, struct cli *c, const struct allowed *which, struct err *e)
{
    c->conf.store_url = x_strdup(str_from(a->store_url));
    c->has_conf = true;
    c->store = a->keep.store;
    int rc = check_options(c, which, e);
    if (rc == 0) rc = which->command->run(c, e);
    c->store = NULL; /* ours */
    return rc < 0 ? rc : 0;
}

/* Runs it with standard output going to fd. */
static int run_into(struct answering *a, const struct question *q, const struct call *call, int fd, struct err *e)
{
    char *argv[ASKER_WORDS_MAX + MORE_WORDS + 1];
    struct cli c;
    bool wants_help;
    const struct allowed *which = find_command(q, e);
    if (!which) return e->class;
    int argc = make_argv(argv, q, call);
    if (dup2(fd, STDOUT_FILENO) < 0) return err_errno(e, ERR_LIMIT, errno, "dup2");
    int rc = cli_parse(&c, which->command, argc, argv, &wants_help, e);
    if (rc == 0 && wants_help) rc = err_set(e, ERR_DENIED, "--help is not answered here");
    if (rc == 0) rc = run_parsed(a, &c, which, e);
    if (fflush(stdout) != 0 && rc == 0) rc = err_set(e, ERR_LIMIT, "the answer is larger than %u MiB", ASKER_BODY_MAX >> 20);
    clearerr(stdout);
    dup2(a->nowhere, STDOUT_FILENO);
    cli_free(&c);
    return rc;
}

/* A place in memory that cannot grow beyond what may be answered. */
static int open_room(struct err *e)
{
    int fd = memfd_create("answer", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd >= 0 && ftruncate(fd, ASKER_BODY_MAX) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) == 0) return fd;
    err_errno(e, ERR_LIMIT, errno, "no memory for an answer");
    if (fd >= 0) close(fd);
    return e->class;
}

static int read_room(struct buf *out, int fd, struct err *e)
{
    off_t n = lseek(fd, 0, SEEK_CUR);
    uint8_t *to = n >= 0 ? buf_reserve(out, (size_t)n) : NULL;
    if (!to) return err_set(e, ERR_LIMIT, "the answer is larger than %u MiB", ASKER_BODY_MAX >> 20);
    for (off_t at = 0; at < n;) {
        ssize_t got = pread(fd, to + at, (size_t)(n - at), at);
        if (got <= 0) return err_set(e, ERR_BUG, "an answer cannot be read back");
        at += got;
    }
    buf_advance(out, (size_t)n);
    return 0;
}

static int capture(struct answering *a, const struct question *q, const struct call *call, struct buf *out, struct err *e)
{
    int fd = open_room(e);
    if (fd < 0) return e->class;
    int rc = run_into(a, q, call, fd, e);
    bool is_full = lseek(fd, 0, SEEK_CUR) >= (off_t)ASKER_BODY_MAX - 1 || (rc < 0 && e->domain == DOM_ERRNO && e->code == EPERM);
    if (rc < 0 && is_full) {
        err_set(e, ERR_LIMIT, "the answer is larger than %u MiB", ASKER_BODY_MAX >> 20);
        err_hint(e, "ask for less, or use the command rollcall access");
    }
    if (rc == 0) rc = read_room(out, fd, e);
    close(fd);
    return rc;
}

/* --- pages --------------------------------------------------------------------------------------------------------------- */

static void forget(struct kept_answer *k)
{
    if (k->key) close(k->fd);
    free(k->key);
    free(k->starts);
    json_decref(k->head);
    *k = (struct kept_answer){0};
}

static void forget_all(struct answering *a)
{
    for (size_t i = 0; i < KEPT_ANSWERS; i++) forget(&a->kept[i]);
}

/* Where each line begins, and where the last one ends. */
static int index_lines(struct kept_answer *k, struct err *e)
{
    size_t size = (size_t)1 << 18;
    int64_t cap = 0, at = 0;
    defer_free char *piece = x_alloc(size);
    ssize_t got;
    k->n = 0;
    GROW(k->starts, k->n, cap, 256);
    k->starts[0] = 0;
    while ((got = pread(k->fd, piece, size, at)) > 0) {
        for (const char *p = piece, *end = piece + got; (p = memchr(p, '\n', (size_t)(end - p))); ) {
            p++;
            k->n++;
            GROW(k->starts, k->n, cap, 256);
            k->starts[k->n] = at + (p - piece);
        }
        at += got;
    }
    return got < 0 ? err_errno(e, ERR_LIMIT, errno, "an answer cannot be read back") : 0;
}

static int fill(struct answering *a, struct kept_answer *k, const struct question *q, int64_t rows, struct err *e)
{
    char limit[32];
    bool has_limit = strcmp(q->words[1], "token") != 0;
    struct call call = {.more = {"--output=jsonl", limit}, .n_more = has_limit ? 2 : 1};
    snprintf(limit, sizeof limit, "--limit=%lld", (long long)rows);
    close(k->fd);
    if (file_spill(&k->fd, e) < 0) {
        k->fd = -1;
        return e->class;
    }
    try(run_into(a, q, &call, k->fd, e));
    k->limit = has_limit ? rows : INT64_MAX;
    return index_lines(k, e);
}

static bool is_whole(const struct kept_answer *k)
{
    return k->n < k->limit;
}

/* One of the members of what --count tells. */
static int count(struct answering *a, const struct question *q, struct call call, const char *member, int64_t *out, struct err *e)
{
    struct buf text = buf_new(ASKER_HEAD_MAX);
    call.more[call.n_more++] = "--output=json";
    call.more[call.n_more++] = "--count";
    int rc = capture(a, q, &call, &text, e);
    json_t *j = rc == 0 ? json_loadb((const char *)text.ptr, text.len, 0, NULL) : NULL;
    if (rc == 0 && !j) rc = err_set(e, ERR_BUG, "--count told no JSON");
    if (rc == 0) *out = json_integer_value(json_object_get(j, member));
    json_decref(j);
    buf_free(&text);
    return rc;
}

static bool has_filter(const struct question *q)
{
    for (unsigned i = 2; i < q->n_words && strcmp(q->words[i], "--") != 0; i++)
        if (is_filter(q->words[i])) return true;
    return false;
}

/* How many rows there are, and how many there would be without filters and defaults; -1: nobody knows. */
static int count_who(struct answering *a, struct kept_answer *k, const struct question *q, int64_t *total, int64_t *all, struct err *e)
{
    struct call as_asked = {0}, everybody = {.unfiltered = true, .more = {"--groups"}, .n_more = 1};
    *total = k->n;
    if (!is_whole(k)) try(count(a, q, as_asked, "count", total, e));
    return count(a, q, everybody, "count", all, e);
}

static int count_what(struct answering *a, struct kept_answer *k, const struct question *q, int64_t *total, int64_t *all, struct err *e)
{
    struct call everything = {.unfiltered = true};
    if (!is_whole(k) && has_filter(q) && k->limit < ASKER_ROWS_MAX) try(fill(a, k, q, ASKER_ROWS_MAX, e));
    *total = is_whole(k) ? k->n : -1;
    if (*total < 0 && !has_filter(q)) try(count(a, q, everything, "beyond_baseline", total, e));
    return count(a, q, everything, "objects", all, e);
}

/* As of when, and what the answer may lack. */
static void tell_state(struct answering *a, json_t *head)
{
    const struct world *w = a->keep.world;
    struct access_cli told = {.world = a->keep.world};
    int64_t as_of = 0;
    uint32_t about = a->keep.about;
    if (!w) return;
    json_t *gaps = access_gaps_json(&told, about, true);
    size_t n = json_array_size(gaps);
    while (json_array_size(gaps) > GAPS_MAX) json_array_remove(gaps, json_array_size(gaps) - 1);
    if (n > GAPS_MAX) json_array_append_new(gaps, json_pack("{s:s, s:I}", "what", "there are more gaps than are told here", "count", (json_int_t)(n - GAPS_MAX)));
    for (uint32_t i = 0; i < w->n_connectors; i++)
        if ((about == NOBODY || about == i) && (!as_of || w->connectors[i].as_of_ms < as_of)) as_of = w->connectors[i].as_of_ms;
    access_add_lost(gaps, a->keep.n_lost);
    if (a->keep.as_of_ms) as_of = a->keep.as_of_ms;
    jsonv_put(head, "gaps", gaps);
    jsonv_put(head, "as_of", as_of ? jsonv_time(as_of) : json_null());
}

static int make_head(struct answering *a, struct kept_answer *k, const struct question *q, struct err *e)
{
    int64_t total = is_whole(k) ? k->n : -1, all = 0;
    json_t *head = json_object();
    tell_state(a, head);
    int rc = 0;
    if (strcmp(q->words[1], "who-can") == 0) rc = count_who(a, k, q, &total, &all, e);
    if (strcmp(q->words[1], "what-can") == 0) rc = count_what(a, k, q, &total, &all, e);
    jsonv_put(head, "total", total < 0 ? json_null() : json_integer(total));
    jsonv_put(head, "hidden", json_integer(total >= 0 && all > total ? all - total : 0));
    json_decref(k->head);
    k->head = head;
    return rc;
}

static char *key_of(const struct question *q)
{
    struct buf b = buf_new((size_t)ASKER_QUESTION_MAX * 2);
    for (unsigned i = 0; i < q->n_words; i++) buf_printf(&b, "%zu:%s", strlen(q->words[i]), q->words[i]);
    char *key = x_strdup(buf_str(&b));
    buf_free(&b);
    return key;
}

/* The kept one of this question, or the place of the one that was longest not asked for. */
static struct kept_answer *place_for(struct answering *a, const struct question *q)
{
    char *key = key_of(q);
    struct kept_answer *oldest = &a->kept[0];
    for (size_t i = 0; i < KEPT_ANSWERS; i++) {
        struct kept_answer *k = &a->kept[i];
        if (k->key && strcmp(k->key, key) == 0) {
            free(key);
            return k;
        }
        if (k->used < oldest->used) oldest = k;
    }
    forget(oldest);
    *oldest = (struct kept_answer){.key = key, .fd = -1};
    return oldest;
}

/* More than the page, so that the following ones need not ask again; and one more, to know whether there are any. */
static int provide(struct answering *a, struct kept_answer *k, const struct question *q, struct err *e)
{
    int64_t need = q->offset + q->limit + 1, rows = need * 4;
    k->used = ++a->n_questions;
    if (k->head && (is_whole(k) || need <= k->n || k->limit >= ASKER_ROWS_MAX)) return 0;
    if (rows < FIRST_ROWS) rows = FIRST_ROWS;
    if (rows > ASKER_ROWS_MAX) rows = ASKER_ROWS_MAX;
    try(fill(a, k, q, rows, e));
    return k->head ? 0 : make_head(a, k, q, e);
}

static int put_rows(const struct kept_answer *k, struct question *q, struct err *e)
{
    int64_t last = q->offset + q->limit < k->n ? q->offset + q->limit : k->n;
    buf_add_byte(&q->body, '[');
    for (int64_t i = q->offset; i < last; i++) {
        size_t n = (size_t)(k->starts[i + 1] - k->starts[i] - 1);
        if (i > q->offset) buf_add_byte(&q->body, ',');
        uint8_t *to = buf_reserve(&q->body, n);
        if (!to) return err_set(e, ERR_LIMIT, "the page is larger than %u MiB", ASKER_BODY_MAX >> 20);
        if (pread(k->fd, to, n, k->starts[i]) != (ssize_t)n) return err_set(e, ERR_BUG, "an answer cannot be read back");
        buf_advance(&q->body, n);
    }
    buf_add_byte(&q->body, ']');
    return q->body.failed ? err_set(e, ERR_LIMIT, "the page is larger than %u MiB", ASKER_BODY_MAX >> 20) : 0;
}

static int answer_page(struct answering *a, struct question *q, struct err *e)
{
    if (q->offset < 0 || q->limit < 1 || q->limit > ASKER_ROWS_MAX) return err_set(e, ERR_INPUT, "no such page");
    if (q->offset >= ASKER_ROWS_MAX) {
        err_set(e, ERR_LIMIT, "only the first %d rows of an answer are told here", ASKER_ROWS_MAX);
        return err_hint(e, "filter it, or use the command rollcall %s %s, which tells all", q->words[0], q->words[1]);
    }
    struct kept_answer *k = place_for(a, q);
    int rc = provide(a, k, q, e);
    if (rc == 0) rc = put_rows(k, q, e);
    if (rc < 0)
        forget(k);
    else
        q->head = json_incref(k->head);
    return rc;
}

/* --- questions ------------------------------------------------------------------------------------------------------------- */

static int read_question(struct question *q, struct err *e)
{
    size_t i;
    json_t *word, *words = json_object_get(q->json, "words");
    q->as = json_string_value(json_object_get(q->json, "as"));
    q->offset = json_integer_value(json_object_get(q->json, "offset"));
    q->limit = json_integer_value(json_object_get(q->json, "limit"));
    if (!q->as || !json_is_array(words) || json_array_size(words) > ASKER_WORDS_MAX) return err_set(e, ERR_INPUT, "this is no question");
    json_array_foreach(words, i, word) {
        if (!json_is_string(word)) return err_set(e, ERR_INPUT, "this is no question");
        q->words[q->n_words++] = json_string_value(word);
    }
    return 0;
}

static int answer_one(struct answering *a, struct question *q, struct err *e)
{
    bool is_new;
    struct call call = {.more = {"--output=json"}, .n_more = 1};
    try(read_question(q, e));
    if (!find_command(q, e)) return e->class;
    if (!a->keep.store) try(store_open(&a->keep.store, str_from(a->store_url), e));
    try(access_keep_refresh(&a->keep, &is_new, e));
    if (is_new) forget_all(a);
    if (strcmp(q->as, "page") == 0) return answer_page(a, q, e);
    if (strcmp(q->as, "text") == 0) call.more[0] = "--output=table";
    return capture(a, q, &call, &q->body, e);
}

/* --- the socketpair ---------------------------------------------------------------------------------------------------------- */

/* false: the server is gone, or is silent for too long. */
static bool receive(void *to, size_t n, int idle_ms)
{
    uint8_t *at = to;
    while (n) {
        struct pollfd p = {ASKER_FD, POLLIN, 0};
        int ready = poll(&p, 1, idle_ms);
        if (ready < 0 && errno == EINTR) return false; /* SIGTERM */
        if (ready <= 0) return false;
        ssize_t got = read(ASKER_FD, at, n);
        if (got <= 0) return false;
        at += got;
        n -= (size_t)got;
    }
    return true;
}

static bool receive_question(struct question *q, int idle_ms)
{
    uint8_t raw[4];
    if (!receive(raw, sizeof raw, idle_ms)) return false;
    size_t n = (size_t)raw[0] | (size_t)raw[1] << 8 | (size_t)raw[2] << 16 | (size_t)raw[3] << 24;
    if (n > ASKER_QUESTION_MAX) return false;
    defer_free char *text = x_alloc(n + 1);
    if (!receive(text, n, idle_ms)) return false;
    q->json = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
    return q->json != NULL;
}

static int send_part(struct bytes b, struct err *e)
{
    struct buf length = buf_new(4);
    buf_add_u32le(&length, (uint32_t)b.len);
    int rc = file_write_all(ASKER_FD, buf_bytes(&length), e);
    buf_free(&length);
    return rc < 0 ? rc : file_write_all(ASKER_FD, b, e);
}

static int send_answer(struct question *q, int rc, const struct err *why, struct err *e)
{
    if (rc < 0) {
        json_decref(q->head);
        q->head = json_pack("{s:s}", "class", err_class_name(rc));
        jsonv_put(q->head, "message", jsonv_str(str_from(why->message)));
        jsonv_put(q->head, "hint", jsonv_str(str_from(why->hint)));
        buf_clear(&q->body);
    }
    if (!q->head) q->head = json_object();
    defer_free char *text = json_dumps(q->head, JSON_COMPACT);
    try(send_part(bytes_of(str_from(text)), e));
    return send_part(buf_bytes(&q->body), e);
}

static int serve(struct answering *a, int idle_ms, struct err *e)
{
    for (;;) {
        struct err why = {0};
        struct question q = {.body = buf_new(ASKER_BODY_MAX)};
        if (!receive_question(&q, idle_ms)) {
            json_decref(q.json);
            return 0;
        }
        int rc = answer_one(a, &q, &why);
        rc = send_answer(&q, rc, &why, e);
        json_decref(q.json);
        json_decref(q.head);
        buf_free(&q.body);
        try(rc);
    }
}

static const struct cli_option options[] = {{"store", 0, "URL", "the store", NULL, false},
                                            {"idle-ms", 0, "N", "end after so long without a question", NULL, false},
                                            {NULL, 0, NULL, NULL, NULL, false}};

static int run(struct cli *c, struct err *e)
{
    struct answering a = {.store_url = cli_value(c, "store"), .nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC)};
    int64_t idle_ms;
    try(cli_number(c, "idle-ms", 1, 600000, &idle_ms, e));
    if (!a.store_url || a.nowhere < 0 || fcntl(ASKER_FD, F_GETFD) < 0) return err_set(e, ERR_INPUT, "answer is started by rollcall serve");
    fcntl(ASKER_FD, F_SETFD, FD_CLOEXEC);
    access_keep_in(&a.keep);
    int rc = serve(&a, (int)(idle_ms > INT32_MAX ? INT32_MAX : idle_ms), e);
    forget_all(&a);
    access_keep_drop(&a.keep);
    access_keep_in(NULL);
    store_close(a.keep.store);
    close(a.nowhere);
    return rc;
}

const struct command cmd_answer = {
    .name = "answer",
    .arguments = "",
    .summary = "Answer the server's access questions on descriptor 3",
    .options = options,
    .run = run,
    .is_hidden = true,
};
