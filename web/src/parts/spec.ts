// spec - a connector's specification (the JSON Schema of `rollcall connector spec`) as the fields of a form.
//
// What is shown, asked for and sent is decided here, without any drawing: the same schema is what the command line validates with.

export interface Property {
    type?: "string" | "integer" | "boolean" | "array" | "object";
    const?: string;
    enum?: string[];
    pattern?: string;
    minimum?: number;
    maximum?: number;
    description?: string;
    default?: unknown;
    examples?: string[];
    items?: Property & { properties?: Record<string, Property>; required?: string[] };
    maxItems?: number;
    "x-order"?: number;
    "x-group"?: string;
    "x-secret"?: boolean;
    "x-path"?: boolean;
    "x-admin"?: true | (string | boolean)[];
    "x-show-if"?: Record<string, string[]>;
}

interface Condition {
    if: { properties: Record<string, { enum: string[] }>; required?: string[] };
    then: { required: string[] };
}

export interface Spec {
    title: string;
    description?: string;
    properties: Record<string, Property>;
    required?: string[];
    allOf?: Condition[];
}

export type Value = string | number | boolean | string[] | CustomProperty[] | undefined;
export type Values = Record<string, Value>;
export interface CustomProperty {
    name: string;
    kind: string;
    type: string;
}

export interface SpecField {
    key: string;
    group: string;
    property: Property;
}

/** The fields in their order, without `type`, which is the connector's own. */
export function fieldsOf(spec: Spec): SpecField[] {
    return Object.entries(spec.properties)
        .filter(([key]) => key !== "type")
        .map(([key, property]) => ({ key, property, group: property["x-group"] ?? "Other" }))
        .sort((a, b) => (a.property["x-order"] ?? 0) - (b.property["x-order"] ?? 0));
}

/** What holds if nothing is entered. */
export const effective = (spec: Spec, values: Values, key: string): unknown => values[key] ?? spec.properties[key]?.default;

export function isShown(spec: Spec, values: Values, key: string): boolean {
    const conditions = spec.properties[key]?.["x-show-if"] ?? {};
    return Object.entries(conditions).every(([other, wanted]) => wanted.includes(String(effective(spec, values, other) ?? "")));
}

export function isRequired(spec: Spec, values: Values, key: string): boolean {
    if (spec.required?.includes(key)) return true;
    return (spec.allOf ?? []).some(
        (rule) =>
            rule.then.required.includes(key) &&
            Object.entries(rule.if.properties).every(([other, test]) => test.enum.includes(String(effective(spec, values, other) ?? ""))),
    );
}

/** Is this for an administrator to enter? */
export function isForAdmin(property: Property, value: string | boolean): boolean {
    const kept = property["x-admin"];
    return kept === true || (kept?.includes(value) ?? false);
}

export const isEmpty = (value: unknown): boolean =>
    value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);

export function isDefault(spec: Spec, values: Values, key: string): boolean {
    return JSON.stringify(values[key]) === JSON.stringify(spec.properties[key]?.default);
}

/** What is sent: no empty values, no defaults, nothing of a field that is not shown. The form keeps those, so that going back loses nothing. */
export function settingsOf(spec: Spec, values: Values): Values {
    const settings: Values = {};
    for (const { key } of fieldsOf(spec))
        if (!isEmpty(values[key]) && !isDefault(spec, values, key) && isShown(spec, values, key)) settings[key] = values[key];
    return settings;
}

/** A certificate that is pasted travels as a secret of this name (docs/api.md). */
export const pemKey = (key: string): string => `${key}_pem`;

/** Entered secrets of fields that are shown and have no reference; of a pasted certificate, and of a stored secret that is dropped, also that it was taken away (""). */
export function secretsOf(spec: Spec, values: Values, entered: Record<string, string>, dropped: Record<string, true> = {}): Record<string, string> {
    const secrets: Record<string, string> = {};
    for (const [key, value] of Object.entries(entered)) {
        const field = key.replace(/_pem$/, "");
        if ((value !== "" || field !== key) && isEmpty(values[field]) && isShown(spec, values, field)) secrets[key] = value;
    }
    for (const key of Object.keys(dropped)) if (isEmpty(values[key]) && isShown(spec, values, key)) secrets[key] = "";
    return secrets;
}

export const isPem = (text: unknown): boolean => typeof text === "string" && text.includes("-----BEGIN ");

/** What an entered secret is bound to (docs/api.md): where it goes, as whom, and whom the connection trusts. When one of these changes, it must be entered again. */
const BOUND_GROUPS = ["Connection", "Sign-in", "Availability"];

/** The port follows from the security where none is given (636, 389); what the server tells has it filled in. */
function boundText(spec: Spec, values: Values, key: string): string {
    const value = effective(spec, values, key);
    if (!isEmpty(value)) return JSON.stringify(value);
    if (key === "port" && spec.properties.security) return effective(spec, values, "security") === "ldaps" ? "636" : "389";
    return "";
}

/** Which bound settings differ from the stored ones. */
export function changedBinding(spec: Spec, stored: Values, values: Values): string[] {
    return fieldsOf(spec)
        .filter((f) => BOUND_GROUPS.includes(f.group) && !f.property["x-secret"])
        .map((f) => f.key)
        .filter((key) => boundText(spec, stored, key) !== boundText(spec, values, key));
}

/** "corp.example" -> "corp": a name to begin with, in the letters that names may have. */
export function nameFrom(text: string): string {
    const first = /^[0-9.]+$/.test(text) ? text : (text.split(".")[0] ?? "");
    return first
        .replace(/[^A-Za-z0-9_-]+/g, "_")
        .replace(/^_+|_+$/g, "")
        .slice(0, 64);
}

export const nameWithoutSpaces = (text: string): string => text.trim().replace(/[^A-Za-z0-9_-]+/g, "_");
