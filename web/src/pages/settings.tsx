// settings.tsx - one's own settings and the server's, a part each.
import type { ComponentType } from "preact";
import { useRoute } from "../lib/router";
import { can } from "../lib/session";
import type { Role } from "../lib/types";
import { SettingsAccount, SettingsTokens } from "../parts/settings-account";
import { SettingsOidc } from "../parts/settings-oidc";
import { SettingsAbout, SettingsAudit, SettingsDelivery, SettingsKey, SettingsSinks } from "../parts/settings-server";
import { SettingsUsers } from "../parts/settings-users";
import { SettingsVault } from "../parts/settings-vault";
import { Empty } from "../ui/basic";
import { Page } from "../ui/layout";

const PARTS: { id: string; title: string; role: Role; show: ComponentType }[] = [
    { id: "account", title: "My account", role: "viewer", show: SettingsAccount },
    { id: "tokens", title: "API tokens", role: "viewer", show: SettingsTokens },
    { id: "users", title: "Users", role: "admin", show: SettingsUsers },
    { id: "oidc", title: "OpenID Connect", role: "admin", show: SettingsOidc },
    { id: "vault", title: "Secrets vault", role: "admin", show: SettingsVault },
    { id: "sinks", title: "Sinks", role: "viewer", show: SettingsSinks },
    { id: "delivery", title: "Alert delivery", role: "admin", show: SettingsDelivery },
    { id: "audit", title: "Audit log", role: "admin", show: SettingsAudit },
    { id: "key", title: "Key", role: "admin", show: SettingsKey },
    { id: "about", title: "About", role: "viewer", show: SettingsAbout },
];

export default function Settings() {
    const chosen = useRoute().path[1] ?? "account";
    const parts = PARTS.filter((p) => can(p.role));
    const part = parts.find((p) => p.id === chosen);
    const Show = part?.show;
    return (
        <Page title={part ? `Settings: ${part.title}` : "Settings"} heading="Settings">
            <div class="settings">
                <nav class="settings-parts" aria-label="Settings">
                    <ul>
                        {parts.map((p) => (
                            <li key={p.id}>
                                <a href={`#/settings/${p.id}`} aria-current={p.id === chosen ? "page" : undefined}>
                                    {p.title}
                                </a>
                            </li>
                        ))}
                    </ul>
                </nav>
                <div class="settings-part">{Show ? <Show /> : <Empty icon="lock" title="Not for your role, or not there" />}</div>
            </div>
        </Page>
    );
}
