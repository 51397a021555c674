/* server.c - server backup, restore, check, audit, user, setup-url, key: the commands beside serve */
#include "cmd/out.h"
#include "cmd/server_files.h"

#include "base/jsonv.h"
#include "catalog/catalog.h"
#include "server/state/audit.h"
#include "server/state/state_secrets.h"
#include "vault/seal.h"
#include "vault/vault.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

static const struct cli_option file_options[] = {SERVER_FILE_OPTIONS, {NULL, 0, NULL, NULL, NULL, false}};

/* Who is at the keyboard, as the audit log names him. */
static struct actor local_actor(void)
{
    struct actor a = {.role = ROLE_ADMIN, .from = "local"};
    const struct passwd *p = getpwuid(getuid());
    if (p)
        snprintf(a.name, sizeof a.name, "local:%.100s", p->pw_name);
    else
        snprintf(a.name, sizeof a.name, "local:%ld", (long)getuid());
    return a;
}

static int note(struct state *s, const char *action, const char *object, const json_t *after, struct err *e)
{
    struct actor who = local_actor();
    return audit_add(s, &who, action, object, NULL, after, "ok", e);
}

/* --- backup and restore -------------------------------------------------------------------------------------------- */

static int backup(struct cli *c, struct err *e)
{
    struct server_files f;
    json_t *made = NULL;
    int rc = server_files_find(c, &f, e);
    struct backup_files files = {f.store, f.state, f.key};
    if (rc == 0) rc = backup_make(&files, c->args[0], cli_flag(c, "with-key"), &made, e);
    server_files_close(&f);
    return rc < 0 ? rc : out_object(c, made, e);
}

/* Who was logged in then is not logged in now; and the log says what happened to it. */
static int begin_anew(const struct server_files *f, const char *dir, struct err *e)
{
    struct state *s;
    if (access(f->state, F_OK) < 0) return 0; /* the backup had a store only */
    try(state_open(&s, f->state, NULL, e));
    int rc = accounts_end_sessions(s, e);
    if (rc == 0) rc = note(s, "server.restore", dir, NULL, e);
    state_close(s);
    return rc;
}

static int restore(struct cli *c, struct err *e)
{
    struct server_files f;
    json_t *done = NULL;
    int rc = server_files_find(c, &f, e);
    struct backup_files files = {f.store, f.state, f.key};
    if (rc == 0) rc = backup_restore(&files, c->args[0], &done, e);
    if (rc == 0 && (rc = begin_anew(&f, c->args[0], e)) < 0) json_decref(done);
    server_files_close(&f);
    return rc < 0 ? rc : out_object(c, done, e);
}

/* --- check ----------------------------------------------------------------------------------------------------------- */

struct checking {
    json_t *lines;
    bool is_ok;
};

static void add_line(void *ctx, const char *line)
{
    json_array_append_new(ctx, jsonv_str(str_from(line)));
}

static void add_step(struct checking *k, const char *name, int rc, const struct err *e, json_t *lines)
{
    json_t *o = json_pack("{s:s, s:s, s:o}", "name", name, "verdict", rc < 0 ? "fail" : "ok", "evidence", lines);
    if (rc < 0) json_object_set_new(o, "message", jsonv_str(str_from(e->message)));
    if (rc < 0 && e->hint[0]) json_object_set_new(o, "fix", jsonv_str(str_from(e->hint)));
    json_array_append_new(k->lines, o);
    if (rc < 0) k->is_ok = false;
}

static void step_store(struct checking *k, const struct server_files *f)
{
    struct err e = {0};
    json_t *lines = json_array();
    struct store *s;
    char url[8192];
    snprintf(url, sizeof url, "sqlite:%s", f->store);
    int rc = store_exists(str_from(url)) ? 0 : err_set(&e, ERR_NOTFOUND, "%s: nothing was synced yet", f->store);
    if (rc == 0) rc = state_check_database(f->store, add_line, lines, &e);
    if (rc == 0 && (rc = store_open(&s, str_from(url), &e)) == 0) store_close(s);
    add_step(k, "store", rc == ERR_NOTFOUND ? 0 : rc, &e, lines);
    if (rc == ERR_NOTFOUND) add_line(lines, e.message);
}

static void step_state(struct checking *k, struct cli *c)
{
    struct server_files f;
    struct err e = {0};
    json_t *lines = json_array();
    int rc = server_files_open(c, &f, false, &e);
    if (rc == 0) rc = state_check(f.handle, add_line, lines, &e);
    if (rc == 0) add_line(lines, seal_describe(f.seal));
    add_step(k, "state", rc, &e, lines);
    server_files_close(&f);
}

