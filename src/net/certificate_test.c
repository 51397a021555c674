#include "net/pki_test.h"

#include "base/when.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/wait.h>

static struct identity root, other_root, same_name_root, inter, rsa_root, client_ca, expired_inter,
    sha1_inter;
static char dir[] = "/tmp/rollcall-cert-XXXXXX";

static int make_authorities(void **state)
{
    if (!mkdtemp(dir)) return -1;
    make_keys();
    root = issue_ca("Corp Root CA", NULL, key_ec);
    other_root = issue_ca("Other Root CA", NULL, key_ec2);
    same_name_root = issue_ca("Corp Root CA", NULL, key_ec2);
    inter = issue_ca("Corp Issuing CA", &root, key_ec2);
    rsa_root = issue_ca("Weak Root CA", NULL, key_1024);
    client_ca = issue(&(struct wish){.cn = "Client CA",
                                     .by = &root,
                                     .key = key_ec2,
                                     .basic = "critical,CA:TRUE",
                                     .eku = "clientAuth",
                                     .usage = "keyCertSign"});
    expired_inter = issue(&(struct wish){.cn = "Old Issuing CA",
                                         .by = &root,
                                         .key = key_ec2,
                                         .basic = "CA:TRUE",
                                         .usage = "keyCertSign",
                                         .from_s = -9 * DAY,
                                         .to_s = -DAY - 60});
    sha1_inter = issue(&(struct wish){.cn = "Sha Issuing CA",
                                      .by = &root,
                                      .key = key_ec2,
                                      .basic = "CA:TRUE",
                                      .usage = "keyCertSign",
                                      .sha1 = true});
    return 0;
}

static int drop_authorities(void **state)
{
    struct identity *all[] = {&root,     &other_root, &same_name_root, &inter,
                              &rsa_root, &client_ca,  &expired_inter,  &sha1_inter};
    for (size_t i = 0; i < n_elements(all); i++) X509_free(all[i]->cert);
    drop_keys();
    return rmdir(dir);
}

/* A CA file of these certificates; the caller unlinks and frees. */
static char *write_pem(X509 *const *certs, size_t n)
{
    static int number;
    char path[64];
    snprintf(path, sizeof path, "%s/ca%d.pem", dir, number++);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (size_t i = 0; i < n; i++) PEM_write_X509(f, certs[i]);
    fclose(f);
    return x_strdup(str_from(path));
}

static void drop_file(char *path)
{
    unlink(path);
    free(path);
}

/* --- servers, each in a child --------------------------------------------------------------------------- */

enum starttls {
    NO_STARTTLS,
    STARTTLS_OK,
    STARTTLS_OK_LONG,
    STARTTLS_REFUSED,
    STARTTLS_WRONG_ID,
    STARTTLS_GARBAGE,
    STARTTLS_SILENT,
    STARTTLS_INJECT,
    STARTTLS_HUGE
};

struct server {
    const struct identity *id;
    X509 *extra[3];
    int max_version;
    enum starttls start;
    struct str raw; /* not TLS: this answer to whatever is said, then as `then` */
    enum { STAY_SILENT = 1, CLOSE_AT_ONCE, ANSWER_RAW } plain;
    uint16_t port;
    pid_t pid;
};

static const uint8_t ok_short[] = "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00";
static const uint8_t ok_long[] =
    "\x30\x84\x00\x00\x00\x28\x02\x01\x01\x78\x84\x00\x00\x00\x1f\x0a\x01\x00\x04\x00\x04\x00\x8a\x16"
    "1.3.6.1.4.1.1466.20037";
static const uint8_t unavailable[] = "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x34\x04\x00\x04\x00";
static const uint8_t wrong_id[] = "\x30\x0c\x02\x01\x00\x78\x07\x0a\x01\x00\x04\x00\x04\x00";
static const uint8_t inject[] =
    "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00\x30\x0c\x02\x01\x02";
static const uint8_t huge[] = "\x30\x84\x7f\xff\xff\xff\x02\x01";
static const struct bytes starttls_answers[] = {
    [STARTTLS_OK] = {ok_short, sizeof ok_short - 1},
    [STARTTLS_OK_LONG] = {ok_long, sizeof ok_long - 1},
    [STARTTLS_REFUSED] = {unavailable, sizeof unavailable - 1},
    [STARTTLS_WRONG_ID] = {wrong_id, sizeof wrong_id - 1},
    [STARTTLS_GARBAGE] = {(const uint8_t *)"220 mail.example ESMTP\r\n", 24},
    [STARTTLS_INJECT] = {inject, sizeof inject - 1},
    [STARTTLS_HUGE] = {huge, sizeof huge - 1},
};

