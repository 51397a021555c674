// rule-form.tsx - an alert rule: what it watches, how grave it is, where it goes; tried out on what has happened already before it is saved.
import { useState } from "preact/hooks";
import { post, put, segment, useGet } from "../lib/api";
import { go } from "../lib/router";
import { can } from "../lib/session";
import { CHANGES, KIND_ORDER, kindPlural, SEVERITIES } from "../lib/strings";
import type { Connector, List, Severity } from "../lib/types";
import { Button, Card, ErrorBox, LinkButton, Notice, Status } from "../ui/basic";
import { Checkbox } from "../ui/field";
import { Text, Time } from "../ui/text";
import { toast } from "../ui/toast";
import {
    CONDITIONS,
    conditionOf,
    conditionText,
    isWhole,
    SEVERITY_ORDER,
    type Condition,
    type Destination,
    type Fired,
    type Rule,
} from "./alert-model";
import { DurationField } from "./duration-field";
import { PasswordField, RadioChoice, SelectField, TextField } from "./inputs";
import { PartyPicker, type Picked } from "./party-picker";
import { RightPicker } from "./right-picker";
import { useGuarded } from "../lib/use-guarded";

type Set = (change: Partial<Condition>) => void;

function Ticks({ label, all, chosen, onChange }: { label: string; all: [string, string][]; chosen: string[]; onChange: (to: string[]) => void }) {
    return (
        <fieldset class="ticks">
            <legend>{label}</legend>
            {all.map(([value, title]) => (
                <label key={value}>
                    <input
                        type="checkbox"
                        checked={chosen.includes(value)}
                        onChange={(e) => onChange(e.currentTarget.checked ? [...chosen, value] : chosen.filter((v) => v !== value))}
                    />{" "}
                    {title}
                </label>
            ))}
        </fieldset>
    );
}

function ChangeCondition({ c, set }: { c: Condition; set: Set }) {
    return (
        <>
            <Ticks
                label="Kinds (none: all)"
                all={KIND_ORDER.map((k) => [k, kindPlural(k)])}
                chosen={c.kinds ?? []}
                onChange={(kinds) => set({ kinds })}
            />
            <Ticks label="Changes (none: all)" all={Object.entries(CHANGES)} chosen={c.changes ?? []} onChange={(changes) => set({ changes })} />
            <TextField
                label="Attribute"
                optional
                value={c.attribute ?? ""}
                onChange={(attribute) => set({ attribute })}
                placeholder="userAccountControl"
            />
            <TextField label="Text that it holds" optional value={c.q ?? ""} onChange={(q) => set({ q })} />
        </>
    );
}

function picked(id: string | undefined): Picked | null {
    return id ? { id, connector: "", name: id } : null;
}

// The name is kept beside the uid only while the form is open; what is saved is the uid.
function EndPicker({
    label,
    kinds,
    id,
    onPick,
    connector,
}: {
    label: string;
    kinds?: string;
    id?: string;
    connector?: string;
    onPick: (p: Picked | null) => void;
}) {
    const [shown, setShown] = useState<Picked | null>(null);
    const value = shown?.id === id ? shown : picked(id);
    return (
        <PartyPicker
            label={label}
            kinds={kinds}
            connector={connector}
            value={value}
            onPick={(p) => {
                setShown(p);
                onPick(p);
            }}
        />
    );
}

