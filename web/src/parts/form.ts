// form.ts - what every field of the wizard is given: the specification, the draft, how to change it, and what is wrong with it.
import type { FieldProblem } from "../lib/types";
import type { Draft, DraftAction, Judged } from "./draft";
import { whenReleased } from "./pointer";
import { changedBinding, isEmpty, isRequired, isShown, nameWithoutSpaces, pemKey, secretsOf, settingsOf, type Spec, type Values } from "./spec";

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

// An entered secret that is stored could still serve, unless what it is bound to has changed. A reference is none: it stands in the settings.
export function couldKeepSecret(form: Form, key: string): boolean {
    const { draft } = form;
    const secret = draft.stored?.secrets[key];
    if (!draft.stored || !secret?.set || secret.reference || draft.stored.must_enter.includes(key)) return false;
    return whatChanged(form).filter((changed) => changed !== key.replace(/_pem$/, "")).length === 0;
}

export function hasStoredSecret(form: Form, key: string): boolean {
    return !form.draft.dropped[key] && couldKeepSecret(form, key);
}

// Of what entered secrets are bound to: settings, and the authority that is pasted.
export function whatChanged({ draft, spec }: Form): string[] {
    if (draft.stored === null) return [];
    const changed = changedBinding(spec, draft.stored.settings as Values, draft.values);
    const authority = "ca_certificate";
    return draft.entered[pemKey(authority)] !== undefined && !changed.includes(authority) ? [...changed, authority] : changed;
}

// It was chosen where a secret or certificate comes from, and then nothing was given: something else would be sent than what is seen.
function isChosenEmpty({ draft }: Form, key: string): boolean {
    switch (draft.modes[key]) {
        case "fetch":
        case "paste":
            return !draft.entered[pemKey(key)];
        case "path":
        case "vault":
        case "file":
        case "cred":
        case "env":
            return isEmpty(draft.values[key]);
        default:
            return false;
    }
}

function isMissing(form: Form, key: string): boolean {
    const { spec, draft } = form;
    if (!isShown(spec, draft.values, key)) return false;
    if (isChosenEmpty(form, key)) return true;
    if (!isRequired(spec, draft.values, key)) return false;
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

function trimmed(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(trimmed).filter((v) => v !== "");
    return typeof value === "string" ? value.trim() : value;
}

// A new one is named as its field says it will be, also when Enter was pressed and the field never left.
export function nameOf(draft: Draft): string {
    return draft.stored === null ? nameWithoutSpaces(draft.name) : draft.name;
}

// The body of judge and of create.
export function bodyOf({ spec, draft }: Form): Record<string, unknown> {
    const settings: Record<string, unknown> = settingsOf(spec, draft.values);
    for (const [key, value] of Object.entries(settings)) {
        const to = trimmed(value);
        if (to === "") delete settings[key];
        else settings[key] = to;
    }
    return { name: nameOf(draft), type: draft.type, settings, secrets: secretsOf(spec, draft.values, draft.entered, draft.dropped) };
}

// The body of test, browse and discover. A new connector has no name there: with the name of another one it would be taken for that one, and asked for its secrets.
export function trialBodyOf(form: Form): Record<string, unknown> {
    const { name, ...rest } = bodyOf(form);
    return form.draft.stored === null ? rest : { name, ...rest };
}
