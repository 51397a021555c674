// wizard-create.tsx - the last step: what will be made, its test made live, then Create asset connector.
//
// With warnings it can be created; with errors it can only be saved switched off, so that nothing that is known to fail is tried every hour.
import { useState } from "preact/hooks";
import { ApiError, get, post, put, segment } from "../lib/api";
import { go, link } from "../lib/router";
import { words } from "../lib/strings";
import type { Connector, Job, List } from "../lib/types";
import { Button, ErrorBox, LinkButton, Notice } from "../ui/basic";
import { Text } from "../ui/text";
import { toast } from "../ui/toast";
import { forgetDraft, keepTest, keptTest, type Judged } from "./draft";
import { bodyOf, errorsIn, nameOf, tellAll, trialBodyOf, type Form } from "./form";
import { useJob } from "./jobs";
import { labelOf } from "./labels";
import { fieldsOf, pemKey, settingsOf } from "./spec";
import { TestSteps, verdictOf } from "./test-steps";
import { useGuarded } from "../lib/use-guarded";

function valueText(form: Form, key: string, value: unknown): string {
    if (Array.isArray(value)) return value.map((v) => (typeof v === "object" && v !== null ? (v as { name: string }).name : String(v))).join(", ");
    if (typeof value === "boolean") return value ? "yes" : "no";
    return labelOf(form.draft.type, key).choices?.[String(value)] ?? (form.spec.properties[key]?.enum ? words(String(value)) : String(value));
}

function Overview({ form }: { form: Form }) {
    const { draft, spec } = form;
    const settings = settingsOf(spec, draft.values);
    const rows = fieldsOf(spec).filter(
        (f) => settings[f.key] !== undefined || (f.property["x-secret"] && (draft.entered[f.key] || draft.dropped[f.key])) || draft.entered[pemKey(f.key)],
    );
    return (
        <dl class="pairs overview">
            <dt>Name</dt>
            <dd>
                <Text>{nameOf(draft)}</Text>
            </dd>
            {rows.map(({ key }) => (
                <>
                    <dt>{labelOf(draft.type, key).label}</dt>
                    <dd>
                        {settings[key] === undefined ? (
                            <span class="muted">{draft.dropped[key] ? "removed" : "entered"}</span>
                        ) : (
                            <Text class="wrap">{valueText(form, key, settings[key])}</Text>
                        )}
                    </dd>
                </>
            ))}
        </dl>
    );
}

async function store(form: Form, enabled: boolean): Promise<Connector> {
    const body = bodyOf(form);
    const { stored } = form.draft;
    if (stored === null) return post<Connector>("/connectors", { ...body, enabled });
    return put<Connector>(`/connectors/${segment(stored.name)}`, {
        version: stored.version,
        settings: body.settings,
        secrets: body.secrets,
        enabled,
    });
}

// Not a run of a deleted connector that had the same name.
export function isRunOf(c: Pick<Connector, "created">, job: Pick<Job, "queued">): boolean {
    return !c.created || Date.parse(job.queued) >= Date.parse(c.created);
}

// Its newest run: whoever has created a connector wants to see its assets. The scheduler begins it; if it has not yet, this does.
async function begin(c: Connector): Promise<string> {
    const newest = async () => (await get<List<Job>>("/jobs", { connector: c.name, kind: "sync", limit: 1 })).items.find((job) => isRunOf(c, job))?.id;
    let job = await newest();
    if (job === undefined) {
        try {
            job = (await post<{ job: number }>(`/connectors/${segment(c.name)}/sync`)).job;
        } catch (e) {
            if (!(e instanceof ApiError) || e.class !== "CONFLICT") throw e;
            job = await newest();
        }
    }
    return job === undefined ? "#/connectors" : link(["jobs", String(job)]);
}

function Conflict({ error, name }: { error: ApiError; name: string }) {
    return (
        <Notice
            tone="warn"
            live="assertive"
            title="Somebody else has changed this connector meanwhile"
            actions={<LinkButton href={link(["connectors", name])}>See it</LinkButton>}
        >
            <Text>{error.message}</Text>
        </Notice>
    );
}

export function CreateStep({ form, judgeNow, to }: { form: Form; judgeNow: () => Promise<Judged[]>; to: (step: string) => string }) {
    const { draft } = form;
    const key = JSON.stringify(bodyOf(form));
    const [job, setJob] = useState<number | null>(() => keptTest(draft.id, key));
    const { error, guarded } = useGuarded();
    const view = useJob(job);
    const verdict = job === null ? null : verdictOf(view);
    const isNew = draft.stored === null;
    const wrong = errorsIn(form, ["name", ...fieldsOf(form.spec).map((f) => f.key)]);

    const test = () =>
        guarded(async () => {
            tellAll(form);
            await judgeNow();
            const { job: made } = await post<{ job: number }>("/connectors/test", trialBodyOf(form));
            keepTest(draft.id, key, made);
            setJob(made);
        });
    const save = (enabled: boolean) =>
        guarded(async () => {
            const made = await store(form, enabled);
            await forgetDraft(draft.id);
            // It is made, whatever becomes of its run: the form must not be there to make it again.
            const begun = (e: unknown) => {
                toast(e);
                return "#/connectors";
            };
            go(isNew && enabled ? await begin(made).catch(begun) : link(["connectors"]));
        });
    const isGood = verdict === "ok" || verdict === "warn" || (verdict === null && !isNew);
    return (
        <div class="form wide">
            <Overview form={form} />
            {wrong.length > 0 && (
                <Notice
                    tone="bad"
                    title={`Not complete: ${wrong.map((k) => (k === "name" ? "Name" : labelOf(draft.type, k).label)).join(", ")}`}
                    actions={<LinkButton href={to("connect")}>Go back and complete it</LinkButton>}
                />
            )}
            <div class="row">
                <Button variant={verdict === null ? "primary" : "plain"} icon="play" onClick={test} busy={verdict === "running"}>
                    {verdict === null ? "Test connector" : "Test again"}
                </Button>
                <span class="muted">Signs in once and reads a few objects. Nothing is written, here or there.</span>
            </div>
            {job !== null && <TestSteps view={view} connector={draft.name} />}
            {error instanceof ApiError && error.class === "CONFLICT" && !isNew ? (
                <Conflict error={error} name={draft.name} />
            ) : (
                error !== undefined && <ErrorBox error={error} />
            )}
            <div class="row wizard-buttons">
                <LinkButton href={to("scope")} icon="left">
                    Back
                </LinkButton>
                <Button
                    variant={isGood && verdict !== null ? "primary" : "plain"}
                    onClick={() => save(isNew ? true : draft.enabled)}
                    disabled={!isGood || wrong.length > 0}
                >
                    {isNew ? "Create asset connector" : "Save changes"}
                </Button>
                <Button variant="quiet" onClick={() => save(false)}>
                    Save disabled
                </Button>
            </div>
            {!isGood && (
                <p class="muted">
                    {verdict === "fail" ? "The test failed, so it can only be saved switched off." : "Test it first: then it can be created."}
                </p>
            )}
        </div>
    );
}