static void wait_for_end(int fd)
{
    char scratch[4096];
    while (read(fd, scratch, sizeof scratch) > 0) continue;
}

static void answer_starttls(int fd, enum starttls how)
{
    static const uint8_t want[] = "\x30\x1d\x02\x01\x01\x77\x18\x80\x16"
                                  "1.3.6.1.4.1.1466.20037";
    uint8_t got[sizeof want - 1];
    size_t n = 0;
    while (n < sizeof got) {
        ssize_t one = read(fd, got + n, sizeof got - n);
        if (one <= 0) _exit(1);
        n += (size_t)one;
    }
    if (memcmp(got, want, n) != 0) _exit(1);
    if (how == STARTTLS_SILENT) wait_for_end(fd);
    struct bytes b = starttls_answers[how];
    for (size_t i = 0; i < b.len; i++) (void)!write(fd, b.ptr + i, 1); /* as small pieces as there can be */
}

static void serve_tls(const struct server *s, int fd)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0");
    SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(ctx, s->max_version);
    if (SSL_CTX_use_certificate(ctx, s->id->cert) != 1 || SSL_CTX_use_PrivateKey(ctx, s->id->key) != 1)
        _exit(1);
    for (size_t i = 0; i < 3 && s->extra[i]; i++) SSL_CTX_add1_chain_cert(ctx, s->extra[i]);
    SSL *ssl = SSL_new(ctx);
    SSL_set_mode(ssl, SSL_MODE_NO_AUTO_CHAIN);
    SSL_set_fd(ssl, fd);
    char scratch[64];
    if (SSL_accept(ssl) == 1) SSL_read(ssl, scratch, sizeof scratch);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void serve_one(const struct server *s, int fd)
{
    char scratch[4096];
    if (s->plain == CLOSE_AT_ONCE) return;
    if (s->plain == STAY_SILENT) wait_for_end(fd);
    if (s->plain == ANSWER_RAW) {
        (void)!read(fd, scratch, sizeof scratch);
        (void)!write(fd, s->raw.ptr, s->raw.len);
        wait_for_end(fd);
    }
    if (s->plain) return;
    if (s->start) answer_starttls(fd, s->start);
    serve_tls(s, fd);
}

static void start(struct server *s)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &len), 0);
    s->port = ntohs(a.sin_port);
    s->pid = fork();
    if (s->pid == 0) {
        signal(SIGPIPE, SIG_IGN);
        int fd = accept(listener, NULL, NULL);
        serve_one(s, fd);
        close(fd);
        _exit(0);
    }
    close(listener);
}

static void stop(struct server *s)
{
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
}

struct question {
    const char *name, *ca_path;
    int ms;
};

static int examine(struct tls_report *r, struct server *s, const struct question *q, struct err *e)
{
    struct dial_addresses to;
    start(s);
    assert_int_equal(dial_resolve(&to, "127.0.0.1", when_monotonic_ms(), e), 0);
    struct tls_question full = {&to,
                                s->port,
                                s->start ? TLS_LDAP_STARTTLS : TLS_AT_ONCE,
                                q->name ? q->name : NAME,
                                q->ca_path,
                                when_monotonic_ms() + (q->ms ? q->ms : 10000)};
    *e = (struct err){0};
    int rc = tls_examine(r, &full, e);
    stop(s);
    return rc;
}

/* NULL: trusted. "FILE" stands for the CA file's path. */
static void expect(struct server *s, const char *name, X509 *const *ca, size_t n_ca, const char *sentence)
{
    struct tls_report r;
    struct err e;
    struct buf want = buf_new(4096);
    char *path = write_pem(ca, n_ca);
    if (examine(&r, s, &(struct question){.name = name, .ca_path = path}, &e) < 0)
        fail_msg("no report: %s", e.message);
    const char *file = sentence ? strstr(sentence, "FILE") : NULL;
    if (file) buf_printf(&want, "%.*s%s%s", (int)(file - sentence), sentence, path, file + 4);
    if (sentence && !file) buf_printf(&want, "%s", sentence);
    drop_file(path);
    assert_string_equal(r.why.message, buf_cstr(&want));
    assert_int_equal(r.trusted, sentence == NULL);
    assert_int_equal(r.why.class, sentence ? ERR_TLS : 0);
    if (sentence) assert_true(r.why.hint[0] != 0);
    assert_true(json_array_size(r.chain) >= 1);
    tls_report_free(&r);
    buf_free(&want);
}

