// connectors.tsx - the asset connectors: a tile or a row for each, with its state, its counts and what can be done with it.
import { useState } from "preact/hooks";
import { del, post, segment, useGet } from "../lib/api";
import { number } from "../lib/format";
import { useKeys } from "../lib/keys";
import { go, link, setQuery, useRoute } from "../lib/router";
import { can } from "../lib/session";
import { TYPES } from "../lib/strings";
import type { Connector, List } from "../lib/types";
import { DeleteConnector, DuplicateConnector, FullResync } from "../parts/connector-dialogs";
import { assetTotal, assetWords, ConnectorState, Delta, isTrouble, scheduleWords, timeLeft, doneOf } from "../parts/connector-status";
import { phaseName } from "../parts/phases";
import { Menu, type MenuItem } from "../parts/menu";
import { Button, Empty, ErrorBox, LinkButton, Loading, Notice, Progress } from "../ui/basic";
import { Icon } from "../ui/icon";
import { Switch } from "../ui/field";
import { Page } from "../ui/layout";
import { Text, Time } from "../ui/text";
import { toast } from "../ui/toast";

type Asked = { what: "delete" | "duplicate" | "full"; connector: Connector } | null;

interface Acts {
    sync: (c: Connector, options?: Record<string, unknown>) => Promise<void>;
    enable: (c: Connector, enabled: boolean) => Promise<void>;
    ask: (asked: Asked) => void;
}

const LIVE_MS = 2000;
const IDLE_MS = 15_000;

function useActs(reload: () => void, ask: (asked: Asked) => void): Acts {
    return {
        ask,
        sync: async (c, options = {}) => {
            await post<{ job: number }>(`/connectors/${segment(c.name)}/sync`, options);
            toast(`${c.name} is being read`, "info");
            reload();
        },
        enable: async (c, enabled) => {
            await post(`/connectors/${segment(c.name)}/enabled`, { enabled });
            reload();
        },
    };
}

function menuOf(c: Connector, acts: Acts): MenuItem[] {
    const items: MenuItem[] = [{ label: "Logs", icon: "log", run: () => go(link(["connectors", c.name])) }];
    if (!can("operator")) return items;
    items.unshift({ label: "Full resync", icon: "refresh", run: () => acts.ask({ what: "full", connector: c }) });
    if (c.source === "server") items.unshift({ label: "Edit", icon: "edit", run: () => go(link(["connectors", c.name, "edit", "connect"])) });
    items.push({ label: "Duplicate", icon: "duplicate", run: () => acts.ask({ what: "duplicate", connector: c }) });
    if (c.source === "server") items.push({ label: "Delete", icon: "trash", danger: true, run: () => acts.ask({ what: "delete", connector: c }) });
    return items;
}

function Origin({ connector: c }: { connector: Connector }) {
    if (c.source !== "file") return null;
    return (
        <span class="muted" title="Declared in the settings file: it is changed there">
            <Icon name="lock" /> <span class="sr-only">Declared in the </span>settings file
        </span>
    );
}

function Actions({ connector: c, acts }: { connector: Connector; acts: Acts }) {
    const isRunning = c.status === "running" && !!c.job;
    return (
        <div class="row">
            {can("operator") && !isRunning && (
                <Button small icon="play" onClick={() => acts.sync(c)} disabled={c.must_enter.length > 0} label={`Sync now: ${c.name}`}>
                    Sync now
                </Button>
            )}
            {isRunning && (
                <LinkButton small href={link(["jobs", String(c.job)])} icon="log" label={`Watch the run of ${c.name}`}>
                    Watch
                </LinkButton>
            )}
            {can("operator") && (
                <LinkButton small href={link(["connectors", c.name, "test"])} icon="check" label={`Test ${c.name}`}>
                    Test
                </LinkButton>
            )}
            <Menu label={`More for ${c.name}`} items={menuOf(c, acts)} />
        </div>
    );
}

function isHeld(c: Connector): boolean {
    return Object.values(c.last?.counts ?? {}).some((n) => (n.held ?? 0) > 0);
}

