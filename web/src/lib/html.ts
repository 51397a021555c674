// html.ts - the HTML of a manual page (GET /help/{page}) as elements, without ever giving HTML to the browser: a small reader that knows a few tags and drops
// every attribute but id, class, colspan and a link within the help. So Trusted Types need no policy, and a wrong page cannot run anything.
import { h, type ComponentChild, type VNode } from "preact";

const KNOWN = new Set(("section div span p br hr h1 h2 h3 h4 h5 h6 b i em strong code pre kbd var samp small sub sup a ul ol li dl dt dd table caption thead tbody tr th td " +
    "blockquote cite mark").split(" "));
const EMPTY = new Set(["br", "hr"]);
const DROPPED = /<!--[\s\S]*?-->|<!doctype[^>]*>|<(script|style|head|title|template)\b[\s\S]*?<\/\1\s*>/gi;
const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", mdash: "\u2014", ndash: "\u2013", hellip: "\u2026", copy: "\u00a9" };
const MOST_DEPTH = 64;

export function unescape(text: string): string {
    return text.replace(/&(#x[0-9a-f]{1,6}|#[0-9]{1,7}|[a-z]{1,8});/gi, (whole, name: string) => {
        if (!name.startsWith("#")) return ENTITIES[name.toLowerCase()] ?? whole;
        const code = /^#x/i.test(name) ? parseInt(name.slice(2), 16) : parseInt(name.slice(1), 10);
        return code > 0x1f && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : code === 10 ? "\n" : "\ufffd";
    });
}

interface Open {
    tag: string;
    props: Record<string, string>;
    children: ComponentChild[];
}

function attributes(text: string, resolve: (href: string) => string | null): Record<string, string> {
    const props: Record<string, string> = {};
    for (const hit of text.matchAll(/([a-z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/gi)) {
        const name = (hit[1] ?? "").toLowerCase();
        const value = unescape(hit[2] ?? hit[3] ?? hit[4] ?? "");
        if (name === "id") props.id = "doc-" + value.replace(/[^\w.-]/g, "-");
        else if (name === "class") props.class = value.split(/\s+/).map((c) => "doc-" + c.replace(/[^\w-]/g, "")).join(" ");
        else if (name === "colspan" && /^\d{1,2}$/.test(value)) props.colSpan = value;
        else if (name === "href") {
            const to = resolve(value);
            if (to !== null) props.href = to;
        }
    }
    return props;
}

// resolve: where a link of the page leads ("#/help/..."), or null for no link.
export function htmlElements(html: string, resolve: (href: string) => string | null): ComponentChild[] {
    const root: Open = { tag: "", props: {}, children: [] };
    const stack: Open[] = [root];
    const top = () => stack[stack.length - 1] ?? root;
    const close = () => {
        const done = stack.pop();
        if (done !== undefined) top().children.push(h(done.tag, done.props, ...done.children) as VNode);
    };
    for (const hit of html.replace(DROPPED, "").matchAll(/<(\/?)([a-z][a-z0-9]*)\b((?:"[^"]*"|'[^']*'|[^"'>])*)>|[^<]+|</gi)) {
        const tag = hit[2]?.toLowerCase();
        if (tag === undefined) top().children.push(unescape(hit[0]));
        else if (!KNOWN.has(tag)) continue;
        else if (hit[1] === "/") {
            if (!stack.some((o) => o.tag === tag)) continue;
            while (stack.length > 1 && top().tag !== tag) close();
            close();
        } else if (EMPTY.has(tag)) top().children.push(h(tag, {}));
        else if (stack.length < MOST_DEPTH) {
            // Examples scroll sideways where the page is narrow: by keyboard, too.
            stack.push({ tag, props: { ...attributes(hit[3] ?? "", resolve), ...(tag === "pre" ? { tabIndex: "0" } : {}) }, children: [] });
        }
    }
    while (stack.length > 1) close();
    return root.children;
}
