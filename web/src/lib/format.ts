// format.ts - numbers and sizes for people.

const NUMBER = new Intl.NumberFormat();
const SHORT = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });

export function number(n: number): string {
    return NUMBER.format(n);
}

// 12.4K: where there is little room; the exact one belongs into the title.
export function short(n: number): string {
    return n < 10_000 ? NUMBER.format(n) : SHORT.format(n);
}

export function bytes(n: number): string {
    const units = ["B", "kB", "MB", "GB", "TB"];
    let unit = 0;
    while (n >= 1000 && unit < units.length - 1) {
        n /= 1000;
        unit++;
    }
    return `${unit === 0 ? n : n.toFixed(1)} ${units[unit]}`;
}

export function percent(part: number, whole: number): string {
    if (whole === 0) return "0%";
    const p = (100 * part) / whole;
    if (p > 0 && p < 1) return "<1%";
    if (p < 100 && p > 99) return ">99%";
    return `${Math.round(p)}%`;
}

// "1 group", "2 groups".
export function count(n: number, one: string, many = one + "s"): string {
    return `${number(n)} ${n === 1 ? one : many}`;
}