static void expect_leaf(const struct wish *w, const char *name, const char *sentence)
{
    struct identity leaf = issue(w);
    expect(&(struct server){.id = &leaf}, name, &root.cert, 1, sentence);
    X509_free(leaf.cert);
}

/* --- the right ones ------------------------------------------------------------------------------------- */

static void test_good(void **state)
{
    static const struct {
        const char *san, *eku, *name;
    } cases[] = {
        {"DNS:" NAME, "serverAuth", NAME},
        {"DNS:other.example,DNS:" NAME, "clientAuth,serverAuth", NAME},
        {"DNS:" NAME, NULL, NAME},
        {"DNS:" NAME, "anyExtendedKeyUsage", NAME},
        {"DNS:" NAME, "serverAuth", NAME "."},
        {"DNS:" NAME, "serverAuth", "DC1.Corp.Example"},
        {"DNS:*.corp.example", "serverAuth", NAME},
        {"IP:192.0.2.7,DNS:x", "serverAuth", "192.0.2.7"},
        {"IP:2001:db8::7", "serverAuth", "2001:db8:0::7"},
        {"IP:2001:db8::7", "serverAuth", "[2001:db8::7]"},
    };
    for (size_t i = 0; i < n_elements(cases); i++)
        expect_leaf(&(struct wish){.cn = "x", .san = cases[i].san, .eku = cases[i].eku, .by = &root},
                    cases[i].name, NULL);
}

static void test_report(void **state)
{
    struct tls_report r;
    struct err e;
    struct identity leaf = issue(
        &(struct wish){.cn = NAME, .san = "DNS:" NAME ",IP:192.0.2.7,DNS:dc1", SERVER_LEAF, .by = &inter});
    char *path = write_pem(&root.cert, 1);
    assert_int_equal(examine(&r, &(struct server){.id = &leaf, .extra = {inter.cert}},
                             &(struct question){.ca_path = path}, &e),
                     0);
    assert_true(r.trusted);
    assert_string_equal(r.protocol, "TLSv1.3");
    assert_true(strlen(r.cipher) > 5);
    int64_t left = r.leaf_not_after_ms - when_now_ms();
    assert_true(left > 29 * (int64_t)DAY * 1000 && left <= 30 * (int64_t)DAY * 1000);
    assert_int_equal(json_array_size(r.chain), 2);
    json_t *first = json_array_get(r.chain, 0), *second = json_array_get(r.chain, 1);
    assert_string_equal(json_string_value(json_object_get(first, "subject")), "CN=" NAME);
    assert_string_equal(json_string_value(json_object_get(first, "issuer")), "CN=Corp Issuing CA");
    assert_string_equal(json_string_value(json_object_get(first, "key")), "EC P-256");
    assert_string_equal(json_string_value(json_object_get(second, "key")), "EC P-384");
    assert_string_equal(json_string_value(json_object_get(first, "signature")), "ecdsa-with-SHA256");
    assert_true(json_is_false(json_object_get(first, "is_ca")));
    assert_true(json_is_true(json_object_get(second, "is_ca")));
    assert_int_equal(strlen(json_string_value(json_object_get(first, "sha256"))), 95);
    char *names = json_dumps(json_object_get(first, "names"), JSON_COMPACT),
         *usages = json_dumps(json_object_get(first, "usages"), JSON_COMPACT);
    assert_string_equal(names, "[\"" NAME "\",\"192.0.2.7\",\"dc1\"]");
    assert_string_equal(usages, "[\"serverAuth\"]");
    free(names);
    free(usages);
    int64_t parsed;
    assert_true(when_parse(&parsed, str_from(json_string_value(json_object_get(first, "not_after")))));
    assert_int_equal(parsed, r.leaf_not_after_ms);
    const char *pem = buf_cstr(&r.pem), *again = strstr(pem + 1, "-----BEGIN CERTIFICATE-----");
    assert_int_equal(strncmp(pem, "-----BEGIN CERTIFICATE-----", 27), 0);
    assert_non_null(again);
    tls_report_free(&r);
    tls_report_free(&r); /* twice is legal */
    drop_file(path);
    X509_free(leaf.cert);
}

