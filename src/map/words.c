#include "map/words.h"

const struct word words_encryption_type[] = {
    {0x1, "DES_CBC_CRC"},
    {0x2, "DES_CBC_MD5"},
    {0x4, "RC4_HMAC"},
    {0x8, "AES128_CTS_HMAC_SHA1_96"},
    {0x10, "AES256_CTS_HMAC_SHA1_96"},
    {0, NULL},
};

const struct word words_functional_level[] = {
    {0, "Windows 2000"},           {1, "Windows Server 2003 interim"},
    {2, "Windows Server 2003"},    {3, "Windows Server 2008"},
    {4, "Windows Server 2008 R2"}, {5, "Windows Server 2012"},
    {6, "Windows Server 2012 R2"}, {7, "Windows Server 2016"},
    {10, "Windows Server 2025"},   {0, NULL},
};

const struct word words_password_property[] = {
    {0x1, "COMPLEX"},
    {0x2, "NO_ANON_CHANGE"},
    {0x4, "NO_CLEAR_CHANGE"},
    {0x8, "LOCKOUT_ADMINS"},
    {0x10, "STORE_CLEARTEXT"},
    {0x20, "REFUSE_PASSWORD_CHANGE"},
    {0, NULL},
};

const struct word words_trust_direction[] = {
    {0, "disabled"}, {1, "inbound"}, {2, "outbound"}, {3, "bidirectional"}, {0, NULL},
};

const struct word words_trust_type[] = {
    {1, "downlevel"}, {2, "uplevel"}, {3, "MIT"}, {4, "DCE"}, {5, "AAD"}, {0, NULL},
};

const struct word words_trust_attribute[] = {
    {0x1, "NON_TRANSITIVE"},
    {0x2, "UPLEVEL_ONLY"},
    {0x4, "QUARANTINED_DOMAIN"},
    {0x8, "FOREST_TRANSITIVE"},
    {0x10, "CROSS_ORGANIZATION"},
    {0x20, "WITHIN_FOREST"},
    {0x40, "TREAT_AS_EXTERNAL"},
    {0x80, "USES_RC4_ENCRYPTION"},
    {0x200, "CROSS_ORGANIZATION_NO_TGT_DELEGATION"},
    {0x400, "PIM_TRUST"},
    {0x800, "CROSS_ORGANIZATION_ENABLE_TGT_DELEGATION"},
    {0, NULL},
};

const struct word words_policy_disabled[] = {
    {0x1, "user"},
    {0x2, "computer"},
    {0, NULL},
};
