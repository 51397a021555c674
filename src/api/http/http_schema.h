/* http_schema.h - does a JSON value fit a schema: the part of JSON Schema that routes are written in.
 *
 * type (or a list of types), properties, required, additionalProperties (true or false; false where there are properties and nothing is said), enum, items,
 * minLength, maxLength, maxItems, minimum, maximum. Any other keyword is an error of who wrote the schema, found at start.
 */
#ifndef ROLLCALL_API_HTTP_SCHEMA_H
#define ROLLCALL_API_HTTP_SCHEMA_H

#include "base/err.h"

#include <jansson.h>

#define JSON_DEPTH 16
/* A body as JSON object that fits the schema. ERR_INPUT: no JSON, nested deeper than JSON_DEPTH, a member twice, not an object; what schema_check says. */
int schema_read(json_t **out, struct bytes body, const json_t *schema, struct err *e) must_use;
/* ERR_BUG: a keyword this checker does not know. */
int schema_lint(const json_t *schema, struct err *e) must_use;
/* ERR_INPUT names the first member that does not fit: "settings.port must be an integer". Values are never in the message: they may be secrets. */
int schema_check(const json_t *schema, const json_t *value, struct err *e) must_use;

#endif
