// controllers.tsx - the domain controllers that DNS names for a domain, to take the servername and the failover hosts from.
import { useEffect, useState } from "preact/hooks";
import { post } from "../lib/api";
import type { Problem } from "../lib/types";
import { took } from "../lib/time";
import { Button, Empty, ErrorBox, Loading, Status } from "../ui/basic";
import { Dialog } from "../ui/dialog";
import { Text } from "../ui/text";
import { trialBodyOf, type Form } from "./form";
import type { Values } from "./spec";
import { waitForJob } from "./jobs";

interface Controller {
    host: string;
    address?: string;
    port?: number;
    reachable: boolean;
    took_ms?: number;
    error?: Problem;
}

// The form is at its beginning: no host yet, nobody who signs in. DNS and a connection are all that is asked for, so that much is enough.
function askingBody(form: Form): Record<string, unknown> {
    const { settings, type } = trialBodyOf(form) as { settings: Values; type: string };
    const { domain, host, security, port, dns_servers } = settings;
    const wanted = { domain, host: host ?? domain, security: security === "ldap" ? undefined : security, port, dns_servers, username: `nobody@${String(domain)}` };
    return { type, settings: wanted, secrets: { password: "not sent" } };
}

export function Controllers({ form, onClose }: { form: Form; onClose: () => void }) {
    const [found, setFound] = useState<Controller[] | null>(null);
    const [error, setError] = useState<unknown>();
    const domain = String(form.draft.values.dc_discovery_domain ?? form.draft.values.domain ?? "").trim();
    useEffect(() => {
        const abort = new AbortController();
        post<{ job: number }>("/connectors/discover", { ...askingBody(form), domain }, abort.signal)
            .then(({ job }) => waitForJob<{ controllers: Controller[] }>(job, abort.signal))
            .then((r) => setFound(r.controllers))
            .catch((e: unknown) => !abort.signal.aborted && setError(e));
        return () => abort.abort();
    }, []);
    const use = (host: string) => {
        form.tell({ do: "set", key: "host", value: host });
        const others = (found ?? []).filter((c) => c.reachable && c.host !== host).map((c) => c.host);
        form.tell({ do: "set", key: "failover_hosts", value: others });
        form.judge();
        onClose();
    };
    return (
        <Dialog title={`Domain controllers of ${domain}`} wide onClose={onClose}>
            {error !== undefined && <ErrorBox error={error} />}
            {found === null && error === undefined && <Loading lines={3} />}
            {found?.length === 0 && (
                <Empty title="DNS names no controller">Is this the DNS name of the domain, and does this server ask the domain's DNS?</Empty>
            )}
            <ul class="plain">
                {found?.map((c) => (
                    <li key={c.host} class="row controller">
                        <span class="grow">
                            <strong>
                                <Text>{c.host}</Text>
                            </strong>{" "}
                            <Text class="muted">{c.address}</Text>
                        </span>
                        <Status tone={c.reachable ? "good" : "bad"}>
                            {c.reachable ? `answers in ${took(c.took_ms ?? 0)}` : <Text class="wrap">{c.error?.message ?? "does not answer"}</Text>}
                        </Status>
                        <Button small onClick={() => use(c.host)} disabled={!c.reachable} label={`Use ${c.host}`}>
                            Use it
                        </Button>
                    </li>
                ))}
            </ul>
            {found !== null && found.length > 1 && <p class="muted">The others that answer become failover hosts.</p>}
        </Dialog>
    );
}
