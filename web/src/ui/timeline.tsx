// timeline.tsx - changes, newest first, under their day; those that one run found stand together. withNames: of many assets, so each says whose it is.
import { assetLink } from "../lib/assets_query";
import { grouped, withoutBulk, WHOLE } from "../lib/fold";
import { number } from "../lib/format";
import { link } from "../lib/router";
import { kindName, kindPlural } from "../lib/strings";
import { localDay } from "../lib/time";
import type { Change } from "../lib/types";
import { ChangeBadge, ChangeDetail } from "./diff";
import { KindIcon } from "./icon";
import { Text, Time } from "./text";

// Each of them: the changes of that run alone, which are not folded.
export function bulkLink(c: Change): string {
    return link(["changes"], { connector: c.connector, run: c.run, kind: c.kind, change: c.change, attribute: c.attribute });
}

// isFolding: bulk changes as one line each.
export function Timeline({ changes, withNames = false, isFolding = false }: { changes: Change[]; withNames?: boolean; isFolding?: boolean }) {
    return (
        <div class="timeline">
            {grouped(changes, (c) => localDay(c.time)).map((day) => (
                <section key={day.key} class="card flush">
                    <h2 class="timeline-day">{day.key}</h2>
                    {grouped(day.changes, (c) => `${c.connector} ${c.run}`).map((run) => <RunChanges key={run.key} changes={run.changes} withNames={withNames} isFolding={isFolding} />)}
                </section>
            ))}
        </div>
    );
}

function RunChanges({ changes, withNames, isFolding }: { changes: Change[]; withNames: boolean; isFolding: boolean }) {
    const first = changes[0];
    if (first === undefined) return null;
    return (
        <div class="timeline-run">
            <p class="timeline-when muted small">
                <Time at={first.time} /> · <a href={link(["runs", String(first.run)])}>run {first.run}</a>{withNames && <> · <Text>{first.connector}</Text></>}
            </p>
            <ul class="lines">
                {(isFolding ? withoutBulk(changes) : changes.map((first) => ({ first, n: 1 }))).map(({ first: c, n }, i) => (
                    <li key={`${i}-${c.uid}-${c.change}-${c.attribute ?? ""}`} class="timeline-line">{n > 1 ? <Bulk change={c} n={n} /> : <>{withNames && <Whose change={c} />}<What change={c} /></>}</li>
                ))}
            </ul>
        </div>
    );
}

function Whose({ change: c }: { change: Change }) {
    return (
        <span class="timeline-who">
            <KindIcon kind={c.kind} />
            <a class="strong" data-row="" href={assetLink(c.connector, c.uid, { tab: "history" })}><Text>{c.name === "" ? c.uid : c.name}</Text></a>
            <span class="sr-only">{kindName(c.kind)}</span>
        </span>
    );
}

function What({ change: c }: { change: Change }) {
    return <span class="timeline-what"><ChangeBadge change={c.change} /><span class="grow"><ChangeDetail change={c} /></span></span>;
}

function Bulk({ change: c, n }: { change: Change; n: number }) {
    return (
        <>
            <span class="timeline-who"><KindIcon kind={c.kind} /><a class="strong" data-row="" href={bulkLink(c)}>{number(n)} {kindPlural(c.kind).toLowerCase()}</a></span>
            <span class="timeline-what">
                <ChangeBadge change={c.change} />
                <span class="grow muted">{WHOLE.includes(c.change) ? "In one run" : "One after the other in one run"}{c.attribute !== undefined && <> (<code><Text>{c.attribute}</Text></code>)</>}, among them <Text>{c.name === "" ? c.uid : c.name}</Text></span>
            </span>
        </>
    );
}