/* Nothing in it is truth: that it is missing is no fault. */
static void step_catalog(struct checking *k, const struct server_files *f)
{
    struct err e = {0};
    struct catalog *catalog;
    json_t *lines = json_array();
    defer_free char *path = cli_beside(f->store, "catalog");
    int rc = catalog_open(&catalog, path, &e);
    if (rc == 0) catalog_close(catalog);
    add_line(lines, rc == 0 ? "there, and of this version" : "will be made again after the next sync");
    add_step(k, "catalog", 0, &e, lines);
}

static void print_steps(const struct checking *k)
{
    size_t i, n;
    json_t *step, *line;
    json_array_foreach(k->lines, i, step)
    {
        struct buf b = buf_new(65536);
        const char *message = json_string_value(json_object_get(step, "message")), *fix = json_string_value(json_object_get(step, "fix"));
        buf_printf(&b, "%-5s %s\n", json_string_value(json_object_get(step, "verdict")), json_string_value(json_object_get(step, "name")));
        json_array_foreach(json_object_get(step, "evidence"), n, line)
        {
            buf_add_str(&b, STR("        "));
            out_visible(&b, str_from(json_string_value(line)));
            buf_add_byte(&b, '\n');
        }
        if (message) buf_printf(&b, "        %s\n", message);
        if (fix) buf_printf(&b, "   fix: %s\n", fix);
        fputs(buf_cstr(&b), stdout);
        buf_free(&b);
    }
}

static int check(struct cli *c, struct err *e)
{
    struct server_files f;
    struct checking k = {json_array(), true};
    int rc = server_files_find(c, &f, e);
    if (rc == 0) {
        step_store(&k, &f);
        step_state(&k, c);
        step_catalog(&k, &f);
    }
    server_files_close(&f);
    if (rc == 0 && c->format == OUT_TABLE) print_steps(&k);
    if (rc == 0 && c->format != OUT_TABLE) rc = out_object(c, json_pack("{s:b, s:O}", "ok", k.is_ok, "steps", k.lines), e);
    json_decref(k.lines);
    if (rc < 0) return rc;
    return k.is_ok ? 0 : 1;
}

/* --- audit -------------------------------------------------------------------------------------------------------------- */

static int audit_rows(struct cli *c, struct state *s, struct err *e)
{
    static const struct out_column columns[] = {{"id", NULL}, {"time", NULL}, {"who", NULL}, {"from", NULL}, {"action", NULL}, {"object", NULL}, {"result", NULL}, {NULL, NULL}};
    json_t *list;
    int64_t limit;
    try(cli_number(c, "limit", 1, 50, &limit, e));
    try(audit_list(s, 0, limit, &list, e));
    int rc = out_list(c, columns, list, e);
    json_decref(list);
    return rc;
}

static int audit_proof(struct cli *c, struct state *s, struct err *e)
{
    uint64_t n;
    char head[65];
    try(audit_verify(s, &n, head, e));
    return out_object(c, json_pack("{s:b, s:I, s:s}", "ok", 1, "entries", (json_int_t)n, "head", head), e);
}

/* One word out of a list of them, as the first argument. */
static int verb_of(const struct cli *c, const char *const *verbs, size_t n, size_t *out, struct err *e)
{
    const char *names[8] = {NULL};
    for (*out = 0; *out < n; ++*out)
        if (strcmp(c->args[0], verbs[*out]) == 0) return 0;
    for (size_t i = 0; i < n; i++) names[i] = verbs[i];
    const char *near = did_you_mean(str_from(c->args[0]), names);
    err_set(e, ERR_INPUT, "%s: unknown word '%s'", c->command->name, c->args[0]);
    return near ? err_hint(e, "did you mean %s?", near) : err_hint(e, "usage: rollcall %s %s", c->command->name, c->command->arguments);
}

static int audit(struct cli *c, struct err *e)
{
    static const char *const verbs[] = {"verify"};
    struct server_files f;
    size_t verb;
    if (c->n_args) try(verb_of(c, verbs, n_elements(verbs), &verb, e));
    int rc = server_files_open(c, &f, false, e);
    if (rc == 0) rc = c->n_args ? audit_proof(c, f.handle, e) : audit_rows(c, f.handle, e);
    server_files_close(&f);
    return rc;
}

/* --- users ----------------------------------------------------------------------------------------------------------------- */

