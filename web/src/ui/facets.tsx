// facets.tsx - filters beside a list, with how many each would leave. State: comma lists in the query (kind=user,group); counts from the server.
import { useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { number, short } from "../lib/format";
import { S, words } from "../lib/strings";
import { Text } from "./text";

export interface Facet {
    name: string; // of the query
    title: string;
    counts: Record<string, number> | undefined;
    label?: (value: string) => ComponentChildren;
    order?: string[]; // else by count
    single?: boolean; // one value at a time
}

const FEW = 8;

function sorted(facet: Facet, chosen: string[]): [string, number][] {
    const counts = { ...facet.counts };
    for (const value of chosen) counts[value] ??= 0; // what is chosen can always be taken away
    const rank = (v: string) => (facet.order?.includes(v) ? facet.order.indexOf(v) : 1000);
    return Object.entries(counts).sort((a, b) => rank(a[0]) - rank(b[0]) || b[1] - a[1] || a[0].localeCompare(b[0]));
}

function FacetGroup({ facet, chosen, onChange }: { facet: Facet; chosen: string[]; onChange: (to: string[]) => void }) {
    const [isAll, setAll] = useState(false);
    const values = sorted(facet, chosen).filter(([v, n]) => n > 0 || chosen.includes(v));
    if (values.length === 0) return null;
    const shown = isAll ? values : values.slice(0, FEW);
    const toggle = (value: string, on: boolean) => onChange(on ? (facet.single ? [value] : [...chosen, value]) : chosen.filter((v) => v !== value));
    return (
        <fieldset class="facet">
            <legend>{facet.title}</legend>
            {shown.map(([value, n]) => (
                <label key={value} class="facet-value">
                    <input type="checkbox" checked={chosen.includes(value)} onChange={(e) => toggle(value, e.currentTarget.checked)} />
                    <span class="facet-label">{facet.label?.(value) ?? <Text>{words(value)}</Text>}</span>
                    <span class="facet-count" title={number(n)}>{short(n)}</span>
                </label>
            ))}
            {values.length > FEW && <button type="button" class="link-button" aria-expanded={isAll} onClick={() => setAll(!isAll)}>{isAll ? "Fewer" : `${values.length - FEW} more`}</button>}
        </fieldset>
    );
}

export function Facets({ facets, query, onChange, onClear }: {
    facets: Facet[]; query: URLSearchParams; onChange: (name: string, to: string) => void; onClear: () => void;
}) {
    const chosenOf = (name: string) => (query.get(name) ?? "").split(",").filter((v) => v !== "");
    const n = facets.reduce((sum, f) => sum + chosenOf(f.name).length, 0);
    const [isOpen, setOpen] = useState(window.matchMedia("(min-width: 60rem)").matches);
    return (
        <details class="facets" open={isOpen} onToggle={(e) => setOpen(e.currentTarget.open)}>
            <summary>{S.filters}{n > 0 && <span class="count-pill">{n}</span>}</summary>
            <div class="facet-groups">
                {n > 0 && <button type="button" class="link-button" onClick={onClear}>{S.clearFilters}</button>}
                {facets.map((f) => <FacetGroup key={f.name} facet={f} chosen={chosenOf(f.name)} onChange={(to) => onChange(f.name, to.join(","))} />)}
            </div>
        </details>
    );
}
