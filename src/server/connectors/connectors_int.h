/* connectors_int.h - what the files of connectors.h share. Internal to server/.
 *
 * Settings are stored as entered, less what equals the default. A key whose value can be entered is either a secret key of the type, or the content of
 * a file key: ca_certificate_pem stands for ca_certificate, client_certificate_pem for client_certificate.
 */
#ifndef ROLLCALL_SERVER_CONNECTORS_INT_H
#define ROLLCALL_SERVER_CONNECTORS_INT_H

#include "server/connectors/connectors.h"
#include "server/state/state_int.h"

#define CA_PEM          "ca_certificate_pem"
#define CLIENT_PEM      "client_certificate_pem"
#define PASSPHRASE      "client_certificate_password"
#define ENTERED_MAX     8
#define SETTINGS_MAX    (64 * 1024)
#define CONNECTORS_MAX  10000

struct connectors {
    struct state *state;
    const struct conf *conf;
};

/* --- connectors.c ---------------------------------------------------------------------------------- */
/* A row. */
struct stored {
    char *type, *must_enter; /* keys, separated by spaces */
    json_t *settings, *secrets; /* {key: {sealed, bound, updated}} */
    bool is_enabled, is_found;
    int64_t created_ms, updated_ms, version;
};
int stored_load(struct connectors *c, const char *name, struct stored *out, struct err *e) must_use; /* is_found false if there is none */
void stored_free(struct stored *s);
const struct connector_conf *connectors_of_file(const struct connectors *c, const char *name); /* NULL: none */
int connectors_check_name(const char *name, struct err *e) must_use;

/* --- connectors_plan.c: what becomes of entered values when settings change --------------------------- */
enum entered_action { ENTERED_NONE, ENTERED_KEEP, ENTERED_SET, ENTERED_DROP };
struct entered {
    const char *name, *target; /* "ca_certificate_pem", "ca_certificate" */
    bool is_file;
    enum entered_action action;
    bool must_enter;
    const char *value; /* SET: as given; borrowed */
    char *bound;       /* what it is or will be sealed for */
};
struct plan {
    const char *name, *type;
    bool may_refer;
    json_t *settings; /* without entered values; "type" is not in it */
    json_t *check;    /* a copy in which a stand-in is for every entered value that will be there */
    struct entered entered[ENTERED_MAX];
    size_t n;
};
/* was: what is stored (is_found false: nothing). Borrows all but what plan_close frees.
 * ERR_INPUT: settings or secrets are no objects, too large, a type that is none, a key entered and referred to at once. */
int plan_open(struct plan *out, struct connectors *c, const char *name, const struct connector_form *form, const struct stored *was, struct err *e) must_use;
/* What is stored, as it is. ERR_NOTFOUND: nothing is. */
int plan_open_stored(struct plan *out, struct connectors *c, const char *name, const struct stored *was, struct err *e) must_use;
void plan_close(struct plan *p);
const struct entered *plan_ca(const struct plan *p); /* NULL: none can be pasted */
/* The stored value of what is kept. ERR_AUTH: it does not open any more. */
int plan_read_kept(struct connectors *c, const struct plan *p, const struct stored *was, const struct entered *one, struct secret *out, struct err *e) must_use;
/* ERR_INPUT: not whole: the first thing that is wrong, or that must be entered. */
int plan_check(const struct plan *p, struct err *e) must_use;
/* Settings that a server must not follow for whoever edits connectors: its own files and keys, /proc. key, and value as in the settings. */
int plan_check_reference(const struct connectors *c, const char *key, bool is_path, const char *value, struct err *e) must_use;

/* What the form names that only an administrator may: told one by one. */
void plan_each_denied(const struct plan *p, const struct stored *was, void (*tell)(void *ctx, const char *key, const struct err *e), void *ctx);
/* The first of the plan's settings that must not be followed (ERR_INPUT), or that its maker may not name (ERR_DENIED). */
int plan_check_references(const struct connectors *c, const struct plan *p, const struct stored *was, struct err *e) must_use;

#endif