/* --- one fault each ------------------------------------------------------------------------------------- */

static void test_time(void **state)
{
    char text[WHEN_TEXT], want[200];
    struct identity leaf = issue(&(struct wish){
        .cn = "x", .san = "DNS:" NAME, SERVER_LEAF, .by = &root, .from_s = -9 * DAY, .to_s = -3 * DAY - 60});
    struct tm tm;
    assert_int_equal(ASN1_TIME_to_tm(X509_get0_notAfter(leaf.cert), &tm), 1);
    snprintf(want, sizeof want, "the certificate expired on %s (3 days ago)",
             when_format(text, (int64_t)timegm(&tm) * 1000));
    expect(&(struct server){.id = &leaf}, NAME, &root.cert, 1, want);
    X509_free(leaf.cert);
    leaf = issue(&(struct wish){
        .cn = "x", .san = "DNS:" NAME, SERVER_LEAF, .by = &root, .from_s = 3 * DAY, .to_s = 9 * DAY});
    assert_int_equal(ASN1_TIME_to_tm(X509_get0_notBefore(leaf.cert), &tm), 1);
    snprintf(want, sizeof want, "the certificate is not valid before %s",
             when_format(text, (int64_t)timegm(&tm) * 1000));
    expect(&(struct server){.id = &leaf}, NAME, &root.cert, 1, want);
    X509_free(leaf.cert);
    leaf = issue(&(struct wish){.cn = "x", .san = "DNS:" NAME, SERVER_LEAF, .by = &expired_inter});
    assert_int_equal(ASN1_TIME_to_tm(X509_get0_notAfter(expired_inter.cert), &tm), 1);
    snprintf(want, sizeof want, "the CA certificate \"CN=Old Issuing CA\" expired on %s (1 day ago)",
             when_format(text, (int64_t)timegm(&tm) * 1000));
    expect(&(struct server){.id = &leaf, .extra = {expired_inter.cert}}, NAME, &root.cert, 1, want);
    X509_free(leaf.cert);
}

static void test_name(void **state)
{
    static const struct {
        const char *san, *name, *sentence;
    } cases[] = {
        {"DNS:dc2.corp.example", NAME, "the certificate is for dc2.corp.example, not for " NAME},
        {"DNS:dc2.corp.example,DNS:dc2,IP:192.0.2.7", NAME,
         "the certificate is for dc2.corp.example, dc2, 192.0.2.7, not for " NAME},
        {"DNS:a,DNS:b,DNS:c,DNS:d,DNS:e,DNS:f,DNS:g,DNS:h", NAME,
         "the certificate is for a, b, c, d, e, f and 2 more, not for " NAME},
        {"DNS:" NAME, "127.0.0.1", "the certificate is for " NAME ", not for 127.0.0.1"},
        {"DNS:127.0.0.1", "127.0.0.1", "the certificate is for 127.0.0.1, not for 127.0.0.1"},
        {"DNS:*.example", NAME, "the certificate is for *.example, not for " NAME},
        {"DNS:d*1.corp.example", NAME, "the certificate is for d*1.corp.example, not for " NAME},
        {"DNS:dc1", NAME, "the certificate is for dc1, not for " NAME},
        {NULL, NAME, "the certificate has no subject alternative name, only \"CN=" NAME "\""},
        {"email:a@b.example", NAME, "the certificate has no subject alternative name, only \"CN=" NAME "\""},
    };
    for (size_t i = 0; i < n_elements(cases); i++)
        expect_leaf(&(struct wish){.cn = NAME, .san = cases[i].san, SERVER_LEAF, .by = &root}, cases[i].name,
                    cases[i].sentence);
}

