/* krb_int.h - what krb.c, krb_text.c, krb_explain.c and krb_kdc.c share; nobody else includes it.
 */
#ifndef ROLLCALL_KRB_INT_H
#define ROLLCALL_KRB_INT_H

#include "net/dial.h"
#include "net/krb.h"

#include <krb5.h>

/* What a KDC said in its last KRB-ERROR. */
struct krb_complaint {
    int64_t skew_ms;    /* its clock less ours; 0 if no error came */
    uint32_t nt_status; /* MS-KILE 2.2.1; 0: none was given */
};

struct krb {
    krb5_context ctx;
    krb5_ccache cache;
    int config_fd; /* memfd with the generated krb5.conf, -1 */
    char *cache_name, *realm, *domain, *dns_servers;
    char *kdcs[KRB_KDCS_MAX];
    size_t n_kdcs;
    char resolved[256]; /* the KDC that answered last, and where it is; empty: none */
    struct dial_addresses there;
    int timeout_ms;
    int64_t deadline_ms;
    struct krb_complaint complaint;
    struct err unreachable; /* why no KDC answered; class 0: all is well */
    struct krb_ticket ticket;
    bool has_ticket;
};

/* Whom an error is about. */
struct krb_story {
    const char *who, *service, *realm, *file;
    const struct krb_complaint *complaint;
    const char *text; /* the library's own, for codes that have no sentence here */
};
/* Never fails to find words. Returns the class. */
int krb_explain(krb5_error_code code, const struct krb_story *s, struct err *e);

/* MS-KILE 2.2.2 KERB-ERROR-DATA, alone or within a METHOD-DATA; 0 if there is none. */
uint32_t krb_nt_status(struct bytes e_data);
/* Puts our own way to the KDCs (is_ours) and our ear for their errors into k->ctx. */
void krb_kdc_install(struct krb *k, bool is_ours);
/* One question to the first KDC that answers. */
int krb_kdc_ask(struct krb *k, struct bytes question, struct buf *answer, struct err *e) must_use;

#endif
