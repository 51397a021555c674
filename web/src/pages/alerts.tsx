// alerts.tsx - what rules have found, and the rules.
import { useState } from "preact/hooks";
import { del, post, put, segment, useGet } from "../lib/api";
import { useKeys } from "../lib/keys";
import { go, link, setQuery, useRoute } from "../lib/router";
import { can } from "../lib/session";
import { SEVERITIES } from "../lib/strings";
import type { Entity, List, Severity } from "../lib/types";
import { conditionText, newRule, type Alert, type Rule } from "../parts/alert-model";
import { RuleForm } from "../parts/rule-form";
import { plain } from "../lib/visible";
import { Badge, Button, Empty, ErrorBox, LinkButton, Loading, Status, type Tone } from "../ui/basic";
import { Confirm } from "../ui/dialog";
import { Segmented, Switch } from "../ui/field";
import { Page } from "../ui/layout";
import { Pager, Table, type Column } from "../ui/table";
import { Text, Time } from "../ui/text";
import { toast } from "../ui/toast";

const TONES: Record<Severity, Tone> = { info: "info", low: "info", medium: "warn", high: "bad", critical: "bad" };

function SeverityBadge({ severity }: { severity: Severity }) {
    return <Badge tone={TONES[severity]}>{SEVERITIES[severity] ?? severity}</Badge>;
}

function Parts({ part }: { part: string }) {
    return (
        <nav class="tabs" aria-label="Alerts">
            <a href="#/alerts" aria-current={part === "fired" ? "page" : undefined}>
                Alerts
            </a>
            {can("analyst") && (
                <a href="#/alerts/rules" aria-current={part === "rules" ? "page" : undefined}>
                    Rules
                </a>
            )}
        </nav>
    );
}

function Deliveries({ alert }: { alert: Alert }) {
    const all = alert.deliveries ?? [];
    if (all.length === 0) return null;
    return (
        <ul class="deliveries">
            {all.map((d, i) => (
                <li key={i}>
                    <Status tone={d.ok ? "good" : "bad"}>{d.ok ? "Delivered" : "Not delivered"}</Status> to <Text class="wrap">{d.to}</Text>,{" "}
                    <Time at={d.time} relative /> {d.message && <Text class="muted wrap">{d.message}</Text>}
                </li>
            ))}
        </ul>
    );
}

function AlertRow({ alert: a, onDone }: { alert: Alert; onDone: () => void }) {
    const acknowledge = async () => {
        await post(`/alerts/${a.id}/acknowledge`);
        onDone();
    };
    return (
        <li class="alert" data-alert={a.id}>
            <div class="row spread">
                <div class="row">
                    <SeverityBadge severity={a.severity} />
                    <strong>
                        <Text class="wrap">{a.title}</Text>
                    </strong>
                </div>
                <span class="muted">
                    <Time at={a.time} relative />
                </span>
            </div>
            <p>
                <Text class="wrap">{a.detail}</Text>
            </p>
            <div class="row spread">
                <span class="muted">
                    Rule{" "}
                    {can("analyst") ? (
                        <a href={link(["alerts", "rules", a.rule])}>
                            <Text>{a.name}</Text>
                        </a>
                    ) : (
                        <Text>{a.name}</Text>
                    )}
                </span>
                {a.state === "acknowledged" ? (
                    <Status tone="good">Acknowledged</Status>
                ) : (
                    can("analyst") && (
                        <Button small icon="check" onClick={acknowledge} label={`Acknowledge: ${plain(a.title)}`}>
                            Acknowledge
                        </Button>
                    )
                )}
            </div>
            <Deliveries alert={a} />
        </li>
    );
}

function Fired() {
    const { query } = useRoute();
    const state = query.get("state") ?? "open";
    const { data, error, reload } = useGet<List<Alert>>(
        "/alerts",
        { state: state === "all" ? null : state, after: query.get("after"), limit: 50 },
        15_000,
    );
    return (
        <>
            <Segmented
                label="Which alerts"
                value={state}
                options={[
                    { value: "open", label: "Open" },
                    { value: "acknowledged", label: "Acknowledged" },
                    { value: "all", label: "All" },
                ]}
                onChange={(s) => setQuery({ state: s === "open" ? null : s, after: null })}
            />
            {error && <ErrorBox error={error} retry={reload} />}
            {data === undefined && !error && <Loading />}
            {data?.items.length === 0 && (
                <Empty
                    icon="alerts"
                    title={state === "open" ? "No open alerts" : "No alerts"}
                    action={can("analyst") && <LinkButton href="#/alerts/rules/new">New rule</LinkButton>}
                />
            )}
            <ul class="stack-v">
                {data?.items.map((a) => (
                    <AlertRow key={a.id} alert={a} onDone={reload} />
                ))}
            </ul>
            {data && (data.items.length > 0 || query.get("after") !== null) && <Pager next={data.next} count={data.items.length} what="alerts" />}
        </>
    );
}