static void test_issuer(void **state)
{
    struct identity leaf = issue(&(struct wish){.cn = "x", .san = "DNS:" NAME, SERVER_LEAF, .by = &root});
    struct identity deep = issue(&(struct wish){.cn = "x", .san = "DNS:" NAME, SERVER_LEAF, .by = &inter});
    struct identity named = issue(&(struct wish){
        .cn = "x", .san = "DNS:" NAME, SERVER_LEAF, .by = &inter, .names_issuers_issuer = true});
    X509 *both[] = {other_root.cert, root.cert};

    expect(&(struct server){.id = &leaf}, NAME, both, 2, NULL);
    expect(&(struct server){.id = &leaf}, NAME, &other_root.cert, 1,
           "the certificate is issued by \"CN=Corp Root CA\", which is not in FILE, and the server sends no "
           "intermediate certificate");
    expect(&(struct server){.id = &leaf, .extra = {root.cert}}, NAME, &other_root.cert, 1,
           "the certificate is issued under \"CN=Corp Root CA\", which is not in FILE");
    expect(&(struct server){.id = &leaf}, NAME, &same_name_root.cert, 1,
           "the certificate is issued by \"CN=Corp Root CA\", but the certificate of that name in FILE has "
           "another key");
    expect(&(struct server){.id = &deep, .extra = {inter.cert}}, NAME, &root.cert, 1, NULL);
    expect(&(struct server){.id = &deep, .extra = {inter.cert, root.cert}}, NAME, &root.cert, 1, NULL);
    expect(&(struct server){.id = &deep}, NAME, &inter.cert, 1, NULL); /* an intermediate as anchor */
    expect(&(struct server){.id = &deep}, NAME, &root.cert, 1,
           "the certificate is issued by \"CN=Corp Issuing CA\", which is not in FILE, and the server sends "
           "no intermediate certificate");
    expect(&(struct server){.id = &named}, NAME, &root.cert, 1,
           "the server does not send the intermediate certificate \"CN=Corp Issuing CA\"");
    expect(&(struct server){.id = &deep, .extra = {inter.cert}}, NAME, &other_root.cert, 1,
           "the certificate's chain ends in \"CN=Corp Issuing CA\", issued by \"CN=Corp Root CA\", which is "
           "not in FILE");
    expect(&(struct server){.id = &deep, .extra = {other_root.cert}}, NAME, &root.cert,
           1, /* the wrong one beside it */
           "the certificate is issued by \"CN=Corp Issuing CA\", which is not in FILE, and the server sends "
           "no intermediate certificate");
    X509_free(leaf.cert);
    X509_free(deep.cert);
    X509_free(named.cert);
}

static void test_system_authorities(void **state)
{
    struct tls_report r;
    struct err e;
    struct identity leaf = issue(&(struct wish){.cn = "x", .san = "DNS:" NAME, SERVER_LEAF, .by = &root});
    assert_int_equal(examine(&r, &(struct server){.id = &leaf}, &(struct question){0}, &e), 0);
    assert_string_equal(r.why.message, "the certificate is issued by \"CN=Corp Root CA\", which is not among "
                                       "the system's authorities, and the server sends "
                                       "no intermediate certificate");
    assert_false(r.trusted);
    tls_report_free(&r);
    X509_free(leaf.cert);
    leaf = issue(&(struct wish){.cn = "x", .san = "DNS:" NAME, SERVER_LEAF});
    assert_int_equal(examine(&r, &(struct server){.id = &leaf}, &(struct question){0}, &e), 0);
    assert_string_equal(r.why.message,
                        "the certificate is self-signed and not among the system's authorities");
    tls_report_free(&r);
    X509_free(leaf.cert);
}

