// form.ts - what every field of the wizard is given: the specification, the draft, how to change it, and what is wrong with it.
import type { FieldProblem } from "../lib/types";
import type { Draft, DraftAction, Judged } from "./draft";
import { whenReleased } from "./pointer";
import { changedBinding, isEmpty, isRequired, isShown, pemKey, secretsOf, settingsOf, type Spec, type Values } from "./spec";

export interface Form {
    spec: Spec;
    draft: Draft;
    tell: (action: DraftAction) => void;
    judge: () => void; // asks the server, a moment later
}

const ALL = "*"; // touched: Next was pressed, so that everything is told

// A field was left: from now on it says what is wrong with it.
export function leaveField(form: Form, key: string): void {
    whenReleased(() => {
        form.tell({ do: "touch", key });
        form.judge();
    });
}

export function toldAll(draft: Draft): boolean {
    return draft.touched[ALL] === true;
}

export function tellAll(form: Form): void {
    form.tell({ do: "touch", key: ALL });
}

// An entered secret that is stored still serves, unless what it is bound to has changed.
export function hasStoredSecret(form: Form, key: string): boolean {
    const { draft } = form;
    const secret = draft.stored?.secrets[key];
    if (!draft.stored || !secret?.set || draft.stored.must_enter.includes(key)) return false;
    return whatChanged(form).filter((changed) => changed !== key.replace(/_pem$/, "")).length === 0;
}

// Of what entered secrets are bound to: settings, and the authority that is pasted.
export function whatChanged({ draft, spec }: Form): string[] {
    if (draft.stored === null) return [];
    const changed = changedBinding(spec, draft.stored.settings as Values, draft.values);
    const authority = "ca_certificate";
    return draft.entered[pemKey(authority)] !== undefined && !changed.includes(authority) ? [...changed, authority] : changed;
}

function isMissing(form: Form, key: string): boolean {
    const { spec, draft } = form;
    if (!isShown(spec, draft.values, key) || !isRequired(spec, draft.values, key)) return false;
    return isEmpty(draft.values[key]) && !draft.entered[key] && !hasStoredSecret(form, key);
}

function toProblem(judged: Judged): FieldProblem {
    return { ...judged, severity: judged.severity === "hint" ? "info" : judged.severity };
}

// What is told at a field: what the server says, else that it is empty; nothing before the field was left once.
export function problemOf(form: Form, key: string): FieldProblem | null {
    if (!form.draft.touched[key] && !toldAll(form.draft)) return null;
    const judged = form.draft.problems.filter((p) => p.key === key || p.key === pemKey(key));
    const worst = judged.find((p) => p.severity === "error") ?? judged.find((p) => p.severity === "warning") ?? judged[0];
    if (worst) return toProblem(worst);
    return isMissing(form, key) ? { key, message: "This is needed.", severity: "error" } : null;
}

export function errorsIn(form: Form, keys: string[]): string[] {
    return keys.filter(
        (key) => form.draft.problems.some((p) => (p.key === key || p.key === pemKey(key)) && p.severity === "error") || isMissing(form, key),
    );
}

function trimmed(list: unknown[]): unknown[] {
    return list.map((v) => (typeof v === "string" ? v.trim() : v)).filter((v) => v !== "");
}

// The body of judge and of create.
export function bodyOf({ spec, draft }: Form): Record<string, unknown> {
    const settings: Record<string, unknown> = settingsOf(spec, draft.values);
    for (const [key, value] of Object.entries(settings)) if (Array.isArray(value)) settings[key] = trimmed(value);
    return { name: draft.name, type: draft.type, settings, secrets: secretsOf(spec, draft.values, draft.entered) };
}

// The body of test, browse and discover. A new connector has no name there: with the name of another one it would be taken for that one, and asked for its secrets.
export function trialBodyOf(form: Form): Record<string, unknown> {
    const { name, ...rest } = bodyOf(form);
    return form.draft.stored === null ? rest : { name, ...rest };
}