// Rules keep uids, people read names.
function RuleSentence({ rule }: { rule: Rule }) {
    const c = rule.condition;
    const uid = c.group ?? c.target ?? "";
    const { data } = useGet<Entity>(
        c.connector && /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(uid) ? `/assets/${segment(c.connector)}/${segment(uid)}` : null,
    );
    return (
        <>
            <Text class="wrap">{conditionText(c, data?.name)}</Text>
            {rule.problem && (
                <p>
                    <Status tone="bad">
                        <Text class="wrap">{rule.problem}</Text>
                    </Status>
                </p>
            )}
        </>
    );
}

const COLUMNS: Column<Rule>[] = [
    { key: "name", title: "Rule", cell: (r) => <Text>{r.name}</Text> },
    { key: "severity", title: "Severity", cell: (r) => <SeverityBadge severity={r.severity} /> },
    { key: "condition", title: "Fires when", cell: (r) => <RuleSentence rule={r} />, class: "wrap" },
    {
        key: "to",
        title: "Delivered to",
        cell: (r) => <Text class="wrap">{r.destination.type === "none" ? "this page" : (r.destination.url ?? r.destination.path)}</Text>,
    },
    { key: "last", title: "Last fired", cell: (r) => <Time at={r.last_fired} relative /> },
];

function Rules() {
    const { data, error, reload } = useGet<List<Rule>>("/alerts/rules");
    const [gone, setGone] = useState<Rule | null>(null);
    useKeys({ n: can("analyst") && ["New rule", () => go("#/alerts/rules/new")] });
    const rules = data?.items ?? [];
    const enable = async (r: Rule, enabled: boolean) => {
        const { last_fired: _, destination, ...rest } = r;
        const { secret: __, ...to } = destination;
        await put(`/alerts/rules/${segment(r.id)}`, {
            name: rest.name,
            severity: rest.severity,
            condition: rest.condition,
            throttle: rest.throttle,
            version: rest.version,
            enabled,
            destination: to,
        });
        reload();
    };
    if (error) return <ErrorBox error={error} retry={reload} />;
    if (data === undefined) return <Loading />;
    if (rules.length === 0)
        return (
            <Empty
                icon="alerts"
                title="No rules yet"
                action={
                    can("analyst") && (
                        <LinkButton variant="primary" icon="plus" href="#/alerts/rules/new">
                            New rule
                        </LinkButton>
                    )
                }
            >
                A rule watches the changes of every run: a new member of Domain Admins, a disabled account that is enabled again, a connector that has
                gone silent.
            </Empty>
        );
    return (
        <>
            <Table
                caption="Alert rules"
                columns={COLUMNS}
                rows={rules}
                rowKey={(r) => r.id}
                href={(r) => link(["alerts", "rules", r.id])}
                actions={(r) =>
                    can("analyst") && (
                        <span class="row-actions">
                            <Switch label={`${r.name} is on`} hideLabel checked={r.enabled} onChange={(on) => enable(r, on).catch(toast)} />
                            <Button small variant="quiet" icon="trash" label={`Delete ${r.name}`} onClick={() => setGone(r)} />
                        </span>
                    )
                }
            />
            {gone && (
                <Confirm
                    title={`Delete the rule ${gone.name}?`}
                    action="Delete rule"
                    danger
                    onClose={() => setGone(null)}
                    onConfirm={async () => {
                        await del(`/alerts/rules/${segment(gone.id)}`);
                        reload();
                    }}
                >
                    <p>Its alerts stay.</p>
                </Confirm>
            )}
        </>
    );
}

function EditRule({ id }: { id: string }) {
    const { query } = useRoute();
    const { data, error } = useGet<Rule>(id === "new" ? null : `/alerts/rules/${segment(id)}`);
    const rule = id === "new" ? newRule(query) : data;
    return (
        <Page
            title={id === "new" ? "New alert rule" : `Rule ${data?.name ?? ""}`}
            crumbs={[
                { href: "#/alerts", title: "Alerts" },
                { href: "#/alerts/rules", title: "Rules" },
            ]}
        >
            {error && <ErrorBox error={error} />}
            {!rule && !error && <Loading />}
            {rule && <RuleForm rule={rule} />}
        </Page>
    );
}

export default function Alerts() {
    const { path } = useRoute();
    const part = path[1] === "rules" ? "rules" : "fired";
    if (part === "rules" && !can("analyst"))
        return (
            <Page title="Alerts">
                <Empty icon="lock" title="Analysts keep alert rules" />
            </Page>
        );
    if (part === "rules" && path[2] !== undefined) return <EditRule id={path[2]} />;
    return (
        <Page
            title="Alerts"
            actions={
                can("analyst") && (
                    <LinkButton variant="primary" icon="plus" href="#/alerts/rules/new">
                        New rule
                    </LinkButton>
                )
            }
        >
            <Parts part={part} />
            {part === "rules" ? <Rules /> : <Fired />}
        </Page>
    );
}
