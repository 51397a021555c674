// test.tsx - the test of a stored connector: made when the page is opened by its button, shown again under its job's URL.
import { useEffect, useRef } from "preact/hooks";
import { post, segment, useGet } from "../lib/api";
import { useKeys } from "../lib/keys";
import { link, setQuery, useRoute } from "../lib/router";
import { can } from "../lib/session";
import type { Connector } from "../lib/types";
import { useJob } from "../parts/jobs";
import { TestSteps } from "../parts/test-steps";
import { Button, Empty, ErrorBox, LinkButton } from "../ui/basic";
import { Page } from "../ui/layout";
import { toast } from "../ui/toast";

export default function TestConnector() {
    const route = useRoute();
    const name = route.path[1] ?? "";
    const job = Number(route.query.get("job")) || null;
    const view = useJob(job);
    const { data: connector, error } = useGet<Connector>(`/connectors/${segment(name)}`);

    const isLeft = useRef(false);
    useEffect(() => () => void (isLeft.current = true), []);
    const start = async () => {
        const answer = await post<{ job: number }>(`/connectors/${segment(name)}/test`);
        if (isLeft.current) return; // the address is another page's now
        setQuery({ job: answer.job }, { replace: true });
    };
    // A reload shows the same test; only an address without one makes another.
    useEffect(() => {
        if (job === null && can("operator")) start().catch((e: unknown) => toast(e));
    }, []);
    useKeys({ t: can("operator") && ["Test again", () => void start().catch((e: unknown) => toast(e))] });

    return (
        <Page
            title={`Test ${name}`}
            crumbs={[
                { href: "#/connectors", title: "Asset connectors" },
                { href: link(["connectors", name]), title: name },
            ]}
            actions={
                can("operator") && (
                    <>
                        {connector?.source === "server" && (
                            <LinkButton icon="edit" href={link(["connectors", name, "edit", "connect"])}>
                                Edit
                            </LinkButton>
                        )}
                        <Button variant="primary" icon="play" onClick={start}>
                            Test again
                        </Button>
                    </>
                )
            }
        >
            {error && <ErrorBox error={error} />}
            {job === null && !can("operator") && <Empty title="Operators test connectors">Your role may look at results only.</Empty>}
            {job !== null && <TestSteps view={view} connector={name} />}
        </Page>
    );
}
