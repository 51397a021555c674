// party-picker.tsx - finds one principal or object by a part of its name: a combobox (ARIA 1.2) over /access/find. What is not in the list can be typed whole
// (SID, DN, uid, account name, a well-known group): Enter takes it as it is.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { get } from "../lib/api";
import type { List } from "../lib/types";
import { plain } from "../lib/visible";
import { Button } from "../ui/basic";
import { Field } from "../ui/field";
import { KindIcon } from "../ui/icon";
import { Text } from "../ui/text";

export interface Candidate {
    connector: string;
    kind: string;
    uid: string;
    name: string;
    account?: string | null;
    dn?: string | null;
}

export interface Picked {
    id: string; // uid, or what was typed
    connector: string; // "": typed
    name: string;
}

interface Props {
    label: string;
    description?: string;
    value: Picked | null;
    kinds?: string;
    connector?: string;
    onPick: (picked: Picked | null) => void;
    search?: boolean; // "/" goes here
}

const LEAST = 2;
const WAIT_MS = 200;

interface Search {
    of: string; // the text that was asked for
    items: Candidate[];
}

function useCandidates(text: string, isOpen: boolean, kinds: string | undefined, connector: string | undefined): Search {
    const [found, setFound] = useState<Search>({ of: "", items: [] });
    const wanted = text.trim();
    useEffect(() => {
        if (!isOpen || wanted.length < LEAST) return;
        const abort = new AbortController();
        const tell = (items: Candidate[]) => !abort.signal.aborted && setFound({ of: wanted, items });
        const timer = setTimeout(() => {
            get<List<Candidate>>("/access/find", { q: wanted, kind: kinds, connector }, abort.signal).then(
                (r) => tell(r.items),
                () => tell([]),
            );
        }, WAIT_MS);
        return () => {
            abort.abort();
            clearTimeout(timer);
        };
    }, [wanted, isOpen, kinds, connector]);
    return found;
}

// What Enter means without a choice: the only one, or the one that is called exactly this.
function meant(found: Candidate[], text: string): Candidate | undefined {
    const wanted = text.trim().toLowerCase();
    const exact = found.filter((c) => [c.name, c.account, c.dn, c.uid].some((t) => t?.toLowerCase() === wanted));
    if (exact.length === 1) return exact[0];
    return found.length === 1 ? found[0] : undefined;
}

function Option({ id, candidate: c, isActive, onPick }: { id: string; candidate: Candidate; isActive: boolean; onPick: () => void }) {
    return (
        <li
            id={id}
            role="option"
            aria-selected={isActive}
            class={isActive ? "active" : ""}
            onPointerDown={(e) => {
                e.preventDefault();
                onPick();
            }}
        >
            <KindIcon kind={c.kind} />
            <span class="option-text">
                <Text>{c.name}</Text> {c.account && c.account !== c.name && <Text class="muted">{c.account}</Text>}
                <span class="option-dn">
                    <Text>{c.dn ?? c.uid}</Text>
                </span>
            </span>
            <span class="muted">
                <Text>{c.connector}</Text>
            </span>
        </li>
    );
}

export function PartyPicker({ label, description, value, kinds, connector, onPick, search }: Props) {
    const [text, setText] = useState(value ? plain(value.name) : "");
    const [isOpen, setOpen] = useState(false);
    const [at, setAt] = useState(-1);
    const id = useId();
    const input = useRef<HTMLInputElement>(null);
    const answer = useCandidates(text, isOpen, kinds, connector);
    const isAsking = isOpen && text.trim().length >= LEAST && answer.of !== text.trim();
    const found = isAsking ? [] : answer.items;
    const [isHurried, setHurried] = useState(false); // Enter came before the answer
    const isTyped = useRef(false); // by hand, since somebody was picked
    const shownId = useRef(value?.id);
    const show = () => {
        isTyped.current = false;
        setText(value ? plain(value.name) : "");
    };
    useEffect(() => {
        const isSame = shownId.current === value?.id;
        shownId.current = value?.id;
        if (!isSame || !isTyped.current) show(); // a name that comes late does not wipe what is being typed
    }, [value?.id, value?.name]);

    const pick = (c: Candidate) => {
        setOpen(false);
        isTyped.current = false;
        setText(plain(c.name));
        onPick({ id: c.uid, connector: c.connector, name: c.name });
    };
    const take = () => {
        setOpen(false);
        if (!isTyped.current) return;
        isTyped.current = false;
        const typed = text.trim();
        if (typed === "") onPick(null);
        else if (!value || typed !== plain(value.name)) onPick({ id: typed, connector: "", name: typed });
    };
    const choose = () => {
        const candidate = found[at] ?? meant(found, text);
        if (candidate) pick(candidate);
        else if (found.length > 1) setAt(0);
        else take();
    };
    useEffect(() => {
        if (!isHurried || isAsking) return;
        setHurried(false);
        if (isOpen) choose();
    }, [isHurried, isAsking]);

    const key = (event: KeyboardEvent) => {
        const moves: Record<string, number> = { ArrowDown: Math.min(found.length - 1, at + 1), ArrowUp: Math.max(-1, at - 1) };
        const to = moves[event.key];
        if (to !== undefined) {
            setOpen(true);
            setAt(to);
        } else if (event.key === "Enter" && isAsking) setHurried(true);
        else if (event.key === "Enter" && isOpen) choose();
        else if (event.key === "Enter") take();
        else if (event.key === "Escape" && (isOpen || isTyped.current)) {
            setOpen(false);
            setHurried(false);
            show();
        }
        else return;
        event.preventDefault();
        event.stopPropagation();
    };
    const isListed = isOpen && text.trim().length >= LEAST;
    return (
        <Field label={label} description={description}>
            {(aria) => (
                <div class="combobox">
                    <input
                        {...aria}
                        ref={input}
                        role="combobox"
                        aria-expanded={isListed}
                        aria-controls={`${id}-list`}
                        aria-autocomplete="list"
                        aria-activedescendant={isListed && at >= 0 ? `${id}-${at}` : undefined}
                        autocomplete="off"
                        spellcheck={false}
                        data-search={search ? "" : undefined}
                        value={text}
                        placeholder="Name, account, DN or SID"
                        onInput={(e) => {
                            isTyped.current = true;
                            setText(e.currentTarget.value);
                            setOpen(true);
                            setAt(-1);
                        }}
                        onKeyDown={key}
                        onBlur={take}
                    />
                    {value && (
                        <Button
                            variant="quiet"
                            small
                            icon="cross"
                            label={`Clear ${label}`}
                            onClick={() => {
                                isTyped.current = false;
                                setText("");
                                onPick(null);
                                input.current?.focus();
                            }}
                        />
                    )}
                    <ul class="combobox-list" id={`${id}-list`} role="listbox" aria-label={label} hidden={!isListed || found.length === 0}>
                        {found.map((c, i) => (
                            <Option key={`${c.connector} ${c.uid}`} id={`${id}-${i}`} candidate={c} isActive={i === at} onPick={() => pick(c)} />
                        ))}
                    </ul>
                    {isListed && found.length === 0 && (
                        <p class="combobox-list muted" role="status">
                            {isAsking ? "Looking…" : "Nothing found. Enter takes what is typed."}
                        </p>
                    )}
                </div>
            )}
        </Field>
    );
}
