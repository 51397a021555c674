// connector-dialogs.tsx - what is asked before a connector is deleted, copied or read again from the beginning.
import { useState } from "preact/hooks";
import { del, post, segment } from "../lib/api";
import { number } from "../lib/format";
import { go, link } from "../lib/router";
import type { Connector } from "../lib/types";
import { Confirm } from "../ui/dialog";
import { Text } from "../ui/text";
import { toast } from "../ui/toast";
import { assetTotal } from "./connector-status";
import { editDraftId, forgetDraft } from "./draft";
import { FormDialog } from "./form-dialog";
import { RadioChoice, TextField } from "./inputs";
import { nameWithoutSpaces } from "./spec";

interface DialogProps {
    connector: Connector;
    onClose: () => void;
    onDone: () => void;
}

export function DeleteConnector({ connector: c, onClose, onDone }: DialogProps) {
    const [assets, setAssets] = useState("keep");
    const n = assetTotal(c);
    const run = async () => {
        await del(`/connectors/${segment(c.name)}`, { assets });
        void forgetDraft(editDraftId(c.name)); // it is not of another one that gets the name
        toast(`${c.name} is deleted`, "good");
        onDone();
    };
    return (
        <Confirm title={`Delete ${c.name}?`} action="Delete connector" danger onConfirm={run} onClose={onClose}>
            <p>
                Its settings and secrets are removed from this server. Nothing is changed in <Text>{c.name}</Text>'s directory.
            </p>
            <RadioChoice
                label={`What happens to its ${number(n)} assets?`}
                value={assets}
                onChange={setAssets}
                options={[
                    { value: "keep", label: "Keep them", help: "With their history, as of the last run. They are not updated any more." },
                    { value: "remove", label: "Remove them", help: "With their history. This cannot be undone." },
                ]}
            />
        </Confirm>
    );
}

export function DuplicateConnector({ connector: c, onClose, onDone }: DialogProps) {
    const [name, setName] = useState(`${c.name}_copy`);
    const run = async () => {
        const made = await post<Connector>(`/connectors/${segment(c.name)}/duplicate`, { name: nameWithoutSpaces(name) });
        onDone();
        onClose();
        go(link(["connectors", made.name, "edit", "connect"]));
    };
    return (
        <FormDialog
            title={`Duplicate ${c.name}`}
            action="Duplicate"
            isGood={name.trim() !== ""}
            onSubmit={run}
            onClose={onClose}
            note="The copy is switched off. A secret that was entered is not copied: enter it before the copy can run."
        >
            <TextField label="Name of the copy" value={name} onChange={setName} />
        </FormDialog>
    );
}

export function FullResync({ connector: c, onClose, onDone }: DialogProps) {
    const run = async () => {
        const { job } = await post<{ job: number }>(`/connectors/${segment(c.name)}/sync`, { full: true });
        onDone();
        go(link(["jobs", String(job)]));
    };
    return (
        <Confirm title={`Read everything of ${c.name} again?`} action="Full resync" onConfirm={run} onClose={onClose}>
            <p>
                All objects are read and compared with what is stored. History stays. It takes as long as the first run did; incremental runs wait for
                it.
            </p>
        </Confirm>
    );
}
