// field.tsx - one labelled input with its description, error and hint, tied together for screen readers.
//   <Field label="Host" required description="Name of a domain controller" problem={problems.host}>
//       {(a) => <input {...a} value={v} onInput={(e) => set(e.currentTarget.value)} />}
//   </Field>
// The function gets id, aria-describedby, aria-invalid, required; it returns an input, select or textarea.
import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";
import type { FieldProblem } from "../lib/types";
import { plain } from "../lib/visible";
import { Button } from "./basic";
import { Icon } from "./icon";
import { Text } from "./text";

export interface FieldAria {
    id: string;
    "aria-describedby"?: string;
    "aria-invalid"?: boolean;
    required?: boolean;
}

export function Field({ label, description, problem, required, children, optional, wide }: {
    label: ComponentChildren; description?: ComponentChildren; problem?: FieldProblem | null; required?: boolean; optional?: boolean; wide?: boolean;
    children: (aria: FieldAria) => ComponentChildren;
}) {
    const id = useId();
    const isError = problem != null && (problem.severity ?? "error") === "error";
    const described = [description !== undefined && `${id}-d`, problem != null && `${id}-p`].filter(Boolean).join(" ");
    return (
        <div class={`field ${isError ? "invalid" : ""} ${wide ? "wide" : ""}`}>
            <label for={id}>
                {label}
                {required && <span class="required" aria-hidden="true"> *</span>}
                {optional && <span class="muted"> (optional)</span>}
            </label>
            {description !== undefined && <p class="description" id={`${id}-d`}>{description}</p>}
            {children({ id, "aria-describedby": described === "" ? undefined : described, "aria-invalid": isError || undefined, required })}
            {problem != null && <FieldMessage id={`${id}-p`} problem={problem} />}
        </div>
    );
}

export function FieldMessage({ id, problem }: { id?: string; problem: FieldProblem }) {
    const tone = (problem.severity ?? "error") === "error" ? "bad" : problem.severity === "warning" ? "warn" : "info";
    return (
        <p class={`field-message ${tone}`} id={id}>
            <Icon name={tone} />
            <span><Text>{problem.message}</Text>{problem.hint !== undefined && problem.hint !== "" && <> <span class="fix"><Text>{problem.hint}</Text></span></>}</span>
        </p>
    );
}

// A labelled box to tick.
export function Checkbox({ label, description, checked, onChange, disabled, problem }: {
    label: ComponentChildren; description?: ComponentChildren; checked: boolean; onChange: (to: boolean) => void; disabled?: boolean; problem?: FieldProblem | null;
}) {
    const id = useId();
    return (
        <div class="field check">
            <label for={id}>
                <input id={id} type="checkbox" checked={checked} disabled={disabled} aria-describedby={description !== undefined ? `${id}-d` : undefined}
                       onChange={(e) => onChange(e.currentTarget.checked)} />
                <span>{label}</span>
            </label>
            {description !== undefined && <p class="description" id={`${id}-d`}>{description}</p>}
            {problem != null && <FieldMessage problem={problem} />}
        </div>
    );
}

// On or off, at once.
export function Switch({ label, checked, onChange, disabled, hideLabel }: {
    label: string; checked: boolean; onChange: (to: boolean) => void | Promise<unknown>; disabled?: boolean; hideLabel?: boolean;
}) {
    return (
        <button type="button" role="switch" aria-checked={checked} aria-label={hideLabel ? label : undefined} title={hideLabel ? label : undefined} disabled={disabled} class="switch"
                onClick={() => void onChange(!checked)}>
            <span class="switch-track" aria-hidden="true"><span class="switch-knob" /></span>
            {!hideLabel && <span>{label}</span>}
        </button>
    );
}

// A secret being typed: hidden, can be shown; never filled by the browser from elsewhere.
export function SecretInput({ aria, value, onInput, placeholder, autocomplete = "new-password" }: {
    aria: FieldAria; value: string; onInput: (to: string) => void; placeholder?: string; autocomplete?: "new-password" | "current-password" | "off";
}) {
    const [isShown, setShown] = useState(false);
    return (
        <div class="input-row">
            <input {...aria} type={(isShown ? "text" : "password") as "password"} value={value} placeholder={placeholder} autocomplete={autocomplete}
                   spellcheck={false} autocapitalize="off" onInput={(e) => onInput(e.currentTarget.value)} />
            <Button small pressed={isShown} label={isShown ? "Hide the secret" : "Show the secret"} onClick={() => setShown(!isShown)}>{isShown ? "Hide" : "Show"}</Button>
        </div>
    );
}

export interface Choice {
    value: string;
    label: string;
}

export function Select({ aria, value, options, onChange, disabled }: {
    aria?: Partial<FieldAria> & { "aria-label"?: string }; value: string; options: Choice[]; onChange: (to: string) => void; disabled?: boolean;
}) {
    return (
        <select {...aria} value={value} disabled={disabled} onChange={(e) => onChange(e.currentTarget.value)}>
            {options.map((o) => <option value={o.value} selected={o.value === value}>{plain(o.label)}</option>)}
        </select>
    );
}

// Exactly one of a few, side by side.
export function Segmented({ label, value, options, onChange }: { label: string; value: string; options: Choice[]; onChange: (to: string) => void }) {
    const name = useId();
    return (
        <fieldset class="segmented">
            <legend class="sr-only">{label}</legend>
            {options.map((o) => (
                <label class={o.value === value ? "chosen" : ""}>
                    <input type="radio" name={name} value={o.value} checked={o.value === value} onChange={() => onChange(o.value)} />
                    <span>{o.label}</span>
                </label>
            ))}
        </fieldset>
    );
}
