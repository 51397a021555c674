/* krb.h - Kerberos tickets of one account, in memory: by password, keytab or somebody else's ticket cache.
 *
 * Through libkrb5 alone (docs/decisions/0008). The tickets live in a MEMORY: cache of their own; a ticket
 * cache that the user names is copied, never written to. Unless a krb5.conf is given, one is generated (in
 * memory) and the KDCs are asked through net/dial, so that time limits and sentences are our own. KRB5_CONFIG
 * is set for the whole process: only for a worker process, one krb at a time, one thread. krb_open(&k, &how,
 * &e); krb_sign_in(k, "svc@corp.example", &password, &e); krb_service_ticket(k, "ldap/dc1.corp.example", &e);
 * ... net/gss.h ... krb_close(k);
 */
#ifndef ROLLCALL_KRB_H
#define ROLLCALL_KRB_H

#include "base/buf.h"
#include "base/secret.h"

#define KRB_NAME_MAX 512
#define KRB_KDCS_MAX 16

struct krb_how {
    const char *domain;      /* its upper case is the realm */
    const char *const *kdcs; /* names or addresses, asked in this order on port 88 */
    size_t n_kdcs;
    const char *dns_servers; /* that know their names, "ADDRESS[:PORT],..."; NULL: this machine's */
    const char
        *config;    /* a krb5.conf (or several with : between), which then alone decides; NULL: generated */
    int timeout_ms; /* of each question to the KDCs */
    int64_t deadline_ms; /* monotonic; of everything */
};

struct krb_ticket {
    char principal[KRB_NAME_MAX]; /* "svc@CORP.EXAMPLE" */
    int64_t ends_ms;              /* UTC */
    int64_t renewable_until_ms;   /* 0: not renewable */
};

struct krb;
/* ERR_INPUT: the krb5.conf cannot be used. */
int krb_open(struct krb **out, const struct krb_how *how, struct err *e) must_use;
void krb_close(struct krb *k);
/* From now on this one is asked first. */
void krb_prefer(struct krb *k, const char *kdc);

/* Each gets a ticket-granting ticket in place of what was there. username: UPN, DOMAIN\user or user.
 * ERR_AUTH with a sentence for each reason; ERR_NET, ERR_TIMEOUT no KDC; ERR_INPUT a file or name that cannot
 * be used. */
/* By password: exactly one attempt. */
int krb_sign_in(struct krb *k, const char *username, const struct secret *password, struct err *e) must_use;
/* username NULL: the keytab's first principal. */
int krb_sign_in_keytab(struct krb *k, const char *path, const char *username, struct err *e) must_use;
/* name: a path, FILE:, DIR:, KEYRING: or KCM:. username NULL: whoever it belongs to. Succeeds with a ticket
 * that has ended, so that it can be told; krb_service_ticket then refuses. */
int krb_use_cache(struct krb *k, const char *name, const char *username, struct err *e) must_use;

/* NULL before one of them has succeeded. */
const struct krb_ticket *krb_ticket(const struct krb *k);
/* A ticket for the service "ldap/dc1.corp.example[@REALM]" is in the cache afterwards; *out its full name. */
int krb_service_ticket(struct krb *k, const char *spn, char out[KRB_NAME_MAX], struct err *e) must_use;
/* "MEMORY:...", for gss_open. */
const char *krb_cache_name(const struct krb *k);

/* --- pure functions, here for their tests ----------------------------------------------------------------
 */
struct krb_name {
    char user[KRB_NAME_MAX], realm[256];
    bool is_enterprise; /* RFC 6806 5: user is a UPN whose suffix is not the realm's name; the KDC knows whose
                           it is */
};
/* ERR_INPUT: a DN, or an empty or too long name. */
int krb_name_parse(struct krb_name *out, struct str username, struct str domain, struct err *e) must_use;
/* The generated krb5.conf. ERR_INPUT: a name that cannot stand in one. */
int krb_config_text(struct buf *out, struct str domain, const char *const *kdcs, size_t n_kdcs,
                    struct err *e) must_use;

#endif
