// theme.ts - light, dark or as the system has it: a class on <html> that style/tokens.css reads. The server keeps the choice (preferences); this browser keeps a copy,
// so that the log-in page has it, too.
export type Theme = "auto" | "light" | "dark";
const KEY = "rollcall.theme";

export function applyTheme(theme: Theme): void {
    const root = document.documentElement.classList;
    root.toggle("theme-light", theme === "light");
    root.toggle("theme-dark", theme === "dark");
    try {
        localStorage.setItem(KEY, theme);
    } catch {
        // storage may be off: the choice then holds until a reload
    }
}

export function rememberedTheme(): Theme {
    try {
        const kept = localStorage.getItem(KEY);
        if (kept === "light" || kept === "dark") return kept;
    } catch {
        // as above
    }
    return "auto";
}
