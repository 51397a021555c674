// spec-field.tsx - one field of a connector, drawn as its specification says; some keys have an input of their own.
import { useState } from "preact/hooks";
import { can } from "../lib/session";
import { words } from "../lib/strings";
import { Button } from "../ui/basic";
import { Checkbox } from "../ui/field";
import { BaseDnPicker } from "./base-dn-picker";
import { CertificateField } from "./certificate-field";
import { Controllers } from "./controllers";
import { CustomProperties } from "./custom-properties";
import { DurationField } from "./duration-field";
import { leaveField, problemOf, type Form } from "./form";
import { LinesField, SelectField, TextField } from "./inputs";
import { labelOf } from "./labels";
import { SecretField } from "./secret-field";
import { isEmpty, isForAdmin, isRequired, isShown, nameFrom, type CustomProperty, type Property, type Value } from "./spec";

interface FieldProps {
    form: Form;
    name: string;
    property: Property;
}

interface Bound {
    label: string;
    description?: string;
    problem: ReturnType<typeof problemOf>;
    required: boolean;
    onBlur: () => void;
    set: (value: Value) => void;
    value: Value;
}

function bind({ form, name }: FieldProps): Bound {
    const { draft, tell } = form;
    const { label, help } = labelOf(draft.type, name);
    return {
        label,
        description: help,
        value: draft.values[name],
        problem: problemOf(form, name),
        required: isRequired(form.spec, draft.values, name),
        set: (value) => tell({ do: "set", key: name, value }),
        onBlur: () => leaveField(form, name),
    };
}

const FOR_ADMIN = "Only an administrator may set it.";

/** What is not this user's to enter; what an administrator has entered can be seen, kept and taken away. */
const isDenied = (property: Property, value: string | boolean): boolean => isForAdmin(property, value) && !can("admin");

function Choose(props: FieldProps) {
    const b = bind(props);
    const { property, form, name } = props;
    const named = labelOf(form.draft.type, name).choices ?? {};
    const value = String(b.value ?? property.default ?? "");
    const [first] = useState(value);
    const options = (property.enum ?? [])
        .filter((one) => one === first || !isDenied(property, one))
        .map((one) => ({ value: one, label: named[one] ?? words(one) }));
    const change = (to: string) => {
        b.set(to === property.default ? undefined : to);
        // A port that only follows from the security goes on following it.
        if (name === "security" && [636, 389].includes(Number(form.draft.values.port))) form.tell({ do: "set", key: "port", value: undefined });
        b.onBlur();
    };
    return <SelectField label={b.label} description={b.description} problem={b.problem} value={value} options={options} onChange={change} />;
}

function Tick(props: FieldProps) {
    const b = bind(props);
    const fallback = props.property.default === true;
    const checked = typeof b.value === "boolean" ? b.value : fallback;
    const [isFixed] = useState(isDenied(props.property, !checked));
    const help = b.description ?? props.property.description;
    const change = (to: boolean) => {
        b.set(to === fallback ? undefined : to);
        b.onBlur();
    };
    return (
        <Checkbox
            label={b.label}
            description={isFixed ? `${help ?? ""} ${FOR_ADMIN}` : help}
            checked={checked}
            disabled={isFixed}
            onChange={change}
            problem={b.problem}
        />
    );
}

function Lines(props: FieldProps) {
    const b = bind(props);
    return (
        <LinesField
            {...b}
            description={`${b.description ?? ""} One a line.`}
            value={Array.isArray(b.value) ? b.value.map(String) : []}
            onChange={b.set}
            placeholder={props.property.examples?.[0]?.replace(/[[\]"]/g, "")}
        />
    );
}

function Line(props: FieldProps) {
    const b = bind(props);
    const { form, name, property } = props;
    const [isOpen, setOpen] = useState(false);
    const [isFixed] = useState(isEmpty(b.value) && isDenied(property, ""));
    const isNumber = property.type === "integer";
    const change = (text: string) => {
        const typed = text.trim() === "" ? undefined : isNumber && /^[0-9]+$/.test(text.trim()) ? Number(text) : text;
        b.set(typed);
        if (name === "domain") form.tell({ do: "name", name: nameFrom(text.trim()), byUser: false });
    };
    const leave = () => {
        if (typeof b.value === "string" && b.value !== b.value.trim()) b.set(b.value.trim() || undefined);
        b.onBlur();
    };
    const canAsk = form.draft.type === "active_directory";
    const button =
        canAsk && name === "host" ? (
            <Button onClick={() => setOpen(true)} disabled={!form.draft.values.domain} title="Finds the domain's controllers by DNS">
                Discover
            </Button>
        ) : canAsk && name === "base_dn" ? (
            <Button onClick={() => setOpen(true)} icon="folder">
                Browse…
            </Button>
        ) : undefined;
    const fallback = property.default === undefined ? "" : String(property.default);
    return (
        <>
            <TextField
                {...b}
                description={isFixed ? `${b.description ?? ""} ${FOR_ADMIN}` : b.description}
                disabled={isFixed}
                value={String(b.value ?? "")}
                onChange={change}
                onBlur={leave}
                after={button}
                placeholder={property.examples?.[0] ?? fallback}
            />
            {isOpen && name === "host" && <Controllers form={form} onClose={() => setOpen(false)} />}
            {isOpen && name === "base_dn" && (
                <BaseDnPicker
                    form={form}
                    onClose={() => setOpen(false)}
                    onPick={(dn) => {
                        b.set(dn === "" ? undefined : dn);
                        b.onBlur();
                    }}
                />
            )}
        </>
    );
}

const DURATION = "^[0-9]{1,8}[smhd]$";

export function SpecFieldInput({ form, name }: { form: Form; name: string }) {
    const property = form.spec.properties[name];
    if (!property || !isShown(form.spec, form.draft.values, name)) return null;
    const props = { form, name, property };
    if (property["x-secret"]) return <SecretField form={form} name={name} />;
    if (name === "ca_certificate" || name === "client_certificate") return <CertificateField form={form} name={name} />;
    if (property.type === "array" && property.items?.type === "object") {
        const b = bind(props);
        return (
            <CustomProperties
                {...b}
                help={b.description}
                property={property}
                value={(b.value as CustomProperty[] | undefined) ?? []}
                onChange={(rows) => b.set(rows.length ? rows : undefined)}
            />
        );
    }
    if (property.type === "array") return <Lines {...props} />;
    if (property.type === "boolean") return <Tick {...props} />;
    if (property.enum) return <Choose {...props} />;
    if (property.pattern === DURATION) {
        const b = bind(props);
        return (
            <DurationField
                label={b.label}
                help={b.description}
                value={String(b.value ?? "")}
                fallback={String(property.default ?? "")}
                problem={b.problem}
                onChange={b.set}
                onBlur={b.onBlur}
            />
        );
    }
    return <Line {...props} />;
}
