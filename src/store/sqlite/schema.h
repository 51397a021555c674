/* schema.h - the tables of format 1, and whether a file is one of ours.
 *
 * Every table is STRICT and every primary and unique key begins with tenant_id, so that the same schema can
 * be distributed by it in another engine.
 */
#ifndef ROLLCALL_STORE_SQLITE_SCHEMA_H
#define ROLLCALL_STORE_SQLITE_SCHEMA_H

#include "store/sqlite/sq.h"

#define SCHEMA_APPLICATION_ID 0x726f6c6c /* "roll" */
#define SCHEMA_VERSION        2

/* Makes the tables in an empty file; ERR_INPUT for a file of something else or of a newer format. */
int schema_open(struct sq *q, struct hash_key *key, struct err *e) must_use;

#endif
