// home.tsx - is everything fresh, how much is there, what changed, what needs somebody.
import { useGet } from "../lib/api";
import { folded } from "../lib/fold";
import { count, number, short } from "../lib/format";
import { link } from "../lib/router";
import { can } from "../lib/session";
import { KIND_ORDER, S, TYPES, kindPlural } from "../lib/strings";
import { parse } from "../lib/time";
import type { Connector, Home } from "../lib/types";
import { assetTotal, ConnectorState, STATUS } from "../parts/connector-status";
import { Badge, Card, Empty, ErrorBox, LinkButton, Loading, Status } from "../ui/basic";
import { Sparkline, Stack } from "../ui/chart";
import { ChangeBadge, ChangeDetail } from "../ui/diff";
import { Icon, KindIcon } from "../ui/icon";
import { Page } from "../ui/layout";
import { Text, Time } from "../ui/text";
import { bulkLink } from "../ui/timeline";

const MOST_TILES = 6;
const DAY_MS = 86_400_000;

export default function HomePage() {
    const { data, error, reload } = useGet<Home>("/home", undefined, 30_000);
    return (
        <Page title={S.nav.home} actions={<LinkButton href="#/assets" icon="search">Search assets</LinkButton>}>
            {error !== undefined && <ErrorBox error={error} retry={reload} />}
            {data === undefined ? error === undefined && <Loading lines={8} /> : data.connectors.length === 0 ? <First /> : <Overview home={data} />}
        </Page>
    );
}

function First() {
    return (
        <Card>
            <Empty icon="connectors" title="Connect your first directory"
                   action={can("operator") ? <LinkButton variant="primary" icon="plus" href="#/connectors/new">New connector</LinkButton> : undefined}>
                {can("operator") ? "Active Directory or Entra ID: a name, a server and an account that may read are enough." : "Nothing is collected yet. Somebody with the role operator can add a connector."}
            </Empty>
        </Card>
    );
}

function Overview({ home }: { home: Home }) {
    return (
        <>
            <Attention home={home} />
            <Totals home={home} />
            <div class="home-grid">
                <div class="stack-v">
                    <Freshness connectors={home.connectors} />
                    <Today today={home.today} />
                </div>
                <div class="stack-v">
                    <Findings findings={home.findings} />
                    <Alerts open={home.alerts.open} />
                    <Expiring rows={home.expiring} />
                </div>
            </div>
        </>
    );
}

// Connectors that will not go on without somebody: first on the page, with what to do.
function Attention({ home }: { home: Home }) {
    const ill = home.connectors.filter((c) => c.status === "needs_attention" || c.status === "failed" || c.status === "paused");
    if (ill.length === 0) return null;
    const toneOf = (c: Connector) => STATUS[c.status].tone;
    return (
        <ul class="attention" aria-label="Needs attention">
            {ill.map((c) => (
                <li key={c.name} class={`notice ${toneOf(c)}`}>
                    <Icon name={toneOf(c)} />
                    <div class="notice-body">
                        <p class="notice-title"><a href={link(["connectors", c.name])}><Text>{c.name}</Text></a>: {STATUS[c.status].text.toLowerCase()}</p>
                        {c.reason != null && <p><Text>{c.reason}</Text></p>}
                        {c.fix != null && c.fix !== "" && <p><strong>What to do:</strong> <Text>{c.fix}</Text></p>}
                    </div>
                </li>
            ))}
        </ul>
    );
}

// A day's count of a kind: {day, kind: {user: 7}}.
function series(home: Home, kind: string): number[] {
    return home.history.map((d) => Number(d.kind?.[kind] ?? d[kind] ?? 0));
}

function Totals({ home }: { home: Home }) {
    const kinds = Object.entries(home.counts).filter(([, n]) => n > 0).sort((a, b) => KIND_ORDER.indexOf(a[0]) - KIND_ORDER.indexOf(b[0]));
    if (kinds.length === 0) return null;
    return (
        <ul class="tiles" aria-label="Assets by kind">
            {kinds.slice(0, MOST_TILES).map(([kind, n]) => <Tile key={kind} kind={kind} n={n} values={series(home, kind)} />)}
        </ul>
    );
}

function Tile({ kind, n, values }: { kind: string; n: number; values: number[] }) {
    const known = values.filter((v) => v > 0);
    const by = known.length > 1 ? n - (known[0] ?? n) : 0;
    const trend = by === 0 ? "unchanged" : `${by > 0 ? "+" : "−"}${number(Math.abs(by))}`;
    return (
        <li>
            <a class={`tile ${known.length > 1 ? "with-spark" : ""}`} href={link(["assets"], { kind })}>
                <span class="tile-name"><KindIcon kind={kind} />{kindPlural(kind)}</span>
                <span class="tile-number" title={number(n)}>{short(n)}</span>
                {known.length > 1 && <span class="tile-trend muted small">{trend} in {known.length} d</span>}
                {known.length > 1 && <Sparkline values={known} label={`${kindPlural(kind)} over ${known.length} days: from ${number(known[0] ?? 0)} to ${number(n)}`} />}
            </a>
        </li>
    );
}

