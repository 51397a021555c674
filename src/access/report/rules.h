/* rules.h - the rules' numbers; their texts and tests are in rules.c, in the same order.
 */
#ifndef ROLLCALL_ACCESS_RULES_H
#define ROLLCALL_ACCESS_RULES_H

#define RULES(X)                                                                                             \
    X(ACC_01) X(ACC_02) X(ACC_03) X(ACC_04) X(ACC_05) X(ACC_06) X(ACC_07) X(ACC_08) X(ACC_09) X(ACC_10)      \
    X(ACC_11) X(ACC_12) X(ACC_27) X(ACC_28) X(ACC_29) X(ACC_30) X(ACC_31) X(ACC_36) X(ACC_41) X(ACC_50)      \
    X(GROUP_01) X(GROUP_02) X(GROUP_03) X(GROUP_04) X(GROUP_05) X(GROUP_06) X(GROUP_07) X(GROUP_08)          \
    X(GROUP_09) X(GROUP_10) X(GROUP_11) X(GROUP_12)                                                          \
    X(PRIV_01) X(PRIV_02) X(PRIV_03) X(PRIV_04) X(PRIV_05) X(PRIV_06) X(PRIV_07) X(PRIV_08) X(PRIV_09)       \
    X(ACL_01) X(ACL_02) X(ACL_03) X(ACL_04) X(ACL_05) X(ACL_06) X(ACL_07)                                    \
    X(KRB_01) X(KRB_02) X(KRB_03) X(KRB_04) X(KRB_05) X(KRB_06)                                              \
    X(ENTRA_01) X(ENTRA_02) X(ENTRA_03) X(ENTRA_04) X(ENTRA_05) X(ENTRA_06) X(ENTRA_07) X(ENTRA_08)          \
    X(ENTRA_09) X(ENTRA_10) X(ENTRA_11)

enum rule {
#define X(id) RULE_##id,
    RULES(X)
#undef X
    N_RULES
};

#include "base/buf.h"

/* The tests of PASS_ENTITIES. Each appends what it found to detail. */
struct report_entity;
typedef bool rule_test(const struct report_entity *x, struct buf *detail);
rule_test rule_unused, rule_never_expires, rule_technical_never_expires, rule_old_password, rule_bad_attempts, rule_no_password,
    rule_cannot_change, rule_locked, rule_no_name, rule_never_used, rule_created_late, rule_reversible;
rule_test rule_privileged_disabled, rule_privileged_unused, rule_privileged_never_expires, rule_privileged_spn, rule_left_behind,
    rule_privileged_delegable;
rule_test rule_kerberoastable, rule_asrep, rule_unconstrained, rule_protocol_transition, rule_resource_based, rule_des;
rule_test rule_admin_without_mfa, rule_guest_admin, rule_disabled_admin, rule_unused_admin, rule_user_without_mfa, rule_secret_expires,
    rule_app_admin, rule_pending_guest, rule_synced_admin, rule_role_group_owned;

#endif
