// inputs.tsx - the inputs of forms on top of ui/field.tsx: a line of text, a password, a text of several lines, a number, one of a few, a list with a line each.
import { useId } from "preact/hooks";
import type { ComponentChildren } from "preact";
import type { FieldProblem } from "../lib/types";
import { Field, FieldMessage, SecretInput, Select, type Choice } from "../ui/field";

interface Common {
    label: ComponentChildren;
    description?: ComponentChildren;
    problem?: FieldProblem | null;
    required?: boolean;
    optional?: boolean;
    onBlur?: () => void;
    wide?: boolean;
}

interface TextProps extends Common {
    value: string;
    onChange: (to: string) => void;
    placeholder?: string;
    autocomplete?: "off" | "username" | "current-password" | "new-password";
    type?: "text" | "number" | "password" | "datetime-local" | "search";
    after?: ComponentChildren; // a button beside the input
    name?: string;
    autofocus?: boolean;
    disabled?: boolean;
}

export function TextField(p: TextProps) {
    return (
        <Field label={p.label} description={p.description} problem={p.problem} required={p.required} optional={p.optional} wide={p.wide}>
            {(aria) => (
                <div class="input-row">
                    <input
                        {...aria}
                        type={(p.type ?? "text") as "text"}
                        name={p.name}
                        value={p.value}
                        placeholder={p.placeholder}
                        disabled={p.disabled}
                        autocomplete={p.autocomplete ?? "off"}
                        spellcheck={false}
                        autocapitalize="off"
                        data-autofocus={p.autofocus ? "" : undefined}
                        onInput={(e) => p.onChange(e.currentTarget.value)}
                        onBlur={p.onBlur}
                    />
                    {p.after}
                </div>
            )}
        </Field>
    );
}

export function PasswordField(p: Omit<Common, "onBlur"> & { value: string; onChange: (to: string) => void; autocomplete?: "current-password" }) {
    return (
        <Field label={p.label} description={p.description} problem={p.problem} required={p.required} optional={p.optional} wide={p.wide}>
            {(aria) => <SecretInput aria={aria} value={p.value} onInput={p.onChange} autocomplete={p.autocomplete} />}
        </Field>
    );
}

export function TextArea(p: Common & { value: string; onChange: (to: string) => void; rows?: number; placeholder?: string }) {
    return (
        <Field label={p.label} description={p.description} problem={p.problem} required={p.required} optional={p.optional} wide={p.wide}>
            {(aria) => (
                <textarea
                    {...aria}
                    rows={p.rows ?? 4}
                    value={p.value}
                    placeholder={p.placeholder}
                    spellcheck={false}
                    onInput={(e) => p.onChange(e.currentTarget.value)}
                    onBlur={p.onBlur}
                />
            )}
        </Field>
    );
}

export function SelectField(p: Common & { value: string; options: Choice[]; onChange: (to: string) => void }) {
    return (
        <Field label={p.label} description={p.description} problem={p.problem} required={p.required} optional={p.optional}>
            {(aria) => <Select aria={aria} value={p.value} options={p.options} onChange={p.onChange} />}
        </Field>
    );
}

// One text a line. What is being typed may end with a newline, so empty lines are dropped only by whoever sends it (trimmedLines).
export function LinesField(p: Common & { value: string[]; onChange: (to: string[]) => void; placeholder?: string }) {
    return (
        <TextArea
            {...p}
            rows={Math.min(6, Math.max(2, p.value.length + 1))}
            value={p.value.join("\n")}
            onChange={(text) => p.onChange(text === "" ? [] : text.split("\n"))}
        />
    );
}

export interface RadioOption {
    value: string;
    label: ComponentChildren;
    help?: ComponentChildren;
}

export function RadioChoice(p: {
    label: ComponentChildren;
    description?: ComponentChildren;
    value: string;
    options: RadioOption[];
    onChange: (to: string) => void;
    problem?: FieldProblem | null;
}) {
    const name = useId();
    return (
        <fieldset class="radio-choice" aria-describedby={p.description !== undefined ? `${name}-d` : undefined}>
            <legend>{p.label}</legend>
            {p.description !== undefined && (
                <p class="description" id={`${name}-d`}>
                    {p.description}
                </p>
            )}
            {p.options.map((o) => (
                <label key={o.value} class="radio-option">
                    <input type="radio" name={name} value={o.value} checked={o.value === p.value} onChange={() => p.onChange(o.value)} />
                    <span>
                        {o.label}
                        {o.help !== undefined && <span class="radio-help">{o.help}</span>}
                    </span>
                </label>
            ))}
            {p.problem != null && <FieldMessage problem={p.problem} />}
        </fieldset>
    );
}
