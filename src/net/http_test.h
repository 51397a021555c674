/* http_test.h - what http_test.c and http_many_test.c ask: a server that misbehaves to order, certificates
 * for it, clients.
 */
#ifndef ROLLCALL_NET_HTTP_TEST_H
#define ROLLCALL_NET_HTTP_TEST_H

#include "net/pki_test.h"

#include "base/when.h"
#include "net/http.h"

#include <jansson.h>
#include <signal.h>
#include <poll.h>
#include <sys/wait.h>

#define TOKEN    "s3cr3t-t0ken-0123456789"
#define BODY_MAX ((size_t)1 << 20)

/* --- the server, and certificates for it ---------------------------------------------------------------- */

static const char *server_js = "tests/fake/https_server.js";
static char dir[] = "/tmp/rollcall-http-XXXXXX", ca[64], stranger_ca[64], pinned[64];
static pid_t server;
static int to_server = -1;
static int h1, h2, other, clear, mute, reset, noise;
static struct secret token;

static inline void write_cert(const char *name, X509 *cert)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_X509(f, cert), 1);
    fclose(f);
}

static inline void write_key(const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_PrivateKey(f, key_ec, NULL, NULL, 0, NULL, NULL), 1);
    fclose(f);
}

static inline void make_certificates(void)
{
    make_keys();
    struct identity root = issue_ca("Test Root CA", NULL, key_ec2),
                    stranger = issue_ca("Strange CA", NULL, key_ec2);
    struct identity leaf =
        issue(&(struct wish){.cn = "leaf", .san = "DNS:localhost,IP:127.0.0.1", .by = &root, SERVER_LEAF});
    struct identity bad =
        issue(&(struct wish){.cn = "other", .san = "DNS:other.example", .by = &root, SERVER_LEAF});
    write_cert("ca.pem", root.cert);
    write_cert("stranger.pem", stranger.cert);
    write_cert("leaf.pem", leaf.cert);
    write_cert("other.pem", bad.cert);
    write_key("leaf.key");
    write_key("other.key");
    X509 *all[] = {root.cert, stranger.cert, leaf.cert, bad.cert};
    for (size_t i = 0; i < n_elements(all); i++) X509_free(all[i]);
    drop_keys();
}

/* Ends with its standard input, so that nothing is left over if the test is killed. */
static inline void start_server(void)
{
    int in[2], out[2];
    char line[128] = "";
    assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
    server = fork();
    if (server == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        execl("/usr/bin/node", "node", server_js, dir, NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    to_server = in[1];
    for (size_t n = 0; n < sizeof line - 1 && !strchr(line, '\n'); n++)
        if (read(out[0], line + n, 1) != 1) break;
    close(out[0]);
    if (sscanf(line, "listening %d %d %d %d %d %d %d", &h1, &h2, &other, &clear, &mute, &reset, &noise) != 7)
        fail_msg("/usr/bin/node %s does not start", server_js);
}

static inline int group_set_up(void **state)
{
    struct err e;
    if (!mkdtemp(dir) || secret_take(&token, bytes_of(STR(TOKEN)), &e) < 0) return -1;
    snprintf(ca, sizeof ca, "%s/ca.pem", dir);
    snprintf(stranger_ca, sizeof stranger_ca, "%s/stranger.pem", dir);
    snprintf(pinned, sizeof pinned, "%s/leaf.pem", dir);
    make_certificates();
    start_server();
    return 0;
}

static inline int group_tear_down(void **state)
{
    static const char *const names[] = {"ca.pem",    "stranger.pem", "leaf.pem",
                                        "other.pem", "leaf.key",     "other.key"};
    int status;
    close(to_server);
    waitpid(server, &status, 0);
    secret_drop(&token);
    for (size_t i = 0; i < n_elements(names); i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    return rmdir(dir) || status != 0 ? -1 : 0;
}

/* --- clients -------------------------------------------------------------------------------------------- */

static inline struct http_options options(void)
{
    return (struct http_options){.ca_path = ca,
                                 .parallel = 16,
                                 .connect_timeout_ms = 3000,
                                 .answer_timeout_ms = 5000,
                                 .body_max = BODY_MAX};
}

static inline struct http *open_with(const struct http_options *o)
{
    struct http *h;
    struct err e = {0};
    if (http_open(&h, o, &e) < 0) fail_msg("http_open: %s", e.message);
    return h;
}

static inline struct http *open_client(void)
{
    struct http_options o = options();
    return open_with(&o);
}

static inline const char *url_of(int port, const char *path)
{
    static char urls[8][256];
    static unsigned turn;
    char *u = urls[turn++ % 8];
    snprintf(u, sizeof urls[0], "%s://127.0.0.1:%d%s", port == clear ? "http" : "https", port, path);
    return u;
}

static inline int get(struct http *h, int port, const char *path, struct http_answer *a, struct err *e)
{
    *e = (struct err){0};
    int rc = http_fetch(h, &(struct http_request){.method = "GET", .url = url_of(port, path)}, a, e);
    assert_int_equal(rc, a->rc);
    assert_null(strstr(e->message, TOKEN));
    return rc;
}

static inline json_t *get_json(struct http *h, int port, const char *path)
{
    struct http_answer a;
    struct err e;
    if (get(h, port, path, &a, &e) < 0) fail_msg("%s: %s", path, e.message);
    json_t *o = json_loadb((const char *)a.body.ptr, a.body.len, 0, NULL);
    assert_non_null(o);
    return o;
}

/* How often the server saw `what` on a port: a path, or "connections". Asked by HTTP without TLS. */
static inline json_int_t count_of(int port, const char *what)
{
    struct http_options o = options();
    char key[16];
    o.clear_to_loopback = true;
    struct http *h = open_with(&o);
    json_t *all = get_json(h, clear, "/counts");
    snprintf(key, sizeof key, "%d", port);
    json_int_t n = json_integer_value(json_object_get(json_object_get(all, key), what));
    json_decref(all);
    http_close(h);
    return n;
}

static inline bool is_page(struct bytes body)
{
    json_t *o = json_loadb((const char *)body.ptr, body.len, 0, NULL);
    bool ok = json_array_size(json_object_get(o, "value")) == 300;
    json_decref(o);
    return ok;
}

#endif
