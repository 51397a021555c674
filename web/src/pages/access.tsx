// access.tsx - the access explorer: what can X do, who can do Y to Z, why can X do Y to Z. The question is the URL.
import { useGet } from "../lib/api";
import { link, setQuery, useRoute } from "../lib/router";
import { can } from "../lib/session";
import { kindPlural, KIND_ORDER, S } from "../lib/strings";
import type { Entity } from "../lib/types";
import { WhatCan, WhoCan, type Asked } from "../parts/access-lists";
import { commandOf } from "../parts/access-model";
import { TextField, SelectField } from "../parts/inputs";
import { PartyPicker, type Picked } from "../parts/party-picker";
import { RightPicker } from "../parts/right-picker";
import { WhyAnswer } from "../parts/why-answer";
import { Card, CopyAs, Empty, LinkButton } from "../ui/basic";
import { Checkbox } from "../ui/field";
import { Page } from "../ui/layout";
import { segment, url } from "../lib/api";
import { useEffect, useState } from "preact/hooks";

const QUESTIONS = [
    { id: "who-can", title: "Who can do it?", sub: "Everybody who holds a right on an object" },
    { id: "what-can", title: "What can they do?", sub: "Everything that somebody may do beyond what everybody can" },
    { id: "why", title: "Why?", sub: "What decides one right: the entry, and the groups between" },
] as const;

// uid in the URL, its name from the asset: a link in a ticket stays short and still says whom it is about.
function useParty(end: "principal" | "target"): Picked | null {
    const { query } = useRoute();
    const id = query.get(end) ?? "";
    const connector = query.get(`${end}_in`) ?? "";
    const { data } = useGet<Entity>(id && connector ? `/assets/${segment(connector)}/${segment(id)}` : null);
    if (id === "") return null;
    return { id, connector, name: data?.uid === id ? (data.name ?? id) : (query.get(`${end}_name`) ?? id) };
}

function pickInto(end: "principal" | "target") {
    return (p: Picked | null) => setQuery({ [end]: p?.id ?? null, [`${end}_in`]: p?.connector ?? null, [`${end}_name`]: null, row: null, after: null, why_right: null });
}

function Filter({ value }: { value: string }) {
    const [text, setText] = useState(value);
    useEffect(() => setText(value), [value]);
    const apply = () => text !== value && setQuery({ filter: text.trim(), after: null });
    return (
        <form
            onSubmit={(e) => {
                e.preventDefault();
                apply();
            }}
        >
            <TextField
                label="Only those that fit"
                description="For instance: enabled=false and department=Finance"
                value={text}
                onChange={setText}
                onBlur={apply}
                optional
            />
        </form>
    );
}

function More({ question, asked }: { question: string; asked: Asked }) {
    const isSet = asked.filter !== "" || asked.kind !== "" || asked.flag || asked.rule !== "";
    const [isOpen, setOpen] = useState(isSet);
    useEffect(() => {
        if (isSet) setOpen(true); // and not closed when the last one is taken away: the focus is in it
    }, [isSet]);
    if (question === "why") return null;
    const kinds = [{ value: "", label: "All kinds" }, ...KIND_ORDER.map((k) => ({ value: k, label: kindPlural(k) }))];
    return (
        <details class="more-settings" open={isOpen} onToggle={(e) => setOpen(e.currentTarget.open)}>
            <summary>{S.filters}</summary>
            <div class="grid-2">
                <Filter value={asked.filter} />
                <SelectField label="Kind" value={asked.kind} options={kinds} onChange={(kind) => setQuery({ kind, after: null })} />
                <SelectField
                    label="Rule"
                    value={asked.rule}
                    options={[
                        { value: "", label: "As Windows decides: the first entry that speaks" },
                        { value: "deny-wins", label: "A deny always wins" },
                    ]}
                    onChange={(rule) => setQuery({ rule, after: null })}
                />
                <Checkbox
                    label={question === "who-can" ? "Groups, too" : "Also what everybody can"}
                    checked={asked.flag}
                    onChange={(on) => setQuery({ flag: on ? "yes" : null, after: null })}
                />
            </div>
        </details>
    );
}

