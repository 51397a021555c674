// keys.ts - keyboard shortcuts: one listener, one list, which the "?" dialog shows.
//   useKeys({ e: ["Export", () => ...], t: ["Test", () => ...], "g h": ["Go home", ...] });     // while the component is there
// A key does nothing while somebody types, with Ctrl/Alt/Meta, behind an open dialog, or when shortcuts are switched off (WCAG 2.1.4). A later binding of the same key wins.
import { useEffect, useRef } from "preact/hooks";
import { getSession } from "./session";

// Without run: a key that the browser handles itself, listed so that the help is whole.
export type Binding = [label: string, run?: (event: KeyboardEvent) => void];
export type Bindings = Record<string, Binding | null | undefined | false>;

const stack: { current: Bindings }[] = [];
let prefix = "";
let prefixTimer: ReturnType<typeof setTimeout> | undefined;

export function keysAreOn(): boolean {
    return getSession()?.preferences.keys !== false;
}

// Everything that is bound now, for the help: [keys, label].
export function boundKeys(): [string, string][] {
    const all = new Map<string, string>();
    for (const layer of stack) for (const [key, binding] of Object.entries(layer.current)) if (binding) all.set(key, binding[0]);
    return [...all];
}

function isTyping(target: EventTarget | null): boolean {
    if (!(target instanceof HTMLElement)) return false;
    if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
    return target instanceof HTMLInputElement && !["checkbox", "radio", "button", "submit", "reset", "range", "file"].includes(target.type);
}

function find(key: string): Binding | undefined {
    for (let i = stack.length - 1; i >= 0; i--) {
        const binding = stack[i]?.current[key];
        if (binding) return binding;
    }
    return undefined;
}

function onKey(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (event.key === "Escape" && isTyping(event.target)) {
        // Escape leaves the field. The browser would also empty a search field, and tell no one by an input event.
        if ((event.target as HTMLInputElement).type === "search") event.preventDefault();
        (event.target as HTMLElement).blur();
        return;
    }
    if (isTyping(event.target) || !keysAreOn() || document.querySelector("dialog[open]") !== null) return;
    const key = prefix === "" ? event.key : `${prefix} ${event.key}`;
    clearTimeout(prefixTimer);
    const isFirst = prefix === "" && boundKeys().some(([bound]) => bound.startsWith(event.key + " "));
    prefix = "";
    const binding = find(key);
    if (binding?.[1] !== undefined) {
        event.preventDefault();
        binding[1](event);
    } else if (isFirst) {
        prefix = event.key;
        prefixTimer = setTimeout(() => (prefix = ""), 1500);
    }
}
document.addEventListener("keydown", onKey);

export function useKeys(bindings: Bindings): void {
    const layer = useRef(bindings);
    layer.current = bindings;
    useEffect(() => {
        stack.push(layer);
        return () => void stack.splice(stack.indexOf(layer), 1);
    }, []);
}
