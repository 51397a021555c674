// run_result.tsx - what a run has found: counts, gaps, who answered; what the guard held back, and the button that lets it go.
import { useState } from "preact/hooks";
import { post, segment, useGet } from "../lib/api";
import { bytes, number } from "../lib/format";
import { go, link, useRoute } from "../lib/router";
import { can } from "../lib/session";
import { kindPlural, words } from "../lib/strings";
import type { Connector, Run } from "../lib/types";
import { CountsTable, durationOf, Gaps, RunState, runSentence } from "../parts/run-parts";
import { Button, Card, CopyAs, ErrorBox, LinkButton, Loading, Notice } from "../ui/basic";
import { Confirm } from "../ui/dialog";
import { Page } from "../ui/layout";
import { Text, Time } from "../ui/text";
import { BASE } from "../lib/api";

function heldOf(run: Run): [string, number][] {
    return Object.entries(run.counts)
        .map(([kind, c]): [string, number] => [kind, c.held ?? 0])
        .filter(([, n]) => n > 0);
}

// The guard: more than a fifth of a kind was gone at once. That is a wrong Base DN or a lost permission more often than a deletion.
function Held({ run }: { run: Run }) {
    const [isAsking, setAsking] = useState(false);
    const held = heldOf(run);
    const isHeld = run.status === "needs_attention" || held.length > 0;
    const connector = useGet<Connector>(isHeld && can("operator") ? `/connectors/${segment(run.connector)}` : null).data;
    const last = connector?.last?.run; // what is accepted is what is absent now: only the newest run says what that will be
    if (!isHeld) return null;
    const what = held.map(([kind, n]) => `${number(n)} ${kindPlural(kind).toLowerCase()}`).join(", ") || "Deletions";
    const accept = async () => {
        const { job } = await post<{ job: number }>(`/connectors/${segment(run.connector)}/sync`, { accept_deletions: true, full: true });
        go(link(["jobs", String(job)]));
    };
    return (
        <Notice
            tone="warn"
            title={`Held back: ${what}`}
            actions={
                last === run.id ? (
                    <Button variant="danger" onClick={() => setAsking(true)}>
                        Accept the deletions
                    </Button>
                ) : (
                    last !== undefined && <LinkButton href={link(["runs", String(last)])}>The newest run</LinkButton>
                )
            }
        >
            <p>
                So many were absent at once that nothing was marked as deleted. Look first whether the Base DN, the account or its permissions have
                changed.
            </p>
            {isAsking && (
                <Confirm title="Accept the deletions?" action="Read again and accept" danger onConfirm={accept} onClose={() => setAsking(false)}>
                    <p>
                        <Text>{run.connector}</Text> is read completely once more. What is still absent then is marked as deleted; its history stays.
                    </p>
                </Confirm>
            )}
        </Notice>
    );
}

function Failed({ run }: { run: Run }) {
    if (!run.error) return null;
    return (
        <Notice tone="bad" title={<Text>{run.error.message}</Text>}>
            {run.error.hint && (
                <p>
                    <strong>What to do:</strong> <Text>{run.error.hint}</Text>
                </p>
            )}
        </Notice>
    );
}

function Facts({ run }: { run: Run }) {
    return (
        <dl class="pairs">
            <dt>Started</dt>
            <dd>
                <Time at={run.started} />
            </dd>
            <dt>Took</dt>
            <dd>{durationOf(run)}</dd>
            <dt>How</dt>
            <dd>{words(run.mode)}</dd>
            <dt>Answered by</dt>
            <dd>
                <Text>{run.server || "nobody"}</Text>
            </dd>
            <dt>Requests</dt>
            <dd>
                {number(run.requests)}, {bytes(run.bytes)} received
            </dd>
        </dl>
    );
}

export default function RunPage() {
    const id = useRoute().path[1] ?? "";
    const { data: run, error, reload } = useGet<Run>(`/runs/${segment(id)}`);
    const crumbs = [
        { href: "#/connectors", title: "Asset connectors" },
        ...(run ? [{ href: link(["connectors", run.connector]), title: run.connector }] : []),
    ];
    return (
        <Page
            title={`Run ${id}`}
            crumbs={crumbs}
            sub={run && <RunState status={run.status} />}
            actions={
                run && (
                    <>
                        {run.job !== undefined && run.job !== null && (
                            <LinkButton icon="log" href={link(["jobs", String(run.job)])}>
                                Log
                            </LinkButton>
                        )}
                        <LinkButton icon="changes" href={link(["changes"], { run: run.id })}>
                            Changes
                        </LinkButton>
                        <CopyAs path={`${BASE}/runs/${run.id}`} command={`rollcall run get ${run.id} -o json`} />
                    </>
                )
            }
        >
            {error && <ErrorBox error={error} retry={reload} />}
            {run === undefined && !error && <Loading />}
            {run && (
                <>
                    <p class="run-sentence" role="status">
                        {runSentence(run)}
                    </p>
                    <Held run={run} />
                    <Failed run={run} />
                    <div class="grid-2">
                        <Card title="Counts" id="counts" flush>
                            <CountsTable counts={run.counts} />
                        </Card>
                        <Card title="Facts" id="facts">
                            <Facts run={run} />
                        </Card>
                    </div>
                    <Card title={`Gaps (${run.gaps.length})`} id="gaps">
                        <Gaps gaps={run.gaps} />
                    </Card>
                </>
            )}
        </Page>
    );
}
