// secret-field.tsx - a secret of a connector: entered here and sealed, or a reference to a place that keeps it.
//
// What is sealed is bound to where it is sent: when host, port, certificate, user ... change, it must be entered again, so that nobody
// can send a stored password to a server of his own.
import { useRef, useState } from "preact/hooks";
import { can } from "../lib/session";
import { Button, Notice } from "../ui/basic";
import { Field, SecretInput, Select } from "../ui/field";
import { Time } from "../ui/text";
import { couldKeepSecret, hasStoredSecret, leaveField, problemOf, whatChanged, type Form } from "./form";
import { TextField } from "./inputs";
import { labelOf } from "./labels";
import { ORIGINS, originOf, originsFor, placeOf, type Origin } from "./secret-form";
import { isEmpty, isRequired, type Value } from "./spec";

function Rebind({ form, name }: { form: Form; name: string }) {
    const stored = form.draft.stored;
    if (!stored?.secrets[name]?.set || stored.secrets[name].reference || form.draft.entered[name] || form.draft.dropped[name]) return null;
    const changed = whatChanged(form);
    if (changed.length === 0 && !stored.must_enter.includes(name)) return null;
    const what = changed.map((key) => labelOf(form.draft.type, key).label).join(", ") || "what it is bound to";
    return (
        <Notice tone="warn" live="polite" title={`Enter it again: ${what} changed`}>
            The stored secret is sealed together with the server, the certificate and the user it was entered for. It is not sent anywhere else.
        </Notice>
    );
}

function Stored({ form, name, onReplace, onRemove }: { form: Form; name: string; onReplace: () => void; onRemove: (() => void) | null }) {
    const secret = form.draft.stored?.secrets[name];
    return (
        <div class="input-row stored-secret">
            <span>
                Set <Time at={secret?.updated} relative absent="" />
            </span>
            <span class="row">
                <Button small onClick={onReplace}>
                    Enter another
                </Button>
                {onRemove !== null && (
                    <Button small onClick={onRemove}>
                        Remove
                    </Button>
                )}
            </span>
        </div>
    );
}

// Instead of the stored one: what becomes of that one.
function Instead({ isDropped, onKeep }: { isDropped: boolean; onKeep: () => void }) {
    return (
        <div class="input-row stored-secret">
            <span class="muted">{isDropped ? "The stored one is removed when this is saved." : "Left empty, the stored one stays."}</span>
            <Button small onClick={onKeep}>
                Keep the stored one
            </Button>
        </div>
    );
}

export function SecretField({ form, name }: { form: Form; name: string }) {
    const { draft, spec, tell } = form;
    const words = labelOf(draft.type, name);
    const reference = draft.values[name];
    const [origin, setOrigin] = useState<Origin>((draft.modes[name] as Origin | undefined) ?? originOf(reference));
    const named = draft.stored?.settings[name] as Value;
    const places = useRef<Partial<Record<Origin, Value>>>({ [originOf(named)]: named }); // of origins that were left: going back loses nothing
    const [origins] = useState(originsFor(can("admin"), origin === "entered" ? originOf(named) : origin));
    const [isReplacing, setReplacing] = useState(!!draft.entered[name]);
    const chosen = ORIGINS.find((o) => o.origin === origin) ?? ORIGINS[0]!;
    const problem = problemOf(form, name);
    const isNeeded = isRequired(spec, draft.values, name);
    const isStored = origin === "entered" && !isReplacing && hasStoredSecret(form, name) && isEmpty(reference);

    const choose = (to: string) => {
        const next = to as Origin;
        places.current[origin] = reference;
        // What was typed must not be sent in place of what is seen.
        if (origin === "entered") tell({ do: "keep", key: name });
        setReplacing(false);
        setOrigin(next);
        tell({ do: "mode", key: name, mode: next });
        tell({ do: "set", key: name, value: next === "entered" ? undefined : places.current[next] });
        form.judge();
    };
    const keep = (act: "keep" | "drop") => {
        tell({ do: act, key: name });
        setReplacing(false);
        form.judge();
    };
    const leave = () => leaveField(form, name);
    return (
        <div class="secret">
            <Rebind form={form} name={name} />
            <div class="secret-row">
                {origins.length > 1 && (
                    <div class="field secret-origin">
                        <label>
                            <span class="sr-only">{words.label}: where it is</span>
                            <span aria-hidden="true">Where the secret is</span>
                            <Select value={origin} options={origins.map((o) => ({ value: o.origin, label: o.label }))} onChange={choose} />
                        </label>
                    </div>
                )}
                {origin === "entered" ? (
                    <Field label={words.label} description={words.help ?? chosen.help} required={isNeeded} problem={problem}>
                        {(aria) =>
                            isStored ? (
                                <Stored
                                    form={form}
                                    name={name}
                                    onReplace={() => setReplacing(true)}
                                    onRemove={isNeeded ? null : () => keep("drop")}
                                />
                            ) : (
                                <div onFocusOut={leave}>
                                    <SecretInput
                                        aria={{ ...aria, required: isNeeded }}
                                        value={draft.entered[name] ?? ""}
                                        onInput={(value) => {
                                            setReplacing(true); // also when all of it is taken away again
                                            tell({ do: "secret", key: name, value });
                                        }}
                                    />
                                    {!draft.entered[name] && couldKeepSecret(form, name) && (
                                        <Instead isDropped={!!draft.dropped[name]} onKeep={() => keep("keep")} />
                                    )}
                                </div>
                            )
                        }
                    </Field>
                ) : (
                    <TextField
                        label={words.label}
                        description={`${chosen.help} For instance ${placeOf(chosen.example)}`}
                        value={placeOf(reference)}
                        required={isNeeded}
                        problem={problem}
                        onChange={(place) => tell({ do: "set", key: name, value: place === "" ? undefined : `${origin}:${place}` })}
                        onBlur={leave}
                    />
                )}
            </div>
        </div>
    );
}