function Freshness({ connectors }: { connectors: Connector[] }) {
    return (
        <Card title="Freshness" id="freshness" actions={<a href="#/connectors">All connectors</a>} flush>
            <ul class="lines">
                {connectors.map((c) => (
                    <li key={c.name} class="line">
                        <span class="grow">
                            <a class="strong" href={link(["connectors", c.name])}><Text>{c.name}</Text></a> <span class="muted small">{TYPES[c.type] ?? c.type}</span>
                            <span class="line-sub muted small">Last success <Time at={c.last_success} relative />{c.next != null && <> · next <Time at={c.next} relative /></>}</span>
                        </span>
                        <span class="line-side">
                            <ConnectorState connector={c} />
                            <span class="muted small">{number(assetTotal(c))} assets</span>
                        </span>
                    </li>
                ))}
            </ul>
        </Card>
    );
}

function Today({ today }: { today: Home["today"] }) {
    const n = today.created + today.changed + today.deleted;
    return (
        <Card title="Changed in 24 hours" id="today" actions={<a href={link(["changes"])}>All changes</a>} flush>
            <p class="card-line row">
                <Badge tone="good">{number(today.created)} new</Badge><Badge tone="info">{number(today.changed)} changed</Badge><Badge tone="bad">{number(today.deleted)} gone</Badge>
            </p>
            {n === 0 && <p class="card-line muted">Nothing changed in the last 24 hours.</p>}
            <ul class="lines">
                {folded(today.items).map(({ first: c, n }) => (
                    <li key={`${c.run}-${c.uid}-${c.change}-${c.attribute ?? ""}-${c.member ?? ""}`} class="line">
                        <span class="grow">
                            <a class="strong" href={link(["assets", c.connector, c.uid], { tab: "history" })}><Text>{c.name === "" ? c.uid : c.name}</Text></a>
                            {n > 1 && <> and <a href={bulkLink(c)}>other {kindPlural(c.kind).toLowerCase()}</a></>} <ChangeBadge change={c.change} />
                            {n === 1 && <span class="line-sub"><ChangeDetail change={c} brief /></span>}
                        </span>
                        <span class="line-side muted small"><Time at={c.time} relative /></span>
                    </li>
                ))}
            </ul>
        </Card>
    );
}

const LEVELS: [key: "critical" | "high" | "medium" | "low" | "info", tone: "bad" | "warn" | "info" | "off"][] = [["critical", "bad"], ["high", "bad"], ["medium", "warn"], ["low", "info"], ["info", "off"]];

function Findings({ findings }: { findings: Home["findings"] }) {
    return (
        <Card title="Findings" id="findings" actions={can("analyst") && <a href="#/access/reports">Reports</a>}>
            {findings === null || findings.as_of == null ? <p class="muted">No report has run yet. {can("analyst") && <a href="#/access/reports">Run the reports</a>}</p> : (
                <div class="findings">
                    <Stack label="Findings" parts={LEVELS.map(([key, tone]) => ({ name: key, n: findings[key] ?? 0, tone }))} />
                    <dl>
                        {LEVELS.map(([key, tone]) => (
                            <div>
                                <dt><Status tone={tone}>{key.charAt(0).toUpperCase() + key.slice(1)}</Status></dt>
                                <dd>{number(findings[key] ?? 0)}</dd>
                            </div>
                        ))}
                    </dl>
                    <p class="muted small">As of <Time at={findings.as_of} relative /></p>
                </div>
            )}
        </Card>
    );
}

function Alerts({ open }: { open: number }) {
    return (
        <Card title="Alerts" id="alerts" actions={<a href="#/alerts">All alerts</a>}>
            {open === 0 ? <Status tone="good">None open</Status> : <a href={link(["alerts"], { state: "open" })}><Status tone="bad">{count(open, "open alert")}</Status></a>}
        </Card>
    );
}

function Expiring({ rows }: { rows: Home["expiring"] }) {
    const soon = (when: string) => (parse(when)?.getTime() ?? Infinity) - Date.now();
    const tone = (when: string) => (soon(when) < 7 * DAY_MS ? "bad" : soon(when) < 30 * DAY_MS ? "warn" : "info");
    return (
        <Card title="Expiring" id="expiring">
            {rows.length === 0 ? <p class="muted">No secret or certificate that we know of ends soon.</p> : (
                <ul class="stack-lines">
                    {rows.map((r) => (
                        <li>
                            <Status tone={tone(r.when)}><Text>{r.what}</Text></Status>
                            <span class="line-sub muted small"><a href={link(["connectors", r.connector])}><Text>{r.connector}</Text></a> · {soon(r.when) < 0 ? "ended" : "ends"} <Time at={r.when} relative /></span>
                        </li>
                    ))}
                </ul>
            )}
        </Card>
    );
}
