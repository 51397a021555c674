// asset_history.tsx - what happened to it, newest first, by run; and its state between two runs by reading down.
import { useGet } from "../lib/api";
import { useRoute } from "../lib/router";
import type { Change, Entity, List } from "../lib/types";
import { Empty, ErrorBox, Loading } from "../ui/basic";
import { Timeline } from "../ui/timeline";
import { Pager } from "../ui/table";
import { Time } from "../ui/text";

export function HistoryTab({ path, entity }: { path: string; entity: Entity }) {
    const after = useRoute().query.get("after");
    const { data, error, loading, reload } = useGet<List<Change>>(`${path}/history`, { after });
    if (error !== undefined) return <ErrorBox error={error} retry={reload} />;
    if (data === undefined) return <Loading lines={6} />;
    if (data.items.length === 0 && after === null) return <Empty icon="changes" title="Nothing has changed since it was first seen">First seen <Time at={entity.first_seen} />.</Empty>;
    return (
        <>
            <Timeline changes={data.items} />
            <Pager next={data.next} count={data.items.length} total={data.total} what="changes" loading={loading} />
        </>
    );
}
