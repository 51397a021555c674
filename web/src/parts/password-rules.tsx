// password-rules.tsx - what a password of this server must be, ticked off while it is typed; the server decides (accounts.h).
import { Icon } from "../ui/icon";

const LEAST = 12;

function passwordRules(name: string, password: string): { text: string; isMet: boolean }[] {
    return [
        { text: `At least ${LEAST} characters`, isMet: [...password].length >= LEAST },
        { text: "Not the name", isMet: password !== "" && password.toLowerCase() !== name.toLowerCase() },
    ];
}

export function isGoodPassword(name: string, password: string): boolean {
    return passwordRules(name, password).every((r) => r.isMet);
}

export function PasswordRules({ name, password }: { name: string; password: string }) {
    return (
        <ul class="rules" aria-label="Rules of the password">
            {passwordRules(name, password).map((r) => (
                <li key={r.text} class={r.isMet ? "met" : ""}>
                    <Icon name={r.isMet ? "good" : "off"} />
                    {r.text}
                    <span class="sr-only">{r.isMet ? ": met" : ": not met yet"}</span>
                </li>
            ))}
        </ul>
    );
}
