#include "cmd/server_files.h"

#include "vault/seal.h"

#include <stdlib.h>
#include <unistd.h>

static char *absolute(const char *path)
{
    defer_free char *here = path[0] == '/' ? NULL : getcwd(NULL, 0);
    struct buf b = buf_new(8192);
    buf_printf(&b, "%s%s%s", here ? here : "", here ? "/" : "", path);
    char *out = x_strdup(buf_str(&b));
    buf_free(&b);
    return out;
}

/* --store, else the settings'. */
static int find_store(struct cli *c, char **out, struct err *e)
{
    const char *url = cli_value(c, "store");
    if (!url) try(cli_conf(c, e));
    if (!url) url = c->conf.store_url;
    if (url && str_starts(str_from(url), STR("sqlite:")) && url[7]) {
        *out = absolute(url + 7);
        return 0;
    }
    err_set(e, ERR_INPUT, url ? "store %s: sqlite:PATH is expected" : "no store is set", url);
    return err_hint(e, "--store sqlite:/var/lib/rollcall/rollcall.db, or a line store: ... in the settings file");
}

int server_files_find(struct cli *c, struct server_files *out, struct err *e)
{
    const char *state = cli_value(c, "state"), *key = cli_value(c, "master-key");
    *out = (struct server_files){.store = NULL};
    try(find_store(c, &out->store, e));
    out->state = state ? absolute(state) : cli_beside(out->store, "server");
    out->key = key ? absolute(key) : cli_beside(out->store, "key");
    return 0;
}

int server_files_open(struct cli *c, struct server_files *out, bool may_make, struct err *e)
{
    try(server_files_find(c, out, e));
    if (!may_make && access(out->state, F_OK) < 0) {
        err_set(e, ERR_NOTFOUND, "%s: there is no server of this store yet", out->state);
        return err_hint(e, "rollcall serve makes it at its first start; or name it with --state");
    }
    try(seal_open_by(&out->seal, out->key, cli_value(c, "passphrase"), may_make, e));
    return state_open(&out->handle, out->state, out->seal, e);
}

void server_files_close(struct server_files *f)
{
    state_close(f->handle);
    seal_close(f->seal);
    free(f->store);
    free(f->state);
    free(f->key);
    *f = (struct server_files){.store = NULL};
}
