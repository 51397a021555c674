/* http_fixture.h - what http_test.c posts to: receivers with and without TLS, and what they saw.
 */
#ifndef ROLLCALL_SINK_HTTP_FIXTURE_H
#define ROLLCALL_SINK_HTTP_FIXTURE_H

#include "sink/sink.h"

#include <jansson.h>
#include <sys/types.h>

#define TOKEN "s3cr3t-t0ken-0123456789"
#define BODY                                                                                                 \
    "{\"version\":1,\"items\":[{\"metadata\":{\"uid\":\"event-1\"}},{\"metadata\":{\"uid\":\"event-2\"}}]}"

extern const char *receiver_py; /* tests/fake/receiver.py, set by main */
extern struct secret token;
extern char path[512], url[600]; /* of the post under test */

struct receiver {
    pid_t pid;
    int port;
};
extern struct receiver plain, tls, other_name, chaotic;

/* Of the group of tests: certificates and the four receivers. */
int group_set_up(void **state);
int group_tear_down(void **state);
/* A child that ends with this process; its output goes to out, if that is not -1. */
pid_t start(const char *const *argv, int out);
/* A file of this test's directory; one of the last eight. */
char *in_top(const char *name);
/* A post with the answers that receiver.py knows as steps. */
struct sink_http_config config(const char *steps);
int post(const struct sink_http_config *c, struct err *e);
/* The lines of a file of the receiver whose key has the value, as an array that the caller drops. */
json_t *lines_where(const char *file, const char *key, const char *value);
size_t n_requests(void);
size_t n_taken(const char *id);
const char *sent_header(const json_t *request, const char *name);
int64_t now_ms(void);

#endif
