// basic.tsx - the small pieces: Button, LinkButton, Status, Badge, Notice, ErrorBox, Progress, Empty, Loading, Copy, CopyAs, Card, Kind.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { asProblem } from "../lib/api";
import { apiCommand, curlCommand } from "../lib/shell";
import { S, kindName } from "../lib/strings";
import { number, percent } from "../lib/format";
import { Dialog } from "./dialog";
import { Icon, KindIcon, type IconName } from "./icon";
import { Text } from "./text";
import { toast } from "./toast";

export type Tone = "good" | "warn" | "bad" | "info" | "off" | "busy";

interface ButtonProps {
    children?: ComponentChildren;
    icon?: IconName;
    onClick?: (event: MouseEvent) => void | Promise<unknown>;
    variant?: "primary" | "plain" | "danger" | "quiet";
    type?: "button" | "submit";
    disabled?: boolean;
    busy?: boolean;
    label?: string; // for one with an icon only
    pressed?: boolean;
    expanded?: boolean;
    title?: string;
    id?: string;
    class?: string;
    small?: boolean;
}

// A promise that onClick returns makes the button busy until it is settled; what it throws is shown as a toast.
export function Button(p: ButtonProps) {
    const [isBusy, setBusy] = useState(false);
    const isAlive = useRef(true);
    useEffect(() => {
        isAlive.current = true;
        return () => void (isAlive.current = false);
    }, []);
    const busy = p.busy === true || isBusy;
    const click = (event: MouseEvent) => {
        if (busy || p.disabled) {
            event.preventDefault();
            return;
        }
        const result = p.onClick?.(event);
        if (!(result instanceof Promise)) return;
        setBusy(true);
        result.catch((e: unknown) => toast(e)).finally(() => isAlive.current && setBusy(false));
    };
    // aria-disabled keeps it in the tab order while busy, so that the focus is not lost.
    return (
        <button type={p.type ?? "button"} id={p.id} class={`button ${p.variant ?? "plain"} ${p.small ? "small" : ""} ${p.class ?? ""}`} onClick={click} disabled={p.disabled}
                aria-disabled={busy || undefined} aria-label={p.label} aria-pressed={p.pressed} aria-expanded={p.expanded} title={p.title ?? p.label}>
            {busy ? <Icon name="busy" /> : p.icon !== undefined && <Icon name={p.icon} />}
            {p.children !== undefined && <span>{p.children}</span>}
        </button>
    );
}

export function LinkButton({ href, icon, variant = "plain", children, download, label, small }: {
    href: string; icon?: IconName; variant?: "primary" | "plain" | "quiet"; children?: ComponentChildren; download?: boolean; label?: string; small?: boolean;
}) {
    return (
        <a class={`button ${variant} ${small ? "small" : ""}`} href={href} download={download ? "" : undefined} aria-label={label} title={label}>
            {icon !== undefined && <Icon name={icon} />}
            {children !== undefined && <span>{children}</span>}
        </a>
    );
}

const TONE_ICONS: Record<Tone, IconName> = { good: "good", warn: "warn", bad: "bad", info: "info", off: "off", busy: "busy" };

// Icon, text and colour: none of them alone.
export function Status({ tone, children, icon }: { tone: Tone; children: ComponentChildren; icon?: IconName }) {
    return (
        <span class={`status ${tone}`}>
            <Icon name={icon ?? TONE_ICONS[tone]} />
            <span>{children}</span>
        </span>
    );
}

export function Badge({ tone, children, title }: { tone?: Tone; children: ComponentChildren; title?: string }) {
    return <span class={`badge ${tone ?? ""}`} title={title}>{children}</span>;
}

export function Kind({ kind }: { kind: string }) {
    return <span class="kind"><KindIcon kind={kind} /><Text>{kindName(kind)}</Text></span>;
}

export function Notice({ tone = "info", title, children, actions, live }: {
    tone?: Tone; title?: ComponentChildren; children?: ComponentChildren; actions?: ComponentChildren; live?: "polite" | "assertive";
}) {
    return (
        <div class={`notice ${tone}`} role={live === "assertive" ? "alert" : live === "polite" ? "status" : undefined}>
            <Icon name={TONE_ICONS[tone]} />
            <div class="notice-body">
                {title !== undefined && <p class="notice-title">{title}</p>}
                {children !== undefined && <div>{children}</div>}
                {actions !== undefined && <div class="row">{actions}</div>}
            </div>
        </div>
    );
}

