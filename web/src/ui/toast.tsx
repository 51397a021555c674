// toast.tsx - short messages at the edge, told politely to screen readers; errors stay until closed.
//   toast("Saved", "good");   catch (e) { toast(e); }
import { useEffect, useState } from "preact/hooks";
import { asProblem } from "../lib/api";
import { S } from "../lib/strings";
import { Button, type Tone } from "./basic";
import { Icon } from "./icon";
import { Text } from "./text";

interface Message {
    id: number;
    tone: Tone;
    text: string;
    hint?: string;
}
let messages: Message[] = [];
let counter = 0;
const listeners = new Set<(m: Message[]) => void>();

function change(to: Message[]): void {
    messages = to;
    for (const listener of [...listeners]) listener(messages);
}

export function toast(what: unknown, tone: Tone = "bad"): void {
    const id = ++counter;
    const message: Message = typeof what === "string" ? { id, tone, text: what } : { id, tone, text: asProblem(what).message, hint: asProblem(what).hint };
    change([...messages.slice(-3), message]);
    if (tone !== "bad") setTimeout(() => change(messages.filter((m) => m.id !== id)), 5000);
}

export function Toasts() {
    const [shown, setShown] = useState(messages);
    useEffect(() => {
        listeners.add(setShown);
        return () => void listeners.delete(setShown);
    }, []);
    return (
        <div class="toasts" role="status" aria-live="polite" aria-label="Messages">
            {shown.map((m) => (
                <div key={m.id} class={`toast ${m.tone}`}>
                    <Icon name={m.tone === "busy" ? "info" : m.tone} />
                    <div class="notice-body">
                        <p><Text>{m.text}</Text></p>
                        {m.hint !== undefined && m.hint !== "" && <p class="muted"><Text>{m.hint}</Text></p>}
                    </div>
                    <Button variant="quiet" small icon="cross" label={S.close} onClick={() => change(messages.filter((x) => x.id !== m.id))} />
                </div>
            ))}
        </div>
    );
}
