// wizard.tsx - a connector made or changed in steps, each with its own URL: type, connect, scope, test & create. Going back loses nothing (parts/draft.ts).
import { useEffect } from "preact/hooks";
import { useGet } from "../lib/api";
import { go, link, useRoute } from "../lib/router";
import { can } from "../lib/session";
import { TYPES } from "../lib/strings";
import { editDraftId, forgetDraft, newDraftId, useDraft } from "../parts/draft";
import type { Form } from "../parts/form";
import type { Spec } from "../parts/spec";
import { useJudge } from "../parts/use-judge";
import { ConnectStep, CreateStep, ScopeStep, TypeStep } from "../parts/wizard-steps";
import { Button, Empty, ErrorBox, Loading, Notice } from "../ui/basic";
import { Icon } from "../ui/icon";
import { Page } from "../ui/layout";

const STEPS = [
    { id: "type", title: "Type" },
    { id: "connect", title: "Connect" },
    { id: "scope", title: "Scope" },
    { id: "create", title: "Test & create" },
];

interface Place {
    editing: string | null;
    step: string;
    id: string | null;
    to: (step: string) => string;
}

function usePlace(): Place {
    const { path, query } = useRoute();
    const editing = path[1] === "new" && path[2] !== "edit" ? null : (path[1] ?? null);
    const step = (editing === null ? path[2] : path[3]) ?? (editing === null ? "type" : "connect");
    const id = editing === null ? query.get("draft") : editDraftId(editing);
    return {
        editing,
        step,
        id,
        to: (s) => (editing === null ? link(["connectors", "new", s], { draft: id }) : link(["connectors", editing, "edit", s])),
    };
}

function StepList({ place, hasType }: { place: Place; hasType: boolean }) {
    const steps = place.editing === null ? STEPS : STEPS.filter((s) => s.id !== "type").map((s) => (s.id === "create" ? { ...s, title: "Test & save" } : s));
    const at = steps.findIndex((s) => s.id === place.step);
    return (
        <nav class="wizard-steps" aria-label="Steps">
            <ol>
                {steps.map((s, i) => (
                    <li key={s.id} class={i < at ? "done" : i === at ? "now" : ""}>
                        {hasType && i !== at ? (
                            <a href={place.to(s.id)}>
                                {i < at ? <Icon name="check" /> : <span class="wizard-number">{i + 1}</span>} {s.title}
                            </a>
                        ) : (
                            <span aria-current={i === at ? "step" : undefined}>
                                <span class="wizard-number">{i + 1}</span> {s.title}
                            </span>
                        )}
                    </li>
                ))}
            </ol>
        </nav>
    );
}

export default function WizardPage() {
    if (can("operator")) return <Wizard />;
    return (
        <Page title="Connector" crumbs={[{ href: "#/connectors", title: "Asset connectors" }]}>
            <Empty icon="lock" title="Operators make and change connectors">
                Your role may look at them.
            </Empty>
        </Page>
    );
}

function Wizard() {
    const place = usePlace();
    const route = useRoute();
    const { draft, error, tell } = useDraft(place.id, place.editing);
    const { data: spec, error: specError } = useGet<Spec>(draft?.type ? `/connector-types/${draft.type}` : null);
    const { judge, judgeNow } = useJudge(spec, draft, tell);
    const wanted = route.query.get("type");

    // A new one gets its id at once, so that every step and a reload find it.
    useEffect(() => {
        if (place.editing === null && place.id === null)
            go(link(["connectors", "new", place.step], { draft: newDraftId(), type: wanted }), { replace: true });
    }, [place.id]);
    useEffect(() => {
        if (draft !== null && draft.type === "" && wanted !== null && wanted in TYPES) tell({ do: "type", type: wanted });
        else if (draft !== null && draft.type === "" && place.step !== "type") go(place.to("type"), { replace: true });
    }, [draft?.id, draft?.type]);

    const title = place.editing === null ? "New connector" : `Edit ${place.editing}`;
    const discard = async () => {
        if (draft !== null) await forgetDraft(draft.id);
        go("#/connectors");
    };
    const form: Form | null = draft !== null && spec !== undefined ? { spec, draft, tell, judge } : null;
    const next = (to: string) => () => go(place.to(to));
    const failed = error ?? specError;
    const key = `${draft?.id} ${draft?.stored?.version}`; // fields read how they begin only once: what is loaded anew begins anew
    return (
        <Page title={title} crumbs={[{ href: "#/connectors", title: "Asset connectors" }]} sub={draft?.type ? TYPES[draft.type] : undefined}>
            <StepList place={place} hasType={!!draft?.type} />
            {failed && <ErrorBox error={failed} />}
            {draft?.isRestored && (
                <Notice
                    title="This was begun before"
                    actions={
                        <Button small onClick={discard}>
                            Discard it
                        </Button>
                    }
                >
                    What had been entered is here again, except secrets: those are never kept in a draft.
                </Notice>
            )}
            {draft === null && !failed && <Loading />}
            {draft !== null && place.step === "type" && <TypeStep draft={draft} tell={tell} next={next("connect")} />}
            {form && place.step === "connect" && (
                <ConnectStep key={key} form={form} judgeNow={judgeNow} next={next("scope")} back={place.editing === null ? place.to("type") : null} />
            )}
            {form && place.step === "scope" && <ScopeStep key={key} form={form} judgeNow={judgeNow} next={next("create")} back={place.to("connect")} />}
            {form && place.step === "create" && <CreateStep key={key} form={form} judgeNow={judgeNow} to={place.to} />}
        </Page>
    );
}