// What a call failed with: message, where, what to do.
export function ErrorBox({ error, retry }: { error: unknown; retry?: () => void }) {
    const p = asProblem(error);
    return (
        <Notice tone="bad" live="assertive" title={<><Text>{p.message}</Text> <Badge><Text>{p.class}</Text></Badge></>}
                actions={retry && <Button icon="refresh" onClick={() => retry()}>{S.retry}</Button>}>
            {p.step !== undefined && <p>Step: <Text>{p.step}</Text></p>}
            {p.hint !== undefined && p.hint !== "" && <p><strong>What to do:</strong> <Text>{p.hint}</Text></p>}
            {(p.fields ?? []).length > 0 && <ul>{p.fields?.map((f) => <li><code><Text>{f.key}</Text></code>: <Text>{f.message}</Text> {f.hint !== undefined && <Text>{f.hint}</Text>}</li>)}</ul>}
        </Notice>
    );
}

// value of max; max unknown (0 or absent): says only that something happens.
export function Progress({ value, max, label, text }: { value?: number; max?: number; label: string; text?: string }) {
    const isKnown = max !== undefined && max > 0 && value !== undefined;
    return (
        <div class="progress">
            <progress aria-label={label} value={isKnown ? Math.min(value, max) : undefined} max={isKnown ? max : undefined} />
            <span class="progress-text">{text ?? (isKnown ? percent(Math.min(value, max), max) : value !== undefined ? number(value) : "")}</span>
        </div>
    );
}

// Nothing to show, and what to do next.
export function Empty({ icon = "info", title, children, action }: { icon?: IconName; title: string; children?: ComponentChildren; action?: ComponentChildren }) {
    return (
        <div class="empty">
            <Icon name={icon} />
            <p class="empty-title">{title}</p>
            {children !== undefined && <div class="muted">{children}</div>}
            {action !== undefined && <div class="row center">{action}</div>}
        </div>
    );
}

// Grey lines where content will be; they appear only after a moment, so that fast answers do not flicker.
export function Loading({ lines = 4 }: { lines?: number }) {
    return (
        <div class="loading" role="status">
            <span class="sr-only">{S.loading}</span>
            {Array.from({ length: lines }, () => <div class="bone" aria-hidden="true" />)}
        </div>
    );
}

async function copyText(text: string): Promise<void> {
    try {
        await navigator.clipboard.writeText(text);
        toast(S.copied, "good");
    } catch {
        toast(S.copyFailed, "warn");
    }
}

// A button that copies; icon only unless it has children.
export function Copy({ text, label = S.copy, children }: { text: string; label?: string; children?: ComponentChildren }) {
    return <Button variant="quiet" small icon="copy" label={children === undefined ? label : undefined} onClick={() => copyText(text)}>{children}</Button>;
}

export function Code({ text, label }: { text: string; label: string }) {
    return (
        <div class="code">
            <pre tabIndex={0} role="region" aria-label={label}><code><Text code>{text}</Text></code></pre>
            <Copy text={text} label={`${S.copy}: ${label}`} />
        </div>
    );
}

// What the page shows, as a command, an API call and a link. path: "/api/v1/assets?kind=user"; command: the native one where there is one.
export function CopyAs({ path, command, method = "GET" }: { path: string; command?: string; method?: string }) {
    const [isOpen, setOpen] = useState(false);
    return (
        <>
            <Button icon="copy" onClick={() => setOpen(true)}>Copy as…</Button>
            {isOpen && (
                <Dialog title="The same without this page" onClose={() => setOpen(false)}>
                    {command !== undefined && <><h3>Command</h3><Code text={command} label="Command" /></>}
                    <h3>API call, with the command</h3>
                    <Code text={apiCommand(method, path)} label="API call with rollcall api" />
                    <h3>API call, with curl</h3>
                    <Code text={curlCommand(method, path)} label="API call with curl" />
                    <p class="muted">Tokens are made in <a href="#/settings/tokens" onClick={() => setOpen(false)}>Settings</a>.</p>
                    <h3>Link to this page</h3>
                    <Code text={location.href} label="Link" />
                </Dialog>
            )}
        </>
    );
}

export function Card({ title, actions, children, id, level = 2, flush }: {
    title?: ComponentChildren; actions?: ComponentChildren; children: ComponentChildren; id?: string; level?: 2 | 3; flush?: boolean;
}) {
    const Heading = level === 2 ? "h2" : "h3";
    return (
        <section class={`card ${flush ? "flush" : ""}`} aria-labelledby={id !== undefined && title !== undefined ? id : undefined}>
            {title !== undefined && <div class="card-head"><Heading id={id}>{title}</Heading>{actions !== undefined && <div class="row">{actions}</div>}</div>}
            {children}
        </section>
    );
}
