#include "run/facts.h"

#include "conf/conf.h"
#include "model/sid.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

static struct str text(const json_t *facts, const char *key, struct arena *a)
{
    const char *v = json_string_value(json_object_get(facts, key));
    return v ? arena_str(a, str_from(v)) : (struct str){"", 0};
}

static int64_t number(const json_t *facts, const char *key)
{
    return json_integer_value(json_object_get(facts, key));
}

static int sid_from_hex(struct bytes *out, struct str hex, struct arena *a, struct err *e)
{
    uint8_t raw[SID_MAX];
    size_t len = 0;
    if (sodium_hex2bin(raw, sizeof raw, hex.ptr, hex.len, NULL, &len, NULL) != 0 || !sid_is_valid((struct bytes){raw, len}))
        return err_set(e, ERR_PROTO, "the worker's domain SID '%.*s' is none", STR_FMT(hex));
    *out = arena_bytes(a, (struct bytes){raw, len});
    return 0;
}

int facts_domain(struct domain_info *out, const json_t *facts, struct arena *a, struct err *e)
{
    *out = (struct domain_info){
        .dns_name = text(facts, "domain", a),
        .netbios_name = text(facts, "netbios", a),
        .base = text(facts, "base", a),
        .server = text(facts, "server", a),
        .max_pwd_age_ms = number(facts, "max_pwd_age_ms"),
        .lockout_duration_ms = number(facts, "lockout_duration_ms"),
        .lockout_threshold = number(facts, "lockout_threshold"),
        .has_policy = json_is_true(json_object_get(facts, "has_policy")),
        .tenant_id = text(facts, "tenant_id", a),
        .organization = text(facts, "organization", a),
    };
    struct str sid = text(facts, "domain_sid", a);
    return sid.len ? sid_from_hex(&out->sid, sid, a, e) : 0;
}

bool facts_leave_out(const json_t *settings, kind_set kinds)
{
    const char *asked = conf_str(settings, "kinds");
    kind_set read = 0;
    struct str ignored;
    return asked && kind_set_parse(&read, str_from(asked), &ignored) && (kinds & ~read);
}

struct gap_list *gap_list_new(void)
{
    struct gap_list *l = x_zalloc(sizeof *l);
    l->text = arena_new((size_t)4 << 20);
    return l;
}

void gap_list_free(struct gap_list *l)
{
    if (!l) return;
    arena_free(&l->text);
    free(l);
}

void gap_list_add(struct gap_list *l, const struct gap *g)
{
    if (g->severity == GAP_LOSS)
        l->n_loss++;
    else
        l->n_info++;
    if (l->n == n_elements(l->list)) return;
    l->list[l->n++] = (struct gap){g->kind, g->severity, arena_str(&l->text, g->what), arena_str(&l->text, g->where),
                                   arena_str(&l->text, g->fix)};
}

static void tell(struct stream_report *r, enum kind now)
{
    if (r->progress) r->progress(r->progress_ctx, r, now);
}

void report_kind_done(struct stream_report *r, enum kind k, bool complete, uint64_t received)
{
    r->asked[k] = true;
    r->complete[k] = complete;
    r->received[k] = received;
    tell(r, k);
}

void report_progress(struct stream_report *r, enum kind k, uint64_t received, uint64_t requests, uint64_t bytes)
{
    r->received[k] = received;
    r->requests = requests;
    r->bytes = bytes;
    tell(r, k);
}

void report_end(struct stream_report *r, const json_t *facts)
{
    r->requests = (uint64_t)number(facts, "requests");
    r->bytes = (uint64_t)number(facts, "bytes");
    /* all who have served: the one of BEGIN may have been left */
    const char *server = json_string_value(json_object_get(facts, "server"));
    if (server && *server) snprintf(r->server, sizeof r->server, "%s", server);
}

void report_begun(const struct stream_report *r, int64_t run)
{
    if (r->run) r->run(r->progress_ctx, run);
}

void report_phase(const struct stream_report *r, const char *phase)
{
    if (r->phase) r->phase(r->progress_ctx, phase);
}

void report_gap(const struct stream_report *r, const struct gap *g)
{
    gap_list_add(r->gaps, g);
    if (r->gap) r->gap(r->progress_ctx, g);
}
