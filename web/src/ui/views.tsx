// views.tsx - saved views of a page: a name for its query. Kept by the server, for their owner.
import { useState } from "preact/hooks";
import { del, post, segment, useGet } from "../lib/api";
import { link, useRoute } from "../lib/router";
import { S } from "../lib/strings";
import { useGuarded } from "../lib/use-guarded";
import type { List, SavedView } from "../lib/types";
import { plain } from "../lib/visible";
import { Button, Empty, ErrorBox } from "./basic";
import { Dialog } from "./dialog";
import { Field } from "./field";
import { Text } from "./text";

function savable(query: URLSearchParams): string {
    const kept = new URLSearchParams(query);
    kept.delete("after");
    return kept.toString();
}

export function Views({ page }: { page: string }) {
    const [isOpen, setOpen] = useState(false);
    return (
        <>
            <Button icon="star" onClick={() => setOpen(true)}>Views</Button>
            {isOpen && <ViewsDialog page={page} onClose={() => setOpen(false)} />}
        </>
    );
}

function ViewsDialog({ page, onClose }: { page: string; onClose: () => void }) {
    const { data, error, reload } = useGet<List<SavedView>>("/views");
    const route = useRoute();
    const [name, setName] = useState("");
    const query = savable(route.query);
    const mine = data?.items.filter((v) => v.page === page) ?? [];
    const { error: failed, isBusy, guarded } = useGuarded();
    const save = () =>
        guarded(async () => {
            await post("/views", { name: name.trim(), page, query });
            setName("");
            reload();
        });
    const remove = (view: SavedView) => guarded(() => del(`/views/${segment(String(view.id))}`).then(reload));
    return (
        <Dialog title="Saved views" onClose={onClose}>
            {error !== undefined && <ErrorBox error={error} retry={reload} />}
            {failed !== undefined && <ErrorBox error={failed} />}
            {data !== undefined && mine.length === 0 && <Empty icon="star" title="No view is saved yet">Filter and sort the list, then give it a name here.</Empty>}
            <ul class="lines boxed">
                {mine.map((v) => (
                    <li key={v.id} class="line">
                        <a class="grow strong" href={link([page], new URLSearchParams(v.query))} onClick={onClose}><Text>{v.name}</Text></a>
                        <Button small variant="quiet" icon="trash" label={`${S.delete_} the view ${plain(v.name)}`} onClick={() => remove(v)} />
                    </li>
                ))}
            </ul>
            <form class="form" onSubmit={(e) => { e.preventDefault(); if (name.trim() !== "") void save(); }}>
                <Field label="Save what the list shows now as" description={query === "" ? "The list has no filters now." : undefined}>
                    {(a) => (
                        <div class="input-row">
                            <input {...a} value={name} maxLength={100} onInput={(e) => setName(e.currentTarget.value)} />
                            <Button type="submit" variant="primary" busy={isBusy} disabled={name.trim() === ""}>{S.save}</Button>
                        </div>
                    )}
                </Field>
            </form>
        </Dialog>
    );
}