function Why({ asked }: { asked: Asked }) {
    const from = useRoute().query.get("principal_in") ?? "";
    const query = { principal: asked.principal, target: asked.target, right: asked.right, rule: asked.rule, connector: asked.both || null };
    const command = commandOf(["why"], {
        "--principal": asked.principal,
        "--right": asked.right,
        "--target": asked.target,
        "--rule": asked.rule,
        "-c": asked.both,
    });
    return (
        <Card>
            <div class="row spread">
                <span />
                <div class="row">
                    <CopyAs path={url("/access/why", query)} command={command} />
                    <LinkButton
                        icon="users"
                        href={link(["access", "who-can"], { target: asked.target, target_in: asked.connector, right: asked.right })}
                    >
                        Who else can?
                    </LinkButton>
                </div>
            </div>
            <WhyAnswer question={query} connector={asked.connector || from} />
        </Card>
    );
}

function AnswerTo({ question, asked }: { question: string; asked: Asked }) {
    if (question === "who-can") {
        if (!asked.target || !asked.right)
            return (
                <Empty icon="access" title="Choose an object and a right">
                    For instance: who can change the members of Domain Admins?
                </Empty>
            );
        return <WhoCan asked={asked} />;
    }
    if (question === "what-can") {
        if (!asked.principal)
            return (
                <Empty icon="access" title="Choose somebody">
                    A user, a group, a computer; also a well-known group such as Everyone.
                </Empty>
            );
        return <WhatCan asked={asked} />;
    }
    if (!asked.principal || !asked.target || !asked.right)
        return (
            <Empty icon="access" title="Choose who, what and on which object">
                The answer names the deciding entry and the groups between, as text for a ticket.
            </Empty>
        );
    return <Why asked={asked} />;
}

export default function Access() {
    const { path, query } = useRoute();
    const question = QUESTIONS.find((q) => q.id === path[1])?.id ?? "who-can";
    const principal = useParty("principal");
    const target = useParty("target");
    const right = query.get("right") ?? "";
    const end = question === "what-can" ? principal : target;
    const asked: Asked = {
        principal: principal?.id ?? "",
        target: target?.id ?? "",
        right,
        rule: query.get("rule") ?? "",
        filter: query.get("filter") ?? "",
        kind: query.get("kind") ?? "",
        connector: end?.connector ?? "",
        both: principal?.connector === target?.connector ? (target?.connector ?? "") : "",
        name: end?.name ?? "",
        flag: query.get("flag") === "yes",
    };
    // Of another question's answer nothing is left to stand under this one's title.
    const of = JSON.stringify([question, right, target?.id, target?.connector, principal?.id, principal?.connector]);
    if (!can("analyst"))
        return (
            <Page title="Access explorer">
                <Empty icon="lock" title="Analysts ask about access">
                    Your role shows assets and changes only.
                </Empty>
            </Page>
        );
    const keep = {
        principal: query.get("principal"),
        principal_in: query.get("principal_in"),
        principal_name: query.get("principal_name"),
        target: query.get("target"),
        target_in: query.get("target_in"),
        target_name: query.get("target_name"),
        right,
    };
    return (
        <Page title="Access explorer" sub="Who can do what in Active Directory, and why" actions={<LinkButton href="#/access/reports">Reports</LinkButton>}>
            <nav class="questions" aria-label="Questions">
                {QUESTIONS.map((q) => (
                    <a key={q.id} href={link(["access", q.id], keep)} aria-current={q.id === question ? "page" : undefined}>
                        <strong>{q.title}</strong>
                        <span>{q.sub}</span>
                    </a>
                ))}
            </nav>
            <div class="question-form">
                {question !== "who-can" && <PartyPicker label="Who" value={principal} onPick={pickInto("principal")} search />}
                <div>
                    <RightPicker
                        key={question}
                        value={right}
                        onChange={(r) => setQuery({ right: r, row: null, after: null })}
                        optional={question === "what-can"}
                    />
                </div>
                {question !== "what-can" && (
                    <PartyPicker label="On which object" value={target} onPick={pickInto("target")} search={question === "who-can"} />
                )}
            </div>
            <More question={question} asked={asked} />
            <AnswerTo key={of} question={question} asked={asked} />
        </Page>
    );
}
