#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/when.h"
#include "sink/http_fixture.h"

const char *receiver_py;
static char top[64];
struct secret token;

/* --- processes ---------------------------------------------------------------------------------------- */

struct receiver plain, tls, other_name, chaotic;

pid_t start(const char *const *argv, int out)
{
    pid_t parent = getpid(), child = fork();
    assert_true(child >= 0);
    if (child) return child;
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* no leftovers if the test is killed */
    if (getppid() != parent) _exit(127);
    if (out >= 0) dup2(out, STDOUT_FILENO);
    execv(argv[0], (char *const *)argv);
    _exit(127);
}

static void run(const char *const *argv)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC), status;
    int keep = dup(STDERR_FILENO);
    dup2(null, STDERR_FILENO); /* openssl is talkative */
    pid_t child = start(argv, null);
    dup2(keep, STDERR_FILENO);
    close(keep);
    close(null);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status) fail_msg("%s %s failed", argv[0], argv[1]);
}

char *in_top(const char *name)
{
    static char names[8][160];
    static unsigned turn;
    char *p = names[turn++ % 8];
    snprintf(p, sizeof names[0], "%s/%s", top, name);
    return p;
}

static struct receiver receiver_start(const char *const *more)
{
    const char *argv[24] = {"/usr/bin/python3", receiver_py,        "--quiet",
                            "--requests",       in_top("requests"), NULL};
    for (int n = 5; *more; n++) argv[n] = *more++;
    int ends[2];
    char line[64] = "";
    struct receiver r = {0};
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    r.pid = start(argv, ends[1]);
    close(ends[1]);
    for (size_t n = 0; n < sizeof line - 1 && !strchr(line, '\n'); n++)
        if (read(ends[0], line + n, 1) != 1) break;
    close(ends[0]);
    if (sscanf(line, "listening %d", &r.port) != 1) fail_msg("%s does not start", receiver_py);
    return r;
}

static void receiver_stop(struct receiver *r)
{
    if (!r->pid) return;
    kill(r->pid, SIGKILL);
    waitpid(r->pid, NULL, 0);
    *r = (struct receiver){0};
}

/* A CA and a leaf of it with the given names; two days. */
static void make_ca(const char *name)
{
    char key[64], pem[64];
    snprintf(key, sizeof key, "%s.key", name);
    snprintf(pem, sizeof pem, "%s.pem", name);
    run((const char *const[]){"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                              "ec_paramgen_curve:P-256", "-nodes", "-keyout", in_top(key), "-out",
                              in_top(pem), "-days", "2", "-subj", "/CN=Test CA", NULL});
}

static void make_leaf(const char *name, const char *names)
{
    char key[64], pem[64], san[128];
    snprintf(key, sizeof key, "%s.key", name);
    snprintf(pem, sizeof pem, "%s.pem", name);
    snprintf(san, sizeof san, "subjectAltName=%s", names);
    run((const char *const[]){"/usr/bin/openssl",
                              "req",
                              "-x509",
                              "-CA",
                              in_top("ca.pem"),
                              "-CAkey",
                              in_top("ca.key"),
                              "-newkey",
                              "ec",
                              "-pkeyopt",
                              "ec_paramgen_curve:P-256",
                              "-nodes",
                              "-keyout",
                              in_top(key),
                              "-out",
                              in_top(pem),
                              "-days",
                              "2",
                              "-subj",
                              "/CN=receiver",
                              "-addext",
                              san,
                              "-addext",
                              "basicConstraints=critical,CA:false",
                              NULL});
}

int group_set_up(void **state)
{
    struct err e;
    snprintf(top, sizeof top, "/tmp/rollcall-http-test-XXXXXX");
    if (!mkdtemp(top) || secret_take(&token, bytes_of(STR(TOKEN)), &e) < 0) return -1;
    make_ca("ca");
    make_ca("stranger");
    make_leaf("leaf", "IP:127.0.0.1,DNS:localhost");
    make_leaf("other", "DNS:other.example");
    plain = receiver_start((const char *const[]){"--record", in_top("record"), NULL});
    chaotic = receiver_start(
        (const char *const[]){"--record", in_top("chaos"), "--chaos", "0.5", "--token", TOKEN, NULL});
    tls = receiver_start(
        (const char *const[]){"--tls-cert", in_top("leaf.pem"), "--tls-key", in_top("leaf.key"), NULL});
    other_name = receiver_start(
        (const char *const[]){"--tls-cert", in_top("other.pem"), "--tls-key", in_top("other.key"), NULL});
    return 0;
}

int group_tear_down(void **state)
{
    receiver_stop(&plain);
    receiver_stop(&chaotic);
    receiver_stop(&tls);
    receiver_stop(&other_name);
    secret_drop(&token);
    run((const char *const[]){"/bin/rm", "-rf", top, NULL});
    return 0;
}

/* --- one post and what the receiver saw of it --------------------------------------------------------- */

char path[512], url[600];

struct sink_http_config config(const char *steps)
{
    static int number;
    snprintf(path, sizeof path, "/intake?key=HIDDEN&steps=%s&case=%d", steps, number++);
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", plain.port, path);
    return (struct sink_http_config){.url = str_from(url),
                                     .token = &token,
                                     .timeout_ms = 5000,
                                     .give_up_after_ms = 20000,
                                     .first_wait_ms = 20};
}

int post(const struct sink_http_config *c, struct err *e)
{
    struct sink_http *h;
    *e = (struct err){0};
    try(sink_http_open(&h, c, e));
    int rc = sink_http_post(h, bytes_of(STR(BODY)), e);
    sink_http_close(h);
    assert_null(strstr(e->message, TOKEN)); /* in whatever went wrong */
    assert_null(strstr(e->message, "HIDDEN"));
    return rc;
}

json_t *lines_where(const char *file, const char *key, const char *value)
{
    json_t *all = json_array();
    FILE *in = fopen(in_top(file), "r");
    char line[8192];
    while (in && fgets(line, sizeof line, in)) {
        json_t *one = json_loads(line, 0, NULL);
        const char *has = json_string_value(json_object_get(one, key));
        if (has && strcmp(has, value) == 0) json_array_append(all, one);
        json_decref(one);
    }
    if (in) fclose(in);
    return all;
}

size_t n_requests(void)
{
    json_t *all = lines_where("requests", "url", path);
    size_t n = json_array_size(all);
    json_decref(all);
    return n;
}

size_t n_taken(const char *id)
{
    json_t *all = lines_where("record", "id", id);
    size_t n = json_array_size(all);
    json_decref(all);
    return n;
}

const char *sent_header(const json_t *request, const char *name)
{
    return json_string_value(json_object_get(json_object_get(request, "headers"), name));
}

int64_t now_ms(void)
{
    return when_monotonic_ms();
}