static void test_pinned(void **state)
{
    struct identity self = issue(&(struct wish){.cn = NAME, .san = "DNS:" NAME, SERVER_LEAF});
    struct identity other =
        issue(&(struct wish){.cn = NAME, .san = "DNS:" NAME, SERVER_LEAF, .key = key_ec2});
    struct identity bare = issue(&(struct wish){.cn = NAME}); /* common name only */
    struct identity req = issue(&(struct wish){
        .cn = NAME, .san = "DNS:" NAME, .basic = "CA:TRUE"}); /* as `openssl req -x509` makes */
    struct identity issued = issue(&(struct wish){.cn = "x", .san = "DNS:" NAME, SERVER_LEAF, .by = &root});

    expect(&(struct server){.id = &self}, NAME, &self.cert, 1, NULL);
    expect(&(struct server){.id = &self}, NAME, &other.cert, 1,
           "the certificate is self-signed and not in FILE");
    expect(&(struct server){.id = &self}, NAME, &root.cert, 1,
           "the certificate is self-signed and not in FILE");
    expect(&(struct server){.id = &self}, "dc2", &self.cert, 1,
           "the certificate is for " NAME ", not for dc2");
    expect(&(struct server){.id = &bare}, NAME, &bare.cert, 1, NULL);
    expect(&(struct server){.id = &bare}, "dc2", &bare.cert, 1,
           "the certificate is for CN=" NAME ", not for dc2");
    expect(&(struct server){.id = &bare}, NAME, &root.cert, 1,
           "the certificate has no subject alternative name, only \"CN=" NAME
           "\"; the certificate is self-signed and not in FILE");
    expect(&(struct server){.id = &req}, NAME, &req.cert, 1, NULL);
    expect(&(struct server){.id = &issued}, NAME, &issued.cert, 1, NULL); /* its CA is not needed */
    expect(&(struct server){.id = &issued}, NAME, &self.cert, 1,
           "the certificate is not the one pinned in FILE");
    X509_free(self.cert);
    X509_free(other.cert);
    X509_free(bare.cert);
    X509_free(req.cert);
    X509_free(issued.cert);
}

static void test_purpose(void **state)
{
    static const struct {
        const char *eku, *usage, *basic, *sentence;
    } cases[] = {
        {"clientAuth", "digitalSignature", NULL,
         "the certificate is not meant for servers: its extended key usage is clientAuth, without "
         "serverAuth"},
        {"clientAuth,emailProtection,1.2.3.4", "digitalSignature", NULL,
         "the certificate is not meant for servers: its extended key usage is clientAuth, emailProtection, "
         "1.2.3.4, without serverAuth"},
        {"serverAuth", "cRLSign", NULL, "the certificate's key usage does not allow TLS"},
        {"serverAuth", "digitalSignature,keyCertSign", "CA:TRUE",
         "the certificate is a certification authority's own, not a server's"},
        {NULL, "keyCertSign,cRLSign", "critical,CA:TRUE",
         "the certificate is a certification authority's own, not a server's"},
        {"serverAuth", "keyEncipherment,digitalSignature", "CA:FALSE", NULL},
    };
    for (size_t i = 0; i < n_elements(cases); i++)
        expect_leaf(&(struct wish){.cn = "x",
                                   .san = "DNS:" NAME,
                                   .eku = cases[i].eku,
                                   .usage = cases[i].usage,
                                   .basic = cases[i].basic,
                                   .by = &root},
                    NAME, cases[i].sentence);
    struct identity leaf =
        issue(&(struct wish){.cn = "x", .san = "DNS:" NAME, SERVER_LEAF, .by = &client_ca});
    expect(&(struct server){.id = &leaf, .extra = {client_ca.cert}}, NAME, &root.cert, 1,
           "the CA certificate \"CN=Client CA\" is not for issuing server certificates");
    X509_free(leaf.cert);
    struct identity middle =
        issue(&(struct wish){.cn = "Not CA", .by = &root, .key = key_ec2, .basic = "CA:FALSE"});
    leaf = issue(&(struct wish){.cn = "x", .san = "DNS:" NAME, SERVER_LEAF, .by = &middle});
    expect(&(struct server){.id = &leaf, .extra = {middle.cert}}, NAME, &root.cert, 1,
           "the CA certificate \"CN=Not CA\" does not belong to a CA");
    X509_free(leaf.cert);
    X509_free(middle.cert);
}

