// draft.ts - what the wizard of a connector has been told so far. It outlives the steps (each has its own URL) in this module, a reload in /drafts, which keeps
// everything but secrets: those live here only and are gone with the tab.
import { useEffect, useReducer, useRef } from "preact/hooks";
import { ApiError, asProblem, del, get, put, segment } from "../lib/api";
import { getSession } from "../lib/session";
import type { Connector, FieldProblem, List } from "../lib/types";
import { toast } from "../ui/toast";
import type { Value, Values } from "./spec";

const SEALED = "entered:"; // in settings: the server has it, sealed (connectors.h)

export interface Draft {
    id: string;
    type: string;
    name: string;
    isNamed: boolean; // by the user, not from the domain
    values: Values;
    entered: Record<string, string>; // secrets
    dropped: Record<string, true>; // stored secrets that are to be removed
    modes: Record<string, string>; // where a secret or certificate is to come from, as it was chosen
    enabled: boolean;
    stored: Connector | null; // of an edit: what it was
    touched: Record<string, true>;
    problems: Judged[];
    isRestored: boolean; // of an earlier visit
}

export interface Judged extends Omit<FieldProblem, "severity"> {
    severity: "error" | "warning" | "hint" | "info";
}

export type DraftAction =
    | { do: "load"; draft: Draft }
    | { do: "type"; type: string }
    | { do: "name"; name: string; byUser: boolean }
    | { do: "set"; key: string; value: Value }
    | { do: "secret"; key: string; value: string }
    | { do: "keep"; key: string } // a secret: as it is stored
    | { do: "drop"; key: string } // a stored secret: not any more
    | { do: "mode"; key: string; mode: string }
    | { do: "touch"; key: string }
    | { do: "enabled"; enabled: boolean }
    | { do: "judged"; problems: Judged[] };

export function newDraft(id: string): Draft {
    return {
        id,
        type: "",
        name: "",
        isNamed: false,
        values: {},
        entered: {},
        dropped: {},
        modes: {},
        enabled: true,
        stored: null,
        touched: {},
        problems: [],
        isRestored: false,
    };
}

export function editDraftId(connector: string): string {
    return "edit-" + connector;
}

// Of a stored connector: what is sealed ("entered:") is no value of the form.
export function draftOf(c: Connector): Draft {
    const values = Object.fromEntries(Object.entries(c.settings).filter(([, v]) => v !== SEALED)) as Values;
    delete values.type;
    return { ...newDraft(editDraftId(c.name)), type: c.type, name: c.name, isNamed: true, values, enabled: c.enabled, stored: c };
}

// What was said of another value is not said of this one.
function without(problems: Judged[], key: string): Judged[] {
    return problems.filter((p) => p.key !== key);
}

function lessKey<T>(of: Record<string, T>, key: string): Record<string, T> {
    const rest = { ...of };
    delete rest[key];
    return rest;
}

export function change(d: Draft | null, action: DraftAction): Draft | null {
    if (action.do === "load") return action.draft;
    if (d === null) return d;
    switch (action.do) {
        case "type":
            return d.type === action.type ? d : { ...newDraft(d.id), type: action.type, name: d.isNamed ? d.name : "", isNamed: d.isNamed };
        case "name":
            return action.byUser || !d.isNamed
                ? { ...d, name: action.name, problems: without(d.problems, "name"), isNamed: action.byUser ? action.name !== "" : d.isNamed }
                : d;
        case "set":
            return { ...d, values: { ...d.values, [action.key]: action.value }, problems: without(d.problems, action.key) };
        case "secret":
            return {
                ...d,
                entered: { ...d.entered, [action.key]: action.value },
                dropped: lessKey(d.dropped, action.key),
                problems: without(d.problems, action.key),
            };
        case "keep":
            return { ...d, entered: lessKey(d.entered, action.key), dropped: lessKey(d.dropped, action.key), problems: without(d.problems, action.key) };
        case "drop":
            return {
                ...d,
                entered: lessKey(d.entered, action.key),
                dropped: { ...d.dropped, [action.key]: true },
                problems: without(d.problems, action.key),
            };
        case "mode":
            return { ...d, modes: { ...d.modes, [action.key]: action.mode } };
        case "touch":
            return d.touched[action.key] ? d : { ...d, touched: { ...d.touched, [action.key]: true } };
        case "enabled":
            return { ...d, enabled: action.enabled };
        case "judged":
            return { ...d, problems: action.problems };
    }
}

// By id, over the steps.
const kept = new Map<string, Draft>();
const lastSaved = new Map<string, string>(); // as /drafts has it; also what was loaded, so that it is saved only when it is changed
const tests = new Map<string, { key: string; job: number }>(); // the last test of a draft, and of what it was made with
let owner = "";

// What one user has typed is not for the next one who logs in in this tab.
export function forgetOthers(): void {
    const name = getSession()?.name;
    if (name === undefined || name === owner) return;
    for (const map of [kept, lastSaved, tests]) map.clear();
    owner = name;
}

