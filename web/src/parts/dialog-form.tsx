// dialog-form.tsx - the fields of a dialog as a form, so that Enter in one of them does what the dialog's main button does.
import type { ComponentChildren } from "preact";
import { toast } from "../ui/toast";

export function DialogForm({ onSubmit, children }: { onSubmit: () => void | Promise<unknown>; children: ComponentChildren }) {
    const submit = (event: Event) => {
        event.preventDefault();
        const result = onSubmit();
        if (result instanceof Promise) result.catch((e: unknown) => toast(e));
    };
    return (
        <form class="form" onSubmit={submit}>
            {children}
            <button type="submit" hidden tabIndex={-1} />
        </form>
    );
}
