// columns.tsx - which columns a table shows: of the URL (columns=a,b), else of the user's preferences, else the usual ones.
import { useState } from "preact/hooks";
import { setQuery, useRoute } from "../lib/router";
import { setPreference, useSession } from "../lib/session";
import { Button } from "./basic";
import { Dialog } from "./dialog";
import { Checkbox } from "./field";
import type { Column } from "./table";
import { toast } from "./toast";

export function useColumns<R>(table: string, all: Column<R>[], usual: string[]): { columns: Column<R>[]; shown: string[] } {
    const route = useRoute();
    const session = useSession();
    const wanted = route.query.get("columns")?.split(",") ?? session?.preferences.columns?.[table] ?? usual;
    const columns = all.filter((c, i) => i === 0 || wanted.includes(c.key));
    return { columns, shown: columns.map((c) => c.key) };
}

export function ColumnPicker<R>({ table, all, shown, usual }: { table: string; all: Column<R>[]; shown: string[]; usual: string[] }) {
    const [isOpen, setOpen] = useState(false);
    const session = useSession();
    const choose = (to: string[]) => {
        setQuery({ columns: null }, { replace: true });
        setPreference({ columns: { ...session?.preferences.columns, [table]: to } }).catch(toast);
    };
    return (
        <>
            <Button icon="columns" onClick={() => setOpen(true)}>Columns</Button>
            {isOpen && (
                <Dialog title="Columns" onClose={() => setOpen(false)} actions={<><Button onClick={() => choose(usual)}>As usual</Button><Button variant="primary" onClick={() => setOpen(false)}>Done</Button></>}>
                    <div class="column-list">
                        {all.map((c, i) => (
                            <Checkbox key={c.key} label={c.title} checked={i === 0 || shown.includes(c.key)} disabled={i === 0}
                                      onChange={(on) => choose(on ? [...shown, c.key] : shown.filter((k) => k !== c.key))} />
                        ))}
                    </div>
                </Dialog>
            )}
        </>
    );
}