// Kept at once and not by an effect: a step may be left in the same moment. What was forgotten stays so, whatever a field that is left says afterwards.
export function reduce(d: Draft | null, action: DraftAction): Draft | null {
    const next = change(d, action);
    if (next !== null && (action.do === "load" || kept.has(next.id))) kept.set(next.id, next);
    return next;
}

export function keptDraft(id: string): Draft | null {
    return kept.get(id) ?? null;
}

export interface Saved {
    type: string;
    name: string;
    named: boolean;
    settings: Values;
    version: number;
}

function isSame(a: Values, b: Values): boolean {
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => JSON.stringify(a[key]) === JSON.stringify(b[key]));
}

// A draft of an older version of the connector would undo what somebody else has changed.
export function restored(fresh: Draft, saved: Saved | undefined): Draft {
    const { stored } = fresh;
    if (saved === undefined || (stored !== null && (saved.version !== stored.version || saved.type !== stored.type))) return fresh;
    const isRestored = !isSame(saved.settings, fresh.values) || saved.name !== fresh.name;
    return { ...fresh, type: saved.type, name: saved.name, isNamed: saved.named, values: saved.settings, isRestored };
}

// Is it a draft of the connector as it is now? Also one that was deleted and made anew may have the same version.
export function isOf(d: Draft, now: Connector): boolean {
    return d.stored?.version === now.version && d.stored.created === now.created && d.type === now.type;
}

function hasInput(d: Draft): boolean {
    const isTyped = Object.keys(d.entered).length > 0 || Object.keys(d.dropped).length > 0;
    return isTyped || d.stored === null || !isSame(d.values, draftOf(d.stored).values);
}

// Of a connector that is edited the server is asked each time: a draft of what it was before could never be saved.
async function load(id: string, editing: string | null): Promise<Draft> {
    const stored = editing === null ? null : await get<Connector>(`/connectors/${segment(editing)}`);
    const known = kept.get(id);
    if (known !== undefined && (stored === null || isOf(known, stored))) return known;
    if (known !== undefined) {
        await forgetDraft(id);
        if (hasInput(known)) toast("The connector was changed meanwhile: it is loaded anew", "warn");
    }
    const fresh = stored === null ? newDraft(id) : draftOf(stored);
    // The list and not the one: that there is none is no error.
    const drafts = await get<List<{ id: string; body: Saved }>>("/drafts");
    const draft = restored(fresh, drafts.items.find((d) => d.id === id)?.body);
    lastSaved.set(id, savedText(draft));
    return draft;
}

function savedOf(d: Draft): Saved {
    return { type: d.type, name: d.name, named: d.isNamed, settings: d.values, version: d.stored?.version ?? 0 };
}

function savedText(d: Draft): string {
    return JSON.stringify(savedOf(d));
}

export async function forgetDraft(id: string): Promise<void> {
    for (const map of [kept, lastSaved, tests]) map.delete(id);
    await del(`/drafts/${segment(id)}`).catch(() => undefined); // it may never have been saved
}

export function newDraftId(): string {
    const id = "new-" + crypto.getRandomValues(new Uint32Array(2)).join("-");
    kept.set(id, newDraft(id));
    return id;
}

export interface DraftHandle {
    draft: Draft | null;
    error: ApiError | null;
    tell: (action: DraftAction) => void;
}

// The draft of an id, kept over steps; each change of what is not secret is saved a moment later.
export function useDraft(id: string | null, editing: string | null): DraftHandle {
    forgetOthers();
    const [draft, tell] = useReducer(reduce, id === null ? null : (kept.get(id) ?? null));
    const error = useRef<ApiError | null>(null);
    const [, again] = useReducer((n: number) => n + 1, 0);

    useEffect(() => {
        if (id === null) return;
        let isLeft = false;
        load(id, editing)
            .then((loaded) => {
                if (!isLeft) tell({ do: "load", draft: loaded });
            })
            .catch((e: unknown) => {
                const failed = e instanceof ApiError ? e : new ApiError(0, asProblem(e));
                if (kept.has(id) && failed.status !== 404) return; // it goes on with what it has: saving will tell
                error.current = failed;
                if (!isLeft) again(0);
            });
        return () => void (isLeft = true);
    }, [id, editing]);

    useEffect(() => {
        if (draft === null || draft.type === "") return;
        const text = savedText(draft);
        if (lastSaved.get(draft.id) === text) return;
        const timer = setTimeout(() => {
            if (!kept.has(draft.id)) return;
            lastSaved.set(draft.id, text);
            void put(`/drafts/${segment(draft.id)}`, savedOf(draft)).catch(() => lastSaved.delete(draft.id)); // a draft is a convenience: the page goes on without
        }, 800);
        return () => clearTimeout(timer);
    }, [draft]);

    return { draft: draft !== null && draft.id === id ? draft : null, error: error.current, tell };
}

// A test is shown again when the step is come back to, unless something was changed.
export function keepTest(id: string, key: string, job: number): void {
    tests.set(id, { key, job });
}

export function keptTest(id: string, key: string): number | null {
    const kept = tests.get(id);
    return kept?.key === key ? kept.job : null;
}
