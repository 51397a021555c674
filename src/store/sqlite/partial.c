/* partial.c - a run that is told only what changed: who is gone, who is there although nobody read him. */
#include "store/sqlite/run.h"

int run_mode(struct store_run *run, struct str mode, struct err *e)
{
    struct sqlite_run *r = run_of(run);
    buf_clear(&r->mode);
    buf_add_str(&r->mode, mode);
    r->is_incremental = str_equal(mode, STR("incremental"));
    return r->mode.failed ? err_set(e, ERR_LIMIT, "the name of a mode is too long") : 0;
}

struct put_effect run_effect(const struct store_run *run)
{
    return ((const struct sqlite_run *)run)->effect;
}

int run_gone(struct store_run *run, const uint8_t guid[GUID_SIZE], enum evidence evidence, struct err *e)
{
    struct sqlite_run *r = run_of(run);
    const struct version *old;
    uint32_t seq;
    if (r->list.is_open) return err_set(e, ERR_PROTO, "a tombstone before the end of a member list");
    try(prior_find(r, guid, &old, &seq, e));
    if (!old || old->deleted_run || idset_has(&r->seen, seq)) return 0;
    if (evidence == EVIDENCE_DELETED)
        idset_add(&r->deleted, seq);
    else if (!idset_has(&r->deleted, seq) && idset_add(&r->vanished, seq))
        r->n_vanished[old->kind]++;
    return 0;
}

int run_present(struct store_run *run, const uint8_t guid[GUID_SIZE], bool *is_known, struct err *e)
{
    struct sqlite_run *r = run_of(run);
    const struct version *old;
    uint32_t seq;
    if (r->list.is_open) return err_set(e, ERR_PROTO, "a presence before the end of a member list");
    try(prior_find(r, guid, &old, &seq, e));
    *is_known = seq && (idset_has(&r->seen, seq) || (old && !old->deleted_run));
    if (*is_known && !idset_has(&r->seen, seq) && idset_add(&r->there, seq)) r->seen_before[old->kind]++;
    return 0;
}
