// search.tsx - the search box of a list: writes the query's member a moment after the last key, without a step in the history for every letter. "/" finds it.
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { setQuery, useRoute } from "../lib/router";
import { Icon } from "./icon";

const QUIET_MS = 250;

export function SearchBox({ label, placeholder, name = "q" }: { label: string; placeholder?: string; name?: string }) {
    const route = useRoute();
    const given = route.query.get(name) ?? "";
    const [text, setText] = useState(given);
    const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
    const input = useRef<HTMLInputElement>(null);
    const written = useRef(given);
    const id = useId();
    useLayoutEffect(() => {
        // Back, a link or "clear filters" changed it, and what was typed for the address before is no longer meant; what is being typed
        // is not overwritten by its own echo. A layout effect: there is no moment in which more can be typed before it.
        if (given === written.current) return;
        clearTimeout(timer.current);
        written.current = given;
        setText(given);
    }, [given]);
    useEffect(() => {
        if (route.query.get("focus") !== "search") return;
        setQuery({ focus: null }, { replace: true });
        input.current?.focus();
    }, [route.href]);
    useEffect(() => () => clearTimeout(timer.current), []);
    const commit = (to: string) => {
        clearTimeout(timer.current);
        if (to === written.current) return;
        const isStep = written.current === "" || to === "";
        written.current = to;
        setQuery({ [name]: to, after: null }, { replace: !isStep });
    };
    return (
        <form class="search" role="search" onSubmit={(e) => { e.preventDefault(); commit(text.trim()); }}>
            <label class="sr-only" for={id}>{label}</label>
            <Icon name="search" />
            <input id={id} ref={input} type="search" value={text} placeholder={placeholder ?? label} data-search="" autocomplete="off" spellcheck={false} maxLength={256}
                   onBlur={(e) => commit(e.currentTarget.value.trim())}
                   onInput={(e) => {
                       const to = e.currentTarget.value;
                       setText(to);
                       clearTimeout(timer.current);
                       timer.current = setTimeout(() => commit(to.trim()), QUIET_MS);
                   }} />
            <kbd class="search-key" aria-hidden="true">/</kbd>
        </form>
    );
}
