/* fixture.h - for the tests of the store: entities from a line, runs from a script, what is visible as text.
 *
 * Everything goes through store.h, so that the same tests prove every engine: $ROLLCALL_TEST_ENGINE
 * says which (meson.build has the list).
 */
#ifndef ROLLCALL_STORE_FIXTURE_H
#define ROLLCALL_STORE_FIXTURE_H

#include "base/buf.h"
#include "store/store.h"

/* One entity as a test names it. Unset members are absent from the record. */
struct someone {
    enum kind kind;
    unsigned id; /* makes the GUID and, with `rid`, the SID */
    const char *dn;
    const char *sam, *upn, *title, *mail, *manager;
    uint32_t rid, primary;      /* RID of the account; RID of its primary group */
    uint32_t builtin;           /* SID S-1-5-32-builtin instead */
    int64_t logons;             /* statistics */
    uint32_t sd;                /* number of a descriptor of the stream */
    unsigned flags;             /* enum record_flag */
    const char *const *members; /* DNs, NULL-terminated */
    /* of a tenant */
    const char *role_template, *assignment; /* of a role */
    const char *mfa;                        /* "yes", "no": isMfaRegistered; NULL: absent */
    int64_t sign_in;                        /* statistics */
};

/* For tests, with `e_` in the call as its error: OK(store_open(&s, url, &e_)); */
#define OK(call)                                                                                             \
    do {                                                                                                     \
        struct err e_ = {0};                                                                                 \
        int rc_ = (call);                                                                                    \
        if (rc_ < 0) fail_msg("%s: %s", #call, e_.message);                                                  \
    } while (0)

/* --- a store in a new directory --------------------------------------------------------------- */
struct fixture {
    char dir[128];
    char url[192];
    struct store *store;
};
void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);  /* removes the directory */
void fixture_reopen(struct fixture *f); /* as another process would see it */
struct store *fixture_another(const struct fixture *f);

/* --- runs; every failing call fails the test -------------------------------------------------- */
extern const struct domain_info fixture_domain;
struct store_run *run_start(struct store *s, const char *connector, int64_t at_ms);
void run_put_one(struct store_run *r, const struct someone *who);
void run_put_members(struct store_run *r, const char *const *members, bool more);
void run_done(struct store_run *r, enum kind k);
/* Every kind that accounts and groups have. */
void run_done_all(struct store_run *r);
struct run_result run_finish(struct store_run *r, int64_t at_ms);
/* A whole run of connector "corp": puts them, everything listed completely. */
struct run_result sync_all(struct fixture *f, const struct someone *who, size_t n, int64_t at_ms);
#define SYNC(f, at_ms, ...)                                                                                  \
    sync_all(f, (const struct someone[]){__VA_ARGS__},                                                       \
             sizeof((const struct someone[]){__VA_ARGS__}) / sizeof(struct someone), at_ms)

/* --- what is visible, as sorted text with one line each --------------------------------------- */
/* "created user alice" "modified user alice title: A -> B" "member_added group staff alice" ..., of one run
 * (0: all). */
char *changes_text(struct store *s, int64_t run);
/* "user alice CN=...; deleted" with attributes, memberships ("in staff by member"), of connector. Caller
 * frees. */
char *entities_text(struct store *s, const char *connector);
int64_t entity_id_of_key(struct store *s, const char *key); /* of "corp"; 0: none */
char *links_text(struct store *s, const char *key,
                 enum link_side side); /* "alice/member bob/primary_group" sorted */

void guid_of_id(uint8_t out[GUID_SIZE], unsigned id);

#endif
