// settings-server.tsx - sinks, where alerts may go, the audit log, the key that seals secrets, and what this server is made of.
import { useState } from "preact/hooks";
import { get, post, put, useGet } from "../lib/api";
import { number } from "../lib/format";
import { useRoute } from "../lib/router";
import { can } from "../lib/session";
import { span } from "../lib/time";
import type { List, Secret } from "../lib/types";
import { Badge, Button, Card, Copy, Empty, ErrorBox, Loading, Notice, Status } from "../ui/basic";
import { Confirm, Dialog } from "../ui/dialog";
import { Pager, Table, type Column } from "../ui/table";
import { Text, Time } from "../ui/text";
import { toast } from "../ui/toast";
import { LinesField, TextArea, TextField } from "./inputs";

// --- sinks ------------------------------------------------------------------------------------------
interface Sink {
    name: string;
    type: string;
    settings?: Record<string, unknown>;
    secrets?: Record<string, Secret>;
    behind?: { connector: string; behind: number }[];
}

export function SettingsSinks() {
    const { data, error, reload } = useGet<List<Sink>>("/sinks", undefined, 15_000);
    const sinks = data?.items ?? [];
    return (
        <Card title="Sinks" id="sinks">
            {error && <ErrorBox error={error} retry={reload} />}
            {data === undefined && !error && <Loading />}
            {data !== undefined && sinks.length === 0 && (
                <Empty icon="external" title="No sinks">
                    A sink receives entities and changes: declare it in the settings file, under sinks.
                </Empty>
            )}
            <ul class="stack-v">
                {sinks.map((s) => (
                    <li key={s.name} class="sink">
                        <h3>
                            <Text>{s.name}</Text> <Badge>{s.type}</Badge>
                        </h3>
                        <dl class="pairs">
                            {Object.entries(s.settings ?? {})
                                .filter(([k]) => k !== "type")
                                .map(([k, v]) => (
                                    <>
                                        <dt>{k}</dt>
                                        <dd>
                                            <Text class="wrap">{typeof v === "string" ? v : JSON.stringify(v)}</Text>
                                        </dd>
                                    </>
                                ))}
                            {(s.behind ?? []).map((b) => (
                                <>
                                    <dt>
                                        <Text>{b.connector}</Text>
                                    </dt>
                                    <dd>
                                        {b.behind === 0 ? (
                                            <Status tone="good">Up to date</Status>
                                        ) : (
                                            <Status tone="warn">{`${number(b.behind)} changes behind`}</Status>
                                        )}
                                    </dd>
                                </>
                            ))}
                        </dl>
                    </li>
                ))}
            </ul>
        </Card>
    );
}

// --- where alerts may be delivered ------------------------------------------------------------------
interface AlertSettings {
    webhook_allow: string[];
    file_directory?: string;
    ca_certificate?: string;
    version?: number;
}

function AlertSettingsForm({ first }: { first: AlertSettings }) {
    const [s, setS] = useState(first);
    const save = async () => {
        const { file_directory, ca_certificate, version, webhook_allow } = s;
        const now = await put<AlertSettings>("/settings/alerts", {
            webhook_allow: webhook_allow.map((w) => w.trim()).filter(Boolean),
            ...(file_directory ? { file_directory } : {}),
            ...(ca_certificate ? { ca_certificate } : {}),
            ...(version !== undefined ? { version } : {}),
        });
        setS({ ...s, version: now.version });
        toast("Saved", "good");
    };
    return (
        <div class="form">
            <LinesField
                label="Inside addresses that webhooks may reach"
                description="Public addresses are always allowed, private ones only if they are here: 10.0.0.0/8, or one address. One a line."
                value={s.webhook_allow}
                onChange={(webhook_allow) => setS({ ...s, webhook_allow })}
                placeholder="10.1.2.0/24"
            />
            <TextField
                label="Directory for files"
                description="Rules write only below it."
                value={s.file_directory ?? ""}
                onChange={(file_directory) => setS({ ...s, file_directory })}
                placeholder="/var/log/rollcall"
            />
            <TextArea
                label="CA certificate for webhooks"
                optional
                description="PEM, or the path of a file on the server; default: the system's authorities."
                value={s.ca_certificate ?? ""}
                onChange={(ca_certificate) => setS({ ...s, ca_certificate })}
            />
            <div class="row">
                <Button variant="primary" onClick={save}>
                    Save
                </Button>
            </div>
        </div>
    );
}

export function SettingsDelivery() {
    const { data, error, reload } = useGet<AlertSettings>("/settings/alerts");
    return (
        <Card title="Where alerts may be delivered" id="delivery">
            {error && <ErrorBox error={error} retry={reload} />}
            {data === undefined && !error && <Loading />}
            {data !== undefined && <AlertSettingsForm first={{ ...data, webhook_allow: data.webhook_allow ?? [] }} />}
        </Card>
    );
}

// --- audit --------------------------------------------------------------------------------------------
interface Entry {
    id: number;
    time: string;
    who: string;
    from: string;
    action: string;
    object: string;
    before: unknown;
    after: unknown;
    result: string;
    hash: string;
}

const AUDIT: Column<Entry>[] = [
    { key: "time", title: "When", cell: (e) => <Time at={e.time} />, class: "nowrap" },
    { key: "who", title: "Who", cell: (e) => <Text>{e.who}</Text> },
    { key: "from", title: "From", cell: (e) => <Text>{e.from}</Text> },
    { key: "action", title: "What", cell: (e) => <Text>{e.action}</Text> },
    { key: "object", title: "On", cell: (e) => <Text class="wrap">{e.object}</Text> },
    { key: "result", title: "Result", cell: (e) => <Status tone={e.result === "ok" ? "good" : "warn"}>{e.result}</Status> },
];