function Trouble({ connector: c, acts }: { connector: Connector; acts: Acts }) {
    const mayTry = can("operator") && (c.status === "paused" || c.status === "retrying");
    return (
        <div class={`tile-trouble ${c.status === "failed" ? "bad" : "warn"}`}>
            <p>
                <Text>{c.reason}</Text>
            </p>
            {c.fix && (
                <p>
                    <strong>Fix:</strong> <Text>{c.fix}</Text>
                </p>
            )}
            {c.status === "needs_attention" && c.last?.run !== undefined && c.must_enter.length === 0 && (
                <a href={link(["runs", String(c.last.run)])}>{isHeld(c) ? "See what was held back" : "See the run"}</a>
            )}
            {mayTry && (
                <Button small onClick={() => acts.sync(c, { try_now: true })}>
                    Try now
                </Button>
            )}
        </div>
    );
}

function MustEnter({ connector: c }: { connector: Connector }) {
    if (c.must_enter.length === 0) return null;
    return (
        <div class="tile-trouble warn">
            <p>To be entered again: {c.must_enter.join(", ")}.</p>
            {can("operator") && <a href={link(["connectors", c.name, "edit", "connect"])}>Enter it</a>}
        </div>
    );
}

function Running({ connector: c }: { connector: Connector }) {
    const p = c.progress;
    if (c.status !== "running" || !p) return null;
    const { n, of } = doneOf(p);
    const text = [phaseName(p.phase), n !== undefined && n > 0 ? number(n) : "", timeLeft(p)].filter(Boolean).join(" · ");
    return <Progress label={`Progress of ${c.name}`} value={n} max={of} text={text} />;
}

function Facts({ connector: c }: { connector: Connector }) {
    return (
        <dl class="pairs">
            <dt>Last success</dt>
            <dd>
                <Time at={c.last_success} relative />
            </dd>
            <dt>Next run</dt>
            <dd>{c.enabled ? <Time at={c.next} relative absent={scheduleWords(c)} /> : <span class="muted">switched off</span>}</dd>
            <dt>Schedule</dt>
            <dd>{scheduleWords(c)}</dd>
        </dl>
    );
}

function OnOff({ connector: c, acts }: { connector: Connector; acts: Acts }) {
    if (!can("operator")) return null;
    return (
        <Switch
            label={`${c.name} is on`}
            checked={c.enabled}
            onChange={(on) => acts.enable(c, on).catch(toast)}
            disabled={c.source === "file"}
            hideLabel
        />
    );
}

function Tile({ connector: c, acts }: { connector: Connector; acts: Acts }) {
    return (
        <li class="connector-tile" data-connector={c.name}>
            <div class="tile-head">
                <div>
                    <h2>
                        <a href={link(["connectors", c.name])}>
                            <Text>{c.name}</Text>
                        </a>
                    </h2>
                    <p class="muted">
                        {TYPES[c.type] ?? c.type} <Origin connector={c} />
                    </p>
                </div>
                <div class="tile-state">
                    <ConnectorState connector={c} />
                    <OnOff connector={c} acts={acts} />
                </div>
            </div>
            {isTrouble(c) && <Trouble connector={c} acts={acts} />}
            <MustEnter connector={c} />
            <p class="tile-count">
                <a href={link(["assets"], { source: c.name })}>
                    <strong>{number(assetTotal(c))}</strong> assets
                </a>{" "}
                <Delta connector={c} />
            </p>
            <p class="muted">{assetWords(c)}</p>
            <Running connector={c} />
            <Facts connector={c} />
            <Actions connector={c} acts={acts} />
        </li>
    );
}

function Row({ connector: c, acts }: { connector: Connector; acts: Acts }) {
    return (
        <tr data-connector={c.name}>
            <th scope="row">
                <a href={link(["connectors", c.name])}>
                    <Text>{c.name}</Text>
                </a>
            </th>
            <td>
                {TYPES[c.type] ?? c.type} <Origin connector={c} />
            </td>
            <td>
                <ConnectorState connector={c} />
                {isTrouble(c) && <Trouble connector={c} acts={acts} />}
                <MustEnter connector={c} />
            </td>
            <td>
                {number(assetTotal(c))} <Delta connector={c} />
            </td>
            <td>
                <Time at={c.last_success} relative />
            </td>
            <td>{c.enabled ? <Time at={c.next} relative absent="–" /> : "off"}</td>
            <td>
                <OnOff connector={c} acts={acts} />
            </td>
            <td>
                <Actions connector={c} acts={acts} />
            </td>
        </tr>
    );
}

