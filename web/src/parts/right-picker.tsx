// right-picker.tsx - a right by what it lets people do; any other of the schema by its name.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { useGet } from "../lib/api";
import { Field } from "../ui/field";
import { PLAIN_GROUPS, plainRight } from "./rights";

interface Rights {
    object: string[];
    typed: string[];
}
const OTHER = "*other";

function isUnlisted(right: string): boolean {
    return right !== "" && plainRight(right) === undefined;
}

export function RightPicker({ value, onChange, optional }: { value: string; onChange: (to: string) => void; optional?: boolean }) {
    const { data } = useGet<Rights>("/access/rights");
    const [isOther, setOther] = useState(isUnlisted(value));
    const [typed, setTyped] = useState(isOther ? value : "");
    const told = useRef(value); // what was chosen here last
    const id = useId();
    useEffect(() => {
        if (value === told.current) return;
        told.current = value; // chosen elsewhere, such as by Back
        setOther(isUnlisted(value));
        setTyped(isUnlisted(value) ? value : "");
    }, [value]);
    const tell = (to: string) => {
        told.current = to;
        if (to !== value) onChange(to);
    };
    // Another one that is not named yet is none: the one before does not stay chosen unseen.
    const choose = (to: string) => {
        setOther(to === OTHER);
        tell(to === OTHER ? typed.trim() : to);
    };
    return (
        <>
            <Field label={optional ? "Which right" : "Right"} optional={optional}>
                {(aria) => (
                    <select {...aria} value={isOther ? OTHER : value} onChange={(e) => choose(e.currentTarget.value)}>
                        <option value="">{optional ? "Any right" : "Choose a right"}</option>
                        {PLAIN_GROUPS.map((g) => (
                            <optgroup label={g.title} key={g.title}>
                                {g.choices.map((c) => (
                                    <option value={c.right} key={c.right} selected={!isOther && c.right === value}>
                                        {c.label}
                                    </option>
                                ))}
                            </optgroup>
                        ))}
                        <option value={OTHER}>Another right, by its name…</option>
                    </select>
                )}
            </Field>
            {isOther && (
                <Field
                    label="Name of the right"
                    description="As the schema has it: WRITE_PROPERTY:department, CONTROL_ACCESS:Send-As, READ_PROPERTY."
                >
                    {(aria) => (
                        <>
                            <input
                                {...aria}
                                list={`${id}-rights`}
                                value={typed}
                                spellcheck={false}
                                autocomplete="off"
                                onInput={(e) => setTyped(e.currentTarget.value)}
                                onBlur={() => tell(typed.trim())}
                                onKeyDown={(e) => e.key === "Enter" && tell(typed.trim())}
                            />
                            <datalist id={`${id}-rights`}>
                                {[...(data?.object ?? []), ...(data?.typed ?? [])].map((r) => (
                                    <option value={r} key={r} />
                                ))}
                            </datalist>
                        </>
                    )}
                </Field>
            )}
        </>
    );
}
