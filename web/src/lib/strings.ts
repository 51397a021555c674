// strings.ts - the catalogue of the English words that pages share: names of things, states, buttons. Sentences of one page stand in that page.

import { plain } from "./visible";

export const KINDS: Record<string, [one: string, many: string]> = {
    user: ["User", "Users"],
    group: ["Group", "Groups"],
    computer: ["Computer", "Computers"],
    service_account: ["Service account", "Service accounts"],
    service_principal: ["Service principal", "Service principals"],
    device: ["Device", "Devices"],
    role: ["Role", "Roles"],
    administrative_unit: ["Administrative unit", "Administrative units"],
    contact: ["Contact", "Contacts"],
    foreign_principal: ["Foreign principal", "Foreign principals"],
    ou: ["OU", "OUs"],
    container: ["Container", "Containers"],
    domain: ["Domain", "Domains"],
    trust: ["Trust", "Trusts"],
    group_policy: ["Group policy", "Group policies"],
    tenant: ["Tenant", "Tenants"],
};
export const KIND_ORDER = Object.keys(KINDS);

export function kindName(kind: string): string {
    return KINDS[kind]?.[0] ?? plain(kind.replaceAll("_", " "));
}

export function kindPlural(kind: string): string {
    return KINDS[kind]?.[1] ?? plain(kind.replaceAll("_", " "));
}

export const CHANGES: Record<string, string> = {
    created: "Created",
    modified: "Modified",
    moved: "Moved",
    renamed: "Renamed",
    deleted: "Deleted",
    restored: "Restored",
    member_added: "Member added",
    member_removed: "Member removed",
};

export const TYPES: Record<string, string> = {
    active_directory: "Active Directory",
    entra_id: "Entra ID",
};

export const VIA: Record<string, string> = {
    member: "Member",
    primary_group: "Primary group",
    foreign: "From another domain",
    role_assignment: "Role assignment",
};

// Facet values and their words; a value that is not here is shown as it is.
export const FACET_VALUES: Record<string, Record<string, string>> = {
    enabled: { yes: "Enabled", no: "Disabled", unknown: "No account" },
    admin: { yes: "Admin", no: "Not admin", unknown: "Unknown" },
    mfa: { yes: "Registered", no: "Not registered", unknown: "Unknown" },
    sign_in: { "7d": "Last 7 days", "30d": "Last 30 days", "90d": "Last 90 days", older: "Longer ago", never: "Never", unknown: "Unknown" },
    deleted: { yes: "Deleted too" },
};
export const FACETS: [name: string, title: string][] = [
    ["kind", "Kind"],
    ["source", "Source"],
    ["enabled", "Enabled"],
    ["admin", "Admin"],
    ["mfa", "MFA"],
    ["sign_in", "Last sign-in"],
    ["tag", "Tag"],
];

export const SEVERITIES: Record<string, string> = { info: "Info", low: "Low", medium: "Medium", high: "High", critical: "Critical" };

// "password_never_expires" -> "Password never expires"
export function words(name: string): string {
    const text = name.replaceAll("_", " ");
    return text.charAt(0).toUpperCase() + text.slice(1);
}

export const S = {
    app: "rollcall",
    skip: "Skip to content",
    menu: "Menu",
    loading: "Loading…",
    retry: "Retry",
    cancel: "Cancel",
    close: "Close",
    save: "Save",
    remove: "Remove",
    delete_: "Delete",
    add: "Add",
    copy: "Copy",
    copied: "Copied",
    copyFailed: "The browser did not let us copy: select the text and copy it yourself",
    next: "Next",
    previous: "Previous",
    first: "First page",
    clearFilters: "Clear filters",
    filters: "Filters",
    yes: "Yes",
    no: "No",
    unknown: "Unknown",
    never: "Never",
    none: "None",
    notAllowed: "Your role does not allow this",
    logOut: "Log out",
    theme: "Theme",
    themes: { auto: "As the system", light: "Light", dark: "Dark" },
    nav: {
        home: "Home",
        assets: "Assets",
        changes: "Changes",
        catalog: "Data catalog",
        access: "Access",
        reports: "Reports",
        alerts: "Alerts",
        connectors: "Connectors",
        settings: "Settings",
        help: "Help",
    },
} as const;
