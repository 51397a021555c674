// types.ts - what the API answers with: docs/api.md and docs/contract, as far as the page reads it.

export type Role = "viewer" | "analyst" | "operator" | "admin";
export type Severity = "info" | "low" | "medium" | "high" | "critical";
export type Scalar = string | number | boolean | null;
export type Value = Scalar | Scalar[];

export interface List<T> {
    items: T[];
    next: string | null;
    total?: number;
}

export interface Preferences {
    theme?: "auto" | "light" | "dark";
    keys?: boolean;
    columns?: Record<string, string[]>; // shown columns of a table, by the table's name
    [other: string]: unknown;
}

export interface Session {
    name: string;
    role: Role;
    csrf: string;
    is_token: boolean;
    preferences: Preferences;
    version: string;
    logout_url?: string;
}

export interface Start {
    setup_needed: boolean;
    oidc: { label: string } | null;
    version: string;
}

export interface Problem {
    class: string;
    message: string;
    step?: string;
    hint?: string;
    fields?: FieldProblem[];
}

export interface FieldProblem {
    key: string;
    message: string;
    hint?: string;
    severity?: "error" | "warning" | "info";
}

export interface Secret {
    set: boolean;
    updated?: string | null;
    reference?: string | null;
}

export interface Gap {
    kind?: string;
    severity: "info" | "loss";
    what: string;
    where: string;
    fix: string;
}

export interface Counts {
    read: number;
    created: number;
    changed: number;
    deleted: number;
    held?: number;
}

export interface Progress {
    kind?: string;
    received?: number;
    total?: number;
    expected?: number;
    rate?: number;
    left_s?: number;
    requests?: number;
    bytes?: number;
    elapsed_ms?: number;
    phase?: string;
}

export type ConnectorStatus = "healthy" | "running" | "retrying" | "needs_attention" | "paused" | "failed" | "never" | "off";

export interface Connector {
    name: string;
    type: string;
    source: "file" | "server";
    enabled: boolean;
    settings: Record<string, unknown>;
    secrets: Record<string, Secret>;
    schedule: { every?: string | null; cron?: string | null; full_sync_every?: string | null };
    must_enter: string[];
    created?: string | null;
    updated?: string | null;
    version: number;
    status: ConnectorStatus;
    reason?: string | null;
    fix?: string | null;
    job?: number | null;
    progress?: Progress | null;
    last?: { run?: number; job: number; status: string; ended: string; counts: Record<string, Counts> } | null;
    last_success?: string | null;
    next?: string | null;
    assets?: Record<string, number>;
    delta?: { created: number; changed: number; deleted: number } | null;
}

export interface Job {
    id: number;
    kind: string;
    connector: string;
    by: string;
    options?: Record<string, unknown>;
    state: "queued" | "running" | "done" | "failed" | "cancelled" | "interrupted";
    attempt: number;
    queued: string;
    started?: string | null;
    ended?: string | null;
    progress?: Progress | null;
    runs?: number[];
    exit?: number | null;
    error?: Problem | null;
    result?: unknown;
}

export interface Step {
    name: string;
    verdict: "ok" | "warn" | "fail" | "skip";
    took_ms?: number;
    evidence?: string;
    fix?: string;
    class?: string;
}

export interface Run {
    id: number;
    connector: string;
    mode: string;
    started: string;
    ended: string;
    status: "complete" | "partial" | "failed" | "needs_attention" | "running";
    counts: Record<string, Counts>;
    gaps: Gap[];
    server: string;
    requests: number;
    bytes: number;
    error?: Problem;
    job?: number;
}

export interface Asset {
    connector: string;
    kind: string;
    uid: string;
    name: string;
    account?: string | null;
    display_name?: string | null;
    mail?: string | null;
    dn?: string | null;
    enabled?: boolean | null;
    admin?: boolean | null;
    mfa?: "yes" | "no" | "unknown" | null;
    last_sign_in?: string | null;
    last_changed?: string | null;
    tags?: string[];
    deleted?: boolean | string | null;
}

export interface Facets {
    total: number;
    exact: boolean;
    [facet: string]: number | boolean | Record<string, number>;
}

export interface Entity {
    connector: string;
    kind: string;
    uid: string;
    guid?: string;
    sid?: string;
    dn?: string;
    name: string;
    display_name?: string;
    domain?: string;
    enabled?: boolean;
    first_seen: string;
    last_changed: string;
    deleted?: string;
    attributes: Record<string, Value>;
    derived: Record<string, Value>;
    member_of: { uid: string; name: string; via: string }[];
    gaps: Gap[];
    labels?: string[];
    identities?: number;
}

// An end that was not read has no uid, and no kind that is known.
export interface GroupRow {
    uid?: string;
    sid?: string;
    name: string;
    kind: string | null;
    via: string;
    level: number;
    through?: unknown;
}

export interface MemberRow {
    uid?: string;
    sid?: string;
    name: string;
    kind: string | null;
    via?: string;
}

export interface Change {
    run: number;
    time: string;
    connector: string;
    kind: string;
    uid: string;
    name: string;
    change: string;
    attribute?: string;
    old?: Value;
    new?: Value;
    member?: string;
    evidence?: "deleted" | "vanished";
    bulk?: number;
}

export interface LinkedIdentity {
    connector: string;
    uid: string;
    name: string;
    kind: string;
    rule: string;
    confidence: number;
    confirmed_by: string[];
    contradicts: string[];
    conflict?: string | null;
}

export interface RawAttribute {
    attribute: string;
    type: string;
    values: Scalar[];
    ocsf?: string | string[] | null;
}

export interface Party {
    uid?: string;
    sid?: string;
    dn?: string;
    name: string;
    kind?: string;
    enabled?: boolean;
}

export interface AccessGap {
    what: string;
    where?: string;
    fix?: string;
}

export interface WhoCanRow {
    principal: Party;
    via?: {
        reason: string;
        trustee?: Party;
        hops?: number;
        ace?: { number: number; of: number; inherited: boolean; inherited_from?: Party };
    };
    conditional?: boolean; // only if a condition on claims holds, or does not
    error?: unknown;
}

export interface WhatCanRow {
    target: Party;
    rights: string[];
    baseline: boolean;
}

export interface AccessList<T> extends Omit<List<T>, "total"> {
    total?: number | null; // null: more than were counted
    hidden?: number;
    gaps?: AccessGap[];
    as_of?: string;
}

export interface SavedView {
    id: number | string;
    name: string;
    page: string;
    query: string;
}

export interface CatalogKind {
    kind: string;
    connector: string;
    count: number;
    attributes: number;
}

export interface CatalogAttribute {
    attribute: string;
    type: string;
    filled: number;
    of: number;
    custom?: boolean;
    normalized?: string | null;
    ocsf?: string | string[] | null;
    sample?: string | null;
}

export interface Home {
    connectors: Connector[];
    counts: Record<string, number>;
    history: { day: string; kind?: Record<string, number>; [kind: string]: unknown }[];
    today: { created: number; changed: number; deleted: number; items: Change[] };
    findings: { critical: number; high: number; medium: number; low: number; info: number; as_of?: string | null } | null;
    expiring: { connector: string; what: string; when: string }[];
    alerts: { open: number };
}
