// dialog.tsx - a modal dialog on the browser's own <dialog>: it keeps the focus inside, makes the rest inert, closes with Esc and gives the focus back.
//   {isOpen && <Dialog title="Delete corp?" onClose={() => setOpen(false)} actions={<Button ...>}>...</Dialog>}
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { S } from "../lib/strings";
import { useGuarded } from "../lib/use-guarded";
import { Button, ErrorBox } from "./basic";

export function Dialog({ title, onClose, children, actions, wide, side }: {
    title: ComponentChildren; onClose: () => void; children: ComponentChildren; actions?: ComponentChildren; wide?: boolean; side?: boolean;
}) {
    const ref = useRef<HTMLDialogElement>(null);
    const isBeside = useRef(false); // where the press began: a text that is marked beyond the edge closes nothing
    const id = useId();
    useEffect(() => {
        const before = document.activeElement;
        const dialog = ref.current;
        dialog?.showModal();
        const first = dialog?.querySelector<HTMLElement>("[data-autofocus], .dialog-body input, .dialog-body select, .dialog-body textarea, .dialog-body a.button");
        first?.focus();
        return () => {
            dialog?.close();
            if (before instanceof HTMLElement && before.isConnected) before.focus();
        };
    }, []);
    return (
        <dialog ref={ref} class={`dialog ${wide ? "wide" : ""} ${side ? "side" : ""}`} aria-labelledby={id}
                onCancel={(e) => { e.preventDefault(); onClose(); }} onPointerDown={(e) => { isBeside.current = e.target === ref.current; }} onClick={(e) => isBeside.current && e.target === ref.current && onClose()}>
            <div class="dialog-frame">
                <div class="dialog-head">
                    <h2 id={id}>{title}</h2>
                    <Button variant="quiet" icon="cross" label={S.close} onClick={onClose} />
                </div>
                <div class="dialog-body">{children}</div>
                {actions !== undefined && <div class="dialog-actions">{actions}</div>}
            </div>
        </dialog>
    );
}

// A question before something that cannot be taken back.
export function Confirm({ title, children, action, danger, onConfirm, onClose }: {
    title: string; children?: ComponentChildren; action: string; danger?: boolean; onConfirm: () => void | Promise<unknown>; onClose: () => void;
}) {
    const { error, guarded } = useGuarded(); // told here: what is behind the dialog is not seen
    const confirm = () =>
        guarded(async () => {
            await onConfirm();
            onClose();
        });
    return (
        <Dialog title={title} onClose={onClose} actions={<><Button onClick={onClose}>{S.cancel}</Button><Button variant={danger ? "danger" : "primary"} onClick={confirm}>{action}</Button></>}>
            {children}
            {error !== undefined && <ErrorBox error={error} />}
        </Dialog>
    );
}
