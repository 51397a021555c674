// asset_overview.tsx - who it is, what follows from its attributes, its labels, its groups, what may be missing.
import { useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { put } from "../lib/api";
import { assetLink } from "../lib/assets_query";
import { link } from "../lib/router";
import { can } from "../lib/session";
import { S, VIA, words } from "../lib/strings";
import type { Entity, Gap, Value } from "../lib/types";
import { plain } from "../lib/visible";
import { Badge, Button, Card, Copy, Notice } from "../ui/basic";
import { Field } from "../ui/field";
import { Text, Time, ValueText } from "../ui/text";
import { toast } from "../ui/toast";
import { keyOf } from "./asset_groups";

export function OverviewTab({ entity: e, path, onChange }: { entity: Entity; path: string; onChange: () => void }) {
    return (
        <>
            <Gaps gaps={e.gaps} />
            <div class="home-grid">
                <div class="stack-v">
                    <Identity entity={e} />
                    <Derived entity={e} />
                </div>
                <div class="stack-v">
                    <Labels key={path} entity={e} path={path} onChange={onChange} />
                    <Groups entity={e} />
                </div>
            </div>
        </>
    );
}

function Pair({ term, children }: { term: string; children: ComponentChildren }) {
    return <div><dt><Text>{term}</Text></dt><dd>{children}</dd></div>;
}

function Copyable({ text, label }: { text: string; label: string }) {
    return <span class="copyable"><Text class="mono wrap">{text}</Text><Copy text={text} label={`${S.copy} the ${label}`} /></span>;
}

const SHOWN = ["title", "jobTitle", "department", "company", "companyName", "mail", "userPrincipalName", "description", "manager", "operatingSystem"];

function Identity({ entity: e }: { entity: Entity }) {
    return (
        <Card title="Identity" id="identity">
            <dl class="pairs">
                {e.display_name !== undefined && <Pair term="Display name"><Text>{e.display_name}</Text></Pair>}
                {e.dn !== undefined && <Pair term="Distinguished name"><Copyable text={e.dn} label="distinguished name" /></Pair>}
                {e.sid !== undefined && <Pair term="SID"><Copyable text={e.sid} label="SID" /></Pair>}
                <Pair term="Identifier"><Copyable text={e.uid} label="identifier" /></Pair>
                {e.domain !== undefined && <Pair term="Domain"><Text>{e.domain}</Text></Pair>}
                {SHOWN.filter((a) => e.attributes[a] !== undefined).map((a) => <Pair key={a} term={a}><ValueText value={e.attributes[a]} most={3} /></Pair>)}
                <Pair term="First seen"><Time at={e.first_seen} /></Pair>
                <Pair term="Last changed"><a href={assetLink(e.connector, e.uid, { tab: "history" })}><Time at={e.last_changed} /></a></Pair>
            </dl>
        </Card>
    );
}

// Facts worth a second look; any other value is plain.
function tone(name: string, value: Value | undefined): "warn" | undefined {
    const notable = ["is_locked", "password_never_expires", "domain_admin", "full_admin", "privileged"];
    return value === true && notable.includes(name) ? "warn" : undefined;
}

function Derived({ entity: e }: { entity: Entity }) {
    const rows = Object.entries(e.derived).filter(([name]) => name !== "last_logon_source");
    if (rows.length === 0) return null;
    return (
        <Card title="What follows from it" id="derived">
            <dl class="pairs">
                {rows.map(([name, value]) => (
                    <Pair key={name} term={words(name)}>
                        {tone(name, value) !== undefined ? <Badge tone="warn">{S.yes}</Badge> : <ValueText value={value} />}
                        {name === "last_logon" && e.derived["last_logon_source"] !== undefined && <span class="muted small"> from <code><Text>{String(e.derived["last_logon_source"])}</Text></code></span>}
                    </Pair>
                ))}
            </dl>
        </Card>
    );
}

function Groups({ entity: e }: { entity: Entity }) {
    const shown = e.member_of.slice(0, 12);
    return (
        <Card title="Direct groups" id="direct-groups" actions={<a href={assetLink(e.connector, e.uid, { tab: "groups" })}>With nested ones</a>}>
            {shown.length === 0 ? <p class="muted">It is in no group.</p> : (
                <ul class="stack-lines tight">
                    {shown.map((g) => (
                        <li key={keyOf(g)}>
                            {g.uid ? <a href={assetLink(e.connector, g.uid)}><Text>{g.name}</Text></a> : <Text>{g.name}</Text>}
                            {g.via !== "member" && <span class="muted small"> <Text>{VIA[g.via] ?? g.via}</Text></span>}
                        </li>
                    ))}
                    {e.member_of.length > shown.length && <li><a href={assetLink(e.connector, e.uid, { tab: "groups" })}>and {e.member_of.length - shown.length} more</a></li>}
                </ul>
            )}
        </Card>
    );
}

function Labels({ entity: e, path, onChange }: { entity: Entity; path: string; onChange: () => void }) {
    const [labels, setLabels] = useState(e.labels ?? []);
    const [text, setText] = useState("");
    const now = useRef(labels);
    const last = useRef<Promise<unknown>>(Promise.resolve());
    // The whole list is put: one change after the other, each on top of what the one before has left.
    const save = (change: (labels: string[]) => string[]): Promise<void> => {
        const saved = last.current.then(async () => {
            const to = change(now.current);
            const answer = await put<{ labels?: string[] } | undefined>(`${path}/labels`, { labels: to });
            now.current = answer?.labels ?? to;
            setLabels(now.current);
            onChange();
        });
        last.current = saved.catch(() => undefined);
        return saved;
    };
    const add = () => {
        const label = text.trim();
        if (label === "") return;
        setText("");
        save((all) => (all.includes(label) ? all : [...all, label])).catch((error: unknown) => {
            setText(label);
            toast(error);
        });
    };
    return (
        <Card title="Labels" id="labels">
            {labels.length === 0 && <p class="muted">None. Labels are yours: they stay in rollcall and are not written to the directory.</p>}
            <ul class="tags" aria-label="Labels">
                {labels.map((l) => (
                    <li key={l} class="chip">
                        <Text>{l}</Text>
                        {can("analyst") && <Button small variant="quiet" icon="cross" label={`${S.remove} the label ${plain(l)}`} onClick={() => save((all) => all.filter((x) => x !== l))} />}
                    </li>
                ))}
            </ul>
            {can("analyst") && (
                <form class="label-form" onSubmit={(ev) => { ev.preventDefault(); add(); }}>
                    <Field label="New label">
                        {(a) => (
                            <div class="input-row">
                                <input {...a} value={text} maxLength={64} onInput={(ev) => setText(ev.currentTarget.value)} />
                                <Button type="submit" icon="plus" disabled={text.trim() === ""}>{S.add}</Button>
                            </div>
                        )}
                    </Field>
                </form>
            )}
        </Card>
    );
}

export function Gaps({ gaps }: { gaps: Gap[] }) {
    if (gaps.length === 0) return null;
    const isLoss = gaps.some((g) => g.severity === "loss");
    return (
        <Notice tone={isLoss ? "warn" : "info"} title={isLoss ? "Something may be missing here" : "Notes on completeness"}>
            <ul>
                {gaps.map((g) => (
                    <li>
                        <Text>{g.what}</Text>
                        {g.where !== "" && <> (<Text>{g.where}</Text>)</>}
                        {g.fix !== "" && <>. <strong>What to do:</strong> <Text>{g.fix}</Text></>}
                    </li>
                ))}
            </ul>
        </Notice>
    );
}

// A question of the access explorer.
export function explorerLink(question: "who-can" | "what-can" | "why", query: Record<string, string>): string {
    return link(["access", question], query);
}
