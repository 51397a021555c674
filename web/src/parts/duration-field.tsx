// duration-field.tsx - "15m" as a number and a unit; empty: the default.
import type { FieldProblem } from "../lib/types";
import { Field, Select } from "../ui/field";

const UNITS = [
    { value: "s", label: "seconds" },
    { value: "m", label: "minutes" },
    { value: "h", label: "hours" },
    { value: "d", label: "days" },
];

interface Props {
    label: string;
    help?: string;
    value: string;
    fallback: string;
    problem: FieldProblem | null;
    onChange: (to: string | undefined) => void;
    onBlur: () => void;
}

export function DurationField({ label, help, value, fallback, problem, onChange, onBlur }: Props) {
    const number = /^[0-9]*/.exec(value)?.[0] ?? "";
    const unit = /[smhd]$/.exec(value || fallback)?.[0] ?? "h";
    return (
        <Field label={label} description={help} problem={problem}>
            {(aria) => (
                <div class="input-row duration">
                    <input
                        {...aria}
                        inputMode="numeric"
                        value={number}
                        placeholder={/^[0-9]+/.exec(fallback)?.[0]}
                        onBlur={onBlur}
                        onInput={(e) => onChange(e.currentTarget.value === "" ? undefined : e.currentTarget.value.replace(/[^0-9]/g, "") + unit)}
                    />
                    <Select
                        aria={{ "aria-label": `${label}: unit` }}
                        value={unit}
                        options={UNITS}
                        onChange={(u) => onChange((number || /^[0-9]+/.exec(fallback)?.[0] || "1") + u)}
                    />
                </div>
            )}
        </Field>
    );
}
