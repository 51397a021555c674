// menu.tsx - a button that opens a list of actions: arrows move, Escape and a click elsewhere close, the focus comes back.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Icon, type IconName } from "../ui/icon";
import { Button } from "../ui/basic";
import { toast } from "../ui/toast";

export interface MenuItem {
    label: string;
    icon: IconName;
    run: () => void | Promise<unknown>;
    danger?: boolean;
}

export function Menu({ label, items }: { label: string; items: MenuItem[] }) {
    const [isOpen, setOpen] = useState(false);
    const root = useRef<HTMLDivElement>(null);
    const list = useRef<HTMLDivElement>(null);
    const id = useId();

    useEffect(() => {
        if (!isOpen) return;
        list.current?.querySelector("button")?.focus();
        const away = (event: Event) => {
            if (event.target instanceof Node && !root.current?.contains(event.target)) setOpen(false);
        };
        document.addEventListener("pointerdown", away);
        document.addEventListener("focusin", away);
        return () => {
            document.removeEventListener("pointerdown", away);
            document.removeEventListener("focusin", away);
        };
    }, [isOpen]);

    const close = () => {
        setOpen(false);
        root.current?.querySelector("button")?.focus();
    };
    const key = (event: KeyboardEvent) => {
        const buttons = [...(list.current?.querySelectorAll("button") ?? [])];
        const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
        const to = { ArrowDown: at + 1, ArrowUp: at - 1 + buttons.length, Home: 0, End: buttons.length - 1 }[event.key];
        if (event.key === "Escape" && isOpen) close();
        else if (to !== undefined && isOpen) buttons[to % buttons.length]?.focus();
        else return;
        event.preventDefault();
        event.stopPropagation();
    };
    const choose = (item: MenuItem) => {
        close();
        const result = item.run();
        if (result instanceof Promise) result.catch((e: unknown) => toast(e));
    };
    return (
        <div class="menu" ref={root} onKeyDown={key}>
            <Button small icon="more" label={label} expanded={isOpen} onClick={() => setOpen(!isOpen)} />
            {isOpen && (
                <div class="menu-list" id={id} role="menu" aria-label={label} ref={list}>
                    {items.map((item) => (
                        <button
                            type="button"
                            role="menuitem"
                            tabIndex={-1}
                            class={item.danger ? "danger" : ""}
                            onClick={() => choose(item)}
                            key={item.label}
                        >
                            <Icon name={item.icon} />
                            <span>{item.label}</span>
                        </button>
                    ))}
                </div>
            )}
        </div>
    );
}
