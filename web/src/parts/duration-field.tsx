// duration-field.tsx - "15m" as a number and a unit; empty: the default.
import { useState } from "preact/hooks";
import type { FieldProblem } from "../lib/types";
import { Field, Select } from "../ui/field";

const UNITS = [
    { value: "s", label: "seconds" },
    { value: "m", label: "minutes" },
    { value: "h", label: "hours" },
    { value: "d", label: "days" },
];

function numberIn(text: string): string {
    return /^[0-9]*/.exec(text)?.[0] ?? "";
}

function unitIn(text: string): string | undefined {
    return /[smhd]$/.exec(text)?.[0];
}

// What is typed, as a duration; undefined: nothing.
export function durationOf(typed: string, unit: string): string | undefined {
    const digits = typed.replace(/[^0-9]/g, "");
    return digits === "" ? undefined : digits + unit;
}

// The unit of the value; without a value the one that was last seen.
export function unitOf(value: string, before: string): string {
    return unitIn(value) ?? before;
}

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
    const [lastUnit, setUnit] = useState(unitIn(value) ?? unitIn(fallback) ?? "h");
    const number = numberIn(value);
    const unit = unitOf(value, lastUnit);
    const type = (input: HTMLInputElement) => {
        const to = durationOf(input.value, unit);
        input.value = numberIn(to ?? ""); // what is no digit goes also where nothing else changes
        setUnit(unit);
        onChange(to);
    };
    const choose = (to: string) => {
        setUnit(to);
        onChange((number || numberIn(fallback) || "1") + to);
    };
    return (
        <Field label={label} description={help} problem={problem}>
            {(aria) => (
                <div class="input-row duration">
                    <input
                        {...aria}
                        inputMode="numeric"
                        value={number}
                        placeholder={numberIn(fallback) || undefined}
                        onBlur={onBlur}
                        onInput={(e) => type(e.currentTarget)}
                    />
                    <Select
                        aria={{ "aria-label": `${label}: unit` }}
                        value={unit}
                        options={UNITS}
                        onChange={choose}
                    />
                </div>
            )}
        </Field>
    );
}
