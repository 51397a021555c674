// why-answer.tsx - one right explained: yes or no, by which entry, through which groups; drawn, and as the text that the command line prints.
import { useGet, type Loaded } from "../lib/api";
import { S } from "../lib/strings";
import type { AccessGap } from "../lib/types";
import { plain } from "../lib/visible";
import { Badge, Button, Code, ErrorBox, Loading, Notice, Status } from "../ui/basic";
import { Text } from "../ui/text";
import { AccessGraph } from "./access-graph";
import { rightText, whyGraph, type Why } from "./access-model";

export interface Question {
    principal: string;
    target: string;
    right: string;
    rule?: string;
    connector?: string | null; // where its ends are looked for first
}

export function AccessGaps({ gaps }: { gaps: AccessGap[] | undefined }) {
    if (!gaps || gaps.length === 0) return <p class="muted">No gaps: everything that the answer rests on was read.</p>;
    return (
        <Notice tone="warn" title={`The answer may lack something (${gaps.length})`}>
            <ul>
                {gaps.slice(0, 20).map((g, i) => (
                    <li key={i}>
                        <Text class="wrap">{g.what}</Text> {g.where && <Text class="wrap muted">{g.where}</Text>}{" "}
                        {g.fix && (
                            <span>
                                Fix: <Text class="wrap">{g.fix}</Text>
                            </span>
                        )}
                    </li>
                ))}
            </ul>
        </Notice>
    );
}

function Verdict({ why }: { why: Why }) {
    const tone = why.answer === "yes" ? "good" : why.answer === "no" ? "bad" : "warn";
    const word = why.answer === "yes" ? S.yes : why.answer === "no" ? S.no : S.unknown;
    const verb = why.answer === "no" ? "cannot" : why.answer === "yes" ? "can" : "may";
    return (
        <p class="verdict">
            <Status tone={tone}>{word}</Status>{" "}
            <span>
                <Text class="strong">{why.principal.name}</Text> {verb} <strong>{rightText(why.right).toLowerCase()}</strong> on{" "}
                <Text class="strong">{why.target.name}</Text>
            </span>
            {why.conditional && <> <Badge tone="warn">{why.answer === "no" ? "Unless a condition holds" : "Only under a condition"}</Badge></>}
        </p>
    );
}

// An end of a row may be known from elsewhere: then it is looked for everywhere.
function useWhy(question: Question): Loaded<Why> {
    const here = useGet<Why>("/access/why", { ...question });
    const isElsewhere = !!question.connector && !here.loading && here.error?.status === 404;
    const anywhere = useGet<Why>(isElsewhere ? "/access/why" : null, { ...question, connector: null });
    return isElsewhere ? anywhere : here;
}

export function WhyAnswer({ question, connector, onClose }: { question: Question; connector: string; onClose?: () => void }) {
    const { data: why, error, loading, reload } = useWhy(question);
    return (
        <section class="why" aria-label="Why" aria-busy={loading}>
            {onClose && (
                <div class="row spread">
                    <h2>Why?</h2>
                    <Button variant="quiet" icon="cross" label="Close the explanation" onClick={onClose} />
                </div>
            )}
            {error && <ErrorBox error={error} retry={reload} />}
            {loading && why === undefined && <Loading lines={3} />}
            {why && !error && (
                <div class="stack-v" aria-live="polite">
                    <Verdict why={why} />
                    <AccessGraph graph={whyGraph(why, connector)} title={plain(`Why ${why.principal.name} on ${why.target.name}`)} />
                    <Code text={why.text} label="The answer as text" />
                    {why.under_deny_wins !== why.answer && (
                        <Notice tone="info" title={`If a deny always won, the answer would be ${why.under_deny_wins}.`} />
                    )}
                    <AccessGaps gaps={why.gaps} />
                </div>
            )}
        </section>
    );
}
