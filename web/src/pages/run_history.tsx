// run_history.tsx - one connector: how it is, its settings, its runs; what its "Logs" shows.
import { post, segment, useGet } from "../lib/api";
import { number } from "../lib/format";
import { useKeys } from "../lib/keys";
import { go, link, useRoute } from "../lib/router";
import { can } from "../lib/session";
import { TYPES, words } from "../lib/strings";
import type { Connector, Job, List, Run } from "../lib/types";
import { ConnectorState, isTrouble, scheduleWords } from "../parts/connector-status";
import { labelOf } from "../parts/labels";
import { NoRuns, RunState, durationOf } from "../parts/run-parts";
import { isPem } from "../parts/spec";
import { Button, Card, ErrorBox, LinkButton, Loading, Notice, Status } from "../ui/basic";
import { Page } from "../ui/layout";
import { Pager, Table, type Column } from "../ui/table";
import { Tabs, useTab } from "../ui/tabs";
import { Text, Time } from "../ui/text";

function total(run: Run, of: "read" | "created" | "changed" | "deleted"): string {
    return number(Object.values(run.counts).reduce((n, c) => n + c[of], 0));
}

const RUNS: Column<Run>[] = [
    { key: "started", title: "Started", cell: (r) => <Time at={r.started} />, class: "nowrap" },
    { key: "status", title: "Status", cell: (r) => <RunState status={r.status} /> },
    { key: "mode", title: "How", cell: (r) => words(r.mode) },
    { key: "took", title: "Took", cell: (r) => (r.status === "running" ? "" : durationOf(r)), align: "right" },
    { key: "read", title: "Read", cell: (r) => total(r, "read"), align: "right" },
    { key: "created", title: "New", cell: (r) => total(r, "created"), align: "right" },
    { key: "changed", title: "Changed", cell: (r) => total(r, "changed"), align: "right" },
    { key: "deleted", title: "Gone", cell: (r) => total(r, "deleted"), align: "right" },
    { key: "gaps", title: "Gaps", cell: (r) => number(r.gaps?.length ?? 0), align: "right" },
];

function Runs({ name }: { name: string }) {
    const { query } = useRoute();
    const { data, error, loading, reload } = useGet<List<Run>>("/runs", { connector: name, after: query.get("after"), limit: 50 }, 10_000);
    const told = error && error.class !== "NOTFOUND" ? <ErrorBox error={error} retry={reload} /> : null;
    if (data === undefined && !error) return <Loading />;
    if (!data || (data.items.length === 0 && query.get("after") === null)) return told ?? <NoRuns />;
    return (
        <>
            {told}
            <Table
                caption={`Runs of ${name}`}
                columns={RUNS}
                rows={data.items}
                rowKey={(r) => String(r.id)}
                href={(r) => link(["runs", String(r.id)])}
                loading={loading && data === undefined}
            />
            <Pager next={data.next} count={data.items.length} what="runs" loading={loading && data === undefined} />
        </>
    );
}

const JOBS: Column<Job>[] = [
    { key: "queued", title: "Begun", cell: (j) => <Time at={j.started ?? j.queued} />, class: "nowrap" },
    { key: "kind", title: "What", cell: (j) => words(j.kind) },
    {
        key: "state",
        title: "State",
        cell: (j) => (
            <Status tone={j.state === "done" ? "good" : j.state === "failed" ? "bad" : j.state === "running" ? "busy" : "off"}>
                {words(j.state)}
            </Status>
        ),
    },
    { key: "by", title: "By", cell: (j) => <Text>{j.by}</Text> },
    { key: "error", title: "Why", cell: (j) => <Text class="wrap">{j.error?.message}</Text> },
];

function Jobs({ name }: { name: string }) {
    const { query } = useRoute();
    const { data, error, reload } = useGet<List<Job>>("/jobs", { connector: name, after: query.get("after"), limit: 50 }, 10_000);
    const told = error ? <ErrorBox error={error} retry={reload} /> : null;
    if (data === undefined) return told ?? <Loading />;
    if (data.items.length === 0 && query.get("after") === null) return told ?? <NoRuns />;
    return (
        <>
            {told}
            <Table
                caption={`Jobs of ${name}`}
                columns={JOBS}
                rows={data.items}
                rowKey={(j) => String(j.id)}
                href={(j) => link(["jobs", String(j.id)])}
            />
            <Pager next={data.next} count={data.items.length} what="jobs" />
        </>
    );
}

function settingText(value: unknown): string {
    if (value === "entered:") return "entered";
    if (isPem(value)) return "a pasted certificate";
    return typeof value === "string" ? value : JSON.stringify(value);
}

function Settings({ connector: c }: { connector: Connector }) {
    return (
        <Card>
            <dl class="pairs">
                <dt>Type</dt>
                <dd>{TYPES[c.type] ?? c.type}</dd>
                <dt>Schedule</dt>
                <dd>{scheduleWords(c)}</dd>
                {Object.entries(c.settings)
                    .filter(([key]) => key !== "type")
                    .map(([key, value]) => (
                        <>
                            <dt>{labelOf(c.type, key).label}</dt>
                            <dd>
                                <Text class="wrap">{settingText(value)}</Text>
                            </dd>
                        </>
                    ))}
            </dl>
            {c.source === "file" && <p class="muted">Declared in the settings file of the server: it is changed there.</p>}
        </Card>
    );
}

const TABS = [
    { id: "runs", title: "Runs" },
    { id: "jobs", title: "Jobs" },
    { id: "settings", title: "Settings" },
];

export default function ConnectorPage() {
    const name = useRoute().path[1] ?? "";
    const tab = useTab(TABS);
    const { data: c, error, reload } = useGet<Connector>(`/connectors/${segment(name)}`, undefined, 10_000);
    const sync = async () => {
        const { job } = await post<{ job: number }>(`/connectors/${segment(name)}/sync`);
        go(link(["jobs", String(job)]));
    };
    const test = link(["connectors", name, "test"]);
    useKeys({ t: can("operator") && ["Test the connector", () => go(test)] });
    return (
        <Page
            title={name}
            crumbs={[{ href: "#/connectors", title: "Asset connectors" }]}
            sub={c && <ConnectorState connector={c} />}
            actions={
                can("operator") &&
                c && (
                    <>
                        <LinkButton icon="check" href={test}>
                            Test
                        </LinkButton>
                        {c.source === "server" && (
                            <LinkButton icon="edit" href={link(["connectors", name, "edit", "connect"])}>
                                Edit
                            </LinkButton>
                        )}
                        {c.status === "running" && c.job ? (
                            <LinkButton variant="primary" href={link(["jobs", String(c.job)])}>
                                Watch the run
                            </LinkButton>
                        ) : (
                            <Button variant="primary" icon="play" onClick={sync} disabled={c.must_enter.length > 0}>
                                Sync now
                            </Button>
                        )}
                    </>
                )
            }
        >
            {error && <ErrorBox error={error} retry={reload} />}
            {c && isTrouble(c) && (
                <Notice tone={c.status === "failed" ? "bad" : "warn"} title={<Text>{c.reason}</Text>}>
                    <Text>{c.fix}</Text>
                </Notice>
            )}
            <Tabs tabs={TABS} label="About this connector" />
            {tab === "runs" && <Runs name={name} />}
            {tab === "jobs" && <Jobs name={name} />}
            {tab === "settings" && c && <Settings connector={c} />}
        </Page>
    );
}
