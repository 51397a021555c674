// index.ts - which page a URL shows: a table, so that nothing else knows the pages. Each is a chunk of its own, read when first asked for.
// A page module exports default a component without properties; it reads its state from useRoute().
import type { ComponentType } from "preact";

type Load = () => Promise<{ default: ComponentType }>;
export interface PageRow {
    pattern: string; // "assets/:connector/:uid"; :x is any segment
    load: Load;
    bare?: boolean; // without navigation; nobody need be logged in
}

const PAGES: PageRow[] = [
    { pattern: "", load: () => import("./home") },
    { pattern: "assets", load: () => import("./assets") },
    { pattern: "assets/:connector/:uid", load: () => import("./asset") },
    { pattern: "catalog", load: () => import("./catalog") },
    { pattern: "catalog/:connector/:kind", load: () => import("./catalog_kind") },
    { pattern: "changes", load: () => import("./changes") },
    { pattern: "setup", load: () => import("./setup"), bare: true },
    { pattern: "login", load: () => import("./login"), bare: true },
    { pattern: "connectors", load: () => import("./connectors") },
    { pattern: "connectors/new", load: () => import("./wizard") },
    { pattern: "connectors/new/:step", load: () => import("./wizard") },
    { pattern: "connectors/:name", load: () => import("./run_history") },
    { pattern: "connectors/:name/edit", load: () => import("./wizard") },
    { pattern: "connectors/:name/edit/:step", load: () => import("./wizard") },
    { pattern: "connectors/:name/test", load: () => import("./test") },
    { pattern: "jobs/:id", load: () => import("./run") },
    { pattern: "runs/:id", load: () => import("./run_result") },
    { pattern: "access", load: () => import("./access") },
    { pattern: "access/reports", load: () => import("./reports") },
    { pattern: "access/:question", load: () => import("./access") },
    { pattern: "alerts", load: () => import("./alerts") },
    { pattern: "alerts/:part", load: () => import("./alerts") },
    { pattern: "alerts/:part/:id", load: () => import("./alerts") },
    { pattern: "settings", load: () => import("./settings") },
    { pattern: "settings/:part", load: () => import("./settings") },
    { pattern: "help", load: () => import("./help") },
    { pattern: "help/:page", load: () => import("./help") },
];

// The row for these segments: an earlier row wins, so "connectors/new" before "connectors/:name".
export function findPage(path: string[]): PageRow | undefined {
    return PAGES.find((p) => {
        const segments = p.pattern === "" ? [] : p.pattern.split("/");
        return segments.length === path.length && segments.every((s, i) => s.startsWith(":") || s === path[i]);
    });
}
