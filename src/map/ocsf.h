/* ocsf.h - what every OCSF table of ours has in common. Inside the room only.
 *
 * Tables are the superset of all versions; a row's `since` and `before` say where it is legal, and what goes
 * into an enrichment's free data instead. 1.1.0, 1.6.0 and 1.8.0 are tested; the numbers are the schema's own
 * (the compiled schemas of all releases), so another version is one line in dialect.c.
 */
#ifndef ROLLCALL_MAP_OCSF_H
#define ROLLCALL_MAP_OCSF_H

#include "map/get.h"

/* `time` comes first: Splunk takes the first "time" of an event. The clock's zone is always UTC. */
/* clang-format off */
#define OCSF_CLASS(time, class, class_name, category, category_name)                                         \
    {"time", time},                                                                                          \
    {"class_uid", fixed_number, class},                                                                      \
    {"class_name", fixed_text, .text = class_name},                                                          \
    {"category_uid", fixed_number, category},                                                                \
    {"category_name", fixed_text, .text = category_name},                                                    \
    {"severity_id", fixed_number, 1},                                                                        \
    {"severity", fixed_text, .text = "Informational"},                                                       \
    {"status_id", fixed_number, 1},                                                                          \
    {"status", fixed_text, .text = "Success"},                                                               \
    {"timezone_offset", fixed_number, 0}
/* clang-format on */

/* The activity of state is known when the table is written; that of a change depends on it. */
/* clang-format off */
#define OCSF_STATE(class, class_name, category, category_name, activity, activity_name)                      \
    OCSF_CLASS(fixed_read_time, class, class_name, category, category_name),                                 \
    {"activity_id", fixed_number, activity},                                                                 \
    {"activity_name", fixed_text, .text = activity_name},                                                    \
    {"type_uid", fixed_number, (class) * 100 + (activity)},                                                  \
    {"type_name", fixed_text, .text = class_name ": " activity_name}
#define OCSF_CHANGE(class, class_name)                                                                       \
    OCSF_CLASS(get_change_time, class, class_name, 3, "Identity & Access Management"),                       \
    {"activity_id", get_activity_id},                                                                        \
    {"activity_name", get_activity_name},                                                                    \
    {"type_uid", get_type_uid, class},                                                                       \
    {"type_name", get_type_name, .text = class_name}
/* clang-format on */

/* clang-format off */
#define OCSF_METADATA(log) OCSF_METADATA_OF(log, "Active Directory Domain Services", get_domain_sid)
#define OCSF_METADATA_OF(log, product, tenant)                                                               \
    {"metadata.version", fixed_version},                                                                     \
    {"metadata.product.name", fixed_text, .text = product},                                                  \
    {"metadata.product.vendor_name", fixed_text, .text = "Microsoft"},                                       \
    {"metadata.log_name", fixed_text, .text = log},                                                          \
    {"metadata.log_provider", fixed_text, .text = "rollcall"},                                               \
    {"metadata.loggers[0].name", fixed_text, .text = "rollcall"},                                            \
    {"metadata.loggers[0].version", fixed_rollcall_version},                                                 \
    {"metadata.loggers[0].uid", fixed_connector},                                                            \
    {"metadata.reporter.name", fixed_text, .since = V1_7, .text = "rollcall"},                               \
    {"metadata.reporter.uid", fixed_connector, .since = V1_7},                                               \
    {"metadata.correlation_uid", fixed_run_uid},                                                             \
    {"metadata.uid", get_event_uid},                                                                         \
    {"metadata.tenant_uid", tenant},                                                                         \
    {"metadata.sequence", get_sequence},                                                                     \
    {"metadata.is_truncated", get_is_truncated, .since = V1_6}
/* clang-format on */

/* Three streams, to be told apart by metadata.log_name. */
#define LOG_INVENTORY "directory_inventory"
#define LOG_STRUCTURE "directory_structure"
#define LOG_CHANGES   "directory_changes"

get_fn get_event_uid, get_sequence, get_is_truncated;
get_fn get_change_time, get_activity_id, get_activity_name, get_type_uid, get_type_name;
get_fn get_user_type_id, get_user_type;

/* ocsf_account.c, ocsf_structure.c, ocsf_change.c */
extern const struct row ocsf_user[], ocsf_computer[];
extern const struct row ocsf_group[], ocsf_place[], ocsf_domain[], ocsf_trust[], ocsf_policy[];
extern const struct row ocsf_group_ref[], ocsf_member_ref[];
extern const struct row ocsf_account_change[], ocsf_group_change[], ocsf_other_change[];

/* The activity of a change, and the table that tells it. */
struct change_event {
    struct activity activity;
    int use; /* enum table_use */
};
struct change_event ocsf_change_event(const struct change *c, unsigned version);

#endif