/* From a file that nobody else may read, or asked for twice. */
static int take_password(const struct cli *c, const char *name, struct secret *out, struct err *e)
{
    char reference[4200], what[200];
    const char *file = cli_value(c, "password-file");
    struct secret again;
    snprintf(reference, sizeof reference, "file:%s", file ? file : "");
    snprintf(what, sizeof what, "password of %s", name);
    if (file) return secret_resolve(out, str_from(reference), what, e);
    if (secret_resolve(out, STR("prompt:"), what, e) < 0) {
        if (e->class == ERR_INPUT) err_hint(e, "where nobody sits in front of it: --password-file FILE");
        return (int)e->class;
    }
    int rc = secret_resolve(&again, STR("prompt:"), "the same again", e);
    if (rc == 0 && !bytes_equal(secret_bytes(out), secret_bytes(&again))) rc = err_set(e, ERR_INPUT, "the two are not the same");
    secret_drop(&again);
    if (rc < 0) secret_drop(out);
    return rc;
}

static int user_list(struct cli *c, struct state *s, struct err *e)
{
    static const struct out_column columns[] = {{"name", NULL}, {"role", NULL}, {"enabled", NULL}, {"has_password", NULL}, {"last_login", NULL}, {NULL, NULL}};
    json_t *list;
    try(accounts_users(s, &list, e));
    int rc = out_list(c, columns, list, e);
    json_decref(list);
    return rc;
}

static int user_show(struct cli *c, struct state *s, const char *name, struct err *e)
{
    json_t *list, *one, *found = NULL;
    size_t i;
    try(accounts_users(s, &list, e));
    json_array_foreach(list, i, one)
    {
        if (str_equal_nocase(str_from(json_string_value(json_object_get(one, "name"))), str_from(name))) found = json_incref(one);
    }
    json_decref(list);
    return found ? out_object(c, found, e) : err_set(e, ERR_NOTFOUND, "no user '%s'", name);
}

static int user_add(struct cli *c, struct state *s, const char *name, struct err *e)
{
    struct secret password;
    const char *given = cli_value(c, "role");
    enum role role = role_parse(str_from(given ? given : "viewer"));
    try(take_password(c, name, &password, e));
    int rc = accounts_user_add(s, name, role, secret_bytes(&password), e);
    secret_drop(&password);
    json_t *after = json_pack("{s:s, s:s}", "name", name, "role", role_name(role));
    if (rc == 0) rc = note(s, "user.create", name, after, e);
    json_decref(after);
    return rc < 0 ? rc : user_show(c, s, name, e);
}

static int user_password(struct cli *c, struct state *s, const char *name, struct err *e)
{
    struct secret password;
    try(take_password(c, name, &password, e));
    int rc = accounts_user_password(s, name, secret_bytes(&password), e);
    secret_drop(&password);
    if (rc == 0) rc = note(s, "user.password", name, NULL, e);
    return rc < 0 ? rc : user_show(c, s, name, e);
}

static int user_delete(struct cli *c, struct state *s, const char *name, struct err *e)
{
    try(accounts_user_delete(s, name, e));
    try(note(s, "user.delete", name, NULL, e));
    return out_object(c, json_pack("{s:s}", "deleted", name), e);
}

static int user(struct cli *c, struct err *e)
{
    static const char *const verbs[] = {"list", "add", "password", "delete"};
    static int (*const run[])(struct cli *, struct state *, const char *, struct err *) = {NULL, user_add, user_password, user_delete};
    struct server_files f;
    size_t verb;
    try(verb_of(c, verbs, n_elements(verbs), &verb, e));
    if ((verb == 0) != (c->n_args == 1)) {
        err_set(e, ERR_INPUT, verb ? "server user %s: the name is missing" : "server user %s: takes no name", c->args[0]);
        return err_hint(e, "usage: rollcall server user %s%s", c->args[0], verb ? " NAME" : "");
    }
    int rc = server_files_open(c, &f, false, e);
    if (rc == 0) rc = verb ? run[verb](c, f.handle, c->args[1], e) : user_list(c, f.handle, e);
    server_files_close(&f);
    return rc;
}

/* --- the set-up address ------------------------------------------------------------------------------------------------------- */

static int setup_url(struct cli *c, struct err *e)
{
    struct server_files f;
    char token[TOKEN_TEXT], url[1024];
    const char *base = cli_value(c, "public-url");
    if (!base) base = "http://127.0.0.1:8443";
    int rc = server_files_open(c, &f, false, e);
    if (rc == 0) rc = accounts_setup_token(f.handle, token, e);
    if (rc == 0) rc = note(f.handle, "setup.url", "", NULL, e);
    server_files_close(&f);
    if (rc < 0) return rc;
    snprintf(url, sizeof url, "%.800s/#/setup?token=%s", base, token);
    secret_wipe(token, sizeof token);
    return out_object(c, json_pack("{s:s}", "setup", url), e);
}

/* --- the master key -------------------------------------------------------------------------------------------------------------- */

