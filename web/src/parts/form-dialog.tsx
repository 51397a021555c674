// form-dialog.tsx - a dialog with a form: Enter in one of its fields does what its main button does; what that fails with is shown in the dialog.
import type { ComponentChildren } from "preact";
import { S } from "../lib/strings";
import { Button, ErrorBox } from "../ui/basic";
import { Dialog } from "../ui/dialog";
import { useGuarded } from "../lib/use-guarded";

export function FormDialog(p: {
    title: string;
    action: string; // of the main button
    isGood: boolean; // it may be done
    onSubmit: () => Promise<unknown>; // closes it by itself
    onClose: () => void;
    note?: string;
    children: ComponentChildren;
}) {
    const { error, isBusy, guarded } = useGuarded();
    const act = () => guarded(p.onSubmit);
    const submit = (event: Event) => {
        event.preventDefault();
        if (p.isGood) void act();
    };
    return (
        <Dialog
            title={p.title}
            onClose={p.onClose}
            actions={
                <>
                    <Button onClick={p.onClose}>{S.cancel}</Button>
                    <Button variant="primary" onClick={act} disabled={!p.isGood} busy={isBusy}>
                        {p.action}
                    </Button>
                </>
            }
        >
            <form class="form" onSubmit={submit}>
                {p.children}
                <button type="submit" hidden tabIndex={-1} />
            </form>
            {p.note !== undefined && <p class="muted">{p.note}</p>}
            {error !== undefined && <ErrorBox error={error} />}
        </Dialog>
    );
}