function ConditionFields({ c, set }: { c: Condition; set: Set }) {
    if (c.type === "change") return <ChangeCondition c={c} set={set} />;
    if (c.type === "silence")
        return (
            <TextField
                label="Hours without a successful run"
                value={String(c.hours ?? 24)}
                onChange={(h) => set({ hours: Number(h.replace(/[^0-9]/g, "")) || 0 })}
            />
        );
    const pick = (key: "group" | "target") => (p: Picked | null) => set({ [key]: p?.id, ...(p?.connector ? { connector: p.connector } : {}) });
    if (c.type === "access")
        return (
            <>
                <RightPicker value={c.right ?? ""} onChange={(right) => set({ right })} />
                <EndPicker label="On which object" id={c.target} connector={c.connector} onPick={pick("target")} />
            </>
        );
    return (
        <>
            <EndPicker label="Group" kinds="group,role" id={c.group} connector={c.connector} onPick={pick("group")} />
            <SelectField
                label="When somebody"
                value={c.change ?? "both"}
                options={[
                    { value: "both", label: "Joins or leaves" },
                    { value: "added", label: "Joins" },
                    { value: "removed", label: "Leaves" },
                ]}
                onChange={(change) => set({ change: change as Condition["change"] })}
            />
            <Checkbox label="Also through groups inside it" checked={c.nested ?? true} onChange={(nested) => set({ nested })} />
        </>
    );
}

// first: as the server has it; another address removes the secret that goes with that one.
function DestinationFields({ first, d, set }: { first: Destination; d: Destination; set: (d: Destination) => void }) {
    const isAllowed = can("operator");
    const isSet = typeof first.secret === "object" && first.secret.set && first.type === d.type && first.url === d.url;
    return (
        <fieldset class="form" disabled={!isAllowed}>
            <SelectField
                label="Deliver to"
                description={isAllowed ? undefined : "Operators choose where alerts are sent; they are always on this page."}
                value={d.type}
                options={[
                    { value: "none", label: "This page only" },
                    ...(isAllowed || d.type === "webhook" ? [{ value: "webhook", label: "Webhook (HTTPS POST)" }] : []),
                    ...(isAllowed || d.type === "file" ? [{ value: "file", label: "File (a line of JSON each)" }] : []),
                ]}
                onChange={(type) => set({ type: type as Destination["type"] })}
            />
            {d.type === "webhook" && (
                <TextField label="Address" value={d.url ?? ""} placeholder="https://hooks.example/rollcall" onChange={(url) => set({ ...d, url })} />
            )}
            {d.type === "webhook" && (
                <PasswordField
                    label="Signing secret"
                    optional
                    description={
                        isSet
                            ? "One is set; enter another one to replace it."
                            : "The body is signed with it (HMAC-SHA-256), so that the receiver knows who sent it."
                    }
                    value={typeof d.secret === "string" ? d.secret : ""}
                    onChange={(secret) => set({ ...d, secret: secret === "" ? undefined : secret })}
                />
            )}
            {d.type === "file" && (
                <TextField
                    label="Path on the server"
                    value={d.path ?? ""}
                    placeholder="/var/log/rollcall/alerts.jsonl"
                    onChange={(path) => set({ ...d, path })}
                />
            )}
        </fieldset>
    );
}

const THROTTLE = "1h"; // where nothing is entered

function bodyOf(rule: Rule): Record<string, unknown> {
    const { secret, ...rest } = rule.destination;
    const destination = typeof secret === "string" ? { ...rest, secret } : rest;
    const body = {
        name: rule.name.trim(),
        severity: rule.severity,
        enabled: rule.enabled,
        condition: conditionOf(rule.condition),
        throttle: rule.throttle || THROTTLE,
        destination,
    };
    return rule.id === "" ? body : { ...body, version: rule.version };
}