static int tell_key(struct cli *c, const struct server_files *f, uint64_t n, struct err *e)
{
    return out_object(c, json_pack("{s:s, s:I, s:I}", "source", seal_describe(f->seal), "number", (json_int_t)seal_number(f->seal), "sealed", (json_int_t)n), e);
}

static int rotate(struct cli *c, const struct server_files *f, struct err *e)
{
    defer_close int lock = -1;
    uint64_t n;
    if (state_claim(&lock, f->store, e) < 0) {
        if (e->class == ERR_CONFLICT) err_hint(e, "a running server changes it itself: on its page under Settings, or rollcall api POST /api/v1/key/rotate");
        return (int)e->class;
    }
    try(state_rotate(f->handle, &n, e));
    try(note(f->handle, "key.rotate", seal_describe(f->seal), NULL, e));
    return tell_key(c, f, n, e);
}

static void ignore_line(void *ctx, const char *line)
{
}

static int key(struct cli *c, struct err *e)
{
    static const char *const verbs[] = {"show", "rotate"};
    struct server_files f;
    size_t verb;
    uint64_t n = 0;
    try(verb_of(c, verbs, n_elements(verbs), &verb, e));
    int rc = server_files_open(c, &f, false, e);
    if (rc == 0 && verb) rc = rotate(c, &f, e);
    if (rc == 0 && !verb) rc = state_check_secrets(f.handle, &n, ignore_line, NULL, e);
    if (rc == 0 && !verb) rc = tell_key(c, &f, n, e);
    server_files_close(&f);
    return rc;
}

/* --- the table ---------------------------------------------------------------------------------------------------------------------- */

static const struct cli_option backup_options[] = {
    {"with-key", 0, NULL, "the master key too: the backup then opens every secret, to whoever has it", NULL, false}, SERVER_FILE_OPTIONS, {NULL, 0, NULL, NULL, NULL, false}};
static const struct cli_option audit_options[] = {
    {"limit", 0, "N", "the newest N entries (default 50)", NULL, false}, SERVER_FILE_OPTIONS, {NULL, 0, NULL, NULL, NULL, false}};
static const struct cli_option user_options[] = {
    {"role", 0, "ROLE", "viewer (default), analyst, operator or admin", "viewer|analyst|operator|admin", false},
    {"password-file", 0, "FILE", "the password, in a file that nobody else may read (default: asked for)", NULL, false},
    SERVER_FILE_OPTIONS,
    {NULL, 0, NULL, NULL, NULL, false}};
static const struct cli_option url_options[] = {
    {"public-url", 0, "URL", "as browsers reach the server (default http://127.0.0.1:8443)", NULL, false}, SERVER_FILE_OPTIONS, {NULL, 0, NULL, NULL, NULL, false}};

const struct command cmd_server_backup = {.name = "server backup",
                                          .arguments = "DIR",
                                          .min_args = 1,
                                          .max_args = 1,
                                          .summary = "Copy store, accounts and connectors to a directory, while the server runs",
                                          .options = backup_options,
                                          .run = backup};
const struct command cmd_server_restore = {.name = "server restore",
                                           .arguments = "DIR",
                                           .min_args = 1,
                                           .max_args = 1,
                                           .summary = "Bring a backup back; what was there is kept beside it",
                                           .options = file_options,
                                           .run = restore};
const struct command cmd_server_check = {.name = "server check",
                                         .arguments = "",
                                         .summary = "Prove the server's files: store, accounts, audit log, sealed secrets",
                                         .options = file_options,
                                         .run = check};
const struct command cmd_server_audit = {.name = "server audit",
                                         .arguments = "[verify]",
                                         .max_args = 1,
                                         .summary = "Show who changed what on the server; verify: that nobody changed the log",
                                         .options = audit_options,
                                         .run = audit};
const struct command cmd_server_user = {.name = "server user",
                                        .arguments = "list | add NAME | password NAME | delete NAME",
                                        .min_args = 1,
                                        .max_args = 2,
                                        .summary = "List, add and delete users of the server, set passwords",
                                        .options = user_options,
                                        .run = user};
const struct command cmd_server_setup_url = {.name = "server setup-url",
                                             .arguments = "",
                                             .summary = "Print a new address for the first administrator, good once and for 15 minutes",
                                             .options = url_options,
                                             .run = setup_url};
const struct command cmd_server_key = {.name = "server key",
                                       .arguments = "show | rotate",
                                       .min_args = 1,
                                       .max_args = 1,
                                       .summary = "Show where the master key comes from; rotate: a new one, everything sealed with it",
                                       .options = file_options,
                                       .run = key};
