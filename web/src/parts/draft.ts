// draft.ts - what the wizard of a connector has been told so far. It outlives the steps (each has its own URL) in this module, a reload in /drafts, which keeps
// everything but secrets: those live here only and are gone with the tab.
import { useEffect, useReducer, useRef } from "preact/hooks";
import { ApiError, asProblem, del, get, put, segment } from "../lib/api";
import type { Connector, FieldProblem, List } from "../lib/types";
import type { Value, Values } from "./spec";

const SEALED = "entered:"; // in settings: the server has it, sealed (connectors.h)

export interface Draft {
    id: string;
    type: string;
    name: string;
    isNamed: boolean; // by the user, not from the domain
    values: Values;
    entered: Record<string, string>; // secrets
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
    | { do: "touch"; key: string }
    | { do: "enabled"; enabled: boolean }
    | { do: "judged"; problems: Judged[] };

function newDraft(id: string): Draft {
    return {
        id,
        type: "",
        name: "",
        isNamed: false,
        values: {},
        entered: {},
        enabled: true,
        stored: null,
        touched: {},
        problems: [],
        isRestored: false,
    };
}

// Of a stored connector: what is sealed ("entered:") is no value of the form.
function draftOf(c: Connector): Draft {
    const values = Object.fromEntries(Object.entries(c.settings).filter(([, v]) => v !== SEALED)) as Values;
    delete values.type;
    return { ...newDraft("edit-" + c.name), type: c.type, name: c.name, isNamed: true, values, enabled: c.enabled, stored: c };
}

// What was said of another value is not said of this one.
function without(problems: Judged[], key: string): Judged[] {
    return problems.filter((p) => p.key !== key);
}

function change(d: Draft | null, action: DraftAction): Draft | null {
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
            return { ...d, entered: { ...d.entered, [action.key]: action.value }, problems: without(d.problems, action.key) };
        case "keep": {
            const entered = { ...d.entered };
            delete entered[action.key];
            return { ...d, entered, problems: without(d.problems, action.key) };
        }
        case "touch":
            return d.touched[action.key] ? d : { ...d, touched: { ...d.touched, [action.key]: true } };
        case "enabled":
            return { ...d, enabled: action.enabled };
        case "judged":
            return { ...d, problems: action.problems };
    }
}

const kept = new Map<string, Draft>(); // by id, over the steps

// Kept at once and not by an effect: a step may be left in the same moment.
function reduce(d: Draft | null, action: DraftAction): Draft | null {
    const next = change(d, action);
    if (next !== null) kept.set(next.id, next);
    return next;
}

interface Saved {
    type: string;
    name: string;
    named: boolean;
    settings: Values;
    version: number;
}

function restore(into: Draft, saved: Saved): Draft {
    return { ...into, type: saved.type, name: saved.name, isNamed: saved.named, values: saved.settings, isRestored: true };
}

async function load(id: string, editing: string | null): Promise<Draft> {
    const stored = editing === null ? null : await get<Connector>(`/connectors/${segment(editing)}`);
    const fresh = stored === null ? newDraft(id) : draftOf(stored);
    // The list and not the one: that there is none is no error.
    const drafts = await get<List<{ id: string; body: Saved }>>("/drafts");
    const saved = drafts.items.find((d) => d.id === id)?.body;
    // A draft of an older version of the connector would undo what somebody else has changed.
    return saved === undefined || (stored !== null && saved.version !== stored.version) ? fresh : restore(fresh, saved);
}

function savedOf(d: Draft): Saved {
    return { type: d.type, name: d.name, named: d.isNamed, settings: d.values, version: d.stored?.version ?? 0 };
}

function savedText(d: Draft): string {
    return JSON.stringify(savedOf(d));
}

export async function forgetDraft(id: string): Promise<void> {
    kept.delete(id);
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
    const [draft, tell] = useReducer(reduce, id === null ? null : (kept.get(id) ?? null));
    const error = useRef<ApiError | null>(null);
    const [, again] = useReducer((n: number) => n + 1, 0);
    const lastSaved = useRef("");

    useEffect(() => {
        if (id === null) return;
        const known = kept.get(id);
        if (known !== undefined) return tell({ do: "load", draft: known });
        let isLeft = false;
        load(id, editing)
            .then((loaded) => {
                lastSaved.current = savedText(loaded);
                if (!isLeft) tell({ do: "load", draft: loaded });
            })
            .catch((e: unknown) => {
                error.current = e instanceof ApiError ? e : new ApiError(0, asProblem(e));
                if (!isLeft) again(0);
            });
        return () => void (isLeft = true);
    }, [id, editing]);

    useEffect(() => {
        if (draft === null || draft.type === "") return;
        const text = savedText(draft);
        if (lastSaved.current === text) return;
        const timer = setTimeout(() => {
            lastSaved.current = text;
            if (kept.has(draft.id)) void put(`/drafts/${segment(draft.id)}`, savedOf(draft)).catch(() => undefined); // a draft is a convenience: the page goes on without
        }, 800);
        return () => clearTimeout(timer);
    }, [draft]);

    return { draft: draft !== null && draft.id === id ? draft : null, error: error.current, tell };
}

// The last test of a draft and of what it was made with: shown again when the step is come back to, unless something was changed.
const tests = new Map<string, { key: string; job: number }>();

export function keepTest(id: string, key: string, job: number): void {
    tests.set(id, { key, job });
}

export function keptTest(id: string, key: string): number | null {
    const kept = tests.get(id);
    return kept?.key === key ? kept.job : null;
}
