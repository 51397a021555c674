// tabs.tsx - parts of one page, each with its own URL (tab=...), so links rather than role=tab: back, reload and a new window work on them.
import type { ComponentChildren } from "preact";
import { link, useRoute } from "../lib/router";

export interface Tab {
    id: string;
    title: ComponentChildren;
    count?: number | string;
}

// The chosen tab's id: of the query, else the first one.
export function useTab(tabs: Tab[], key = "tab"): string {
    const chosen = useRoute().query.get(key);
    return tabs.some((t) => t.id === chosen) ? (chosen as string) : (tabs[0]?.id ?? "");
}

export function Tabs({ tabs, label, name = "tab" }: { tabs: Tab[]; label: string; name?: string }) {
    const route = useRoute();
    const chosen = useTab(tabs, name);
    return (
        <nav class="tabs" aria-label={label}>
            {tabs.map((t, i) => (
                <a key={t.id} href={link(route.path, i === 0 ? {} : { [name]: t.id })} aria-current={t.id === chosen ? "page" : undefined}>
                    {t.title}{t.count !== undefined && <span class="count-pill">{t.count}</span>}
                </a>
            ))}
        </nav>
    );
}
