// shell.ts - a word for sh(1) that means exactly this text, whatever it holds: what people copy from here they paste into a terminal.

export function word(text: string): string {
    if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(text)) return text;
    // A pasted control character could act on the terminal before the shell sees it: spelt as $'\x..' instead.
    if (/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/.test(text)) {
        let out = "$'";
        for (const byte of new TextEncoder().encode(text))
            out += byte < 0x20 || byte > 0x7e || byte === 0x27 || byte === 0x5c ? "\\x" + byte.toString(16).padStart(2, "0") : String.fromCharCode(byte);
        return out + "'";
    }
    return "'" + text.replaceAll("'", "'\\''") + "'";
}

// The command that asks the API for the same.
export function apiCommand(method: string, path: string): string {
    return `rollcall api ${method} ${word(path)}`;
}

// The same as an HTTP request, with a token to be filled in.
export function curlCommand(method: string, path: string): string {
    const verb = method === "GET" ? "" : `-X ${method} `;
    return `curl ${verb}-H "Authorization: Bearer $ROLLCALL_TOKEN" ${word(location.origin + path)}`;
}
