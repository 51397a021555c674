#include "cmd/access_keep.h"

static struct access_keep *keeping;

void access_keep_in(struct access_keep *k)
{
    keeping = k;
}

struct access_keep *access_kept(void)
{
    return keeping;
}

void access_keep_drop(struct access_keep *k)
{
    sets_free(k->sets);
    world_free(k->world);
    k->sets = NULL;
    k->world = NULL;
}

struct looking {
    struct store *store;
    struct buf text;
    struct err *e;
    int rc;
};

static bool look(void *ctx, struct str name)
{
    struct looking *l = ctx;
    struct connector_state state = {0};
    l->rc = store_connector(l->store, name, &state, l->e);
    if (l->rc == ERR_NOTFOUND) l->rc = 0; /* only notes so far */
    buf_add_lstr(&l->text, bytes_of(name));
    buf_add_varint(&l->text, (uint64_t)state.visible_run);
    return l->rc == 0;
}

int access_keep_refresh(struct access_keep *k, bool *is_new, struct err *e)
{
    struct looking l = {k->store, buf_new((size_t)1 << 20), e, 0};
    int rc = store_connectors(k->store, look, &l, e);
    if (rc == 0) rc = l.rc;
    if (rc == 0 && l.text.failed) rc = err_set(e, ERR_LIMIT, "the store has too many connectors");
    struct hash128 now = hash128_of(hash_process_key(), buf_bytes(&l.text));
    buf_free(&l.text);
    if (rc < 0) return rc;
    *is_new = !hash128_equal(now, k->as_of);
    if (*is_new) access_keep_drop(k);
    k->as_of = now;
    k->about = NOBODY;
    k->as_of_ms = 0;
    k->n_lost = 0;
    return 0;
}
