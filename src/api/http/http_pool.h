/* http_pool.h - reading handles of the store, lent to one request at a time and closed when nobody has used them for a while.
 */
#ifndef ROLLCALL_API_HTTP_POOL_H
#define ROLLCALL_API_HTTP_POOL_H

#include "store/store.h"

#include <pthread.h>

#define POOL_KEEP    8
#define POOL_IDLE_MS 10000
#define POOL_LIFE_MS 600000 /* a handle keeps some strings of every run that it saw until it is closed (store.h): from time to time it is */
struct store_pool {
    pthread_mutex_t lock;
    struct pooled {
        struct store *store;
        int64_t opened_ms, since_ms;
    } idle[POOL_KEEP], lent[64];
    unsigned n_idle, n_lent;
};
void pool_init(struct store_pool *p);
void pool_fini(struct store_pool *p); /* all must be back */
/* ERR_NOTFOUND: there is no store yet. */
int pool_lend(struct store_pool *p, const char *url, struct store **out, struct err *e) must_use;
void pool_return(struct store_pool *p, struct store *s, bool is_sound);
void pool_close_idle(struct store_pool *p);

#endif