function Rows({ connectors, acts }: { connectors: Connector[]; acts: Acts }) {
    return (
        <div class="table-frame" tabIndex={0} role="region" aria-label="Asset connectors">
            <table>
                <thead>
                    <tr>
                        {["Name", "Type", "Status", "Assets", "Last success", "Next run", "On", "Actions"].map((h) => (
                            <th scope="col" key={h}>
                                {h}
                            </th>
                        ))}
                    </tr>
                </thead>
                <tbody>
                    {connectors.map((c) => (
                        <Row connector={c} acts={acts} key={c.name} />
                    ))}
                </tbody>
            </table>
        </div>
    );
}

interface DraftRow {
    id: string;
    name?: string;
    type?: string;
    updated?: string;
    body?: { name?: string; type?: string };
}

// Wizards that were left; those of an edit are found by Edit.
function Drafts() {
    const { data, reload } = useGet<List<DraftRow>>(can("operator") ? "/drafts" : null);
    const drafts = (data?.items ?? []).filter((d) => d.id.startsWith("new-"));
    if (drafts.length === 0) return null;
    const discard = async (id: string) => {
        await del(`/drafts/${segment(id)}`);
        reload();
    };
    return (
        <Notice
            title={drafts.length === 1 ? "A new connector was begun and not created" : `${drafts.length} new connectors were begun and not created`}
        >
            <ul class="plain">
                {drafts.map((d) => {
                    const body = d.body ?? d;
                    return (
                        <li key={d.id} class="row">
                            <span>
                                <Text>{body.name || "(no name)"}</Text> · {TYPES[body.type ?? ""] ?? "no type"}{" "}
                                <Time at={d.updated} relative absent="" />
                            </span>
                            <LinkButton small href={link(["connectors", "new", "connect"], { draft: d.id })}>
                                Continue
                            </LinkButton>
                            <Button small variant="quiet" onClick={() => discard(d.id)}>
                                Discard
                            </Button>
                        </li>
                    );
                })}
            </ul>
        </Notice>
    );
}

function Asking({ asked, close, reload }: { asked: Asked; close: () => void; reload: () => void }) {
    if (asked === null) return null;
    const props = { connector: asked.connector, onClose: close, onDone: reload };
    if (asked.what === "delete") return <DeleteConnector {...props} />;
    return asked.what === "duplicate" ? <DuplicateConnector {...props} /> : <FullResync {...props} />;
}

export default function Connectors() {
    const [isLive, setLive] = useState(false);
    const { data, error, reload } = useGet<List<Connector>>("/connectors", undefined, isLive ? LIVE_MS : IDLE_MS);
    const [asked, setAsked] = useState<Asked>(null);
    const acts = useActs(reload, setAsked);
    const isTable = useRoute().query.get("view") === "table";
    useKeys({ n: can("operator") && ["New connector", () => go(link(["connectors", "new", "type"]))] });

    const connectors = data?.items ?? [];
    const isRunning = connectors.some((c) => c.status === "running");
    if (isRunning !== isLive) setLive(isRunning);
    const newButton = can("operator") && (
        <LinkButton variant="primary" icon="plus" href={link(["connectors", "new", "type"])}>
            New connector
        </LinkButton>
    );
    return (
        <Page
            title="Asset connectors"
            actions={
                <>
                    <Button icon="columns" pressed={isTable} onClick={() => setQuery({ view: isTable ? null : "table" }, { replace: true })}>
                        Table
                    </Button>
                    {newButton}
                </>
            }
        >
            {error && <ErrorBox error={error} retry={reload} />}
            <Drafts />
            {data === undefined && !error && <Loading />}
            {data !== undefined && connectors.length === 0 && (
                <Empty icon="connectors" title="No directory is connected yet" action={newButton}>
                    A connector reads one Active Directory domain or one Entra ID tenant, with an account that may only read.
                </Empty>
            )}
            {isTable && connectors.length > 0 ? (
                <Rows connectors={connectors} acts={acts} />
            ) : (
                <ul class="connector-tiles">
                    {connectors.map((c) => (
                        <Tile connector={c} acts={acts} key={c.name} />
                    ))}
                </ul>
            )}
            <Asking asked={asked} close={() => setAsked(null)} reload={reload} />
        </Page>
    );
}
