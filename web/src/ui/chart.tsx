// chart.tsx - small drawings as SVG, each with a sentence that says the same: Sparkline, Bar (part of a whole), Stack (parts side by side).
import { number, percent } from "../lib/format";
import { plain } from "../lib/visible";

export function Sparkline({ values, label, width = 120, height = 28 }: { values: number[]; label: string; width?: number; height?: number }) {
    if (values.length < 2) return <svg class="spark" width={width} height={height} role="img" aria-label={plain(label)} />;
    const low = Math.min(...values);
    const high = Math.max(...values);
    const reach = high - low || 1;
    const x = (i: number) => ((i * width) / (values.length - 1)).toFixed(1);
    const y = (v: number) => (high === low ? height / 2 : height - 3 - ((v - low) / reach) * (height - 6)).toFixed(1);
    const line = values.map((v, i) => `${i === 0 ? "M" : "L"}${x(i)} ${y(v)}`).join("");
    return (
        <svg class="spark" viewBox={`0 0 ${width} ${height}`} width={width} height={height} role="img" aria-label={plain(label)} preserveAspectRatio="none">
            <path class="spark-area" d={`${line}L${x(values.length - 1)} ${height}L${x(0)} ${height}Z`} />
            <path class="spark-line" d={line} vector-effect="non-scaling-stroke" />
        </svg>
    );
}

export function Bar({ part, whole, label }: { part: number; whole: number; label: string }) {
    const width = whole === 0 ? 0 : Math.max(part > 0 ? 1 : 0, (100 * part) / whole);
    return (
        <span class="bar">
            <svg viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label={`${plain(label)}: ${number(part)} of ${number(whole)}`}>
                <rect class="bar-track" width="100" height="8" rx="2" />
                <rect class="bar-fill" width={width} height="8" rx="2" />
            </svg>
            <span class="bar-text" aria-hidden="true" title={`${number(part)} of ${number(whole)}`}>{percent(part, whole)}</span>
        </span>
    );
}

export function Stack({ parts, label }: { parts: { name: string; n: number; tone: string }[]; label: string }) {
    const sum = parts.reduce((s, p) => s + p.n, 0);
    let at = 0;
    const said = parts.filter((p) => p.n > 0).map((p) => `${p.name} ${number(p.n)}`).join(", ");
    return (
        <svg class="stack" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label={`${label}: ${said === "" ? "none" : said}`}>
            <rect class="bar-track" width="100" height="8" />
            {sum > 0 && parts.map((p) => {
                const x = at;
                at += (100 * p.n) / sum;
                return p.n > 0 && <rect class={`fill-${p.tone}`} x={x} width={Math.max(at - x - 0.4, 0.6)} height="8" />;
            })}
        </svg>
    );
}
