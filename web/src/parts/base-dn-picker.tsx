// base-dn-picker.tsx - the directory's tree, read live with what has been entered, to choose a Base DN from.
import { useEffect, useRef, useState } from "preact/hooks";
import { post } from "../lib/api";
import { count } from "../lib/format";
import { Button, ErrorBox, Loading } from "../ui/basic";
import { Dialog } from "../ui/dialog";
import { KindIcon } from "../ui/icon";
import { Text } from "../ui/text";
import { trialBodyOf, type Form } from "./form";
import { waitForJob } from "./jobs";

interface Child {
    dn: string;
    name: string;
    kind: string;
    has_children: boolean;
    users?: number;
}
interface Browsed {
    base: string;
    children: Child[];
}

async function browse(form: Form, base: string, signal: AbortSignal): Promise<Browsed> {
    const { job } = await post<{ job: number }>("/connectors/browse", { ...trialBodyOf(form), base }, signal);
    return waitForJob<Browsed>(job, signal);
}

function Branch({ form, child, chosen, onChoose }: { form: Form; child: Child; chosen: string; onChoose: (dn: string) => void }) {
    const [isOpen, setOpen] = useState(false);
    return (
        <li>
            <span class="tree-row">
                {child.has_children ? (
                    <Button
                        variant="quiet"
                        small
                        icon={isOpen ? "down" : "right"}
                        label={`${isOpen ? "Close" : "Open"} ${child.name}`}
                        expanded={isOpen}
                        onClick={() => setOpen(!isOpen)}
                    />
                ) : (
                    <span class="tree-leaf" aria-hidden="true" />
                )}
                <label class="tree-choice">
                    <input type="radio" name="base-dn" checked={chosen === child.dn} onChange={() => onChoose(child.dn)} />
                    <KindIcon kind={child.kind} />
                    <span title={child.dn}>
                        <Text>{child.name}</Text>
                    </span>
                    {child.users !== undefined && <span class="muted">{count(child.users, "user")}</span>}
                </label>
            </span>
            {isOpen && <Level form={form} base={child.dn} chosen={chosen} onChoose={onChoose} />}
        </li>
    );
}

function Level({ form, base, chosen, onChoose }: { form: Form; base: string; chosen: string; onChoose: (dn: string) => void }) {
    const [found, setFound] = useState<Browsed | null>(null);
    const [error, setError] = useState<unknown>();
    const [turn, setTurn] = useState(0);
    const asked = useRef(form); // of the moment the dialog was opened
    useEffect(() => {
        const abort = new AbortController();
        setError(undefined);
        browse(asked.current, base, abort.signal).then(setFound, (e: unknown) => !abort.signal.aborted && setError(e));
        return () => abort.abort();
    }, [base, turn]);
    if (error !== undefined) return <ErrorBox error={error} retry={() => setTurn(turn + 1)} />;
    if (found === null) return <Loading lines={2} />;
    return (
        <ul class="tree">
            {found.children.map((child) => (
                <Branch key={child.dn} form={form} child={child} chosen={chosen} onChoose={onChoose} />
            ))}
            {found.children.length === 0 && <li class="muted">Nothing below it that this account can see.</li>}
        </ul>
    );
}

export function BaseDnPicker({ form, onPick, onClose }: { form: Form; onPick: (dn: string) => void; onClose: () => void }) {
    const [chosen, setChosen] = useState(String(form.draft.values.base_dn ?? ""));
    const pick = () => {
        onPick(chosen);
        onClose();
    };
    // The dialog stands inside the wizard's form, which Enter in a radio button would submit.
    const onKeyDown = (event: KeyboardEvent) => {
        if (event.key !== "Enter" || !(event.target instanceof HTMLInputElement)) return;
        event.preventDefault();
        pick();
    };
    return (
        <Dialog
            title="Choose the Base DN"
            wide
            onClose={onClose}
            actions={
                <>
                    <span class="grow wrap muted">
                        <Text>{chosen || "The whole domain"}</Text>
                    </span>
                    <Button onClick={onClose}>Cancel</Button>
                    <Button variant="primary" onClick={pick}>
                        Use it
                    </Button>
                </>
            }
        >
            <div class="stack-v" onKeyDown={onKeyDown}>
                <label class="tree-choice">
                    <input type="radio" name="base-dn" checked={chosen === ""} onChange={() => setChosen("")} data-autofocus />
                    <KindIcon kind="domain" />
                    The whole domain
                </label>
                <Level form={form} base="" chosen={chosen} onChoose={setChosen} />
            </div>
        </Dialog>
    );
}