static void test_weak(void **state)
{
    struct identity small =
        issue(&(struct wish){.cn = "x", .san = "DNS:" NAME, SERVER_LEAF, .by = &root, .key = key_1024});
    struct identity sha1 =
        issue(&(struct wish){.cn = "x", .san = "DNS:" NAME, SERVER_LEAF, .by = &root, .sha1 = true});
    struct identity by_small =
        issue(&(struct wish){.cn = "x", .san = "DNS:" NAME, SERVER_LEAF, .by = &rsa_root});
    struct identity by_sha1 =
        issue(&(struct wish){.cn = "x", .san = "DNS:" NAME, SERVER_LEAF, .by = &sha1_inter});
    expect(&(struct server){.id = &small}, NAME, &root.cert, 1,
           "the key of the certificate is too weak: RSA 1024");
    expect(&(struct server){.id = &sha1}, NAME, &root.cert, 1,
           "the signature of the certificate is too weak: ecdsa-with-SHA1");
    expect(&(struct server){.id = &by_small}, NAME, &rsa_root.cert, 1,
           "the key of the CA certificate \"CN=Weak Root CA\" is too weak: RSA 1024");
    expect(&(struct server){.id = &by_sha1, .extra = {sha1_inter.cert}}, NAME, &root.cert, 1,
           "the signature of the CA certificate \"CN=Sha Issuing CA\" is too weak: ecdsa-with-SHA1");
    X509_free(small.cert);
    X509_free(sha1.cert);
    X509_free(by_small.cert);
    X509_free(by_sha1.cert);
}

static void test_versions(void **state)
{
    struct identity leaf = issue(&(struct wish){.cn = "x", .san = "DNS:" NAME, SERVER_LEAF, .by = &root});
    expect(&(struct server){.id = &leaf, .max_version = TLS1_2_VERSION}, NAME, &root.cert, 1, NULL);
    expect(&(struct server){.id = &leaf, .max_version = TLS1_1_VERSION}, NAME, &root.cert, 1,
           "the server offers nothing newer than TLS 1.1");
    expect(&(struct server){.id = &leaf, .max_version = TLS1_VERSION}, NAME, &root.cert, 1,
           "the server offers nothing newer than TLS 1.0");
    X509_free(leaf.cert);
}

/* Everything at once: every fault is told, the first one's advice is given. */
static void test_many_faults(void **state)
{
    struct tls_report r;
    struct err e;
    struct identity leaf = issue(&(struct wish){.cn = "evil\x1b[31m\n",
                                                .eku = "clientAuth",
                                                .hostile_name = true,
                                                .from_s = -9 * DAY,
                                                .to_s = -DAY - 60,
                                                .key = key_1024});
    assert_int_equal(examine(&r, &(struct server){.id = &leaf}, &(struct question){0}, &e), 0);
    static const char *const parts[] = {
        "the certificate expired on ", " (1 day ago); the certificate is for " NAME "??[31m??, not for " NAME,
        "; the certificate is not meant for servers",
        "; the certificate is self-signed and not among the system's authorities", "too weak: RSA 1024"};
    for (size_t i = 0; i < n_elements(parts); i++)
        if (!strstr(r.why.message, parts[i])) fail_msg("'%s' is not in: %s", parts[i], r.why.message);
    assert_string_equal(r.why.hint, "renew it");
    char *json = json_dumps(r.chain, 0);
    assert_non_null(json);
    assert_null(strchr(json, 0x1b));
    assert_null(strstr(json, "\\u001b"));
    free(json);
    tls_report_free(&r);
    X509_free(leaf.cert);
}

/* --- StartTLS ------------------------------------------------------------------------------------------- */

static void expect_failure(struct server *s, int ms, int class, const char *message)
{
    struct tls_report r;
    struct err e;
    int64_t start_ms = when_monotonic_ms();
    int rc = examine(&r, s, &(struct question){.ms = ms}, &e);
    if (rc != class || strcmp(e.message, message) != 0)
        fail_msg("%d '%s', expected %d '%s'", rc, e.message, class, message);
    assert_null(r.chain);
    assert_true(when_monotonic_ms() - start_ms < 5000);
}

