// visible.ts - makes what a name hides visible: control, bidi and zero-width characters, spaces that look like others or stand at an end.
//
// Names come from directories, where anybody may have written them. Every text of a directory goes through <Text> (ui/text.tsx), which asks here;
// attributes that cannot hold elements (title, aria-label, document.title) take plain(). The lists: Unicode 15 Cf, Cc, Zs, Zl, Zp, the blank letters (Hangul
// fillers, Braille blank), variation selectors and tags; UTR 36 §3 tells why each misleads.

interface Piece {
    text: string; // as it is; for a hidden character its mark, "U+202E"
    name?: string; // of a hidden character only
}

const NAMES: Record<number, string> = {
    0x00: "null", 0x09: "tab", 0x0a: "line feed", 0x0d: "carriage return", 0x1b: "escape", 0x7f: "delete",
    0xa0: "no-break space", 0xad: "soft hyphen", 0x34f: "combining grapheme joiner", 0x61c: "Arabic letter mark",
    0x115f: "Hangul filler", 0x1160: "Hangul filler", 0x1680: "Ogham space", 0x17b4: "Khmer inherent vowel", 0x17b5: "Khmer inherent vowel",
    0x180e: "Mongolian vowel separator", 0x200b: "zero-width space", 0x200c: "zero-width non-joiner", 0x200d: "zero-width joiner",
    0x200e: "left-to-right mark", 0x200f: "right-to-left mark", 0x2028: "line separator", 0x2029: "paragraph separator",
    0x202a: "left-to-right embedding", 0x202b: "right-to-left embedding", 0x202c: "pop directional formatting",
    0x202d: "left-to-right override", 0x202e: "right-to-left override", 0x202f: "narrow no-break space", 0x205f: "mathematical space",
    0x2060: "word joiner", 0x2066: "left-to-right isolate", 0x2067: "right-to-left isolate", 0x2068: "first strong isolate",
    0x2069: "pop directional isolate", 0x2800: "Braille blank", 0x3000: "ideographic space", 0x3164: "Hangul filler",
    0xfeff: "byte order mark", 0xffa0: "Hangul filler", 0xfffd: "replacement character",
};

const HIDDEN_CHARACTER =
    /[\u0000-\u001f\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff0-\uffff\ud800-\udfff\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu;
const HIDDEN = new RegExp(`${HIDDEN_CHARACTER.source}|^ +| +$| {2,}`, "gu");
const LAYOUT = new Set(["\n", "\t"]); // of code: lines and indentation are as they should be

function mark(code: number): string {
    return "U+" + code.toString(16).toUpperCase().padStart(4, "0");
}

function describe(code: number): string {
    const known = NAMES[code];
    if (known !== undefined) return known;
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return "control character";
    if (code >= 0xd800 && code <= 0xdfff) return "half of a character";
    if (code >= 0x2000 && code <= 0x200a) return "space of unusual width";
    if ((code >= 0xfe00 && code <= 0xfe0f) || (code >= 0xe0100 && code <= 0xe01ef)) return "variation selector";
    if (code >= 0xe0000) return "tag";
    return "invisible character";
}

// A text in pieces; one piece without name when nothing is hidden, which is nearly always. isCode: spaces, tabs and line ends are layout.
export function pieces(text: string, isCode = false): Piece[] {
    const out: Piece[] = [];
    let from = 0;
    for (const hit of text.matchAll(isCode ? HIDDEN_CHARACTER : HIDDEN)) {
        if (isCode && LAYOUT.has(hit[0])) continue;
        const at = hit.index;
        if (at > from) out.push({ text: text.slice(from, at) });
        const found = hit[0];
        if (found.startsWith(" ")) out.push({ text: "\u2423".repeat(Math.min(found.length, 8)), name: found.length === 1 ? "space" : `${found.length} spaces` });
        else {
            const code = found.codePointAt(0) ?? 0;
            out.push({ text: mark(code), name: describe(code) });
        }
        from = at + found.length;
    }
    if (from < text.length || out.length === 0) out.push({ text: text.slice(from) });
    return out;
}

// For places that hold only a string.
export function plain(text: string): string {
    return pieces(text)
        .map((p) => (p.name === undefined ? p.text : `[${p.text}]`))
        .join("");
}
