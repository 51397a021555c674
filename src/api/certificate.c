/* certificate.c - route that shows a host's certificate chain, to be compared with what its people say it is. Nothing is trusted by looking. */
#include "api/http.h"

#include "base/jsonv.h"
#include "server/connectors/peek.h"

#define LOOK_MS 25000

static void copy(json_t *to, const char *key, const json_t *from, const char *of)
{
    const json_t *v = json_object_get(from, of);
    if (v) json_object_set(to, key, (json_t *)v);
}

static json_t *certificate(const json_t *from)
{
    static const char *const same[] = {"subject", "issuer", "not_before", "not_after", "sha256", "key", "is_ca", "pem"};
    json_t *j = json_object();
    for (size_t i = 0; i < n_elements(same); i++) copy(j, same[i], from, same[i]);
    copy(j, "sans", from, "names");
    return j;
}

static json_t *problems_of(const json_t *seen)
{
    json_t *list = json_array();
    if (json_is_true(json_object_get(seen, "trusted"))) return list;
    json_t *one = json_object();
    copy(one, "message", seen, "why");
    copy(one, "hint", seen, "fix");
    json_array_append_new(list, one);
    return list;
}

static int look(struct request *q, struct err *e)
{
    const char *host;
    json_t *seen, *one, *chain = json_array();
    size_t i;
    int rc = request_text(q, "host", &host, e);
    unsigned port = (unsigned)json_integer_value(json_object_get(q->body, "port"));
    if (rc == 0) rc = peek_certificate(&seen, host, port, json_is_true(json_object_get(q->body, "starttls")), LOOK_MS, e);
    if (rc < 0) {
        json_decref(chain);
        return rc;
    }
    json_array_foreach(json_object_get(seen, "chain"), i, one) json_array_append_new(chain, certificate(one));
    json_t *answer = json_pack("{s:o, s:o}", "chain", chain, "problems", problems_of(seen));
    json_decref(seen);
    return reply_json(q, 200, answer);
}

const struct route routes_certificate[] = {
    {"POST", "/api/v1/certificate", RIGHT_OPERATE, look, "The certificate chain that a host presents; nothing is trusted by it", NULL,
     "{\"type\":\"object\",\"properties\":{\"host\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":255},"
     "\"port\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":65535},"
     "\"starttls\":{\"type\":\"boolean\"}},\"required\":[\"host\",\"port\"]}", 0, LANE_ANY},
    {0},
};
