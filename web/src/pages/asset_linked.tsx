// asset_linked.tsx - the same person or thing in other directories, and why we think so.
import { useGet } from "../lib/api";
import { assetLink } from "../lib/assets_query";
import { words } from "../lib/strings";
import type { Entity, LinkedIdentity, List } from "../lib/types";
import { Badge, Empty, ErrorBox, Kind, Loading, Status } from "../ui/basic";
import { Bar } from "../ui/chart";
import { Text } from "../ui/text";

const RULES: Record<string, string> = {
    sid: "Its security identifier (SID) is the on-premises SID that Entra ID keeps",
    consistency_guid: "Its ms-DS-ConsistencyGuid is the immutable id in Entra ID",
    object_guid: "Its objectGUID is the immutable id in Entra ID",
    device_id: "Its objectGUID is the device id in Entra ID",
    sid_history: "An earlier SID of it is the on-premises SID that Entra ID keeps",
};

const CONFLICTS: Record<string, string> = {
    several_active_directory: "One key of the Entra object names several Active Directory objects.",
    keys_disagree: "Its SID and its immutable id name different objects.",
    several_entra_id: "Several Entra objects of the tenant name this Active Directory object.",
};

export function LinkedTab({ path, entity }: { path: string; entity: Entity }) {
    const { data, error, reload } = useGet<List<LinkedIdentity>>(`${path}/identities`);
    if (error !== undefined) return <ErrorBox error={error} retry={reload} />;
    if (data === undefined) return <Loading />;
    if (data.items.length === 0) {
        return <Empty icon="link" title="Not known elsewhere">No other connector has an object with the same keys as <Text>{entity.name}</Text>. Links are found after each sync.</Empty>;
    }
    return (
        <ul class="stack-v">
            {data.items.map((i) => (
                <li key={`${i.connector}/${i.uid}/${i.rule}`} class="card linked">
                    <div class="row">
                        <a class="strong" href={assetLink(i.connector, i.uid)}><Text>{i.name}</Text></a>
                        <Kind kind={i.kind} /> <span class="muted">in <Text>{i.connector}</Text></span>
                        {i.conflict != null ? <Status tone="warn">Candidate in conflict</Status> : <Status tone="good">Linked</Status>}
                    </div>
                    {i.conflict != null && <p><Text>{CONFLICTS[i.conflict] ?? words(i.conflict)}</Text></p>}
                    <dl class="pairs">
                        <div><dt>Reason</dt><dd>{RULES[i.rule] ?? <>The rule <code><Text>{i.rule}</Text></code> of the settings</>}</dd></div>
                        <div><dt>Confidence</dt><dd class="confidence"><Bar part={i.confidence} whole={100} label="Confidence" /></dd></div>
                        <div><dt>Confirmed by</dt><dd><Marks marks={i.confirmed_by} tone="good" none="Nothing else" /></dd></div>
                        <div><dt>Contradicted by</dt><dd><Marks marks={i.contradicts} tone="warn" none="Nothing" /></dd></div>
                    </dl>
                </li>
            ))}
        </ul>
    );
}

function Marks({ marks, tone, none }: { marks: string[]; tone: "good" | "warn"; none: string }) {
    if (marks.length === 0) return <span class="muted">{none}</span>;
    return <span class="tags">{marks.map((m) => <Badge tone={tone}><Text>{words(m)}</Text></Badge>)}</span>;
}
