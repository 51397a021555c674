// download.ts - rows of an answer as a file, made here: RFC 4180 with the guard of our own exports against spreadsheets that take a text for a formula.
const DANGEROUS = /^[=+\-@\t\r]/;

function cell(value: unknown): string {
    const raw = value === null || value === undefined ? "" : Array.isArray(value) ? value.join(" ") : String(value);
    const safe = DANGEROUS.test(raw) ? `'${raw}` : raw;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function csvOf(header: string[], rows: unknown[][]): string {
    return [header, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

export function saveFile(name: string, type: string, text: string): void {
    const url = URL.createObjectURL(new Blob([text], { type }));
    const a = document.createElement("a");
    a.href = url;
    a.download = name;
    a.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
