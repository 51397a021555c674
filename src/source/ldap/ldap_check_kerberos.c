/* ldap_check_kerberos.c - `check`: the ticket, and how long it will do. */
#include "base/when.h"
#include "source/ldap/ldap_bind.h"
#include "source/ldap/ldap_check.h"

#include <stdio.h>

#define MINUTE_MS 60000

/* "9 h 59 min" */
static void show_span(char out[32], int64_t ms)
{
    long long minutes = (long long)(ms / MINUTE_MS);
    if (minutes >= 48 * 60)
        snprintf(out, 32, "%lld days", minutes / (24 * 60));
    else if (minutes >= 60)
        snprintf(out, 32, "%lld h %lld min", minutes / 60, minutes % 60);
    else
        snprintf(out, 32, "%lld min", minutes);
}

static void say_renewal(struct finding *f, const struct krb_ticket *t)
{
    char when[WHEN_TEXT];
    if (t->renewable_until_ms > when_now_ms())
        finding_say(f, "renewable until %s", when_format(when, t->renewable_until_ms));
    else
        finding_say(f, "not renewable");
}

/* Nobody but the user keeps a ticket cache fresh. */
static void judge_cache(struct finding *f, const struct ldap_settings *set, const struct krb_ticket *t,
                        int64_t left_ms)
{
    say_renewal(f, t);
    if (left_ms >= 2 * set->frequency_ms) return;
    char span[32], every[32];
    show_span(span, left_ms);
    show_span(every, set->frequency_ms);
    if (t->renewable_until_ms > when_now_ms() + left_ms)
        finding_warn(f,
                     "it ends within two runs (one every %s): renew it from cron with kinit -R, and get a "
                     "new one before it can no longer be renewed",
                     every);
    else
        finding_warn(f,
                     "it ends within two runs (one every %s): get a new one from cron (kinit with a keytab), "
                     "or use auth: keytab",
                     every);
}

void check_ticket(struct checkup *c, struct finding *f)
{
    const struct krb_ticket *t;
    char when[WHEN_TEXT], span[32];
    if (!c->s.controllers.n) ldap_controllers_init(&c->s.controllers, &c->s.set); /* each is a KDC */
    if (ldap_session_ticket(&c->s, &t, &c->why) < 0) {
        finding_fail(f, &c->why);
        return;
    }
    int64_t left = t->ends_ms - when_now_ms();
    bool is_cache = c->s.set.auth == LDAP_BY_CACHE;
    if (is_cache && left <= 0) {
        err_set(&c->why, ERR_AUTH, "the ticket of %s in %s expired at %s", t->principal, c->s.set.cache,
                when_format(when, t->ends_ms));
        err_hint(&c->why, "get a new one (kinit), and renew it from cron before it ends");
        finding_fail(f, &c->why);
        return;
    }
    show_span(span, left);
    finding_say(f, "%s, until %s (%s)", t->principal, when_format(when, t->ends_ms), span);
    f->detail = json_pack("{s:s, s:s, s:b}", "principal", t->principal, "ends", when, "renewable",
                          t->renewable_until_ms > 0);
    if (is_cache)
        judge_cache(f, &c->s.set, t, left);
    else
        finding_say(f, "each run gets one of its own");
}
