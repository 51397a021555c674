// asset.tsx - one asset: its head, and a tab for each question about it. The tabs' contents: asset_overview, asset_raw, asset_groups, asset_access, asset_history, asset_linked.
import { ApiError, segment, url, useGet } from "../lib/api";
import { useRoute } from "../lib/router";
import { word } from "../lib/shell";
import { S, kindName } from "../lib/strings";
import type { Entity } from "../lib/types";
import { Badge, CopyAs, Empty, ErrorBox, LinkButton, Loading, Notice, Status } from "../ui/basic";
import { KindIcon } from "../ui/icon";
import { Page } from "../ui/layout";
import { Tabs, useTab, type Tab } from "../ui/tabs";
import { Text, Time } from "../ui/text";
import { AccessTab } from "./asset_access";
import { GroupsTab, MembersTab } from "./asset_groups";
import { HistoryTab } from "./asset_history";
import { LinkedTab } from "./asset_linked";
import { OverviewTab } from "./asset_overview";
import { OcsfTab, RawTab } from "./asset_raw";

const WITH_MEMBERS = ["group", "role", "administrative_unit"];
const CRUMBS = [{ href: "#/assets", title: S.nav.assets }];

function tabsOf(e: Entity | undefined): Tab[] {
    const tabs: (Tab | false)[] = [
        { id: "overview", title: "Overview" },
        { id: "raw", title: "Raw" },
        { id: "groups", title: "Groups", count: e?.member_of.length },
        (e === undefined || WITH_MEMBERS.includes(e.kind)) && { id: "members", title: "Members" },
        { id: "access", title: "Access" },
        { id: "history", title: "History" },
        { id: "linked", title: "Linked identities", count: e?.identities },
        { id: "ocsf", title: "OCSF JSON" },
    ];
    return tabs.filter((t) => t !== false);
}

export default function AssetPage() {
    const [, connector = "", uid = ""] = useRoute().path;
    const path = `/assets/${segment(connector)}/${segment(uid)}`;
    const { data, error, reload } = useGet<Entity>(path);
    const tabs = tabsOf(data);
    const tab = useTab(tabs);
    if (error?.status === 404) return <NotThere error={error} />;
    if (data === undefined) {
        return <Page title="Asset" crumbs={CRUMBS}>{error !== undefined ? <ErrorBox error={error} retry={reload} /> : <Loading lines={8} />}</Page>;
    }
    const title = data.name === "" ? data.uid : data.name;
    const command = `rollcall entity get ${word(uid)} -c ${word(connector)} -o json`;
    return (
        <Page title={title} crumbs={CRUMBS} sub={<Sub entity={data} />} actions={<CopyAs path={url(path)} command={command} />}
              heading={<span class="asset-heading"><KindIcon kind={data.kind} /><Text>{title}</Text></span>}>
            {error !== undefined && <ErrorBox error={error} retry={reload} />}
            {data.deleted !== undefined && <Notice tone="bad" title="Deleted">It was gone from its directory on <Time at={data.deleted} />. What is shown here is how it was last.</Notice>}
            <Tabs tabs={tabs} label="Parts of this asset" />
            {tab === "overview" && <OverviewTab entity={data} path={path} onChange={reload} />}
            {tab === "raw" && <RawTab path={path} />}
            {tab === "groups" && <GroupsTab path={path} connector={connector} />}
            {tab === "members" && <MembersTab path={path} connector={connector} />}
            {tab === "access" && <AccessTab entity={data} />}
            {tab === "history" && <HistoryTab path={path} entity={data} />}
            {tab === "linked" && <LinkedTab path={path} entity={data} />}
            {tab === "ocsf" && <OcsfTab path={path} />}
        </Page>
    );
}

function Sub({ entity: e }: { entity: Entity }) {
    return (
        <>
            <span>{kindName(e.kind)}</span>
            {e.display_name !== undefined && e.display_name !== e.name && <Text>{e.display_name}</Text>}
            <span>in <a href={`#/connectors/${encodeURIComponent(e.connector)}`}><Text>{e.connector}</Text></a></span>
            {e.enabled !== undefined && (e.enabled ? <Status tone="good">Enabled</Status> : <Status tone="off">Disabled</Status>)}
            {e.derived["is_locked"] === true && <Status tone="warn" icon="lock">Locked out</Status>}
            {e.derived["privileged"] === true && <Badge tone="warn">Privileged</Badge>}
        </>
    );
}

function NotThere({ error }: { error: ApiError }) {
    return (
        <Page title="No such asset" crumbs={CRUMBS}>
            <div class="card">
                <Empty icon="assets" title="This asset is not in the store" action={<LinkButton href="#/assets" variant="primary" icon="search">Search assets</LinkButton>}>
                    <p><Text>{error.message}</Text></p>
                    {error.hint !== undefined && <p><Text>{error.hint}</Text></p>}
                </Empty>
            </div>
        </Page>
    );
}
