// labels - what the form of a connector calls its fields and choices: the words that the portals of this field have taught their users.

export interface Label {
    label: string;
    help?: string;
    choices?: Record<string, string>;
}

const SHARED: Record<string, Label> = {
    incremental: {
        label: "How changes are found",
        choices: {
            auto: "DirSync where allowed, else uSNChanged",
            dirsync: "DirSync",
            usn: "uSNChanged only",
            off: "Read everything every time",
            delta: "Delta queries: created, changed and deleted",
            created_since: "Only users created since the last run",
        },
    },
    frequency: { label: "Frequency", help: "How often the directory is read." },
    cron: { label: "Cron expression", help: "Instead of the frequency. Five fields, UTC: minute hour day month weekday." },
    full_sync_every: { label: "Full resync every", help: "Reads everything again, to verify the incremental runs." },
    page_size: { label: "Page size" },
    connect_timeout: { label: "Connection timeout" },
    answer_timeout: { label: "Answer timeout" },
    run_timeout: { label: "Run timeout" },
};

const ACTIVE_DIRECTORY: Record<string, Label> = {
    domain: { label: "Domain", help: "DNS name of the AD domain. One connector for each domain." },
    host: { label: "Servername (host)", help: "Full name or IP address of a domain controller, or of a load balancer with sticky sessions." },
    port: { label: "Port", help: "636 for LDAPS, 389 for StartTLS and LDAP, unless you say otherwise." },
    security: {
        label: "Connection security",
        choices: { ldaps: "LDAPS (TLS from the start)", starttls: "StartTLS", ldap: "LDAP without TLS: Kerberos only, signed and sealed" },
    },
    ca_certificate: { label: "LDAP certificate", help: "Whom to trust: the CA's root for several controllers, or one controller's own certificate." },
    certificate_name: { label: "Certificate name", help: "Name expected in the certificate, if it is not the servername." },
    auth: {
        label: "Sign-in",
        choices: {
            simple: "User name and password",
            kerberos: "Kerberos with user name and password",
            kerberos_cache: "Kerberos token cache",
            keytab: "Kerberos keytab",
        },
    },
    username: {
        label: "Admin username",
        help: "The account that reads the directory; it needs no more than that. user@domain survives renames best.",
    },
    password: { label: "Admin password" },
    mechanism: { label: "Kerberos mechanism", choices: { gssapi: "GSSAPI", spnego: "SPNEGO" } },
    kerberos_spn: { label: "Kerberos SPN", help: "Instead of ldap/<controller's name>." },
    krb5_config: { label: "Kerberos configuration file", help: "Default: $KRB5_CONFIG, else one is made." },
    credential_cache: { label: "Kerberos token cache", help: "Default: $KRB5CCNAME. No user name or password is stored or used." },
    keytab: { label: "Keytab file" },
    base_dn: { label: "Base DN", help: "Where users, computers, service accounts and contacts are listed. Empty: the whole domain." },
    group_scope: { label: "Groups and OUs", choices: { domain: "Of the whole domain", base_dn: "Below the Base DN only" } },
    extract_disabled_users: { label: "Extract disabled users" },
    extract_acls: { label: "Extract access control lists", help: "Needed by the access explorer." },
    custom_properties: { label: "Custom properties", help: "Attributes of your own schema, by name and type." },
    last_logon: {
        label: "Last logon",
        choices: { one_controller: "As the connected controller knows it", all_controllers: "Ask every controller (lastLogon is not replicated)" },
    },
    failover_hosts: { label: "Failover hosts", help: "Tried in this order when the server cannot be reached. Host or host:port." },
    dc_discovery: { label: "Enable DC discovery", help: "Finds further controllers by DNS SRV records." },
    dc_discovery_domain: { label: "DC discovery domain", help: "Instead of the domain above." },
    dns_servers: { label: "DNS servers", help: "Default: those of this machine." },
};

const ENTRA_ID: Record<string, Label> = {
    tenant_id: { label: "Tenant ID", help: "Directory (tenant) ID of the app registration's overview, or a verified domain." },
    client_id: { label: "Client ID", help: "Application (client) ID of the app registration's overview." },
    client_secret: { label: "Client secret", help: "The secret's Value, which Entra shows once; not its ID." },
    client_certificate: { label: "Client certificate", help: "Instead of a client secret; better, because it is never sent." },
    client_certificate_password: { label: "Passphrase of the certificate's key" },
    federated_token_file: { label: "Federated token file" },
    managed_identity: { label: "Use the machine's managed identity" },
    identity_url: { label: "Managed identity address" },
    cloud: {
        label: "Cloud",
        choices: { global: "Global", us_gov: "US Government (GCC High)", us_gov_dod: "US Government (DoD)", china: "China (21Vianet)" },
    },
    login_url: { label: "Sign-in address" },
    graph_url: { label: "Microsoft Graph address" },
    ca_certificate: { label: "CA certificate", help: "Whom to trust, if not the system's authorities." },
    kinds: { label: "Kinds", help: "Which kinds are read, separated by commas. Empty: all." },
    mfa: {
        label: "MFA state",
        choices: { auto: "Report, user by user where it is silent", report: "Report only", methods: "User by user", off: "Do not read" },
    },
    mfa_methods_time: { label: "Time for MFA user by user" },
    sign_in_activity: { label: "Last sign-in", choices: { auto: "Where the licence has it", off: "Do not read" } },
    reports_every: { label: "Read MFA and sign-ins again every" },
    parallel: { label: "Parallel requests" },
};

const OF_TYPE: Record<string, Record<string, Label>> = { active_directory: ACTIVE_DIRECTORY, entra_id: ENTRA_ID };

/** A field without a label of its own gets its key in words. */
export function labelOf(type: string, key: string): Label {
    const words = key.replace(/_/g, " ");
    return OF_TYPE[type]?.[key] ?? SHARED[key] ?? { label: words.charAt(0).toUpperCase() + words.slice(1) };
}

export const typeLabel = (type: string): string => ({ active_directory: "Microsoft Active Directory", entra_id: "Microsoft Entra ID" })[type] ?? type;

/** Which fields are asked for at once; all others are under "More settings". */
export const BASIC: Record<string, string[]> = {
    active_directory: ["domain", "host", "ca_certificate", "auth", "username", "password", "credential_cache", "keytab"],
    entra_id: ["tenant_id", "client_id", "client_secret", "client_certificate"],
};
export const BASIC_SCOPE: Record<string, string[]> = {
    active_directory: ["base_dn", "extract_disabled_users", "extract_acls", "custom_properties", "frequency", "cron"],
    entra_id: ["kinds", "mfa", "sign_in_activity", "frequency", "cron"],
};

/** Groups of the specification by the wizard's step; what is in neither goes to the second. */
export const CONNECT_GROUPS = ["Connection", "Sign-in", "Availability"];
