// reports.tsx - what the rules of the reports found in the last run, worst first: why it matters, what to do, whom it concerns.
import { useEffect, useState } from "preact/hooks";
import { post, url, useGet } from "../lib/api";
import { count, number } from "../lib/format";
import { link, setQuery, useRoute } from "../lib/router";
import { can } from "../lib/session";
import { SEVERITIES } from "../lib/strings";
import type { Severity } from "../lib/types";
import { isOver, useJob } from "../parts/jobs";
import { Badge, Button, CopyAs, Empty, ErrorBox, Loading, Notice, type Tone } from "../ui/basic";
import { Segmented } from "../ui/field";
import { Page } from "../ui/layout";
import { Text, Time } from "../ui/text";

interface Found {
    connector?: string;
    kind?: string;
    name?: string;
    uid?: string;
    dn?: string;
    detail?: string;
}
interface Finding {
    rule: string;
    severity: Severity;
    title: string;
    n?: number;
    not_applicable?: string;
    why?: string;
    fix?: string;
    items?: Found[];
}
interface Findings {
    items: Finding[];
    as_of: string | null;
}

const ORDER: Severity[] = ["critical", "high", "medium", "low", "info"];
const TONES: Record<Severity, Tone> = { critical: "bad", high: "bad", medium: "warn", low: "info", info: "info" };
const MOST_SHOWN = 20;

function Whom({ items, n }: { items: Found[]; n: number }) {
    const [all, setAll] = useState(false);
    const shown = all ? items : items.slice(0, MOST_SHOWN);
    return (
        <>
            <ul class="plain-list">
                {shown.map((i, at) => (
                    <li key={at}>
                        {i.connector !== undefined && i.uid !== undefined ? (
                            <a href={link(["assets", i.connector, i.uid])}>
                                <Text>{i.name ?? i.dn ?? i.uid}</Text>
                            </a>
                        ) : (
                            <Text>{i.name ?? i.dn ?? ""}</Text>
                        )}{" "}
                        {i.detail !== undefined && <Text class="muted wrap">{i.detail}</Text>}
                    </li>
                ))}
            </ul>
            {items.length > shown.length && (
                <Button small onClick={() => setAll(true)}>
                    {number(items.length - shown.length)} more
                </Button>
            )}
            {n > items.length && <p class="muted small">{number(n - items.length)} hidden: rollcall report run tells all of them.</p>}
        </>
    );
}

function Rule({ finding: f }: { finding: Finding }) {
    const n = f.n ?? 0;
    return (
        <details class="more-settings" id={f.rule}>
            <summary>
                <Badge tone={TONES[f.severity]}>{SEVERITIES[f.severity] ?? f.severity}</Badge> {f.title} <strong>{number(n)}</strong>
            </summary>
            {f.why !== undefined && <p class="wrap">{f.why}</p>}
            {f.fix !== undefined && (
                <p class="wrap">
                    <strong>What to do:</strong> {f.fix}
                </p>
            )}
            <p class="muted small">Rule {f.rule}</p>
            <Whom items={f.items ?? []} n={n} />
        </details>
    );
}

export default function Reports() {
    const { data, error, reload } = useGet<Findings>("/reports/findings");
    const [job, setJob] = useState<number | null>(null);
    const view = useJob(job);
    const severity = useRoute().query.get("severity") ?? "all";
    const over = isOver(view.job);
    useEffect(() => {
        if (over) reload();
    }, [over]);
    const run = async () => setJob((await post<{ job: number }>("/reports/run", {})).job);

    const found = (data?.items ?? []).filter((f) => (f.n ?? 0) > 0).sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity) || (b.n ?? 0) - (a.n ?? 0));
    const shown = found.filter((f) => severity === "all" || f.severity === severity);
    const without = (data?.items ?? []).filter((f) => f.n === 0);
    const notApplicable = without.filter((f) => f.not_applicable !== undefined).length;
    const runButton = can("analyst") && (
        <Button icon="play" variant="primary" busy={job !== null && !over} onClick={run}>
            Run now
        </Button>
    );
    return (
        <Page
            title="Reports"
            crumbs={[{ href: "#/access/who-can", title: "Access" }]}
            sub={data?.as_of ? <span>As of <Time at={data.as_of} relative />; once a day by themselves</span> : undefined}
            actions={
                <>
                    <CopyAs path={url("/reports/findings")} command="rollcall report run --findings" />
                    {runButton}
                </>
            }
        >
            {error && <ErrorBox error={error} retry={reload} />}
            {view.job?.error && <Notice tone="bad" live="assertive" title={<Text>{view.job.error.message}</Text>} />}
            {data === undefined && !error && <Loading />}
            {data !== undefined && data.as_of === null && (
                <Empty icon="key" title="No report has run yet" action={runButton}>
                    The rules look for accounts, groups and rights that should not be as they are.
                </Empty>
            )}
            {data !== undefined && data.as_of !== null && (
                <>
                    <Segmented
                        label="Severity"
                        value={severity}
                        options={[{ value: "all", label: "All" }, ...ORDER.filter((s) => found.some((f) => f.severity === s)).map((s) => ({ value: s, label: SEVERITIES[s] ?? s }))]}
                        onChange={(s) => setQuery({ severity: s === "all" ? null : s })}
                    />
                    <div class="stack-v">
                        {shown.map((f) => (
                            <Rule key={f.rule} finding={f} />
                        ))}
                    </div>
                    <p class="muted">
                        {count(without.length - notApplicable, "rule")} found nothing.{notApplicable > 0 && <> {count(notApplicable, "rule")} could not be applied to what was read.</>}
                    </p>
                </>
            )}
        </Page>
    );
}