function Trial({ rule }: { rule: Rule }) {
    const [days, setDays] = useState("30");
    const [told, setTold] = useState<{ fired: Fired[]; n: number; note?: string } | null>(null);
    const { error, guarded } = useGuarded();
    const run = () =>
        guarded(async () => {
            setTold(null);
            setTold(await post("/alerts/trial", { rule: bodyOf({ ...rule, id: "", name: rule.name || "trial" }), days: Number(days) }));
        });
    return (
        <Card title="Try it on what has happened" id="trial">
            <div class="row">
                <SelectField
                    label="Over"
                    value={days}
                    options={["1", "7", "30", "90"].map((d) => ({ value: d, label: d === "1" ? "the last day" : `the last ${d} days` }))}
                    onChange={setDays}
                />
                <Button icon="play" onClick={run} disabled={!isWhole({ ...rule, name: rule.name || "trial" })}>
                    Trial run
                </Button>
            </div>
            {error !== undefined && <ErrorBox error={error} />}
            <div aria-live="polite">
                {told && (
                    <Status
                        tone={told.n > 0 ? "info" : "off"}
                    >{`It would have fired ${told.n === 1 ? "once" : `${told.n} times`}. Nothing was sent.`}</Status>
                )}
            </div>
            {told?.note && (
                <p class="muted">
                    <Text>{told.note}</Text>
                </p>
            )}
            {told && (
                <ul class="lines">
                    {told.fired.map((f, i) => (
                        <li key={i} class="fired">
                            <Time at={f.time} /> <Text class="strong wrap">{f.title}</Text> <Text class="muted wrap">{f.detail}</Text>
                        </li>
                    ))}
                </ul>
            )}
        </Card>
    );
}

export function RuleForm({ rule: first }: { rule: Rule }) {
    const [rule, setRule] = useState(first);
    const { error, isBusy, guarded } = useGuarded();
    const connectors = useGet<List<Connector>>("/connectors").data?.items ?? [];
    const c = rule.condition;
    const set: Set = (change) => setRule({ ...rule, condition: { ...c, ...change } });
    const chooseConnector = (connector: string) => set({ connector, group: undefined, target: undefined }); // these were of the other one
    const needsConnector = c.type !== "change";
    const save = (event: Event) => {
        event.preventDefault();
        void guarded(async () => {
            if (rule.id === "") await post("/alerts/rules", bodyOf(rule));
            else await put(`/alerts/rules/${segment(rule.id)}`, bodyOf(rule));
            toast(`${rule.name} is saved`, "good");
            go("#/alerts/rules");
        });
    };
    return (
        <div class="grid-2">
            <form class="form" onSubmit={save}>
                <RadioChoice
                    label="What to watch"
                    value={c.type}
                    onChange={(type) => setRule({ ...rule, condition: { type: type as Condition["type"], connector: c.connector } })}
                    options={CONDITIONS.map((o) => ({ value: o.type, label: o.title, help: o.help }))}
                />
                <SelectField
                    label="Connector"
                    required={needsConnector}
                    value={c.connector ?? ""}
                    options={[{ value: "", label: needsConnector ? "Choose" : "All" }, ...connectors.map((x) => ({ value: x.name, label: x.name }))]}
                    onChange={chooseConnector}
                />
                <ConditionFields key={c.type} c={c} set={set} />
                <TextField label="Name of the rule" value={rule.name} onChange={(name) => setRule({ ...rule, name })} required />
                <SelectField
                    label="Severity"
                    value={rule.severity}
                    options={SEVERITY_ORDER.map((s) => ({ value: s, label: SEVERITIES[s] ?? s }))}
                    onChange={(s) => setRule({ ...rule, severity: s as Severity })}
                />
                <DurationField
                    label="At most one alert every"
                    help="What happens in between is counted into the next one."
                    value={rule.throttle}
                    fallback={THROTTLE}
                    problem={null}
                    onChange={(t) => setRule({ ...rule, throttle: t ?? "" })}
                    onBlur={() => undefined}
                />
                <DestinationFields first={first.destination} d={rule.destination} set={(destination) => setRule({ ...rule, destination })} />
                <Checkbox label="Switched on" checked={rule.enabled} onChange={(enabled) => setRule({ ...rule, enabled })} />
                <Notice title="It fires when">
                    <Text>{conditionText(conditionOf(c))}</Text>
                </Notice>
                {error !== undefined && <ErrorBox error={error} />}
                <div class="row">
                    <LinkButton href="#/alerts/rules">Cancel</LinkButton>
                    <Button variant="primary" type="submit" disabled={!isWhole(rule)} busy={isBusy}>
                        {rule.id === "" ? "Create the rule" : "Save"}
                    </Button>
                </div>
            </form>
            <Trial rule={rule} />
        </div>
    );
}
