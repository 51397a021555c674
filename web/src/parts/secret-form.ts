// secret-form.ts - where a secret comes from, as the form has it: entered here, or a reference to a place that keeps it.

export type Origin = "entered" | "vault" | "file" | "cred" | "env";

export const ORIGINS: { origin: Origin; label: string; help: string; example: string }[] = [
    { origin: "entered", label: "Enter it here", help: "Kept sealed on this server, and never shown again.", example: "" },
    {
        origin: "vault",
        label: "HashiCorp Vault",
        help: "Mount, path and field of a KV v2 secret; the vault itself is under Settings.",
        example: "vault:secret/rollcall/corp#password",
    },
    {
        origin: "file",
        label: "File on the server",
        help: "Mode 0600; read at each run, one newline at the end is not part of it.",
        example: "file:/etc/rollcall/corp.pw",
    },
    { origin: "cred", label: "systemd credential", help: "A name of LoadCredential= in the unit.", example: "cred:corp-password" },
    { origin: "env", label: "Environment variable", help: "Of the server's process.", example: "env:CORP_PASSWORD" },
];

// Only an administrator may name what the server reads; what one has named can be seen and kept.
export function originsFor(isAdmin: boolean, now: Origin): typeof ORIGINS {
    return isAdmin ? ORIGINS : ORIGINS.filter((o) => o.origin === "entered" || o.origin === now);
}

export function originOf(reference: unknown): Origin {
    const found = typeof reference === "string" ? /^(vault|file|cred|env):/.exec(reference) : null;
    return (found?.[1] as Origin | undefined) ?? "entered";
}

// What a reference says behind its kind.
export function placeOf(reference: unknown): string {
    return typeof reference === "string" ? reference.replace(/^[a-z]+:/, "") : "";
}
