/* fuzz_graph_error.c - error bodies of Microsoft Graph, and of whatever answers in its place. */
#include "fuzz.h"
#include "source/graph/graph_explain.h"

static void check_text(const char *s)
{
    for (const char *c = s; *c; c++) HOLDS((uint8_t)*c >= 0x20 && *c != 0x7f);
    HOLDS(str_is_utf8(str_from(s)));
}

static void one(long status, struct bytes body)
{
    struct graph_failure f;
    struct err e;
    graph_failure_read(&f, status, body);
    check_text(f.code);
    check_text(f.message);
    HOLDS(graph_fault_name(f.fault));
    HOLDS(graph_failure_explain(&e, &f, str_of(body), "users", status & 1 ? NULL : "User.Read.All") < 0);
    check_text(e.message);
    check_text(e.hint);
    HOLDS(e.message[0] && e.hint[0]);
    /* what would make somebody believe that an object is gone or forbidden must be Graph's own word */
    if (f.fault == GRAPH_FAULT_NOT_FOUND || f.fault == GRAPH_FAULT_DENIED_LICENCE ||
        f.fault == GRAPH_FAULT_UNSUPPORTED)
        HOLDS(f.is_json || status == 501);
    if (f.fault == GRAPH_FAULT_DENIED_PERMISSION) HOLDS(f.is_json || !body.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const long statuses[] = {400, 401, 403, 404, 410, 429, 500, 501, 503};
    for (size_t i = 0; i < n_elements(statuses); i++) one(statuses[i], (struct bytes){data, size});
    return 0;
}
