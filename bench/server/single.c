#include "single.h"

#include "graph.h"

#include <stdio.h>
#include <strings.h>
#include <time.h>

struct line {
    const char *name, *value;
};

static const struct line domain_lines[] = {{"objectClass", "top"},
                                           {"objectClass", "domain"},
                                           {"objectClass", "domainDNS"},
                                           {"distinguishedName", DOMAIN_DN},
                                           {"name", "bench"},
                                           {"dc", "bench"},
                                           {"instanceType", "5"},
                                           {"whenCreated", "20100101000000.0Z"},
                                           {"whenChanged", "20240101000000.0Z"},
                                           {"uSNCreated", "4099"},
                                           {"uSNChanged", "10000"},
                                           {"objectGUID", "bench-domain-guid"},
                                           {"objectSid", "#"},
                                           {"nTSecurityDescriptor", "#"},
                                           {"objectCategory", "CN=Domain-DNS,CN=Schema," CONFIG_DN},
                                           {"maxPwdAge", "-36288000000000"},
                                           {"minPwdAge", "-864000000000"},
                                           {"minPwdLength", "12"},
                                           {"pwdHistoryLength", "24"},
                                           {"pwdProperties", "1"},
                                           {"lockoutThreshold", "5"},
                                           {"lockoutDuration", "-18000000000"},
                                           {"lockOutObservationWindow", "-18000000000"},
                                           {"forceLogoff", "-9223372036854775808"},
                                           {"ms-DS-MachineAccountQuota", "10"},
                                           {"msDS-Behavior-Version", "7"},
                                           {"nTMixedDomain", "0"},
                                           {NULL, NULL}};

static const struct line crossref_lines[] = {{"objectClass", "top"},
                                             {"objectClass", "crossRef"},
                                             {"cn", "BENCH"},
                                             {"name", "BENCH"},
                                             {"nCName", DOMAIN_DN},
                                             {"distinguishedName", "CN=BENCH,CN=Partitions," CONFIG_DN},
                                             {"dnsRoot", "bench.example"},
                                             {"nETBIOSName", "BENCH"},
                                             {"systemFlags", "3"},
                                             {NULL, NULL}};

static const struct line root_lines[] = {
    {"currentTime", "@now"},
    {"dsServiceName", "CN=NTDS Settings,CN=DC1,CN=Servers,CN=Default-First-Site-Name,CN=Sites," CONFIG_DN},
    {"namingContexts", DOMAIN_DN},
    {"namingContexts", CONFIG_DN},
    {"namingContexts", "CN=Schema," CONFIG_DN},
    {"defaultNamingContext", DOMAIN_DN},
    {"schemaNamingContext", "CN=Schema," CONFIG_DN},
    {"configurationNamingContext", CONFIG_DN},
    {"rootDomainNamingContext", DOMAIN_DN},
    {"supportedControl", "1.2.840.113556.1.4.319"},
    {"supportedControl", "1.2.840.113556.1.4.801"},
    {"supportedControl", "1.2.840.113556.1.4.417"},
    {"supportedControl", "1.2.840.113556.1.4.2064"},
    {"supportedControl", "1.2.840.113556.1.4.1339"},
    {"supportedLDAPVersion", "3"},
    {"supportedLDAPVersion", "2"},
    {"supportedCapabilities", "1.2.840.113556.1.4.800"},
    {"supportedCapabilities", "1.2.840.113556.1.4.1670"},
    {"supportedSASLMechanisms", "GSSAPI"},
    {"highestCommittedUSN", "@usn"},
    {"dnsHostName", "dc1.bench.example"},
    {"ldapServiceName", "bench.example:dc1$@BENCH.EXAMPLE"},
    {"serverName", "CN=DC1,CN=Servers,CN=Default-First-Site-Name,CN=Sites," CONFIG_DN},
    {"isSynchronized", "TRUE"},
    {"isGlobalCatalogReady", "TRUE"},
    {"domainFunctionality", "7"},
    {"forestFunctionality", "7"},
    {"domainControllerFunctionality", "7"},
    {NULL, NULL}};

static bool asked(const struct want *want, const char *name)
{
    if (strcmp(name, "nTSecurityDescriptor") == 0 && !want->descriptor) return false;
    for (size_t i = 0; i < want->n_names; i++)
        if (want->names[i].len == strlen(name) &&
            strncasecmp(want->names[i].text, name, want->names[i].len) == 0)
            return true;
    return want->all;
}

static uint8_t *put_line_value(uint8_t *p, const struct line *line, uint64_t usn)
{
    char text[32];
    if (strcmp(line->name, "objectGUID") == 0) return put_value(p, line->value, 16);
    if (strcmp(line->name, "nTSecurityDescriptor") == 0)
        return put_value(p, descriptors[0].bytes, descriptors[0].len);
    if (strcmp(line->name, "objectSid") == 0) {
        uint8_t sid[28];
        put_sid(sid, 0);
        sid[1] = 4;
        return put_value(p, sid, 24);
    }
    if (strcmp(line->value, "@usn") == 0) {
        int n = snprintf(text, sizeof text, "%llu", (unsigned long long)usn);
        return put_value(p, text, (size_t)n);
    }
    if (strcmp(line->value, "@now") == 0) {
        time_t now = time(NULL);
        struct tm tm;
        return put_value(p, text, strftime(text, sizeof text, "%Y%m%d%H%M%S.0Z", gmtime_r(&now, &tm)));
    }
    return put_value(p, line->value, strlen(line->value));
}

static uint8_t *put_lines(uint8_t *p, const struct line *line, const struct want *want, uint64_t usn)
{
    while (line->name) {
        const struct line *first = line;
        uint8_t *start = p, *set;
        if (!asked(want, line->name)) {
            line++;
            continue;
        }
        *p = 0x30;
        p = put_value(p + 6, line->name, strlen(line->name));
        set = p;
        *p = 0x31;
        p += 6;
        for (; line->name && strcmp(line->name, first->name) == 0; line++) p = put_line_value(p, line, usn);
        patch_length(set + 1, (size_t)(p - set) - 6);
        patch_length(start + 1, (size_t)(p - start) - 6);
    }
    return p;
}

uint8_t *put_single(uint8_t *p, enum kind kind, const struct want *want, uint64_t usn)
{
    if (kind == K_DOMAIN) return put_lines(p, domain_lines, want, usn);
    if (kind == K_CROSSREF) return put_lines(p, crossref_lines, want, usn);
    return kind == K_ROOT_DSE ? put_lines(p, root_lines, want, usn) : p;
}
