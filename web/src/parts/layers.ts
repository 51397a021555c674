// layers - where the nodes of a small directed graph are drawn: in layers from left to right, few crossings, no library.
//
// The layer of a node is its longest way from a source; within a layer nodes are ordered by the middle of their neighbours, swept a few times
// (Sugiyama, Tagawa, Toda 1981). Graphs here have at most 50 nodes; cycles are cut where a depth-first walk comes back.

export interface Node {
    id: string;
}
export interface Edge {
    from: string;
    to: string;
}
export interface Place {
    layer: number;
    row: number;
}

/** A walk with its own stack: edges that lead back to a node under way are left out. */
function withoutCycles(ids: string[], edges: Edge[]): Edge[] {
    const out = new Map<string, Edge[]>(ids.map((id) => [id, []]));
    for (const edge of edges) if (edge.from !== edge.to && out.has(edge.to)) out.get(edge.from)?.push(edge);
    const state = new Map<string, "open" | "done">();
    const kept: Edge[] = [];
    for (const root of ids) {
        if (state.has(root)) continue;
        const stack = [{ id: root, next: 0 }];
        state.set(root, "open");
        while (stack.length) {
            const top = stack[stack.length - 1]!;
            const edge = out.get(top.id)![top.next++];
            if (!edge) {
                state.set(top.id, "done");
                stack.pop();
            } else if (state.get(edge.to) !== "open") {
                kept.push(edge);
                if (!state.has(edge.to)) {
                    state.set(edge.to, "open");
                    stack.push({ id: edge.to, next: 0 });
                }
            }
        }
    }
    return kept;
}

/** Longest way from a source, by repeated relaxation: at most as many rounds as nodes. */
function layersOf(ids: string[], edges: Edge[]): Map<string, number> {
    const layer = new Map(ids.map((id) => [id, 0]));
    for (let changed = true, round = 0; changed && round <= ids.length; round++) {
        changed = false;
        for (const { from, to } of edges) {
            const wanted = layer.get(from)! + 1;
            if (wanted > layer.get(to)!) {
                layer.set(to, wanted);
                changed = true;
            }
        }
    }
    return layer;
}

function sweep(rows: string[][], edges: Edge[], forward: boolean): void {
    const at = new Map<string, number>();
    rows.forEach((row) => row.forEach((id, i) => at.set(id, i)));
    const order = forward ? rows : [...rows].reverse();
    for (const row of order) {
        const weight = new Map<string, number>();
        row.forEach((id, i) => {
            const near = edges.filter((e) => (forward ? e.to : e.from) === id).map((e) => at.get(forward ? e.from : e.to) ?? 0);
            weight.set(id, near.length ? near.reduce((a, b) => a + b, 0) / near.length : i);
        });
        row.sort((a, b) => weight.get(a)! - weight.get(b)!);
        row.forEach((id, i) => at.set(id, i));
    }
}

export function placeNodes(nodes: Node[], edges: Edge[]): Map<string, Place> {
    const ids = nodes.map((n) => n.id);
    const forward = withoutCycles(ids, edges);
    const layer = layersOf(ids, forward);
    const rows: string[][] = [];
    for (const id of ids) (rows[layer.get(id)!] ??= []).push(id);
    for (let i = 0; i < 4; i++) sweep(rows, forward, i % 2 === 0);
    const places = new Map<string, Place>();
    rows.forEach((row, l) => row.forEach((id, i) => places.set(id, { layer: l, row: i - (row.length - 1) / 2 })));
    return places;
}
