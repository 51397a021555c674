// wizard-steps.tsx - the steps of the wizard: what each asks for, and when it lets go on.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { useGet } from "../lib/api";
import type { List } from "../lib/types";
import { Button, ErrorBox, LinkButton, Loading, Notice } from "../ui/basic";
import { Icon } from "../ui/icon";
import { Text } from "../ui/text";
import type { Draft, DraftAction, Judged } from "./draft";
import { errorsIn, leaveField, problemOf, tellAll, toldAll, type Form } from "./form";
import { TextField } from "./inputs";
import { BASIC, BASIC_SCOPE, CONNECT_GROUPS, labelOf, typeLabel } from "./labels";
import { fieldsOf, isDefault, nameWithoutSpaces } from "./spec";
import { SpecFieldInput } from "./spec-field";
export { CreateStep } from "./wizard-create";

interface TypeRow {
    name: string;
    doc: string;
    available: boolean;
}

export function TypeStep({ draft, tell, next }: { draft: Draft; tell: (a: DraftAction) => void; next: () => void }) {
    const { data, error } = useGet<List<TypeRow>>("/connector-types");
    const choose = (type: string) => {
        tell({ do: "type", type });
        next();
    };
    if (error) return <ErrorBox error={error} />;
    if (data === undefined) return <Loading />;
    return (
        <ul class="type-tiles">
            {data?.items.map((t) => (
                <li key={t.name}>
                    <button
                        type="button"
                        class={`type-tile ${draft.type === t.name ? "chosen" : ""}`}
                        disabled={!t.available}
                        aria-pressed={draft.type === t.name}
                        onClick={() => choose(t.name)}
                    >
                        <Icon name="domain" />
                        <strong>{typeLabel(t.name)}</strong>
                        <span class="muted">{t.available ? t.doc : "not in this build"}</span>
                    </button>
                </li>
            ))}
        </ul>
    );
}

interface Keys {
    basic: string[];
    more: string[];
}

// Certificates rarely hold addresses: with one as host the name to look for is nearly always needed.
function needsCertificateName({ draft }: Form): boolean {
    return /^[0-9.]+$|:.*:/.test(String(draft.values.host ?? "").trim());
}

// The fields of a step, in the order of the specification: those that are nearly always needed, and the rest.
function keysOf(form: Form, isConnect: boolean): Keys {
    const fields = fieldsOf(form.spec).filter((f) => CONNECT_GROUPS.includes(f.group) === isConnect);
    const basic = (isConnect ? BASIC : BASIC_SCOPE)[form.draft.type] ?? fields.map((f) => f.key);
    const keys = fields.map((f) => f.key);
    const isBasic = (key: string) => basic.includes(key) || (key === "certificate_name" && needsCertificateName(form));
    return { basic: keys.filter(isBasic), more: keys.filter((k) => !isBasic(k)) };
}

function Name({ form }: { form: Form }) {
    const { draft, tell } = form;
    const isFixed = draft.stored !== null;
    if (isFixed) return null;
    const leave = () => {
        const fixed = nameWithoutSpaces(draft.name);
        if (fixed !== draft.name) tell({ do: "name", name: fixed, byUser: true });
        leaveField(form, "name");
    };
    const willBe = nameWithoutSpaces(draft.name);
    const description =
        willBe !== draft.name
            ? `Will be written as ${willBe}.`
            : "What the connector is called here and on the command line: letters, digits, _ and -.";
    return (
        <TextField
            label="Name"
            description={description}
            value={draft.name}
            required
            problem={problemOf(form, "name")}
            onChange={(name) => tell({ do: "name", name, byUser: true })}
            onBlur={leave}
        />
    );
}

function More({ form, keys }: { form: Form; keys: string[] }) {
    const isBad = toldAll(form.draft) && errorsIn(form, keys).length > 0;
    const isSet = keys.some((k) => form.draft.values[k] !== undefined && !isDefault(form.spec, form.draft.values, k));
    const [isOpen, setOpen] = useState(isBad || isSet);
    // It opens by itself, before what is wrong in it gets the focus, and stays so when its last field is taken back: that one is being typed into.
    useLayoutEffect(() => {
        if (isBad || isSet) setOpen(true);
    }, [isBad, isSet]);
    return (
        <details class="more-settings" open={isOpen} onToggle={(e) => setOpen(e.currentTarget.open)}>
            <summary>More settings</summary>
            {keys.map((key) => (
                <SpecFieldInput key={key} form={form} name={key} />
            ))}
        </details>
    );
}

interface StepProps {
    form: Form;
    judgeNow: () => Promise<Judged[]>;
    next: () => void;
    back: string | null;
}

// What is wrong is told beside the fields, and once above them for whoever does not see the page as a whole.
function Summary({ form, keys }: { form: Form; keys: string[] }) {
    if (!toldAll(form.draft)) return null;
    const bad = errorsIn(form, keys);
    if (bad.length === 0) return null;
    const names = bad.filter((key) => key !== "").map((key) => (key === "name" ? "Name" : labelOf(form.draft.type, key).label));
    const whole = form.draft.problems.find((p) => p.key === "" && p.severity === "error");
    if (whole)
        return (
            <Notice tone="bad" live="assertive" title={<Text>{whole.message}</Text>}>
                <Text>{whole.hint}</Text>
            </Notice>
        );
    return (
        <Notice
            tone="bad"
            live="assertive"
            title={`${bad.length === 1 ? "One field needs" : `${names.length} fields need`} another look: ${names.join(", ")}`}
        />
    );
}

function useNext({ form, judgeNow, next }: StepProps, keys: string[]) {
    const root = useRef<HTMLFormElement>(null);
    const [isBusy, setBusy] = useState(false);
    const submit = async (event: Event) => {
        event.preventDefault();
        if (isBusy) return;
        setBusy(true);
        tellAll(form);
        const problems = await judgeNow().catch(() => form.draft.problems); // without an answer what is known has to do; Create asks again
        setBusy(false);
        if (errorsIn({ ...form, draft: { ...form.draft, problems } }, keys).length === 0) next();
        else setTimeout(() => root.current?.querySelector<HTMLElement>("[aria-invalid=true], .invalid input, .field-message.bad")?.focus(), 50);
    };
    return { root, isBusy, submit };
}

function StepForm(props: StepProps & { keys: Keys; withName: boolean }) {
    const { form, keys } = props;
    const all = ["", ...(props.withName ? ["name"] : []), ...keys.basic, ...keys.more];
    const { root, isBusy, submit } = useNext(props, all);
    return (
        <form class="form" ref={root} noValidate onSubmit={(e) => void submit(e)}>
            <Summary form={form} keys={all} />
            {keys.basic.map((key, i) => (
                <>
                    <SpecFieldInput key={key} form={form} name={key} />
                    {i === 0 && props.withName && <Name form={form} />}
                </>
            ))}
            {keys.more.length > 0 && <More form={form} keys={keys.more} />}
            <div class="row wizard-buttons">
                {props.back !== null && (
                    <LinkButton href={props.back} icon="left">
                        Back
                    </LinkButton>
                )}
                <Button type="submit" variant="primary" busy={isBusy}>
                    Next
                </Button>
            </div>
        </form>
    );
}

export function ConnectStep(props: StepProps) {
    return <StepForm {...props} keys={keysOf(props.form, true)} withName={props.form.draft.stored === null} />;
}

export function ScopeStep(props: StepProps) {
    return <StepForm {...props} keys={keysOf(props.form, false)} withName={false} />;
}