static void test_starttls(void **state)
{
    struct identity leaf = issue(&(struct wish){.cn = "x", .san = "DNS:" NAME, SERVER_LEAF, .by = &root});
    expect(&(struct server){.id = &leaf, .start = STARTTLS_OK}, NAME, &root.cert, 1, NULL);
    expect(&(struct server){.id = &leaf, .start = STARTTLS_OK_LONG}, NAME, &root.cert, 1, NULL);
    expect(&(struct server){.id = &leaf, .start = STARTTLS_OK}, "dc2", &root.cert, 1,
           "the certificate is for " NAME ", not for dc2");
    expect_failure(&(struct server){.id = &leaf, .start = STARTTLS_REFUSED}, 0, ERR_TLS,
                   "the server refuses StartTLS (LDAP 52, unavailable)");
    expect_failure(&(struct server){.id = &leaf, .start = STARTTLS_WRONG_ID}, 0, ERR_TLS,
                   "the answer to StartTLS makes no sense");
    expect_failure(&(struct server){.id = &leaf, .start = STARTTLS_GARBAGE}, 0, ERR_TLS,
                   "the peer does not answer StartTLS in LDAP");
    expect_failure(&(struct server){.id = &leaf, .start = STARTTLS_HUGE}, 0, ERR_TLS,
                   "the peer does not answer StartTLS in LDAP");
    expect_failure(&(struct server){.id = &leaf, .start = STARTTLS_SILENT}, 300, ERR_TIMEOUT,
                   "the peer does not answer");
    expect_failure(&(struct server){.id = &leaf, .start = STARTTLS_INJECT}, 0, ERR_TLS,
                   "the peer answers in LDAP without TLS");
    X509_free(leaf.cert);
}

/* --- no TLS to look at ---------------------------------------------------------------------------------- */

static void test_not_tls(void **state)
{
    static const struct {
        struct str raw;
        int class;
        const char *message;
    } cases[] = {
        {{"HTTP/1.1 400 Bad Request\r\n\r\n", 28}, ERR_TLS, "the peer answers in HTTP, not in TLS"},
        {{"\x30\x24\x02\x01\x00\x78\x1f\x0a\x01\x02\x04\x00\x04\x00", 14},
         ERR_TLS,
         "the peer answers in LDAP without TLS"},
        {{"220 mail.example ESMTP\r\n", 24}, ERR_TLS, "the peer does not speak TLS here"},
        {{"\0\0\0\0\0\0\0\0\0\0\0\0", 12}, ERR_TLS, "the peer does not speak TLS here"},
        {{"\x15\x03\x01\x00\x02\x02\x28", 7},
         ERR_TLS,
         "the peer broke the handshake off: no cipher in common, or it has no usable certificate"},
        {{"\x15\x03\x01\x00\x02\x02\x46", 7}, ERR_TLS, "no TLS version in common with the peer"},
        {{"\x15\x03\x01\x00\x02\x02\x70", 7}, ERR_TLS, "the peer has no certificate for the name " NAME},
    };
    for (size_t i = 0; i < n_elements(cases); i++)
        expect_failure(&(struct server){.plain = ANSWER_RAW, .raw = cases[i].raw}, 0, cases[i].class,
                       cases[i].message);
    expect_failure(&(struct server){.plain = STAY_SILENT}, 1000, ERR_TIMEOUT, "the peer does not answer");
    expect_failure(&(struct server){.plain = ANSWER_RAW, .raw = {"\x16\x03\x03\x00", 4}}, 2000, ERR_TIMEOUT,
                   "the peer stopped in the middle of the handshake");
    expect_failure(&(struct server){.plain = CLOSE_AT_ONCE}, 0, ERR_TLS,
                   "the peer closed the connection at the first word");
}

static void test_refused(void **state)
{
    struct dial_addresses to;
    struct err e;
    struct tls_report r;
    char want[100];
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int holder = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(holder, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(holder, (struct sockaddr *)&a, &len), 0);
    assert_int_equal(dial_resolve(&to, "127.0.0.1", when_monotonic_ms(), &e), 0);
    struct tls_question q = {&to, ntohs(a.sin_port), TLS_AT_ONCE, NAME, NULL, when_monotonic_ms() + 5000};
    assert_int_equal(tls_examine(&r, &q, &e), ERR_NET);
    snprintf(want, sizeof want, "port %u: 127.0.0.1: refused", q.port);
    assert_string_equal(e.message, want);
    q.ca_path = "/nonexistent/ca.pem";
    assert_int_equal(tls_examine(&r, &q, &e), ERR_NOTFOUND);
    close(holder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),        cmocka_unit_test(test_report),
        cmocka_unit_test(test_time),        cmocka_unit_test(test_name),
        cmocka_unit_test(test_issuer),      cmocka_unit_test(test_system_authorities),
        cmocka_unit_test(test_pinned),      cmocka_unit_test(test_purpose),
        cmocka_unit_test(test_weak),        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_many_faults), cmocka_unit_test(test_starttls),
        cmocka_unit_test(test_not_tls),     cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, make_authorities, drop_authorities);
}
