// access-graph.tsx - a path of access drawn from left to right: who, through which groups, by which entry, on what.
//
// At most MAX_NODES are drawn; the rest is one node that says how many. Each edge can be focused and has its sentence as name; the same sentences stand as
// a list below, for whoever does not see the drawing. Names may hide characters: plain() shows them.
import { useId } from "preact/hooks";
import { plain } from "../lib/visible";
import { placeNodes, type Place } from "./layers";

export const MAX_NODES = 50;

export interface GraphNode {
    id: string;
    label: string;
    kind: string; // user, group, ou ...; "more": a fan that was folded
    href?: string;
    role?: "from" | "to";
}

export interface GraphEdge {
    from: string;
    to: string;
    label: string;
    sentence: string; // whole, for the list and for screen readers
    tone?: "allow" | "deny" | "member" | "inherit";
}

export interface Graph {
    nodes: GraphNode[];
    edges: GraphEdge[];
    hidden: number;
}

const NODE = { width: 168, height: 44 };
const GAP = { x: 92, y: 16 };
const MARGIN = 12;

interface Point {
    x: number;
    y: number;
}

function cut(text: string, n: number): string {
    const letters = [...plain(text)];
    return letters.length <= n ? letters.join("") : letters.slice(0, n - 1).join("") + "\u2026";
}

interface Placed {
    at: Map<string, Point>; // upper left corners
    width: number;
    height: number;
}

function place(graph: Graph): Placed {
    const places = placeNodes(graph.nodes, graph.edges);
    const all: Place[] = [...places.values()];
    const least = Math.min(0, ...all.map((p) => p.row));
    const point = (p: Place): Point => ({ x: MARGIN + p.layer * (NODE.width + GAP.x), y: MARGIN + (p.row - least) * (NODE.height + GAP.y) });
    const at = new Map([...places].map(([id, p]) => [id, point(p)]));
    const points = [...at.values()];
    return {
        at,
        width: Math.max(0, ...points.map((p) => p.x)) + NODE.width + MARGIN,
        height: Math.max(0, ...points.map((p) => p.y)) + NODE.height + MARGIN,
    };
}

function curve(from: Point, to: Point): string {
    const [x1, y1, x2, y2] = [from.x + NODE.width, from.y + NODE.height / 2, to.x - 6, to.y + NODE.height / 2];
    const bend = Math.max(30, (x2 - x1) / 2);
    return `M ${x1} ${y1} C ${x1 + bend} ${y1}, ${x2 - bend} ${y2}, ${x2} ${y2}`;
}

function EdgeShape(props: { edge: GraphEdge; from: Point; to: Point; marker: string }) {
    const { edge, from, to } = props;
    const middle = { x: (from.x + NODE.width + to.x) / 2, y: (from.y + to.y + NODE.height) / 2 - 6 };
    return (
        <g class={`graph-edge graph-edge-${edge.tone ?? "member"}`} tabIndex={0} role="img" aria-label={plain(edge.sentence)}>
            <title>{plain(edge.sentence)}</title>
            <path class="graph-hit" d={curve(from, to)} />
            <path class="graph-line" d={curve(from, to)} marker-end={`url(#${props.marker})`} />
            <text class="graph-edge-label" x={middle.x} y={middle.y} text-anchor="middle">
                {cut(edge.label, 14)}
            </text>
        </g>
    );
}

function NodeShape(props: { node: GraphNode; at: Point }) {
    const { node, at } = props;
    const body = (
        <>
            <title>{plain(node.label)}</title>
            <rect x={at.x} y={at.y} width={NODE.width} height={NODE.height} rx={8} />
            <text class="graph-kind" x={at.x + 10} y={at.y + 16}>
                {node.kind.replace(/_/g, " ")}
            </text>
            <text class="graph-name" x={at.x + 10} y={at.y + 34}>
                {cut(node.label, 20)}
            </text>
        </>
    );
    const cls = `graph-node graph-node-${node.kind === "more" ? "more" : "entity"} ${node.role ? "graph-node-end" : ""}`;
    if (node.href === undefined) return <g class={cls}>{body}</g>;
    return (
        <a class={cls} href={node.href} aria-label={`${node.kind.replace(/_/g, " ")} ${plain(node.label)}`}>
            {body}
        </a>
    );
}

export function AccessGraph(props: { graph: Graph; title: string }) {
    const id = useId();
    const { graph } = props;
    if (graph.nodes.length === 0) return null;
    const placed = place(graph);
    const point = (node: string): Point => placed.at.get(node) ?? { x: 0, y: 0 };
    return (
        <figure class="graph">
            <div class="graph-scroll" tabIndex={0} role="group" aria-label={props.title}>
                <svg
                    width={placed.width}
                    height={placed.height}
                    viewBox={`0 0 ${placed.width} ${placed.height}`}
                    role="group"
                    aria-label={props.title}
                >
                    <defs>
                        <marker id={`${id}-arrow`} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
                            <path class="graph-arrow" d="M 0 0 L 8 4 L 0 8 z" />
                        </marker>
                    </defs>
                    {graph.edges.map((e) => (
                        <EdgeShape key={`${e.from} ${e.to} ${e.label}`} edge={e} from={point(e.from)} to={point(e.to)} marker={`${id}-arrow`} />
                    ))}
                    {graph.nodes.map((n) => (
                        <NodeShape key={n.id} node={n} at={point(n.id)} />
                    ))}
                </svg>
            </div>
            <figcaption>
                {graph.hidden > 0 ? `${graph.hidden} hidden: the drawing holds ${MAX_NODES}, the table has all.` : "Nothing hidden."}
            </figcaption>
            <details class="graph-list">
                <summary>The drawing as a list</summary>
                <ol>
                    {graph.edges.map((e) => (
                        <li key={`${e.from} ${e.to} ${e.label}`}>{plain(e.sentence)}</li>
                    ))}
                </ol>
            </details>
        </figure>
    );
}
