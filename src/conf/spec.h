/* spec.h - what can be set: one row for every key of every connector and sink type.
 *
 * The reader, the checks, `connector spec` and the forms are all drawn from these rows; a new key is a new
 * row. Internal to conf/.
 */
#ifndef ROLLCALL_CONF_SPEC_H
#define ROLLCALL_CONF_SPEC_H

#include "base/base.h"

#include <jansson.h>

enum key_kind {
    KEY_STRING,
    KEY_INT,
    KEY_BOOL,
    KEY_CHOICE,
    KEY_DURATION, /* kept as written, "30s"; conf_int gives ms */
    KEY_CRON,     /* cron.h */
    KEY_SECRET,   /* a reference, never the value */
    KEY_PATH,     /* made absolute */
    KEY_CACHE,    /* a Kerberos ticket cache: a path, made absolute, or TYPE:REST */
    KEY_HOST,     /* a name or an address */
    KEY_HOSTS,    /* a list of them, each with :port or without */
    KEY_SERVERS,  /* a list of addresses, each with :port or without */
    KEY_DOMAIN,   /* a DNS domain name */
    KEY_DN,
    KEY_USER, /* UPN, DOMAIN\user or DN */
    KEY_URL,  /* https, or http to loopback */
    KEY_LOCAL_URL, /* http to loopback or 169.254.169.254 */
    KEY_GUID,
    KEY_TENANT,     /* a GUID or a domain */
    KEY_PROPERTIES, /* custom_properties */
};

static inline bool key_kind_is_list(enum key_kind k)
{
    return k == KEY_HOSTS || k == KEY_SERVERS || k == KEY_PROPERTIES;
}

struct key_spec {
    const char *name;
    enum key_kind kind;
    bool is_required;     /* where `when` holds */
    bool is_text;         /* KEY_PATH: may be "-" */
    const char *fallback; /* the default, as one would write it; NULL: none */
    const char *choices;  /* KEY_CHOICE: words, separated by spaces */
    const char *later;    /* values that are known but not built in this version; "*": any but the default */
    int64_t min, max;     /* KEY_INT; KEY_DURATION in ms */
    const char *when_key, *when; /* matters only where that key has one of these words */
    const char *own;             /* the value by which it signs in as the machine itself: its tickets, its identity */
    const char *group, *doc, *example;
    const char *aka; /* what people write instead, for "did you mean" */
};

struct type_spec {
    const char *name, *doc;
    bool is_sink, is_available;
    const struct key_spec *keys;
    size_t n_keys;
};

extern const struct type_spec type_specs[];
extern const size_t n_type_specs;
extern const struct type_spec vault_spec; /* of the block `vault` */

const struct type_spec *type_spec_find(struct str name); /* NULL if unknown */
const struct key_spec *key_spec_find(const struct type_spec *t, struct str name);
/* The key meant by an unknown word, NULL if there is no good guess. */
const char *key_spec_guess(const struct type_spec *t, struct str word);
/* true if the word is among those, which are separated by spaces; false for NULL words. */
bool words_have(const char *words, struct str word);
/* The word of them that was meant; NULL if there is no good guess. out: room for one word. */
const char *words_guess(char out[64], const char *words, struct str word);
/* "a, b, c" */
const char *words_list(char out[256], const char *words);
/* true if the key matters under these settings (typed, with defaults). */
bool key_spec_applies(const struct key_spec *k, const json_t *settings);
/* true if it names something that is the machine's: struct conf_key's is_place. */
bool key_is_place(const struct key_spec *k);

#endif
