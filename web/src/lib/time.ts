// time.ts - instants for people: local time shown, UTC beside it (in the title). Instants travel as RFC 3339 UTC.

const LOCAL = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const LOCAL_EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

export function parse(at: string | null | undefined): Date | null {
    if (at === null || at === undefined || at === "") return null;
    const date = new Date(at);
    return Number.isNaN(date.getTime()) ? null : date;
}

export function local(at: string): string {
    const date = parse(at);
    return date === null ? at : LOCAL.format(date);
}

export function localExact(at: string): string {
    const date = parse(at);
    return date === null ? at : LOCAL_EXACT.format(date);
}

export function localDay(at: string): string {
    const date = parse(at);
    return date === null ? at : DAY.format(date);
}

export function clock(at: string): string {
    const date = parse(at);
    return date === null ? at : CLOCK.format(date);
}

export function utc(at: string): string {
    const date = parse(at);
    return date === null ? at : date.toISOString().replace("T", " ").replace(/(\.000)?Z$/, " UTC");
}

// "just now", "3 min ago", "in 2 h", "5 days ago".
export function relative(at: string, now = Date.now()): string {
    const date = parse(at);
    if (date === null) return at;
    const seconds = Math.round((now - date.getTime()) / 1000);
    const far = Math.abs(seconds);
    if (far < 10) return "just now";
    return seconds < 0 ? `in ${span(far)}` : `${span(far)} ago`;
}

// A length in its largest unit: 45 -> "45 s", 7200 -> "2 h".
export function span(seconds: number): string {
    if (seconds < 60) return `${Math.round(seconds)} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
    const days = Math.floor(seconds / 86400);
    return days === 1 ? "1 day" : `${days} days`;
}

// A measured duration: 340 -> "340 ms", 18204 -> "18.2 s", 125000 -> "2 min 5 s".
export function took(ms: number): string {
    if (ms < 1000) return `${Math.round(ms)} ms`;
    if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
    const seconds = Math.round(ms / 1000);
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
    return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}
