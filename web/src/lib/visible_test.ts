import assert from "node:assert/strict";
import { test } from "node:test";
import { pieces, plain } from "./visible";

const untouched = ["", "Alice Martin", "Zoë Müller-Ångström", "محمد العربي", "李小龍", "Z\u0300\u0301\u0302", "😀 Team", "❤\ufe0f", "O'Brien <img src=x onerror=alert(1)>", "a b c"];
for (const text of untouched) {
    test(`nothing hidden in ${JSON.stringify(text)}`, () => {
        assert.deepEqual(pieces(text), [{ text }]);
        assert.equal(plain(text), text);
    });
}

const marked: [string, string][] = [
    ["ad\u202enimda", "ad[U+202E]nimda"],
    ["\u200balice", "[U+200B]alice"],
    ["alice\u00a0", "alice[U+00A0]"],
    ["a\u0000b\u001bc\u007f", "a[U+0000]b[U+001B]c[U+007F]"],
    ["\u2066x\u2069", "[U+2066]x[U+2069]"],
    ["x\u{e0041}", "x[U+E0041]"],
    ["\ud800", "[U+D800]"],
    ["\u3164", "[U+3164]"],
    ["line\nbreak\u2028", "line[U+000A]break[U+2028]"],
    [" alice", "[\u2423]alice"],
    ["alice ", "alice[\u2423]"],
    ["a  b", "a[\u2423\u2423]b"],
    ["   ", "[\u2423\u2423\u2423]"],
];
for (const [text, want] of marked) test(`hidden in ${JSON.stringify(text)}`, () => assert.equal(plain(text), want));

test("every character that is not drawn has a name", () => {
    for (const range of [[0, 0x1f], [0x7f, 0xa0], [0x2000, 0x200f], [0x2028, 0x202f], [0x2060, 0x206f], [0xe0000, 0xe007f]] as const) {
        for (let code = range[0]; code <= range[1]; code++) {
            const found = pieces("a" + String.fromCodePoint(code) + "b");
            assert.equal(found.length, 3, `U+${code.toString(16)}`);
            assert.ok((found[1]?.name ?? "") !== "");
        }
    }
});

test("code keeps its lines and indentation, and nothing else", () => {
    assert.deepEqual(pieces('{\n  "a": 1\n}', true), [{ text: '{\n  "a": 1\n}' }]);
    assert.equal(pieces('  "\u202e"', true).length, 3);
});

test("a text of only hidden characters is quick and whole", () => {
    const found = pieces("\u202e".repeat(10_000));
    assert.equal(found.length, 10_000);
});
