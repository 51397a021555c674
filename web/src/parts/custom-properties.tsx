// custom-properties.tsx - attributes of the organisation's own schema: name, kind, type; a row each.
import type { FieldProblem } from "../lib/types";
import { kindName, words } from "../lib/strings";
import { Button } from "../ui/basic";
import { FieldMessage, Select } from "../ui/field";
import type { CustomProperty, Property } from "./spec";

interface Props {
    label: string;
    help?: string;
    property: Property;
    value: CustomProperty[];
    problem: FieldProblem | null;
    onChange: (to: CustomProperty[]) => void;
    onBlur: () => void;
}

export function CustomProperties({ label, help, property, value, problem, onChange, onBlur }: Props) {
    const kinds = property.items?.properties?.kind?.enum ?? ["user"];
    const types = property.items?.properties?.type?.enum ?? ["string"];
    const set = (i: number, change: Partial<CustomProperty>) => onChange(value.map((row, at) => (at === i ? { ...row, ...change } : row)));
    return (
        <fieldset class="rows-editor" onFocusOut={onBlur}>
            <legend>{label}</legend>
            {help !== undefined && <p class="description">{help}</p>}
            {value.map((row, i) => (
                <div class="rows-editor-row" key={i}>
                    <input
                        aria-label={`Attribute name of property ${i + 1}`}
                        placeholder="badgeNumber"
                        value={row.name}
                        spellcheck={false}
                        onInput={(e) => set(i, { name: e.currentTarget.value.trim() })}
                    />
                    <Select
                        aria={{ "aria-label": `Kind of property ${i + 1}` }}
                        value={row.kind}
                        options={kinds.map((k) => ({ value: k, label: kindName(k) }))}
                        onChange={(kind) => set(i, { kind })}
                    />
                    <Select
                        aria={{ "aria-label": `Type of property ${i + 1}` }}
                        value={row.type}
                        options={types.map((t) => ({ value: t, label: words(t) }))}
                        onChange={(type) => set(i, { type })}
                    />
                    <Button
                        small
                        variant="quiet"
                        icon="trash"
                        label={`Remove property ${row.name || i + 1}`}
                        onClick={() => onChange(value.filter((_, at) => at !== i))}
                    />
                </div>
            ))}
            <Button
                small
                icon="plus"
                onClick={() => onChange([...value, { name: "", kind: kinds[0] ?? "user", type: types[0] ?? "string" }])}
                disabled={value.length >= (property.maxItems ?? 64)}
            >
                Add a property
            </Button>
            {problem !== null && <FieldMessage problem={problem} />}
        </fieldset>
    );
}
