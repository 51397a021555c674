// use-judge.ts - what the server says about settings that are still being typed, asked when a field is left; only the newest answer counts.
import { useEffect, useRef } from "preact/hooks";
import { post } from "../lib/api";
import type { Draft, DraftAction, Judged } from "./draft";
import { bodyOf } from "./form";
import type { Spec } from "./spec";

const WAIT_MS = 150;

export function useJudge(
    spec: Spec | undefined,
    draft: Draft | null,
    tell: (action: DraftAction) => void,
): { judge: () => void; judgeNow: () => Promise<Judged[]> } {
    const newest = useRef({ spec, draft });
    newest.current = { spec, draft };
    const timer = useRef(0);
    const turn = useRef(0);
    useEffect(
        () => () => {
            window.clearTimeout(timer.current);
            turn.current++; // an answer that is under way has nobody left to tell
        },
        [],
    );

    const judgeNow = async (): Promise<Judged[]> => {
        window.clearTimeout(timer.current);
        const { spec: s, draft: d } = newest.current;
        if (!s || !d) return [];
        const mine = ++turn.current;
        const { problems } = await post<{ problems: Judged[] }>("/connectors/judge", {
            ...bodyOf({ spec: s, draft: d, tell, judge }),
            is_new: d.stored === null,
        });
        if (mine === turn.current) tell({ do: "judged", problems });
        return problems;
    };
    // After the change that caused it has been drawn, so that it is judged, too.
    const judge = (): void => {
        window.clearTimeout(timer.current);
        timer.current = window.setTimeout(() => void judgeNow().catch(() => undefined), WAIT_MS);
    };
    return { judge, judgeNow };
}
