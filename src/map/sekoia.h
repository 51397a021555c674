/* sekoia.h - what the asset objects of both sources have in common. Inside the room only. */
#ifndef ROLLCALL_MAP_SEKOIA_H
#define ROLLCALL_MAP_SEKOIA_H

#include "map/get.h"

/* clang-format off */
#define SEKOIA_ENVELOPE(product)                                                                             \
    {"activity_id", fixed_number, 2},                                                                        \
    {"activity_name", fixed_text, .text = "Collect"},                                                        \
    {"category_name", fixed_text, .text = "Discovery"},                                                      \
    {"category_uid", fixed_number, 5},                                                                       \
    {"class_name", fixed_text, .text = "User Inventory Info"},                                               \
    {"class_uid", fixed_number, 5003},                                                                       \
    {"type_name", fixed_text, .text = "User Inventory Info: Collect"},                                       \
    {"type_uid", fixed_number, 500302},                                                                      \
    {"severity", fixed_text, .text = "Informational"},                                                       \
    {"severity_id", fixed_number, 1},                                                                        \
    {"metadata.version", fixed_text, .text = "1.6.0"},                                                       \
    {"metadata.product.name", fixed_text, .text = product},                                                  \
    {"metadata.product.vendor_name", fixed_text, .text = "Microsoft"},                                       \
    {"metadata.product.version", fixed_text, .text = "1.0"}
/* clang-format on */

#endif