function pretty(value: unknown): string {
    return value === null || value === undefined ? "" : JSON.stringify(value, null, 2);
}

function Detail({ entry: e, onClose }: { entry: Entry; onClose: () => void }) {
    const part = (title: string, value: unknown) =>
        pretty(value) !== "" && (
            <div>
                <h3>{title}</h3>
                <pre class="json" tabIndex={0} role="region" aria-label={title}>
                    <Text>{pretty(value)}</Text>
                </pre>
            </div>
        );
    return (
        <Dialog title={`Entry ${e.id}: ${e.action}`} onClose={onClose} wide>
            <div class="grid-2">
                {part("Before", e.before)}
                {part("After", e.after)}
            </div>
            <p class="muted small">
                Hash <code class="wrap">{e.hash}</code> <Copy text={e.hash} label="Copy the hash" />
            </p>
        </Dialog>
    );
}

function Verify() {
    const [told, setTold] = useState<{ entries: number; head: string; ok: boolean; message?: string } | null>(null);
    const run = async () => setTold(await get("/audit/verify"));
    return (
        <>
            <div class="row">
                <Button icon="shield" onClick={run}>
                    Verify the chain
                </Button>
            </div>
            {told && (
                <Notice
                    tone={told.ok ? "good" : "bad"}
                    live="assertive"
                    title={told.ok ? `All ${number(told.entries)} entries are as they were written` : "The log was changed"}
                >
                    {told.message && (
                        <p>
                            <Text>{told.message}</Text>
                        </p>
                    )}
                    <p>
                        Newest hash: <code class="wrap">{told.head}</code> <Copy text={told.head} label="Copy the newest hash" />
                    </p>
                    <p>Keep it elsewhere: then also a log that was cut off is found.</p>
                </Notice>
            )}
        </>
    );
}

export function SettingsAudit() {
    const { query } = useRoute();
    const { data, error, reload } = useGet<List<Entry>>("/audit", { after: query.get("after"), limit: 50 });
    const [open, setOpen] = useState<Entry | null>(null);
    return (
        <Card title="Audit log" id="audit">
            <div class="stack-v">
                <Verify />
                {error && <ErrorBox error={error} retry={reload} />}
                {data === undefined && !error && <Loading />}
                {data && <Table caption="Entries of the audit log" columns={AUDIT} rows={data.items} rowKey={(e) => String(e.id)} onOpen={setOpen} />}
                {data && <Pager next={data.next} count={data.items.length} what="entries" />}
            </div>
            {open && <Detail entry={open} onClose={() => setOpen(null)} />}
        </Card>
    );
}

// --- key ------------------------------------------------------------------------------------------------
interface Key {
    source: string;
    number: number;
    sealed: number;
}

export function SettingsKey() {
    const { data, error, reload } = useGet<Key>("/key");
    const [isAsking, setAsking] = useState(false);
    const rotate = async () => {
        await post("/key/rotate");
        toast("Every secret is sealed anew", "good");
        reload();
    };
    return (
        <Card title="Key" id="key">
            {error && <ErrorBox error={error} retry={reload} />}
            {data === undefined && !error && <Loading />}
            {data && (
                <div class="stack-v">
                    <dl class="pairs">
                        <dt>The master key is</dt>
                        <dd>
                            <Text>{data.source}</Text>
                        </dd>
                        <dt>Number</dt>
                        <dd>{data.number}</dd>
                        <dt>Secrets sealed with it</dt>
                        <dd>{number(data.sealed ?? 0)}</dd>
                    </dl>
                    <p class="muted">Keep a copy of it apart from the backup of the server: without it sealed secrets must be entered again.</p>
                    <div class="row">
                        <Button icon="refresh" onClick={() => setAsking(true)}>
                            Rotate the key
                        </Button>
                    </div>
                </div>
            )}
            {isAsking && (
                <Confirm title="Rotate the key?" action="Rotate" onConfirm={rotate} onClose={() => setAsking(false)}>
                    <p>A new key is made and every secret is sealed with it, while the server goes on. Older backups need the old key.</p>
                </Confirm>
            )}
        </Card>
    );
}

// --- about ------------------------------------------------------------------------------------------------
interface About {
    version: string;
    build?: Record<string, unknown> | string;
    libraries: Record<string, string>;
    store: string;
    state: string;
    uptime_s: number;
}

export function SettingsAbout() {
    const { data, error } = useGet<About>("/about");
    return (
        <Card title="About" id="about">
            {error && <ErrorBox error={error} />}
            {data === undefined && !error && <Loading />}
            {data && (
                <dl class="pairs">
                    <dt>rollcall</dt>
                    <dd>{data.version}</dd>
                    <dt>Up for</dt>
                    <dd>{span(data.uptime_s)}</dd>
                    <dt>Store</dt>
                    <dd>
                        <code class="wrap">{data.store}</code>
                    </dd>
                    <dt>Server's own file</dt>
                    <dd>
                        <code class="wrap">{data.state}</code>
                    </dd>
                    {typeof data.build === "object" &&
                        data.build &&
                        Object.entries(data.build).map(([k, v]) => (
                            <>
                                <dt>{k}</dt>
                                <dd>{String(v)}</dd>
                            </>
                        ))}
                    {Object.entries(data.libraries ?? {}).map(([k, v]) => (
                        <>
                            <dt>{k}</dt>
                            <dd>{v}</dd>
                        </>
                    ))}
                    <dt>API</dt>
                    <dd>
                        <a href="#/help/api">Calls</a>, <a href="/api/openapi.json">OpenAPI</a>
                    </dd>
                </dl>
            )}
            {can("admin") && <p class="muted small">Nothing is sent anywhere: this server has no telemetry.</p>}
        </Card>
    );
}
